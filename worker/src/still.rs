//! What a plate looks like while it is made: now and then a small picture of a
//! frame that was just rendered, from the halves that are in memory anyway. It
//! is for people who watch, and no more: it is shown to the farm once, and no
//! frame waits for it or fails with it. So it does not matter where plates go.

use platefarm_media::draw::{Picture, fit, shrink};
use platefarm_media::sink::png;
use platefarm_model::recipe::OutputColor;
use platefarm_model::{LeaseToken, Outcome, StepId};
use platefarm_shaders::color::Plan;
use platefarm_shaders::{HalfImage, view};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Largest size, in pixels.
const BOUNDS: [usize; 2] = [320, 180];
/// Between two pictures of one step, in one process.
const EVERY: Duration = Duration::from_secs(30);
/// Steps that a process remembers; a lease is of one.
const STEPS: usize = 64;

/// A small picture of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// The lease that it was rendered under.
    pub token: LeaseToken,
    /// The frame.
    pub frame: i64,
    /// A PNG file, in base64: it travels in JSON.
    pub png: String,
}

/// When each step was shown last.
#[derive(Debug, Default)]
pub struct Stills(Mutex<Vec<(StepId, Instant)>>);

impl Stills {
    /// Whether a picture of `step` is due; who asks is the one who makes it.
    #[must_use]
    pub fn due(&self, step: StepId, now: Instant) -> bool {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.iter().any(|(id, at)| *id == step && now.duration_since(*at) < EVERY) {
            return false;
        }
        shown.retain(|(id, _)| *id != step);
        if shown.len() == STEPS {
            shown.remove(0);
        }
        shown.push((step, now));
        true
    }
}

/// A small picture of `image`, as a PNG file; none where none can be made.
pub(crate) fn of(image: &HalfImage, color: &OutputColor) -> Option<Vec<u8>> {
    let drawn = catch_unwind(AssertUnwindSafe(|| draw(image, color)));
    match drawn {
        Ok(Ok(png)) => Some(png),
        Ok(Err(fault)) => {
            tracing::debug!(%fault, "a frame is not shown");
            None
        }
        Err(_) => {
            tracing::warn!("a frame is not shown: internal error");
            None
        }
    }
}

fn draw(image: &HalfImage, color: &OutputColor) -> Outcome<Vec<u8>> {
    let size = [image.width as usize, image.height as usize];
    let to = fit(size[0], size[1], BOUNDS);
    // Of a large frame only every so many pixels are looked at, two by two to a pixel of the picture.
    let step = (size[0] / (2 * to[0])).max(1);
    let thin = size.map(|side| side.div_ceil(step));
    let planes = image.planes.each_ref().map(|plane| {
        let rows = plane.chunks_exact(size[0].max(1)).step_by(step);
        let values = rows.flat_map(|row| row.iter().step_by(step));
        values.map(|bits| half::f16::from_bits(*bits).to_f32()).collect::<Vec<f32>>()
    });
    let [r, g, b] = &planes;
    let Picture { width, height, rgb } = shrink([r, g, b], thin, to, shown(color));
    png::encode(width as u32, height as u32, &rgb)
}

