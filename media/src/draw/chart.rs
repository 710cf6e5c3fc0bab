//! The framing chart of an FDL: a picture of a canvas, pixel for pixel, with
//! the lines of its parts. Shot off a monitor or laid over a frame it shows
//! whether two people mean the same frame.

use super::{Picture, font};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_standards::fdl::{Canvas, FramingDecision};

/// Most pixels of a chart: twice those of the largest sensor on the market.
const MOST_PIXELS: u64 = 200_000_000;
/// Grey of the canvas; each part within is a step lighter.
const GROUND: u8 = 22;
const STEP: u8 = 11;

/// One part of a canvas as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What stands beside it.
    pub label: String,
    /// Columns and rows, in pixels of the canvas.
    pub size: [f64; 2],
    /// Top left, in pixels of the canvas.
    pub anchor: [f64; 2],
    /// Its colour.
    pub color: [u8; 3],
    /// Whether it is drawn in dashes.
    pub dashed: bool,
}

impl Line {
    fn of(name: &str, size: [f64; 2], anchor: [f64; 2], color: [u8; 3], dashed: bool) -> Self {
        let [w, h] = size.map(|v| (v * 1000.0).round() / 1000.0);
        let [x, y] = anchor.map(|v| (v * 1000.0).round() / 1000.0);
        Self { label: format!("{name} {w} x {h} at {x}, {y}"), size, anchor, color, dashed }
    }

    /// First column and row, and the ones after the last, in a picture of
    /// `scale` pixels per pixel of the canvas.
    fn edges(&self, scale: [f64; 2]) -> [usize; 4] {
        let edge = |i: usize, at: f64| (at * scale[i]).round().max(0.0) as usize;
        let end = |i: usize| edge(i, self.anchor[i] + self.size[i]);
        [edge(0, self.anchor[0]), edge(1, self.anchor[1]), end(0), end(1)]
    }
}

/// The parts of a canvas with these decisions, from the outside in: canvas
/// white, effective part blue in dashes, protection amber in dashes, frame green.
#[must_use]
pub fn lines(canvas: &Canvas, decisions: &[&FramingDecision]) -> Vec<Line> {
    let origin = [0.0; 2];
    let name = match canvas.anamorphic_squeeze {
        Some(squeeze) if squeeze != 1.0 => format!("canvas {} (squeeze {squeeze})", canvas.id),
        _ => format!("canvas {}", canvas.id),
    };
    let mut lines = vec![Line::of(&name, canvas.dimensions.into(), origin, [230; 3], false)];
    if let Some(size) = canvas.effective_dimensions {
        let anchor = canvas.effective_anchor_point.map_or(origin, Into::into);
        lines.push(Line::of("effective", size.into(), anchor, [96, 160, 255], true));
    }
    for decision in decisions {
        if let Some(size) = decision.protection_dimensions {
            let anchor = decision.protection_anchor_point.map_or(origin, Into::into);
            let name = format!("protection {}", decision.framing_intent_id);
            lines.push(Line::of(&name, size.into(), anchor, [255, 176, 32], true));
        }
        let (size, anchor) = (decision.dimensions.into(), decision.anchor_point.into());
        let name = format!("framing {}", decision.framing_intent_id);
        lines.push(Line::of(&name, size, anchor, [64, 220, 96], false));
    }
    lines
}

/// Draws `lines` over a picture of the whole canvas, which may be larger or
/// smaller than the canvas is. Every line lies within its part: its outermost
/// pixels are the part's.
pub fn draw_lines(picture: &mut Picture, canvas: [u32; 2], lines: &[Line], thickness: usize) {
    let scale = scale(picture, canvas);
    for line in lines {
        let [x0, y0, x1, y1] = line.edges(scale);
        let (width, height) = (x1.saturating_sub(x0), y1.saturating_sub(y0));
        let (across, down) = (thickness.min(width), thickness.min(height));
        for (at, length) in strokes(width, line.dashed, thickness) {
            picture.fill(x0 + at, y0, [length, down], line.color);
            picture.fill(x0 + at, y1 - down, [length, down], line.color);
        }
        for (at, length) in strokes(height, line.dashed, thickness) {
            picture.fill(x0, y0 + at, [across, length], line.color);
            picture.fill(x1 - across, y0 + at, [across, length], line.color);
        }
    }
}

fn scale(picture: &Picture, canvas: [u32; 2]) -> [f64; 2] {
    [picture.width as f64 / f64::from(canvas[0]), picture.height as f64 / f64::from(canvas[1])]
}

