//! The blocks of a Magic Lantern file: a type, a size, a time and a payload,
//! one after the other, in no order that could be relied on.
//!
//! The layout of the blocks is that of the format's public description (MLV
//! 2.0); all numbers are little-endian.

use crate::source::range::Ranges;
use platefarm_model::{Code, Fault, Outcome};
use std::path::{Path, PathBuf};

/// Most blocks that are looked at in one file: days of recording.
const MAX_BLOCKS: usize = 16 << 20;
/// Most frames of one clip.
const MAX_FRAMES: usize = 8 << 20;
/// Longest payload of a block that describes something.
const MAX_DESCRIPTION_BYTES: u64 = 64 * 1024;
/// Most further files of a clip: `.M00` to `.M99`.
const MAX_CHUNKS: u32 = 100;
/// Bytes of a block's header.
const HEADER_BYTES: u64 = 16;
/// Bytes of a picture block before its padding and samples, header included.
const PICTURE_BYTES: u64 = 32;

/// Video class: uncompressed or lossless sensor data.
const CLASS_RAW: u16 = 1;
/// Flags of the video class.
const FLAG_LJ92: u16 = 0x20;

/// How pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Packed,
    LosslessJpeg,
}

/// The header of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileHeader {
    pub(super) guid: u64,
    pub(super) coding: Coding,
    pub(super) rate: [u32; 2],
}

/// Where the samples of one picture are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PictureBlock {
    pub(super) number: u32,
    pub(super) time_us: u64,
    pub(super) file: usize,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// A payload with its numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Payload(pub(super) Vec<u8>);

