//! The operation as lists and shaders see it. Its steps are compared one by one
//! with each other's forms where they run, in [`exec::gpu`](crate::exec::gpu);
//! here is the one that all others stand on.

use super::super::{Op, Tolerance};

/// The operation, for [`OPS`](crate::ops::OPS).
#[derive(Debug)]
pub struct DebayerRcd;

impl Op for DebayerRcd {
    fn name(&self) -> &'static str {
        "debayer_rcd"
    }
    fn doc(&self) -> &'static str {
        "reconstructs the missing colours by ratios of low passes and by smooth ways, fast"
    }
    fn reference(&self) -> &'static str {
        "ratio-corrected demosaicing, L. Sanz Rodriguez 2017; directions after I. Pekkucuksen, Y. Altunbasak, Gradient based threshold free color filter array interpolation, ICIP 2010; smoothing after L. Zhang, X. Wu, Color demosaicking via directional linear minimum mean square-error estimation, IEEE TIP 14(12), 2005"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "sums in one order, products rounded before they are summed, quotients and roots to the nearest: the same bits",
        }
    }
    fn wgsl(&self) -> &'static str {
        concat!(include_str!("../debayer_ri/encode.wgsl"), include_str!("debayer_rcd.wgsl"))
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        vec![trials::guesses()]
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("rough_after * sum_after", "rough_after * sum_before")
    }
}

#[cfg(test)]
mod trials {
    use super::super::{FLOOR, NEAR};
    use crate::twin::{Trial, noise};

    const SIDE: usize = 24;

    /// Steps 2 and 3 on both lines, written down once more.
    pub(super) fn guesses() -> Trial {
        let sites = noise(SIDE * SIDE, 21, 0.05, 1.2);
        let c = |x: usize, y: usize| sites[y * SIDE + x];
        let low = |x: usize, y: usize| {
            let v = |x: usize| (c(x, y - 1) + c(x, y + 1)) + c(x, y) * 2.0;
            ((v(x - 1) + v(x + 1)) + v(x) * 2.0).max(FLOOR)
        };
        let mut expected = Vec::new();
        for y in 4..SIDE - 4 {
            for x in 4..SIDE - 4 {
                for line in 0..2 {
                    let at = |k: isize| match line {
                        0 => (x.wrapping_add_signed(k), y),
                        _ => (x, y.wrapping_add_signed(k)),
                    };
                    let m = |k| c(at(k).0, at(k).1);
                    let l = |k| low(at(k).0, at(k).1);
                    let near = (m(-1) - m(1)).abs() + NEAR;
                    let a = near + ((m(0) - m(-2)).abs() + (m(-1) - m(-3)).abs());
                    let b = near + ((m(0) - m(2)).abs() + (m(1) - m(3)).abs());
                    let (p, q) = (l(0) + l(-2), l(0) + l(2));
                    let g =
                        ((l(0) * 2.0) * (m(-1) * (b * q) + m(1) * (a * p))) / ((a + b) * (p * q));
                    let sign = if (x + y) % 2 == 1 { -1.0 } else { 1.0 };
                    expected.push(((g - m(0)) * sign).to_bits());
                }
            }
        }
        Trial {
            name: "guesses along both lines".into(),
            probe: "
                fn site(p: vec2<i32>) -> f32 { return bitcast<f32>(input[u32(p.y * 24 + p.x)]); }
                fn is_green(p: vec2<i32>) -> bool { return ((p.x + p.y) & 1) == 1; }
                fn guess_at(line: u32, p: vec2<i32>) -> f32 { return 0.0; }
                fn guessed_green_at(p: vec2<i32>) -> f32 { return 0.0; }
                fn opposite_at(p: vec2<i32>) -> f32 { return 0.0; }
                fn probe(i: u32) -> u32 {
                    let at = i32(i / 2u);
                    return bitcast<u32>(rcd_guess(i & 1u, vec2<i32>(at % 16, at / 16) + 4));
                }"
            .into(),
            params: vec![0],
            input: sites.iter().map(|v| v.to_bits()).collect(),
            expected,
            floats: None,
        }
    }
}
