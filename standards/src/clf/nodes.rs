//! The nodes that are formulas: matrix, range, CDL, exponent, logarithm.

use super::{Depth, array, counted, finite, numbers, refused};
use crate::xml::Element;
use platefarm_model::Outcome;
use platefarm_model::color::chain::{Cdl, Exponent, ExponentStyle, Link, Log, LogChannel};
use platefarm_model::color::{Matrix3, diagonal};

pub(super) fn matrix(node: &Element, [from, to]: [Depth; 2]) -> Outcome<Vec<Link>> {
    let (sizes, values) = array(node)?;
    // A third dimension, which version 2 had, is not looked at.
    let columns = match sizes[..] {
        [3, columns @ (3 | 4)] | [3, columns @ (3 | 4), _] => columns,
        _ => return Err(refused(format!("a matrix of {sizes:?}"), "Array/@dim")),
    };
    counted(&values, 3 * columns)?;
    finite(&values)?;
    let scale = from.one / to.one;
    let matrix: Matrix3 =
        std::array::from_fn(|r| std::array::from_fn(|c| values[r * columns + c] * scale));
    let offset =
        std::array::from_fn(|r| if columns == 4 { values[r * columns + 3] / to.one } else { 0.0 });
    Ok(vec![Link::Matrix { matrix, offset }])
}

pub(super) fn range(node: &Element, [from, to]: [Depth; 2]) -> Outcome<Vec<Link>> {
    let value = |name: &str, one: f64| -> Outcome<Option<f64>> {
        let Some(text) = node.text_of(name) else { return Ok(None) };
        match numbers(text, name)?[..] {
            [value] if value.is_finite() => Ok(Some(value / one)),
            _ => Err(refused(format!("'{text}' is not one number"), name)),
        }
    };
    let (in_low, in_high) = (value("minInValue", from.one)?, value("maxInValue", from.one)?);
    let (out_low, out_high) = (value("minOutValue", to.one)?, value("maxOutValue", to.one)?);
    let clamps = match node.attribute("style") {
        None | Some("Clamp") => true,
        Some("noClamp") => false,
        Some(other) => return Err(refused(format!("'{other}' is no style of a Range"), "@style")),
    };
    if in_low.is_some() != out_low.is_some() || in_high.is_some() != out_high.is_some() {
        return Err(refused("a bound is given on one side only", "Range"));
    }
    let alone = |a: f64, b: f64| {
        let same = (a - b).abs() <= 1e-6 * a.abs().max(1.0);
        if same { Ok(()) } else { Err(refused("a single bound may not be moved", "Range")) }
    };
    match (in_low.zip(out_low), in_high.zip(out_high)) {
        (None, None) => Err(refused("the Range is empty", "Range")),
        (Some((low, moved)), None) | (None, Some((low, moved))) => {
            alone(low, moved)?;
            if !clamps {
                return Err(refused("without clamping a Range needs all four values", "Range"));
            }
            Ok(vec![Link::Clamp { low: out_low, high: out_high }])
        }
        (Some((low, to_low)), Some((high, to_high))) => {
            if low >= high || to_low > to_high {
                return Err(refused("the lower bound is not below the upper", "Range"));
            }
            let scale = (to_high - to_low) / (high - low);
            finite(&[scale, to_low - low * scale])?;
            let mut links = vec![Link::Matrix {
                matrix: diagonal([scale; 3]),
                offset: [to_low - low * scale; 3],
            }];
            if clamps {
                links.push(Link::Clamp { low: out_low, high: out_high });
            }
            Ok(links)
        }
    }
}

/// Three numbers.
fn triple(node: &Element, name: &str) -> Outcome<[f64; 3]> {
    let text = node.text_of(name).ok_or_else(|| refused(format!("there is no {name}"), name))?;
    let values = numbers(text, name)?;
    <[f64; 3]>::try_from(values)
        .ok()
        .filter(|v| v.iter().all(|v| v.is_finite()))
        .ok_or_else(|| refused(format!("{name} is not three numbers"), name))
}

