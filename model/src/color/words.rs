//! What the links of a chain do, in words for people, with every number that decides it but those
//! of tables.

use super::aces2::Target;
use super::chain::{Exponent, ExponentStyle, Link, Log, LogChannel};
use super::space::{P3, REC2020, SPACES};
use super::transfer::{LogCurve, Transfer};
use super::{ACES_WHITE, D65, REC709};

/// What a link does, in a line: for `platefarm color explain`.
#[must_use]
pub fn describe(link: &Link) -> String {
    // Adding 0 takes the sign off a zero.
    let number = |v: &f64| format!("{:.6}", (v * 1e6).round() / 1e6 + 0.0);
    let numbers = |values: &[f64]| values.iter().map(number).collect::<Vec<_>>().join(" ");
    let detail = match link {
        Link::Matrix { matrix, offset } => {
            let rows: Vec<String> = matrix.iter().map(|row| numbers(row)).collect();
            let offset =
                if *offset == [0.0; 3] { String::new() } else { format!(" + {}", numbers(offset)) };
            format!("[{}]{offset}", rows.join("; "))
        }
        Link::Decode(t) | Link::Encode(t) => transfer(t),
        Link::Clamp { low, high } => format!(
            "{} .. {}",
            low.map_or("-inf".into(), |v| v.to_string()),
            high.map_or("inf".into(), |v| v.to_string())
        ),
        Link::Cdl(cdl) => cdl.to_string(),
        Link::Exponent(exponent) => powers(exponent),
        Link::Log(log) => logarithm(log),
        Link::Lut1d(lut) => format!("{} entries{}", lut.length, undone(lut.inverse)),
        Link::Lut3d(lut) => format!("{0}x{0}x{0}{1}", lut.size, undone(lut.inverse)),
        Link::Surround { exponent, .. } => format!("luminance to the {exponent:.4}"),
        Link::Output2 { target, inverse } => format!(
            "{} cd/m2 within {}{}",
            target.peak_nits,
            gamut(target),
            if *inverse { ", display to scene" } else { "" }
        ),
        Link::Tone { curve, inverse } => {
            let [dark, middle, bright] = curve.points.map(|[_, luminance]| short(luminance));
            format!("{dark} to {bright} cd/m2, middle {middle}{}", undone(*inverse))
        }
        Link::GamutCompress { inverse } | Link::Sweeten { inverse } => {
            undone(*inverse).trim_start_matches(", ").to_owned()
        }
    };
    format!("{} {detail}", link.name()).trim_end().to_owned()
}

const fn undone(inverse: bool) -> &'static str {
    if inverse { ", undone" } else { "" }
}

/// A number with seven digits that count.
fn short(v: f64) -> String {
    format!("{v:.6e}").parse().unwrap_or(v).to_string()
}

/// Limiting gamut of an output: its name, else its corners.
fn gamut(target: &Target) -> String {
    let known = [(REC709, "Rec.709"), (P3, "P3"), (REC2020, "Rec.2020")];
    let known = known.iter().find(|(primaries, _)| *primaries == target.primaries);
    let primaries =
        known.map_or_else(|| format!("{:?}", target.primaries), |(_, name)| (*name).to_owned());
    let whites = [(D65, "-D65".to_owned()), (ACES_WHITE, "-D60".to_owned())];
    let white = whites.into_iter().find(|(white, _)| *white == target.white);
    let [x, y] = target.white;
    primaries + &white.map_or_else(|| format!(", white {x} {y}"), |(_, name)| name)
}

/// An exponent, by CLF's name of its style.
fn powers(exponent: &Exponent) -> String {
    let style = match exponent.style {
        ExponentStyle::Basic => "basic",
        ExponentStyle::Mirror => "basicMirror",
        ExponentStyle::PassThrough => "basicPassThru",
        ExponentStyle::Monitor => "monCurve",
        ExponentStyle::MonitorMirror => "monCurveMirror",
    };
    let way = if exponent.inverse { "Rev" } else { "Fwd" };
    let triple = |values: [f64; 3]| values.map(short).join(" ");
    let offset = if exponent.offset == [0.0; 3] {
        String::new()
    } else {
        format!(", offset {}", triple(exponent.offset))
    };
    format!("{style}{way} {}{offset}", triple(exponent.exponent))
}

