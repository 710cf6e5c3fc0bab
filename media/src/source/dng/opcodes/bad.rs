//! Repair of photosites that the camera knows to be bad. DNG says which; how
//! is the reader's choice (DNG 1.7.1, FixBadPixelsList).
//!
//! A photosite takes the mean of the two same-coloured neighbours on opposite
//! sides that differ least, so that an edge is continued and not blurred.
//! Where no such pair is sound, the mean of the nearest sound ones of its
//! colour does.

use super::Raster;
use platefarm_model::{Code, Fault, Outcome};

/// How far sound neighbours are looked for, in photosites.
const REACH: isize = 16;

/// Neighbours of the same colour, one of each opposite pair: of green photosites, and of the others.
const GREEN: [[isize; 2]; 4] = [[1, 1], [1, -1], [0, 2], [2, 0]];
const OTHER: [[isize; 2]; 4] = [[0, 2], [2, 0], [2, 2], [2, -2]];

/// Repairs the marked photosites of a mosaic whose first one is `phase`: 0 red, 1 green beside
/// red, 2 green beside blue, 3 blue.
///
/// # Errors
/// [`Code::UnsupportedFeature`] for a picture that is no mosaic, [`Code::BadStructure`] when so much
/// is marked that the list cannot be meant.
pub(super) fn repair(raster: &mut Raster, marked: &[bool], phase: u32) -> Outcome<()> {
    if raster.samples != 1 {
        return Err(Fault::new(
            Code::UnsupportedFeature,
            "bad photosites of a picture that is no mosaic are not repaired",
        ));
    }
    let found: Vec<usize> =
        marked.iter().enumerate().filter(|(_, bad)| **bad).map(|(at, _)| at).collect();
    if found.len() > marked.len() / 4 {
        return Err(Fault::new(
            Code::BadStructure,
            format!("{} of {} photosites are called bad", found.len(), marked.len()),
        ));
    }
    let (width, height) = (raster.width as isize, raster.height as isize);
    let sound = |y: isize, x: isize| {
        let inside = (0..height).contains(&y) && (0..width).contains(&x);
        let at = (y * width + x) as usize;
        (inside && !marked[at]).then(|| raster.data[at])
    };
    let repaired: Vec<(usize, f32)> = found
        .into_iter()
        .filter_map(|at| {
            let (y, x) = (at as isize / width, at as isize % width);
            let first_is_green = phase == 1 || phase == 2;
            let green = ((y + x) % 2 == 0) == first_is_green;
            let pairs = if green { GREEN } else { OTHER };
            let best = pairs
                .iter()
                .filter_map(|[dy, dx]| Some((sound(y - dy, x - dx)?, sound(y + dy, x + dx)?)))
                .min_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()));
            let value = match best {
                Some((a, b)) => Some(f32::midpoint(a, b)),
                None => nearest(green, |dy, dx| sound(y + dy, x + dx)),
            };
            Some((at, value?))
        })
        .collect();
    for (at, value) in repaired {
        raster.data[at] = value;
    }
    Ok(())
}

/// The mean of the nearest ring that has sound photosites of the same colour.
fn nearest(green: bool, sound: impl Fn(isize, isize) -> Option<f32>) -> Option<f32> {
    let same = |dy: isize, dx: isize| {
        if green { (dy + dx) % 2 == 0 } else { dy % 2 == 0 && dx % 2 == 0 }
    };
    (1..=REACH).find_map(|ring| {
        let (mut sum, mut count) = (0.0, 0u16);
        for dy in -ring..=ring {
            for dx in -ring..=ring {
                if dy.abs().max(dx.abs()) == ring
                    && same(dy, dx)
                    && let Some(v) = sound(dy, dx)
                {
                    sum += v;
                    count += 1;
                }
            }
        }
        (count > 0).then(|| sum / f32::from(count))
    })
}
