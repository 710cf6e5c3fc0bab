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
//!   speed changes, frozen frames).
//! - [`library`] finds the clip.
//! - [`naming`] names the plate.
//! - [`plate`] adds handles, framing and the colour sidecar.

mod library;
mod naming;
mod plate;
mod sidecar;
mod take;
#[cfg(test)]
mod tests;

use library::{Library, Miss};
use naming::Names;
use plate::{Draft, Framer};
pub use sidecar::uuid;

use platefarm_model::clip::ClipInfo;
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::pull::{Document, EventRef, PackageSpec, PlatePlan, Rejected};
use platefarm_model::recipe::{Backend, Compression, Debayer, OutputColor};
use platefarm_model::repair::Repairs;
use platefarm_model::{Code, Fault, FrameRange, FrameRate, Outcome, Timestamp, limits};
use platefarm_standards::editlist::{EditList, Event};
use platefarm_standards::fdl::{Fdl, Scaling};
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
    pub clips: &'a [ClipInfo],
    /// Framing; `None` delivers the full source, and says so.
    pub fdl: Option<&'a Fdl>,
    /// File name of the FDL.
    pub fdl_name: Option<String>,
    /// Id of the FDL's canvas template; may be absent when the FDL has one only.
    pub template: Option<String>,
    /// Id of the framing intent whose decisions are meant; `None` takes the FDL's default.
    pub intent: Option<String>,
    /// Size of the plates beside the FDL's word, and the way to it.
    pub scaling: Scaling,
    /// Frames to add before and after each event.
    pub handles: u32,
    /// Directory of the package, absolute.
    pub out_dir: String,
    /// Version of the plates, from 1.
    pub plate_version: u32,
    /// Higher runs first.
    pub priority: i32,
    /// Debayer of every plate.
    pub debayer: Debayer,
    /// What is mended before it.
    pub repairs: Repairs,
    /// Compression of every plate.
    pub compression: Compression,
    /// Colour of every plate.
    pub color_out: OutputColor,
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
    let framer = Framer::new(request)?;
    let mut planner = Planner {
        request,
        library: Library::new(request.clips),
        framer,
        names: Names::new(request),
        plates: Vec::new(),
        steps: Vec::new(),
        rejected: unreadable(request.edl),
        skipped: Vec::new(),
        notes: Vec::new(),
        sound: 0,
        not_by_reel: false,
    };
    for verdict in take::takes(request.edl) {
        match verdict {
            Verdict::Take(take) => planner.take(&take)?,
            Verdict::Skip(event, fault) => planner.skip(event, fault),
            Verdict::Sound(event) => planner.hear(event),
            Verdict::Reject(event, fault) => planner.reject(event, fault),
        }
    }
    planner.finish()
}

fn unreadable(edl: &EditList) -> Vec<Rejected> {
    edl.problems.iter().map(|fault| Rejected { event: None, fault: fault.clone() }).collect()
}

struct Planner<'a> {
    request: &'a PullRequest<'a>,
    library: Library<'a>,
    framer: Framer<'a>,
    names: Names,
    plates: Vec<PlatePlan>,
    steps: Vec<StepSpec>,
    rejected: Vec<Rejected>,
    skipped: Vec<Rejected>,
    /// Why events were skipped that are seen.
    notes: Vec<Fault>,
    /// Events that are only heard.
    sound: usize,
    /// An event with a reel of eight characters was not found by its reel.
    not_by_reel: bool,
}

