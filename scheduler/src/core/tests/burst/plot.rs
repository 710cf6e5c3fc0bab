//! A burst drawn: tasks by show, stacked, over time, as an SVG that any browser shows.

use std::collections::BTreeMap;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 56.0;
const PLOT_W: f64 = WIDTH - LEFT - 24.0;
const PLOT_H: f64 = HEIGHT - TOP - 84.0;
/// Told apart in grey and by those who see red and green alike (Okabe and Ito 2008).
const COLORS: [&str; 4] = ["#D55E00", "#0072B2", "#56B4E9", "#BDBDBD"];

/// `seen` has the tasks of each show from a time on; microseconds.
pub(super) fn svg(
    seen: &[(i64, BTreeMap<String, u64>)],
    shows: &[&str],
    slots: u64,
    end: i64,
) -> String {
    let x = |us: i64| LEFT + us as f64 / end as f64 * PLOT_W;
    let y = |tasks: u64| TOP + (1.0 - tasks as f64 / slots as f64) * PLOT_H;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"16\" font-weight=\"bold\">\
         A burst: tasks by show, {slots} slots</text>"
    );
    // From the top of the stack down, so that each covers what lies under it.
    for at in 0..shows.len() {
        let under = &shows[at..];
        let height = |tasks: &BTreeMap<String, u64>| {
            under.iter().filter_map(|show| tasks.get(*show)).sum::<u64>()
        };
        let mut path = format!("M{LEFT:.1} {:.1}", y(0));
        let mut level = 0;
        for (us, tasks) in seen.iter().filter(|(us, _)| *us <= end) {
            let next = height(tasks);
            let _ = write!(path, "L{0:.1} {1:.1}L{0:.1} {2:.1}", x(*us), y(level), y(next));
            level = next;
        }
        let _ = write!(path, "L{0:.1} {1:.1}L{0:.1} {2:.1}Z", x(end), y(level), y(0));
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"{}\"/>", COLORS[at % COLORS.len()]);
    }
    for second in (0..=end / 1_000_000).step_by(10) {
        let at = x(second * 1_000_000);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{0}\" stroke=\"#0002\"/>\
             <text x=\"{at:.1}\" y=\"{1}\" text-anchor=\"middle\">{second} s</text>",
            TOP + PLOT_H,
            TOP + PLOT_H + 20.0
        );
    }
    for part in 0..=4 {
        let tasks = slots * part / 4;
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{0}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#0002\"/>\
             <text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{tasks}</text>",
            LEFT + PLOT_W,
            y(tasks),
            LEFT - 8.0,
            y(tasks) + 4.0
        );
    }
    for (at, show) in shows.iter().enumerate() {
        let left = LEFT + at as f64 * 190.0;
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{0}\" width=\"14\" height=\"14\" fill=\"{1}\"/>\
             <text x=\"{2}\" y=\"{3}\">{show}</text>",
            HEIGHT - 32.0,
            COLORS[at % COLORS.len()],
            left + 20.0,
            HEIGHT - 20.0
        );
    }
    out.push_str("</svg>\n");
    out
}