/// Slope, offset and power of an SOPNode, saturation of a SatNode; what is not there does nothing.
pub(crate) fn cdl_values(sop: Option<&Element>, sat: Option<&Element>) -> Outcome<Cdl> {
    let mut cdl = Cdl {
        slope: [1.0; 3],
        offset: [0.0; 3],
        power: [1.0; 3],
        saturation: 1.0,
        clamp: true,
        inverse: false,
    };
    if let Some(sop) = sop {
        cdl.slope = triple(sop, "Slope")?;
        cdl.offset = triple(sop, "Offset")?;
        cdl.power = triple(sop, "Power")?;
    }
    if let Some(sat) = sat {
        let text = sat
            .text_of("Saturation")
            .ok_or_else(|| refused("there is no Saturation", "Saturation"))?;
        cdl.saturation = match numbers(text, "Saturation")?[..] {
            [value] if value.is_finite() => value,
            _ => return Err(refused("Saturation is not one number", "Saturation")),
        };
    }
    match cdl_fault(&cdl) {
        Some((place, message)) => Err(refused(message, place)),
        None => Ok(cdl),
    }
}

/// What no correction can be, wherever it is written: the value that is wrong, and why.
pub(crate) fn cdl_fault(cdl: &Cdl) -> Option<(&'static str, String)> {
    let Cdl { slope, offset, power, saturation, .. } = cdl;
    let all = [slope, offset, power, &[*saturation; 3]];
    let places = ["Slope", "Offset", "Power", "Saturation"];
    if let Some((values, place)) = all.into_iter().zip(places).find(|(v, _)| finite(*v).is_err()) {
        return Some((place, format!("a number of {values:?} is not finite")));
    }
    if slope.iter().any(|v| *v < 0.0) {
        return Some(("Slope", format!("a slope of {slope:?} is below 0")));
    }
    if power.iter().any(|v| *v <= 0.0) {
        return Some(("Power", format!("a power of {power:?} is not above 0")));
    }
    (*saturation < 0.0).then(|| ("Saturation", "the saturation is below 0".to_owned()))
}

pub(super) fn cdl(node: &Element) -> Outcome<Vec<Link>> {
    let (clamp, inverse) = match node.attribute("style") {
        None | Some("Fwd") => (true, false),
        Some("Rev") => (true, true),
        Some("FwdNoClamp") => (false, false),
        Some("RevNoClamp") => (false, true),
        Some(other) => return Err(refused(format!("'{other}' is no style of a CDL"), "@style")),
    };
    let values = cdl_values(node.child("SOPNode"), node.child("SatNode"))?;
    Ok(vec![Link::Cdl(Cdl { clamp, inverse, ..values })])
}

/// Parameters of the three channels: one element for all, or one each; a
/// channel that is not named takes `none`.
fn channels<'a, T: Copy>(
    node: &'a Element,
    name: &str,
    none: T,
    mut read: impl FnMut(&'a Element) -> Outcome<T>,
) -> Outcome<[T; 3]> {
    let mut out = [None; 3];
    for params in node.children.iter().filter(|c| &*c.name == name) {
        let value = read(params)?;
        let which = match params.attribute("channel") {
            None => {
                out = out.map(|known| known.or(Some(value)));
                continue;
            }
            Some("R") => 0,
            Some("G") => 1,
            Some("B") => 2,
            Some(other) => {
                return Err(refused(
                    format!("'{other}' is no channel"),
                    format!("{name}/@channel"),
                ));
            }
        };
        out[which] = Some(value);
    }
    Ok(out.map(|value| value.unwrap_or(none)))
}

/// A number of an attribute, where it is there.
fn number(element: &Element, name: &str) -> Outcome<Option<f64>> {
    let Some(text) = element.attribute(name) else { return Ok(None) };
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(refused(format!("'{}' is no number", super::shown(text)), format!("@{name}"))),
    }
}

