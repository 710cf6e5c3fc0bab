//! What the filters do to a picture, measured, and written into
//! `docs/framing-resample.md`: the tables there are what this test computes,
//! or it fails. `PLATEFARM_BLESS=1` writes them.

use platefarm_model::recipe::Filter;
use platefarm_shaders::ops::resample::Taps;
use platefarm_shaders::ops::resample::picture::{Picture, instruction_sets};
use std::fmt::Write;
use std::path::Path;

/// Columns and rows of the zone plate.
const PLATE: usize = 1024;

/// The zone plate at a place, and its frequencies there in cycles a pixel,
/// across and down: none in the middle, 0.5 (what a raster can hold) at the edges.
fn zone(x: f64, y: f64) -> (f64, [f64; 2]) {
    let radius = PLATE as f64 / 2.0;
    let (dx, dy) = (x - radius, y - radius);
    let squared = dx * dx + dy * dy;
    let value = 0.5 + 0.5 * (std::f64::consts::PI * 0.5 * squared / radius).cos();
    (value, [dx, dy].map(|d| 0.5 * d.abs() / radius))
}

fn picture(width: usize, height: usize, value: impl Fn(usize, usize) -> f64) -> Picture {
    let plane: Vec<f32> = (0..width * height).map(|i| value(i % width, i / width) as f32).collect();
    Picture { width, height, planes: [(); 3].map(|()| plane.clone()) }
}

fn resized(source: &Picture, filter: Filter, scale: f64, offset: f64, antiring: bool) -> Picture {
    let axis = |side: usize| {
        // A single row stays as it is.
        let (scale, offset) = if side == 1 { (1.0, 0.0) } else { (scale, offset) };
        let size = (side as f64 * scale).round() as u32;
        Taps::new(filter, scale, offset, 0..size, side as u32)
    };
    let taps = [axis(source.width), axis(source.height)];
    source.resampled(instruction_sets()[0].1, &taps, antiring)
}

/// Decibels of the root of the mean square, against that of a full sine.
fn decibels(squares: f64, count: usize) -> f64 {
    10.0 * (squares / count as f64 / 0.125).log10()
}

/// Of what the smaller raster cannot hold, what is left; and how wrong it is in what it holds.
fn alias_and_error(filter: Filter, scale: f64) -> (f64, f64) {
    let source = picture(PLATE, PLATE, |x, y| zone(x as f64 + 0.5, y as f64 + 0.5).0);
    let small = resized(&source, filter, scale, 0.0, false);
    let limit = 0.5 * scale.min(1.0);
    let (mut alias, mut aliases, mut error, mut errors) = (0.0, 0, 0.0, 0);
    for (i, v) in small.planes[0].iter().enumerate() {
        let [x, y] = [i % small.width, i / small.width].map(|place| (place as f64 + 0.5) / scale);
        let (value, [across, down]) = zone(x, y);
        // A raster holds what both of its axes hold.
        let frequency = across.max(down);
        if frequency > 1.25 * limit {
            alias += (f64::from(*v) - 0.5).powi(2);
            aliases += 1;
        } else if frequency < 0.5 * limit {
            error += (f64::from(*v) - value).powi(2);
            errors += 1;
        }
    }
    (decibels(alias, aliases), decibels(error, errors))
}

/// Least and largest value beside a step and beside one bright pixel, over sixteen phases.
fn ringing(filter: Filter, scale: f64, antiring: bool) -> [f64; 3] {
    let step = picture(64, 1, |x, _| if x < 32 { 0.18 } else { 16.0 });
    let spot = picture(64, 64, |x, y| if (x, y) == (32, 32) { 100.0 } else { 0.18 });
    let mut found = [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY];
    for phase in 0..16 {
        let offset = f64::from(phase) / 16.0;
        for v in &resized(&step, filter, scale, offset, antiring).planes[0] {
            found[0] = found[0].min(f64::from(*v));
            found[1] = found[1].max(f64::from(*v));
        }
        for v in &resized(&spot, filter, scale, offset, antiring).planes[0] {
            found[2] = found[2].min(f64::from(*v));
        }
    }
    found
}

/// Largest distance from a constant, as part of it.
fn change(filter: Filter) -> f64 {
    let flat = picture(96, 7, |_, _| 0.18);
    let mut worst = 0.0_f64;
    for scale in [0.13, 0.43, 0.5, 0.77, 1.0, 1.5, 1.7, 3.0] {
        for phase in 0..16 {
            for v in &resized(&flat, filter, scale, f64::from(phase) / 16.0, false).planes[0] {
                worst = worst.max((f64::from(*v) / f64::from(0.18_f32) - 1.0).abs());
            }
        }
    }
    worst
}

