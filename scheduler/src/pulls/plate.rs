//! From a found clip to a plate: handles, frame numbers, framing, what need
//! not be rendered again, and the colour sidecars.

use super::markers;
use super::matching::{Found, scaled};
use super::naming::Named;
use super::previous::Previous;
use super::sidecar::{self, Sidecars, uuid};
use super::take::{Take, place};
use super::work::{recipe, step, wanted};
use super::{PullRequest, event_ref, grade};
use crate::library::formats::{COLOR, TEMPLATE};
use platefarm_model::clip::ClipInfo;
use platefarm_model::job::StepSpec;
use platefarm_model::pull::{Document, EventRef, Matched, PlatePlan, Retime};
use platefarm_model::recipe::{ColorRecipe, ColorStep, FrameNaming, RenderSpec, ReusedFrame};
use platefarm_model::{Code, Fault, FrameRange, FrameSet, Outcome};
use platefarm_standards::amf::{self, Pixels};
use platefarm_standards::fdl::{self, Applied, Fdl, Framed, Scaling};
use std::collections::{BTreeSet, HashMap};

/// A plate before it is named and framed.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub(super) take: Take<'a>,
    /// Place of the clip in the media.
    pub(super) clip_index: usize,
    pub(super) clip: &'a ClipInfo,
    matched: Matched,
    /// Indices within the clip: the first, and one behind the last.
    source: [i64; 2],
    handles: [u32; 2],
    retime: Option<Retime>,
    also: Vec<EventRef>,
    notes: Vec<Fault>,
}

impl<'a> Draft<'a> {
    /// Clamps what the event needs and its handles to what the clip has.
    pub(super) fn new(take: Take<'a>, found: Found, clip: &'a ClipInfo, handles: u32) -> Self {
        let mut notes = take.notes.clone();
        notes.extend(found.notes);
        notes.extend(high_speed(clip));
        let scaled = |frames, phase| scaled(frames, phase, found.per_frame);
        let lead = scaled(take.lead, -found.phase);
        let count = lead + scaled(take.count - take.lead, found.phase);
        // What is shown backwards lies below the in, too.
        let shows = lead + scaled(take.shows - take.lead, found.phase);
        let media = i64::try_from(clip.timing.frame_count).unwrap_or(i64::MAX);
        let wanted = found.index - lead;
        let first = wanted.max(0);
        let end = wanted.saturating_add(count).min(media);
        let there = end - first;
        if there < count {
            let (code, message) = if there < shows {
                let message = format!(
                    "the event shows {shows} source frames, and the media has {there} of them"
                );
                (Code::FramesShort, message)
            } else {
                let message = format!(
                    "of {count} source frames that the list may mean the media has {there}; the event shows {shows}"
                );
                (Code::HandlesClamped, message)
            };
            notes.push(Fault::new(code, message).at(place(take.event)));
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
        let retime = (take.speed != 1.0).then_some(Retime {
            speed: take.speed,
            record_frames: take.record,
            source_frames: there,
        });
        Self {
            clip_index: found.clip,
            clip,
            matched: found.matched,
            source: [first - i64::from(had[0]), end + i64::from(had[1])],
            handles: had,
            retime,
            also: Vec::new(),
            notes,
            take,
        }
    }

    /// Whether one plate could hold both: the same clip, frames that touch.
    pub(super) fn touches(&self, other: &Self) -> bool {
        let ([a, b], [c, d]) = (self.source, other.source);
        self.clip_index == other.clip_index && a <= d && c <= b
    }

    /// Takes another use of the shot into this plate; markers of `color` name shots.
    pub(super) fn join(&mut self, other: Self, color: Option<&str>) {
        if other.source[0] < self.source[0] {
            (self.source[0], self.handles[0]) = (other.source[0], other.handles[0]);
        }
        if other.source[1] > self.source[1] {
            (self.source[1], self.handles[1]) = (other.source[1], other.handles[1]);
        }
        let differs = |what: &str| {
            Fault::new(
                Code::RetimeIgnored,
                format!(
                    "events {} and {} share the plate and differ in {what}; the plate carries that of the first",
                    self.take.event.number, other.take.event.number
                ),
            )
            .at(place(other.take.event))
            .remedy("Nothing, if the plate is meant for both; else deliver a plate for each use.")
        };
        if self.retime.as_ref().map(|r| r.speed) != other.retime.as_ref().map(|r| r.speed) {
            self.notes.push(differs("speed"));
        }
        if self.take.event.cdl != other.take.event.cdl {
            self.notes.push(differs("colour decision"));
        }
        self.notes.extend(markers::of_another(other.take.event, self.take.event, color));
        self.also.push(event_of(&other.take));
        self.also.extend(other.also);
        self.notes.extend(other.notes);
    }

    /// Indices within the clip: the first, and one behind the last.
    pub(super) const fn source(&self) -> [i64; 2] {
        self.source
    }

    fn frames(&self, first: i64) -> FrameRange {
        FrameRange::of_len(first, (self.source[1] - self.source[0]).unsigned_abs())
    }
}

/// The event of a take, with the name of its own side of a transition.
fn event_of(take: &Take<'_>) -> EventRef {
    EventRef { clip_name: take.clip_name.map(Into::into), ..event_ref(take.event) }
}

/// The sensor ran at another rate than the clip plays: its frames are all
/// there, and timecode counts them as they play.
fn high_speed(clip: &ClipInfo) -> Option<Fault> {
    let (rate, captured) = (clip.timing.rate?, clip.timing.capture_rate?);
    let apart = (captured.as_f64() / rate.as_f64() - 1.0).abs() > 0.002;
    apart.then(|| {
        Fault::new(
            Code::RetimeIgnored,
            format!("captured at {captured} frames per second, plays at {rate}"),
        )
        .at(clip.path.clone())
        .remedy("Nothing: the plate holds every captured frame, counted as it plays.")
    })
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
        Fault::new(Code::MissingFrame, message).at(clip.path.clone())
    })
}

