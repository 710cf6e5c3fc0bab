//! The pixels of one file, decoded in bands of its blocks, in parallel, each
//! straight into its rows of the clip's raster.

use super::{Header, PictureFormat, Window, read_fault};
use crate::exr_block::{broken, check_size, unpack};
use crate::source::exr::Exr;
use crate::storage::File;
use exr::block::chunk::Chunk;
use exr::math::Vec2;
use exr::meta::MetaData;
use exr::meta::attribute::SampleType;
use exr::prelude::f16;
use platefarm_model::raw::{RgbLayout, RgbSamples};
use platefarm_model::{Code, Fault, Outcome, limits};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;

/// Reads the picture of a file that must be like `first`, and its header.
pub(super) fn read(path: &Path, first: &Header, layout: &RgbLayout) -> Outcome<(Vec<u8>, Header)> {
    let file = File::open(path).map_err(|e| read_fault(path, &e))?;
    let size = file.metadata().map_err(|e| read_fault(path, &e))?.len();
    if size > limits::MAX_FRAME_FILE_BYTES {
        return Err(Fault::new(Code::TooLarge, format!("a file of {size} bytes")));
    }
    let reader = exr::block::read(BufReader::new(file), false).map_err(|e| broken(&e))?;
    let header = Header::new(reader.meta_data())?;
    Exr::check_like(&header, first)?;
    check_size(&header.part, size)?;

    let meta = reader.meta_data().clone();
    // Of the other parts and of smaller levels nothing is read.
    let chunks = reader
        .filter_chunks(false, |_, tile, block| block.layer == 0 && tile.level_index == Vec2(0, 0))
        .map_err(|e| broken(&e))?;
    let mut bands: BTreeMap<usize, Vec<Chunk>> = BTreeMap::new();
    for chunk in chunks {
        let chunk = chunk.map_err(|e| broken(&e))?;
        let place =
            header.part.get_block_data_indices(&chunk.compressed_block).map_err(|e| broken(&e))?;
        bands.entry(place.tile_index.y()).or_default().push(chunk);
    }

    let target = Target::new(&header, first, layout);
    let mut bytes = vec![0; layout.bytes()];
    let mut work = Vec::new();
    let mut rest = bytes.as_mut_slice();
    let mut next_row = 0;
    for (band, chunks) in bands {
        // The rows of the raster that this band of blocks covers, if any.
        let top = target.offset_y + (band * target.block_rows) as i64;
        let [from, to] = [top, top + target.block_rows as i64]
            .map(|row| (row.clamp(0, i64::from(layout.height)) as usize).max(next_row));
        let (_, after) =
            std::mem::take(&mut rest).split_at_mut((from - next_row) * target.row_bytes);
        let (rows, after) = after.split_at_mut((to - from) * target.row_bytes);
        rest = after;
        next_row = to;
        work.push((rows, from as i64, chunks));
    }
    work.into_par_iter().try_for_each(|(rows, first_row, chunks)| {
        chunks.into_iter().try_for_each(|chunk| target.decode(chunk, &meta, rows, first_row))
    })?;
    Ok((bytes, header))
}

/// Where blocks go.
struct Target {
    /// Column of the raster at which the data window begins; its row likewise.
    offset_x: i64,
    offset_y: i64,
    /// Rows of one band of blocks.
    block_rows: usize,
    /// Columns of the raster, and bytes of one of its rows.
    width: i64,
    row_bytes: usize,
    samples: RgbSamples,
    /// Red, green and blue: bytes of the channels before it, per pixel, and its type.
    sources: [(usize, SampleType); 3],
    /// Bytes of all channels, per pixel.
    pixel_bytes: usize,
}

impl Target {
    fn new(header: &Header, first: &Header, layout: &RgbLayout) -> Self {
        let raster = Window {
            left: first.display.left - i64::from(layout.crop.x),
            top: first.display.top - i64::from(layout.crop.y),
            ..first.display
        };
        let list = &header.part.channels.list;
        let before =
            |channel: usize| list[..channel].iter().map(|c| c.sample_type.bytes_per_sample()).sum();
        Self {
            offset_x: header.data.left - raster.left,
            offset_y: header.data.top - raster.top,
            block_rows: header.part.max_block_pixel_size().height(),
            width: i64::from(layout.width),
            row_bytes: layout.width as usize * layout.samples.pixel_bytes(),
            samples: layout.samples,
            sources: header.channels.map(|c| (before(c), list[c].sample_type)),
            pixel_bytes: before(list.len()),
        }
    }

    /// Decodes a block into `rows` of the raster, of which the first is row `first_row`.
    fn decode(
        &self,
        chunk: Chunk,
        meta: &MetaData,
        rows: &mut [u8],
        first_row: i64,
    ) -> Outcome<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let block = unpack(chunk, meta)?;
        let (width, height) = (block.index.pixel_size.width(), block.index.pixel_size.height());
        let left = self.offset_x + block.index.pixel_position.x() as i64;
        let top = self.offset_y + block.index.pixel_position.y() as i64;
        if block.data.len() != width * height * self.pixel_bytes {
            return Err(Fault::new(Code::BadStructure, "a block is not of its size"));
        }
        // The part of the block that lies within the raster.
        let skip = (-left).clamp(0, width as i64) as usize;
        let keep = ((self.width - left).clamp(0, width as i64) as usize).saturating_sub(skip);
        if keep == 0 {
            return Ok(());
        }
        for (y, line) in block.data.chunks_exact(width * self.pixel_bytes).enumerate() {
            let row = top + y as i64 - first_row;
            let Ok(row) = usize::try_from(row) else { continue };
            let Some(row) = rows.chunks_exact_mut(self.row_bytes).nth(row) else { continue };
            let pixel = self.samples.pixel_bytes();
            let at = (left + skip as i64) as usize * pixel;
            let to = &mut row[at..][..keep * pixel];
            for (color, (before, kind)) in self.sources.into_iter().enumerate() {
                let sample = kind.bytes_per_sample();
                let from = &line[width * before + skip * sample..][..keep * sample];
                self.copy(color, kind, from, to);
            }
        }
        Ok(())
    }

    /// Puts the samples of one colour, native-endian, into the pixels of a row.
    fn copy(&self, color: usize, kind: SampleType, from: &[u8], to: &mut [u8]) {
        match (self.samples, kind) {
            (RgbSamples::F16, _) => {
                for (to, from) in to.chunks_exact_mut(6).zip(from.chunks_exact(2)) {
                    let value = u16::from_ne_bytes([from[0], from[1]]);
                    to[color * 2..][..2].copy_from_slice(&value.to_le_bytes());
                }
            }
            (_, SampleType::F16) => {
                for (to, from) in to.chunks_exact_mut(12).zip(from.chunks_exact(2)) {
                    let value = f16::from_ne_bytes([from[0], from[1]]).to_f32();
                    to[color * 4..][..4].copy_from_slice(&value.to_le_bytes());
                }
            }
            _ => {
                for (to, from) in to.chunks_exact_mut(12).zip(from.chunks_exact(4)) {
                    let value = u32::from_ne_bytes([from[0], from[1], from[2], from[3]]);
                    to[color * 4..][..4].copy_from_slice(&value.to_le_bytes());
                }
            }
        }
    }
}
