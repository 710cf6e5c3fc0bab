//! Where the samples of one strip or tile go in the picture.
//!
//! Pieces are decoded in parallel, each straight into its own rows of the
//! frame's buffer, in whatever geometry its stream has: samples arrive as one
//! sequence, and are cut into rows here.

use super::super::raw::{Piece, RawPicture};

/// The rows of the buffer that belong to one piece.
pub(super) struct Place<'a> {
    rows: Vec<&'a mut [u8]>,
    /// Samples from one stored row to the next.
    stride: usize,
    /// Samples of a row that the picture shows.
    shown: usize,
    /// Samples from one to the next in the buffer, and the first: planes lie interleaved there.
    step: usize,
    first: usize,
    /// Samples that have arrived.
    at: usize,
}

impl<'a> Place<'a> {
    /// The places of the pieces of one plane, in their order, in a buffer of rows of `row_bytes`.
    pub(super) fn all(
        raw: &RawPicture,
        pieces: &[Piece],
        out: &'a mut [u8],
        row_bytes: usize,
    ) -> Vec<Self> {
        let across = raw.width.div_ceil(raw.piece_width) as usize;
        let pixel_bytes = row_bytes / raw.width as usize;
        let mut places: Vec<Self> = pieces
            .iter()
            .map(|piece| Self {
                rows: Vec::with_capacity(piece.height as usize),
                stride: raw.stored_row_samples(),
                shown: piece.width as usize * raw.piece_samples() as usize,
                step: if raw.planar { raw.samples as usize } else { 1 },
                first: piece.plane as usize,
                at: 0,
            })
            .collect();
        for (y, mut row) in out.chunks_exact_mut(row_bytes).enumerate() {
            let band = y / raw.piece_height as usize * across;
            for (piece, place) in pieces.iter().zip(&mut places).skip(band).take(across) {
                let (mine, rest) = row.split_at_mut(piece.width as usize * pixel_bytes);
                place.rows.push(mine);
                row = rest;
            }
        }
        places
    }

    /// Says how many samples lie between the beginnings of two rows, where the stream knows better.
    pub(super) const fn set_stride(&mut self, stride: usize) {
        self.stride = stride;
    }

    /// Takes the next samples of the sequence; those that the picture does not show are left out.
    pub(super) fn put<T: Copy, const N: usize>(
        &mut self,
        mut samples: &[T],
        bytes: impl Fn(T) -> [u8; N],
    ) {
        while !samples.is_empty() {
            let (y, x) = (self.at / self.stride, self.at % self.stride);
            let (now, later) = samples.split_at(samples.len().min(self.stride - x));
            self.at += now.len();
            samples = later;
            let Some(row) = self.rows.get_mut(y) else { return };
            let now = &now[..now.len().min(self.shown.saturating_sub(x))];
            if self.step == 1 {
                let to = row[N * x..].chunks_exact_mut(N);
                for (to, sample) in to.zip(now) {
                    to.copy_from_slice(&bytes(*sample));
                }
            } else {
                let to = row.chunks_exact_mut(N).skip(self.first).step_by(self.step).skip(x);
                for (to, sample) in to.zip(now) {
                    to.copy_from_slice(&bytes(*sample));
                }
            }
        }
    }
}
