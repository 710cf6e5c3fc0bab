//! A frame as a CinemaDNG file: which tags, and how the samples are laid down.
//! Tags by the DNG specification 1.4 and CinemaDNG 1.1.

use crate::curve::linearization_table;
use crate::ljpeg;
use crate::sensor::{self, SCENE_WHITE_CAMERA, XYZ_TO_CAMERA};
use crate::spec::{ByteOrder, ClipSpec, Compression, Curve, Piece, Segments};
use crate::tiff::{Ifd, Value, header};
use platefarm_model::Timecode;
use rayon::prelude::*;

/// Columns and rows of the thumbnail of a nested file.
const THUMBNAIL: (u32, u32) = (64, 36);

/// The file of the frame at `index`. The spec has been checked.
pub(crate) fn frame(spec: &ClipSpec, index: u32) -> Vec<u8> {
    let samples = sensor::expose(spec, index);
    let pieces: Vec<Vec<u8>> =
        spec.pieces().par_iter().map(|piece| store(spec, &samples, *piece)).collect();
    let order = spec.byte_order;
    let mut raw = Ifd::default();
    picture_tags(&mut raw, spec, &pieces);
    let mut file = header(order);
    if spec.nested {
        let mut main = Ifd::default();
        thumbnail_tags(&mut main);
        camera_tags(&mut main, spec, index);
        main.set(330, Value::Long(vec![0]));
        let raw_at = 8 + main.size();
        let thumbnail_at = raw_at + raw.size();
        let (w, h) = THUMBNAIL;
        let thumbnail = vec![96u8; (w * h * 3) as usize];
        main.set(330, Value::Long(vec![raw_at as u32]));
        main.set(273, Value::Long(vec![thumbnail_at as u32]));
        place(&mut raw, spec, &pieces, thumbnail_at + thumbnail.len());
        file.extend(main.bytes(order, 8));
        file.extend(raw.bytes(order, raw_at));
        file.extend(thumbnail);
    } else {
        camera_tags(&mut raw, spec, index);
        let data_at = 8 + raw.size();
        place(&mut raw, spec, &pieces, data_at);
        file.extend(raw.bytes(order, 8));
    }
    for piece in pieces {
        file.extend(piece);
        // Pieces begin at even offsets, as TIFF asks of what offsets point to.
        file.resize(file.len().next_multiple_of(2), 0);
    }
    file
}

/// The bytes of one strip or tile. Samples past the raster repeat its last column and row.
fn store(spec: &ClipSpec, samples: &[u16], piece: Piece) -> Vec<u8> {
    let (width, height) = spec.stored_size();
    let mut cut = Vec::with_capacity(piece.width as usize * piece.height as usize);
    for y in piece.y..piece.y + piece.height {
        let line = &samples[y.min(height - 1) as usize * width as usize..][..width as usize];
        cut.extend((piece.x..piece.x + piece.width).map(|x| line[x.min(width - 1) as usize]));
    }
    match spec.compression {
        Compression::None => cut
            .chunks_exact(piece.width as usize)
            .flat_map(|line| pack(line, spec.file_bits(), spec.byte_order))
            .collect(),
        Compression::LosslessJpeg(jpeg) => {
            let fold = usize::from(jpeg.wrapped);
            let components = usize::from(jpeg.components);
            let shape = ljpeg::Shape {
                columns: ((piece.width as usize) << fold) / components,
                rows: piece.height as usize >> fold,
                components,
                precision: spec.bits,
            };
            ljpeg::encode(&cut, shape, jpeg.predictor, usize::from(jpeg.restart_rows))
        }
    }
}

/// One row of samples, packed; 16-bit ones in the file's byte order, others
/// most significant bit first.
fn pack(line: &[u16], bits: u8, order: ByteOrder) -> Vec<u8> {
    if bits == 16 {
        return line.iter().flat_map(|s| order.u16(*s)).collect();
    }
    let mut out = Vec::with_capacity((line.len() * usize::from(bits)).div_ceil(8));
    let (mut pending, mut count) = (0u32, 0u32);
    for sample in line {
        pending = pending << bits | u32::from(*sample);
        count += u32::from(bits);
        while count >= 8 {
            count -= 8;
            out.push((pending >> count) as u8);
        }
    }
    if count > 0 {
        out.push((pending << (8 - count)) as u8);
    }
    out
}

