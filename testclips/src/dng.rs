//! A frame as a CinemaDNG file: which tags, and how the samples are laid down.
//! Tags by the DNG specification 1.4 and CinemaDNG 1.1.

use crate::curve::linearization_table;
use crate::deflate;
use crate::faults;
use crate::float;
use crate::ljpeg;
use crate::sensor::{self, SCENE_WHITE_CAMERA, Samples, XYZ_TO_CAMERA};
use crate::spec::{ByteOrder, ClipSpec, Compression, Curve, Ljpeg, Piece, Pixel, Sample, Segments};
use crate::tiff::{Format, Ifd, Value};
use platefarm_model::Timecode;
use rayon::prelude::*;

/// Columns and rows of the thumbnail of a nested file.
const THUMBNAIL: (u32, u32) = (64, 36);

/// The file of the frame at `index`. The spec has been checked.
pub(crate) fn frame(spec: &ClipSpec, index: u32) -> Vec<u8> {
    let samples = sensor::expose(spec, index);
    let pieces: Vec<Vec<u8>> =
        spec.pieces().par_iter().map(|piece| store(spec, &samples, *piece)).collect();
    let format = Format { order: spec.byte_order, wide: spec.big_tiff };
    let mut raw = Ifd::default();
    picture_tags(&mut raw, spec, &pieces);
    let mut file = format.header();
    let begin = file.len();
    if spec.nested {
        let mut main = Ifd::default();
        thumbnail_tags(&mut main);
        camera_tags(&mut main, spec, index);
        main.set(330, Value::Long(vec![0]));
        let raw_at = begin + main.size(format);
        let thumbnail_at = raw_at + raw.size(format);
        let (w, h) = THUMBNAIL;
        let thumbnail = vec![96u8; (w * h * 3) as usize];
        main.set(330, Value::Long(vec![raw_at as u32]));
        main.set(273, Value::Long(vec![thumbnail_at as u32]));
        place(&mut raw, spec, &pieces, thumbnail_at + thumbnail.len());
        file.extend(main.bytes(format, begin));
        file.extend(raw.bytes(format, raw_at));
        file.extend(thumbnail);
    } else {
        camera_tags(&mut raw, spec, index);
        let data_at = begin + raw.size(format);
        place(&mut raw, spec, &pieces, data_at);
        file.extend(raw.bytes(format, begin));
    }
    for piece in pieces {
        file.extend(piece);
        // Pieces begin at even offsets, as TIFF asks of what offsets point to.
        file.resize(file.len().next_multiple_of(2), 0);
    }
    file
}

/// The bytes of one strip or tile. Samples past the raster repeat its last column and row.
fn store(spec: &ClipSpec, samples: &Samples, piece: Piece) -> Vec<u8> {
    match samples {
        Samples::Whole(samples) => {
            let cut = cut(spec, samples, piece);
            if let Compression::LosslessJpeg(jpeg) = spec.compression {
                return encode_ljpeg(spec, jpeg, piece, &cut);
            }
            let lines = cut.chunks_exact(cut.len() / piece.height as usize);
            let rows = lines.map(|line| match spec.compression {
                Compression::Deflate { predictor } if predictor > 0 => {
                    let step = usize::from(predictor) * spec.piece_samples();
                    let line = deflate::differences(line, step, spec.file_bits());
                    pack(&line, spec.file_bits(), spec.byte_order)
                }
                _ => pack(line, spec.file_bits(), spec.byte_order),
            });
            deflated(spec, rows.flatten().collect())
        }
        Samples::Floats(samples) => {
            let cut = cut(spec, samples, piece);
            let lines = cut.chunks_exact(cut.len() / piece.height as usize);
            let bits = spec.bits;
            let rows = lines.map(|line| {
                let words = line.iter().map(|v| float::encoded(*v, bits).to_be_bytes());
                let size = usize::from(bits / 8);
                match spec.compression {
                    Compression::Deflate { predictor } if predictor > 0 => {
                        let bytes: Vec<u8> = words.flat_map(|w| w[4 - size..].to_vec()).collect();
                        let step = usize::from(predictor) * spec.piece_samples();
                        deflate::sorted_differences(&bytes, size, step)
                    }
                    _ if spec.byte_order == ByteOrder::Big => {
                        words.flat_map(|w| w[4 - size..].to_vec()).collect()
                    }
                    _ => words
                        .flat_map(|w| w[4 - size..].iter().rev().copied().collect::<Vec<_>>())
                        .collect(),
                }
            });
            deflated(spec, rows.flatten().collect())
        }
    }
}

fn deflated(spec: &ClipSpec, bytes: Vec<u8>) -> Vec<u8> {
    if spec.compression == Compression::None { bytes } else { deflate::zlib(&bytes) }
}

