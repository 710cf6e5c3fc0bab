//! From an edit list to a job: which clips hold its events, which of their
//! frames are wanted, what the plates are called, and what the package around
//! them must hold.
//!
//! Pure: it takes an edit list, the clips that a scan found and the wishes of
//! a person, and gives a job. No file, clock or network; so that a plan can be
//! shown before anything is done, and made again with the same result.
//!
//! Every event ends in one of three ways: as a plate, as a rejection with its
//! reason, or as a skip that says why none is needed. Nothing is guessed:
//! where two clips would do, the event is rejected and both are named.
//!
//! - [`take`] reads the list: which source frames an event shows (transitions,
//!   frozen frames); [`speed`] says which a speed change shows.
//! - [`matching`] finds the clip; [`ahead`] asks it before there is a plan.
//! - [`naming`] names the plate, by its [`markers`]; [`kept`] says which one of an earlier delivery it is.
//! - [`plate`] adds handles, framing, reuse of what was delivered before, and the colour sidecar.
//! - [`delivery`] reads what a delivery is to be; [`wishes`] lays over it what one pull asks.
//! - [`inherited`] lists what is taken though nobody said it.
//! - [`grade`] and [`lists`] write what else the list says about a plate.
//! - [`whole`] says what holds for all of it.
//! - [`key`] names the pull, so that the same request is the same job.

mod ahead;
pub mod delivery;
pub mod estimate;
mod grade;
mod inherited;
mod kept;
mod key;
mod lists;
mod markers;
mod matching;
mod media;
mod naming;
mod plate;
mod previous;
mod rate;
mod shown;
mod sidecar;
mod speed;
mod take;
mod template;
#[cfg(test)]
pub(crate) mod tests;
mod whole;
mod wishes;
mod work;
mod workers;

pub use ahead::{chosen, in_question, not_kept, unused, wanted};
pub use inherited::{Said, inherited};
pub use key::keyed;
pub use matching::{BAR, Choice, Choices, ClipKey, rules};
pub use media::Media;
pub use previous::{Previous, PreviousFile};
pub use rate::list_rate;
pub use shown::{NoPlan, Shown};
pub use sidecar::uuid;
pub use template::FIELDS as NAMING_FIELDS;
pub use wishes::Wishes;
pub use workers::ask_of_workers;

use matching::{Index, Miss, Query};
use naming::Names;
use plate::{Draft, Framer};

use platefarm_model::delivery::{Delivery, Repeated};
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::pull::{Document, EventRef, PackageSpec, PlatePlan, Rejected};
use platefarm_model::recipe::Backend;
use platefarm_model::repair::Repairs;
use platefarm_model::{Code, Fault, FrameRange, FrameRate, Outcome, Timestamp, limits};
use platefarm_standards::amf::IncomingAmf;
use platefarm_standards::editlist::{Cdl, EditList, Event};
use platefarm_standards::fdl::Fdl;
use std::collections::{BTreeSet, HashMap};
use take::{Take, Verdict};

/// What a person asks for.
pub struct PullRequest<'a> {
    /// Name of the pull.
    pub name: String,
    /// Production that it belongs to; also names shots of a list without a title.
    pub show: String,
    /// The edit list.
    pub edl: &'a EditList,
    /// The edit list as it was handed in.
    pub edl_document: Document,
    /// Rate of the edit list.
    pub rate: FrameRate,
    /// Every clip that the events may come from.
    pub media: Media<'a>,
    /// What people chose where several clips would do.
    pub choices: Choices,
    /// The lowest score at which a rule makes a match; [`BAR`] unless said.
    pub bar: f64,
    /// Framing; `None` delivers the full source, and says so.
    pub fdl: Option<&'a Fdl>,
    /// File name of the FDL.
    pub fdl_name: Option<String>,
    /// The show's look; it travels with the plates and goes into no pixel.
    pub look: Option<Document>,
    /// What the delivery is to be.
    pub delivery: Delivery,
    /// Settings that nobody gave for this pull, as `name = value`; with whose they are, where they
    /// are the show's or the media's.
    pub defaulted: Vec<String>,
    /// Plates of earlier deliveries of these shots.
    pub previous: Vec<Previous>,
    /// Documents that go beside the edit list.
    pub documents: Vec<Document>,
    /// Directory of the package, absolute.
    pub out_dir: String,
    /// Version of the plates, from 1.
    pub plate_version: u32,
    /// What is mended before the debayer.
    pub repairs: Repairs,
    /// The AMF of the show: input transforms of pictures that are codes, looks and view.
    pub amf: Option<&'a IncomingAmf>,
    /// Whether the template was named for this pull: then it goes before those
    /// that people set for camera formats.
    pub template_said: bool,
    /// Form of the image operations.
    pub backend: Backend,
    /// What was assumed or went wrong before the plan; reported with it.
    pub notes: Vec<Fault>,
    /// Names the pull: the UUIDs of its documents are derived from it.
    pub seed: String,
    /// Time of the request; stands in the documents.
    pub now: Timestamp,
}

