//! From a found clip to a plate: handles, frame numbers, framing, and the
//! colour sidecars.

use super::library::Found;
use super::sidecar::{self, Sidecars, uuid};
use super::take::{Take, place};
use super::{PullRequest, event_ref};
use platefarm_model::clip::ClipInfo;
use platefarm_model::job::{StepKind, StepSpec};
use platefarm_model::pull::{Document, EventRef, PlatePlan};
use platefarm_model::recipe::{ColorRecipe, FrameNaming, RenderSpec};
use platefarm_model::{Code, Fault, FrameRange, FrameSet, Outcome, limits};
use platefarm_standards::fdl::{self, Applied, Fdl, Framed};

/// First delivered frame, head handle included.
const FIRST_FRAME: i64 = 1001;
/// Digits of a frame number.
const PADDING: u8 = 4;

/// A plate before it is named and framed.
pub(super) struct Draft<'a> {
    take: &'a Take<'a>,
    clip: &'a ClipInfo,
    rule: String,
    source_first: i64,
    frames: FrameRange,
    handles: [u32; 2],
    notes: Vec<Fault>,
}

impl<'a> Draft<'a> {
    /// Clamps what the event needs and its handles to what the clip has.
    pub(super) fn new(take: &'a Take<'a>, found: Found<'a>, handles: u32) -> Self {
        let clip = found.clip;
        let mut notes = take.notes.clone();
        notes.extend(found.notes);
        let media = i64::try_from(clip.timing.frame_count).unwrap_or(i64::MAX);
        let wanted = found.index - take.lead;
        let first = wanted.max(0);
        let end = wanted.saturating_add(take.count).min(media);
        if end - first < take.count {
            let message = format!(
                "the event needs {} source frames and the media has {} of them",
                take.count,
                end - first
            );
            notes.push(Fault::new(Code::HandlesClamped, message).at(place(take.event)));
        }
        let room = [first, media - end];
        let had = room.map(|frames| handles.min(u32::try_from(frames).unwrap_or(u32::MAX)));
        if had != [handles; 2] {
            let message = format!(
                "the media has {} frames of head handle and {} of tail handle; {handles} were asked for",
                had[0], had[1]
            );
            notes.push(Fault::new(Code::HandlesClamped, message).at(place(take.event)));
        }
        let source_first = first - i64::from(had[0]);
        let count = end + i64::from(had[1]) - source_first;
        let frames = FrameRange::of_len(FIRST_FRAME, count.unsigned_abs());
        notes.extend(missing(clip, source_first, frames).map(|fault| fault.at(clip.path.clone())));
        Self { take, clip, rule: found.rule, source_first, frames, handles: had, notes }
    }
}

/// Says which delivered frames have no file behind them.
fn missing(clip: &ClipInfo, source_first: i64, frames: FrameRange) -> Option<Fault> {
    let wanted = FrameRange::of_len(source_first, frames.len());
    let shift = frames.first() - source_first;
    let mut absent = FrameSet::new();
    for gap in clip.timing.missing.ranges().iter().filter_map(|r| r.intersection(wanted)) {
        absent.insert(FrameRange::of_len(gap.first() + shift, gap.len()));
    }
    (!absent.is_empty()).then(|| {
        let message =
            format!("the clip lacks {} of the plate's frames: {absent} will fail", absent.len());
        Fault::new(Code::MissingFrame, message)
    })
}

/// The framing of the whole pull.
pub(super) struct Framer<'a> {
    request: &'a PullRequest<'a>,
    /// The document and the id of the template.
    template: Option<(&'a Fdl, String)>,
    /// What was applied to the plates so far.
    applied: Vec<Applied>,
}

impl<'a> Framer<'a> {
    /// Finds the template, so that a wrong id fails the pull and not each event.
    pub(super) fn new(request: &'a PullRequest<'a>) -> Outcome<Self> {
        let template = match (request.fdl, &request.template) {
            (None, None) => None,
            (None, Some(id)) => {
                return Err(Fault::new(
                    Code::BadRecipe,
                    format!("template '{id}' was named without an FDL"),
                ));
            }
            (Some(fdl), wanted) => Some((fdl, template(request, fdl, wanted.as_deref())?)),
        };
        Ok(Self { request, template, applied: Vec::new() })
    }

