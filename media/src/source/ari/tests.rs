//! Files made here, byte by byte. No program of ours may make ARRIRAW, so
//! nothing outside of these tests does.

use super::picture::{Family, Stored, flips};
use super::*;
use platefarm_model::clip::FrameLine;
use platefarm_model::raw::{Bayer, Packing, Rect};
use proptest::prelude::*;
use std::fmt::Write as _;

/// The bytes of one file.
pub(in crate::source) struct Fixture {
    pub(in crate::source) bytes: Vec<u8>,
}

impl Fixture {
    /// A header for `width` by `height` photosites of a camera family, and samples by row and column.
    pub(in crate::source) fn new(
        family: &str,
        [width, height]: [u32; 2],
        sample: impl Fn(u32, u32) -> u16,
    ) -> Self {
        let mut it = Self { bytes: vec![0; HEADER_BYTES] };
        it.put(0, b"ARRI\x12\x34\x56\x78");
        it.number(8, HEADER_BYTES as u32);
        it.number(0x0C, 3);
        it.number(0x14, width);
        it.number(0x18, height);
        it.put(0x29C, family.as_bytes());
        for at in [0x64, 0x68, 0x6C] {
            it.put(at, &1f32.to_le_bytes());
        }
        it.number(0x5C, 5600);
        it.number(0x74, 800);
        it.number(0x1A4, 24_000);
        it.number(0x1B0, 24_000);
        let samples: Vec<u16> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (y, x)))
            .map(|(y, x)| sample(y, x))
            .collect();
        it.bytes.extend(pack(&samples, Family::of(Some(family)).packing));
        it
    }

    pub(in crate::source) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(in crate::source) fn number(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    fn line(&mut self, at: usize, kind: u32, name: &str, place: [u16; 4]) {
        self.number(at, kind);
        self.put(at + 4, name.as_bytes());
        for (i, v) in place.into_iter().enumerate() {
            self.put(at + 36 + 2 * i, &v.to_le_bytes());
        }
    }
}

/// Samples as digits of one long number, laid down as the packing says.
pub(in crate::source) fn pack(samples: &[u16], packing: Packing) -> Vec<u8> {
    let mut samples = samples.to_vec();
    let mut digits = String::new();
    if packing == Packing::Lsb12 {
        // The last sample's digits first: a number whose lowest byte is stored first.
        for sample in samples.iter().rev() {
            write!(digits, "{sample:012b}").unwrap();
        }
        digits.insert_str(0, &"0".repeat((8 - digits.len() % 8) % 8));
        let mut bytes = octets(&digits);
        bytes.reverse();
        return bytes;
    }
    samples.resize(samples.len().next_multiple_of(8), 0);
    for pair in samples.chunks(2) {
        write!(digits, "{:012b}{:012b}", pair[1], pair[0]).unwrap();
    }
    octets(&digits)
        .chunks(4)
        .flat_map(|word| word.iter().rev().copied().collect::<Vec<_>>())
        .collect()
}

fn octets(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(8)
        .map(|o| u8::from_str_radix(std::str::from_utf8(o).unwrap(), 2).unwrap())
        .collect()
}

/// A sample that tells its place.
fn placed(y: u32, x: u32) -> u16 {
    ((y * 67 + x * 5 + 300) & 0xfff) as u16
}

fn clip_of(frames: &[Fixture]) -> (tempfile::TempDir, Box<dyn Clip>) {
    let dir = tempfile::tempdir().unwrap();
    for (i, frame) in frames.iter().enumerate() {
        std::fs::write(
            dir.path().join(format!("A001C002_180327_R1ZA.{:07}.ari", 49_275 + i)),
            &frame.bytes,
        )
        .unwrap();
    }
    let clip = crate::source::open(dir.path(), None).unwrap();
    (dir, clip)
}

