//! The blocks that we pack, by others' word: OpenEXR's own code unpacks every
//! compression here, and makes the lossy ones of the same picture beside ours.

use exr::prelude::{FlatSamples, read_first_flat_layer_from_file};
use half::f16;
use platefarm_media::sink::exr::{Planes, PlateHeader, Search, encode, encode_with, read, write};
use platefarm_model::Code;
use platefarm_model::recipe::Compression;
use std::path::Path;
use std::process::Command;

/// A picture: width, height, the planes red, green, blue, and alpha.
struct Picture {
    size: [u32; 2],
    rgb: [Vec<u16>; 3],
    alpha: Option<Vec<u16>>,
}

impl Picture {
    fn new(size: [u32; 2], value: impl Fn(u32, u32, u32) -> u16) -> Self {
        let plane = |channel| {
            (0..size[0] * size[1]).map(|i| value(channel, i % size[0], i / size[0])).collect()
        };
        Self { size, rgb: [plane(0), plane(1), plane(2)], alpha: None }
    }

    fn with_alpha(mut self) -> Self {
        let [width, height] = self.size;
        let inside = |i: u32| (i % width > 3 && i / width > 2) || i.is_multiple_of(97);
        let value = |i| if inside(i) { f16::ONE } else { f16::from_f32(i as f32 / 1e4) };
        self.alpha = Some((0..width * height).map(|i| value(i).to_bits()).collect());
        self
    }

    fn planes(&self) -> Planes<'_> {
        let [r, g, b] = &self.rgb;
        let [width, height] = self.size;
        Planes { width, height, rgb: [r, g, b], alpha: self.alpha.as_deref() }
    }

    /// In the order of the file.
    fn channels(&self) -> Vec<&[u16]> {
        let alpha = self.alpha.as_deref();
        alpha.into_iter().chain(self.rgb.iter().rev().map(Vec::as_slice)).collect()
    }
}

fn hash(value: u32) -> u32 {
    let mixed = (value ^ (value >> 16)).wrapping_mul(0x7feb_352d);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x846c_a68b);
    mixed ^ (mixed >> 16)
}

/// Every bit random: infinities and NaN, and as many values as there are pixels.
fn noise(size: [u32; 2]) -> Picture {
    Picture::new(size, |c, x, y| hash(x * 7919 + y * 104_729 + c) as u16)
}

/// What a camera makes: gradients, grain, an edge, a highlight, a little below zero.
fn scene(size: [u32; 2]) -> Picture {
    Picture::new(size, |c, x, y| {
        let grain = (hash(x + y * 4096 + c * 77_777) % 1000) as f32 / 1e4 - 0.05;
        let light = 0.02 + (x as f32 * 0.01 + c as f32).sin().abs() * (y as f32 + 1.0) / 99.0;
        let edge = if (x / 31 + y / 17).is_multiple_of(2) { 1.0 } else { 0.2 };
        let lamp = if x % 80 < 6 && y % 50 < 5 { 37.0 } else { 1.0 };
        f16::from_f32(light * edge * lamp * (1.0 + grain) - 0.003).to_bits()
    })
}

fn flat(size: [u32; 2], value: u16) -> Picture {
    Picture::new(size, |_, _, _| value)
}

/// What OpenEXR finds in a file: it makes a tiled one of it, packed as `packing` says.
fn through_openexr(path: &Path, packing: &str) -> Vec<Vec<u16>> {
    let tiled = path.with_extension("tiled.exr");
    let made = Command::new("exrmaketiled").args(["-z", packing]).arg(path).arg(&tiled).status();
    assert!(made.expect("exrmaketiled is needed by this test: apt-get install openexr").success());
    let image = read_first_flat_layer_from_file(&tiled).unwrap();
    let channels = image.layer_data.channel_data.list.into_iter();
    channels
        .map(|channel| match channel.sample_data {
            FlatSamples::F16(values) => values.iter().map(|v| v.to_bits()).collect(),
            _ => panic!("{} is not half", channel.name),
        })
        .collect()
}

/// Sizes that leave rows, columns and squares over; values that use each way through the packers:
/// few values and more than 2^14, runs, blocks that do not get smaller, and no value but zero.
fn pictures() -> Vec<Picture> {
    vec![
        noise([64, 40]),
        noise([251, 130]).with_alpha(),
        scene([300, 75]),
        scene([129, 300]).with_alpha(),
        scene([1, 33]),
        scene([37, 1]),
        scene([1, 1]).with_alpha(),
        flat([400, 64], 0),
        flat([513, 35], 0x3c00),
        flat([7, 9], 0x8000),
    ]
}

