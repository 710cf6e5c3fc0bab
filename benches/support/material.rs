//! The clip and the recipe of the main job, the same for every contestant: a
//! 4096x2304 12-bit CinemaDNG, cropped to 3840x2160 and delivered at 2048x1152.

use crate::support::{Result, scratch};
use platefarm_model::FrameRange;
use platefarm_model::recipe::{
    Backend, ColorRecipe, Compression, Debayer, FrameNaming, Framing, OutputColor, RenderSpec,
};
use platefarm_testclips::{ClipSpec, write_clip};
use platefarm_worker::leash::Leash;
use platefarm_worker::render::{RenderReport, render_local};
use std::path::{Path, PathBuf};

/// Columns and rows of a camera file.
pub(crate) const SOURCE: [u32; 2] = [4096, 2304];
/// Columns and rows of a plate.
pub(crate) const SIZE: [u32; 2] = [2048, 1152];
/// First column, first row, columns and rows that are delivered.
const CROP: [u32; 4] = [128, 72, 3840, 2160];

/// The clip, made once; a mark says that it is whole.
pub(crate) fn clip(frames: usize) -> Result<PathBuf> {
    let dir = scratch(&format!("plate-clip-{frames}"))?;
    let whole = dir.join("whole");
    if !whole.is_file() {
        eprintln!("making {frames} frames in {}", dir.display());
        let [width, height] = SOURCE;
        let spec = ClipSpec { width, height, frames: frames as u32, ..ClipSpec::default() };
        write_clip(&dir, &spec).map_err(|e| e.to_string())?;
        std::fs::write(&whole, "").map_err(|e| e.to_string())?;
    }
    Ok(dir)
}

/// The cropped raster over the source.
pub(crate) fn framing() -> Framing {
    let scale = f64::from(SIZE[0]) / f64::from(CROP[2]);
    Framing {
        source_size: SOURCE,
        size: SIZE,
        scale: [scale; 2],
        offset: [f64::from(CROP[0]), f64::from(CROP[1])].map(|v| -v * scale),
        content: [0, 0, SIZE[0], SIZE[1]],
        pixel_aspect: 1.0,
        filter: None,
        antiring: false,
    }
}

/// Renders the first `frames` of `clip` to `out/plate.<1001..>.exr` on the CPU.
pub(crate) fn render(
    clip: &Path,
    out: &Path,
    debayer: Debayer,
    frames: usize,
) -> Result<RenderReport> {
    rendered(&RenderSpec { debayer, framing: Some(framing()), ..spec(clip, out, frames) })
}

/// What renders the first `frames` of `clip` as they are.
pub(crate) fn spec(clip: &Path, out: &Path, frames: usize) -> RenderSpec {
    let text = |path: &Path| path.display().to_string();
    RenderSpec {
        source: text(clip),
        clip_name: None,
        source_first: 0,
        frames: FrameRange::of_len(1001, frames as u64),
        out_dir: text(out),
        naming: FrameNaming { stem: "plate".into(), padding: 4 },
        debayer: Debayer::default(),
        repairs: platefarm_model::repair::Repairs::default(),
        framing: None,
        color: ColorRecipe::default(),
        color_out: OutputColor::default(),
        compression: Compression::Zip,
        backend: Backend::Cpu,
        fdl_json: None,
        headers: platefarm_model::recipe::HeaderTexts::default(),
        reuse: Vec::new(),
    }
}

/// The report of a render of which no frame failed.
pub(crate) fn rendered(spec: &RenderSpec) -> Result<RenderReport> {
    let report = render_local(spec, &Leash::free(), &mut |_| {}).map_err(|f| f.to_string())?;
    match report.failed.first() {
        Some(failed) => Err(format!("frame {} failed: {}", failed.frame, failed.fault)),
        None => Ok(report),
    }
}