/// What a pixel of a plate looks like on a computer's display. What was made
/// for a display is that already, as near as a thumbnail has to be.
pub(crate) fn shown(color: &OutputColor) -> Box<dyn Fn([f32; 3]) -> [f32; 3]> {
    let Ok(meaning) = color.meaning() else { return Box::new(view::aces_to_rec709_display) };
    if color.is_aces() {
        return Box::new(view::aces_to_rec709_display);
    }
    match color.to_aces() {
        Ok(chain) if !meaning.display => {
            let plan = Plan::new(&chain);
            Box::new(move |[mut r, mut g, mut b]| {
                plan.run([
                    std::slice::from_mut(&mut r),
                    std::slice::from_mut(&mut g),
                    std::slice::from_mut(&mut b),
                ]);
                view::aces_to_rec709_display([r, g, b])
            })
        }
        _ => Box::new(|codes| codes.map(|code| code.clamp(0.0, 1.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::JobId;

    fn step(index: u32) -> StepId {
        StepId { job: JobId(1), index }
    }

    #[test]
    fn a_step_is_shown_now_and_then() {
        let (stills, begun) = (Stills::default(), Instant::now());
        assert!(stills.due(step(0), begun) && !stills.due(step(0), begun + EVERY / 2));
        assert!(stills.due(step(1), begun), "each for itself");
        assert!(stills.due(step(0), begun + EVERY));
        for index in 0..1000 {
            assert!(stills.due(step(10 + index), begun));
        }
        assert_eq!(stills.0.lock().unwrap().len(), STEPS);
    }

    /// A plate of 640 by 360 in four flat quarters, and what is drawn in the middle of each.
    fn quarters(colors: [[f32; 3]; 4], color: &OutputColor) -> [[u8; 3]; 4] {
        let (width, height) = (640_usize, 360_usize);
        let quarter =
            |x: usize, y: usize| usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
        let planes = [0, 1, 2].map(|channel| {
            let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
            let value = |(x, y)| half::f16::from_f32(colors[quarter(x, y)][channel]).to_bits();
            pixels.map(value).collect::<Vec<u16>>()
        });
        let image = HalfImage { width: width as u32, height: height as u32, planes, non_finite: 0 };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("still.png");
        std::fs::write(&path, of(&image, color).expect("a picture")).unwrap();
        let png::Codes { size: [across, down], rgb: codes, .. } = png::read(&path).unwrap();
        assert_eq!((across, down), (320, 180));
        [(80, 45), (240, 45), (80, 135), (240, 135)].map(|(x, y)| {
            let at = 3 * (y * across as usize + x);
            [0, 1, 2].map(|channel| (codes[at + channel] * 255.0).round() as u8)
        })
    }

    /// What the Academy's own code makes of light, times 255: the rows of
    /// `shaders/tests/fixtures/aces13_sdr_srgb.f32` (ctlrender, `RRT.ctl` and
    /// `ODT.Academy.sRGB_100nits_dim.ctl` of ACES 1.3) whose light is whole in half floats.
    #[test]
    fn colours_are_those_of_the_academys_rendering() {
        let light = [[0.0; 3], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [4.0, 4.0, 0.0]];
        let academy = [
            [0.0; 3],
            [0.877_877, 0.828_85, 0.0],
            [0.0, 0.861_054, 0.810_996],
            [0.995_413, 0.962_475, 0.215_955],
        ];
        let expected = academy.map(|pixel| pixel.map(|code: f64| (code * 255.0).round() as u8));
        assert_eq!(expected[3], [254, 245, 55]);
        assert_eq!(quarters(light, &OutputColor::default()), expected);
        // White is white in any scene-linear space: 0.811971 there.
        let acescg = OutputColor::named("ACEScg").unwrap();
        let white = [[1.0; 3], [0.0; 3], [1.0; 3], [0.0; 3]];
        assert_eq!(quarters(white, &acescg), [[207; 3], [0; 3], [207; 3], [0; 3]]);
        // What was made for a display is shown as its codes are, within what a code may be.
        let display = OutputColor::named("ACES 1.3 SDR sRGB").unwrap();
        let codes = [[0.25, 0.75, 1.0], [-1.0, 2.0, 0.0], [0.0; 3], [1.0; 3]];
        let expected = [[64, 191, 255], [0, 255, 0], [0; 3], [255; 3]];
        assert_eq!(quarters(codes, &display), expected);
    }

    /// Left half black, right half at the middle grey of a chart: what is drawn is
    /// as large as it may be, and each half is of one value.
    #[test]
    fn a_large_frame_becomes_a_small_picture() {
        let (width, height) = (4096, 2160);
        let grey = half::f16::from_f32(0.18).to_bits();
        let row: Vec<u16> = (0..width).map(|x| if x < width / 2 { 0 } else { grey }).collect();
        let plane = row.repeat(height as usize);
        let planes = [plane.clone(), plane.clone(), plane];
        let image = HalfImage { width, height, planes, non_finite: 0 };
        let drawn = of(&image, &OutputColor::default()).expect("a picture");
        assert!(drawn.len() < 64 * 1024, "{} bytes", drawn.len());
        // PNG 1.2, section 4.1.1: width and height begin the first chunk, IHDR.
        let side = |at: usize| u32::from_be_bytes(drawn[at..at + 4].try_into().unwrap());
        assert_eq!((side(16), side(20)), (320, 169));
        let narrow = HalfImage {
            width: 3,
            height: 2,
            planes: [vec![grey; 6], vec![grey; 6], vec![grey; 6]],
            non_finite: 0,
        };
        assert!(of(&narrow, &OutputColor::default()).is_some());
        let broken = HalfImage { planes: [vec![], vec![], vec![]], ..narrow };
        assert!(of(&broken, &OutputColor::default()).is_none(), "and nothing fails with it");
    }
}
