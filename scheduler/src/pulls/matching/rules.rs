//! The rules of matching, in the order in which they are tried. A rule is a
//! way in which names agree and a way in which timecodes do; its score says
//! how far it is to be trusted, and stands in every plan and report.
//!
//! Order and rules follow the practice of conform tools (name and timecode,
//! both; name variants before timecode variants), see docs/pulls.md.

use super::times::{At, inside, one_frame, shifted, sibling, untimed};
use super::{ClipKey, Query};

/// How a name of the event leads to a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// The event's reel is the clip's name or reel; its reel only, where reels look cut.
    Reel,
    /// The event's source file or clip name is.
    Alias,
    /// The reel, cut at a width of list formats, is how a name begins; or all of it, where reels look cut.
    Cut,
    /// Any name, without separators and what copies append.
    Normal,
    /// Any name, by what camera names mean: letter, roll and clip.
    Camera,
    /// Any of those before.
    Any,
    /// Likewise, but the clip's own name only: a reel has many clips.
    AnyClip,
    /// Any name but for a slip.
    Slip,
    /// Camera letter and date alone.
    LetterAndDate,
}

/// A rule.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) score: f64,
    pub(super) names: Names,
    pub(super) times: fn(&ClipKey, &Query<'_>) -> Option<At>,
    /// What it allows, for people.
    pub(super) doc: &'static str,
}

/// Name of the rule by which a unique id leads to a clip.
pub(super) const UMID: &str = "umid";
/// Name of the rule by which a person does.
pub(super) const CHOSEN: &str = "chosen";

fn within(clip: &ClipKey, query: &Query<'_>) -> Option<At> {
    inside(clip, query).ok()
}

/// A name leads to the clip, and nothing says where in it.
pub(super) const NO_TIMECODE: Rule = Rule {
    name: "no-timecode",
    score: 0.5,
    names: Names::Any,
    times: untimed,
    doc: "a name agrees, and the clip has no timecode: the list's is counted from its first frame as 00:00:00:00",
};

/// Every rule, in order; those with a score of 1 are the exact tier.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "reel",
        score: 1.0,
        names: Names::Reel,
        times: within,
        doc: "the reel is the clip's name or reel, and the timecode lies in the clip at its rate; where reels look cut, one of eight characters is no clip's name",
    },
    Rule {
        name: "clip-name",
        score: 0.95,
        names: Names::Alias,
        times: within,
        doc: "the source file or clip name is the clip's name or reel, instead of the reel",
    },
    Rule {
        name: "cut-reel",
        score: 0.9,
        names: Names::Cut,
        times: within,
        doc: "the reel has 8, 16 or 32 characters and a clip's name begins so; where reels look cut, all of the name too",
    },
    Rule {
        name: "normalised",
        score: 0.85,
        names: Names::Normal,
        times: within,
        doc: "names agree without separators, copy marks (_proxy, .new.01, _v2) and segment numbers",
    },
    Rule {
        name: "camera-name",
        score: 0.8,
        names: Names::Camera,
        times: within,
        doc: "names agree in camera letter, roll and clip; date and serial do not count",
    },
    Rule {
        name: "one-frame",
        score: 0.75,
        names: Names::Any,
        times: one_frame,
        doc: "a name agrees, and the range lies one frame beyond an end of the clip",
    },
    Rule {
        name: "sibling-rate",
        score: 0.7,
        names: Names::Any,
        times: sibling,
        doc: "a name agrees, and the timecode lies in the clip when it is read in the clip's count: 24 for 23.976, drop frame for non-drop, 50 for 25",
    },
    Rule {
        name: "hour",
        score: 0.65,
        names: Names::AnyClip,
        times: shifted,
        doc: "a name is the clip's own, and the timecode lies in the clip one hour earlier or later",
    },
    Rule {
        name: "slip",
        score: 0.6,
        names: Names::Slip,
        times: within,
        doc: "a name agrees but for one slip: a character too many or too few, two that changed places, O for 0",
    },
    NO_TIMECODE,
    Rule {
        name: "camera-date",
        score: 0.4,
        names: Names::LetterAndDate,
        times: within,
        doc: "camera letter and date agree, and no name does",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_tried_from_the_surest_to_the_least() {
        assert!(RULES.windows(2).all(|pair| pair[0].score > pair[1].score));
        assert!(RULES.iter().all(|rule| (0.0..=1.0).contains(&rule.score)));
    }
}
