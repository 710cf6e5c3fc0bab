//! Frame lines that cameras recorded, as a framing decision list: what was seen
//! in the viewfinder becomes what may be asked for in a pull.
//!
//! A context per camera and mode, its canvas the picture as it is delivered, a
//! decision per frame line. Nothing is rounded or centred: a line is where the
//! camera says it was.

#[cfg(doc)]
use super::intent::Draft;
use super::intent::delivery;
use super::model::{
    Canvas, ClipId, Context, Extra, Fdl, FramingDecision, FramingIntent, Point, Sequence, Size,
    Version, WholeSize,
};
use platefarm_model::clip::{ClipInfo, FrameLine};
use platefarm_model::{Code, Fault, Outcome};
use std::path::Path;

/// Longest id that the schema allows.
const ID_CHARACTERS: usize = 32;

/// What was made of some clips' frame lines.
#[derive(Clone, Debug, PartialEq)]
pub struct FromCameras {
    /// The document, valid by the schema and the rules.
    pub document: Fdl,
    /// Frame lines that could not be kept, and why.
    pub notes: Vec<Fault>,
}

impl Fdl {
    /// A document from the frame lines of clips. Clips of one camera in one mode with the same
    /// lines share a context; clips without lines are left out. `deliver` adds the template of
    /// [`Draft::deliver`].
    ///
    /// # Errors
    /// [`Code::MetadataAbsent`] when no clip has a frame line that lies on its picture;
    /// [`Code::BadFdl`] when what the clips say makes no valid document.
    pub fn from_cameras(
        clips: &[&ClipInfo],
        deliver: Option<WholeSize>,
        uuid: String,
    ) -> Outcome<FromCameras> {
        let mut made = Maker::default();
        for clip in clips.iter().filter(|clip| !clip.frame_lines.is_empty()) {
            made.add(clip);
        }
        if made.contexts.is_empty() {
            let names: Vec<&str> = clips.iter().map(|c| c.identity.clip_name.as_str()).collect();
            let fault = Fault::new(
                Code::MetadataAbsent,
                format!("no frame line is recorded in {}", names.join(", ")),
            )
            .remedy("Make a list from an aspect with `platefarm fdl intent`.");
            return Err(made.notes.into_iter().next().unwrap_or(fault));
        }
        let document = Self {
            uuid,
            version: Version::WRITTEN,
            fdl_creator: Some(concat!("platefarm ", env!("CARGO_PKG_VERSION")).to_owned()),
            default_framing_intent: made.intents.first().map(|intent| intent.id.clone()),
            framing_intents: made.intents,
            contexts: made.contexts.into_iter().map(|(context, _)| context).collect(),
            canvas_templates: deliver.map(delivery).into_iter().collect(),
            extra: Extra::new(),
        };
        let document = Self::parse(document.to_json()?.as_bytes())?;
        Ok(FromCameras { document, notes: made.notes })
    }
}

#[derive(Default)]
struct Maker {
    intents: Vec<FramingIntent>,
    /// With the clip that each was made from.
    contexts: Vec<(Context, Kind)>,
    notes: Vec<Fault>,
}

/// What clips of one context have in common.
#[derive(Clone, PartialEq)]
struct Kind {
    camera: Option<String>,
    unit: Option<String>,
    size: [u32; 2],
    squeeze: f64,
    lines: Vec<FrameLine>,
}

impl Kind {
    fn of(clip: &ClipInfo) -> Self {
        Self {
            camera: clip.camera.name(),
            unit: clip.camera.serial_number.clone().or_else(|| clip.identity.camera_label.clone()),
            size: [clip.picture.width, clip.picture.height],
            squeeze: clip.picture.pixel_aspect,
            lines: clip.frame_lines.clone(),
        }
    }
}

