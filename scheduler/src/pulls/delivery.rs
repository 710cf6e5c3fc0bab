//! Delivery specs: small TOML files, in layers.
//!
//! The lowest layer is what platefarm does when nobody says anything; over it
//! lie a spec (a shipped profile or a file), and what the command line says.
//! Each layer is checked by itself, so that a mistake is told with its file
//! and line, and what no layer gave is listed: a default is never silent.

use platefarm_model::delivery::{Delivery, MovieSpec, ShowDefaults};
use platefarm_model::{Code, Fault, Outcome};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Specs that come with the program, by name.
pub const PROFILES: &[(&str, &str)] = &[
    ("vfx-plate", include_str!("profiles/vfx-plate.toml")),
    ("review", include_str!("profiles/review.toml")),
    ("editorial", include_str!("profiles/editorial.toml")),
];

/// The text of a shipped profile.
#[must_use]
pub fn profile(name: &str) -> Option<&'static str> {
    PROFILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of the shipped profiles, as remedies list them.
#[must_use]
pub fn names() -> String {
    PROFILES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// A delivery spec under construction.
#[derive(Debug, Default)]
pub struct Layers {
    table: Table,
}

impl Layers {
    /// Lays a document over what is there. `name` is said with its mistakes.
    ///
    /// # Errors
    /// [`Code::BadDelivery`] with file, line and setting.
    pub fn document(&mut self, name: &str, text: &str) -> Outcome<()> {
        // By itself first: only here is it known where the setting stands.
        let _: Delivery = toml::from_str(text).map_err(|e| unreadable(name, text, &e))?;
        let table: Table = text.parse().map_err(|e| unreadable(name, text, &e))?;
        lay(&mut self.table, table);
        Ok(())
    }

    /// Lays one setting over what is there: `picture.compression`.
    ///
    /// # Errors
    /// [`Code::BadDelivery`] when the setting does not exist or cannot have that value.
    pub fn set(&mut self, from: &str, key: &str, value: impl Into<Value>) -> Outcome<()> {
        let mut value = value.into();
        for part in key.rsplit('.') {
            value = Value::Table(Table::from_iter([(part.to_owned(), value)]));
        }
        let Value::Table(table) = value else { return Ok(()) };
        let _: Delivery =
            Value::Table(table.clone()).try_into().map_err(|e: toml::de::Error| {
                Fault::new(Code::BadDelivery, e.message().to_owned()).at(from)
            })?;
        lay(&mut self.table, table);
        Ok(())
    }

    /// The spec, and the settings that nobody gave, as `name = value`.
    ///
    /// # Errors
    /// [`Code::BadDelivery`] when the settings contradict each other.
    pub fn finish(self) -> Outcome<(Delivery, Vec<String>)> {
        let broken = |e: &dyn std::fmt::Display| {
            Fault::new(Code::BadDelivery, format!("the delivery spec cannot be read: {e}"))
        };
        let defaults = Table::try_from(Delivery::default()).map_err(|e| broken(&e))?;
        let mut all = BTreeSet::new();
        leaves("", &self.table, &mut |key, _| {
            all.insert(key.to_owned());
        });
        let mut defaulted = Vec::new();
        leaves("", &defaults, &mut |key, value| {
            // A setting may be given as a table of its own.
            let within = format!("{key}.");
            let given = |known: &String| known == key || known.starts_with(&within);
            if key != "name" && !all.iter().any(given) {
                defaulted.push(format!("{key} = {value}"));
            }
        });
        let delivery: Delivery = Value::Table(self.table).try_into().map_err(|e| broken(&e))?;
        check(&delivery)?;
        Ok((delivery, defaulted))
    }
}

/// Reads the defaults of a show.
///
/// # Errors
/// [`Code::BadDelivery`] with file, line and setting.
pub fn show(name: &str, text: &str) -> Outcome<ShowDefaults> {
    toml::from_str(text).map_err(|e| unreadable(name, text, &e))
}

fn unreadable(name: &str, text: &str, error: &toml::de::Error) -> Fault {
    let message = error.message().lines().next().unwrap_or_default().to_owned();
    let line = error.span().map(|span| {
        let before = text.get(..span.start).unwrap_or_default();
        before.matches('\n').count() + 1
    });
    let place = line.map_or_else(|| name.to_owned(), |line| format!("{name}, line {line}"));
    Fault::new(Code::BadDelivery, message).at(place)
}

fn lay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => lay(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn leaves(path: &str, table: &Table, each: &mut dyn FnMut(&str, &Value)) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(table) => leaves(&path, table, each),
            value => each(&path, value),
        }
    }
}

/// What a reader of types cannot know.
fn check(delivery: &Delivery) -> Outcome<()> {
    let bad = |message: String, place: &str| Err(Fault::new(Code::BadDelivery, message).at(place));
    delivery.picture.color.meaning().map_err(|fault| fault.at("picture.color"))?;
    let naming = &delivery.naming;
    if !(1..=9).contains(&naming.padding) {
        return bad(
            format!("{} digits of a frame number; 1 to 9 are possible", naming.padding),
            "naming.padding",
        );
    }
    if !(0..=9_999_999).contains(&naming.first_frame) {
        return bad(
            format!("first frame {}; 0 to 9999999 are possible", naming.first_frame),
            "naming.first_frame",
        );
    }
    if naming.marker_color.as_ref().is_some_and(|color| color.trim().is_empty()) {
        return bad("a colour without a name".into(), "naming.marker_color");
    }
    let texts = &delivery.headers;
    for (text, place) in [(&texts.owner, "headers.owner"), (&texts.comments, "headers.comments")] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return bad("an empty text, which OpenEXR does not allow".into(), place);
        }
    }
    if delivery.handles > 100_000 {
        return bad(format!("{} frames of handle", delivery.handles), "handles");
    }
    movies(&delivery.movies)
}

