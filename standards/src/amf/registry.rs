//! The ACES transform registry: every id of every release, with its name for
//! people and the ids that it replaces, and what of ours it means. The list
//! is `registry.tsv`, made from the ACES project's `transforms.json`
//! (Apache-2.0) by `tests/oracles/aces_registry.py`.
//!
//! Ids are asked for as files write them: with the urn of version 2.0, with
//! that of version 1.5, or, as before ACES 1.1, with none.

use super::own;
use platefarm_model::color::name::{self, URN_1};
use platefarm_model::color::output1::outputs1;
use platefarm_model::color::space::URN;
use platefarm_model::{Code, Fault, Outcome};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A transform of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id, complete.
    pub id: String,
    /// Its name for people; empty where the registry has none.
    pub name: &'static str,
    /// The latest id that replaces it, complete, where there is one.
    pub replaced_by: Option<String>,
    /// What it is.
    pub meaning: Meaning,
}

/// What a transform of the registry is among ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Codes of the named space or display to ACES2065-1.
    ToAces(String),
    /// ACES2065-1 to codes of the named space or display.
    FromAces(String),
    /// A look on ACES2065-1, by its name.
    Look(String),
    /// Nothing is changed.
    Unity,
    /// The Reference Rendering Transform of ACES 1, which goes with an output device transform.
    Rendering,
    /// It is registered, and not computed here; why.
    NotComputed(&'static str),
}

struct Row {
    mark: &'static str,
    name: &'static str,
    replaces: &'static str,
}

struct Registry {
    rows: HashMap<&'static str, Row>,
    /// From an id to the one that replaces it.
    later: HashMap<&'static str, &'static str>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry { rows: HashMap::new(), later: HashMap::new() };
    for line in include_str!("registry.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or("");
        let (id, mark, name, replaces) = (next(), next(), next(), next());
        registry.rows.insert(id, Row { mark, name, replaces });
    }
    for (id, row) in &registry.rows {
        for old in row.replaces.split_whitespace().filter(|old| same_way(old, id)) {
            let latest = registry.later.entry(old).or_insert(id);
            if registry.rows.get(latest).is_none_or(|known| known.mark < row.mark) {
                *latest = id;
            }
        }
    }
    registry
});

/// Whether two ids go the same way: some releases list the way back among what an id replaces.
fn same_way(a: &str, b: &str) -> bool {
    let from_aces = |id: &str| id.contains("ACES_to_");
    from_aces(a) == from_aces(b)
}

/// An id without its urn.
fn bare(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix(URN).or_else(|| id.strip_prefix(URN_1)).unwrap_or(id)
}

fn complete(mark: &str, bare: &str) -> String {
    let urn = match mark {
        "2" => URN,
        "1" => URN_1,
        _ => "",
    };
    format!("{urn}{bare}")
}

/// The transform of an id, in any spelling; `None` where it is not in the registry, and none of ours.
#[must_use]
pub fn find(id: &str) -> Option<Known> {
    let plain = bare(id);
    let Some((bare, row)) = REGISTRY.rows.get_key_value(plain) else { return own::find(plain) };
    let latest = REGISTRY.later.get(bare);
    Some(Known {
        id: complete(row.mark, bare),
        name: row.name,
        replaced_by: latest
            .and_then(|latest| Some(complete(REGISTRY.rows.get(latest)?.mark, latest))),
        meaning: meaning(bare),
    })
}

/// The transform of an id, for use.
///
/// # Errors
/// [`Code::UnknownTransform`] with the remedy, for one that is not in the registry or not computed.
pub fn resolve(id: &str) -> Outcome<Known> {
    let Some(known) = find(id) else {
        let fault = Fault::new(
            Code::UnresolvedTransform,
            format!("'{}' is not in the ACES transform registry", id.trim()),
        );
        let near = nearest(id);
        return Err(fault.remedy(match near {
            Some(near) => format!("If '{near}' is meant, write that; else name the transform by a CLF file beside the AMF."),
            None => "Name the transform by a CLF file beside the AMF, which a custom transform needs.".to_owned(),
        }));
    };
    match known.meaning {
        Meaning::NotComputed(why) => {
            let message = format!("'{}' ({}) is registered, but {why}", known.id, known.name);
            Err(Fault::new(Code::UnresolvedTransform, message)
                .remedy("Name the transform by a CLF file beside the AMF."))
        }
        _ => Ok(known),
    }
}

