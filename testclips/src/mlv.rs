//! Magic Lantern files of synthetic clips, written from the public description
//! of the format (MLV 2.0) and apart from the reader in `media`.

use crate::ljpeg::{self, Shape};
use crate::sensor::{self, Samples};
use crate::spec::Pixel;
use crate::{ClipSpec, Compression, XYZ_TO_CAMERA};
use platefarm_model::raw::Bayer;
use std::io;
use std::path::{Path, PathBuf};

/// What a recording has that a [`ClipSpec`] does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MlvSpec {
    /// Files that the recording is spread over, the first with the extension `MLV`, then `M00`, `M01`.
    pub files: u32,
    /// Frame numbers, in the order of the scene, that were not recorded.
    pub dropped: Vec<u32>,
    /// Writes the blocks of a file in no order.
    pub shuffled: bool,
    /// Bytes of padding before the samples of each frame.
    pub padding: u32,
    /// Number of the first frame of the scene.
    pub first_number: u32,
    /// Temperature that the white balance was set to, in kelvin.
    pub kelvin: u32,
}

impl Default for MlvSpec {
    fn default() -> Self {
        Self {
            files: 1,
            dropped: Vec::new(),
            shuffled: false,
            padding: 16,
            first_number: 7,
            kelvin: 6504,
        }
    }
}

/// Writes a recording into `dir`, which is made when it is absent, and returns its files, the first first.
///
/// The picture is that of the spec: its size, frames, rate, bits (10, 12, 14 or 16), Bayer pattern, and
/// either no compression or lossless JPEG.
///
/// # Errors
/// `InvalidInput` when the spec has what the format does not (a margin, a table, another compression),
/// else what the file system says.
pub fn write_mlv(dir: &Path, spec: &ClipSpec, mlv: &MlvSpec) -> io::Result<Vec<PathBuf>> {
    spec.check()?;
    let plain = spec.stored_size() == (spec.width, spec.height)
        && spec.pixel == Pixel::Mosaic
        && !matches!(spec.compression, Compression::Deflate { .. });
    if !plain || mlv.files == 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a Magic Lantern file has a plain mosaic without margins, packed or as lossless JPEG",
        ));
    }
    std::fs::create_dir_all(dir)?;
    let mut blocks: Vec<Vec<Vec<u8>>> = vec![Vec::new(); mlv.files as usize];
    blocks[0].extend(descriptions(spec, mlv));
    let recorded = (0..spec.frames).filter(|i| !mlv.dropped.contains(i));
    for (place, index) in recorded.enumerate() {
        let file = place % mlv.files as usize;
        blocks[file].push(picture(spec, mlv, index)?);
    }
    let extension =
        |file: usize| if file == 0 { "MLV".into() } else { format!("M{:02}", file - 1) };
    let mut paths = Vec::new();
    for (file, mut blocks) in blocks.into_iter().enumerate() {
        if mlv.shuffled {
            blocks.reverse();
        }
        let mut bytes = header(spec, mlv, file as u16);
        blocks.iter().for_each(|block| bytes.extend(block));
        let path = dir.join(format!("{}.{}", spec.name, extension(file)));
        std::fs::write(&path, bytes)?;
        paths.push(path);
    }
    Ok(paths)
}

/// A block: type, size, time, payload.
fn block(kind: &[u8; 4], time_us: u64, payload: &[u8]) -> Vec<u8> {
    let mut out = kind.to_vec();
    out.extend((16 + payload.len() as u32).to_le_bytes());
    out.extend(time_us.to_le_bytes());
    out.extend(payload);
    out
}

/// Text in a field of fixed length.
fn field(text: &str, len: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(len, 0);
    bytes
}

fn header(spec: &ClipSpec, mlv: &MlvSpec, file: u16) -> Vec<u8> {
    let mut out = b"MLVI".to_vec();
    out.extend(52u32.to_le_bytes());
    out.extend(b"v2.0\0\0\0\0");
    out.extend((0x5ca1_ab1e_0000_0000 | spec.seed).to_le_bytes());
    out.extend(file.to_le_bytes());
    out.extend((mlv.files as u16).to_le_bytes());
    out.extend(0u32.to_le_bytes());
    let class = if spec.compression == Compression::None { 0x01u16 } else { 0x21 };
    out.extend(class.to_le_bytes());
    out.extend(0u16.to_le_bytes());
    for number in [spec.frames, 0, spec.rate.numerator(), spec.rate.denominator()] {
        out.extend(number.to_le_bytes());
    }
    out
}

