//! What every frame says of itself: the clip it comes from, and what was done
//! to it. ACES metadata has no place for the settings of a decode, so each
//! frame carries them.

use platefarm_media::Clip;
use platefarm_media::sink::exr::{DecodeRecord, PlateHeader};
use platefarm_model::recipe::{Debayer, Framing, RenderSpec};

/// The header of `frame`.
pub(super) fn plate_header(
    spec: &RenderSpec,
    clip: &dyn Clip,
    framing: &Framing,
    frame: i64,
    backend: &str,
) -> PlateHeader {
    let index = spec.source_index(frame);
    let info = clip.info();
    let file = clip.frame_file(index).and_then(|path| path.file_name());
    // A picture that has all its colours is not debayered.
    let mosaic = clip.layout().mosaic();
    let debayer = mosaic.map(|_| spec.debayer);
    let mut header = PlateHeader {
        color: spec.color_out.clone(),
        pixel_aspect: Some(framing.pixel_aspect as f32),
        timecode: clip.frame_timecode(index),
        image_counter: Some(frame),
        fdl_json: spec.fdl_json.clone(),
        decode: Some(DecodeRecord {
            debayer: debayer.map_or("none", Debayer::name).into(),
            debayer_version: debayer.map_or(0, Debayer::version),
            white_balance: mosaic.map_or([1.0; 3], |layout| layout.white_balance),
            backend: backend.into(),
            source_file: file.map(|f| f.to_string_lossy().into_owned()).unwrap_or_default(),
            source_frame: index,
        }),
        ..PlateHeader::of_clip(info, index)
    };
    let [w, h] = framing.source_size;
    let ([sx, sy], [ox, oy]) = (framing.scale, framing.offset);
    for (name, value) in [
        ("clipName", info.identity.clip_name.clone()),
        ("sourceSize", format!("{w} {h}")),
        ("scale", format!("{sx} {sy}")),
        ("offset", format!("{ox} {oy}")),
        ("filter", filter(framing, debayer)),
    ] {
        header.more.insert(name.into(), value);
    }
    // Empty text is not written.
    for (name, steps) in [("inputTransform", &spec.color.input), ("looks", &spec.color.looks)] {
        let steps = steps.iter().filter(|step| !step.changes_nothing());
        let steps: Vec<String> = steps.map(ToString::to_string).collect();
        header.more.insert(name.into(), steps.join("; "));
    }
    let shown = spec.color_out.meaning().is_ok_and(|meaning| meaning.display);
    let view =
        spec.color.view.as_ref().filter(|_| !shown).map(|view| format!("{view}, not applied"));
    header.more.insert("view".into(), view.unwrap_or_default());
    if mosaic.is_some() {
        for (name, value) in [
            ("hotPixels", spec.repairs.hot_pixels_label().into()),
            ("highlights", spec.repairs.highlights.label()),
        ] {
            header.more.insert(name.into(), value);
        }
    }
    header
}

/// Name of the filter that ran, as recipes write it; none for a plain copy.
fn filter(framing: &Framing, debayer: Option<Debayer>) -> String {
    // Two photosites make one pixel of its picture: what is asked of the clip is twice as much of that.
    let doubled = debayer == Some(Debayer::Superpixel);
    let scale = framing.scale.map(|scale| if doubled { 2.0 * scale } else { scale });
    let framing = &Framing { scale, ..framing.clone() };
    let moves = framing.offset.iter().all(|offset| offset.fract() == 0.0);
    if moves && framing.scale.iter().all(|scale| scale.abs() == 1.0) {
        return "none".into();
    }
    let name = framing.effective_filter().name();
    if framing.antiring { format!("{name}, antiring") } else { name.into() }
}