/// Begin and length of each stroke along an edge. Dashes are mirror-symmetrical
/// and begin and end with a stroke, so that the corners stand.
fn strokes(length: usize, dashed: bool, thickness: usize) -> Vec<(usize, usize)> {
    let dash = 12 * thickness.max(1);
    if !dashed || length <= dash {
        return vec![(0, length)];
    }
    let count = length.div_ceil(2 * dash).max(2);
    let place = |i: usize| i * (length - dash) / (count - 1);
    (0..count).map(|i| (place(i), dash)).collect()
}

/// The chart of a canvas, of its size.
///
/// # Errors
/// [`Code::TooLarge`] when the canvas has more pixels than a chart may have.
pub fn chart(canvas: &Canvas, decisions: &[&FramingDecision]) -> Outcome<Picture> {
    let size = [canvas.dimensions.width, canvas.dimensions.height];
    let pixels = u64::from(size[0]) * u64::from(size[1]);
    if pixels > MOST_PIXELS {
        let message = format!("a chart of canvas '{}' would have {pixels} pixels", canvas.id);
        return Err(Fault::new(Code::TooLarge, message)
            .remedy(format!("Charts are drawn up to {MOST_PIXELS} pixels.")));
    }
    let [width, height] = size.map(|side| side as usize);
    let thickness = 2 * (width.min(height) / 1500).max(1);
    let lines = lines(canvas, decisions);
    let mut picture = Picture::filled(width, height, [GROUND; 3]);
    for (depth, line) in lines.iter().enumerate() {
        let [x0, y0, x1, y1] = line.edges([1.0; 2]);
        let grey = [GROUND.saturating_add(STEP.saturating_mul(depth.min(10) as u8)); 3];
        picture.fill(x0, y0, [x1.saturating_sub(x0), y1.saturating_sub(y0)], grey);
    }
    // The lines come last: a label must not cover what it speaks of.
    label(&mut picture, &lines, thickness);
    if let Some(inner) = lines.last() {
        cross(&mut picture, inner, thickness);
    }
    draw_lines(&mut picture, size, &lines, thickness);
    Ok(picture)
}

/// A cross-hair in the middle of a part; as the thickness is even, it lies
/// evenly about the middle of an even size.
fn cross(picture: &mut Picture, line: &Line, thickness: usize) {
    let [x0, y0, x1, y1] = line.edges([1.0; 2]);
    let [x, y] = [x0.midpoint(x1), y0.midpoint(y1)];
    let arm = (x1 - x0).min(y1 - y0) / 12;
    let half = thickness / 2;
    let ink = [230; 3];
    picture.fill(x.saturating_sub(arm), y.saturating_sub(half), [2 * arm, thickness], ink);
    picture.fill(x.saturating_sub(half), y.saturating_sub(arm), [thickness, 2 * arm], ink);
}