/// The framing of the whole pull, and what earlier pulls delivered.
pub(super) struct Framer<'a> {
    request: &'a PullRequest<'a>,
    scaling: Scaling,
    /// The document and the id of the template.
    template: Option<(&'a Fdl, String)>,
    /// What was applied to the plates so far.
    applied: Vec<Applied>,
    /// Earlier plates by their recipe.
    recipes: HashMap<&'a str, Vec<&'a Previous>>,
}

impl<'a> Framer<'a> {
    /// Finds the template, so that a wrong id fails the pull and not each event.
    pub(super) fn new(request: &'a PullRequest<'a>) -> Outcome<Self> {
        let picture = &request.delivery.picture;
        let template = match (request.fdl, &picture.template) {
            (None, None) => None,
            (None, Some(id)) => {
                return Err(Fault::new(
                    Code::BadRecipe,
                    format!("template '{id}' was named without an FDL"),
                ));
            }
            (Some(fdl), wanted) => Some((fdl, template(request, fdl, wanted.as_deref())?)),
        };
        let scaling = Scaling {
            container: picture.container,
            allow_upres: picture.allow_upres,
            filter: picture.filter,
            antiring: picture.antiring,
        };
        let mut recipes: HashMap<&str, Vec<&Previous>> = HashMap::new();
        for plate in request.previous.iter().filter(|plate| !plate.recipe.is_empty()) {
            recipes.entry(&plate.recipe).or_default().push(plate);
        }
        Ok(Self { request, scaling, template, applied: Vec::new(), recipes })
    }

