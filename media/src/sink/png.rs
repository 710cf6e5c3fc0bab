//! PNG: 8-bit sRGB for thumbnails and contact sheets, 16-bit codes of any
//! display for pictures that are converted, and back.

use crate::publish;
use platefarm_model::{Code, Fault, Outcome, limits};
use std::path::Path;

/// A PNG file of `width` by `height` pixels from interleaved RGB code values.
///
/// # Errors
/// [`Code::Internal`] when `rgb` does not hold three bytes a pixel.
pub fn encode(width: u32, height: u32, rgb: &[u8]) -> Outcome<Vec<u8>> {
    let fail = |what: &str| Fault::new(Code::Internal, format!("PNG of {width}x{height}: {what}"));
    let needed = u64::from(width) * u64::from(height) * 3;
    if needed == 0 || rgb.len() as u64 != needed {
        return Err(fail(&format!("{} bytes of pixels, {needed} needed", rgb.len())));
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::RelativeColorimetric);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(rgb)?;
            writer.finish()
        })
        .map_err(|e| fail("encoding failed").because(&e))?;
    Ok(out)
}

/// Writes such a file; it appears under its name when it is complete.
///
/// # Errors
/// As [`encode`] and [`publish::write_atomic`].
pub fn write(path: &Path, width: u32, height: u32, rgb: &[u8]) -> Outcome<()> {
    publish::write_atomic(path, &encode(width, height, rgb)?)
}

/// What PNG's `cICP` says of a colour (ITU-T H.273: primaries, transfer, matrix, full range), by interop id.
const CODE_POINTS: &[(&str, [u8; 4])] = &[
    ("srgb_rec709_display", [1, 13, 0, 1]),
    ("srgb_rec709_scene", [1, 13, 0, 1]),
    ("srgb_p3d65_display", [12, 13, 0, 1]),
    ("srgb_p3d65_scene", [12, 13, 0, 1]),
    ("g22_rec709_display", [1, 4, 0, 1]),
    ("g24_rec709_display", [1, 1, 0, 1]),
    ("pq_rec2020_display", [9, 16, 0, 1]),
    ("pq_p3d65_display", [12, 16, 0, 1]),
    ("hlg_rec2020_display", [9, 18, 0, 1]),
];

/// Writes 16-bit codes. The colour is in the file by its code points where it
/// has some, and by `name` and interop id as text.
///
/// # Errors
/// [`Code::Internal`] when `rgb` does not hold three codes a pixel; those of [`publish::write_atomic`].
pub fn write_16(
    path: &Path,
    [width, height]: [u32; 2],
    rgb: &[u16],
    name: &str,
    interop_id: Option<&str>,
) -> Outcome<()> {
    let fail = |what: &str| Fault::new(Code::Internal, format!("PNG of {width}x{height}: {what}"));
    let needed = u64::from(width) * u64::from(height) * 3;
    if needed == 0 || rgb.len() as u64 != needed {
        return Err(fail(&format!("{} codes, {needed} needed", rgb.len())));
    }
    let bytes: Vec<u8> = rgb.iter().flat_map(|code| code.to_be_bytes()).collect();
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Sixteen);
    let texts = [("platefarm:color", Some(name)), ("colorInteropID", interop_id)];
    let encoded = texts
        .into_iter()
        .filter_map(|(key, text)| Some((key, text?)))
        .try_for_each(|(key, text)| encoder.add_text_chunk(key.into(), text.into()))
        .and_then(|()| encoder.write_header())
        .and_then(|mut writer| {
            if let Some((_, points)) = CODE_POINTS.iter().find(|(id, _)| Some(*id) == interop_id) {
                writer.write_chunk(png::chunk::ChunkType(*b"cICP"), points)?;
            }
            writer.write_image_data(&bytes)?;
            writer.finish()
        });
    encoded.map_err(|e| fail("encoding failed").because(&e))?;
    publish::write_atomic(path, &out)
}

