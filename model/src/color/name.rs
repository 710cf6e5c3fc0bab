//! Names of colour transforms, and what they resolve to: spaces and output
//! transforms by the names of OpenColorIO's ACES configs or by ACES transform
//! ids. Everything meets in ACES2065-1.

use super::D65;
use super::adx;
use super::chain::{Chain, Link};
use super::display::{self, DISPLAYS, DisplaySpace};
use super::known::{self, Known};
use super::legacy::{LEGACY, Legacy};
use super::meaning::{self, Meaning};
use super::output::{Eotf, OutputTransform, Primaries, registered};
use super::output1::{Output1, outputs1};
use super::space::{self, SPACES, Space, URN};
pub use super::words::describe;
use crate::{Code, Fault, Outcome};
use serde::Serialize;

/// What an id of the registry of ACES 1 begins with.
pub const URN_1: &str = "urn:ampas:aces:transformId:v1.5:";

/// A transform in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// `space`, `display`, `output` or `look`.
    pub kind: &'static str,
    /// Other names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// ACES transform ids, complete.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Whether it can be left (`--from`) and reached (`--to`).
    pub from: bool,
    /// See `from`.
    pub to: bool,
}

/// Id of the reference gamut compression, without [`URN`].
const GAMUT_COMPRESSION: &str = "ReferenceGamutCompress";

/// Display and view of an output, as the studio config of OpenColorIO names them; none for D60 and XYZ.
fn view(output: &OutputTransform) -> Option<String> {
    let hdr = output.target.peak_nits > 100.0;
    let display = match (output.display, output.eotf) {
        (Primaries::Rec709, Eotf::Srgb) => "sRGB - Display",
        (Primaries::Rec709, Eotf::Gamma22) => "Gamma 2.2 Rec.709 - Display",
        (Primaries::Rec709, Eotf::Bt1886) => "Rec.1886 Rec.709 - Display",
        (Primaries::P3, Eotf::Srgb) if hdr => "Display P3 HDR - Display",
        (Primaries::P3, Eotf::Srgb) => "Display P3 - Display",
        (Primaries::P3, Eotf::Gamma26) => "Gamma 2.6 P3-D65 - Display",
        (Primaries::P3, Eotf::Pq) => "ST2084-P3-D65 - Display",
        (Primaries::Rec2020, Eotf::Pq) => "Rec.2100-PQ - Display",
        (Primaries::Rec2020, Eotf::Hlg) => "Rec.2100-HLG - Display",
        _ => return None,
    };
    let gamut = match output.target.primaries {
        p if p == super::REC709 => "Rec.709",
        p if p == space::P3 => "P3 D65",
        _ => "Rec.2020",
    };
    let nits = if output.target.peak_nits == 225.0 { 108.0 } else { output.target.peak_nits };
    let range = if hdr { "HDR" } else { "SDR" };
    (output.target.white == D65)
        .then(|| format!("{display}/ACES 2.0 - {range} {nits} nits ({gamut})"))
}