/// A job, and what became of every event.
#[derive(Clone, Debug, PartialEq)]
pub struct PullPlan {
    /// One step per plate, then the package.
    pub job: JobSpec,
    /// What the last step is told: plates, rejected events, notes.
    pub package: PackageSpec,
    /// Events that need no plate, and why.
    pub skipped: Vec<Rejected>,
}

/// Plans a pull.
///
/// # Errors
/// [`Code::EmptyEdl`] when the list has no event that needs a plate;
/// [`Code::NoClipForEvent`], or the code that all rejections share, when no
/// event became a plate, with the reasons; [`Code::FdlIdNotFound`] when the
/// template does not exist; [`Code::BadRecipe`] when a template is named
/// without an FDL; [`Code::BadSpec`] when the job is beyond the limits.
pub fn plan(request: &PullRequest<'_>) -> Outcome<PullPlan> {
    attempt(request).map_err(Fault::from)
}

/// Plans a pull; where no event becomes a plate, what became of each can be shown all the same.
///
/// # Errors
/// Those of [`plan`].
pub fn attempt(request: &PullRequest<'_>) -> Result<PullPlan, NoPlan> {
    let framer = Framer::new(request)?;
    let mut planner = Planner {
        request,
        framer,
        names: Names::new(request)?,
        plates: Vec::new(),
        grades: HashMap::new(),
        steps: Vec::new(),
        rejected: unreadable(request.edl),
        skipped: Vec::new(),
        notes: Vec::new(),
        sound: 0,
        not_by_reel: false,
    };
    let index = Index::new(request.edl, request.media.keys(), &request.choices, request.bar);
    let mut drafts = Vec::new();
    for verdict in take::takes(request.edl) {
        match verdict {
            Verdict::Take(take) => drafts.extend(planner.find(&index, take)?),
            Verdict::Skip(event, fault) => planner.skip(event, fault),
            Verdict::Sound(event) => planner.hear(event),
            Verdict::Reject(event, fault) => planner.reject(event, fault),
        }
    }
    if request.delivery.repeated == Repeated::Once {
        drafts = joined(drafts, request.delivery.naming.marker_color.as_deref());
    }
    planner.names.expect(&drafts);
    for (index, draft) in drafts.into_iter().enumerate() {
        planner.draw(index, draft)?;
    }
    planner.finish()
}

/// One draft for all uses of a shot whose frames touch, in the order of their first use.
fn joined<'a>(drafts: Vec<Draft<'a>>, color: Option<&str>) -> Vec<Draft<'a>> {
    let mut kept: Vec<Draft<'a>> = Vec::with_capacity(drafts.len());
    let mut by_clip: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for draft in drafts {
        let clip = draft.clip_index;
        let places = by_clip.entry(clip).or_default();
        let touching: Vec<usize> = places
            .iter()
            .copied()
            .filter(|place| !gone.contains(place) && kept[*place].touches(&draft))
            .collect();
        match touching.split_first() {
            None => {
                places.push(kept.len());
                kept.push(draft);
            }
            Some((first, others)) => {
                kept[*first].join(draft, color);
                // A use between two others makes one of them.
                for other in others {
                    gone.insert(*other);
                    let other = kept[*other].clone();
                    kept[*first].join(other, color);
                }
            }
        }
    }
    let alive = kept.into_iter().enumerate().filter(|(place, _)| !gone.contains(place));
    alive.map(|(_, draft)| draft).collect()
}

fn unreadable(edl: &EditList) -> Vec<Rejected> {
    let rejected =
        |fault: &Fault| Rejected { event: None, fault: fault.clone(), candidates: Vec::new() };
    edl.problems.iter().map(rejected).collect()
}

struct Planner<'a> {
    request: &'a PullRequest<'a>,
    framer: Framer<'a>,
    names: Names<'a>,
    plates: Vec<PlatePlan>,
    /// Colour decisions by the place of their plate.
    grades: HashMap<usize, Cdl>,
    steps: Vec<StepSpec>,
    rejected: Vec<Rejected>,
    skipped: Vec<Rejected>,
    /// Why events were skipped that are seen.
    notes: Vec<Fault>,
    /// Events that are only heard.
    sound: usize,
    /// An event with a reel of eight characters was not found by its reel, or not for certain.
    not_by_reel: bool,
}