impl ClipSpec {
    /// BitsPerSample of the file.
    pub(crate) fn file_bits(&self) -> u8 {
        if self.padded && self.compression == Compression::None { 16 } else { self.bits }
    }
}

/// What describes the raster itself.
fn picture_tags(ifd: &mut Ifd, spec: &ClipSpec, pieces: &[Vec<u8>]) {
    let (width, height) = spec.stored_size();
    let short = |v: u16| Value::Short(vec![v]);
    ifd.set(254, Value::Long(vec![0]));
    ifd.set(256, Value::Long(vec![width]));
    ifd.set(257, Value::Long(vec![height]));
    ifd.set(258, short(u16::from(spec.file_bits())));
    ifd.set(259, short(if spec.compression == Compression::None { 1 } else { 7 }));
    ifd.set(262, short(32_803));
    ifd.set(277, short(1));
    ifd.set(284, short(1));
    let counts = Value::Long(pieces.iter().map(|p| p.len() as u32).collect());
    let offsets = Value::Long(vec![0; pieces.len()]);
    match spec.segments {
        Segments::Strips { rows } => {
            ifd.set(278, Value::Long(vec![if rows == 0 { height } else { rows.min(height) }]));
            ifd.set(273, offsets);
            ifd.set(279, counts);
        }
        Segments::Tiles { width, height } => {
            ifd.set(322, Value::Long(vec![width]));
            ifd.set(323, Value::Long(vec![height]));
            ifd.set(324, offsets);
            ifd.set(325, counts);
        }
    }
    ifd.set(33_421, Value::Short(vec![2, 2]));
    ifd.set(33_422, Value::Byte(sensor::cfa_bytes(spec.bayer)));
    if spec.curve == Curve::Log {
        ifd.set(50_712, Value::Short(linearization_table(spec.bits)));
    }
    if spec.black_pattern {
        ifd.set(50_713, Value::Short(vec![2, 2]));
        let at = |row, column| spec.levels(row, column).0;
        ifd.set(50_714, Value::Short(vec![at(0, 0), at(0, 1), at(1, 0), at(1, 1)]));
    } else {
        ifd.set(50_714, Value::Short(vec![spec.levels(0, 0).0]));
    }
    ifd.set(50_717, Value::Long(vec![u32::from(spec.levels(0, 0).1)]));
    let (crop_width, crop_height) = spec.delivered_size();
    ifd.set(50_719, Value::Long(vec![spec.crop.left, spec.crop.top]));
    ifd.set(50_720, Value::Long(vec![crop_width, crop_height]));
    let m = spec.masked;
    ifd.set(50_829, Value::Long(vec![m.top, m.left, m.top + spec.height, m.left + spec.width]));
}

/// Says where the strips or tiles lie, the first at file offset `at`.
fn place(ifd: &mut Ifd, spec: &ClipSpec, pieces: &[Vec<u8>], at: usize) {
    let mut next = at;
    let offsets = pieces
        .iter()
        .map(|piece| {
            let here = next as u32;
            next += piece.len().next_multiple_of(2);
            here
        })
        .collect();
    let tag = if matches!(spec.segments, Segments::Tiles { .. }) { 324 } else { 273 };
    ifd.set(tag, Value::Long(offsets));
}

