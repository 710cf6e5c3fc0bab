//! What a pull delivered, as one value: `report.json` is this value, and
//! `report.html` is this value on a page. It is a function of the plan, the
//! farm's results and the files; making it twice makes it equal.

use super::gather::{Gathered, PlateFrames};
use crate::gate::Verdict;
use crate::render::{StageTotal, TAKEN_OVER, stage_totals};
use platefarm_model::clip::ClipInfo;
use platefarm_model::delivery::Delivery;
use platefarm_model::job::{FrameResult, StageMillis};
use platefarm_model::pull::{EventRef, Matched, PackageSpec, PlatePlan, Rejected, Retime};
use platefarm_model::{Code, Fault, FrameRange, FrameRate, FrameSet, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the report's own shape.
pub const FORMAT: u32 = 1;

/// The report of a pull.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageReport {
    /// Shape of this document; grows when a field changes its meaning.
    pub format: u32,
    /// The program and its version.
    pub made_by: String,
    /// Name of the pull.
    pub name: String,
    /// Production.
    pub show: String,
    /// Rate of the edit list.
    pub rate: FrameRate,
    /// Whether every event became a plate and every frame is there as it was rendered.
    pub complete: bool,
    /// When the last frame was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_frame_written: Option<Timestamp>,
    /// Whether the package passed the gate and is released.
    #[serde(default)]
    pub released: bool,
    /// What the gate found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Verdict>,
    /// What decided the pixels.
    pub settings: Settings,
    /// What was asked of the delivery, complete.
    #[serde(default)]
    pub delivery: Delivery,
    /// Settings that nobody gave for this pull, as `name = value`; with whose they are, where they
    /// are the show's or the media's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaulted: Vec<String>,
    /// Sums over the plates.
    pub totals: Totals,
    /// Time per stage over all frames.
    pub stages: Vec<StageTotal>,
    /// Plates, in the order of the edit.
    pub plates: Vec<PlateReport>,
    /// Events that became no plate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
    /// What was assumed for the whole pull.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
    /// Sidecars, relative to the package.
    pub sidecars: Vec<String>,
    /// XXH128 of the sidecars but for the report itself, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<String, String>,
    /// Directory of the thumbnails, where they are files and not in the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnails: Option<String>,
}

/// What decided the pixels of every plate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Debayer of the clips that need one, and the version of our form of it: `mhc v1`; `none` where none does.
    pub debayer: String,
    /// Hot pixels: `off`, or what was done.
    #[serde(default)]
    pub hot_pixels: String,
    /// Highlight handling and the version of our form of it.
    #[serde(default)]
    pub highlights: String,
    /// EXR compression.
    pub compression: String,
    /// Colour of the pixels.
    pub color: String,
    /// AMF that came in, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amf: Option<String>,
    /// What plates are meant to be looked at in, where they are not that already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Framing decision list, where one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fdl: Option<String>,
}

/// Sums over the plates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Events of the edit list, rejected ones included.
    pub events: u64,
    /// Plates planned.
    pub plates: u64,
    /// Plates with every frame.
    pub plates_whole: u64,
    /// Frames planned.
    pub frames: u64,
    /// Frames that are there and are what their hash says.
    pub frames_delivered: u64,
    /// Their size.
    pub bytes: u64,
}

/// One plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateReport {
    /// `<shot>_PL01_v001`.
    pub name: String,
    /// Whether every frame is there and sound.
    pub complete: bool,
    /// The event it comes from.
    pub event: EventRef,
    /// Its shot.
    #[serde(default)]
    pub shot: String,
    /// Which plate of the shot.
    #[serde(default)]
    pub number: u32,
    /// Its version.
    #[serde(default)]
    pub version: u32,
    /// Further events that it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<EventRef>,
    /// How the clip was found.
    pub matched: Matched,
    /// The speed change of the edit, which is not baked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retime: Option<Retime>,
    /// Names what decided the pixels.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipe: String,
    /// Frames that were taken over from an earlier delivery.
    #[serde(default, skip_serializing_if = "FrameSet::is_empty")]
    pub reused: FrameSet,
    /// The clip.
    pub source: SourceReport,
    /// Frames planned.
    pub frames: FrameRange,
    /// Frames of head and tail handle.
    pub handles: [u32; 2],
    /// Size in pixels.
    pub size: [u32; 2],
    /// Frames that are not there or not sound.
    #[serde(default, skip_serializing_if = "FrameSet::is_empty")]
    pub missing: FrameSet,
    /// Why frames are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// What was assumed or clamped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
    /// Frames per backend.
    pub backends: BTreeMap<String, u64>,
    /// Values that no half can hold and that were replaced: NaN, infinities and magnitudes from
    /// 65520 up, of the input and of what was made of it.
    pub non_finite: u64,
    /// Time per stage.
    pub stages: Vec<StageTotal>,
    /// The files.
    pub files: Vec<FileReport>,
}

