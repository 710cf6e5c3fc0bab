//! The names that OpenColorIO's built-in ACES configs have besides ours:
//! aliases of every version, displays with their views, interop ids and roles,
//! and those that are no transform of colour, each with the reason.
//!
//! `names.tsv` is made of the configs by `tests/oracles/color_names.py`.

use crate::{Code, Fault};

const TABLE: &str = include_str!("names.tsv");

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// One of our names.
    Ours(&'static str),
    /// No transform of colour, and the kind of thing that it is instead.
    Not(&'static str),
}

/// Name and meaning, in the order of the table.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// What a name of the configs means, whatever its case.
pub(super) fn find(name: &str) -> Option<Known> {
    let (_, means) = lines().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(means.strip_prefix('!').map_or(Known::Ours(means), Known::Not))
}

/// Other names of one of ours.
pub(super) fn aliases(ours: &str) -> impl Iterator<Item = &'static str> {
    lines().filter(move |(_, means)| *means == ours).map(|(known, _)| known)
}

/// Why a name of the configs is no transform of colour.
pub(super) fn refused(name: &str, kind: &str) -> Fault {
    let (why, remedy) = match kind {
        "look" => ("it is a look", "Give it with --look."),
        "curve" => {
            ("it is a curve without primaries", "Name a space that has it, with its primaries.")
        }
        "role" => (
            "it is a role that is another space in another config",
            "Name the space that is meant.",
        ),
        "xyz" => (
            "scene light in CIE XYZ cannot be said in a header that we write",
            "Name a space of red, green and blue, or 'CIE XYZ-D65 - Display-referred'.",
        ),
        "scale" => (
            "its white of D60 has the brightness of the Rec.709 output there, not of the Academy's for P3",
            "Name 'ACES 1.3 SDR Display P3 D60 simulated' for the Academy's.",
        ),
        _ => ("it is data that is no colour", "Name a space or an output transform."),
    };
    Fault::new(Code::UnknownTransform, format!("'{name}' is no colour transform: {why}"))
        .remedy(remedy)
}