impl<'a> Planner<'a> {
    /// The clip of a take, and which of its frames are wanted.
    fn find(&mut self, index: &Index<'_>, take: Take<'a>) -> Outcome<Option<Draft<'a>>> {
        let cut_width = take.event.reel.chars().count() == 8;
        let found = match index.find(&Query::of(&take)) {
            Ok(found) => found,
            Err(miss) => {
                let Miss { fault, candidates, unnamed } = *miss;
                self.not_by_reel |= cut_width;
                if unnamed && take.event.is_auxiliary() {
                    self.skip(take.event, fault);
                } else {
                    let fault = fault.at(take::place(take.event));
                    let event = Some(event_ref(take.event));
                    self.rejected.push(Rejected { event, fault, candidates });
                }
                return Ok(None);
            }
        };
        self.not_by_reel |= !found.by_reel && cut_width;
        let clip = self.request.media.clip(found.clip).ok_or_else(|| {
            Fault::new(Code::Internal, "a clip that was matched is not among the media")
        })?;
        Ok(Some(Draft::new(take, found, clip, self.request.delivery.handles)))
    }

    /// A plate of a draft. It gets its name last, so that a rejected event takes none.
    fn draw(&mut self, index: usize, draft: Draft<'a>) -> Outcome<()> {
        let event = draft.take.event;
        let framed = self.framer.frame(&draft);
        let named = |framed| Ok((framed, self.names.name(index, &draft.take, draft.clip)?));
        match framed.and_then(named) {
            Ok((framed, name)) => {
                let (plate, step) = self.framer.finish(name, draft, framed)?;
                if let Some(cdl) = &event.cdl {
                    self.grades.insert(self.plates.len(), cdl.clone());
                }
                self.plates.push(plate);
                self.steps.push(step);
            }
            Err(fault) => self.reject(event, fault),
        }
        Ok(())
    }

    fn reject(&mut self, event: &Event, fault: Fault) {
        let fault = fault.at(take::place(event));
        let event = Some(event_ref(event));
        self.rejected.push(Rejected { event, fault, candidates: Vec::new() });
    }

    fn skip(&mut self, event: &Event, mut fault: Fault) {
        // Whatever it was looked up as: an event that is skipped is no error.
        fault.code = Code::EventSkipped;
        fault.remedy = None;
        let fault = fault.at(take::place(event));
        self.notes.push(fault.clone());
        let event = Some(event_ref(event));
        self.skipped.push(Rejected { event, fault, candidates: Vec::new() });
    }

    /// A sound event. Lists have hundreds, so they are noted together.
    fn hear(&mut self, event: &Event) {
        self.sound += 1;
        let fault = Fault::new(Code::EventSkipped, "a sound event needs no plate");
        let fault = fault.at(take::place(event));
        let event = Some(event_ref(event));
        self.skipped.push(Rejected { event, fault, candidates: Vec::new() });
    }

    fn finish(mut self) -> Result<PullPlan, NoPlan> {
        let nothing = self.plates.is_empty().then(|| self.nothing());
        let line = |rejected: &Rejected| match &rejected.event {
            Some(event) => event.line,
            None => whole::line_of(&rejected.fault),
        };
        self.rejected.sort_by_key(line);
        let mut notes = self.notes();
        let request = self.request;
        let mut documents = if request.delivery.sidecars.pull_list {
            let row = |(i, plate): (usize, _)| {
                let plate: &PlatePlan = plate;
                let amf_uuid = sidecar::amf_uuid(request, &plate.name);
                lists::Row { plate, cdl: self.grades.get(&i), amf_uuid }
            };
            let rows: Vec<_> = self.plates.iter().enumerate().map(row).collect();
            lists::documents(&rows, request.rate)
        } else {
            Vec::new()
        };
        documents.extend(request.documents.iter().cloned());
        let (edl, renamed) = lists::beside(&request.edl_document, &documents);
        notes.extend(renamed);
        let picture = &request.delivery.picture;
        let package = PackageSpec {
            out_dir: request.out_dir.clone(),
            name: request.name.clone(),
            show: request.show.clone(),
            rate: request.rate,
            plates: self.plates,
            rejected: self.rejected,
            edl,
            fdl: if nothing.is_some() { None } else { self.framer.delivered()? },
            look: request.look.clone(),
            debayer: picture.debayer,
            repairs: request.repairs,
            compression: picture.compression,
            color_out: picture.color.clone(),
            delivery: request.delivery.clone(),
            defaulted: request.defaulted.clone(),
            documents,
            color: sidecar::package_color(request),
            notes,
        };
        if let Some(fault) = nothing {
            return Err(NoPlan::of(fault, package, self.skipped));
        }
        let mut steps = self.steps;
        steps.push(StepSpec {
            name: "package".into(),
            kind: StepKind::Package(Box::new(package.clone())),
            frames: FrameRange::single(1),
            after: (0..steps.len() as u32).collect(),
            max_attempts: limits::DEFAULT_MAX_ATTEMPTS,
            terms: Default::default(),
        });
        let job = JobSpec {
            name: request.name.clone(),
            show: request.show.clone(),
            // Its place among others is the submitter's to say, with the rest of the terms.
            priority: 0,
            terms: Default::default(),
            idempotency_key: None,
            steps,
        };
        job.check()?;
        Ok(PullPlan { job, package, skipped: self.skipped })
    }
}

/// An event as reports show it.
fn event_ref(event: &Event) -> EventRef {
    EventRef {
        number: event.number.clone(),
        line: event.line,
        reel: event.reel.clone(),
        clip_name: event.clip_name.clone(),
        source_in: event.source.start_text.clone(),
        source_out: event.source.end_text.clone(),
        record_in: event.record.start_text.clone(),
        record_out: event.record.end_text.clone(),
    }
}
