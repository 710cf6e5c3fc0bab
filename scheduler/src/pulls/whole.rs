//! What is said of a pull as a whole: what was assumed for all of it, and why
//! none of its events became a plate.

use super::Planner;
use platefarm_model::pull::Tier;
use platefarm_model::{Code, Fault};
use std::collections::BTreeSet;

/// Rejections or plates that are named one by one.
const MOST: usize = 12;

impl Planner<'_> {
    /// What holds for the pull as a whole.
    pub(super) fn notes(&self) -> Vec<Fault> {
        let mut notes: Vec<Fault> = self.short().into_iter().collect();
        notes.extend(self.request.notes.iter().cloned());
        notes.extend(self.framer.note());
        notes.extend(self.reels_look_cut());
        notes.extend(self.fuzzy());
        notes.extend(self.defaulted());
        notes.extend(self.request.edl.warnings.iter().cloned());
        notes.extend(self.notes.iter().cloned());
        if self.sound > 0 {
            let message = format!("{} sound events need no plate", self.sound);
            notes.push(Fault::new(Code::EventSkipped, message));
        }
        notes
    }

    /// Which plates lack what the cut shows: nothing else costs a shot its picture.
    fn short(&self) -> Option<Fault> {
        let short = self.plates.iter().filter(|plate| plate.is_short());
        let names: Vec<&str> = short.map(|plate| plate.name.as_str()).collect();
        (!names.is_empty()).then(|| {
            let named = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
            let more = match names.len().saturating_sub(MOST) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let message = format!(
                "{} of {} plates lack frames that their events show: {named}{more}",
                names.len(),
                self.plates.len()
            );
            Fault::new(Code::FramesShort, message).at(self.request.edl_document.name.clone())
        })
    }

    /// A CMX 3600 export cuts reels to eight characters. Only said when a reel
    /// of that length did not lead to its clip, or led to one of that name: there
    /// are cameras whose names have eight, and lists do not tell which they are of.
    fn reels_look_cut(&self) -> Option<Fault> {
        (self.not_by_reel && self.request.edl.reels_look_cut()).then(|| {
            Fault::new(Code::BadEdlReel, "no reel of the edit list is longer than eight characters")
                .at(self.request.edl_document.name.clone())
        })
    }

    /// How many plates rest on a fuzzy rule; each says so itself too.
    fn fuzzy(&self) -> Option<Fault> {
        let fuzzy = self.plates.iter().map(|plate| &plate.matched);
        let fuzzy = fuzzy.filter(|matched| matched.tier == Tier::Fuzzy);
        let count = fuzzy.clone().count();
        let rules: BTreeSet<&str> = fuzzy.map(|matched| matched.rule.as_str()).collect();
        let rules: Vec<&str> = rules.into_iter().collect();
        (count > 0).then(|| {
            let message = format!(
                "{count} of {} plates were matched by fuzzy rules: {}",
                self.plates.len(),
                rules.join(", ")
            );
            Fault::new(Code::FuzzyMatch, message).at(self.request.edl_document.name.clone())
        })
    }

    /// What nobody said about the delivery.
    fn defaulted(&self) -> Option<Fault> {
        let defaulted = &self.request.defaulted;
        (!defaulted.is_empty()).then(|| {
            let message = format!(
                "{} settings were not given for this pull: {}",
                defaulted.len(),
                defaulted.join(", ")
            );
            Fault::new(Code::Defaulted, message).at(self.request.delivery.name.clone())
        })
    }

    /// Why there is no plate at all.
    pub(super) fn nothing(&self) -> Fault {
        let place = self.request.edl_document.name.as_str();
        let Some(first) = self.rejected.first() else {
            let events = self.request.edl.events.len();
            if events == 0 {
                return Fault::new(Code::EmptyEdl, "there is no event in it: is it an edit list?")
                    .at(place)
                    .remedy("Hand in a CMX3600, File_32 or File_129 list with the video track.");
            }
            let message = format!("none of the {events} events of the edit list needs a plate");
            return Fault::new(Code::EmptyEdl, message).at(place);
        };
        let same = self.rejected.iter().all(|other| other.fault.code == first.fault.code);
        let code = if same { first.fault.code } else { Code::NoClipForEvent };
        let message = match self.rejected.len() {
            1 => first.fault.message.clone(),
            count => format!("none of {count} events became a plate; {}", first.fault.message),
        };
        let mut fault = Fault::new(code, message).at(place);
        fault.remedy = first.fault.remedy.clone().filter(|_| same);
        // The first stands in the message.
        let others = self.rejected.iter().take(MOST).skip(1);
        let others: Vec<String> = others.map(|one| one.fault.to_string()).collect();
        fault.cause = Some(others.join("; ")).filter(|_| !others.is_empty());
        fault
    }
}

/// The number in `line 12`.
pub(super) fn line_of(fault: &Fault) -> usize {
    let digits = fault.place.as_deref().and_then(|place| place.rsplit(' ').next());
    digits.and_then(|text| text.parse().ok()).unwrap_or(0)
}
