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
        original_data_window: uncropped(framing),
        fdl_json: spec.fdl_json.clone(),
        owner: spec.headers.owner.clone(),
        comments: spec.headers.comments.clone(),
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
        // Timecode counts from the clip's start; a frame that says another is not what follows.
        ("sourceTimecode", clip.odd_timecode(index).map(|t| t.to_string()).unwrap_or_default()),
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

/// Where the whole picture lies in the pixels of the plate, when half a pixel of it or more was cut
/// off: first column, first row, last column, last row.
fn uncropped(framing: &Framing) -> Option<[i32; 4]> {
    let mut window = [0; 4];
    let mut cropped = false;
    for axis in [0, 1] {
        let from = framing.offset[axis];
        let to = from + framing.scale[axis] * f64::from(framing.source_size[axis]);
        // A negative scale mirrors.
        let (first, end) = (from.min(to).round(), from.max(to).round());
        (window[axis], window[axis + 2]) = (first as i32, end as i32 - 1);
        cropped |= first < 0.0 || end > f64::from(framing.size[axis]);
    }
    cropped.then_some(window)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_says_where_the_whole_picture_lies() {
        let whole = Framing::identity(400, 200, 1.0);
        assert_eq!(uncropped(&whole), None);
        // Half the size, and of the 200 by 100 pixels the middle 160 by 90.
        let middle =
            Framing { scale: [0.5; 2], size: [160, 90], offset: [-20.0, -5.0], ..whole.clone() };
        assert_eq!(uncropped(&middle), Some([-20, -5, 179, 94]));
        assert_eq!(uncropped(&middle.clone().flipped([true, true])), Some([-20, -5, 179, 94]));
        // Room around it is no crop, nor is a third of a pixel.
        let padded = Framing { size: [420, 200], offset: [10.0, 0.3], ..whole.clone() };
        assert_eq!(uncropped(&padded), None);
        let tall = Framing { size: [400, 120], ..whole };
        assert_eq!(uncropped(&tall), Some([0, 0, 399, 199]));
    }
}