/// Every transform that has a name, in the order lists show them.
#[must_use]
pub fn catalog() -> Vec<Entry> {
    let urn = |id: &&str| format!("{URN}{id}");
    let full = |ids: &[&str]| ids.iter().filter(|id| !id.is_empty()).map(urn).collect();
    let mut all: Vec<Entry> = SPACES
        .iter()
        .map(|s| Entry {
            name: s.name.into(),
            kind: "space",
            aliases: s.aliases.iter().map(ToString::to_string).collect(),
            ids: full(&s.ids),
            from: true,
            to: true,
        })
        .collect();
    for index in [160, 200, 250, 320, 400, 500, 640, 800, 1000, 1280, 1600, 2000, 2560, 3200] {
        if let Some(space) = space::log_c3_space(f64::from(index)) {
            all.push(Entry {
                name: space::log_c3_name(f64::from(index)),
                kind: "space",
                aliases: vec![format!("arri_logc3_ei{index}")],
                ids: full(&space.ids),
                from: true,
                to: true,
            });
        }
    }
    for bits in [10, 16] {
        all.push(Entry {
            name: format!("ADX{bits}"),
            kind: "space",
            aliases: Vec::new(),
            ids: vec![format!("{URN}CSC.Academy.ADX{bits}_to_ACES.a2.v1")],
            from: true,
            to: true,
        });
    }
    for legacy in LEGACY {
        all.push(Entry {
            name: legacy.name.into(),
            kind: "space",
            aliases: Vec::new(),
            ids: full(&legacy.ids),
            from: true,
            to: true,
        });
    }
    for display in DISPLAYS {
        all.push(Entry {
            name: display.name.into(),
            kind: "display",
            aliases: Vec::new(),
            ids: Vec::new(),
            from: true,
            to: true,
        });
    }
    for id in registered() {
        let short = short_name(&id).to_owned();
        let view = OutputTransform::parse(&id).and_then(|output| view(&output));
        all.push(Entry {
            name: short,
            kind: "output",
            aliases: view.into_iter().collect(),
            ids: vec![format!("{URN}{id}"), format!("{URN}Inv{id}")],
            from: true,
            to: true,
        });
    }
    for output in outputs1() {
        all.push(Entry {
            name: output.name.into(),
            kind: "output",
            aliases: Vec::new(),
            ids: (!output.id.is_empty())
                .then(|| format!("{URN_1}{}", output.id))
                .into_iter()
                .collect(),
            from: true,
            to: true,
        });
    }
    for (name, id) in [
        ("ACES 1.3 Reference Gamut Compression", "Look.Academy.ReferenceGamutCompress.a2.v1"),
        ("ACES 1 Blue Light Artifact Fix", ""),
    ] {
        all.push(Entry {
            name: name.into(),
            kind: "look",
            aliases: Vec::new(),
            ids: full(&[id]),
            from: false,
            to: false,
        });
    }
    for entry in &mut all {
        let known = known::aliases(&entry.name)
            .filter(|alias| !entry.aliases.iter().any(|other| other.eq_ignore_ascii_case(alias)));
        let known: Vec<String> = known.map(str::to_owned).collect();
        entry.aliases.extend(known);
    }
    all
}

/// What stands between `Output.Academy.` and `.a2.v1`.
fn short_name(id: &str) -> &str {
    let id = id.strip_prefix("Output.Academy.").unwrap_or(id);
    id.strip_suffix(".a2.v1").unwrap_or(id)
}

/// The output transform of ACES 2.0 of a name, an id (either direction's) or a display and view.
fn output2(name: &str) -> Option<(String, OutputTransform)> {
    let plain = name.strip_prefix(URN).unwrap_or(name);
    let plain = plain.strip_prefix("Inv").unwrap_or(plain);
    if let Some(output) = OutputTransform::parse(plain) {
        return Some((short_name(plain).to_owned(), output));
    }
    let outputs = registered().into_iter();
    let mut outputs = outputs.filter_map(|id| OutputTransform::parse(&id).map(|o| (id, o)));
    let (id, output) =
        outputs.find(|(_, output)| view(output).is_some_and(|v| v.eq_ignore_ascii_case(name)))?;
    Some((short_name(&id).to_owned(), output))
}

fn unknown(name: &str) -> Fault {
    let fault = Fault::new(Code::UnknownTransform, format!("'{name}' is no colour transform"));
    if name.contains("nit_in_") {
        let grammar = OutputTransform::GRAMMAR;
        return fault.remedy(format!("Outputs of ACES 2.0 are named {grammar}."));
    }
    // An id is near to other ids and not to the names that share a word with it.
    let id = name.starts_with(URN) || name.starts_with(URN_1);
    let close = if id { Vec::new() } else { close(name) };
    if close.is_empty() {
        return fault;
    }
    fault
        .remedy(format!("Perhaps one of: {}. `platefarm color list` prints all.", close.join(", ")))
}