/// What a package has at its root besides plates and movies; `ascmhl` is a history wherever it stands.
const OWN: &[&str] = &[
    "color",
    "contact_sheet.png",
    "edit",
    "framing",
    "report.html",
    "report.json",
    "stills",
    "thumbnails",
];

fn movies(movies: &[MovieSpec]) -> Outcome<()> {
    let bad = |message: String, place: &str| Err(Fault::new(Code::BadDelivery, message).at(place));
    let mut directories = BTreeSet::new();
    for MovieSpec { directory, size, .. } in movies {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        if !directory.split('/').all(plain) {
            return bad(
                format!("'{directory}' is no directory inside the package"),
                "movies.directory",
            );
        }
        // Volumes without case take two spellings for one.
        let spelled = directory.to_ascii_lowercase();
        let first = spelled.split('/').next().unwrap_or_default();
        if OWN.contains(&first) || spelled.split('/').any(|part| part == "ascmhl") {
            return bad(
                format!("'{directory}' is where the package keeps something else"),
                "movies.directory",
            );
        }
        if !directories.insert(spelled) {
            return bad(
                format!("two movies in '{directory}' would have one name"),
                "movies.directory",
            );
        }
        if let Some([w, h]) =
            size.filter(|side| side.iter().any(|s| *s == 0 || s % 4 != 0 || *s > 8192))
        {
            let message = format!("{w}x{h}: a movie's sides are multiples of 4, up to 8192");
            return bad(message, "movies.size");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::recipe::Compression;

    #[test]
    fn every_profile_can_be_read_and_leaves_nothing_open() {
        for (name, text) in PROFILES {
            let mut layers = Layers::default();
            layers.document(name, text).unwrap();
            let (delivery, defaulted) = layers.finish().unwrap();
            assert_eq!(delivery.name, *name);
            assert_eq!(defaulted, [""; 0], "{name}");
        }
    }

    #[test]
    fn later_layers_hold_and_defaults_are_listed() {
        let mut layers = Layers::default();
        layers.document("show.toml", "handles = 16\n[picture]\ncompression = \"piz\"\n").unwrap();
        layers.set("--compression", "picture.compression", "dwaa").unwrap();
        let (delivery, defaulted) = layers.finish().unwrap();
        assert_eq!((delivery.handles, delivery.picture.compression), (16, Compression::Dwaa));
        for line in ["naming.first_frame = 1001", "picture.debayer = \"ri\"", "repeated = \"each\""]
        {
            assert!(defaulted.iter().any(|d| d == line), "{line} in {defaulted:?}");
        }
        assert!(!defaulted.iter().any(|line| line.starts_with("handles")));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, place, what) in [
            ("handels = 8\n", "x.toml, line 1", "handels"),
            ("[picture]\n\ncompression = \"rar\"\n", "x.toml, line 3", "rar"),
            ("handles = \n", "x.toml, line 1", ""),
            ("[naming]\nfirst_frame = \"1001\"\n", "x.toml, line 2", "invalid type"),
        ] {
            let fault = Layers::default().document("x.toml", text).unwrap_err();
            assert_eq!(fault.code, Code::BadDelivery, "{text}");
            assert_eq!(fault.place.as_deref(), Some(place), "{text}");
            assert!(fault.message.contains(what), "{fault}");
        }
        let fault = Layers::default().set("--debayer", "picture.debayer", "best").unwrap_err();
        assert!(fault.message.contains("best"), "{fault}");
        for (text, place) in [
            ("[naming]\npadding = 0\n", "naming.padding"),
            ("[[movies]]\ndirectory = \"../up\"\ncodec = \"h264\"\n", "movies.directory"),
            (
                "[[movies]]\ndirectory = \"m\"\ncodec = \"h264\"\nsize = [1919, 1080]\n",
                "movies.size",
            ),
            ("[[movies]]\ndirectory = \"ascmhl\"\ncodec = \"h264\"\n", "movies.directory"),
            ("[[movies]]\ndirectory = \"m/AscMhl/x\"\ncodec = \"h264\"\n", "movies.directory"),
            ("[[movies]]\ndirectory = \"report.html\"\ncodec = \"h264\"\n", "movies.directory"),
            (
                "[[movies]]\ndirectory = \"Edit/pull_list.csv\"\ncodec = \"h264\"\n",
                "movies.directory",
            ),
            (
                "[[movies]]\ndirectory = \"m\"\ncodec = \"h264\"\n\
                 [[movies]]\ndirectory = \"M\"\ncodec = \"h264\"\n",
                "movies.directory",
            ),
        ] {
            let mut layers = Layers::default();
            layers.document("x.toml", text).unwrap();
            assert_eq!(layers.finish().unwrap_err().place.as_deref(), Some(place), "{text}");
        }
    }

    #[test]
    fn a_show_says_what_holds_for_all_its_pulls() {
        let text = "show = \"DUNE\"\nrate = \"23.976\"\nspec = \"vfx-plate\"\nfdl = \"show.fdl\"\n";
        let show = show("dune.toml", text).unwrap();
        assert_eq!(show.rate.unwrap().to_string(), "24000/1001");
        assert_eq!(show.spec.as_deref(), Some("vfx-plate"));
    }
}