/// Largest shift of a smooth spot's centre of gravity, in delivered pixels.
fn shift(filter: Filter, scales: &[f64], phases: u32) -> f64 {
    let center = 48.3;
    let mut worst = 0.0_f64;
    for scale in scales.iter().copied() {
        let width = 6.0 / scale.min(1.0);
        let spot = picture(96, 1, |x, _| (-((x as f64 + 0.5 - center) / width).powi(2)).exp());
        for offset in (0..phases).map(|phase| f64::from(phase) / 16.0) {
            let out = resized(&spot, filter, scale, offset, false);
            let (mut mass, mut moment) = (0.0, 0.0);
            for (x, v) in out.planes[0].iter().enumerate() {
                mass += f64::from(*v);
                moment += f64::from(*v) * (x as f64 + 0.5);
            }
            worst = worst.max((moment / mass - scale * center - offset).abs());
        }
    }
    worst
}

const SCALES: [f64; 6] = [0.43, 0.5, 0.77, 1.5, 1.7, 3.0];

/// A table of a line for each filter.
fn table(head: &str, line: impl Fn(Filter) -> String) -> String {
    let columns = head.matches('|').count() - 1;
    let mut text = format!("{head}\n{}|\n", "|---".repeat(columns));
    for filter in Filter::ALL.iter().copied() {
        writeln!(text, "| {} | {} |", filter.name(), line(filter)).unwrap();
    }
    text
}

fn tables() -> Vec<(&'static str, String)> {
    let zone = table(
        "| filter | aliases at 0.5x | aliases at 0.47x | error at 0.5x | error at 0.47x | error at 1.5x |",
        |filter| {
            let (a, b) = (alias_and_error(filter, 0.5), alias_and_error(filter, 0.47));
            let up = alias_and_error(filter, 1.5).1;
            format!("{:.1} | {:.1} | {:.1} | {:.1} | {up:.1}", a.0, b.0, a.1, b.1)
        },
    );
    let ring = table(
        "| filter | step at 0.47x | step at 1.5x | one pixel at 0.47x | one pixel at 1.5x |",
        |filter| {
            let (a, b) = (ringing(filter, 0.47, false), ringing(filter, 1.5, false));
            format!(
                "{:.2} / {:.2} | {:.2} / {:.2} | {:.2} | {:.2}",
                a[0], a[1], b[0], b[1], a[2], b[2]
            )
        },
    );
    let head = "| filter | constant | resized | resized and moved | moved |";
    let laws = table(head, |filter| {
        // One digit, rounded up: the last ones are those of the machine.
        let bound = |v: f64| {
            let unit = 10_f64.powf(v.max(1e-7).log10().floor());
            format!("{:.0e}", (v / unit).ceil().max(1.0) * unit)
        };
        let shifts =
            [shift(filter, &SCALES, 1), shift(filter, &SCALES, 16), shift(filter, &[1.0], 16)];
        let [resized, both, moved] = shifts.map(bound);
        format!("{} | {resized} | {both} | {moved}", bound(change(filter)))
    });
    vec![("zone plate", zone), ("ringing", ring), ("laws", laws)]
}

#[test]
fn the_tables_of_the_page_are_what_is_measured() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/framing-resample.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut now = page.clone();
    for (name, table) in tables() {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let from = now.find(&begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len();
        let to = from + now[from..].find(&end).unwrap_or_else(|| panic!("no {end}"));
        now.replace_range(from..to, &table);
    }
    if std::env::var_os("PLATEFARM_BLESS").is_some() {
        std::fs::write(&path, now).unwrap();
    } else {
        assert_eq!(page, now, "run again with PLATEFARM_BLESS=1 and look at what changes");
    }
}

#[test]
fn no_filter_breaks_the_laws() {
    for filter in Filter::ALL.iter().copied() {
        let change = change(filter);
        assert!(change < 1e-6, "{filter:?} changes a constant by {change}");
        let resized = shift(filter, &SCALES, 1);
        assert!(resized < 1e-3, "{filter:?} moves a spot by {resized}");
        // The others do not reproduce a slope, which shows where every line has the same phase.
        let exact = [Filter::Mitchell, Filter::CatmullRom, Filter::Triangle, Filter::Box];
        if exact.contains(&filter) {
            let moved = shift(filter, &SCALES, 16).max(shift(filter, &[1.0], 16));
            assert!(moved < 1e-3, "{filter:?} moves a moved spot by {moved}");
        }
        for scale in [0.47, 1.5] {
            let [low, high, least] = ringing(filter, scale, true);
            let kept = low >= f64::from(0.18_f32) && high <= 16.0 && least >= f64::from(0.18_f32);
            assert!(kept, "{filter:?} at {scale}: {low}, {high} and {least} with antiring");
        }
    }
}