/// The blocks that describe the camera and the recording.
fn descriptions(spec: &ClipSpec, mlv: &MlvSpec) -> Vec<Vec<u8>> {
    let (black, white) = spec.levels(0, 0);
    let mut raw = Vec::new();
    raw.extend((spec.width as u16).to_le_bytes());
    raw.extend((spec.height as u16).to_le_bytes());
    let (width, height) = (spec.width as i32, spec.height as i32);
    let row_bytes = width * i32::from(spec.bits) / 8;
    let numbers = [
        1,
        0,
        height,
        width,
        row_bytes,
        row_bytes * height,
        i32::from(spec.bits),
        i32::from(black),
        i32::from(white),
        0,
        0,
        width,
        height,
        0,
        0,
        height,
        width,
        0,
        0,
    ];
    numbers.iter().for_each(|n| raw.extend(n.to_le_bytes()));
    raw.extend(match spec.bayer {
        Bayer::Rggb => [0, 1, 1, 2],
        Bayer::Grbg => [1, 0, 2, 1],
        Bayer::Gbrg => [1, 2, 0, 1],
        Bayer::Bggr => [2, 1, 1, 0],
    });
    raw.extend(21i32.to_le_bytes());
    for value in XYZ_TO_CAMERA.iter().flatten() {
        raw.extend(value.to_le_bytes());
        raw.extend(10_000i32.to_le_bytes());
    }
    raw.extend(1100i32.to_le_bytes());

    let mut identity = field("Synth EOS 1", 32);
    identity.extend(0x8000_0285u32.to_le_bytes());
    identity.extend(field("BADC0FFEE", 32));
    let mut exposure: Vec<u8> = [0u32, 800, 0, 0].iter().flat_map(|v| v.to_le_bytes()).collect();
    exposure.extend(20_833u64.to_le_bytes());
    let mut lens: Vec<u8> = [50u16, 2400, 280].iter().flat_map(|v| v.to_le_bytes()).collect();
    lens.extend([0; 2]);
    lens.extend([0; 8]);
    lens.extend(field("EF50mm f/1.8", 32));
    lens.extend(field("L0042", 32));
    let balance: Vec<u8> = [9, mlv.kelvin, 1024, 1024, 1024, 0, 0]
        .iter()
        .flat_map(|v: &u32| v.to_le_bytes())
        .collect();
    // 14:03:25 on 21 November 2026, a Saturday.
    let mut clock: Vec<u8> =
        [25u16, 3, 14, 21, 10, 126, 6, 324, 0, 0].iter().flat_map(|v| v.to_le_bytes()).collect();
    clock.extend(field("UTC", 8));
    vec![
        block(b"RAWI", 1, &raw),
        block(b"IDNT", 2, &identity),
        block(b"EXPO", 3, &exposure),
        block(b"LENS", 4, &lens),
        block(b"WBAL", 5, &balance),
        block(b"RTCI", 6, &clock),
        block(b"NULL", 7, &[0; 100]),
    ]
}

fn picture(spec: &ClipSpec, mlv: &MlvSpec, index: u32) -> io::Result<Vec<u8>> {
    let Samples::Whole(samples) = sensor::expose(spec, index) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "samples are whole numbers"));
    };
    let mut payload = Vec::new();
    payload.extend((index + mlv.first_number).to_le_bytes());
    payload.extend([0; 8]);
    payload.extend(mlv.padding.to_le_bytes());
    payload.resize(payload.len() + mlv.padding as usize, 0xEE);
    match spec.compression {
        Compression::LosslessJpeg(jpeg) => {
            let components = usize::from(jpeg.components);
            let shape = Shape {
                columns: spec.width as usize / components,
                rows: spec.height as usize,
                components,
                precision: spec.bits,
            };
            payload.extend(ljpeg::encode(&samples, shape, jpeg.predictor, 0));
        }
        _ => payload.extend(packed(&samples, spec.bits)),
    }
    // A block is a multiple of 32 bits long.
    payload.resize(payload.len().next_multiple_of(4), 0);
    let time = u64::from(index) * 1_000_000 * u64::from(spec.rate.denominator())
        / u64::from(spec.rate.numerator());
    Ok(block(b"VIDF", 1000 + time, &payload))
}

/// Samples most significant bit first, in 16-bit words that are stored low byte first.
fn packed(samples: &[u16], bits: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(samples.len() * usize::from(bits) / 8 + 2);
    let (mut pending, mut count) = (0u64, 0);
    for sample in samples {
        pending = pending << bits | u64::from(*sample);
        count += u32::from(bits);
        while count >= 16 {
            count -= 16;
            out.extend(((pending >> count) as u16).to_le_bytes());
        }
        pending &= (1 << count) - 1;
    }
    if count > 0 {
        out.extend(((pending << (16 - count)) as u16).to_le_bytes());
    }
    out
}
