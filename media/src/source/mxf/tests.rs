//! Files made here, byte by byte: ARRIRAW is never made by a program of ours, so
//! no writer of it exists outside of these tests.

use super::*;
use crate::source::ari::tests::{Fixture, pack};
use platefarm_model::FrameRate;
use proptest::prelude::*;

/// What kind of file to make.
#[derive(Clone, Debug)]
struct Made {
    /// Last eight bytes of the coding label.
    coding: [u8; 8],
    /// Whether pictures begin with ARRI's header.
    headed: bool,
    index: Index,
    random_index: bool,
    /// Sound and a system item in each content package.
    others: bool,
    /// Frames of each body partition.
    partitions: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Index {
    None,
    Constant,
    Variable,
    Wrong,
}

const WIDTH: u32 = 16;
const HEIGHT: u32 = 8;
const PACKED: [u8; 8] = [4, 1, 2, 1, 2, 1, 1, 1];

impl Default for Made {
    fn default() -> Self {
        Self {
            coding: PACKED,
            headed: true,
            index: Index::Constant,
            random_index: true,
            others: true,
            partitions: vec![2, 3],
        }
    }
}

fn label(middle: [u8; 4], end: [u8; 8]) -> Label {
    let mut label = [0; 16];
    label[..4].copy_from_slice(&SMPTE);
    label[4..8].copy_from_slice(&middle);
    label[8..].copy_from_slice(&end);
    label
}

fn klv(key: Label, value: &[u8]) -> Vec<u8> {
    let mut out = key.to_vec();
    out.push(0x83);
    out.extend(&(value.len() as u32).to_be_bytes()[1..]);
    out.extend(value);
    out
}

fn sample(frame: u32, y: u32, x: u32) -> u16 {
    ((frame * 1000 + y * 67 + x * 5) & 0xfff) as u16
}

fn samples(frame: u32) -> Vec<u16> {
    (0..WIDTH * HEIGHT).map(|i| sample(frame, i / WIDTH, i % WIDTH)).collect()
}

/// An id that sets refer to each other by.
fn id(n: u8) -> Label {
    [n; 16]
}

fn set(kind: u8, n: u8, properties: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut value = Vec::new();
    let own = (0x3C0A, id(n).to_vec());
    for (tag, bytes) in [own].iter().chain(properties) {
        value.extend(tag.to_be_bytes());
        value.extend((bytes.len() as u16).to_be_bytes());
        value.extend(bytes);
    }
    klv(label([2, 0x53, 1, 1], [0x0D, 1, 1, 1, 1, 1, kind, 0]), &value)
}

fn refs(ids: &[u8]) -> Vec<u8> {
    let mut out = (ids.len() as u32).to_be_bytes().to_vec();
    out.extend(16u32.to_be_bytes());
    ids.iter().for_each(|n| out.extend(id(*n)));
    out
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

impl Made {
    fn picture(&self, frame: u32) -> Vec<u8> {
        if self.headed {
            let mut file = Fixture::new("A-MINI", [WIDTH, HEIGHT], |y, x| sample(frame, y, x));
            file.number(0x1A8, 0x1000_0000 + frame);
            file.put(0x698, b"M001C001");
            file.bytes
        } else {
            let reverse = self.coding[7] == 2;
            pack(&samples(frame), if reverse { Packing::Arri12 } else { Packing::Lsb12 })
        }
    }

    /// System item, fill, picture, sound.
    fn package(&self, frame: u32) -> Vec<u8> {
        let mut out = Vec::new();
        if self.others {
            out.extend(klv(label([2, 0x05, 1, 1], [0x0D, 1, 3, 1, 4, 1, 1, 0]), &[7; 57]));
            out.extend(klv(label([1, 1, 1, 2], [3, 1, 2, 0x10, 1, 0, 0, 0]), &[0; 33]));
        }
        out.extend(klv(
            label([1, 2, 1, 1], [0x0D, 1, 3, 1, 0x15, 1, 0x1C, 1]),
            &self.picture(frame),
        ));
        if self.others {
            out.extend(klv(label([1, 2, 1, 1], [0x0D, 1, 3, 1, 0x16, 1, 3, 1]), &[1; 96]));
        }
        out
    }

    fn frames(&self) -> u32 {
        self.partitions.iter().sum()
    }

    fn metadata(&self) -> Vec<u8> {
        let rate = [24u32.to_be_bytes(), 1u32.to_be_bytes()].concat();
        let umid = [[0x06, 0x0A, 0x2B, 0x34].to_vec(), vec![9; 28]].concat();
        let mut out = klv(
            label([2, 5, 1, 1], [0x0D, 1, 2, 1, 1, 5, 1, 0]),
            &[
                &1u32.to_be_bytes()[..],
                &18u32.to_be_bytes(),
                &[0x90, 0],
                &label([1, 1, 1, 1], [0x0E, 0x17, 1, 1, 1, 1, 1, 0]),
            ]
            .concat(),
        );
        out.extend(set(
            0x30,
            1,
            &[(0x3C01, utf16("ARRI")), (0x3C02, utf16("ALEXA Mini LF")), (0x3C04, utf16("7.1"))],
        ));
        out.extend(set(
            0x36,
            2,
            &[(0x4401, umid), (0x4403, refs(&[3])), (0x4402, utf16("M001C001_190101_R1AB"))],
        ));
        out.extend(set(0x3B, 3, &[(0x4B01, rate.clone()), (0x4803, id(4).to_vec())]));
        out.extend(set(0x0F, 4, &[(0x1001, refs(&[5]))]));
        let start = (10 * 3600 * 24 + 7u64).to_be_bytes().to_vec();
        out.extend(set(
            0x14,
            5,
            &[(0x1501, start), (0x1502, 24u16.to_be_bytes().to_vec()), (0x1503, vec![0])],
        ));
        let number = |v: u32| v.to_be_bytes().to_vec();
        out.extend(set(
            0x29,
            6,
            &[
                (0x3001, rate),
                (0x3002, u64::from(self.frames()).to_be_bytes().to_vec()),
                (0x3004, label([4, 1, 1, 0x0D], [0x0D, 1, 3, 1, 2, 0x22, 1, 0]).to_vec()),
                (0x3201, label([4, 1, 1, 0x0D], self.coding).to_vec()),
                (0x3202, number(HEIGHT)),
                (0x3203, number(WIDTH)),
                (0x3208, number(HEIGHT)),
                (0x3209, number(WIDTH)),
                (0x9000, vec![0xAB, 0xCD]),
            ],
        ));
        out
    }

    fn partition(kind: u8, at: u64, header: u64, body: u64, stream: u32) -> Vec<u8> {
        let mut value = [0, 1, 0, 3, 0, 0, 0, 1].to_vec();
        [at, 0, 0, header, 0].iter().for_each(|v| value.extend(v.to_be_bytes()));
        value.extend(1u32.to_be_bytes());
        value.extend(body.to_be_bytes());
        value.extend(stream.to_be_bytes());
        value.extend(label([4, 1, 1, 1], [0x0D, 1, 2, 1, 1, 1, 9, 0]));
        value.extend([0, 0, 0, 1, 0, 0, 0, 16]);
        value.extend(label([4, 1, 1, 0x0D], [0x0D, 1, 3, 1, 2, 0x22, 1, 0]));
        klv(label([2, 5, 1, 1], [0x0D, 1, 2, 1, 1, kind, 4, 0]), &value)
    }

    fn segment(&self, unit: u64) -> Vec<u8> {
        let frames = u64::from(self.frames());
        let mut fields: Vec<(u16, Vec<u8>)> = vec![
            (0x3F0B, [24u32.to_be_bytes(), 1u32.to_be_bytes()].concat()),
            (0x3F0C, 0u64.to_be_bytes().to_vec()),
            (0x3F0D, frames.to_be_bytes().to_vec()),
        ];
        match self.index {
            Index::Variable => {
                let mut entries = [(frames as u32).to_be_bytes(), 11u32.to_be_bytes()].concat();
                for i in 0..frames {
                    entries.extend([0, 0, 0x80]);
                    entries.extend((i * unit).to_be_bytes());
                }
                fields.push((0x3F05, vec![0; 4]));
                fields.push((0x3F0A, entries));
            }
            kind => {
                let unit = if kind == Index::Wrong { unit + 1 } else { unit };
                fields.push((0x3F05, (unit as u32).to_be_bytes().to_vec()));
            }
        }
        let value: Vec<u8> = fields
            .iter()
            .flat_map(|(tag, v)| {
                [&tag.to_be_bytes()[..], &(v.len() as u16).to_be_bytes(), v].concat()
            })
            .collect();
        klv(label([2, 0x53, 1, 1], [0x0D, 1, 2, 1, 1, 0x10, 1, 0]), &value)
    }

    fn bytes(&self) -> Vec<u8> {
        let metadata = self.metadata();
        let unit = self.package(0).len() as u64;
        let mut places = vec![(0u32, 0u64)];
        let mut out = Self::partition(2, 0, metadata.len() as u64, 0, 0);
        out.extend(&metadata);
        let (mut frame, mut body) = (0, 0);
        for count in &self.partitions {
            places.push((1, out.len() as u64));
            out.extend(Self::partition(3, out.len() as u64, 0, body, 1));
            for _ in 0..*count {
                out.extend(self.package(frame));
                frame += 1;
            }
            body += u64::from(*count) * unit;
        }
        places.push((0, out.len() as u64));
        out.extend(Self::partition(4, out.len() as u64, 0, 0, 0));
        if self.index != Index::None {
            out.extend(self.segment(unit));
        }
        if self.random_index {
            let mut value: Vec<u8> = places
                .iter()
                .flat_map(|(s, at)| [&s.to_be_bytes()[..], &at.to_be_bytes()].concat())
                .collect();
            value.extend((16 + 4 + value.len() as u32 + 4).to_be_bytes());
            out.extend(klv(label([2, 5, 1, 1], [0x0D, 1, 2, 1, 1, 0x11, 1, 0]), &value));
        }
        out
    }

    fn open(&self) -> (tempfile::TempDir, Outcome<Box<dyn Clip>>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("M001C001_190101_R1AB.mxf");
        std::fs::write(&path, self.bytes()).unwrap();
        (dir, crate::source::open(&path, None))
    }
}

fn check_frames(made: &Made, clip: &dyn Clip) {
    let packing = clip.layout().mosaic().unwrap().packing;
    assert_eq!(clip.info().timing.frame_count, u64::from(made.frames()), "{made:?}");
    for frame in 0..made.frames() {
        let read = clip.read(i64::from(frame)).unwrap();
        assert_eq!(read.bytes, pack(&samples(frame), packing), "{made:?} {frame}");
    }
    assert_eq!(clip.read(i64::from(made.frames())).unwrap_err().code, Code::FrameOutsideClip);
}

#[test]
fn frames_are_found_by_every_index_and_by_none() {
    for index in [Index::None, Index::Constant, Index::Variable, Index::Wrong] {
        for random_index in [true, false] {
            for others in [true, false] {
                let made = Made { index, random_index, others, ..Made::default() };
                let (_dir, clip) = made.open();
                let clip = clip.unwrap();
                check_frames(&made, &*clip);
                let wrong =
                    clip.info().notes.iter().any(|n| n.place.as_deref() == Some("index table"));
                assert_eq!(wrong, index == Index::Wrong, "{made:?}: {:?}", clip.info().notes);
            }
        }
    }
}

#[test]
fn the_clip_is_described() {
    let (_dir, clip) = Made::default().open();
    let clip = clip.unwrap();
    let info = clip.info();
    assert_eq!(info.identity.clip_name, "M001C001");
    assert_eq!(
        info.identity.umid.as_deref(),
        Some(format!("060a2b34{}", "09".repeat(28)).as_str())
    );
    assert_eq!(info.timing.rate, Some(FrameRate::FPS_24));
    assert_eq!(info.timing.start.unwrap().to_string(), "10:00:00:07");
    assert_eq!(
        (info.camera.make.as_deref(), info.camera.firmware.as_deref()),
        (Some("ARRI"), Some("7.1"))
    );
    assert_eq!((info.picture.format.as_str(), info.picture.cfa.as_deref()), ("mxf", Some("bggr")));
    assert!(
        info.vendor.iter().any(|(k, v)| k.ends_with("0e17010101010100") && v == "abcd"),
        "{:?}",
        info.vendor
    );
    assert_eq!(info.vendor["ari.CameraFamily"], "A-MINI");
}

#[test]
fn pictures_without_a_header_are_read_by_their_label() {
    for (last, packing) in [(1, Packing::Lsb12), (2, Packing::Arri12)] {
        let coding = [4, 1, 2, 1, 2, 1, 1, last];
        let made = Made { headed: false, coding, ..Made::default() };
        let (_dir, clip) = made.open();
        let clip = clip.unwrap();
        assert_eq!(clip.layout().mosaic().unwrap().packing, packing);
        check_frames(&made, &*clip);
        let info = clip.info();
        assert_eq!(info.identity.clip_name, "M001C001_190101_R1AB");
        assert!(info.notes.iter().any(|n| n.code == Code::Unverified));
        assert!(info.notes.iter().any(|n| n.code == Code::MetadataAbsent));
    }
}

#[test]
fn what_has_no_public_description_is_refused_by_name() {
    for (coding, code, what) in [
        ([4, 1, 2, 1, 2, 1, 2, 1], Code::NoDecoder, "HDE"),
        ([4, 1, 2, 1, 2, 1, 2, 2], Code::NoDecoder, "HDE"),
        ([4, 1, 2, 1, 2, 1, 1, 3], Code::UnsupportedFeature, "13 bits"),
    ] {
        let (_dir, clip) = Made { coding, ..Made::default() }.open();
        let fault = clip.map(|_| ()).unwrap_err();
        assert_eq!(fault.code, code);
        assert!(fault.message.contains(what) && fault.remedy_text().contains("art-cmd"), "{fault}");
        assert!(fault.place.unwrap().contains(".mxf"));
    }
}

#[test]
fn only_arriraw_is_claimed_by_its_first_bytes() {
    let made = Made::default().bytes();
    assert!(Mxf.probe(&made, Path::new("a.mxf")));
    // A file of DNxHD: the same structure, other labels.
    let mut other = made.clone();
    let arri = |w: &[u8]| w == [0x0D, 1, 3, 1, 2, 0x22] || w == [4, 1, 2, 1, 2, 1];
    while let Some(at) = other.windows(6).position(arri) {
        other[at + 4..at + 6].copy_from_slice(&[0x11, 0x01]);
    }
    assert!(!Mxf.probe(&other, Path::new("a.mxf")));
    assert!(!Mxf.probe(b"RIFF", Path::new("a.mxf")));
}

fn survives(bytes: &[u8], dir: &Path) -> u64 {
    let path = dir.join("A.mxf");
    std::fs::write(&path, bytes).unwrap();
    let Ok(clip) = Mxf.open(Sequence::whole(&path)) else { return 0 };
    let count = clip.info().timing.frame_count;
    for index in 0..count.min(8) {
        let _ = clip.read(index as i64);
    }
    count
}

/// A recording that was cut off: what is whole is still read, by walking.
#[test]
fn every_prefix_is_survived_and_whole_frames_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let made = Made { headed: false, partitions: vec![2, 1], ..Made::default() };
    let bytes = made.bytes();
    let mut most = 0;
    for len in 0..bytes.len() {
        most = most.max(survives(&bytes[..len], dir.path()));
    }
    assert_eq!(most, 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_damage_is_survived(
        changes in prop::collection::vec((0usize..4000, any::<u8>()), 1..30),
        random_index in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let made = Made { headed: false, index: Index::Variable, random_index, ..Made::default() };
        let mut bytes = made.bytes();
        let len = bytes.len();
        for (at, value) in changes {
            bytes[at % len] = value;
        }
        survives(&bytes, dir.path());
    }
}
