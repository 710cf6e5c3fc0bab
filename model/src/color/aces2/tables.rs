//! What depends on hue: how far AP1 reaches, where the limiting gamut has its
//! cusp, and the exponent of its hull above it.
//!
//! Hues are not spaced evenly: the corners of the limiting gamut and of the
//! reach stand on entries of their own, so that no peak is cut off. Entry 0
//! repeats entry 360 a turn lower, entries 361 and 362 repeat 1 and 2 a turn
//! higher.

use super::appearance::LIGHTNESS_EXPONENT;
use super::{Appearance, Compression, SMOOTH_CUSPS, SMOOTH_M, Target, Tonescale, hull};

/// Entries of a table.
pub const ENTRIES: usize = 363;
/// Entries that stand for a turn.
const NOMINAL: usize = 360;
const CORNERS: usize = 6;
/// Places between cusp and white at which the hull's exponent is judged.
const JUDGED: [f64; 5] = [0.01, 0.1, 0.5, 0.8, 0.99];

/// The tables of a target, [`ENTRIES`] each.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// Hue of an entry, in degrees; grows.
    pub hue: Vec<f64>,
    /// Largest colourfulness of AP1 at the lightness of the peak; at hue `i - 1`, evenly spaced.
    pub reach_m: Vec<f64>,
    /// Lightness of the cusp.
    pub cusp_j: Vec<f64>,
    /// Colourfulness of the cusp, moved out for the rounding.
    pub cusp_m: Vec<f64>,
    /// One over the exponent of the hull above the cusp.
    pub upper_gamma_inverse: Vec<f64>,
    /// Entries that may be the last one not above a hue h, relative to `floor(h) + 1`: first and last.
    pub search: [i32; 2],
}

type Corners = [[f64; 3]; CORNERS + 2];

/// Corner of the unit cube, in the order of hues: red, yellow, green, cyan, blue, magenta.
fn unit_corner(corner: usize) -> [f64; 3] {
    [1, 5, 3].map(|turn| f64::from(u8::from((corner + turn) % CORNERS < 3)))
}

/// Corners in a cycle, the one of the least hue at 1, with the neighbours of a turn before and after.
fn cycle(rgb: [[f64; 3]; CORNERS], appearance: &Appearance) -> (Corners, Corners) {
    let jmh = rgb.map(|rgb| appearance.jmh(rgb));
    let least = (0..CORNERS).min_by(|a, b| jmh[*a][2].total_cmp(&jmh[*b][2])).unwrap_or(0);
    let at = |i: usize| (i + CORNERS - 1 + least) % CORNERS;
    let rgb: Corners = std::array::from_fn(|i| rgb[at(i)]);
    let mut jmh: Corners = std::array::from_fn(|i| jmh[at(i)]);
    jmh[0][2] -= 360.0;
    jmh[CORNERS + 1][2] += 360.0;
    (rgb, jmh)
}

/// Hues of the corners of AP1 where it has the lightness of the peak.
fn reach_corners(reach: &Appearance, limit_j: f64, most: f64) -> Corners {
    let limit_a = (limit_j / 100.0).powf(1.0 / LIGHTNESS_EXPONENT);
    let rgb = std::array::from_fn(|i| {
        let corner = unit_corner(i);
        let (mut low, mut high) = (0.0, most);
        while high - low > 1e-3 {
            let middle = 0.5 * (low + high);
            let a = reach.achromatic(corner.map(|v| v * middle));
            if a < limit_a { low = middle } else { high = middle }
        }
        corner.map(|v| v * high)
    });
    cycle(rgb, reach).1
}

/// The distinct hues of two sets of corners, in order.
fn merged(a: &Corners, b: &Corners) -> Vec<f64> {
    let mut hues: Vec<f64> =
        a[1..=CORNERS].iter().chain(&b[1..=CORNERS]).map(|jmh| jmh[2]).collect();
    hues.sort_by(f64::total_cmp);
    hues.dedup();
    hues
}

/// About one entry a degree, with the given hues exactly on entries.
fn hue_table(fixed: &[f64]) -> Vec<f64> {
    let least = usize::from(fixed[0] != 0.0);
    let mut ends: Vec<usize> = Vec::new();
    let mut last = None;
    for hue in fixed {
        let mut end = (hue.round() as usize).max(least).min(NOMINAL - 1);
        if last == Some(end) {
            let n = ends.len();
            // Two hues on one entry: the one before moves down if it can, else this one up.
            if n > 1 && ends[n - 2] != ends[n - 1] - 1 {
                ends[n - 1] -= 1;
            } else {
                end += 1;
            }
        }
        let end = end.min(NOMINAL - 1);
        ends.push(end);
        last = Some(end);
    }
    let mut table = vec![0.0; ENTRIES];
    let mut from = (0, 0.0);
    for (end, hue) in ends.into_iter().zip(fixed.iter().copied()).chain([(NOMINAL, 360.0)]) {
        let samples = end - from.0;
        for i in 0..samples {
            table[1 + from.0 + i] = from.1 + (hue - from.1) / samples as f64 * i as f64;
        }
        from = (end, hue);
    }
    table[0] = table[NOMINAL] - 360.0;
    table[NOMINAL + 1] = table[1] + 360.0;
    table[NOMINAL + 2] = table[2] + 360.0;
    table
}

/// Repeats the ends of a table whose entries 1 to 360 are filled.
fn wrap(table: &mut [f64]) {
    table[0] = table[NOMINAL];
    table[NOMINAL + 1] = table[1];
    table[NOMINAL + 2] = table[2];
}

