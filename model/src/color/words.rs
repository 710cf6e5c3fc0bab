//! What the links of a chain do, in words for people.

use super::chain::Link;
use super::space::SPACES;
use super::transfer::Transfer;

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
        Link::Decode(t) | Link::Encode(t) => transfer_name(t),
        Link::Clamp { low, high } => format!(
            "{} .. {}",
            low.map_or("-inf".into(), |v| v.to_string()),
            high.map_or("inf".into(), |v| v.to_string())
        ),
        Link::Lut1d(lut) => format!("{} entries", lut.length),
        Link::Lut3d(lut) => format!("{0}x{0}x{0}", lut.size),
        Link::Surround { exponent, .. } => format!("luminance to the {exponent:.4}"),
        Link::Output2 { target, inverse } => format!(
            "{} cd/m2{}",
            target.peak_nits,
            if *inverse { ", display to scene" } else { "" }
        ),
        Link::GamutCompress { inverse: true } => "undone".into(),
        _ => String::new(),
    };
    format!("{} {detail}", link.name()).trim_end().to_owned()
}

fn transfer_name(transfer: &Transfer) -> String {
    let named = SPACES.iter().find(|s| s.transfer == *transfer && *transfer != Transfer::Linear);
    named.map_or_else(
        || match transfer {
            Transfer::Log(_) | Transfer::LogKnee(..) => "logarithm with a toe".into(),
            Transfer::DisplayGamma(gamma) => format!("gamma {gamma}"),
            Transfer::DisplayToed { .. } => "sRGB".into(),
            Transfer::Pq => "ST 2084".into(),
            Transfer::HlgCurve => "HLG".into(),
            _ => "curve".into(),
        },
        |space| space.name.to_owned(),
    )
}