fn logarithm(log: &Log) -> String {
    let channel = |c: &LogChannel| {
        let toe = c.toe.map_or_else(String::new, |[at, slope]| {
            format!(", straight below {} with slope {}", short(at), short(slope))
        });
        let [a, b, c, d] = [c.log_slope, c.lin_slope, c.lin_offset, c.log_offset].map(short);
        format!("{a} * log({b} * x + {c}) + {d}{toe}")
    };
    let [r, g, b] = log.channels.each_ref().map(channel);
    let channels = if r == g && g == b { r } else { [r, g, b].join(" | ") };
    format!("base {}: {channels}{}", short(log.base), undone(log.inverse))
}

/// A curve by the first space that has it, and its constants.
fn transfer(transfer: &Transfer) -> String {
    let named = SPACES.iter().find(|s| s.transfer == *transfer && *transfer != Transfer::Linear);
    let name = named.map_or_else(
        || match transfer {
            Transfer::Log(_) | Transfer::LogKnee(..) => "logarithm with a toe",
            Transfer::Gamma(_) | Transfer::DisplayGamma(_) => "power",
            Transfer::DisplayToed { .. } => "sRGB",
            Transfer::Pq => "ST 2084",
            Transfer::HlgCurve => "HLG",
            _ => "curve",
        },
        |space| space.name,
    );
    constants(transfer).map_or_else(|| name.to_owned(), |constants| format!("{name}: {constants}"))
}

/// The constants of a curve that has some of its own, as it decodes.
fn constants(transfer: &Transfer) -> Option<String> {
    let log = |curve: &LogCurve| {
        let LogCurve { rate, shift, offset, gain, code_break, slope, black, .. } = *curve;
        let [rate, shift, offset, gain] = [rate, shift, offset, gain].map(short);
        let [code_break, slope, black] = [code_break, slope, black].map(short);
        format!(
            "{gain} * (2^({rate} * (code - {shift})) - {offset}) from code {code_break}, {slope} * (code - {black}) below"
        )
    };
    Some(match transfer {
        Transfer::Log(curve) => log(curve),
        Transfer::LogKnee(curve, knee) => {
            format!("{}, a knee from code {}", log(curve), short(knee.start))
        }
        Transfer::Canon(c) => {
            let [rate, gain, slope, black] = [c.rate, c.gain, c.slope, c.black].map(short);
            let ([low, high], [lower, upper]) = (c.breaks.map(short), c.shifts.map(short));
            format!(
                "{gain} * (2^({rate} * (code - {upper})) - 1) above code {high}, {slope} * (code - {black}) from code {low}, {gain} * (1 - 2^({rate} * ({lower} - code))) below"
            )
        }
        Transfer::Toed { gamma, offset } | Transfer::DisplayToed { gamma, offset } => {
            format!("gamma {}, offset {}", short(*gamma), short(*offset))
        }
        Transfer::Gamma(gamma) | Transfer::DisplayGamma(gamma) => {
            format!("gamma {}", short(*gamma))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::name::{from_aces, to_aces};
    use super::*;

    #[test]
    fn what_decides_a_picture_is_said() {
        let outputs =
            ["Rec709-D65_1000nit_in_Rec2100-D65_ST2084", "P3-D60_1000nit_in_Rec2100-D65_ST2084"];
        let said = outputs.map(|name| {
            let chain = from_aces(name).unwrap();
            let output = chain.0.iter().find(|link| matches!(link, Link::Output2 { .. })).unwrap();
            describe(output)
        });
        assert_eq!(said[0], "aces 2 output 1000 cd/m2 within Rec.709-D65");
        assert_eq!(said[1], "aces 2 output 1000 cd/m2 within P3-D60");
        // Two exposure indices are one name and two curves.
        let curve = |name: &str| describe(&to_aces(name).unwrap().0[0]);
        assert_ne!(curve("ARRI LogC3 (EI400)"), curve("ARRI LogC3 (EI200)"));
        let cdl = super::super::chain::Cdl {
            slope: [2.0, 1.0, 1.0],
            offset: [0.0; 3],
            power: [1.0; 3],
            saturation: 0.5,
            clamp: false,
            inverse: true,
        };
        let said = describe(&Link::Cdl(cdl));
        assert_eq!(said, "cdl slope 2 1 1 offset 0 0 0 power 1 1 1 saturation 0.5, undone");
    }
}
