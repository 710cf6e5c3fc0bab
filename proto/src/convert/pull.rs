//! What a pull would do, as far as it has fields of its own.

use crate::v1;
use platefarm_model::Fault;
use platefarm_model::pull::{Candidate, EventRef, PlatePlan, Rejected};

impl From<&EventRef> for v1::EventView {
    fn from(event: &EventRef) -> Self {
        Self {
            number: event.number.clone(),
            line: event.line as u64,
            reel: event.reel.clone(),
            clip_name: event.clip_name.clone().unwrap_or_default(),
            source_in: event.source_in.clone(),
            source_out: event.source_out.clone(),
            record_in: event.record_in.clone(),
            record_out: event.record_out.clone(),
        }
    }
}

impl From<&Candidate> for v1::ClipCandidate {
    fn from(candidate: &Candidate) -> Self {
        Self {
            clip_name: candidate.clip_name.clone(),
            path: candidate.path.clone(),
            reel_name: candidate.reel_name.clone().unwrap_or_default(),
            rule: candidate.rule.clone(),
            score: candidate.score,
        }
    }
}

impl From<&Rejected> for v1::EventVerdict {
    fn from(rejected: &Rejected) -> Self {
        // The remedy travels with the fault, also where it is its code's.
        let remedy = rejected.fault.remedy_text().to_owned();
        let fault: Fault = rejected.fault.clone().remedy(remedy);
        Self {
            event: rejected.event.as_ref().map(Into::into),
            fault: Some((&fault).into()),
            candidates: rejected.candidates.iter().map(Into::into).collect(),
        }
    }
}

impl From<&PlatePlan> for v1::PlannedPlate {
    fn from(plate: &PlatePlan) -> Self {
        let [head_handle, tail_handle] = plate.handles;
        let [width, height] = plate.size;
        Self {
            name: plate.name.clone(),
            shot: plate.shot.clone(),
            event: Some((&plate.event).into()),
            also: plate.also.iter().map(Into::into).collect(),
            frames: Some(plate.frames.into()),
            clip_name: plate.clip.identity.clip_name.clone(),
            clip_path: plate.clip.path.clone(),
            source_first: plate.source_first,
            head_handle,
            tail_handle,
            size: Some(v1::PictureSize { width, height }),
            tier: plate.matched.tier.word().to_owned(),
            rule: plate.matched.rule.clone(),
            score: plate.matched.score,
            notes: plate.notes.iter().map(Into::into).collect(),
        }
    }
}
