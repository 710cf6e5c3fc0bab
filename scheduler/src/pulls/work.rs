//! What a worker is asked to do for a plate, and the name of what decides its pixels.

use super::PullRequest;
use platefarm_model::clip::ClipInfo;
use platefarm_model::job::{StepKind, StepSpec};
use platefarm_model::recipe::{Backend, ColorRecipe, FrameNaming, RenderSpec};
use platefarm_model::{Code, Fault, FrameRange, Outcome, limits};
use twox_hash::XxHash3_128;

/// What is asked for of every plate, of this one: in its full source, with nothing made before.
pub(super) fn wanted(
    request: &PullRequest<'_>,
    clip: &ClipInfo,
    naming: FrameNaming,
    source_first: i64,
    frames: FrameRange,
    color: ColorRecipe,
) -> RenderSpec {
    let picture = &request.delivery.picture;
    RenderSpec {
        source: clip.path.clone(),
        clip_name: None,
        source_first,
        frames,
        out_dir: format!("{}/{}", request.out_dir.trim_end_matches('/'), naming.stem),
        naming,
        debayer: picture.debayer,
        repairs: request.repairs,
        framing: None,
        color,
        color_out: picture.color.clone(),
        compression: picture.compression,
        backend: request.backend,
        fdl_json: None,
        headers: request.delivery.headers.clone(),
        reuse: Vec::new(),
    }
}

/// The step that renders a plate.
pub(super) fn step(render: RenderSpec) -> StepSpec {
    StepSpec {
        name: render.naming.stem.clone(),
        frames: render.frames,
        kind: StepKind::Render(Box::new(render)),
        after: Vec::new(),
        max_attempts: limits::DEFAULT_MAX_ATTEMPTS,
        terms: Default::default(),
    }
}

/// Names what decides the pixels: the clip as it was inspected, the settings,
/// and the versions of what knows what they mean. Not where the
/// frames go, what they are called, which of them are asked for, or which
/// machine makes them.
pub(super) fn recipe(render: &RenderSpec, clip: &ClipInfo) -> Outcome<String> {
    let bare = RenderSpec {
        source_first: 0,
        frames: FrameRange::single(0),
        out_dir: String::new(),
        naming: FrameNaming { stem: String::new(), padding: 0 },
        backend: Backend::default(),
        fdl_json: None,
        reuse: Vec::new(),
        ..render.clone()
    };
    let version = (env!("CARGO_PKG_VERSION"), render.debayer.version());
    let mut text = serde_json::to_vec(&(bare, clip, version))
        .map_err(|e| Fault::new(Code::Internal, "a recipe cannot be named").because(&e))?;
    if !render.repairs.is_none() {
        text.extend_from_slice(render.repairs.hot_pixels_label().as_bytes());
        text.extend_from_slice(render.repairs.highlights.label().as_bytes());
    }
    Ok(format!("{:032x}", XxHash3_128::oneshot(&text)))
}