impl PlateReport {
    /// What is to be said of frames that its event shows and the media lacks.
    pub(crate) fn short(&self) -> impl Iterator<Item = &Fault> {
        self.notes.iter().filter(|note| note.code == Code::FramesShort)
    }
}

/// Where a plate's pictures come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Clip name.
    pub clip: String,
    /// Reel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reel: Option<String>,
    /// First file of the clip.
    pub path: String,
    /// Maker and model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// Delivered size of the clip, before framing.
    pub size: [u32; 2],
    /// Format, bits, compression.
    pub format: String,
    /// Whether it is a sensor's samples, and so was debayered.
    #[serde(default)]
    pub sensor: bool,
    /// Frames per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<FrameRate>,
    /// Indices within the clip.
    pub indices: FrameRange,
    /// Timecode of the first and the last delivered frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timecodes: Option<[String; 2]>,
}

/// Why one or more frames are missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The frames.
    pub frames: FrameSet,
    /// The cause.
    pub fault: Fault,
    /// What to do about it.
    pub remedy: String,
}

/// One file of a plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileReport {
    /// Frame number.
    pub frame: i64,
    /// Path relative to the package.
    pub file: String,
    /// XXH128, 32 hex digits.
    pub xxh128: String,
    /// Size.
    pub bytes: u64,
    /// Time per stage.
    pub millis: StageMillis,
}

/// Puts equal faults of several frames together, in the order of their first frame.
pub(crate) fn group_failures<'a>(failed: impl Iterator<Item = (i64, &'a Fault)>) -> Vec<Failure> {
    let mut groups: Vec<Failure> = Vec::new();
    for (frame, fault) in failed {
        let known = groups
            .iter_mut()
            .find(|g| g.fault.code == fault.code && g.fault.message == fault.message);
        match known {
            Some(group) => group.frames.insert(FrameRange::single(frame)),
            None => groups.push(Failure {
                frames: FrameRange::single(frame).into(),
                fault: fault.clone(),
                remedy: fault.remedy_text().to_owned(),
            }),
        }
    }
    groups
}

fn source(plan: &PlatePlan) -> SourceReport {
    let ClipInfo { identity, timing, picture, camera, path, .. } = &plan.clip;
    let indices = FrameRange::of_len(plan.source_first, plan.frames.len());
    SourceReport {
        clip: identity.clip_name.clone(),
        reel: identity.reel_name.clone(),
        path: path.clone(),
        camera: camera.name(),
        size: [picture.width, picture.height],
        format: format!("{} {} bit, {}", picture.format, picture.bit_depth, picture.compression),
        sensor: picture.cfa.is_some(),
        rate: timing.rate,
        indices,
        timecodes: timing
            .start
            .map(|tc| [indices.first(), indices.last()].map(|i| tc.plus(i).to_string())),
    }
}

/// Frames that were to be taken over, and had to be rendered.
fn not_taken_over(plan: &PlatePlan, anew: &FrameSet) -> Option<Fault> {
    (!anew.is_empty()).then(|| {
        let of = match plan.reused_from.as_slice() {
            [] => "the earlier delivery".to_owned(),
            plates => plates.join(", "),
        };
        let message = format!(
            "frames {anew} were rendered anew: those of {of} are not what their hashes say, not there, or out of the worker's reach"
        );
        Fault::new(Code::NotTakenOver, message)
    })
}

