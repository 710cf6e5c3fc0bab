//! What an event says about its clip: names, in the order of their weight, an
//! id where it has one, and the frames that the clip must have.

use super::key;
use super::names::{normal, plain};
use crate::pulls::take::{Take, place};
use platefarm_model::Timecode;
use platefarm_standards::editlist::Event;

/// Which name of an event it is, in the order of their weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Reel,
    SourceFile,
    ClipName,
}

impl Given {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Reel => "reel",
            Self::SourceFile => "source file",
            Self::ClipName => "clip name",
        }
    }
}

/// What an event says about its clip.
pub(in crate::pulls) struct Query<'t> {
    /// Names, in the order of their weight.
    pub(super) names: Vec<(Given, &'t str)>,
    /// Unique id of the material, as hexadecimal digits.
    pub(super) umid: Option<String>,
    /// First frame, and how many the clip must have.
    pub(super) start: Timecode,
    pub(super) written: i64,
    /// Where it stands, for messages.
    pub(super) place: String,
}

impl<'t> Query<'t> {
    pub(in crate::pulls) fn of(take: &Take<'t>) -> Self {
        // Where the list says what it cut, the whole reel is meant.
        let reel = take.event.long_reel.as_deref().unwrap_or(&take.event.reel);
        let reel = (!take.event.is_auxiliary()).then_some(reel);
        let names = [
            (Given::Reel, reel),
            (Given::SourceFile, take.source_file),
            (Given::ClipName, take.clip_name),
        ];
        let named = |(given, name): (Given, Option<&'t str>)| {
            Some((given, name.filter(|name| !normal(&plain(name)).is_empty())?))
        };
        Self {
            names: names.into_iter().filter_map(named).collect(),
            umid: umid(take.event),
            start: take.start,
            written: take.written,
            place: place(take.event),
        }
    }

    pub(super) fn given(&self, wanted: Given) -> impl Iterator<Item = (Given, &'t str)> + '_ {
        self.names.iter().copied().filter(move |(given, _)| *given == wanted)
    }
}

/// The UMID that an event gives, in its own place or in a remark.
fn umid(event: &Event) -> Option<String> {
    let own = event.umid.as_deref().map(key::digits).filter(|id| !id.is_empty());
    own.or_else(|| event.remarks.iter().find_map(|remark| key::umid_in(remark)))
}
