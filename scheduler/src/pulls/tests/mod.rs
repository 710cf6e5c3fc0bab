//! Plans against values that were derived by hand from the lists, and against
//! the laws that every plan keeps.

mod again;
mod cases;
mod laws;
mod names;
mod wide;

use super::{BAR, Choices, Media, PullPlan, PullRequest, attempt, plan};
use platefarm_model::clip::{ClipInfo, Identity, Picture, Timing};
use platefarm_model::delivery::Delivery;
use platefarm_model::pull::{Document, PlatePlan};
use platefarm_model::raw::Rect;
use platefarm_model::recipe::Backend;
use platefarm_model::repair::Repairs;
use platefarm_model::{Fault, FrameRate, Outcome, Timecode, Timestamp};
use platefarm_standards::editlist::EditList;
use platefarm_standards::edl;

const RATE: FrameRate = FrameRate::FPS_24;

/// A clip of `frames` frames from `start` on.
pub(crate) fn clip(name: &str, reel: Option<&str>, start: &str, frames: u64) -> ClipInfo {
    ClipInfo {
        path: format!("/media/{name}/{name}.000001.dng"),
        identity: Identity {
            clip_name: name.into(),
            reel_name: reel.map(Into::into),
            ..Identity::default()
        },
        timing: Timing {
            start: Some(Timecode::parse(start, RATE).unwrap()),
            rate: Some(RATE),
            frame_count: frames,
            first_file_number: Some(1),
            ..Timing::default()
        },
        picture: Picture {
            width: 1136,
            height: 752,
            photosites: [1136, 752],
            active: Rect::of_size(1136, 752),
            crop: Rect::of_size(1136, 752),
            pixel_aspect: 1.0,
            bit_depth: 12,
            format: "dng".into(),
            compression: "none".into(),
            cfa: Some("rggb".into()),
            ..Picture::default()
        },
        ..ClipInfo::default()
    }
}

pub(crate) fn list(text: &str) -> EditList {
    edl::parse(text.as_bytes(), RATE).unwrap()
}

pub(crate) fn request<'a>(
    edl: &'a EditList,
    clips: &'a [ClipInfo],
    handles: u32,
) -> PullRequest<'a> {
    PullRequest {
        name: "cut".into(),
        show: "demo".into(),
        edl,
        edl_document: Document { name: "cut.edl".into(), text: "TITLE: T".into() },
        rate: RATE,
        media: Media::of(clips),
        choices: Choices::default(),
        bar: BAR,
        fdl: None,
        fdl_name: None,
        look: None,
        delivery: Delivery { handles, ..Delivery::default() },
        defaulted: Vec::new(),
        previous: Vec::new(),
        documents: Vec::new(),
        out_dir: "/out".into(),
        plate_version: 1,
        repairs: Repairs::default(),
        amf: None,
        template_said: false,
        backend: Backend::default(),
        notes: Vec::new(),
        seed: "0123456789abcdef".into(),
        now: Timestamp(1_795_230_000_000_000),
    }
}

fn planned(text: &str, clips: &[ClipInfo], handles: u32) -> Outcome<PullPlan> {
    let edl = list(text);
    plan(&request(&edl, clips, handles))
}

/// Codes of notes, sorted.
fn codes(notes: &[Fault]) -> Vec<&'static str> {
    let mut codes: Vec<_> = notes.iter().map(|note| note.code.text()).collect();
    codes.sort_unstable();
    codes
}

/// First source index, frame count and handles.
fn frames(plate: &PlatePlan) -> (i64, u64, [u32; 2]) {
    (plate.source_first, plate.frames.len(), plate.handles)
}