    /// Applies the template to the draft's clip.
    pub(super) fn frame(&self, draft: &Draft<'_>) -> Outcome<Framed> {
        let picture = &draft.clip.picture;
        let what = format!("framing of line {}", draft.take.event.line);
        let uuid = uuid(&self.request.seed, &what);
        let wish = self.template.as_ref().map(|(fdl, template)| {
            let request = fdl::Request {
                template: self.format_template(draft).unwrap_or(template),
                intent: self.request.delivery.picture.intent.as_deref(),
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
        fdl::frame(wish, &self.scaling, &media)
            .map_err(|fault| fault.within(format!("clip '{}'", draft.clip.path)))
    }

    /// What was set for the clip's camera format goes before what holds for the
    /// show, and behind what was said for this pull.
    fn format_template<'d>(&self, draft: &Draft<'d>) -> Option<&'d String> {
        draft.clip.vendor.get(TEMPLATE).filter(|_| !self.request.template_said)
    }

    /// Says that a template that was set for the format gave way.
    fn gave_way(&self, draft: &Draft<'_>) -> Option<Fault> {
        let set = draft.clip.vendor.get(TEMPLATE).filter(|_| self.request.template_said)?;
        let (_, said) = self.template.as_ref()?;
        (set != said).then(|| {
            let message = format!(
                "template '{set}' is set for this camera format, and '{said}' was asked for"
            );
            Fault::new(Code::Defaulted, message)
                .at(draft.clip.path.clone())
                .remedy("Nothing, if that is meant; else leave out --template.")
        })
    }

    /// What the missing framing means for the pull.
    pub(super) fn note(&self) -> Option<Fault> {
        self.template.is_none().then(|| self.scaling.unframed())
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
        named: Named<'_>,
        draft: Draft<'_>,
        framed: Framed,
    ) -> Outcome<(PlatePlan, StepSpec)> {
        let request = self.request;
        let frames = draft.frames(self.first_frame(&named, &draft));
        let gave_way = self.gave_way(&draft);
        let Draft { take, clip, matched, source: [source_first, _], handles, .. } = draft;
        let mut notes = draft.notes;
        notes.extend(named.notes);
        notes.extend(gave_way);
        let (color, assumed) = color(request, clip)?;
        notes.extend(clip.notes_for(&color).cloned());
        notes.extend(missing(clip, source_first, frames));
        notes.extend(framed.notes);
        let fdl_json = self.apply(framed.applied)?;
        notes.extend(assumed);
        let name = named.name;
        let naming = FrameNaming { stem: name.clone(), padding: request.delivery.naming.padding };
        let grade = take.event.cdl.as_ref();
        let Sidecars { amf, clf, looks, own, told } =
            sidecar::sidecars(request, &naming, clip, frames, &color, grade)?;
        notes.extend(told.into_iter().map(|fault| fault.at(place(take.event))));
        let render = RenderSpec {
            framing: framed.framing,
            fdl_json,
            ..wanted(request, clip, naming, source_first, frames, color)
        };
        let recipe = recipe(&render, clip)?;
        let reuse = self.reusable(&recipe, source_first, frames);
        let reused: FrameSet = reuse.iter().map(|frame| frame.frame).collect();
        let reused_from = plates_of(&reuse);
        let mut documents = grades(request, &name, &take);
        documents.extend(own);
        let plate = PlatePlan {
            amf,
            clf,
            looks,
            shot: named.shot,
            number: named.number,
            version: named.version,
            event: event_of(&take),
            also: draft.also,
            matched,
            clip: travelling(clip),
            source_first,
            frames,
            handles,
            size: framed.size,
            retime: draft.retime,
            recipe,
            reused,
            reused_from,
            documents,
            notes,
            name,
        };
        Ok((plate, step(RenderSpec { reuse, ..render })))
    }

    /// Keeps what came of the FDL for a plate, and tells it.
    fn apply(&mut self, applied: Option<Box<Applied>>) -> Outcome<Option<String>> {
        let Some(applied) = applied else { return Ok(None) };
        let json = applied.document.to_json()?;
        self.applied.push(*applied);
        Ok(Some(json))
    }

    /// Number of the plate's first frame: the spec's, or, where frames keep
    /// their numbers, what goes on from the last delivery of this plate.
    fn first_frame(&self, named: &Named<'_>, draft: &Draft<'_>) -> i64 {
        let naming = &self.request.delivery.naming;
        let goes_on = |plate: &Previous| {
            let first = plate.frames?.first() + draft.source[0] - plate.source_first;
            (first >= 0).then_some(first)
        };
        let last = named.claimed.filter(|_| naming.keep_numbers);
        last.and_then(goes_on).unwrap_or(naming.first_frame)
    }

    /// Frames that an earlier delivery has under the same number: the number stands in their headers.
    fn reusable(&self, recipe: &str, source_first: i64, frames: FrameRange) -> Vec<ReusedFrame> {
        let mut found: HashMap<i64, ReusedFrame> = HashMap::new();
        for plate in self.recipes.get(recipe).into_iter().flatten() {
            let Some(theirs) = plate.frames else { continue };
            if theirs.first() - plate.source_first != frames.first() - source_first {
                continue;
            }
            for file in plate.files.iter().filter(|file| frames.contains(file.frame)) {
                found.entry(file.frame).or_insert_with(|| ReusedFrame {
                    frame: file.frame,
                    file: file.file.clone(),
                    xxh128: file.xxh128.clone(),
                });
            }
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by_key(|frame| frame.frame);
        found
    }
}

/// The event's colour decision as files, where they are wanted.
fn grades(request: &PullRequest<'_>, plate: &str, take: &Take<'_>) -> Vec<Document> {
    if !request.delivery.sidecars.cdl {
        return Vec::new();
    }
    let from = format!("{}, {}", request.edl_document.name, place(take.event));
    grade::documents(plate, take.event.cdl.as_ref(), &from)
}

/// Names of the plates that frames are of: those of their directories.
fn plates_of(reuse: &[ReusedFrame]) -> Vec<String> {
    let names = reuse.iter().filter_map(|frame| frame.file.rsplit('/').nth(1));
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Who says what was set for a camera format.
const CARD: &str = "the camera format's card";

/// What was set for the camera format of a picture; sensor data has its own way to ACES2065-1.
fn color(request: &PullRequest<'_>, clip: &ClipInfo) -> Outcome<(ColorRecipe, Vec<Fault>)> {
    let set = clip.vendor.get(COLOR).filter(|_| clip.picture.cfa.is_none());
    let Some(name) = set else { return sidecar::recipe(request, clip, amf::pixels(clip)) };
    let (mut color, mut assumed) = sidecar::recipe(request, clip, Pixels::Named)?;
    let said = request.amf.and_then(|amf| amf::overruled(amf, clip, CARD, name));
    assumed.extend(said);
    color.input = vec![ColorStep::ToAces(name.clone())];
    Ok((color, assumed))
}

/// A clip as the package needs it: without the maker's own fields, which are
/// most of it and which whoever renders reads from the media, and without its
/// notes, which the plate has.
fn travelling(clip: &ClipInfo) -> ClipInfo {
    ClipInfo { vendor: Default::default(), notes: Vec::new(), ..clip.clone() }
}
