//! The resample against pictures that other software made.

use super::picture::Picture;
use super::*;
use fearless_simd::Level;
use serde_json::Value;

fn filter(case: &Value) -> Filter {
    serde_json::from_value(case["filter"].clone()).expect("a filter of ours")
}

fn numbers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|v| v.as_i64().unwrap()).collect()
}

fn picture(at: &Value, data: &[u8]) -> Picture {
    let field = |name: &str| at[name].as_u64().expect("a number") as usize;
    let (width, height, channels) = (field("width"), field("height"), field("channels"));
    let bytes = &data[field("offset")..][..width * height * channels * 4];
    let floats: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let plane =
        |p: usize| floats.iter().skip(p.min(channels - 1)).step_by(channels).copied().collect();
    Picture { width, height, planes: std::array::from_fn(plane) }
}

/// The picture on another raster: what lies at `left`, `top` comes to its
/// origin, what was nowhere is black.
fn moved(picture: &Picture, [left, top]: [i64; 2], [width, height]: [usize; 2]) -> Picture {
    let planes = picture.planes.each_ref().map(|plane| {
        let at = |i: usize| {
            let (x, y) = ((i % width) as i64 + left, (i / width) as i64 + top);
            let inside =
                (0..picture.width as i64).contains(&x) && (0..picture.height as i64).contains(&y);
            if inside { plane[y as usize * picture.width + x as usize] } else { 0.0 }
        };
        (0..width * height).map(at).collect()
    });
    Picture { width, height, planes }
}

fn peak(picture: &Picture) -> f64 {
    picture.planes.iter().flatten().fold(1.0, |peak, v| f64::from(v.abs()).max(peak))
}

fn difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let pairs = a.planes.iter().flatten().zip(b.planes.iter().flatten());
    pairs.map(|(x, y)| f64::from((x - y).abs())).fold(0.0, f64::max)
}

#[test]
fn resize_agrees_with_openimageio() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/resample.json")).unwrap();
    let data = include_bytes!("../../../tests/fixtures/resample.f32");
    let mut compared = [0; Filter::ALL.len()];
    for case in cases["cases"].as_array().unwrap() {
        let (source, expected) = (picture(&case["source"], data), picture(&case["expected"], data));
        let filter = filter(case);
        let axis = |from: usize, to: usize| {
            // Where nothing is scaled we copy, and the other side filters; a
            // scale that is all but 1 makes us filter too.
            let scale = if from == to { 1.0 + 1e-8 } else { to as f64 / from as f64 };
            Taps::new(filter, scale, 0.0, 0..to as u32, from as u32)
        };
        let taps = [axis(source.width, expected.width), axis(source.height, expected.height)];
        let got = source.resampled(Level::new(), &taps, false);
        // The other side's box takes whole pixels, or none.
        let Some(tolerance) = case["tolerance"].as_f64() else { continue };
        let (worst, allowed) = (difference(&got, &expected), tolerance * peak(&source));
        assert!(worst <= allowed, "{}: {worst} is more than {allowed}", case["name"]);
        compared[filter as usize] += 1;
    }
    assert_eq!(
        compared,
        Filter::ALL.iter().map(|f| 12 * usize::from(*f != Filter::Box)).collect::<Vec<_>>()[..]
    );
}

#[test]
fn framing_agrees_with_the_documented_warp_up_to_the_last_pixel() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/fdl_pixels.json")).unwrap();
    let data = include_bytes!("../../../tests/fixtures/fdl_pixels.f32");
    for case in cases["cases"].as_array().unwrap() {
        let source = picture(&case["source"], data);
        let warp = &case["warp"];
        let expected = picture(&warp["expected"], data);
        let content: Vec<u32> = numbers(&warp["content"]).iter().map(|v| *v as u32).collect();
        // The other side counts black from outside the source; we repeat the
        // edge. So the source gets a black edge wider than any filter.
        const EDGE: i64 = 64;
        let sizes = [source.width, source.height].map(|side| side + 2 * EDGE as usize);
        let edged = moved(&source, [-EDGE; 2], sizes);
        let axis = |a: usize, scale: &str, offset: &str| {
            let scale = warp["map"][scale].as_f64().unwrap();
            let offset = warp["map"][offset].as_f64().unwrap() - scale * EDGE as f64;
            let lines = content[a]..content[a + 2];
            Taps::new(filter(case), scale, offset, lines, sizes[a] as u32)
        };
        let got = edged.resampled(Level::new(), &[axis(0, "sx", "tx"), axis(1, "sy", "ty")], false);
        let at = [content[0], content[1]].map(|v| -i64::from(v));
        let got = moved(&got, at, [expected.width, expected.height]);
        let (worst, allowed) = (difference(&got, &expected), 1e-5 * peak(&expected));
        assert!(worst <= allowed, "{}: {worst} is more than {allowed}", case["name"]);
        assert!(expected.planes[0].iter().any(|v| *v != 0.0), "{}: all black", case["name"]);
    }
}

#[test]
fn crop_resize_and_paste_agree_with_the_released_imaging_package() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/fdl_pixels.json")).unwrap();
    let data = include_bytes!("../../../tests/fixtures/fdl_pixels.f32");
    for case in cases["cases"].as_array().unwrap() {
        let how = &case["crop_resize_paste"];
        let source = picture(&case["source"], data);
        let expected = picture(&how["expected"], data);
        let crop = numbers(&how["crop"]);
        let (size, at) = (numbers(&how["size"]), numbers(&how["at"]));
        let sides = [0, 1].map(|a| (crop[a + 2] - crop[a]) as usize);
        let cut = moved(&source, [crop[0], crop[1]], sides);
        let small = cut.resized(Level::new(), filter(case), [size[0] as usize, size[1] as usize]);
        let got = moved(&small, [-at[0], -at[1]], [expected.width, expected.height]);
        let (worst, allowed) = (difference(&got, &expected), 1e-5 * peak(&expected));
        assert!(worst <= allowed, "{}: {worst} is more than {allowed}", case["name"]);
    }
}
