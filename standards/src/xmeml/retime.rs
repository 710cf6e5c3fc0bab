//! The time remap of a clip. Its in and out count in the time that the remap
//! makes; what they show of the source follows from its speed or its graph.

use super::clip::Place;
use super::number;
use crate::editlist::RemapPoint;
use crate::xml::Element;

/// What a remap makes of a clip.
pub(super) struct Retime {
    /// Source frames that are shown, first and one past the last.
    pub(super) source: [i64; 2],
    /// Source frames per record frame; `None` when it changes.
    pub(super) speed: Option<f64>,
    /// The changing speed.
    pub(super) points: Vec<RemapPoint>,
}

fn effect(item: &Element) -> Option<&Element> {
    item.all("filter")
        .filter_map(|filter| filter.child("effect"))
        .find(|effect| effect.text_of("effectid") == Some("timeremap"))
}

fn parameter<'a>(effect: &'a Element, id: &str) -> Option<&'a Element> {
    effect.all("parameter").find(|p| p.text_of("parameterid") == Some(id))
}

/// A constant speed, below 0 when it runs backwards; `None` where there is no remap.
pub(super) fn constant(item: &Element) -> Option<f64> {
    let effect = effect(item)?;
    let told: f64 = parameter(effect, "speed")?.text_of("value")?.parse().ok()?;
    let reverse = parameter(effect, "reverse")
        .and_then(|p| p.text_of("value"))
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let factor = factor(told);
    (factor.abs() <= 1e4).then_some(if reverse { -factor.abs() } else { factor })
}

/// Speeds are per cent by the format; some writers give the factor, which would be slower than
/// any camera was ever slowed.
fn factor(told: f64) -> f64 {
    if is_factor(told) { told } else { told / 100.0 }
}

fn is_factor(told: f64) -> bool {
    told != 0.0 && told.abs() < 2.0
}

pub(super) fn of(
    item: &Element,
    place: &Place,
    record: i64,
    warn: &mut Vec<String>,
) -> Option<Retime> {
    let effect = effect(item)?;
    let name = item.text_of("name").unwrap_or("?");
    let graph = graph(effect);
    let variable = parameter(effect, "variablespeed")
        .and_then(|p| p.text_of("value"))
        .is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"));
    if variable && graph.len() >= 2 {
        return Some(changing(&graph, place, record));
    }
    let Some(speed) = constant(item) else {
        warn.push(format!("the speed of '{name}' cannot be read"));
        return None;
    };
    let told = parameter(effect, "speed").and_then(|p| p.text_of("value")?.parse::<f64>().ok());
    if told.is_some_and(is_factor) {
        warn.push(format!(
            "the speed of '{name}' is written as {}; it is read as a factor, not as per cent",
            told.unwrap_or_default()
        ));
    }
    if (speed - 1.0).abs() < 1e-9 {
        return None;
    }
    let length = (record as f64 * speed.abs() - 1e-6).ceil().max(1.0) as i64;
    // Beyond its own length a clip counts in its source.
    let remapped = number(item, "duration").is_none_or(|duration| place.source[0] <= duration);
    let backwards = speed < 0.0;
    if backwards && graph.len() < 2 {
        warn.push(format!(
            "'{name}' runs backwards, and no key frames say from where: its in is counted from the first frame of the source"
        ));
    }
    let first = match graph.as_slice() {
        // Backwards the lowest frame is the one that is shown last.
        [_, _, ..] => {
            let when = place.source[0] + if backwards { record } else { 0 };
            at(&graph, when as f64).floor() as i64
        }
        _ if remapped => (place.source[0] as f64 * speed.abs()).floor() as i64,
        _ => place.source[0],
    };
    Some(Retime { source: [first, first + length], speed: Some(speed), points: Vec::new() })
}

/// Keyframes of the graph: remapped frame and source frame, in order.
fn graph(effect: &Element) -> Vec<[f64; 2]> {
    const MOST: usize = 10_000;
    let Some(graph) = parameter(effect, "graphdict") else { return Vec::new() };
    let frame = |key: &Element, name| number(key, name).map(|frame| frame as f64);
    let mut points: Vec<[f64; 2]> = graph
        .all("keyframe")
        .take(MOST)
        .filter_map(|key| Some([frame(key, "when")?, frame(key, "value")?]))
        .collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    points.dedup_by(|a, b| a[0] == b[0]);
    points
}

/// The graph at a remapped frame; beyond its ends it goes on as it came.
fn at(graph: &[[f64; 2]], when: f64) -> f64 {
    let next = graph.partition_point(|p| p[0] <= when).clamp(1, graph.len() - 1);
    let ([a, va], [b, vb]) = (graph[next - 1], graph[next]);
    va + (vb - va) * (when - a) / (b - a)
}

fn changing(graph: &[[f64; 2]], place: &Place, record: i64) -> Retime {
    let [from, to] = [place.source[0] as f64, place.source[0] as f64 + record as f64];
    let inner = graph.iter().map(|p| p[0]).filter(|when| *when > from && *when < to);
    let whens: Vec<f64> = std::iter::once(from).chain(inner).chain([to]).collect();
    let values: Vec<f64> = whens.iter().map(|when| at(graph, *when)).collect();
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min).floor();
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
    let points = whens
        .iter()
        .zip(&values)
        .map(|(when, value)| RemapPoint { record: when - from, source: value - lowest })
        .collect();
    Retime { source: [lowest as i64, (highest as i64).max(lowest as i64 + 1)], speed: None, points }
}
