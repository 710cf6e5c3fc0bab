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