/// Whether an id is of what leads from a display's codes back to ACES2065-1.
pub(super) fn leads_back(id: &str) -> bool {
    ["InvOutput.", "InvODT.", "InvRRTODT."].iter().any(|class| bare(id).starts_with(class))
}

/// The id that is nearest by its letters, where one is near.
pub(super) fn nearest(id: &str) -> Option<String> {
    let wanted = bare(id).to_ascii_lowercase();
    let ids = REGISTRY.rows.iter();
    let far = 1 + wanted.len() / 8;
    let length = |id: &str| id.len().abs_diff(wanted.len()) <= far;
    ids.filter(|(id, row)| row.mark != "0" && length(id))
        .map(|(id, row)| (name::distance(&wanted, &id.to_ascii_lowercase()), *id, row.mark))
        .filter(|(distance, ..)| *distance <= far)
        .min()
        .map(|(_, id, mark)| complete(mark, id))
}

/// The reference gamut compression, as looks of ours are named by it.
pub const GAMUT_COMPRESSION: &str = "Look.Academy.ReferenceGamutCompress.a2.v1";

/// How the registry's camera and work spaces are called here.
const SPACES: &[(&str, &str)] = &[
    ("ACEScc", "ACEScc"),
    ("ACEScct", "ACEScct"),
    ("ACEScg", "ACEScg"),
    ("ADX10", "ADX10"),
    ("ADX16", "ADX16"),
    ("AppleLog_BT2020", "Apple Log"),
    ("LogC3", "ARRI LogC3 (EI800)"),
    ("LogC_EI800_AWG", "ARRI LogC3 (EI800)"),
    ("LogC4", "ARRI LogC4"),
    ("ARRI-LogC4", "ARRI LogC4"),
    ("BMDFilm_WideGamut_Gen5", "BMDFilm WideGamut Gen5"),
    ("CLog2_CGamut", "CanonLog2 CinemaGamut D55"),
    ("CLog3_CGamut", "CanonLog3 CinemaGamut D55"),
    ("CLog2_BT2020", "CanonLog2 Rec.2020"),
    ("CLog3_BT2020", "CanonLog3 Rec.2020"),
    ("CanonLog2_CinemaGamut_D55", "CanonLog2 CinemaGamut D55"),
    ("CanonLog3_CinemaGamut_D55", "CanonLog3 CinemaGamut D55"),
    ("CanonLog2_BT2020_D55", "CanonLog2 Rec.2020"),
    ("CanonLog3_BT2020_D55", "CanonLog3 Rec.2020"),
    ("CanonLog2_CinemaGamut_Tng", "CanonLog2 CinemaGamut Tungsten"),
    ("CanonLog3_CinemaGamut_Tng", "CanonLog3 CinemaGamut Tungsten"),
    ("CanonLog2_BT2020_Tng", "CanonLog2 Rec.2020 Tungsten"),
    ("CanonLog3_BT2020_Tng", "CanonLog3 Rec.2020 Tungsten"),
    ("DLog_DGamut", "D-Log D-Gamut"),
    ("Log3G10_RWG", "Log3G10 REDWideGamutRGB"),
    ("SLog3_SGamut3", "S-Log3 S-Gamut3"),
    ("SLog3_SGamut3Cine", "S-Log3 S-Gamut3.Cine"),
    ("Venice_SLog3_SGamut3", "S-Log3 Venice S-Gamut3"),
    ("Venice_SLog3_SGamut3Cine", "S-Log3 Venice S-Gamut3.Cine"),
    ("SLog3_Venice_SGamut3", "S-Log3 Venice S-Gamut3"),
    ("SLog3_Venice_SGamut3Cine", "S-Log3 Venice S-Gamut3.Cine"),
    ("VLog_VGamut", "V-Log V-Gamut"),
    ("ACESproxy10i", "ACESproxy (10 bit)"),
    ("ACESproxy12i", "ACESproxy (12 bit)"),
    ("SLog1_SGamut_10i", "S-Log1 S-Gamut (10 bit)"),
    ("SLog1_SGamut_12i", "S-Log1 S-Gamut (12 bit)"),
    ("SLog2_SGamut_Daylight_10i", "S-Log2 S-Gamut Daylight (10 bit)"),
    ("SLog2_SGamut_Daylight_12i", "S-Log2 S-Gamut Daylight (12 bit)"),
    ("SLog2_SGamut_Tungsten_10i", "S-Log2 S-Gamut Tungsten (10 bit)"),
    ("SLog2_SGamut_Tungsten_12i", "S-Log2 S-Gamut Tungsten (12 bit)"),
];

