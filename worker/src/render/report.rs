//! What a render did, as one value: the JSON of `platefarm render --json`.

use super::stage_order;
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::recipe::ACES;
use platefarm_model::job::{FrameResult, StageMillis};
use platefarm_model::recipe::{Framing, RenderSpec};
use platefarm_model::repair::Repairs;
use platefarm_model::{Fault, FrameRange, FrameSet};
use serde::{Deserialize, Serialize};

/// The report of a render without a farm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenderReport {
    /// The program and its version.
    pub made_by: String,
    /// First file of the clip.
    pub source: String,
    /// Name of the clip.
    pub clip: String,
    /// Directory of the frames.
    pub out_dir: String,
    /// Frames that were asked for.
    pub frames: FrameRange,
    /// Size of the frames in pixels.
    pub size: [u32; 2],
    /// Colour of the pixels.
    pub color: String,
    /// What was done to colour on the way, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub color_steps: Vec<String>,
    /// What the picture is meant to be looked at in, where it is not that already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Files beside the frames that say what they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<String>,
    /// Debayer and the version of our form of it; `none` of a picture that has all its colours.
    pub debayer: String,
    /// Hot pixels: `off`, or what was done.
    #[serde(default)]
    pub hot_pixels: String,
    /// Highlight handling and the version of our form of it.
    #[serde(default)]
    pub highlights: String,
    /// EXR compression.
    pub compression: String,
    /// `cpu`, or `gpu: <adapter>`.
    pub backend: String,
    /// Frames that are there now, in their order.
    pub files: Vec<RenderedFrame>,
    /// Frames that could not be made, in their order.
    pub failed: Vec<FailedFrame>,
    /// Frames that were not begun, since the work was interrupted or the machine is at fault.
    #[serde(default, skip_serializing_if = "FrameSet::is_empty")]
    pub not_done: FrameSet,
    /// What was assumed about the clip.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
    /// Time per stage over all frames.
    pub stages: Vec<StageTotal>,
    /// Size of the files.
    pub bytes: u64,
    /// Values that no half can hold and that were replaced: NaN, infinities and magnitudes from
    /// 65520 up, of the input and of what was made of it.
    pub non_finite: u64,
    /// Milliseconds from opening the clip to the last file.
    pub wall_ms: f64,
    /// Frames per second of that time.
    pub frames_per_second: f64,
    /// Delivered megapixels per second of that time.
    pub megapixels_per_second: f64,
}

/// A frame that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenderedFrame {
    /// Frame number.
    pub frame: i64,
    /// The file.
    pub file: String,
    /// XXH128, 32 hex digits.
    pub xxh128: String,
    /// Size of the file.
    pub bytes: u64,
    /// Milliseconds per stage.
    pub millis: StageMillis,
}

/// A frame that is not there, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedFrame {
    /// Frame number.
    pub frame: i64,
    /// The cause.
    pub fault: Fault,
    /// What to do about it.
    pub remedy: String,
}

/// Time that one stage took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageTotal {
    /// `read`, `process`, `write`, ...
    pub stage: String,
    /// Frames that went through it.
    pub frames: u64,
    /// Milliseconds in all.
    pub total_ms: f64,
    /// Milliseconds of the slowest frame.
    pub slowest_ms: f64,
}

impl StageTotal {
    /// Milliseconds of a frame on average.
    #[must_use]
    pub fn mean_ms(&self) -> f64 {
        if self.frames == 0 { 0.0 } else { self.total_ms / self.frames as f64 }
    }
}

/// Sums the stages of `frames`, in the order of the pipeline.
pub fn stage_totals<'a>(frames: impl Iterator<Item = &'a StageMillis>) -> Vec<StageTotal> {
    let mut stages: Vec<StageTotal> = Vec::new();
    for millis in frames {
        for (name, ms) in millis {
            let known = stages.iter().position(|s| s.stage == *name);
            let i = known.unwrap_or_else(|| {
                stages.push(StageTotal {
                    stage: name.clone(),
                    frames: 0,
                    total_ms: 0.0,
                    slowest_ms: 0.0,
                });
                stages.len() - 1
            });
            stages[i].frames += 1;
            stages[i].total_ms += ms;
            stages[i].slowest_ms = stages[i].slowest_ms.max(*ms);
        }
    }
    stages.sort_by_key(|s| (stage_order(&s.stage), s.stage.clone()));
    stages
}