    /// Applies the template to the draft's clip.
    pub(super) fn frame(&self, draft: &Draft<'_>) -> Outcome<Framed> {
        let picture = &draft.clip.picture;
        let what = format!("framing of line {}", draft.take.event.line);
        let uuid = uuid(&self.request.seed, &what);
        let wish = self.template.as_ref().map(|(fdl, template)| {
            let request = fdl::Request {
                template,
                intent: self.request.intent.as_deref(),
                document_uuid: &uuid,
                ..fdl::Request::default()
            };
            (*fdl, request)
        });
        let media = fdl::Media {
            size: [picture.width, picture.height],
            pixel_aspect: Some(picture.pixel_aspect),
            clip_name: Some(&draft.clip.identity.clip_name),
        };
        let wish = wish.as_ref().map(|(fdl, request)| (*fdl, request));
        fdl::frame(wish, &self.request.scaling, &media)
            .map_err(|fault| fault.within(format!("clip '{}'", draft.clip.path)))
    }

    /// What the missing framing means for the pull.
    pub(super) fn note(&self) -> Option<Fault> {
        self.template.is_none().then(|| self.request.scaling.unframed())
    }

    /// The FDL with the delivered canvases.
    pub(super) fn delivered(&self) -> Outcome<Option<Document>> {
        let Some((fdl, _)) = &self.template else { return Ok(None) };
        let delivered = fdl.delivered(&self.applied, &uuid(&self.request.seed, "delivered FDL"));
        let name = self.request.fdl_name.clone().unwrap_or_else(|| "framing.fdl".into());
        Ok(Some(Document { name, text: delivered.to_json()?.into() }))
    }
}

/// The id of the template that is meant.
fn template(request: &PullRequest<'_>, fdl: &Fdl, wanted: Option<&str>) -> Outcome<String> {
    let ids: Vec<&str> = fdl.canvas_templates.iter().map(|t| t.id.as_str()).collect();
    let listed = if ids.is_empty() { "it has none".into() } else { ids.join(", ") };
    let message = match (wanted, ids.as_slice()) {
        (Some(id), _) if ids.contains(&id) => return Ok(id.to_owned()),
        (None, [only]) => return Ok((*only).to_owned()),
        (Some(id), _) => format!("no canvas template '{id}' in the FDL; there is: {listed}"),
        (None, _) => format!("the FDL has {} canvas templates: {listed}", ids.len()),
    };
    let place = request.fdl_name.clone().unwrap_or_else(|| "FDL".into());
    Err(Fault::new(Code::FdlIdNotFound, message).at(place))
}

impl Framer<'_> {
    /// The plate and its step, complete.
    pub(super) fn finish(
        &mut self,
        name: String,
        draft: Draft<'_>,
        framed: Framed,
    ) -> Outcome<(PlatePlan, StepSpec)> {
        let request = self.request;
        let Draft { take, clip, rule, source_first, frames, handles, mut notes } = draft;
        notes.extend(framed.notes);
        let mut fdl_json = None;
        if let Some(applied) = framed.applied {
            fdl_json = Some(applied.document.to_json()?);
            self.applied.push(*applied);
        }
        let naming = FrameNaming { stem: name.clone(), padding: PADDING };
        let Sidecars { amf, clf } = sidecar::sidecars(request, &naming, clip, frames)?;
        let render = RenderSpec {
            source: clip.path.clone(),
            clip_name: None,
            source_first,
            frames,
            out_dir: format!("{}/{name}", request.out_dir.trim_end_matches('/')),
            naming,
            debayer: request.debayer,
            repairs: request.repairs,
            framing: framed.framing,
            color: ColorRecipe::default(),
            color_out: request.color_out.clone(),
            compression: request.compression,
            backend: request.backend,
            fdl_json,
        };
        let step = StepSpec {
            name: name.clone(),
            kind: StepKind::Render(Box::new(render)),
            frames,
            after: Vec::new(),
            max_attempts: limits::DEFAULT_MAX_ATTEMPTS,
            terms: Default::default(),
        };
        let plate = PlatePlan {
            amf,
            clf,
            // The name of this side of a transition, which may be the list's TO.
            event: EventRef { clip_name: take.clip_name.map(Into::into), ..event_ref(take.event) },
            match_rule: rule,
            clip: clip.clone(),
            source_first,
            frames,
            handles,
            size: framed.size,
            notes,
            name,
        };
        Ok((plate, step))
    }
}
