//! PNG for thumbnails and contact sheets: 8-bit RGB, sRGB.

use crate::publish;
use platefarm_model::{Code, Fault, Outcome};
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
}
