//! Where the frames are: by the index tables where they hold, else by walking
//! the items of the file.
//!
//! An index counts bytes of the essence container, which lies in pieces between
//! partition packs; each pack says at which byte of the container its piece
//! begins (SMPTE ST 377-1, BodyOffset).

use super::klv::{Item, Value};
use super::metadata::Metadata;
use crate::source::range::Ranges;
use platefarm_model::{Code, Fault, Outcome};

/// Most items of one content package that are looked at for the picture.
const MAX_PACKAGE_ITEMS: usize = 64;
/// Most items of a file that are walked: some days of pictures and sound.
const MAX_ITEMS: usize = 64 << 20;
/// Bytes of the smallest item: a key, and a length of nothing.
const LEAST_ITEM_BYTES: u64 = 17;
/// Most partitions that are visited.
const MAX_PARTITIONS: usize = 65_536;
/// Longest index segment that is read.
const MAX_SEGMENT_BYTES: u64 = 256 << 20;
/// Most frames of one clip.
const MAX_FRAMES: usize = 8 << 20;

/// A piece of the essence container.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Byte of the container at which it begins.
    from: u64,
    /// Where that is in the file.
    at: u64,
    /// Which container.
    stream: u32,
}

/// One index table segment.
#[derive(Clone, Debug)]
struct Segment {
    start: i64,
    duration: i64,
    /// Bytes of each edit unit; 0 where they differ.
    unit_bytes: u64,
    /// Container offsets of the units, where they differ.
    offsets: Vec<u64>,
}

/// What the structure of a file says.
#[derive(Debug, Default)]
pub(super) struct Structure {
    pub(super) metadata: Metadata,
    pieces: Vec<Piece>,
    /// The container that holds ARRIRAW.
    stream: Option<u32>,
    segments: Vec<Segment>,
    /// Pictures that a walk has found.
    pictures: Vec<(u64, u64)>,
    /// Items that partitions may still be searched for; a file has so many at most.
    budget: u64,
    pub(super) notes: Vec<Fault>,
}

/// How frames are found.
#[derive(Debug, PartialEq)]
pub(super) enum Frames {
    /// Offset of each content package.
    Indexed(Vec<u64>),
    /// Offset and length of each picture.
    Walked(Vec<(u64, u64)>),
}

impl Frames {
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Indexed(offsets) => offsets.len(),
            Self::Walked(pictures) => pictures.len(),
        }
    }

    /// Where the samples of a frame are: offset and length.
    ///
    /// # Errors
    /// [`Code::BadStructure`] when the index points elsewhere.
    pub(super) fn place(&self, file: &mut Ranges, index: usize) -> Outcome<(u64, u64)> {
        match self {
            Self::Walked(pictures) => Ok(pictures[index]),
            Self::Indexed(offsets) => picture_from(file, offsets[index]),
        }
    }
}

/// The picture of the content package that begins at `at`.
fn picture_from(file: &mut Ranges, at: u64) -> Outcome<(u64, u64)> {
    let mut next = at;
    for _ in 0..MAX_PACKAGE_ITEMS {
        match Item::read(file, next)? {
            Some(item) if item.is_arriraw() => return Ok((item.value, item.len)),
            Some(item) if item.is_essence() || item.is_fill() => next = item.end(),
            _ => break,
        }
    }
    Err(Fault::new(Code::BadStructure, "the index points at no ARRIRAW picture")
        .at(format!("offset {at}")))
}

impl Structure {
    /// Reads partitions, metadata and index; the body only where that does not give the frames.
    ///
    /// # Errors
    /// What is wrong with the header partition.
    pub(super) fn read(file: &mut Ranges) -> Outcome<Self> {
        let mut it = Self { budget: file.size() / LEAST_ITEM_BYTES + 1, ..Self::default() };
        let start = header_at(file)?;
        match random_index(file) {
            Some(offsets) => {
                for at in offsets {
                    if let Err(fault) = it.partition(file, start + at) {
                        it.notes.push(fault);
                    }
                }
                if it.metadata.is_empty() {
                    it.partition(file, start)?;
                }
            }
            None => it.walk(file, start),
        }
        Ok(it)
    }