pub(super) fn exponent(node: &Element) -> Outcome<Vec<Link>> {
    use ExponentStyle::{Basic, Mirror, Monitor, MonitorMirror, PassThrough};
    let (style, inverse) = match node.attribute("style").unwrap_or("") {
        "basicFwd" => (Basic, false),
        "basicRev" => (Basic, true),
        "basicMirrorFwd" => (Mirror, false),
        "basicMirrorRev" => (Mirror, true),
        "basicPassThruFwd" => (PassThrough, false),
        "basicPassThruRev" => (PassThrough, true),
        "monCurveFwd" => (Monitor, false),
        "monCurveRev" => (Monitor, true),
        "monCurveMirrorFwd" => (MonitorMirror, false),
        "monCurveMirrorRev" => (MonitorMirror, true),
        other => return Err(refused(format!("'{other}' is no style of an Exponent"), "@style")),
    };
    let monitor = matches!(style, Monitor | MonitorMirror);
    let params = channels(node, "ExponentParams", (1.0, 0.0), |params| {
        let exponent = number(params, "exponent")?
            .ok_or_else(|| refused("there is no exponent", "ExponentParams"))?;
        let offset = number(params, "offset")?;
        let (low, high) = if monitor { (1.0, 10.0) } else { (0.01, 100.0) };
        if !(low..=high).contains(&exponent) {
            let message = format!("an exponent of {exponent} is not within {low} and {high}");
            return Err(refused(message, "ExponentParams/@exponent"));
        }
        if offset.is_some() && !monitor {
            return Err(refused("a basic style has no offset", "ExponentParams/@offset"));
        }
        let offset = offset.unwrap_or(0.0);
        if !(0.0..=0.9).contains(&offset) {
            let message = format!("an offset of {offset} is not within 0 and 0.9");
            return Err(refused(message, "ExponentParams/@offset"));
        }
        Ok((exponent, offset))
    })?;
    if node.child("ExponentParams").is_none() {
        return Err(refused("there are no ExponentParams", "ExponentParams"));
    }
    Ok(vec![Link::Exponent(Exponent {
        style,
        inverse,
        exponent: params.map(|p| p.0),
        offset: params.map(|p| p.1),
    })])
}

pub(super) fn log(node: &Element) -> Outcome<Vec<Link>> {
    let style = node.attribute("style").unwrap_or("");
    let (fixed, inverse, camera) = match style {
        "log2" => (Some(2.0), false, false),
        "antiLog2" => (Some(2.0), true, false),
        "log10" => (Some(10.0), false, false),
        "antiLog10" => (Some(10.0), true, false),
        "linToLog" => (None, false, false),
        "logToLin" => (None, true, false),
        "cameraLinToLog" => (None, false, true),
        "cameraLogToLin" => (None, true, true),
        other => return Err(refused(format!("'{other}' is no style of a Log"), "@style")),
    };
    let plain =
        LogChannel { lin_slope: 1.0, lin_offset: 0.0, log_slope: 1.0, log_offset: 0.0, toe: None };
    if let Some(base) = fixed {
        if node.child("LogParams").is_some() {
            return Err(refused(format!("style {style} has no parameters"), "LogParams"));
        }
        return Ok(vec![Link::Log(Log { inverse, base, channels: [plain; 3] })]);
    }
    let mut base = None;
    let channels = channels(node, "LogParams", plain, |params| {
        let this = number(params, "base")?.unwrap_or(2.0);
        if this <= 0.0 || this == 1.0 || base.is_some_and(|b| b != this) {
            let message = format!("a base of {this} is none, or not that of the others");
            return Err(refused(message, "LogParams/@base"));
        }
        base = Some(this);
        channel(params, this, camera)
    })?;
    Ok(vec![Link::Log(Log { inverse, base: base.unwrap_or(2.0), channels })])
}

fn channel(params: &Element, base: f64, camera: bool) -> Outcome<LogChannel> {
    let or = |name: &str, default: f64| number(params, name).map(|v| v.unwrap_or(default));
    let mut channel = LogChannel {
        lin_slope: or("linSideSlope", 1.0)?,
        lin_offset: or("linSideOffset", 0.0)?,
        log_slope: or("logSideSlope", 1.0)?,
        log_offset: or("logSideOffset", 0.0)?,
        toe: None,
    };
    if channel.lin_slope == 0.0 || channel.log_slope == 0.0 {
        return Err(refused("a slope of 0 cannot be undone", "LogParams"));
    }
    let at = number(params, "linSideBreak")?;
    let linear = number(params, "linearSlope")?;
    match (camera, at) {
        (true, Some(at)) => {
            let inner = channel.lin_slope * at + channel.lin_offset;
            let own = channel.log_slope * channel.lin_slope / (inner * base.ln());
            let slope = linear.unwrap_or(own);
            if inner <= 0.0 || slope == 0.0 || !slope.is_finite() {
                let message = format!("the logarithm has no value at the break {at}");
                return Err(refused(message, "LogParams/@linSideBreak"));
            }
            channel.toe = Some([at, slope]);
        }
        (true, None) => {
            return Err(refused("a camera style needs a linSideBreak", "LogParams/@linSideBreak"));
        }
        (false, at) if at.is_some() || linear.is_some() => {
            return Err(refused("only camera styles have a straight part", "LogParams"));
        }
        _ => {}
    }
    Ok(channel)
}