/// Writes each label inside its part, below the top edge, and lower where
/// another label stands already.
fn label(picture: &mut Picture, lines: &[Line], thickness: usize) {
    let scale = (picture.width.min(picture.height) / 480).max(1);
    let line_height = (font::HEIGHT + 4) * scale;
    let mut taken: Vec<[usize; 3]> = Vec::new();
    for line in lines {
        let [x0, y0, ..] = line.edges([1.0; 2]);
        let x = x0 + thickness + 4 * scale;
        let mut y = y0 + thickness + 3 * scale;
        let end = x + line.label.chars().count() * (font::WIDTH + 1) * scale;
        while taken.iter().any(|[left, right, top]| {
            x < *right && end > *left && y < top + line_height && top < &(y + line_height)
        }) {
            y += 1;
        }
        taken.push([x, end, y]);
        picture.write(&line.label, x, y, scale, line.color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_standards::fdl::Fdl;

    /// 400 x 300 with an off-centre effective part, a protection and a frame.
    fn document() -> Fdl {
        let text = r#"{"uuid":"11111111-2222-4333-8444-555555555555","version":{"major":2,"minor":0},
            "framing_intents":[{"id":"F","aspect_ratio":{"width":2,"height":1}}],
            "contexts":[{"canvases":[{"id":"C","source_canvas_id":"C",
              "dimensions":{"width":400,"height":300},
              "effective_dimensions":{"width":360,"height":280},"effective_anchor_point":{"x":30,"y":10},
              "framing_decisions":[{"id":"C-F","framing_intent_id":"F",
                "dimensions":{"width":200,"height":100},"anchor_point":{"x":120,"y":90.5},
                "protection_dimensions":{"width":300,"height":150},"protection_anchor_point":{"x":60,"y":70}}]}]}]}"#;
        Fdl::parse(text.as_bytes()).unwrap()
    }

    fn at(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
        let i = (y * picture.width + x) * 3;
        [picture.rgb[i], picture.rgb[i + 1], picture.rgb[i + 2]]
    }

    #[test]
    fn every_line_is_the_outermost_of_its_part() {
        let fdl = document();
        let (_, canvas) = fdl.canvases().next().unwrap();
        let decision = &canvas.framing_decisions[0];
        let lines = lines(canvas, &[decision]);
        let picture = chart(canvas, &[decision]).unwrap();
        assert_eq!((picture.width, picture.height), (400, 300));
        // The corners of each part, its last pixels, and the pixels just outside of them.
        let parts = [[0, 0, 400, 300], [30, 10, 390, 290], [60, 70, 360, 220], [120, 91, 320, 191]];
        for (i, ([x0, y0, x1, y1], line)) in parts.into_iter().zip(&lines).enumerate() {
            for (x, y) in [(x0, y0), (x1 - 1, y0), (x0, y1 - 1), (x1 - 1, y1 - 1)] {
                assert_eq!(at(&picture, x, y), line.color, "{} at {x}, {y}", line.label);
            }
            if i > 0 {
                for (x, y) in [(x0 - 1, y1 - 3), (x1, y1 - 3), (x0 + 2, y1), (x1 - 3, y1)] {
                    assert_ne!(at(&picture, x, y), line.color, "{} at {x}, {y}", line.label);
                }
            }
        }
        let colors: std::collections::HashSet<_> = lines.iter().map(|line| line.color).collect();
        assert_eq!(colors.len(), 4, "each part has a colour of its own");
    }

    #[test]
    fn the_cross_lies_evenly_about_the_middle_of_the_frame() {
        let fdl = document();
        let (_, canvas) = fdl.canvases().next().unwrap();
        let picture = chart(canvas, &[&canvas.framing_decisions[0]]).unwrap();
        // The frame is 120..320 by 91..191, its middle lies between two columns.
        for x in [219, 220] {
            assert_eq!(at(&picture, x, 141 - 6), [230; 3]);
        }
        assert_ne!(at(&picture, 218, 135), [230; 3]);
        assert_ne!(at(&picture, 221, 135), [230; 3]);
        for y in [140, 141] {
            assert_eq!(at(&picture, 213, y), [230; 3]);
        }
    }

    #[test]
    fn a_dashed_line_has_gaps_and_whole_corners_and_is_symmetrical() {
        let marks = |length| {
            let mut on = vec![false; length];
            for (at, run) in strokes(length, true, 2) {
                on[at..at + run].fill(true);
            }
            on
        };
        for length in [360, 361, 99, 30] {
            let on = marks(length);
            assert!(on[0] && on[length - 1]);
            assert!(length < 48 || on.iter().any(|set| !set), "{length}");
        }
        let on = marks(360);
        assert!(on.iter().eq(on.iter().rev()));
        assert_eq!(strokes(20, true, 2), [(0, 20)]);
        assert_eq!(strokes(20, false, 2), [(0, 20)]);
    }

    #[test]
    fn lines_follow_the_scale_of_the_picture() {
        let fdl = document();
        let (_, canvas) = fdl.canvases().next().unwrap();
        let lines = lines(canvas, &[&canvas.framing_decisions[0]]);
        let mut half = Picture::filled(200, 150, [0; 3]);
        draw_lines(&mut half, [400, 300], &lines[3..], 1);
        assert_eq!(at(&half, 60, 45), lines[3].color);
        assert_eq!(at(&half, 159, 94), lines[3].color);
        let drawn = half.rgb.chunks(3).filter(|p| **p != [0; 3]).count();
        // 90.5 * 0.5 = 45.25 and 190.5 * 0.5 = 95.25: 100 by 50 pixels.
        assert_eq!(drawn, 2 * 100 + 2 * 48);
    }

    #[test]
    fn labels_do_not_cover_each_other_and_a_giant_is_refused() {
        let fdl = document();
        let (_, canvas) = fdl.canvases().next().unwrap();
        let mut canvas = canvas.clone();
        let decision = canvas.framing_decisions[0].clone();
        let whole = [canvas.dimensions.into(), [0.0; 2]];
        let same: Vec<Line> =
            (0..3).map(|i| Line::of("x", whole[0], whole[1], [50 + i; 3], false)).collect();
        let mut picture = Picture::filled(400, 300, [0; 3]);
        label(&mut picture, &same, 2);
        for line in &same {
            let dots = picture.rgb.chunks(3).filter(|p| **p == line.color).count();
            let first = picture.rgb.chunks(3).filter(|p| **p == same[0].color).count();
            assert_eq!(dots, first, "all of its dots stand");
            assert!(dots > 30);
        }
        canvas.dimensions.width = 65536;
        canvas.dimensions.height = 65536;
        assert_eq!(chart(&canvas, &[&decision]).unwrap_err().code, Code::TooLarge);
    }
}
