//! Whether an OpenEXR file reaches as far as its blocks: told by the table of
//! their offsets alone, so that a copy that broke off is seen before anybody
//! reads its pixels.

use crate::source::range::Ranges;
use exr::meta::BlockDescription;
use exr::meta::header::Header as Part;
use platefarm_model::{Code, Fault, Outcome};
use std::io::Read;
use std::path::Path;

/// Where the offset tables are, and what they have to say, part by part.
pub(super) struct Tables {
    /// Offset of the first table: the headers end there.
    at: u64,
    parts: Vec<Table>,
}

struct Table {
    blocks: u64,
    /// Bytes before the pixels of a block, of which the last four are the size of those.
    head: u64,
    /// Deep blocks have more sizes; of them only the beginning is looked for.
    deep: bool,
}

impl Tables {
    pub(super) fn new(at: u64, parts: &[Part]) -> Self {
        // The part's number, where there are several; the row, or column, row and level; the size.
        let number = if parts.len() > 1 { 4 } else { 0 };
        let table = |part: &Part| {
            let place = match part.blocks {
                BlockDescription::ScanLines => 4,
                BlockDescription::Tiles(_) => 16,
            };
            Table { blocks: part.chunk_count as u64, head: number + place + 4, deep: part.deep }
        };
        Self { at, parts: parts.iter().map(table).collect() }
    }

    /// Whether every block lies within the file. Blocks may stand in any order; of each part the
    /// last one's size is read, and of the others that they begin.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`].
    pub(super) fn check(&self, path: &Path) -> Outcome<()> {
        let mut file = Ranges::open(path)?;
        let cut =
            |what: String| Err(Fault::new(Code::TruncatedFile, format!("the OpenEXR file {what}")));
        let size = file.size();
        let mut at = self.at;
        for part in &self.parts {
            let bytes = part.blocks.saturating_mul(8);
            if at.saturating_add(bytes) > size {
                return cut(format!("ends at {size}, within its table of blocks"));
            }
            let table = file.take(at, bytes)?;
            at += bytes;
            let offsets = table.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b));
            let lost = offsets.clone().filter(|o| *o == 0).count();
            if lost > 0 {
                return cut(format!("lacks {lost} of {} blocks", part.blocks));
            }
            let beyond = offsets.clone().filter(|o| o.saturating_add(part.head) > size).count();
            if beyond > 0 {
                return cut(format!(
                    "ends at {size}; {beyond} of {} blocks lie behind",
                    part.blocks
                ));
            }
            let Some(last) = offsets.max().filter(|_| !part.deep) else { continue };
            let mut pixels = [0; 4];
            file.fill(last + part.head - 4, &mut pixels)?;
            let end = last + part.head + u64::from(u32::from_le_bytes(pixels));
            if end > size {
                return cut(format!("ends at {size}, its last block at {end}"));
            }
        }
        Ok(())
    }
}

/// A reader that knows how far it came.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(to)?;
        self.bytes += count as u64;
        Ok(count)
    }
}
