//! Plates by others' word: OpenEXR's own `exrheader` reads what we write. The
//! tool is part of what the tests need (Debian: openexr), not an option.

use platefarm_media::delivered;
use platefarm_media::sink::exr::{
    DecodeRecord, PIXELS_HASH, Planes, PlateHeader, RENDERED_HASH, encode, pixels_xxh128, read,
    write,
};
use platefarm_model::recipe::{ColorFile, Compression, OutputColor};
use platefarm_model::{Code, FrameRate, Timecode};
use std::path::Path;
use std::process::Command;

/// Half bits with gradients, noise, negatives, infinities and every kind of NaN.
fn planes(width: u32, height: u32) -> [Vec<u16>; 3] {
    let area = width * height;
    let plane = |seed: u32| {
        (0..area)
            .map(|i| match i % 7 {
                0 => (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 16) as u16,
                _ => 0x3000 + ((i % width) * 3 + i / width + seed) as u16 % 0x800,
            })
            .collect()
    };
    [plane(1), plane(2), plane(3)]
}

fn header() -> PlateHeader {
    let rate = FrameRate::new(24000, 1001).unwrap();
    PlateHeader {
        color: OutputColor::default(),
        display_size: None,
        data_origin: [0, 0],
        pixel_aspect: Some(1.0),
        timecode: Some(Timecode::parse("01:02:03:04", rate).unwrap()),
        rate: Some(rate),
        reel_name: Some("A001R2EC".into()),
        camera_make: Some("Mäker".into()),
        camera_model: Some("Model 1".into()),
        camera_label: Some("A".into()),
        camera_serial_number: Some("12345".into()),
        image_counter: Some(1001),
        iso_speed: Some(800.0),
        exposure_time_s: Some(1.0 / 48.0),
        t_stop: Some(2.8),
        white_kelvin: Some(5600.0),
        original_data_window: Some([-8, -6, 1127, 745]),
        fdl_json: Some(r#"{"uuid":"x"}"#.into()),
        owner: None,
        comments: Some(String::new()),
        decode: Some(DecodeRecord {
            debayer: "mhc".into(),
            debayer_version: 1,
            white_balance: [2.651, 1.0, 1.389],
            backend: "cpu".into(),
            source_file: "A001_C001_000000.dng".into(),
            source_frame: 3,
        }),
        standard: std::collections::BTreeMap::default(),
        more: [("filter".to_owned(), "lanczos3".to_owned())].into(),
    }
}

fn view(rgb: &[Vec<u16>; 3], width: u32, height: u32) -> Planes<'_> {
    Planes { width, height, rgb: [&rgb[0], &rgb[1], &rgb[2]], alpha: None }
}

fn exrheader(path: &Path) -> String {
    let out = Command::new("exrheader").arg(path).output();
    let out = out.expect("exrheader is needed by this test: apt-get install openexr");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    text
}

#[test]
fn openexr_reads_what_vfx_needs() {
    let rgb = planes(61, 45);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.1001.exr");
    write(&path, view(&rgb, 61, 45), &header(), Compression::Zip).unwrap();
    let text = exrheader(&path);
    let hash = pixels_xxh128([&rgb[0], &rgb[1], &rgb[2]], None);
    for expected in [
        "time 01:02:03:04",
        "framesPerSecond (type rational): 24000/1001",
        "reelName (type string): \"A001R2EC\"",
        "cameraMake (type string): \"Mäker\"",
        "cameraModel (type string): \"Model 1\"",
        "cameraLabel (type string): \"A\"",
        "cameraSerialNumber (type string): \"12345\"",
        "imageCounter (type int): 1001",
        "isoSpeed (type float): 800",
        "expTime (type float): 0.0208333",
        "tStop (type float): 2.8",
        "cameraCCTSetting (type float): 5600",
        "originalDataWindow (type box2i): (-8 -6) - (1127 745)",
        "adoptedNeutral (type v2f): (0.32168 0.33767)",
        "ascFramingDecisionList (type string): \"{\"uuid\":\"x\"}\"",
        "colorInteropID (type string): \"lin_ap0_scene\"",
        "red   (0.7347 0.2653)",
        "green (0 1)",
        "blue  (0.0001 -0.077)",
        "white (0.32168 0.33767)",
        "dataWindow (type box2i): (0 0) - (60 44)",
        "displayWindow (type box2i): (0 0) - (60 44)",
        "compression (type compression): zip, multi-scanline blocks",
        "B, 16-bit floating-point",
        "G, 16-bit floating-point",
        "R, 16-bit floating-point",
        "lineOrder (type lineOrder): increasing y",
        "platefarm:debayer (type string): \"mhc\"",
        "platefarm:debayerVersion (type int): 1",
        "platefarm:whiteBalance (type v3f): (2.651 1 1.389)",
        "platefarm:backend (type string): \"cpu\"",
        "platefarm:sourceFile (type string): \"A001_C001_000000.dng\"",
        "platefarm:sourceFrame (type int): 3",
        "platefarm:filter (type string): \"lanczos3\"",
        "platefarm:version (type string)",
        &format!("{PIXELS_HASH} (type string): \"{hash}\""),
    ] {
        assert!(text.contains(expected), "'{expected}' is not in:\n{text}");
    }
    for absent in ["owner", "comments", "acesImageContainerFlag"] {
        assert!(!text.contains(absent), "'{absent}' is in:\n{text}");
    }
}