impl Maker {
    fn add(&mut self, clip: &ClipInfo) {
        let kind = Kind::of(clip);
        if let Some((context, _)) = self.contexts.iter_mut().find(|(_, known)| *known == kind) {
            // It speaks for several clips now.
            context.clip_id = None;
            return;
        }
        let id = format!("C{}", self.contexts.len() + 1);
        let mut decisions: Vec<FramingDecision> = Vec::new();
        for line in &clip.frame_lines {
            match self.decision(clip, &id, line) {
                Ok(decision) if decisions.iter().any(|d| d.id == decision.id) => {
                    let what = format!(
                        "frame line '{}' has name and aspect of one before it; only that is kept",
                        line.label
                    );
                    let note = Fault::new(Code::FdlRejected, what);
                    self.notes.push(note.at(clip.identity.clip_name.clone()));
                }
                Ok(decision) => decisions.push(decision),
                Err(note) => self.notes.push(note.within(&clip.identity.clip_name)),
            }
        }
        if decisions.is_empty() {
            return;
        }
        let whole = |[width, height]: [u32; 2]| WholeSize { width, height };
        let parts = [kind.camera.as_deref(), kind.unit.as_deref()];
        let label: Vec<&str> = parts.into_iter().flatten().collect();
        let canvas = Canvas {
            label: Some(format!("{}x{}", kind.size[0], kind.size[1])),
            id: id.clone(),
            source_canvas_id: id,
            dimensions: whole(kind.size),
            effective_dimensions: None,
            effective_anchor_point: None,
            photosite_dimensions: Some(whole(clip.picture.photosites)),
            physical_dimensions: None,
            anamorphic_squeeze: Some(kind.squeeze),
            framing_decisions: decisions,
            extra: Extra::new(),
        };
        let context = Context {
            label: (!label.is_empty()).then(|| label.join(" ")),
            context_creator: Some("frame lines of the camera".into()),
            clip_id: clip_id(clip),
            canvases: vec![canvas],
            extra: Extra::new(),
        };
        self.contexts.push((context, kind));
    }

    fn decision(
        &mut self,
        clip: &ClipInfo,
        canvas: &str,
        line: &FrameLine,
    ) -> Result<FramingDecision, Fault> {
        let picture = &clip.picture;
        // Lines count from the active area, the canvas is what is delivered of it.
        let [x, y] = [line.left - f64::from(picture.crop.x), line.top - f64::from(picture.crop.y)];
        let inside = x >= 0.0
            && y >= 0.0
            && line.width >= 1.0
            && line.height >= 1.0
            && x + line.width <= f64::from(picture.width)
            && y + line.height <= f64::from(picture.height);
        if !inside {
            return Err(Fault::new(
                Code::FdlRejected,
                format!(
                    "frame line '{}', {}x{} at {},{}, does not lie on the picture of {}x{}",
                    line.label,
                    line.width,
                    line.height,
                    line.left,
                    line.top,
                    picture.width,
                    picture.height
                ),
            ));
        }
        let intent = self.intent(&line.label, aspect(line, picture.pixel_aspect));
        Ok(FramingDecision {
            label: Some(line.label.clone()),
            id: format!("{canvas}-{intent}"),
            framing_intent_id: intent,
            dimensions: Size { width: line.width, height: line.height },
            anchor_point: Point { x, y },
            protection_dimensions: None,
            protection_anchor_point: None,
            extra: Extra::new(),
        })
    }

    /// Id of the intent of that label and aspect, made when there is none.
    fn intent(&mut self, label: &str, aspect_ratio: WholeSize) -> String {
        let same = |intent: &&FramingIntent| {
            intent.label.as_deref() == Some(label) && intent.aspect_ratio == aspect_ratio
        };
        if let Some(intent) = self.intents.iter().find(same) {
            return intent.id.clone();
        }
        let id = unused(label, |id| self.intents.iter().any(|intent| intent.id == id));
        self.intents.push(FramingIntent {
            label: Some(label.to_owned()),
            id: id.clone(),
            aspect_ratio,
            protection: None,
            extra: Extra::new(),
        });
        id
    }
}

