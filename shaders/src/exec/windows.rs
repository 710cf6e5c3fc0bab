//! Which columns the CPU makes at a time.
//!
//! A debayer keeps dozens of rows between its steps. Those of a camera's whole
//! width are larger than what a core has of cache for itself, and each step
//! would fetch them from farther away than it takes to work on them. So a band
//! is made in windows of columns, each from the band's first row to its last.
//! A window computes its halo itself, as a band does, and cannot be seen either.

use super::plan::{Input, Plan};
use std::ops::Range;

/// Columns of a window, in columns that it shares with the next one: fewer, and
/// what is made twice costs more than near memory gains. Chosen, not measured.
const LEAST_OVERLAPS: usize = 8;

/// A run of delivered columns, with what it takes to make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Delivered columns, counted from the first that holds picture.
    pub(super) places: Range<usize>,
    /// Columns of the picture that are made. Of sensor data they begin at an even one.
    pub(super) columns: Range<u32>,
    /// Columns of the input that those look at.
    pub(super) input_columns: Range<u32>,
    /// How many of them another window has counted already.
    pub(super) counted: usize,
}

impl Window {
    /// Pairs of columns that are made.
    pub(super) fn pairs(&self) -> usize {
        self.columns.len().div_ceil(2)
    }
}

/// Columns of the input that are made at a time; of pixels chosen, not measured.
const fn fitting(input: &Input) -> u32 {
    match input {
        Input::Mosaic(mosaic) => super::debayering::window_of(mosaic.debayer),
        Input::Rgb(_) => 2048,
    }
}

/// The windows of a plan, from left to right, all of the same number of pairs of columns.
pub(super) fn windows(plan: &Plan) -> Vec<Window> {
    let block = plan.input.block();
    let overlap = plan.taps[0].count + (2 * plan.halo() / block) as usize;
    let fitting = (fitting(&plan.input) / block) as usize;
    windows_of(plan, fitting.max(LEAST_OVERLAPS * overlap))
}

/// The windows of a plan, each of about `most` columns of the picture.
pub(super) fn windows_of(plan: &Plan, most: usize) -> Vec<Window> {
    let [places, _] = plan.content_size();
    let count = plan.columns.len().div_ceil(most.max(1));
    let step = places.div_ceil(count.max(1)).max(1);
    let runs = (0..places).step_by(step).map(|from| from..(from + step).min(places));
    let whole = |places: &Range<usize>| {
        plan.input.whole(plan.taps[0].reads(places.clone()), plan.picture[0])
    };
    let wide = 2 * runs.clone().map(|run| whole(&run).len().div_ceil(2)).max().unwrap_or(0) as u32;
    let mut seen = 0;
    runs.map(|places| {
        let all = plan.columns.clone();
        // The last ones begin earlier, so that none is narrower.
        let latest = all.start + (all.len().next_multiple_of(2) as u32).saturating_sub(wide);
        let start = whole(&places).start.min(latest);
        let columns = start..(start + wide).min(all.end);
        let input_columns = plan.with_halo(columns.clone(), 0);
        let counted = input_columns.clone().take_while(|column| *column < seen).count();
        seen = input_columns.end;
        Window { places, columns, input_columns, counted }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::{pictures, recipes};

    #[test]
    fn windows_hold_all_that_is_read_and_count_each_column_once() {
        for (name, recipe) in recipes::every_kind().into_iter().chain(pictures::all()) {
            let plan = Plan::new(&recipe).unwrap();
            for most in [1, 2, 9, 16, 1000] {
                let windows = windows_of(&plan, most);
                let mut next = 0;
                for window in &windows {
                    assert_eq!(window.places.start, next, "{name}");
                    next = window.places.end;
                    let reads = plan.taps[0].reads(window.places.clone());
                    assert!(window.columns.start <= reads.start, "{name} {most}: {window:?}");
                    assert!(reads.end <= window.columns.end, "{name} {most}: {window:?}");
                    assert!(window.columns.end <= plan.columns.end, "{name} {most}");
                    assert_eq!(window.pairs(), windows[0].pairs(), "{name} {most}");
                    let even = matches!(plan.input, Input::Rgb(_)) || window.columns.start % 2 == 0;
                    assert!(even, "{name} {most}: {window:?}");
                }
                assert_eq!(next, plan.content_size()[0], "{name}");
                let counted: usize =
                    windows.iter().map(|w| w.input_columns.len() - w.counted).sum();
                assert_eq!(counted, plan.input_columns().len(), "{name} {most}");
            }
        }
    }
}