/// A receiver tells black, broken and repeated frames by the header alone.
#[test]
fn headers_say_what_the_pixels_come_to() {
    // 0.5, 2, -1, infinity and a NaN as IEEE 754 writes them in 16 bits.
    let (half, two, minus, infinite, none) = (0x3800, 0x4000, 0xbc00, 0x7c00, 0xfe01);
    let rgb = [vec![half, two, half], vec![minus, infinite, half], vec![0, none, 0x8000]];
    let dir = tempfile::tempdir().unwrap();
    for compression in Compression::ALL {
        let path = dir.path().join(format!("{}.exr", compression.name()));
        write(&path, view(&rgb, 3, 1), &header(), *compression).unwrap();
        let text = exrheader(&path);
        let hash = pixels_xxh128([&rgb[0], &rgb[1], &rgb[2]], None);
        let lossy = compression.lossy_level().is_some();
        let [named, other] =
            if lossy { [RENDERED_HASH, PIXELS_HASH] } else { [PIXELS_HASH, RENDERED_HASH] };
        assert!(text.contains(&format!("{named} (type string): \"{hash}\"")), "{text}");
        assert!(!text.contains(other), "{text}");
        assert!(text.contains("platefarm:pixelsMin (type v3f): (0.5 -1 -0)"), "{text}");
        assert!(text.contains("platefarm:pixelsMax (type v3f): (2 0.5 0)"), "{text}");
        assert!(text.contains("platefarm:pixelsNonFinite (type int): 2"), "{text}");
        let found = delivered::read(&path, !lossy).unwrap();
        let claimed = found.claimed.unwrap();
        assert_eq!((claimed.min, claimed.max), ([0.5, -1.0, 0.0], [2.0, 0.5, 0.0]));
        assert_eq!(found.pixels.map(|pixels| pixels.measured), (!lossy).then_some(claimed));
    }
    // Where a channel has no number at all there is no range.
    let path = dir.path().join("none.exr");
    let rgb = [vec![none; 4], vec![half; 4], vec![half; 4]];
    write(&path, view(&rgb, 2, 2), &header(), Compression::Zip).unwrap();
    let text = exrheader(&path);
    assert!(text.contains("platefarm:pixelsNonFinite (type int): 4"), "{text}");
    assert!(!text.contains("platefarm:pixelsMin"), "{text}");
}

#[test]
fn pixels_and_header_come_back_in_every_lossless_compression() {
    for (width, height) in [(61, 45), (1, 1), (7, 33), (300, 16)] {
        let rgb = planes(width, height);
        for compression in Compression::ALL.iter().filter(|c| c.lossy_level().is_none()) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.exr");
            let written = write(&path, view(&rgb, width, height), &header(), *compression).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(written.bytes, bytes.len() as u64);
            assert_eq!(written.xxh128, platefarm_media::hash::xxh128(&bytes));
            exrheader(&path);
            let plate = read(&path).unwrap();
            assert!(plate.rgb == rgb, "{width}x{height} {compression:?}");
            assert_eq!((plate.width, plate.height), (width, height));
            assert_eq!(plate.compression, *compression);
            assert_eq!(plate.header, PlateHeader { comments: None, ..header() });
            assert!(plate.pixels_xxh128.is_some());
        }
    }
}

#[test]
fn windows_need_not_be_equal() {
    let rgb = planes(10, 6);
    let placed = PlateHeader { display_size: Some([40, 30]), data_origin: [15, 12], ..header() };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    write(&path, view(&rgb, 10, 6), &placed, Compression::Piz).unwrap();
    let text = exrheader(&path);
    assert!(text.contains("dataWindow (type box2i): (15 12) - (24 17)"), "{text}");
    assert!(text.contains("displayWindow (type box2i): (0 0) - (39 29)"), "{text}");
    let plate = read(&path).unwrap();
    assert!(plate.rgb == rgb);
    assert_eq!((plate.header.display_size, plate.header.data_origin), (Some([40, 30]), [15, 12]));
}

/// Hash maps of the standard library differ from run to run and from map to map: equal bytes from
/// many maps and pools of any size show that nothing of that is left.
#[test]
fn equal_input_gives_equal_bytes() {
    let rgb = planes(200, 150);
    for compression in Compression::ALL {
        let first = encode(view(&rgb, 200, 150), &header(), *compression).unwrap();
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let again = pool.install(|| encode(view(&rgb, 200, 150), &header(), *compression));
            assert!(again.unwrap() == first, "{compression:?} on {threads} threads");
        }
    }
}