/// The aspect of a line as it is seen, as two whole numbers without a common divisor.
fn aspect(line: &FrameLine, squeeze: f64) -> WholeSize {
    // Lines are whole photosites and squeezes have at most three decimals.
    let [mut across, mut down] =
        [line.width * squeeze, line.height].map(|v| (v * 1000.0).round().max(1.0) as u64);
    let (mut divisor, mut rest) = (across, down);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    across /= divisor;
    down /= divisor;
    // What is left may still be long; beyond what a size holds it is rounded.
    while across > u64::from(u32::MAX) || down > u64::from(u32::MAX) {
        across = across.div_ceil(2);
        down = down.div_ceil(2);
    }
    WholeSize { width: across as u32, height: down as u32 }
}

/// An id out of a label: what the schema allows, and not in use.
fn unused(label: &str, used: impl Fn(&str) -> bool) -> String {
    let mut id: String =
        label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    id.truncate(ID_CHARACTERS);
    if id.is_empty() {
        id.push('F');
    }
    let mut found = id.clone();
    for number in 2.. {
        if !used(&found) {
            break;
        }
        let tail = format!("_{number}");
        found = format!("{}{tail}", &id[..id.len().min(ID_CHARACTERS - tail.len())]);
    }
    found
}

/// The clip by name, and its file or its run of files.
fn clip_id(clip: &ClipInfo) -> Option<ClipId> {
    let path = Path::new(&clip.path);
    let name = path.file_name()?.to_str()?;
    let stem = path.file_stem()?.to_str()?;
    let head = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = stem.len() - head.len();
    let numbered = clip.timing.first_file_number.filter(|first| *first >= 0 && digits > 0);
    let sequence = numbered.map(|first| Sequence {
        value: format!("{head}{}{}", "#".repeat(digits), &name[stem.len()..]),
        idx: "#".into(),
        min: first as u64,
        max: first as u64 + clip.timing.frame_count.saturating_sub(1),
        extra: Extra::new(),
    });
    Some(ClipId {
        clip_name: clip.identity.clip_name.clone(),
        file: sequence.is_none().then(|| name.to_owned()),
        sequence,
        extra: Extra::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::clip::{CameraInfo, Identity, Picture, Timing};
    use platefarm_model::raw::Rect;

    fn line(label: &str, [left, top, width, height]: [f64; 4]) -> FrameLine {
        FrameLine { label: label.into(), left, top, width, height }
    }

    fn clip(name: &str, size: [u32; 2], squeeze: f64, lines: &[FrameLine]) -> ClipInfo {
        let [width, height] = size;
        ClipInfo {
            path: format!("card/{name}.0000100.ari"),
            identity: Identity { clip_name: name.into(), ..Identity::default() },
            timing: Timing { frame_count: 48, first_file_number: Some(100), ..Timing::default() },
            picture: Picture {
                width,
                height,
                photosites: [width + 32, height + 16],
                crop: Rect::of_size(width, height),
                pixel_aspect: squeeze,
                ..Picture::default()
            },
            camera: CameraInfo {
                make: Some("ARRI".into()),
                model: Some("ALEXA LF".into()),
                serial_number: Some(size[0].to_string()),
                ..CameraInfo::default()
            },
            frame_lines: lines.to_vec(),
            ..ClipInfo::default()
        }
    }

    fn made(clips: &[ClipInfo]) -> Outcome<FromCameras> {
        let clips: Vec<&ClipInfo> = clips.iter().collect();
        Fdl::from_cameras(&clips, None, "5f2c2c6e-0000-8000-8000-000000000000".into())
    }

    #[test]
    fn a_line_is_a_decision_where_the_camera_had_it() {
        // 4448x3096 with a line of 4304x1800 is 538:225; seen through a squeeze of 2, 1076:225.
        let lines = [
            line("ARRI 2.39:1", [72.0, 648.0, 4304.0, 1800.0]),
            line("4:3", [160.0, 0.0, 4128.0, 3096.0]),
        ];
        let found = made(&[
            clip("A001C001", [4448, 3096], 1.0, &lines),
            clip("A001C002", [4448, 3096], 1.0, &lines),
            clip("B001C001", [2880, 2160], 2.0, &lines[1..]),
            clip(
                "B001C002",
                [2880, 2160],
                2.0,
                &[
                    line("2:1", [0.0, 0.0, 2880.0, 2160.0]),
                    line("2:1", [40.0, 30.0, 2800.0, 2100.0]),
                ],
            ),
        ])
        .unwrap();
        let fdl = &found.document;
        let intents: Vec<_> = fdl
            .framing_intents
            .iter()
            .map(|i| (i.id.as_str(), i.aspect_ratio.width, i.aspect_ratio.height))
            .collect();
        assert_eq!(intents, [("ARRI_2_39_1", 538, 225), ("4_3", 4, 3), ("2_1", 8, 3)]);
        assert_eq!(fdl.default_framing_intent.as_deref(), Some("ARRI_2_39_1"));
        assert_eq!(fdl.contexts.len(), 2);
        let first = &fdl.contexts[0];
        assert_eq!(first.label.as_deref(), Some("ARRI ALEXA LF 4448"));
        assert!(first.clip_id.is_none(), "it speaks for two clips");
        let canvas = &first.canvases[0];
        assert_eq!(canvas.photosite_dimensions, Some(WholeSize { width: 4480, height: 3112 }));
        let decision = &canvas.framing_decisions[0];
        assert_eq!((decision.anchor_point.x, decision.anchor_point.y), (72.0, 648.0));
        assert_eq!((decision.dimensions.width, decision.dimensions.height), (4304.0, 1800.0));
        let id = fdl.contexts[1].clip_id.as_ref().unwrap();
        let sequence = id.sequence.as_ref().unwrap();
        assert_eq!(
            (id.clip_name.as_str(), sequence.value.as_str()),
            ("B001C002", "B001C002.#######.ari")
        );
        assert_eq!((sequence.min, sequence.max), (100, 147));
        // A line of 4128 columns is not on a picture of 2880, and said.
        assert_eq!(found.notes.len(), 2);
        assert!(
            found.notes[0].message.contains("4128x3096")
                && found.notes[0].place.as_deref() == Some("B001C001")
        );
        // One aspect twice on one canvas cannot be told apart by its intent: the first is kept.
        assert_eq!(fdl.contexts[1].canvases[0].framing_decisions.len(), 1);
        assert!(found.notes[1].message.contains("'2:1'"), "{:?}", found.notes);
    }

    #[test]
    fn squeezes_count_in_aspects() {
        let at = |squeeze| aspect(&line("", [0.0, 0.0, 2880.0, 2160.0]), squeeze);
        assert_eq!(at(2.0), WholeSize { width: 8, height: 3 });
        assert_eq!(at(1.3), WholeSize { width: 26, height: 15 });
        assert_eq!(at(1.25), WholeSize { width: 5, height: 3 });
    }

    #[test]
    fn clips_without_lines_make_no_list() {
        let fault = made(&[clip("A001C001", [64, 36], 1.0, &[])]).unwrap_err();
        assert_eq!(fault.code, Code::MetadataAbsent);
        assert!(fault.message.contains("A001C001"));
        let fault =
            made(&[clip("A001C001", [64, 36], 1.0, &[line("wide", [0.0, 0.0, 65.0, 36.0])])]);
        assert_eq!(fault.unwrap_err().code, Code::FdlRejected);
    }

    #[test]
    fn ids_are_what_the_schema_allows_and_differ() {
        let long = "x".repeat(40);
        assert_eq!(unused("ARRI 2.39:1", |_| false), "ARRI_2_39_1");
        assert_eq!(unused("", |_| false), "F");
        assert_eq!(unused(&long, |id| id == &long[..32]), format!("{}_2", "x".repeat(30)));
    }
}
