//! What a camera's own tool says of a clip, in a file beside it, by the columns
//! of ARRI Meta Extract. CinemaDNG has a tag for the rate at which a clip plays
//! and none for that at which it was captured.

use crate::ClipSpec;
use platefarm_model::FrameRate;
use std::fmt::Write as _;

const COLUMNS: &str = "Camera Clip Name\tReel\tMaster TC\tMaster TC Drop Frame\tProject FPS\tSensor FPS\tCamera SUP Name";

/// A heading, and a row for each frame, with tabs between the cells.
pub(crate) fn arri(spec: &ClipSpec, capture: FrameRate) -> String {
    let mut text = format!("{COLUMNS}\n");
    let reel = spec.reel.as_deref().unwrap_or_default();
    let (plays, captured) = (spec.rate.as_f64(), capture.as_f64());
    for frame in 0..i64::from(spec.frames) {
        let at = spec.start.map(|start| start.plus(frame));
        let time = at.map_or_else(String::new, |at| at.to_string());
        let drop = if at.is_some_and(|at| at.drop_frame) { "yes" } else { "no" };
        let name = &spec.name;
        writeln!(text, "{name}\t{reel}\t{time}\t{drop}\t{plays:.3}\t{captured:.3}\tSUP 1.0")
            .expect("a String takes what is written to it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_row_for_each_frame() {
        let spec = ClipSpec { frames: 2, ..ClipSpec::default() };
        let text = arri(&spec, FrameRate::new(96, 1).expect("a rate"));
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), 3);
        let row = ["S001_C001", "S001", "10:00:00:01", "no", "24.000", "96.000", "SUP 1.0"];
        assert_eq!(rows[2], row);
        assert!(rows.iter().all(|cells| cells.len() == row.len()));
    }
}
