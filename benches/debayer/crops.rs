//! Crops to look at: hair, fabric, foliage, text and clipped lights, as they
//! are and as every debayer sees them, side by side.

use crate::contestants::Contestant;
use crate::protocol::{Noise, Pictures, encoded, mosaic_of};
use crate::scenes::{Canvas, FINE, hair, lights};
use crate::support::Result;
use exr::prelude::*;
use platefarm_shaders::ops::resample::picture::Picture;
use std::path::Path;

/// Columns and rows of a crop.
const SIZE: [usize; 2] = [72, 60];
/// Dots on each side that stand for one pixel.
const ZOOM: usize = 3;
/// Dots between crops.
const GAP: usize = 6;
/// The peers that are shown beside ours.
const SHOWN: &[&str] = &["LibRaw AHD", "OpenCV edge-aware"];

/// One subject: its name, its picture, and where the crop begins.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) picture: Picture,
    pub(crate) at: [usize; 2],
}

/// Writes one PNG a subject into `dir`, and says who stands in which column.
pub(crate) fn crops(
    contestants: &mut [Contestant],
    photos: Option<&Path>,
    dir: &Path,
) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    let mut subjects = vec![
        Subject { name: "hair", picture: hair(), at: [150, 96] },
        Subject { name: "fabric", picture: fabric(), at: [150, 110] },
        Subject { name: "text", picture: text(), at: [24, 31] },
        Subject { name: "lights", picture: lights(), at: [236, 92] },
    ];
    match photos.map(|dir| dir.join("ScanLines/Tree.exr")).filter(|file| file.is_file()) {
        Some(file) => {
            let picture = photo(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            subjects.push(Subject { name: "foliage", picture, at: [36, 60] });
        }
        None => println!("\nNo crop of foliage: no ScanLines/Tree.exr in --photos DIR."),
    }
    let is_shown =
        |c: &&mut Contestant| !c.halves() && (c.is_ours() || SHOWN.contains(&c.name.as_str()));
    let mut shown: Vec<&mut Contestant> = contestants.iter_mut().filter(is_shown).collect();
    let names: Vec<&str> = shown.iter().map(|c| c.name.as_str()).collect();
    println!("\nCrops in {}, from the left: truth, {}.", dir.display(), names.join(", "));
    for subject in &subjects {
        // What clips, clips in every picture alike.
        let truth = subject.picture.map(|v| v.min(1.0));
        let mut row = vec![truth.clone()];
        for contestant in &mut shown {
            row.push(contestant.debayer(&mosaic_of(&truth))?);
        }
        let file = dir.join(format!("{}.png", subject.name));
        write(&file, &row, subject.at).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}

/// Writes crops side by side.
pub(crate) fn write(
    file: &Path,
    row: &[Picture],
    [left, top]: [usize; 2],
) -> std::result::Result<(), String> {
    let width = row.len() * (SIZE[0] * ZOOM + GAP) - GAP;
    let height = SIZE[1] * ZOOM;
    let mut dots = vec![255_u8; 3 * width * height];
    for (n, picture) in row.iter().enumerate() {
        for y in 0..height {
            for x in 0..SIZE[0] * ZOOM {
                let from = (top + y / ZOOM) * picture.width + left + x / ZOOM;
                let to = 3 * (y * width + n * (SIZE[0] * ZOOM + GAP) + x);
                for (p, plane) in picture.planes.iter().enumerate() {
                    dots[to + p] = (encoded(plane[from].clamp(0.0, 1.0)) * 255.0).round() as u8;
                }
            }
        }
    }
    let out = std::fs::File::create(file).map_err(|e| e.to_string())?;
    let mut encoder = png::Encoder::new(out, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    writer.write_image_data(&dots).map_err(|e| e.to_string())
}

/// Cloth of white and blue threads, a little turned, so fine that its threads are hardly resolved.
fn fabric() -> Picture {
    let mut canvas = Canvas::new([0.0; 3]);
    let mut random = Noise(7);
    let (sine, cosine) = 0.21_f32.sin_cos();
    for (i, point) in canvas.points.iter_mut().enumerate() {
        let (x, y) =
            ((i % canvas.width) as f32 / FINE as f32, (i / canvas.width) as f32 / FINE as f32);
        let (u, v) = (cosine * x + sine * y, cosine * y - sine * x);
        // Threads of 1.6 pixels in a twill of two over two, with folds of light over it.
        let (warp, weft) = ((u / 1.6).floor(), (v / 1.6).floor());
        let over = (warp + weft).rem_euclid(4.0) < 2.0;
        let round = |t: f32| 0.55 + 0.45 * (std::f32::consts::PI * t.fract()).sin();
        let light = (0.75 + 0.25 * (u / 40.0).sin()) * (0.94 + 0.06 * random.uniform());
        let thread = if over { round((u / 1.6).abs()) } else { round((v / 1.6).abs()) };
        let color = if over { [0.62, 0.60, 0.54] } else { [0.05, 0.08, 0.20] };
        *point = color.map(|c| c * thread * light);
    }
    canvas.seen()
}

/// Lines of small letters, dark on paper and coloured on dark.
fn text() -> Picture {
    /// The strokes of a letter in a box of 4 by 6, from top to bottom.
    const LETTERS: &[&[[f32; 4]]] = &[
        &[[0., 6., 0., 0.], [0., 0., 3., 1.], [3., 1., 3., 2.], [3., 2., 0., 3.]],
        &[[0., 0., 0., 6.], [0., 6., 4., 6.]],
        &[[0., 6., 2., 0.], [2., 0., 4., 6.], [1., 4., 3., 4.]],
        &[[0., 0., 4., 0.], [2., 0., 2., 6.]],
        &[[0., 0., 0., 6.], [0., 0., 4., 0.], [0., 3., 3., 3.], [0., 6., 4., 6.]],
        &[[0., 0., 0., 6.], [0., 0., 4., 0.], [0., 3., 3., 3.]],
        &[[0., 6., 2., 0.], [2., 0., 4., 6.], [1., 4., 3., 4.]],
        &[[0., 6., 0., 0.], [0., 0., 3., 1.], [3., 1., 0., 3.], [0., 3., 4., 6.]],
        &[[0., 6., 0., 0.], [0., 0., 2., 4.], [2., 4., 4., 0.], [4., 0., 4., 6.]],
    ];
    let paper = [0.75, 0.73, 0.68];
    let mut canvas = Canvas::new(paper);
    let dark = (60 * FINE) * canvas.width;
    canvas.points[dark..].fill([0.03, 0.03, 0.035]);
    let inks = [
        [0.03; 3],
        [0.55, 0.03, 0.03],
        [0.03, 0.03, 0.03],
        [0.85; 3],
        [0.9, 0.6, 0.05],
        [0.1, 0.5, 0.9],
    ];
    for (line, ink) in inks.into_iter().enumerate() {
        let top = [12.0, 32.0, 46.0, 64.0, 79.0, 92.0][line];
        let size = [1.5, 1.2, 1.0][line % 3];
        for (n, strokes) in LETTERS.iter().cycle().take(27).enumerate() {
            // A gap between both words, and between their repetitions.
            let gaps = 2 * (n / 9) + usize::from(n % 9 > 4);
            let left = 12.0 + size * (5.6 * n as f32 + 4.0 * gaps as f32);
            for [x0, y0, x1, y1] in *strokes {
                let at = |x: f32, y: f32| [left + size * x, top + size * y + 0.03 * left];
                let middle = at(f32::midpoint(*x0, *x1), f32::midpoint(*y0, *y1));
                canvas.strand([at(*x0, *y0), middle, at(*x1, *y1)], 0.3 + 0.15 * size, ink);
            }
        }
    }
    canvas.seen()
}

/// A photograph in linear light at half its size, which rids it of its own debayer's traces.
fn photo(file: &Path) -> std::result::Result<Picture, String> {
    let picture = read_first_rgba_layer_from_file(
        file,
        |size, _| Picture {
            width: size.width(),
            height: size.height(),
            planes: std::array::from_fn(|_| vec![0.0; size.area()]),
        },
        |picture, at, (r, g, b, _): (f32, f32, f32, f32)| {
            for (plane, v) in picture.planes.iter_mut().zip([r, g, b]) {
                plane[at.y() * picture.width + at.x()] = v;
            }
        },
    )
    .map_err(|e| e.to_string())?
    .layer_data
    .channel_data
    .pixels;
    Ok(picture.halved())
}