impl RenderReport {
    /// Whether every frame that was asked for is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.not_done.is_empty()
    }

    /// The first cause of what is missing.
    #[must_use]
    pub fn first_fault(&self) -> Option<&Fault> {
        self.failed.first().map(|f| &f.fault)
    }

    pub(super) fn build(
        spec: &RenderSpec,
        clip: &ClipInfo,
        framing: &Framing,
        backend: String,
        mut done: Vec<FrameResult>,
        mut failed: Vec<(i64, Fault)>,
        wall_ms: f64,
    ) -> Self {
        done.sort_by_key(|f| f.frame);
        failed.sort_by_key(|(frame, _)| *frame);
        let mut not_done = FrameSet::from(spec.frames);
        for frame in done.iter().map(|f| f.frame).chain(failed.iter().map(|(f, _)| *f)) {
            not_done.remove(FrameRange::single(frame));
        }
        let frames_per_second = done.len() as f64 * 1000.0 / wall_ms.max(f64::MIN_POSITIVE);
        let pixels = f64::from(framing.size[0]) * f64::from(framing.size[1]);
        // A picture that has all its colours is not debayered, and has no photosites to mend.
        let mut notes: Vec<Fault> = clip.notes_for(&spec.color).cloned().collect();
        let (debayer, repairs) = if clip.picture.cfa.is_some() {
            (format!("{} v{}", spec.debayer.name(), spec.debayer.version()), spec.repairs)
        } else {
            notes.extend(spec.repairs.unused(&clip.identity.clip_name));
            ("none".into(), Repairs::default())
        };
        Self {
            made_by: concat!("platefarm ", env!("CARGO_PKG_VERSION")).into(),
            source: clip.path.clone(),
            clip: clip.identity.clip_name.clone(),
            out_dir: spec.out_dir.clone(),
            frames: spec.frames,
            size: framing.size,
            color: spec.color_out.name().into(),
            color_steps: color_steps(spec, clip),
            view: spec
                .color
                .view
                .clone()
                .filter(|_| spec.color_out.meaning().is_ok_and(|meaning| !meaning.display)),
            sidecars: Vec::new(),
            debayer,
            hot_pixels: repairs.hot_pixels_label().into(),
            highlights: repairs.highlights.label(),
            compression: spec.compression.label(),
            backend,
            stages: stage_totals(done.iter().map(|f| &f.millis)),
            bytes: done.iter().map(|f| f.bytes).sum(),
            non_finite: done.iter().map(|f| f.non_finite).sum(),
            files: done.into_iter().map(RenderedFrame::from).collect(),
            failed: failed
                .into_iter()
                .map(|(frame, fault)| FailedFrame {
                    frame,
                    remedy: fault.remedy_text().to_owned(),
                    fault,
                })
                .collect(),
            not_done,
            notes,
            wall_ms,
            frames_per_second,
            megapixels_per_second: frames_per_second * pixels / 1e6,
        }
    }
}

/// What is done to colour, in words.
fn color_steps(spec: &RenderSpec, clip: &ClipInfo) -> Vec<String> {
    let own = || match &clip.color_space {
        Some(space) if space == ACES => None,
        Some(space) if clip.primaries_assumed => {
            Some(format!("{space} to {ACES}, its primaries assumed: the file has none"))
        }
        Some(space) => Some(format!("{space} to {ACES}, by the file's own word")),
        None => Some(format!("camera RGB to {ACES}, by the camera's numbers")),
    };
    let input = spec.color.input.iter().filter(|step| !step.changes_nothing());
    let input = input.map(ToString::to_string);
    let input = input.chain(own().filter(|_| spec.color.input.is_empty()));
    let looks = spec.color.looks.iter().map(ToString::to_string);
    let out = (!spec.color_out.is_aces()).then(|| format!("{ACES} to {}", spec.color_out.name()));
    input.chain(looks).chain(out).collect()
}

impl From<FrameResult> for RenderedFrame {
    fn from(result: FrameResult) -> Self {
        Self {
            frame: result.frame,
            file: result.published,
            xxh128: result.xxh128,
            bytes: result.bytes,
            millis: result.millis,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_sum_in_the_order_of_the_pipeline() {
        let frame = |read: f64, write: f64| {
            StageMillis::from([("write".into(), write), ("read".into(), read)])
        };
        let stages = stage_totals([frame(1.0, 10.0), frame(3.0, 2.0)].iter());
        assert_eq!(stages.iter().map(|s| s.stage.as_str()).collect::<Vec<_>>(), ["read", "write"]);
        assert_eq!(
            (stages[0].total_ms, stages[0].slowest_ms, stages[0].mean_ms()),
            (4.0, 3.0, 2.0)
        );
        assert_eq!((stages[1].total_ms, stages[1].slowest_ms), (12.0, 10.0));
    }
}