/// What describes camera, colour, clip and time.
fn camera_tags(ifd: &mut Ifd, spec: &ClipSpec, index: u32) {
    let text = |v: &str| Value::Ascii(v.into());
    ifd.set(271, text("Platefarm"));
    ifd.set(272, text("Synthetic"));
    ifd.set(274, Value::Short(vec![1]));
    ifd.set(305, text("platefarm-testclips"));
    ifd.set(33_434, Value::Rational(vec![[spec.rate.denominator(), spec.rate.numerator() * 2]]));
    ifd.set(50_706, Value::Byte(vec![1, 4, 0, 0]));
    ifd.set(50_707, Value::Byte(vec![1, 4, 0, 0]));
    ifd.set(50_708, text("Platefarm Synthetic"));
    let matrix = XYZ_TO_CAMERA.iter().flatten().map(|v| [*v, 10_000]).collect();
    ifd.set(50_721, Value::SRational(matrix));
    ifd.set(50_728, Value::Rational(SCENE_WHITE_CAMERA.map(|v| [v, 1_000_000]).to_vec()));
    ifd.set(50_735, text(&format!("SYN-{:08}", spec.seed % 100_000_000)));
    ifd.set(50_778, Value::Short(vec![21]));
    if let Some(start) = spec.start {
        ifd.set(51_043, Value::Byte(timecode_bytes(start.plus(i64::from(index))).to_vec()));
    }
    let rate = [spec.rate.numerator(), spec.rate.denominator()].map(u32::cast_signed);
    ifd.set(51_044, Value::SRational(vec![rate]));
    ifd.set(51_058, Value::Rational(vec![[28, 10]]));
    if let Some(reel) = &spec.reel {
        ifd.set(51_081, text(reel));
    }
    if let Some(camera) = &spec.camera {
        ifd.set(51_105, text(camera));
    }
}

/// SMPTE ST 331 as CinemaDNG stores it: frames, seconds, minutes and hours in
/// BCD, the drop-frame flag in bit 6 of the first byte, user bits 0. The frames
/// have two bits for their tens, so 39 is the last number.
fn timecode_bytes(timecode: Timecode) -> [u8; 8] {
    let bcd = |v: u32| ((v / 10) << 4 | (v % 10)) as u8;
    let [hours, minutes, seconds, frames] = timecode.fields();
    let drop_frame = if timecode.drop_frame { 0x40 } else { 0 };
    [bcd(frames) & 0x3F | drop_frame, bcd(seconds), bcd(minutes), bcd(hours), 0, 0, 0, 0]
}

/// A plain grey picture in the first directory, as converters put a preview there.
fn thumbnail_tags(ifd: &mut Ifd) {
    let (width, height) = THUMBNAIL;
    ifd.set(254, Value::Long(vec![1]));
    ifd.set(256, Value::Long(vec![width]));
    ifd.set(257, Value::Long(vec![height]));
    ifd.set(258, Value::Short(vec![8, 8, 8]));
    ifd.set(259, Value::Short(vec![1]));
    ifd.set(262, Value::Short(vec![2]));
    ifd.set(273, Value::Long(vec![0]));
    ifd.set(277, Value::Short(vec![3]));
    ifd.set(278, Value::Long(vec![height]));
    ifd.set(279, Value::Long(vec![width * height * 3]));
    ifd.set(284, Value::Short(vec![1]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::FrameRate;

    /// TIFF 6.0, FillOrder 1: the first sample's top bit is the first byte's top bit.
    #[test]
    fn samples_are_packed_from_the_top_bit() {
        let line = [0xABC, 0x123, 0xFFF];
        assert_eq!(pack(&line, 12, ByteOrder::Big), [0xAB, 0xC1, 0x23, 0xFF, 0xF0]);
        assert_eq!(pack(&[0x3FF, 0], 10, ByteOrder::Little), [0xFF, 0xC0, 0x00]);
        assert_eq!(pack(&[0x1234], 16, ByteOrder::Little), [0x34, 0x12]);
        assert_eq!(pack(&[0x1234], 16, ByteOrder::Big), [0x12, 0x34]);
    }

    #[test]
    fn timecode_is_bcd_with_the_frames_first() {
        let at_24 = Timecode::parse("12:34:56:07", FrameRate::FPS_24).expect("a timecode");
        assert_eq!(timecode_bytes(at_24)[..4], [0x07, 0x56, 0x34, 0x12]);
        let ntsc = FrameRate::new(30_000, 1001).expect("a rate");
        let dropped = Timecode::parse("01:00:00;29", ntsc).expect("a timecode");
        assert_eq!(timecode_bytes(dropped)[..4], [0x29 | 0x40, 0, 0, 0x01]);
    }
}