/// The values that ARRI Meta Extract shows of a LF clip (camdkit's sample), in the units of the file.
#[test]
fn the_header_is_described() {
    let mut file = Fixture::new("ALEXALF", [16, 8], placed);
    file.put(4, &[0x78, 0x56, 0x34, 0x12]);
    for (at, text) in [
        (0x4F8, "B001R1ZA"),
        (0x500, "no scene name"),
        (0x510, "n.a."),
        (0x698, "B001C001_180327_R1ZA"),
        (0x2F8, "Alexa LF Plus W"),
        (0x398, "ARRI SP40 T1.8"),
        (0x174, "AZ1R"),
    ] {
        file.put(at, text.as_bytes());
    }
    for (at, value) in [
        (0x170, 2566),
        (0x178, u32::from(b'B')),
        (0x18C, 20_000),
        (0x190, 172_800),
        (0x1A0, 24_000),
        (0x1A8, 0x1336_4907),
        (0x5C, 3200),
        (0x74, 400),
        (0x374, 1),
        (0x378, 4812),
        (0x37C, 40_000),
        (0x380, 2),
        (0x384, 2667),
    ] {
        file.number(at, value);
    }
    file.put(0x64, &1.125f32.to_le_bytes());
    file.put(0x68, &0.75f32.to_le_bytes());
    file.put(0x6C, &1.5f32.to_le_bytes());
    file.put(0xC4, &2f32.to_le_bytes());
    file.put(0x2D0, &[0xcc, 0xa5, 0xb8, 0xe4, 0, 0, 0, 0x40, 0x82, 0xe3, 1, 0x62, 0, 0, 0, 0]);
    let (_dir, clip) = clip_of(&[file]);
    let info = clip.info();
    let id = &info.identity;
    assert_eq!(id.clip_name, "B001C001_180327_R1ZA");
    assert_eq!(id.reel_name.as_deref(), Some("B001R1ZA"));
    assert_eq!(
        (id.camera_letter.as_deref(), id.camera_label.as_deref()),
        (Some("B"), Some("R1ZA"))
    );
    assert_eq!(id.uuid.as_deref(), Some("e4b8a5cc-0000-4000-82e3-016200000000"));
    assert_eq!((id.scene.as_deref(), id.take.as_deref()), (Some("no scene name"), Some("n.a.")));
    assert_eq!(info.timing.start.unwrap().to_string(), "13:36:49:07");
    assert_eq!(info.timing.capture_rate.unwrap().to_string(), "24");
    assert_eq!(info.camera.model.as_deref(), Some("Alexa LF Plus W"));
    assert_eq!(info.camera.serial_number.as_deref(), Some("2566"));
    assert_eq!((info.camera.iso_speed, info.camera.white_kelvin), (Some(400.0), Some(3200.0)));
    assert_eq!(
        (info.camera.exposure_time_s, info.camera.shutter_angle_deg),
        (Some(0.02), Some(172.8))
    );
    assert_eq!((info.lens.focal_length_mm, info.lens.focus_distance_m), (Some(40.0), Some(4.812)));
    // Meta Extract says 1.4 and 7 tenths of a stop.
    assert!((info.lens.t_stop.unwrap() / (2f64.sqrt() * 2f64.powf(0.35)) - 1.0).abs() < 0.02);
    assert_eq!((info.lens.squeeze, info.picture.pixel_aspect), (Some(2.0), 2.0));
    assert_eq!(info.vendor["ari.ShutterAngle"], "172.800");
    assert_eq!(info.vendor["ari.MasterTC"], "13364907");
    let color = info.color.unwrap();
    assert_eq!(color.white_balance, [1.5, 1.0, 2.0]);
    let white: f64 = color.camera_to_aces[1].iter().sum();
    assert!((white - 0.75 * 0.18 / 0.01 * 65279.0 / 65535.0).abs() < 1e-9, "{white}");
    let codes: Vec<Code> = info.notes.iter().map(|n| n.code).collect();
    assert_eq!(codes, [Code::Unverified; 3], "{:?}", info.notes);
}

#[test]
fn a_rate_of_ntsc_and_a_lens_without_data_are_understood() {
    let mut file = Fixture::new("ALEXA", [16, 8], placed);
    file.number(0x1A4, 23_976);
    file.number(0x1B0, 29_970);
    file.number(0x1A8, 0x0100_0042);
    file.number(0x37C, u32::MAX);
    file.number(0x384, -3i32 as u32);
    let (_dir, clip) = clip_of(&[file]);
    let info = clip.info();
    assert_eq!(info.timing.rate.unwrap().to_string(), "24000/1001");
    assert_eq!(info.timing.start.unwrap().to_string(), "01:00:00;02");
    assert_eq!((info.lens.focal_length_mm, info.lens.t_stop), (None, None));
    assert_eq!(info.identity.clip_name, "A001C002_180327_R1ZA");
}

#[test]
fn samples_are_delivered_as_they_are_packed() {
    for (family, packing) in [("ALEXA", Packing::Arri12), ("A-MINI", Packing::Lsb12)] {
        let (_dir, clip) = clip_of(&[Fixture::new(family, [16, 6], placed)]);
        let frame = clip.read(0).unwrap();
        let layout = frame.layout.mosaic().unwrap();
        assert_eq!((layout.packing, layout.row_bytes), (packing, 24));
        let samples: Vec<u16> = (0..96).map(|i| placed(i / 16, i % 16)).collect();
        assert_eq!(frame.bytes, pack(&samples, packing), "{family}");
    }
}

