//! Ids of our own, for what the ACES registry does not have: one rule for the
//! conversions, outputs and looks of files that we write, and what such an id
//! leads back to. Other readers treat them as custom, as the AMF
//! implementation guide has it.

use super::registry::{Known, Meaning};
use platefarm_model::color::name;
use platefarm_model::color::space::{URN, log_c3_name};
use std::sync::LazyLock;

/// How ids of what leads from codes to ACES2065-1 begin and end.
const CONVERSION: [&str; 2] = ["CSC.Platefarm.", "_to_ACES.a2.v1"];
/// Those of what leads to codes of a display.
const OUTPUT: [&str; 2] = ["Output.Platefarm.", ".a2.v1"];
/// Those of looks.
const LOOK: [&str; 2] = ["Look.Platefarm.", ".a2.v1"];

/// Kind and name of everything that is listed.
static LISTED: LazyLock<Vec<(&str, String)>> =
    LazyLock::new(|| name::catalog().into_iter().map(|entry| (entry.kind, entry.name)).collect());

/// The id of what leads from the codes of something of this name to ACES2065-1, complete.
pub(super) fn conversion(name: &str) -> String {
    id(CONVERSION, name)
}

/// The id of an output, complete.
pub(super) fn output(name: &str) -> String {
    id(OUTPUT, name)
}

/// The id of a look, complete.
pub(super) fn look(name: &str) -> String {
    id(LOOK, name)
}

/// Of a name letters, digits, points and hyphens stay, as in the registry's ids.
fn id([start, end]: [&str; 2], name: &str) -> String {
    let stays = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let plain: String = name.chars().map(|c| if stays(c) { c } else { '_' }).collect();
    format!("{URN}{start}{plain}{end}")
}

/// What an id of our own, without its urn, is of.
pub(super) fn find(bare: &str) -> Option<Known> {
    let stem = |[start, end]: [&str; 2]| bare.strip_prefix(start)?.strip_suffix(end);
    let meaning = if let Some(stem) = stem(CONVERSION) {
        let named = named(stem)?;
        named.to_aces().ok()?;
        Meaning::ToAces(named.name().to_owned())
    } else if let Some(stem) = stem(OUTPUT) {
        let named = named(stem).filter(|named| named.meaning().display)?;
        Meaning::FromAces(named.name().to_owned())
    } else {
        Meaning::Look(look_named(stem(LOOK)?)?)
    };
    let name = "an id of Platefarm's own";
    Some(Known { id: format!("{URN}{bare}"), name, replaced_by: None, meaning })
}

/// Whether two texts have the same letters and digits in the same places. Ids of conversions once had
/// no points and hyphens.
fn same(a: &str, b: &str) -> bool {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    a.chars().map(plain).eq(b.chars().map(plain))
}

/// The space or output of an id: one that is listed, LogC3 at any index, or an output by its parts.
fn named(stem: &str) -> Option<name::Named> {
    let index = stem.strip_prefix("ARRI_LogC3__EI").and_then(|rest| rest.strip_suffix('_'));
    let index: Option<f64> = index.and_then(|index| index.parse().ok());
    let mut listed = LISTED.iter().filter(|(kind, _)| *kind != "look");
    let text = match (listed.find(|(_, name)| same(name, stem)), index) {
        (Some((_, name)), _) => name.clone(),
        (None, Some(index)) => log_c3_name(index),
        (None, None) => stem.to_owned(),
    };
    name::resolve(&text).ok().filter(|named| same(named.name(), stem))
}

/// The look of an id.
fn look_named(stem: &str) -> Option<String> {
    let mut listed = LISTED.iter().filter(|(kind, _)| *kind == "look");
    let listed = listed.find(|(_, name)| same(name, stem)).map(|(_, name)| name.clone());
    let text = listed.unwrap_or_else(|| stem.replace('_', " "));
    name::look(&text).is_ok().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::registry;
    use super::*;

    fn meaning_of(id: &str) -> Meaning {
        registry::find(id).unwrap_or_else(|| panic!("{id}")).meaning
    }

    #[test]
    fn every_name_leads_back_from_its_id() {
        assert!(LISTED.len() > 100);
        for (kind, name) in LISTED.iter() {
            if *kind == "look" {
                assert_eq!(meaning_of(&look(name)), Meaning::Look(name.clone()));
                continue;
            }
            assert_eq!(meaning_of(&conversion(name)), Meaning::ToAces(name.clone()));
            let shown = registry::find(&output(name)).map(|known| known.meaning);
            assert_eq!(shown, (*kind != "space").then(|| Meaning::FromAces(name.clone())));
        }
        for name in ["ARRI LogC3 (EI1250)", "P3-D65_600nit_in_Rec2100-D65_ST2084"] {
            assert_eq!(meaning_of(&conversion(name)), Meaning::ToAces(name.into()));
        }
        let bright = "P3-D65_600nit_in_Rec2100-D65_ST2084";
        assert_eq!(meaning_of(&output(bright)), Meaning::FromAces(bright.into()));
    }

    /// As plates that were delivered before have them.
    #[test]
    fn earlier_ids_are_read_too() {
        for (id, meant) in [
            (
                "CSC.Platefarm.L_Log_Rec_2020_to_ACES.a2.v1",
                Meaning::ToAces("L-Log Rec.2020".into()),
            ),
            (
                "Output.Platefarm.ACES_1.3_SDR_Display_P3.a2.v1",
                Meaning::FromAces("ACES 1.3 SDR Display P3".into()),
            ),
            ("Look.Platefarm.Blue_Light.a2.v1", Meaning::Look("Blue Light".into())),
        ] {
            let known = registry::find(&format!("{URN}{id}")).unwrap_or_else(|| panic!("{id}"));
            assert_eq!((known.meaning, known.name), (meant, "an id of Platefarm's own"));
        }
    }

    #[test]
    fn what_nobody_computes_leads_nowhere() {
        for id in
            [conversion("Picture"), conversion("CameraRaw"), output("Picture"), look("Secret")]
        {
            assert_eq!(registry::find(&id), None, "{id}");
        }
    }
}