impl Planner<'_> {
    fn take(&mut self, take: &Take<'_>) -> Outcome<()> {
        let found = match self.library.find(take) {
            Ok(found) => found,
            Err(miss) => {
                self.not_by_reel |= take.event.reel.chars().count() == 8;
                match miss {
                    Miss::Unnamed(fault) if take.event.is_auxiliary() => {
                        self.skip(take.event, fault);
                    }
                    Miss::Unnamed(fault) | Miss::Other(fault) => self.reject(take.event, fault),
                }
                return Ok(());
            }
        };
        self.not_by_reel |= !found.by_reel && take.event.reel.chars().count() == 8;
        let draft = Draft::new(take, found, self.request.handles);
        // A plate gets its name last, so that a rejected event takes none.
        let framed = self.framer.frame(&draft);
        match framed.and_then(|framed| Ok((framed, self.names.name(take)?))) {
            Ok((framed, name)) => {
                let (plate, step) = self.framer.finish(name, draft, framed)?;
                self.plates.push(plate);
                self.steps.push(step);
            }
            Err(fault) => self.reject(take.event, fault),
        }
        Ok(())
    }

    fn reject(&mut self, event: &Event, fault: Fault) {
        let fault = fault.at(take::place(event));
        self.rejected.push(Rejected { event: Some(event_ref(event)), fault });
    }

    fn skip(&mut self, event: &Event, mut fault: Fault) {
        // Whatever it was looked up as: an event that is skipped is no error.
        fault.code = Code::EventSkipped;
        let fault = fault.at(take::place(event));
        self.notes.push(fault.clone());
        self.skipped.push(Rejected { event: Some(event_ref(event)), fault });
    }

    /// A sound event. Lists have hundreds, so they are noted together.
    fn hear(&mut self, event: &Event) {
        self.sound += 1;
        let fault = Fault::new(Code::EventSkipped, "a sound event needs no plate");
        let fault = fault.at(take::place(event));
        self.skipped.push(Rejected { event: Some(event_ref(event)), fault });
    }

    fn finish(mut self) -> Outcome<PullPlan> {
        if self.plates.is_empty() {
            return Err(self.nothing());
        }
        let line = |rejected: &Rejected| match &rejected.event {
            Some(event) => event.line,
            None => line_of(&rejected.fault),
        };
        self.rejected.sort_by_key(line);
        let notes = self.notes();
        let request = self.request;
        let package = PackageSpec {
            out_dir: request.out_dir.clone(),
            name: request.name.clone(),
            show: request.show.clone(),
            rate: request.rate,
            plates: self.plates,
            rejected: self.rejected,
            edl: request.edl_document.clone(),
            fdl: self.framer.delivered()?,
            debayer: request.debayer,
            repairs: request.repairs,
            compression: request.compression,
            color_out: request.color_out.clone(),
            notes,
        };
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
            priority: request.priority,
            terms: Default::default(),
            idempotency_key: None,
            steps,
        };
        job.check()?;
        Ok(PullPlan { job, package, skipped: self.skipped })
    }

    /// What holds for the pull as a whole.
    fn notes(&self) -> Vec<Fault> {
        let mut notes = self.request.notes.clone();
        notes.extend(self.framer.note());
        notes.extend(self.reels_look_cut());
        notes.extend(self.request.edl.warnings.iter().cloned());
        notes.extend(self.notes.iter().cloned());
        if self.sound > 0 {
            let message = format!("{} sound events need no plate", self.sound);
            notes.push(Fault::new(Code::EventSkipped, message));
        }
        notes
    }

    /// A CMX 3600 export cuts reels to eight characters. Only said when a reel
    /// of that length did not lead to its clip: there are cameras whose names
    /// have eight.
    fn reels_look_cut(&self) -> Option<Fault> {
        let mut reels = self
            .request
            .edl
            .events
            .iter()
            .filter(|e| e.is_picture() && !e.is_black() && !e.is_auxiliary())
            .map(|e| e.reel.chars().count());
        (self.not_by_reel && reels.all(|length| length <= 8)).then(|| {
            Fault::new(Code::BadEdlReel, "no reel of the edit list is longer than eight characters")
                .at(self.request.edl_document.name.clone())
        })
    }

    /// Why there is no plate at all.
    fn nothing(&self) -> Fault {
        let place = self.request.edl_document.name.as_str();
        let Some(first) = self.rejected.first() else {
            let events = self.request.edl.events.len();
            if events == 0 {
                return Fault::new(Code::EmptyEdl, "there is no event in it: is it an edit list?")
                    .at(place)
                    .remedy("Hand in a CMX3600, File_32 or File_129 list with the video track.");
            }
            let message = format!("none of the {events} events of the edit list needs a plate");
            return Fault::new(Code::EmptyEdl, message).at(place);
        };
        let same = self.rejected.iter().all(|other| other.fault.code == first.fault.code);
        let code = if same { first.fault.code } else { Code::NoClipForEvent };
        let message = match self.rejected.len() {
            1 => first.fault.message.clone(),
            count => format!("none of {count} events became a plate; {}", first.fault.message),
        };
        let mut fault = Fault::new(code, message).at(place);
        fault.remedy = first.fault.remedy.clone().filter(|_| same);
        let lines: Vec<String> =
            self.rejected.iter().take(12).map(|one| one.fault.to_string()).collect();
        fault.cause = Some(lines.join("; "));
        fault
    }
}

/// The number in `line 12`.
fn line_of(fault: &Fault) -> usize {
    let digits = fault.place.as_deref().and_then(|place| place.rsplit(' ').next());
    digits.and_then(|text| text.parse().ok()).unwrap_or(0)
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