/// Names that are near to what was written: the nearest by their letters
/// first, then those that share a word with it.
fn close(name: &str) -> Vec<String> {
    let wanted = name.to_ascii_lowercase();
    let words: Vec<&str> =
        wanted.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2).collect();
    let mut found: Vec<(usize, String)> = catalog()
        .into_iter()
        .filter_map(|entry| {
            let names = std::iter::once(&entry.name).chain(&entry.aliases);
            let distance =
                names.map(|known| distance(&wanted, &known.to_ascii_lowercase())).min()?;
            let known = entry.name.to_ascii_lowercase();
            let near = distance <= 1 + wanted.len() / 5;
            (near || words.iter().any(|word| known.contains(word)))
                .then_some((distance, entry.name))
        })
        .collect();
    found.sort();
    found.into_iter().take(5).map(|(_, name)| name).collect()
}

/// Characters to insert, remove or replace to get from one text to another (Levenshtein).
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// What a name resolved to.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    name: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Space(Box<Space>),
    Adx(u32),
    Legacy(&'static Legacy),
    Display(&'static DisplaySpace),
    Output2(OutputTransform),
    Output1(&'static Output1),
}

/// The transform of a name, an alias, a display and view, or an ACES transform id, of either direction.
///
/// # Errors
/// [`Code::UnknownTransform`], with what is close.
pub fn resolve(text: &str) -> Outcome<Named> {
    let text = text.trim();
    let named = |name: &str, what| Ok(Named { name: name.to_owned(), what });
    let plain = text.strip_prefix(URN).unwrap_or(text);
    if let Some(space) = space::find(text) {
        let name = match space::exposure_index(text) {
            Some(index) => space::log_c3_name(index),
            None => space.name.to_owned(),
        };
        return named(&name, What::Space(Box::new(space)));
    }
    for bits in [10, 16] {
        let name = format!("ADX{bits}");
        let id = format!("CSC.Academy.{name}_to_ACES.a2.v1");
        if plain.eq_ignore_ascii_case(&name) || plain == id {
            return named(&name, What::Adx(bits));
        }
    }
    let same = |other: &str| !other.is_empty() && other.eq_ignore_ascii_case(plain);
    if let Some(legacy) = LEGACY.iter().find(|l| same(l.name) || l.ids.iter().any(|id| same(id))) {
        return named(legacy.name, What::Legacy(legacy));
    }
    if let Some(display) = display::find(text) {
        return named(display.name, What::Display(display));
    }
    if let Some((name, output)) = output2(text) {
        return named(&name, What::Output2(output));
    }
    let plain = text.strip_prefix(URN_1).unwrap_or(text);
    let plain = plain.strip_prefix("Inv").unwrap_or(plain);
    let same = |other: &str| !other.is_empty() && other.eq_ignore_ascii_case(plain);
    match outputs1().iter().find(|o| same(o.name) || same(o.id)) {
        Some(output) => named(output.name, What::Output1(output)),
        None => match known::find(text) {
            Some(Known::Ours(ours)) if !ours.eq_ignore_ascii_case(text) => resolve(ours),
            Some(Known::Not(kind)) => Err(known::refused(text, kind)),
            _ => Err(unknown(text)),
        },
    }
}

impl Named {
    /// The one name by which lists, recipes and headers call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Codes of it to ACES2065-1.
    ///
    /// # Errors
    /// [`Code::NoWayBack`] for one that only goes the other way.
    pub fn to_aces(&self) -> Outcome<Chain> {
        match &self.what {
            What::Space(space) => Ok(space.to_aces()),
            What::Adx(bits) => Ok(adx::adx_to_aces(*bits)),
            What::Legacy(legacy) => Ok(legacy.to_aces()),
            What::Display(display) => {
                display.to_aces().map_err(|link| no_way_back(&self.name, link))
            }
            What::Output2(output) => {
                output.inverse_chain().map_err(|link| no_way_back(&self.name, link))
            }
            What::Output1(output) => {
                output.inverse_chain().map_err(|link| no_way_back(&self.name, link))
            }
        }
    }

    /// ACES2065-1 to codes of it.
    ///
    /// # Errors
    /// As [`Named::to_aces`].
    pub fn from_aces(&self) -> Outcome<Chain> {
        match &self.what {
            What::Space(space) => Ok(space.from_aces()),
            What::Adx(bits) => {
                let back = adx::adx_to_aces(*bits).inverse();
                back.map_err(|link| no_way_back(&self.name, link))
            }
            What::Legacy(legacy) => Ok(legacy.from_aces()),
            What::Display(display) => Ok(display.from_aces()),
            What::Output2(output) => Ok(output.chain()),
            What::Output1(output) => Ok(output.chain()),
        }
    }

    /// What its codes mean.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match &self.what {
            What::Space(space) => meaning::of_space(&self.name, space),
            What::Adx(bits) => meaning::of_adx(*bits),
            What::Legacy(legacy) => legacy.meaning(),
            What::Display(display) => display.meaning(),
            What::Output2(output) => meaning::of_output(output),
            What::Output1(output) => output.meaning(),
        }
    }
}