#[test]
fn high_rates_count_pairs_in_the_timecode() {
    let rate = FrameRate::new(48, 1).unwrap();
    let fast = PlateHeader {
        timecode: Some(Timecode::parse("10:00:00:47", rate).unwrap()),
        rate: Some(rate),
        ..PlateHeader::default()
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    write(&path, view(&planes(4, 4), 4, 4), &fast, Compression::Zip).unwrap();
    assert!(exrheader(&path).contains("time 10:00:00:23"));
    assert_eq!(read(&path).unwrap().header.timecode, fast.timecode);
}

#[test]
fn changed_pixels_are_found() {
    let rgb = planes(16, 16);
    let bytes = encode(view(&rgb, 16, 16), &header(), Compression::None).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &changed).unwrap();
    let fault = read(&path).unwrap_err();
    assert_eq!(fault.code, Code::HashMismatch);
    assert!(fault.place.unwrap().contains("a.exr"));
    for length in (0..bytes.len()).step_by(61) {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(read(&path).is_err(), "{length} bytes");
    }
    assert_eq!(read(&dir.path().join("b.exr")).unwrap_err().code, Code::FileNotFound);
}

#[test]
fn planes_of_the_wrong_size_are_refused() {
    let rgb = planes(4, 4);
    assert_eq!(
        encode(view(&rgb, 4, 5), &header(), Compression::Zip).unwrap_err().code,
        Code::Internal
    );
    assert!(encode(view(&rgb, 0, 0), &header(), Compression::Zip).is_err());
}

/// A file of OpenEXR's own making, by another hand: the noise-free truth of the motion clip.
#[test]
fn plates_of_others_are_read() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../testclips/clips/beachball-truth/000000.exr");
    let plate = read(&path).unwrap();
    assert_eq!(plate.pixels_xxh128, None);
    assert_eq!(plate.compression, Compression::Piz);
    assert_eq!(plate.rgb[0].len() as u32, plate.width * plate.height);
}

/// What a file made for a display says that, and no primaries.
#[test]
fn codes_that_a_file_made_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("view.exr");
    let planes = planes(8, 4);
    let [r, g, b] = &planes;
    let file = ColorFile { path: "/shows/a/show.cube".into(), sha256: String::new(), id: None };
    let header = PlateHeader { color: OutputColor::by_file(file), ..header() };
    let picture = Planes { width: 8, height: 4, rgb: [r, g, b], alpha: None };
    write(&path, picture, &header, Compression::None).unwrap();
    let back = read(&path).unwrap().header.color;
    assert_eq!((back.name(), back.is_aces()), ("show.cube", false));
    let headers = exr::meta::MetaData::read_from_file(&path, false).unwrap().headers;
    assert_eq!(headers[0].shared_attributes.chromaticities, None);
    let clip = platefarm_media::open(&path, None).unwrap();
    assert_eq!(clip.check_color().unwrap_err().code, Code::NoInputTransform);
}

/// What a display is fed is not taken for light when it comes back.
#[test]
fn codes_of_a_display_say_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let planes = planes(8, 4);
    for (name, id, white, linear) in [
        ("ACEScg", Some("lin_ap1_scene"), [0.32168, 0.33767], true),
        ("ACEScct", Some("ocio:acescct_ap1_scene"), [0.32168, 0.33767], false),
        (
            "Rec709-D65_100nit_in_Rec709-D65_BT1886",
            Some("g24_rec709_display"),
            [0.3127, 0.3290],
            false,
        ),
        ("ACES 1.3 cinema DCDM", None, [1.0 / 3.0, 1.0 / 3.0], false),
    ] {
        let color = OutputColor::named(name).unwrap();
        let path = dir.path().join(format!("{}.exr", color.name().replace('/', "_")));
        let header = PlateHeader { color: color.clone(), ..header() };
        let [r, g, b] = &planes;
        let picture = Planes { width: 8, height: 4, rgb: [r, g, b], alpha: None };
        write(&path, picture, &header, Compression::None).unwrap();
        assert_eq!(read(&path).unwrap().header.color, color);
        let clip = platefarm_media::open(&path, None).unwrap();
        let vendor = &clip.info().vendor;
        assert_eq!(vendor.get("exr.colorInteropID").map(String::as_str), id, "{vendor:?}");
        let chromaticities = exr::meta::MetaData::read_from_file(&path, false).unwrap().headers[0]
            .shared_attributes
            .chromaticities
            .unwrap();
        assert!((chromaticities.white.x() - white[0] as f32).abs() < 1e-6, "{name}");
        // SMPTE ST 2065-4 is ACES2065-1 alone.
        assert!(!vendor.contains_key("exr.acesImageContainerFlag"), "{name}");
        match clip.check_color() {
            Ok(()) => assert!(linear, "{name}"),
            Err(fault) => {
                assert_eq!((fault.code, linear), (Code::NoInputTransform, false), "{name}");
                assert!(fault.message.contains(color.name()), "{fault}");
            }
        }
    }
}