/// J and M of the cusp at a hue: bisected along the edge of the cube that has it.
fn cusp(hue: f64, rgb: &Corners, jmh: &Corners, limit: &Appearance) -> [f64; 2] {
    let upper = (1..CORNERS + 2).find(|i| jmh[*i][2] > hue).unwrap_or(CORNERS + 1);
    let lower = upper - 1;
    if jmh[lower][2] == hue {
        return [jmh[lower][0], jmh[lower][1]];
    }
    let at = |t: f64| {
        let point = std::array::from_fn(|i| rgb[lower][i] + (rgb[upper][i] - rgb[lower][i]) * t);
        limit.jmh(point)
    };
    let (mut low, mut high) = (0.0, 1.0);
    while high - low > 1e-10 {
        let middle = 0.5 * (low + high);
        let h = at(middle)[2];
        // A corner beyond the seam of hues reads a turn off.
        let h = if h < jmh[lower][2] - 180.0 {
            h + 360.0
        } else if h > jmh[upper][2] + 180.0 {
            h - 360.0
        } else {
            h
        };
        if h > hue { high = middle } else { low = middle }
    }
    let [j, m, _] = at(0.5 * (low + high));
    [j, m]
}

/// The largest colourfulness at a hue that AP1 has at a lightness.
fn reach_m(hue: f64, limit_j: f64, reach: &Appearance) -> f64 {
    let outside = |m: f64| reach.rgb([limit_j, m, hue]).iter().any(|v| *v < 0.0);
    let (mut low, mut high) = (0.0, 50.0);
    while !outside(high) && high < 1300.0 {
        low = high;
        high += 50.0;
    }
    while high - low > 1e-2 {
        let middle = 0.5 * (low + high);
        if outside(middle) { high = middle } else { low = middle }
    }
    high
}

/// The smallest exponent for which the approximated hull lies outside the gamut wherever it is judged.
fn upper_gamma_inverse(
    hue: f64,
    cusp: [f64; 2],
    limit: &Appearance,
    c: &Compression,
    peak: f64,
) -> f64 {
    let focus = hull::focus_j(cusp[0], c);
    let threshold = hull::threshold_j(cusp[0], c);
    let judged = JUDGED.map(|place| {
        let j = cusp[0] + (c.limit_j - cusp[0]) * place;
        let gain = hull::focus_gain(j, threshold, c);
        let at = hull::intersect_j(j, cusp[1], focus, c.limit_j, gain);
        let line = hull::slope(at, focus, c.limit_j, gain);
        let cusp_at = hull::intersect_j(cusp[0], cusp[1], focus, c.limit_j, gain);
        (at, line, cusp_at)
    });
    let fits = |gamma: f64| {
        judged.iter().all(|&(at, line, cusp_at)| {
            let gammas = [1.0 / gamma, c.lower_gamma_inverse];
            let m = hull::boundary(cusp, gammas, at, line, cusp_at, c.limit_j);
            limit.rgb([at + line * m, m, hue]).iter().any(|v| *v > peak)
        })
    };
    let (mut low, mut high) = (0.0, 0.4);
    while !fits(high) && high < 5.0 {
        low = high;
        high += 0.4;
    }
    while high - low > 1e-5 {
        let middle = 0.5 * (low + high);
        if fits(middle) { high = middle } else { low = middle }
    }
    1.0 / high
}

/// How far from `floor(h) + 1` the last entry not above a hue may lie.
fn search_range(hue: &[f64]) -> [i32; 2] {
    let (mut low, mut high) = (0, 0);
    for (i, (hue, next)) in (0..).zip(hue.iter().zip(&hue[1..])).skip(1).take(NOMINAL) {
        // Hues of this entry go from its own to just before the next one's.
        low = low.min(i - next.ceil() as i32);
        high = high.max(i - (hue.floor() as i32 + 1));
    }
    [low, high]
}

pub(super) fn build(
    target: &Target,
    reach: &Appearance,
    limit: &Appearance,
    c: &Compression,
    tonescale: &Tonescale,
) -> Tables {
    let peak = target.peak_nits / 100.0;
    let rgb = std::array::from_fn(|i| unit_corner(i).map(|v| v * peak));
    let (rgb, jmh) = cycle(rgb, limit);
    let reach_jmh = reach_corners(reach, c.limit_j, tonescale.forward_limit);
    let hue = hue_table(&merged(&reach_jmh, &jmh));
    let filled = |value: &dyn Fn(usize) -> f64| {
        let mut table = vec![0.0; ENTRIES];
        for (i, entry) in table.iter_mut().enumerate().take(NOMINAL + 1).skip(1) {
            *entry = value(i);
        }
        wrap(&mut table);
        table
    };
    let cusps: Vec<[f64; 2]> = hue.iter().map(|h| cusp(*h, &rgb, &jmh, limit)).collect();
    let moved = |i: usize| cusps[i][1] * (1.0 + SMOOTH_M * SMOOTH_CUSPS);
    Tables {
        reach_m: filled(&|i| reach_m((i - 1) as f64, c.limit_j, reach)),
        cusp_j: filled(&|i| cusps[i][0]),
        cusp_m: filled(&moved),
        upper_gamma_inverse: filled(&|i| {
            upper_gamma_inverse(hue[i], [cusps[i][0], moved(i)], limit, c, peak)
        }),
        search: search_range(&hue),
        hue,
    }
}