/// Earlier names of outputs of ACES 1, by the name of ours.
const EARLIER_1: &[(&str, &str)] = &[
    ("P3D65_108nits_7point2nits_ST2084", "P3D65_108nits_7.2nits_ST2084"),
    ("P3D65_709limit_48nits", "P3D65_Rec709limited_48nits"),
    ("Rec2020_100nits", "Rec2020_P3D65limited_100nits_dim"),
    ("Rec2020_Rec709limited_100nits", "Rec2020_Rec709limited_100nits_dim"),
];

/// How an output of ACES 1 is called here. The registry's names have the same
/// meaning in all releases since 1.0.3; those before it are not taken for them.
fn output1(stem: &str) -> Option<String> {
    let stem = EARLIER_1.iter().find(|(old, _)| *old == stem).map_or(stem, |(_, new)| new);
    outputs1().iter().find(|output| parts(output.id).1 == stem).map(|output| output.name.to_owned())
}

fn named(table: &[(&str, &str)], stem: &str) -> Option<String> {
    table.iter().find(|(known, _)| *known == stem).map(|(_, ours)| (*ours).to_owned())
}

/// Class, name without vendor, and version of an id: `CSC.Arri.LogC4_to_ACES.a2.v1`.
fn parts(bare: &str) -> (&str, &str, &str) {
    let (class, rest) = bare.split_once('.').unwrap_or((bare, ""));
    let (name, version) = match rest.rfind(".a1.").or_else(|| rest.rfind(".a2.")) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, ""),
    };
    // A name has dots of its own: `P3D65_108nits_7.2nits_ST2084`.
    const VENDORS: [&str; 11] = [
        "Academy",
        "Arri",
        "ARRI",
        "Apple",
        "Blackmagic",
        "BlackmagicDesign",
        "Canon",
        "DJI",
        "Panasonic",
        "Red",
        "Sony",
    ];
    let plain = match name.split_once('.') {
        Some((vendor, name)) if VENDORS.contains(&vendor) => name,
        _ => name,
    };
    (class, plain, version)
}

fn meaning(bare: &str) -> Meaning {
    let (class, stem, version) = parts(bare);
    // The outputs for Display P3 came with ACES 1.3, and begin to count anew.
    let early = matches!(version, "a1.0.0" | "a1.0.1") && !stem.starts_with("DisplayP3");
    let withdrawn = Meaning::NotComputed(
        "ACES 1.1 took it back, before there was AMF; RRTODT.Academy... of its display and peak came in its place",
    );
    match class {
        "CSC" | "ACEScsc" | "IDT" | "Input" => space(class, stem),
        "Output" | "InvOutput" => match name::resolve(bare) {
            Ok(named) if class == "Output" => Meaning::FromAces(named.name().to_owned()),
            Ok(named) => Meaning::ToAces(named.name().to_owned()),
            Err(_) => Meaning::NotComputed("it is not built in"),
        },
        "RRT" | "InvRRT" if !early => Meaning::Rendering,
        "ODT" | "RRTODT" if !early => output1(stem).map_or(withdrawn, Meaning::FromAces),
        "InvODT" | "InvRRTODT" if !early => output1(stem).map_or(withdrawn, Meaning::ToAces),
        "RRT" | "ODT" | "InvRRT" | "InvODT" => {
            Meaning::NotComputed("releases before ACES 1.0.3 rendered differently")
        }
        "LMT" | "Look" | "InvLMT" | "InvLook" => look(bare, class, stem),
        "ACESutil" if stem == "Unity" => Meaning::Unity,
        _ => Meaning::NotComputed("it is a part of transforms and none by itself"),
    }
}