/// What takes codes of `name` to ACES2065-1.
///
/// # Errors
/// [`Code::UnknownTransform`]; [`Code::NoWayBack`] for one that only goes the other way.
pub fn to_aces(name: &str) -> Outcome<Chain> {
    resolve(name)?.to_aces()
}

/// What takes ACES2065-1 to codes of `name`.
///
/// # Errors
/// As [`to_aces`].
pub fn from_aces(name: &str) -> Outcome<Chain> {
    resolve(name)?.from_aces()
}

/// A look that has a name, on ACES2065-1.
///
/// # Errors
/// [`Code::UnknownTransform`].
pub fn look(name: &str) -> Outcome<Chain> {
    let plain = name.trim();
    let plain = plain.strip_prefix(URN).or_else(|| plain.strip_prefix(URN_1)).unwrap_or(plain);
    let gamut = plain.contains(GAMUT_COMPRESSION)
        || plain.contains("GamutCompress.a1")
        || plain.eq_ignore_ascii_case("ACES 1.3 Reference Gamut Compression");
    if gamut {
        let inverse = plain.starts_with("Inv");
        let compress = Chain(vec![Link::GamutCompress { inverse }]);
        let cg = space::find("ACEScg").ok_or_else(|| unknown("ACEScg"))?;
        return Ok(cg.from_aces().then(compress).then(cg.to_aces()));
    }
    if plain.contains("BlueLightArtifactFix") || plain.contains("Blue Light") {
        return Ok(adx::blue_light_fix());
    }
    Err(unknown(name))
}

fn no_way_back(name: &str, link: &str) -> Fault {
    Fault::new(Code::NoWayBack, format!("'{name}' goes one way only ({link})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_resolves() {
        let all = catalog();
        assert!(all.len() > 100, "{}", all.len());
        for entry in &all {
            let names = [&entry.name].into_iter().chain(&entry.aliases).chain(&entry.ids);
            for name in names {
                if entry.from {
                    to_aces(name).unwrap_or_else(|fault| panic!("{name}: {fault}"));
                }
                if entry.to {
                    from_aces(name).unwrap_or_else(|fault| panic!("{name}: {fault}"));
                }
                if entry.kind == "look" {
                    look(name).unwrap_or_else(|fault| panic!("{name}: {fault}"));
                }
            }
        }
        let mut names: Vec<&str> = all.iter().map(|e| e.name.as_str()).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before, "a name is listed twice");
    }

    #[test]
    fn the_unknown_is_named_with_what_is_close() {
        let fault = to_aces("LogC5").unwrap_err();
        assert_eq!(fault.code, Code::UnknownTransform);
        let fault = to_aces("S-Log3 something").unwrap_err();
        assert!(fault.remedy.unwrap().contains("S-Log3 S-Gamut3"));
        for (written, meant) in [("ACEScgg", "ACEScg"), ("Arri LogC 4", "ARRI LogC4")] {
            let fault = to_aces(written).unwrap_err();
            let remedy = fault.remedy.unwrap_or_default();
            assert!(remedy.starts_with(&format!("Perhaps one of: {meant}")), "{written}: {remedy}");
        }
        assert!(to_aces("InvODT.Academy.Rec709_100nits_dim.a1.0.3").is_ok());
    }
}
