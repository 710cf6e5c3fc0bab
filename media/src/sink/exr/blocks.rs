//! The picture as blocks of rows, and the file that they make.
//!
//! Every block has its own place in one buffer, as large as the block is
//! unpacked; it is packed straight into that place, in parallel, and the gaps
//! are closed afterwards. So what is packed moves once, what is not packed
//! never, and no block has a buffer of its own.

use super::{Search, dwa, piz, zip};
use platefarm_model::recipe::Compression;
use rayon::prelude::*;

/// What stands before the data of a block: its first row, and its length.
const BLOCK_HEAD: usize = 8;

/// A picture: its channels in the order of the file, that of their names.
#[derive(Clone, Copy)]
pub(super) struct Picture<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// `A`, where there is one, then `B`, `G`, `R`.
    pub(super) channels: &'a [&'a [u16]],
}

/// Some rows of a picture. Rows lie one behind the other, so each channel is one slice.
pub(super) struct Block<'a> {
    pub(super) width: usize,
    pub(super) rows: usize,
    /// In the order of the file.
    pub(super) channels: Vec<&'a [u16]>,
}

impl<'a> Block<'a> {
    fn of(picture: Picture<'a>, first: usize, rows: usize) -> Self {
        let span = first * picture.width..(first + rows) * picture.width;
        let channels = picture.channels.iter().map(|plane| &plane[span.clone()]).collect();
        Self { width: picture.width, rows, channels }
    }

    /// Values in all channels.
    pub(super) fn len(&self) -> usize {
        self.rows * self.width * self.channels.len()
    }

    /// As a block unpacked has them: row by row, the channels in their order.
    pub(super) fn in_file_order(&self) -> impl Iterator<Item = &'a [u16]> {
        (0..self.rows).flat_map(move |row| {
            self.channels.iter().map(move |plane| &plane[row * self.width..][..self.width])
        })
    }

    /// The block as it is.
    pub(super) fn store(&self, out: &mut [u8]) {
        for (row, values) in out.chunks_exact_mut(2 * self.width).zip(self.in_file_order()) {
            for (to, value) in row.chunks_exact_mut(2).zip(values) {
                to.copy_from_slice(&value.to_le_bytes());
            }
        }
    }
}

/// Rows of a block.
const fn rows_of(compression: Compression) -> usize {
    match compression {
        Compression::None | Compression::Zips => 1,
        Compression::Zip => 16,
        Compression::Piz | Compression::Dwaa => 32,
        Compression::Dwab => 256,
    }
}

/// Packs blocks; keeps its tables and buffers between them.
enum Packer {
    None,
    Zip(zip::Packer),
    Piz(Box<piz::Packer>),
    Dwa(Box<dwa::Packer>),
}

impl Packer {
    fn new(compression: Compression, search: Search) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Zips | Compression::Zip => Self::Zip(zip::Packer::new(search)),
            Compression::Piz => Self::Piz(Box::default()),
            Compression::Dwaa | Compression::Dwab => Self::Dwa(Box::default()),
        }
    }

    /// Packs a block into `out`, which is as long as the block unpacked; returns the length
    /// that it has. A block that does not get smaller is stored as it is.
    fn pack(&mut self, block: &Block<'_>, out: &mut [u8]) -> usize {
        // What is as long as the block is read as one that was not packed.
        let room = out.len() - 1;
        let packed = match self {
            Self::None => None,
            Self::Zip(packer) => packer.pack(block, &mut out[..room]),
            Self::Piz(packer) => packer.pack(block, &mut out[..room]),
            Self::Dwa(packer) => packer.pack(block, &mut out[..room]),
        };
        packed.unwrap_or_else(|| {
            block.store(out);
            out.len()
        })
    }
}

/// The file of a picture whose header is `head`, without the table of
/// offsets. `first_row` is where the picture begins in the display window.
pub(super) fn assemble(
    head: &[u8],
    picture: Picture<'_>,
    first_row: i32,
    compression: Compression,
    search: Search,
) -> Vec<u8> {
    let rows = rows_of(compression);
    let row_bytes = picture.width * picture.channels.len() * 2;
    let blocks = picture.height.div_ceil(rows);
    let first = head.len() + blocks * 8;
    let place = BLOCK_HEAD + rows * row_bytes;
    let mut file = vec![0; first + blocks * BLOCK_HEAD + picture.height * row_bytes];
    file[..head.len()].copy_from_slice(head);
    let block = |i: usize| {
        let y = i * rows;
        Block::of(picture, y, rows.min(picture.height - y))
    };
    let search = match compression {
        Compression::Zip | Compression::Zips => search.settled((0..blocks).map(block)),
        _ => search,
    };
    // A packer has tables to fill: no more of them than keep all threads busy.
    let at_least = blocks.div_ceil(4 * rayon::current_num_threads()).max(1);
    let lengths: Vec<usize> = file[first..]
        .par_chunks_mut(place)
        .enumerate()
        .with_min_len(at_least)
        .map_init(
            || Packer::new(compression, search),
            |packer, (i, place)| {
                let (y, block) = (i * rows, block(i));
                let (head, data) = place.split_at_mut(BLOCK_HEAD);
                let length = packer.pack(&block, data);
                head[..4].copy_from_slice(&(first_row + y as i32).to_le_bytes());
                head[4..].copy_from_slice(&(length as u32).to_le_bytes());
                BLOCK_HEAD + length
            },
        )
        .collect();
    let mut end = first;
    for (i, length) in lengths.into_iter().enumerate() {
        let from = first + i * place;
        file[head.len() + 8 * i..][..8].copy_from_slice(&(end as u64).to_le_bytes());
        file.copy_within(from..from + length, end);
        end += length;
    }
    file.truncate(end);
    file.shrink_to_fit();
    file
}