/// The samples of a piece, or of one plane of it.
fn cut<T: Copy>(spec: &ClipSpec, samples: &[T], piece: Piece) -> Vec<T> {
    let (width, height) = spec.stored_size();
    let per_pixel = spec.pixel.samples();
    let planes = match spec.pixel {
        Pixel::LinearPlanar => piece.plane..piece.plane + 1,
        _ => 0..per_pixel,
    };
    let row = width as usize * per_pixel;
    let mut cut = Vec::with_capacity(piece.width as usize * piece.height as usize * planes.len());
    for y in piece.y..piece.y + piece.height {
        let line = &samples[y.min(height - 1) as usize * row..][..row];
        for x in piece.x..piece.x + piece.width {
            cut.extend(&line[x.min(width - 1) as usize * per_pixel..][planes.clone()]);
        }
    }
    cut
}

fn encode_ljpeg(spec: &ClipSpec, jpeg: Ljpeg, piece: Piece, cut: &[u16]) -> Vec<u8> {
    let fold = usize::from(jpeg.wrapped);
    let components = usize::from(jpeg.components);
    let samples = piece.width as usize * spec.piece_samples();
    let shape = ljpeg::Shape {
        columns: (samples << fold) / components,
        rows: piece.height as usize >> fold,
        components,
        precision: spec.bits,
    };
    ljpeg::encode(cut, shape, jpeg.predictor, usize::from(jpeg.restart_rows))
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
        let jpeg = matches!(self.compression, Compression::LosslessJpeg(_));
        if self.padded && !jpeg { 16 } else { self.bits }
    }

    /// Samples of a pixel that a strip or tile holds.
    fn piece_samples(&self) -> usize {
        if self.pixel == Pixel::Linear { 3 } else { 1 }
    }
}

/// What describes the raster itself.
fn picture_tags(ifd: &mut Ifd, spec: &ClipSpec, pieces: &[Vec<u8>]) {
    let (width, height) = spec.stored_size();
    let short = |v: u16| Value::Short(vec![v]);
    ifd.set(254, Value::Long(vec![0]));
    ifd.set(256, Value::Long(vec![width]));
    ifd.set(257, Value::Long(vec![height]));
    let samples = spec.pixel.samples();
    ifd.set(258, Value::Short(vec![u16::from(spec.file_bits()); samples]));
    let compression = match spec.compression {
        Compression::None => 1,
        Compression::LosslessJpeg(_) => 7,
        Compression::Deflate { .. } => 8,
    };
    ifd.set(259, short(compression));
    ifd.set(262, short(if spec.pixel == Pixel::Mosaic { 32_803 } else { 34_892 }));
    ifd.set(277, short(samples as u16));
    ifd.set(284, short(if spec.pixel == Pixel::LinearPlanar { 2 } else { 1 }));
    if let Compression::Deflate { predictor } = spec.compression {
        let number = match (spec.sample, predictor) {
            (_, 0) => 1,
            (Sample::Whole, 1) => 2,
            (Sample::Whole, 2) => 34_892,
            (Sample::Whole, _) => 34_893,
            (Sample::Float, 1) => 3,
            (Sample::Float, 2) => 34_894,
            (Sample::Float, _) => 34_895,
        };
        ifd.set(317, short(number));
    }
    if spec.sample == Sample::Float {
        ifd.set(339, Value::Short(vec![3; samples]));
    }
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
    if spec.pixel == Pixel::Mosaic {
        ifd.set(33_421, Value::Short(vec![2, 2]));
        ifd.set(33_422, Value::Byte(sensor::cfa_bytes(spec.bayer)));
    }
    if spec.curve == Curve::Log {
        ifd.set(50_712, Value::Short(linearization_table(spec.bits)));
    }
    let m = spec.masked;
    if spec.unstated_black {
        let (bottom, right) = (m.top + spec.height, m.left + spec.width);
        let above = [0, 0, m.top, width];
        let below = [bottom, 0, height, width];
        let sides = [[m.top, 0, bottom, m.left], [m.top, right, bottom, width]];
        let areas = [above, below].into_iter().chain(sides);
        let areas = areas.filter(|[top, left, bottom, right]| top < bottom && left < right);
        ifd.set(50_830, Value::Long(areas.flatten().collect()));
    } else if spec.black_pattern {
        ifd.set(50_713, Value::Short(vec![2, 2]));
        let at = |row, column| spec.levels(row, column).0;
        ifd.set(50_714, Value::Short(vec![at(0, 0), at(0, 1), at(1, 0), at(1, 1)]));
    } else {
        ifd.set(50_714, Value::Short(vec![spec.levels(0, 0).0; samples]));
    }
    if let Some(deltas) = faults::black_deltas(spec) {
        for (tag, deltas) in [50_715, 50_716].into_iter().zip(deltas) {
            ifd.set(tag, Value::SRational(deltas.into_iter().map(|d| [d, 1]).collect()));
        }
    }
    ifd.set(50_717, Value::Long(vec![u32::from(spec.levels(0, 0).1); samples]));
    for (tag, list) in [51_008, 51_009].into_iter().zip(faults::opcode_lists(spec)) {
        if let Some(list) = list {
            ifd.set(tag, Value::Undefined(list));
        }
    }
    let (crop_width, crop_height) = spec.delivered_size();
    ifd.set(50_719, Value::Long(vec![spec.crop.left, spec.crop.top]));
    ifd.set(50_720, Value::Long(vec![crop_width, crop_height]));
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
