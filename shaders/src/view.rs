//! How a scene looks on a display: for thumbnails and contact sheets, not for plates.
//!
//! The ACES 1.3 rendering for a 100 nit display of Rec.709 primaries in dim
//! surroundings, encoded with the sRGB curve, since the pictures end up as PNG
//! on computer displays. It is that of [`color`](crate::color), a pixel at a time.
//!
//! Source: ACES 1.3, `RRT` and `ODT.Academy.sRGB_100nits_dim`.

use crate::color::Plan;
use platefarm_model::color::output1::{Output1, outputs1};
use std::sync::LazyLock;

static VIEW: LazyLock<Plan> = LazyLock::new(|| {
    let output = outputs1().iter().find(|output| output.name == "ACES 1.3 SDR sRGB");
    Plan::new(&output.map(Output1::chain).unwrap_or_default())
});

/// Scene-linear ACES2065-1 to sRGB code values, each in 0..=1, as ACES 1.3
/// shows the scene on a 100 nit display. NaN is taken for 0.
#[must_use]
pub fn aces_to_rec709_display(rgb: [f32; 3]) -> [f32; 3] {
    let [mut red, mut green, mut blue] = rgb.map(|v| [v]);
    VIEW.run([&mut red, &mut green, &mut blue]);
    [red[0], green[0], blue[0]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(code: f32) -> f64 {
        let c = f64::from(code);
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    }

    #[test]
    fn it_is_what_the_academys_own_code_computes() {
        let data = include_bytes!("../tests/fixtures/aces13_sdr_srgb.f32");
        let floats: Vec<f32> = data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let pixels = floats.as_chunks::<6>().0;
        assert!(pixels.len() > 1000);
        for [r, g, b, expected @ ..] in pixels {
            let got = aces_to_rec709_display([*r, *g, *b]);
            let expected = expected.map(|v| v.clamp(0.0, 1.0));
            let bright = expected.iter().all(|v| *v > 0.02);
            for (a, e) in got.into_iter().zip(expected) {
                let context = format!("{:?}: {got:?} is not {expected:?}", [r, g, b]);
                assert!((linear(a) - linear(e)).abs() <= 5e-5, "in light, {context}");
                assert!(!bright || (a - e).abs() <= 3e-5, "in code, {context}");
            }
        }
    }

    #[test]
    fn anything_gives_a_code_value() {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 0.0, 1e-45, f32::MAX];
        for r in odd {
            for g in odd {
                for b in odd {
                    let out = aces_to_rec709_display([r, g, b]);
                    assert!(
                        out.iter().all(|v| (0.0..=1.0).contains(v)),
                        "{:?} gave {out:?}",
                        [r, g, b]
                    );
                }
            }
        }
    }
}