/// What a PNG holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// Columns and rows.
    pub size: [u32; 2],
    /// From 0 to 1; red, green and blue together.
    pub rgb: Vec<f32>,
    /// Whether there is coverage, which is left out.
    pub has_alpha: bool,
}

/// Reads a PNG of any kind.
///
/// # Errors
/// [`Code::FileNotFound`], [`Code::FileUnreadable`]; [`Code::TooLarge`]; [`Code::BadStructure`].
pub fn read(path: &Path) -> Outcome<Codes> {
    let bytes = std::fs::read(path).map_err(|e| crate::source::read_fault(path, &e))?;
    decode(&bytes).map_err(|fault| fault.at(path.display().to_string()))
}

fn decode(bytes: &[u8]) -> Outcome<Codes> {
    let broken =
        |e: png::DecodingError| Fault::new(Code::BadStructure, "this is no sound PNG").because(&e);
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(broken)?;
    let [width, height] = [reader.info().width, reader.info().height];
    let side = limits::MAX_PICTURE_SIDE_PX;
    let pixels = u64::from(width) * u64::from(height);
    if width > side || height > side || pixels > limits::MAX_PICTURE_PIXELS {
        return Err(Fault::new(Code::TooLarge, format!("a picture of {width}x{height} pixels")));
    }
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| Fault::new(Code::TooLarge, "a picture beyond the address space"))?;
    let mut data = vec![0; size];
    let info = reader.next_frame(&mut data).map_err(broken)?;
    let channels = info.color_type.samples();
    let wide = info.bit_depth == png::BitDepth::Sixteen;
    let code = |pixel: usize, channel: usize| {
        let at = pixel * channels + if channels < 3 { 0 } else { channel };
        if wide {
            f32::from(u16::from_be_bytes([data[2 * at], data[2 * at + 1]])) / 65535.0
        } else {
            f32::from(data[at]) / 255.0
        }
    };
    let rgb = (0..3 * pixels as usize).map(|i| code(i / 3, i % 3)).collect();
    let has_alpha = matches!(channels, 2 | 4);
    Ok(Codes { size: [width, height], rgb, has_alpha })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_come_back() {
        let rgb: Vec<u8> = (0..5 * 3 * 3).map(|i| (i * 37) as u8).collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        write(&path, 5, 3, &rgb).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut back = vec![0; 45];
        let info = reader.next_frame(&mut back).unwrap();
        assert_eq!((info.width, info.height, back), (5, 3, rgb.clone()));
        assert_eq!(encode(5, 3, &rgb).unwrap(), bytes);
        assert!(encode(5, 4, &rgb).is_err());
        assert!(encode(0, 0, &[]).is_err());
    }

    #[test]
    fn codes_of_sixteen_bits_come_back_with_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let codes: Vec<u16> = (0..4 * 2 * 3).map(|i| (i * 2731) as u16).collect();
        let name = "Rec2100-D65_1000nit_in_Rec2100-D65_ST2084";
        write_16(&path, [4, 2], &codes, name, Some("pq_rec2020_display")).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        // ITU-T H.273: BT.2020 primaries, PQ, RGB, full range.
        let chunk = bytes.windows(4).position(|w| w == b"cICP").unwrap();
        assert_eq!(bytes[chunk + 4..chunk + 8], [9, 16, 0, 1]);
        let back: Vec<f32> = codes.iter().map(|code| f32::from(*code) / 65535.0).collect();
        let whole = Codes { size: [4, 2], rgb: back, has_alpha: false };
        assert_eq!(read(&path).unwrap(), whole);
        write(&path, 4, 2, &[51; 24]).unwrap();
        assert_eq!(read(&path).unwrap().rgb[22], 0.2);
        std::fs::write(&path, b"not a picture").unwrap();
        assert_eq!(read(&path).unwrap_err().code, Code::BadStructure);
    }
}
