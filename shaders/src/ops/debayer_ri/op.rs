//! The operation as lists and shaders see it. Its steps are compared with the
//! CPU form where they run, in [`exec::gpu`](crate::exec::gpu); here is the one
//! that all others stand on.

use super::super::{Op, Tolerance};

/// The operation, for [`OPS`](crate::ops::OPS).
#[derive(Debug)]
pub struct DebayerRi;

impl Op for DebayerRi {
    fn name(&self) -> &'static str {
        "debayer_ri"
    }
    fn doc(&self) -> &'static str {
        "reconstructs the missing colours by adaptive residual interpolation"
    }
    fn reference(&self) -> &'static str {
        "the steps in its module's text; D. Kiku, Y. Monno, M. Tanaka, M. Okutomi, Beyond color difference: residual interpolation for color image demosaicking, IEEE TIP 2016"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "sums in one order, products rounded before they are summed, quotients and roots to the nearest: the same bits",
        }
    }
    fn wgsl(&self) -> &'static str {
        concat!(include_str!("encode.wgsl"), include_str!("debayer_ri.wgsl"))
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        vec![trials::detail(), trials::curve()]
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("rounded(1.5 *", "rounded(1.5001 *")
    }
}

#[cfg(test)]
mod trials {
    use super::super::encode::{decode, encode};
    use super::super::{ROOM, SLOPE, STEEP};
    use crate::twin::{Trial, noise, wide_range};

    const SIDE: usize = 24;
    const STUBS: &str = "
        fn site(p: vec2<i32>) -> f32 { return bitcast<f32>(input[u32(p.y * 24 + p.x)]); }
        fn is_green(p: vec2<i32>) -> bool { return ((p.x + p.y) & 1) == 1; }
        fn own_color(p: vec2<i32>) -> u32 { return 0u; }
        fn clip_of(color: u32) -> f32 { return 1.0; }
        fn kept(plane: u32, p: vec2<i32>) -> f32 { return 0.0; }";

    /// Steps 2 to 4 on both lines, written down once more.
    pub(super) fn detail() -> Trial {
        let sites = noise(SIDE * SIDE, 22, -0.02, 1.1);
        let mut expected = Vec::new();
        for y in 9..SIDE - 9 {
            for x in 9..SIDE - 9 {
                for line in 0..2 {
                    let m = |k: isize| match line {
                        0 => sites[y * SIDE + x.wrapping_add_signed(k)],
                        _ => sites[y.wrapping_add_signed(k) * SIDE + x],
                    };
                    let green = |k: isize| (x + y).wrapping_add_signed(k) % 2 == 1;
                    let parts = |k: isize| {
                        let own = 2.0 * (m(k + 2) - m(k - 2)) + 0.5 * (m(k + 4) - m(k - 4));
                        let oth = 1.5 * ((m(k + 1) + m(k + 3)) - (m(k - 1) + m(k - 3)));
                        let (g, c) = if green(k) { (own, oth) } else { (oth, own) };
                        [g * g, c * c, own * oth]
                    };
                    let mut sums = parts(0);
                    for k in 1..=5 {
                        for (sum, (a, b)) in
                            sums.iter_mut().zip(parts(-k).into_iter().zip(parts(k)))
                        {
                            *sum += a + b;
                        }
                    }
                    let own = if green(0) { sums[0] } else { sums[1] };
                    let a = ((sums[2] + SLOPE) / (own + SLOPE)).clamp(-STEEP, STEEP);
                    let mean = (m(-1) + m(1)) * 0.5;
                    let lap = ((m(0) + m(0)) - (m(-2) + m(2))) * 0.25;
                    let other = mean + a * lap;
                    let (low, high) = (m(-1).min(m(1)), m(-1).max(m(1)));
                    let room = (high - low) * ROOM;
                    // Where nothing is clipped around, and where something is.
                    for other in [other, other.clamp(low - room, high + room)] {
                        let d = if green(0) { m(0) - other } else { other - m(0) };
                        expected.extend(sums.iter().chain(&[d]).map(|v| v.to_bits()));
                    }
                }
            }
        }
        Trial {
            name: "detail on both lines".into(),
            probe: format!(
                "{STUBS}
                fn probe(i: u32) -> u32 {{
                    let at = i32(i / 16u);
                    let clipped = ((i / 4u) & 1u) == 1u;
                    return bitcast<u32>(ri_detail((i / 8u) & 1u, vec2<i32>(at % 6, at / 6) + 9, clipped)[i & 3u]);
                }}"
            ),
            params: vec![0],
            input: sites.iter().map(|v| v.to_bits()).collect(),
            expected,
            floats: None,
        }
    }

    /// There and back again, of everything that is a number.
    pub(super) fn curve() -> Trial {
        let input: Vec<f32> = wide_range()
            .into_iter()
            .filter(|v| v.is_finite() && (*v == 0.0 || v.is_normal()))
            .collect();
        let expected = input.iter().flat_map(|v| [encode(*v), decode(*v)]);
        Trial {
            name: "the curve and back".into(),
            probe: format!(
                "{STUBS}
                fn probe(i: u32) -> u32 {{
                    let v = bitcast<f32>(input[i / 2u]);
                    return bitcast<u32>(select(encode(v), decode(v), (i & 1u) == 1u));
                }}"
            ),
            params: vec![0],
            expected: expected.map(f32::to_bits).collect(),
            input: input.iter().map(|v| v.to_bits()).collect(),
            floats: None,
        }
    }
}