fn space(class: &str, stem: &str) -> Meaning {
    if stem == "Unity" {
        return Meaning::Unity;
    }
    if let Some(stem) = stem.strip_prefix("ACES_to_") {
        return named(SPACES, stem)
            .map_or(Meaning::NotComputed("it is not built in"), Meaning::FromAces);
    }
    let stem = stem.strip_suffix("_to_ACES").unwrap_or(stem);
    if class == "IDT" && stem.starts_with("Alexa-") {
        return alexa(stem);
    }
    named(SPACES, stem).map_or(Meaning::NotComputed("it is not built in"), Meaning::ToAces)
}

/// ARRI's input transforms of ACES 1: of LogC in AWG3 by exposure index, and of what the camera recorded by its light.
fn alexa(stem: &str) -> Meaning {
    if let Some(index) = stem.strip_prefix("Alexa-v3-logC-EI") {
        let name = format!("ARRI LogC3 (EI{index})");
        if name::resolve(&name).is_ok() {
            return Meaning::ToAces(name);
        }
    }
    Meaning::NotComputed(if stem.contains("-raw-") {
        "camera raw is developed straight to ACES2065-1 here, by the camera's own numbers"
    } else {
        "LogC of the ALEXA's version 2 (2010) is by a matrix for each colour temperature, which ARRI published in its transforms alone"
    })
}

fn look(bare: &str, class: &str, stem: &str) -> Meaning {
    match stem {
        "ReferenceGamutCompress" | "GamutCompress" => {
            let inverse = if class.starts_with("Inv") { "Inv" } else { "" };
            Meaning::Look(format!("{inverse}Look.Academy.ReferenceGamutCompress.a2.v1"))
        }
        "BlueLightArtifactFix" => Meaning::Look("ACES 1 Blue Light Artifact Fix".into()),
        _ if bare.contains("ReferenceGamutCompress.a1.v1.0") => {
            let inverse = if class.starts_with("Inv") { "Inv" } else { "" };
            Meaning::Look(format!("{inverse}Look.Academy.ReferenceGamutCompress.a2.v1"))
        }
        _ => Meaning::NotComputed("this look is not built in"),
    }
}

/// Every id with what it means, those of the latest urn first.
static MEANINGS: LazyLock<Vec<(&str, &str, Meaning)>> = LazyLock::new(|| {
    let rows = REGISTRY.rows.iter();
    let mut all: Vec<_> = rows.map(|(bare, row)| (row.mark, *bare, meaning(bare))).collect();
    all.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)));
    all
});

/// The current id of a look, space or output of ours, complete: what a file that we write names it by.
#[must_use]
pub fn id_of(meaning: &Meaning) -> Option<String> {
    let mut known = MEANINGS.iter().filter(|(mark, ..)| *mark != "0");
    let (mark, bare, _) = known.find(|(.., known)| known == meaning)?;
    Some(complete(mark, bare))
}

/// Every id that means a space, output or look of ours, complete, the current ones first.
#[must_use]
pub fn ids_of(name: &str) -> Vec<String> {
    let means = |meaning: &Meaning| match meaning {
        Meaning::ToAces(known) | Meaning::FromAces(known) | Meaning::Look(known) => known == name,
        _ => false,
    };
    let all = MEANINGS.iter().filter(|(.., meaning)| means(meaning));
    all.map(|(mark, bare, _)| complete(mark, bare)).collect()
}