#[test]
fn openexr_unpacks_what_we_pack() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    for picture in pictures() {
        for compression in Compression::ALL.iter().filter(|c| c.lossy_level().is_none()) {
            write(&path, picture.planes(), &PlateHeader::default(), *compression).unwrap();
            let what = format!("{:?} {compression:?}", picture.size);
            assert!(through_openexr(&path, "none") == picture.channels(), "{what}");
            let plate = read(&path).unwrap();
            assert!(plate.rgb == picture.rgb && plate.alpha == picture.alpha, "{what}");
        }
    }
}

/// Root of the mean square of differences, where both are finite, over OpenEXR's own curve of
/// brightness above and below 1; and the largest.
fn distance(a: &[u16], b: &[u16]) -> [f64; 2] {
    let curve = |bits: u16| {
        let value = f16::from_bits(bits).to_f64();
        let bent = if value.abs() <= 1.0 {
            value.abs().powf(1.0 / 2.2)
        } else {
            1.0 + value.abs().ln() / 2.2
        };
        bent.copysign(value)
    };
    let finite = |bits: u16| bits & 0x7c00 != 0x7c00;
    let pairs = a.iter().zip(b).filter(|(a, b)| finite(**a) && finite(**b));
    let squares: Vec<f64> = pairs.map(|(a, b)| (curve(*a) - curve(*b)).powi(2)).collect();
    let largest = squares.iter().copied().fold(0.0, f64::max);
    [(squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt(), largest.sqrt()]
}

/// OpenEXR reads our lossy blocks, and what it finds is as near to the picture as what it makes
/// itself at the same level. Alpha loses nothing.
#[test]
fn lossy_blocks_lose_no_more_than_those_of_openexr() {
    let dir = tempfile::tempdir().unwrap();
    let (path, whole) = (dir.path().join("a.exr"), dir.path().join("b.exr"));
    for picture in pictures().into_iter().skip(2) {
        write(&whole, picture.planes(), &PlateHeader::default(), Compression::None).unwrap();
        let peer = through_openexr(&whole, "dwaa");
        for compression in [Compression::Dwaa, Compression::Dwab] {
            let what = format!("{:?} {compression:?}", picture.size);
            write(&path, picture.planes(), &PlateHeader::default(), compression).unwrap();
            let ours = through_openexr(&path, "none");
            let plate = read(&path).unwrap();
            assert_eq!((plate.compression, plate.pixels_xxh128), (compression, None));
            assert_eq!(plate.alpha, picture.alpha, "{what}");
            let channels = picture.channels().into_iter().zip(ours).zip(&peer);
            for (i, ((truth, ours), peer)) in channels.enumerate() {
                if picture.alpha.is_some() && i == 0 {
                    assert!(ours == truth, "alpha of {what}");
                    continue;
                }
                let ([ours, ours_most], [peer, peer_most]) =
                    (distance(truth, &ours), distance(truth, peer));
                assert!(ours <= 1.1 * peer + 2e-4, "{what} {i}: {ours}, OpenEXR {peer}");
                assert!(
                    ours_most <= 1.5 * peer_most + 1e-3,
                    "{what} {i}: {ours_most}, OpenEXR {peer_most}"
                );
                // A picture that is not there at all would be as far away as it is bright.
                let absent = distance(truth, &vec![0; truth.len()])[0];
                assert!(ours < 0.05 * absent + 1e-4, "{what} {i}: {ours} of {absent}");
            }
        }
    }
}

/// The largest value beside black, as light that was infinite has it: what is lost makes no infinity of it again.
#[test]
fn lossy_blocks_of_finite_values_are_finite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    let most = f16::MAX.to_bits();
    let sparks = Picture::new([200, 90], |c, x, y| match hash(x * 7919 + y * 104_729 + c) % 4 {
        0 => most,
        1 => most | 0x8000,
        _ => 0,
    });
    for compression in [Compression::Dwaa, Compression::Dwab] {
        write(&path, sparks.planes(), &PlateHeader::default(), compression).unwrap();
        for values in through_openexr(&path, "none").iter().chain(&read(&path).unwrap().rgb) {
            assert!(values.iter().all(|bits| f16::from_bits(*bits).is_finite()), "{compression:?}");
            let brightest = values.iter().map(|bits| f16::from_bits(*bits).to_f32());
            assert!(brightest.fold(0.0, f32::max) > 55_000.0);
        }
    }
}