    /// The frames, in order.
    ///
    /// # Errors
    /// What ends the walk, when it finds no picture.
    pub(super) fn frames(&mut self, file: &mut Ranges) -> Outcome<Frames> {
        if let Some(offsets) = self.indexed(file.size()) {
            let ends = [offsets.first(), offsets.last()];
            let sound = ends.into_iter().flatten().all(|at| picture_from(file, *at).is_ok());
            if sound && !offsets.is_empty() {
                return Ok(Frames::Indexed(offsets));
            }
            let what =
                "the index does not point at the pictures; they are found by walking the file";
            self.notes.push(Fault::new(Code::BadStructure, what).at("index table"));
        }
        if self.pictures.is_empty() {
            let start = header_at(file)?;
            self.segments.clear();
            self.pieces.clear();
            self.metadata = Metadata::default();
            self.walk(file, start);
        }
        Ok(Frames::Walked(std::mem::take(&mut self.pictures)))
    }

    /// Offsets of all content packages by the index; nothing where it does not say.
    fn indexed(&self, size: u64) -> Option<Vec<u64>> {
        let mut segments: Vec<&Segment> = self.segments.iter().collect();
        segments.sort_by_key(|s| s.start);
        // Repeated segments are the same table, written again in the footer.
        segments.dedup_by_key(|s| s.start);
        let mut offsets = Vec::new();
        let mut begin = 0;
        for segment in segments {
            if segment.start != offsets.len() as i64 {
                return None;
            }
            if segment.unit_bytes > 0 {
                // An open recording has no duration; the descriptor's is as good as a guess.
                let count = u64::try_from(segment.duration).ok().filter(|d| *d > 0)?;
                // An index of more than the file has is wrong, and not made room for.
                let all =
                    count.checked_mul(segment.unit_bytes).filter(|all| begin + *all <= size)?;
                for unit in 0..count {
                    offsets.push(self.in_file(begin + unit * segment.unit_bytes)?);
                }
                begin += all;
            } else {
                for offset in &segment.offsets {
                    offsets.push(self.in_file(*offset)?);
                }
            }
        }
        (!offsets.is_empty() && offsets.len() <= MAX_FRAMES).then_some(offsets)
    }

    /// Where a byte of the essence container is.
    fn in_file(&self, offset: u64) -> Option<u64> {
        let mut pieces = self.pieces.iter().filter(|p| Some(p.stream) == self.stream);
        let piece = pieces.by_ref().take_while(|p| p.from <= offset).last()?;
        piece.at.checked_add(offset - piece.from)
    }

    /// Reads a partition up to its first essence.
    fn partition(&mut self, file: &mut Ranges, at: u64) -> Outcome<()> {
        let Some(pack) = Item::read(file, at)?.filter(Item::is_partition) else {
            let what = "no partition pack where one should be";
            return Err(Fault::new(Code::BadStructure, what).at(format!("offset {at}")));
        };
        let from = body_offset(file, &pack)?;
        let mut next = pack.end();
        while let Some(left) = self.budget.checked_sub(1) {
            self.budget = left;
            let Some(item) = Item::read(file, next)? else { return Ok(()) };
            if item.is_essence() {
                if let Some((from, stream)) = from {
                    self.piece(file, Piece { from, at: item.at, stream });
                }
                return Ok(());
            }
            if item.is_partition() || item.is_random_index() {
                return Ok(());
            }
            self.describe(file, &item)?;
            next = item.end();
        }
        Ok(())
    }

    fn piece(&mut self, file: &mut Ranges, piece: Piece) {
        if self.stream.is_none() && picture_from(file, piece.at).is_ok() {
            self.stream = Some(piece.stream);
        }
        self.pieces.push(piece);
        self.pieces.sort_by_key(|p| p.from);
    }

    /// Takes in an item that is neither partition nor essence.
    fn describe(&mut self, file: &mut Ranges, item: &Item) -> Outcome<()> {
        if item.is_primer() || item.is_local_set() {
            // The footer repeats what the header says, closed; the first is kept, it has the same ids.
            return self.metadata.add(file, item);
        }
        if item.is_index_segment() {
            if item.len > MAX_SEGMENT_BYTES {
                let what = format!("an index segment of {} bytes", item.len);
                return Err(Fault::new(Code::TooLarge, what).at(format!("offset {}", item.at)));
            }
            let bytes = file.take(item.value, item.len)?;
            self.segments.extend(segment(&bytes));
        }
        Ok(())
    }