/// Every mirroring, odd widths, and an active area at odd places: each sample lies where its colour is.
#[test]
fn mirrored_and_odd_pictures_keep_their_colours_in_place() {
    for packing in [Packing::Arri12, Packing::Lsb12] {
        for width in [16_u32, 14, 13] {
            for (bayer, mirrored) in
                [Bayer::Grbg, Bayer::Bggr].into_iter().flat_map(|b| [0, 1, 2, 12].map(|f| (b, f)))
            {
                let mirrored = flips(mirrored).unwrap();
                let active = Rect { x: 3, y: 2, width: 8, height: 3 };
                let stored = Stored { width, height: 7, active, packing, bayer, flips: mirrored };
                let samples: Vec<u16> =
                    (0..7 * width).map(|i| placed(i / width, i % width)).collect();
                let bytes = stored.deliver(pack(&samples, packing)).unwrap();
                let layout = stored.layout(levels(), [1.0; 3], platefarm_model::color::IDENTITY);
                layout.check(bytes.len()).unwrap();
                let at = |y: u32, x: u32| match layout.packing {
                    Packing::U16Le => {
                        let i = y as usize * layout.row_bytes + 2 * x as usize;
                        u16::from_le_bytes([bytes[i], bytes[i + 1]])
                    }
                    // Rows of whole words: unpacked as a picture of one row.
                    kept => {
                        let row = bytes[y as usize * layout.row_bytes..].to_vec();
                        let one = Stored {
                            height: 1,
                            packing: kept,
                            flips: [true, false],
                            ..stored.clone()
                        };
                        let words = one.deliver(row).unwrap();
                        let i = 2 * (width - 1 - x) as usize;
                        u16::from_le_bytes([words[i], words[i + 1]])
                    }
                };
                for (y, x) in (0..3).flat_map(|y| (0..8).map(move |x| (y, x))) {
                    let (ay, ax) = (layout.active.y + y, layout.active.x + x);
                    let sy = if mirrored[1] { 6 - ay } else { ay };
                    let sx = if mirrored[0] { width - 1 - ax } else { ax };
                    assert_eq!(
                        at(ay, ax),
                        placed(sy, sx),
                        "{packing:?} {width} {mirrored:?} {y},{x}"
                    );
                    assert_eq!(
                        layout.bayer.color(y, x),
                        bayer.color(sy, sx),
                        "{mirrored:?} {y},{x}"
                    );
                    assert!((2..5).contains(&sy) && (3..11).contains(&sx));
                }
            }
        }
    }
}

#[test]
fn frame_lines_that_are_on_are_kept() {
    let mut file = Fixture::new("ALEXA", [64, 36], placed);
    file.line(0x890, 1, "ARRI 2.39:1", [0, 4, 64, 27]);
    file.line(0x8C0, 0, "off", [1, 1, 1, 1]);
    file.line(0x920, 2, "", [8, 9, 48, 20]);
    file.line(0x980, 2, "no size", [8, 9, 0, 20]);
    let (_dir, clip) = clip_of(&[file]);
    let line = |label: &str, [left, top, width, height]: [f64; 4]| FrameLine {
        label: label.into(),
        left,
        top,
        width,
        height,
    };
    assert_eq!(
        clip.info().frame_lines,
        [
            line("ARRI 2.39:1", [0.0, 4.0, 64.0, 27.0]),
            line("Frame line 2A", [8.0, 9.0, 48.0, 20.0])
        ]
    );
    assert_eq!(clip.info().notes.last().unwrap().code, Code::Unverified);
}

/// RFC 3720, B.4: the check value of CRC-32C.
#[test]
fn the_checksum_is_crc_32c() {
    assert_eq!(CHECKSUM.checksum(b"123456789"), 0xe306_9283);
}

#[test]
fn a_frame_whose_checksum_fails_is_refused_when_others_hold() {
    let frames = |sum: fn(u32) -> u32| -> Vec<Fixture> {
        (0..3)
            .map(|_| {
                let mut file = Fixture::new("ALEXA", [16, 8], placed);
                let found = CHECKSUM.checksum(&file.bytes[HEADER_BYTES..]);
                file.number(0x134, sum(found));
                file
            })
            .collect()
    };
    let mut damaged = frames(|sum| sum);
    damaged[1].bytes[HEADER_BYTES + 7] ^= 4;
    let (_dir, clip) = clip_of(&damaged);
    assert_eq!(clip.read(1).unwrap_err().code, Code::HashMismatch);
    assert!(clip.read(0).is_ok() && clip.read(2).is_ok());
    // Numbers that hold for no frame are no such checksums.
    let (_dir, clip) = clip_of(&frames(|sum| !sum));
    assert!((0..3).all(|i| clip.read(i).is_ok()));
}

