//! Pictures whose every colour is known: photographs from a folder, and
//! scenes that are made here.

use crate::support::Result;
use platefarm_shaders::ops::resample::picture::Picture;
use std::path::{Path, PathBuf};

/// The pictures of a folder, sorted by name: 8-bit RGB PNG and TIFF, display-encoded, 0 to 1.
pub(crate) fn read_folder(dir: &Path) -> Result<Vec<Picture>> {
    let failed = |e: std::io::Error| format!("cannot read {}: {e}", dir.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .map_err(failed)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| extension(path) == "png" || extension(path).starts_with("tif"))
        .collect();
    files.sort();
    files.iter().map(|file| read(file).map_err(|e| format!("{}: {e}", file.display()))).collect()
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn read(file: &Path) -> Result<Picture> {
    let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
    let (width, height, rgb) =
        if extension(file) == "png" { png_rgb(&bytes)? } else { tiff_rgb(&bytes)? };
    if rgb.len() != 3 * width * height {
        return Err(format!("not an RGB picture of 8 bits and {width}x{height}"));
    }
    let plane = |p: usize| rgb.iter().skip(p).step_by(3).map(|v| f32::from(*v) / 255.0).collect();
    Ok(Picture { width, height, planes: std::array::from_fn(plane) })
}

fn png_rgb(bytes: &[u8]) -> Result<(usize, usize, Vec<u8>)> {
    let mut reader =
        png::Decoder::new(std::io::Cursor::new(bytes)).read_info().map_err(|e| e.to_string())?;
    let mut rgb = vec![0; reader.output_buffer_size().ok_or("too large")?];
    let frame = reader.next_frame(&mut rgb).map_err(|e| e.to_string())?;
    rgb.truncate(frame.buffer_size());
    Ok((frame.width as usize, frame.height as usize, rgb))
}

/// Baseline TIFF of one byte a sample, without compression or as PackBits
/// (TIFF 6.0, sections 2 and 9), which is what test sets are kept in.
fn tiff_rgb(bytes: &[u8]) -> Result<(usize, usize, Vec<u8>)> {
    let cut = || "the file ends early".to_owned();
    let little = bytes.starts_with(b"II");
    let number = |at: usize, size: usize| -> Result<usize> {
        let field = bytes.get(at..at + size).ok_or_else(cut)?;
        let digit = |n: usize, b: &u8| n << 8 | usize::from(*b);
        Ok(if little { field.iter().rev().fold(0, digit) } else { field.iter().fold(0, digit) })
    };
    let directory = number(4, 4)?;
    let values = |tag: usize| -> Result<Vec<usize>> {
        for entry in 0..number(directory, 2)? {
            let at = directory + 2 + 12 * entry;
            if number(at, 2)? == tag {
                let size = if number(at + 2, 2)? == 3 { 2 } else { 4 };
                let count = number(at + 4, 4)?;
                let from = if size * count <= 4 { at + 8 } else { number(at + 8, 4)? };
                return (0..count).map(|i| number(from + size * i, size)).collect();
            }
        }
        Ok(Vec::new())
    };
    let one = |tag: usize| -> Result<usize> {
        values(tag)?.first().copied().ok_or(format!("no tag {tag}"))
    };
    let (width, height) = (one(256)?, one(257)?);
    let mut rgb = Vec::new();
    for (from, count) in values(273)?.into_iter().zip(values(279)?) {
        let strip = bytes.get(from..from + count).ok_or_else(cut)?;
        match one(259)? {
            1 => rgb.extend_from_slice(strip),
            32773 => pack_bits(strip, &mut rgb).ok_or_else(cut)?,
            other => return Err(format!("compression {other} is not read here")),
        }
    }
    Ok((width, height, rgb))
}

fn pack_bits(mut strip: &[u8], out: &mut Vec<u8>) -> Option<()> {
    while let Some((head, rest)) = strip.split_first() {
        strip = match *head {
            128 => rest,
            n @ 0..128 => {
                let (run, rest) = rest.split_at_checked(usize::from(n) + 1)?;
                out.extend_from_slice(run);
                rest
            }
            n => {
                let (value, rest) = rest.split_first()?;
                out.resize(out.len() + 257 - usize::from(n), *value);
                rest
            }
        };
    }
    Some(())
}