    /// Visits every item.
    fn walk(&mut self, file: &mut Ranges, start: u64) {
        let (mut next, mut partitions) = (start, 0);
        let mut expected = None;
        for _ in 0..MAX_ITEMS {
            let step = Item::read(file, next).and_then(|item| {
                let Some(item) = item else { return Ok(None) };
                if item.is_partition() {
                    partitions += 1;
                    expected = body_offset(file, &item)?;
                } else if item.is_essence() {
                    if let Some((from, stream)) = expected.take() {
                        self.piece(file, Piece { from, at: item.at, stream });
                    }
                    if item.is_arriraw() && self.pictures.len() < MAX_FRAMES {
                        self.pictures.push((item.value, item.len));
                    }
                } else {
                    self.describe(file, &item)?;
                }
                Ok(Some(item.end()))
            });
            match step {
                Ok(Some(end)) if partitions <= MAX_PARTITIONS => next = end,
                Ok(_) => return,
                Err(fault) => {
                    self.notes.push(fault);
                    return;
                }
            }
        }
    }
}

/// Where the header partition is: after at most 64 KiB of something else (ST 377-1, run-in).
fn header_at(file: &mut Ranges) -> Outcome<u64> {
    let head = file.up_to(0, 65_536 + 16)?;
    let pack = [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02, 0x01, 0x01, 0x02];
    head.windows(pack.len()).position(|w| w == pack).map(|at| at as u64).ok_or_else(|| {
        Fault::new(Code::UnknownFormat, "no MXF header partition in the first 64 KiB")
            .at("offset 0")
    })
}

/// Byte of the essence container at which a partition's piece begins, and which container that is;
/// nothing where it has none.
fn body_offset(file: &mut Ranges, pack: &Item) -> Outcome<Option<(u64, u32)>> {
    let bytes = file.take(pack.value, pack.len.min(88))?;
    let value = Value(&bytes);
    // Versions and grid (8), three places (24), two counts (16), index stream (4); then these.
    let (Some(offset), Some(stream)) = (value.u64(52), value.u32(60)) else {
        let what = format!("a partition pack of {} bytes", pack.len);
        return Err(Fault::new(Code::BadStructure, what).at(format!("offset {}", pack.at)));
    };
    Ok((stream != 0).then_some((offset, stream)))
}

/// Offsets of all partitions, from the pack at the end of the file, where there is one.
fn random_index(file: &mut Ranges) -> Option<Vec<u64>> {
    let tail = file.size().checked_sub(4)?;
    let len = u64::from(Value(&file.take(tail, 4).ok()?).u32(0)?);
    let at = file.size().checked_sub(len)?;
    let item = Item::read(file, at).ok()??;
    if !item.is_random_index() || item.end() != file.size() {
        return None;
    }
    let bytes = file.take(item.value, item.len.min(12 * MAX_PARTITIONS as u64)).ok()?;
    let value = Value(&bytes);
    let offsets: Vec<u64> = (0..bytes.len() / 12).filter_map(|i| value.u64(12 * i + 4)).collect();
    (!offsets.is_empty()).then_some(offsets)
}

/// An index table segment out of its set; nothing where it is not whole.
fn segment(bytes: &[u8]) -> Option<Segment> {
    let mut rest = bytes;
    let mut it = Segment { start: 0, duration: 0, unit_bytes: 0, offsets: Vec::new() };
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let (tag, len) =
            (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
        // The entries of a long table do not fit the length's two bytes; they come last then.
        let len = match (tag, usize::from(len)) {
            (0x3F0A, 0xffff) => tail.len(),
            (_, len) => len,
        };
        let (value, tail) = tail.split_at_checked(len)?;
        let value = Value(value);
        match tag {
            0x3F0C => it.start = value.u64(0)? as i64,
            0x3F0D => it.duration = value.u64(0)? as i64,
            0x3F05 => it.unit_bytes = u64::from(value.u32(0)?),
            // Temporal offset, key frame offset, flags: three bytes; then the place.
            0x3F0A => it.offsets = value.batch(0).filter_map(|at| value.u64(at + 3)).collect(),
            _ => {}
        }
        rest = tail;
    }
    Some(it)
}