#[test]
fn what_is_no_clip_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        crate::source::open(&path, None).map(|_| ()).unwrap_err()
    };
    let hde = write("A.0000001.arx", &[0; 5000]);
    assert_eq!(hde.code, Code::NoDecoder);
    assert!(hde.message.contains("HDE") && hde.remedy_text().contains("art-cmd"));
    let sound = Fixture::new("ALEXA", [16, 8], placed).bytes;
    let wrong = |changes: &[(usize, u32)]| {
        let mut bytes = sound.clone();
        for (at, value) in changes {
            bytes[*at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        write("B.0000001.ari", &bytes)
    };
    for (changes, code, place) in [
        (&[(4, 0x1234_0000)][..], Code::UnknownFormat, "offset 0"),
        (&[(8, 0)], Code::BadStructure, "HeaderSize"),
        (&[(8, u32::MAX)], Code::BadStructure, "HeaderSize"),
        (&[(0x14, 0)], Code::BadStructure, "ImageWidth"),
        (&[(0x18, u32::MAX)], Code::TooLarge, "ImageWidth"),
        (&[(0x24, 9), (0x2C, 8), (0x30, 8)], Code::BadStructure, "ActiveImageLeft"),
    ] {
        let fault = wrong(changes);
        assert_eq!(fault.code, code, "{fault}");
        let told = fault.place.clone().unwrap_or_default();
        assert!(told.contains("B.0000001.ari") && told.contains(place), "{fault}");
    }
}

#[test]
fn frames_of_another_kind_do_not_stand_in_the_clip() {
    let mut other = Fixture::new("ALEXA", [16, 10], placed);
    other.number(0x1A8, 0x0000_0001);
    let (_dir, clip) = clip_of(&[Fixture::new("ALEXA", [16, 8], placed), other]);
    assert_eq!(clip.read(1).unwrap_err().code, Code::MixedClip);
    assert!(clip.info().notes.iter().any(|n| n.code == Code::MixedClip));
    assert_eq!(clip.read(2).unwrap_err().code, Code::FrameOutsideClip);
}

/// Opening and reading, whatever the bytes are.
fn survives(bytes: &[u8], dir: &Path) {
    let path = dir.join("A.0000001.ari");
    std::fs::write(&path, bytes).unwrap();
    if let Ok(clip) = crate::source::open(&path, None) {
        let _ = clip.read(0);
    }
}

#[test]
fn every_prefix_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = Fixture::new("A-MINI", [8, 4], placed).bytes;
    for len in (0..0x160).chain((0x160..bytes.len()).step_by(7)) {
        survives(&bytes[..len], dir.path());
    }
    let path = dir.path().join("A.0000001.ari");
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let fault = crate::source::open(&path, None).unwrap().read(0).unwrap_err();
    assert_eq!(fault.code, Code::TruncatedFile);
    assert!(fault.place.unwrap().contains("4096"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_header_is_survived(changes in prop::collection::vec((0usize..0xA00, any::<u8>()), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = Fixture::new("ALEXA", [16, 8], placed).bytes;
        for (at, value) in changes {
            if at >= 8 {
                bytes[at] = value;
            }
        }
        survives(&bytes, dir.path());
    }
}

/// Family, size, CRC-32 of the file, and CRC-32 of the samples that rawler 0.8.0 read out of it, as
/// little-endian words (`media/tests/oracles/ari_rawler.rs`).
const RAWLER: [(&str, [u32; 2], u32, u32); 4] = [
    ("ALEXA", [64, 32], 2_770_056_811, 607_897_771),
    ("ALEXALF", [64, 32], 2_327_972_540, 607_897_771),
    ("ALEXA65", [64, 32], 1_722_704_243, 607_897_771),
    ("A-MINI", [64, 32], 1_874_281_757, 1_874_648_575),
];

/// The checksums are of this very file. Of the classic packing rawler leaves pairs swapped.
#[test]
fn another_decoder_reads_the_same_samples() {
    let crc = Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    for (family, size, file_sum, samples_sum) in RAWLER {
        let file = Fixture::new(family, size, placed);
        assert_eq!(crc.checksum(&file.bytes), file_sum, "{family}: the file that rawler read");
        let [width, height] = size;
        let classic = Family::of(Some(family)).packing == Packing::Arri12;
        let samples: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| placed(y, if classic { x ^ 1 } else { x })))
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(crc.checksum(&samples), samples_sum, "{family}: what rawler made of it");
    }
}