fn plate(plan: &PlatePlan, frames: &PlateFrames) -> PlateReport {
    let mut missing = FrameSet::from(plan.frames);
    let (mut reused, mut anew) = (FrameSet::new(), FrameSet::new());
    let mut backends = BTreeMap::new();
    for result in frames.sound() {
        let frame = FrameRange::single(result.frame);
        missing.remove(frame);
        *backends.entry(result.backend.clone()).or_insert(0) += 1;
        if result.backend == TAKEN_OVER {
            reused.insert(frame);
        } else if plan.reused.contains(result.frame) {
            anew.insert(frame);
        }
    }
    let notes = plan.clip.notes.iter().chain(&plan.notes).cloned();
    let notes = notes.chain(not_taken_over(plan, &anew)).collect();
    let file = |result: &FrameResult| FileReport {
        frame: result.frame,
        file: format!("{}/{}", plan.name, super::gather::file_name(result)),
        xxh128: result.xxh128.clone(),
        bytes: result.bytes,
        millis: result.millis.clone(),
    };
    PlateReport {
        name: plan.name.clone(),
        complete: missing.is_empty(),
        event: plan.event.clone(),
        shot: plan.shot.clone(),
        number: plan.number,
        version: plan.version,
        also: plan.also.clone(),
        matched: plan.matched.clone(),
        retime: plan.retime.clone(),
        recipe: plan.recipe.clone(),
        reused,
        source: source(plan),
        frames: plan.frames,
        handles: plan.handles,
        size: plan.size,
        missing,
        failures: group_failures(frames.failed.iter().map(|(frame, fault)| (*frame, fault))),
        notes,
        backends,
        non_finite: frames.sound().map(|f| f.non_finite).sum(),
        stages: stage_totals(frames.sound().map(|f| &f.millis)),
        files: frames.sound().map(file).collect(),
    }
}

/// What decided the pixels. Pictures that have all their colours are not debayered.
fn settings(spec: &PackageSpec) -> Settings {
    let sensors = spec.plates.iter().any(|plan| plan.clip.picture.cfa.is_some());
    let debayer = format!("{} v{}", spec.debayer.name(), spec.debayer.version());
    Settings {
        debayer: if sensors { debayer } else { "none".into() },
        hot_pixels: spec.repairs.hot_pixels_label().into(),
        highlights: spec.repairs.highlights.label(),
        compression: spec.compression.label(),
        color: spec.color_out.name().into(),
        amf: spec.color.amf.clone(),
        view: spec.color.view.clone(),
        fdl: spec.fdl.as_ref().map(|d| d.name.clone()),
    }
}

/// The report of a pull, from its plan and what was found.
#[must_use]
pub(crate) fn build(
    spec: &PackageSpec,
    gathered: &Gathered,
    sidecars: Vec<String>,
) -> PackageReport {
    let plates: Vec<_> = spec
        .plates
        .iter()
        .zip(&gathered.plates)
        .map(|(plan, frames)| plate(plan, frames))
        .collect();
    let mended = spec.plates.iter().filter(|plan| plan.clip.picture.cfa.is_none());
    let unused = mended.filter_map(|plan| spec.repairs.unused(&plan.name));
    let whole = plates.iter().filter(|p| p.complete).count();
    let files = || plates.iter().flat_map(|p| &p.files);
    PackageReport {
        format: FORMAT,
        made_by: concat!("platefarm ", env!("CARGO_PKG_VERSION")).into(),
        name: spec.name.clone(),
        show: spec.show.clone(),
        rate: spec.rate,
        complete: whole == plates.len() && spec.rejected.is_empty(),
        last_frame_written: gathered.last_written,
        released: false,
        gate: None,
        delivery: spec.delivery.clone(),
        defaulted: spec.defaulted.clone(),
        settings: settings(spec),
        totals: Totals {
            events: (plates.len() + spec.rejected.len()) as u64,
            plates: plates.len() as u64,
            plates_whole: whole as u64,
            frames: plates.iter().map(|p| p.frames.len()).sum(),
            frames_delivered: files().count() as u64,
            bytes: files().map(|f| f.bytes).sum(),
        },
        stages: stage_totals(files().map(|f| &f.millis)),
        rejected: spec.rejected.clone(),
        notes: spec.notes.iter().cloned().chain(unused).collect(),
        sidecars,
        documents: BTreeMap::new(),
        thumbnails: (plates.len() > super::MOST_EMBEDDED).then(|| super::THUMBNAILS.into()),
        plates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_failures_are_told_once() {
        let missing = Fault::new(Code::MissingFrame, "not on disk");
        let truncated = Fault::new(Code::TruncatedFile, "short");
        let groups =
            group_failures([(1001, &missing), (1002, &truncated), (1003, &missing)].into_iter());
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].frames.to_string(), "1001,1003");
        assert_eq!(groups[0].remedy, Code::MissingFrame.info().remedy);
    }
}
