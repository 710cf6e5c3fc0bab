//! The clips of the library that a pull may take: which they are, what is to
//! be said about that, and in full those that its plan takes.

use super::{Library, Of};
use crate::pulls::{self, Choices, ClipKey};
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use platefarm_standards::editlist::EditList;
use std::collections::HashMap;

/// How a pull takes clips of other shows.
const WIDER: &str = "Name their show with --show, or take them with --any-show.";

/// The clips that the events of a list may come from.
#[derive(Debug, Default)]
pub struct Footage {
    /// What finds them. Those whose files are gone are marked by whoever looks.
    pub keys: Vec<ClipKey>,
    /// Their ids.
    ids: Vec<i64>,
    /// That there are others, which are passed over or taken, too.
    pub note: Option<Fault>,
}

impl Footage {
    /// Their rates.
    #[must_use]
    pub fn rates(&self) -> Vec<FrameRate> {
        self.keys.iter().filter_map(|key| key.rate).collect()
    }
}

impl Library {
    /// The show's own clips and those of none; those of other shows where that is asked for.
    /// How many others have is said only where `counts_others`.
    ///
    /// # Errors
    /// [`Code::NoMedia`] where there is none; `F0502`.
    pub async fn footage(&self, show: &str, any: bool, counts_others: bool) -> Outcome<Footage> {
        let of = if any { Of::Any } else { Of::ShowOrNone(show) };
        let (ids, keys) = self.keys(of).await?;
        let others = if any || !counts_others { 0 } else { self.of_others(show).await? };
        if keys.is_empty() {
            let (message, remedy) = match others {
                0 => (
                    "the library has no clips".to_owned(),
                    "Add clips with `platefarm library add PATH`.",
                ),
                _ => (
                    format!("no clip of the library is of show '{show}'; {others} are of others"),
                    WIDER,
                ),
            };
            return Err(Fault::new(Code::NoMedia, message).at("--library").remedy(remedy));
        }
        let message = match (any, others) {
            (true, _) => Some("clips of any show are taken".to_owned()),
            (false, 0) => None,
            (false, _) => {
                Some(format!("{others} clips of other shows than '{show}' are passed over"))
            }
        };
        let note = message
            .map(|message| Fault::new(Code::OtherShow, message).at("--library").remedy(WIDER));
        Ok(Footage { keys, ids, note })
    }

    /// In full what a plan of the list takes, by its place among the footage.
    ///
    /// # Errors
    /// As [`Library::clips`].
    pub async fn taken(
        &self,
        footage: &Footage,
        list: &EditList,
        choices: &Choices,
        bar: f64,
    ) -> Outcome<HashMap<usize, ClipInfo>> {
        let places: Vec<usize> =
            pulls::wanted(list, &footage.keys, choices, bar).into_iter().collect();
        let ids: Vec<i64> = places.iter().map(|place| footage.ids[*place]).collect();
        let clips = self.clips(&ids).await?;
        Ok(places.into_iter().zip(clips).collect())
    }
}