#[test]
fn a_lossy_plate_says_so_and_how_much() {
    let bytes =
        encode(scene([40, 40]).planes(), &PlateHeader::default(), Compression::Dwab).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("dwaCompressionLevel") && has("platefarm:lossyLevel"));
    assert!(!has("platefarm:pixelsXXH128"), "a hash that the pixels of the file do not have");
}

/// Deeper levels of deflate give smaller files with the same pixels.
#[test]
fn the_level_of_deflate_is_for_the_size_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    let picture = scene([300, 200]);
    let sizes = [1, 4, 9].map(|level| {
        let search = Search::Level(level);
        let bytes =
            encode_with(picture.planes(), &PlateHeader::default(), Compression::Zip, search)
                .unwrap();
        std::fs::write(&path, &bytes).unwrap();
        assert!(read(&path).unwrap().rgb == picture.rgb);
        bytes.len()
    });
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
}

/// Grain needs no search, and is smaller without one than with OpenEXR's; a chart, which
/// says the same again and again, gets one.
#[test]
fn repetitions_are_searched_where_there_are_any() {
    let chart = Picture::new([640, 400], |c, x, y| {
        f16::from_f32(hash(x % 23 + c + y / 40 * 100) as f32 / 4e9 + 0.01).to_bits()
    });
    let grain = Picture::new([640, 400], |c, x, y| {
        let grain = (hash(x + y * 4096 + c * 77_777) % 1000) as f32 / 1e4 - 0.05;
        f16::from_f32((0.2 + (x as f32 * 0.005).sin().abs()) * (1.0 + grain)).to_bits()
    });
    for compression in [Compression::Zip, Compression::Zips] {
        let size = |picture: &Picture, search| {
            let header = PlateHeader::default();
            encode_with(picture.planes(), &header, compression, search).unwrap().len()
        };
        let sizes =
            |picture| [Search::Auto, Search::None, Search::Level(1)].map(|s| size(picture, s));
        let [auto, without, with] = sizes(&chart);
        assert!(auto == with && with < without, "{compression:?}: {auto} {without} {with}");
        let [auto, without, with] = sizes(&grain);
        assert!(auto == without && without < with, "{compression:?}: {auto} {without} {with}");
        assert!(auto < size(&grain, Search::Level(4)), "{compression:?}");
    }
}

/// SMPTE ST 2065-4 is for uncompressed files; OpenEXR's header dump is the witness.
#[test]
fn the_container_flag_is_on_uncompressed_plates_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    for picture in [scene([50, 20]), scene([50, 20]).with_alpha()] {
        for compression in Compression::ALL {
            write(&path, picture.planes(), &PlateHeader::default(), *compression).unwrap();
            let out = Command::new("exrheader").arg(&path).output().unwrap();
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            let none = *compression == Compression::None;
            assert_eq!(text.contains("acesImageContainerFlag (type int): 1\n"), none, "{text}");
            if !none {
                continue;
            }
            for required in [
                "file format version: 2, flags 0x0",
                "compression (type compression): none",
                "B, 16-bit floating-point, sampling 1 1",
                "G, 16-bit floating-point, sampling 1 1",
                "R, 16-bit floating-point, sampling 1 1",
                "white (0.32168 0.33767)",
                "lineOrder (type lineOrder): increasing y",
                "pixelAspectRatio (type float): 1",
                "screenWindowCenter (type v2f): (0 0)",
                "screenWindowWidth (type float): 1",
                "dataWindow (type box2i): (0 0) - (49 19)",
                "displayWindow (type box2i): (0 0) - (49 19)",
            ] {
                assert!(text.contains(required), "'{required}' is not in:\n{text}");
            }
        }
    }
}

#[test]
fn a_plane_of_another_size_is_refused() {
    let mut picture = scene([8, 8]).with_alpha();
    picture.alpha.as_mut().unwrap().pop();
    let fault = encode(picture.planes(), &PlateHeader::default(), Compression::Zip).unwrap_err();
    assert_eq!(fault.code, Code::Internal);
}