impl Payload {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        // Offsets are those of the format's description, which count the header.
        self.0.get(at.checked_sub(HEADER_BYTES as usize)?..)?.first_chunk().copied()
    }

    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub(super) fn i32(&self, at: usize) -> Option<i32> {
        self.array(at).map(i32::from_le_bytes)
    }

    pub(super) fn u64(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// Text up to its first zero; nothing where it is empty.
    pub(super) fn text(&self, at: usize, len: usize) -> Option<String> {
        let from = at.checked_sub(HEADER_BYTES as usize)?;
        let bytes = self.0.get(from..(from + len).min(self.0.len()))?;
        let text = String::from_utf8_lossy(bytes.split(|b| *b == 0).next()?).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// The blocks of a clip that are kept: the first of each kind that describes it, and its pictures.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) files: Vec<PathBuf>,
    pub(super) header: FileHeader,
    /// Type and payload, in the order they were found.
    pub(super) descriptions: Vec<([u8; 4], Payload)>,
    /// By number, or by time where numbers repeat.
    pub(super) pictures: Vec<PictureBlock>,
    pub(super) notes: Vec<Fault>,
}

impl Blocks {
    /// Walks a file and those that continue it.
    ///
    /// # Errors
    /// What is wrong with the first file; the others are noted.
    pub(super) fn read(path: &Path) -> Outcome<Self> {
        let mut file = Ranges::open(path)?;
        let (header, end) = FileHeader::read(&mut file)?;
        let mut blocks = Self {
            files: vec![path.to_owned()],
            header,
            descriptions: Vec::new(),
            pictures: Vec::new(),
            notes: Vec::new(),
        };
        blocks.walk(&mut file, end);
        for path in continuations(path) {
            let further = Ranges::open(&path).and_then(|mut file| {
                let (found, end) = FileHeader::read(&mut file)?;
                if found.guid != header.guid {
                    let what = format!("it is of another recording ({:016x})", found.guid);
                    return Err(Fault::new(Code::MixedClip, what).at("fileGuid, offset 16"));
                }
                Ok((file, end))
            });
            match further {
                Ok((mut file, end)) => {
                    blocks.files.push(path);
                    blocks.walk(&mut file, end);
                }
                Err(fault) => blocks.notes.push(fault.within(path.display())),
            }
        }
        blocks.in_order();
        Ok(blocks)
    }

    /// The first block of a kind.
    pub(super) fn get(&self, kind: &[u8; 4]) -> Option<&Payload> {
        self.descriptions.iter().find(|(found, _)| found == kind).map(|(_, payload)| payload)
    }

    fn walk(&mut self, file: &mut Ranges, mut offset: u64) {
        for _ in 0..MAX_BLOCKS {
            if offset == file.size() {
                return;
            }
            match self.block(file, offset) {
                Ok(next) => offset = next,
                Err(fault) => {
                    // A camera that lost power leaves a file without an end; what is before is sound.
                    let path = self.files.last().map(|p| p.display().to_string());
                    self.notes.push(fault.within(path.unwrap_or_default()));
                    return;
                }
            }
        }
    }

    /// Takes in the block at `offset`; where the next one begins.
    fn block(&mut self, file: &mut Ranges, offset: u64) -> Outcome<u64> {
        let mut head = [0; PICTURE_BYTES as usize];
        let known = (file.size() - offset).min(PICTURE_BYTES) as usize;
        if (known as u64) < HEADER_BYTES {
            let what = format!("{known} bytes, a block has {HEADER_BYTES} at least");
            return Err(Fault::new(Code::TruncatedFile, what).at(format!("offset {offset}")));
        }
        file.fill(offset, &mut head[..known])?;
        let kind: [u8; 4] = [head[0], head[1], head[2], head[3]];
        let place = || format!("{} block, offset {offset}", kind.escape_ascii());
        let size = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        if size < HEADER_BYTES {
            let what = format!("a block of {size} bytes");
            return Err(Fault::new(Code::BadStructure, what).at(place()));
        }
        let end = offset + size;
        if end > file.size() {
            let what = format!("a block of {size} bytes in a file that ends at {}", file.size());
            return Err(Fault::new(Code::TruncatedFile, what).at(place()));
        }
        if &kind == b"VIDF" {
            let payload = Payload(head[HEADER_BYTES as usize..].to_vec());
            let space = u64::from(payload.u32(28).unwrap_or(0));
            let Some(bytes) = size.checked_sub(PICTURE_BYTES + space) else {
                let what = format!("{space} bytes of padding in a block of {size}");
                return Err(Fault::new(Code::BadStructure, what).at(place()));
            };
            if self.pictures.len() < MAX_FRAMES {
                self.pictures.push(PictureBlock {
                    number: payload.u32(16).unwrap_or(0),
                    time_us: u64::from_le_bytes([
                        head[8], head[9], head[10], head[11], head[12], head[13], head[14],
                        head[15],
                    ]),
                    file: self.files.len() - 1,
                    offset: offset + PICTURE_BYTES + space,
                    bytes,
                });
            }
        } else if &kind != b"AUDF" && &kind != b"NULL" && self.get(&kind).is_none() {
            // A bound on kinds bounds what is kept: a damaged file may invent them.
            if self.descriptions.len() < 64 {
                let len = (size - HEADER_BYTES).min(MAX_DESCRIPTION_BYTES);
                let payload = file.take(offset + HEADER_BYTES, len)?;
                self.descriptions.push((kind, Payload(payload)));
            }
        }
        Ok(end)
    }

    /// Orders pictures by their number; where a number repeats, by time, and numbers them anew.
    fn in_order(&mut self) {
        self.pictures.sort_by_key(|p| (p.number, p.time_us));
        if self.pictures.windows(2).any(|w| w[0].number == w[1].number) {
            let what = "frame numbers repeat; frames are counted in the order of their times";
            self.notes.push(Fault::new(Code::BadStructure, what).at("VIDF blocks"));
            self.pictures.sort_by_key(|p| (p.time_us, p.file, p.offset));
            for (number, picture) in (0..).zip(&mut self.pictures) {
                picture.number = number;
            }
        }
    }
}

impl FileHeader {
    /// Whether a file begins as one of Magic Lantern's does.
    pub(super) fn is_at(head: &[u8]) -> bool {
        head.starts_with(b"MLVI")
    }

    /// The header, and where the first block begins.
    fn read(file: &mut Ranges) -> Outcome<(Self, u64)> {
        let mut head = [0; 52];
        file.fill(0, &mut head)?;
        if !Self::is_at(&head) {
            let what = "the file does not begin with MLVI";
            return Err(Fault::new(Code::UnknownFormat, what).at("offset 0"));
        }
        // The same offsets as in blocks.
        let fields = Payload(head[HEADER_BYTES as usize..].to_vec());
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if size < head.len() as u32 || u64::from(size) > file.size() {
            let what = format!("a file header of {size} bytes");
            return Err(Fault::new(Code::BadStructure, what).at("MLVI block, offset 4"));
        }
        let coding = coding(fields.u16(32).unwrap_or(0))?;
        let rate = [fields.u32(44).unwrap_or(0), fields.u32(48).unwrap_or(0)];
        Ok((Self { guid: fields.u64(16).unwrap_or(0), coding, rate }, u64::from(size)))
    }
}

fn coding(class: u16) -> Outcome<Coding> {
    let refused = |what: &str| {
        let what = format!("{what} (video class {class:#06x}) is not read");
        Err(Fault::new(Code::UnsupportedFeature, what).at("videoClass, offset 32"))
    };
    match (class & 0x0f, class & 0xf0) {
        (CLASS_RAW, 0) => Ok(Coding::Packed),
        (CLASS_RAW, FLAG_LJ92) => Ok(Coding::LosslessJpeg),
        (CLASS_RAW, flags) if flags & 0x80 != 0 => refused("raw video packed with LZMA"),
        (CLASS_RAW, flags) if flags & 0x40 != 0 => refused("raw video of differences"),
        (0, _) => refused("a recording without video"),
        (2, _) => refused("YUV video"),
        (3, _) => refused("JPEG video"),
        (4, _) => refused("H.264 video"),
        _ => refused("another kind of video"),
    }
}

/// The files that continue a recording, whatever the case of their extension.
fn continuations(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for number in 0..MAX_CHUNKS {
        let found = [format!("M{number:02}"), format!("m{number:02}")]
            .into_iter()
            .map(|extension| path.with_extension(extension))
            .find(|path| crate::storage::metadata(path).is_ok_and(|m| m.is_file()));
        let Some(found) = found else { break };
        files.push(found);
    }
    files
}