/// How many ids the registry has.
#[must_use]
pub fn count() -> usize {
    REGISTRY.rows.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning_of(id: &str) -> Meaning {
        find(id).unwrap_or_else(|| panic!("{id}")).meaning
    }

    #[test]
    fn ids_are_found_in_every_spelling() {
        let to = |name: &str| Meaning::ToAces(name.into());
        let from = |name: &str| Meaning::FromAces(name.into());
        let rgc = "Look.Academy.ReferenceGamutCompress.a2.v1";
        for (id, meant) in [
            ("urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1", to("ARRI LogC4")),
            ("urn:ampas:aces:transformId:v1.5:IDT.ARRI.ARRI-LogC4.a1.v1", to("ARRI LogC4")),
            (
                "urn:ampas:aces:transformId:v1.5:IDT.ARRI.Alexa-v3-logC-EI800.a1.v2",
                to("ARRI LogC3 (EI800)"),
            ),
            ("IDT.ARRI.Alexa-v3-logC-EI1600.a1.v1", to("ARRI LogC3 (EI1600)")),
            ("ACEScsc.ACES_to_ACEScct.a1.0.3", from("ACEScct")),
            (
                "urn:ampas:aces:transformId:v1.5:ODT.Academy.Rec709_100nits_dim.a1.0.3",
                from("ACES 1.3 SDR Rec.709 BT.1886"),
            ),
            ("urn:ampas:aces:transformId:v1.5:RRT.a1.0.3", Meaning::Rendering),
            (
                "urn:ampas:aces:transformId:v1.5:RRTODT.Academy.P3D65_108nits_7.2nits_ST2084.a1.1.0",
                from("ACES 1.3 HDR cinema 108 P3-D65 PQ"),
            ),
            (
                "urn:ampas:aces:transformId:v2.0:InvOutput.Academy.Rec709-D65_100nit_in_Rec709-D65_BT1886.a2.v1",
                to("Rec709-D65_100nit_in_Rec709-D65_BT1886"),
            ),
            (
                "urn:ampas:aces:transformId:v1.5:LMT.Academy.ReferenceGamutCompress.a1.v1.0",
                Meaning::Look(rgc.into()),
            ),
            ("urn:ampas:aces:transformId:v2.0:CSC.Academy.Unity.a2.v1", Meaning::Unity),
        ] {
            assert_eq!(meaning_of(id), meant, "{id}");
        }
        assert_eq!(count(), 1827);
    }

    #[test]
    fn what_is_computed_can_be_computed() {
        let (mut computed, mut all) = (0, 0);
        for (bare, row) in &REGISTRY.rows {
            all += usize::from(row.mark != "0");
            match meaning(bare) {
                Meaning::ToAces(name) => {
                    drop(name::to_aces(&name).unwrap_or_else(|f| panic!("{bare}: {f}")))
                }
                Meaning::FromAces(name) => {
                    drop(name::from_aces(&name).unwrap_or_else(|f| panic!("{bare}: {f}")))
                }
                Meaning::Look(name) => {
                    drop(name::look(&name).unwrap_or_else(|f| panic!("{bare}: {f}")))
                }
                Meaning::NotComputed(_) => continue,
                Meaning::Unity | Meaning::Rendering => {}
            }
            computed += usize::from(row.mark == "2");
        }
        // Of version 2.0: all 108 outputs, both gamut compressions, all 48 conversions; the parts and one look are not.
        assert_eq!((all, computed), (1163, 158));
    }

    #[test]
    fn the_unknown_is_refused_with_a_way_out() {
        let fault =
            resolve("urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACESS.a2.v1").unwrap_err();
        assert_eq!(fault.code, Code::UnresolvedTransform);
        assert!(fault.remedy_text().contains("CSC.Arri.LogC4_to_ACES.a2.v1"), "{fault:?}");
        let fault = resolve("urn:ampas:aces:transformId:v2.0:CSC.Show.Secret.a2.v1").unwrap_err();
        assert!(fault.remedy_text().contains("CLF"));
        let raw = "urn:ampas:aces:transformId:v1.5:IDT.ARRI.Alexa-v3-raw-EI800-CCT5600.a1.v1";
        assert!(resolve(raw).unwrap_err().message.contains("camera's own numbers"));
    }

    #[test]
    fn ours_have_current_ids() {
        let cct = id_of(&Meaning::FromAces("ACEScct".into()));
        assert_eq!(
            cct.as_deref(),
            Some("urn:ampas:aces:transformId:v2.0:CSC.Academy.ACES_to_ACEScct.a2.v1")
        );
        let old = find("ACEScsc.ACES_to_ACEScct.a1.0.3").unwrap();
        assert_eq!(old.replaced_by, cct);
        let rec709 = id_of(&Meaning::FromAces("ACES 1.3 SDR Rec.709 BT.1886".into()));
        assert!(rec709.unwrap().ends_with(":ODT.Academy.Rec709_100nits_dim.a1.0.3"));
    }
}
