//! The `Pulls` service: what `platefarm pull --library` does with files, asked
//! for with texts. Both end in one [`pulls::PullRequest`] and go the same way
//! from there; this side opens no file, neither of media nor of documents.

mod order;

use super::desk::Desk;
use super::{Answer, answer, clock, farm};
use crate::aside::Aside;
use crate::library::Shelf;
use crate::pulls::{self, Choices, NoPlan, PullPlan, Shown};
use crate::trust::Caller;
use order::Order;
use platefarm_model::farm::Needs;
use platefarm_model::{Code, Fault, Outcome, limits};
use platefarm_proto::convert::needed;
use platefarm_proto::{Pulls, v1};
use platefarm_standards::editlist;
use prost::Message as _;
use std::sync::Arc;
use std::time::SystemTime;
use tonic::Request;

/// Plans that are made at a time: each holds the keys of a library.
pub(super) const PLANS: usize = 4;

/// The service.
pub(super) struct PullsService {
    pub(super) desk: Desk,
    pub(super) shelf: Arc<Shelf>,
    /// Of [`PLANS`] plans.
    pub(super) plans: Aside,
}

/// A plan, and what was learnt in making it.
struct Planned {
    pull: PullPlan,
    /// Choices of the request that led to clips.
    used: Choices,
}

/// What the command line would have looked at.
fn not_looked_at() -> Fault {
    let message =
        "whether the files of the clips are there was not looked at: no media is opened here";
    Fault::new(Code::NotChecked, message)
        .remedy("Nothing: where one is gone, the frames that need it fail and say so.")
}

/// From what is asked to a plan.
async fn plan(shelf: &Shelf, asked: v1::PullOrder, counts_others: bool) -> Result<Planned, NoPlan> {
    let library = shelf.library().await?;
    let show = library.show(&asked.show).await?;
    let any_show = asked.any_show;
    let mut order = Order::read(asked, &show)?;
    let mut footage = library.footage(&order.show, any_show, counts_others).await?;
    let note = footage.note.take();
    let (rate, assumed) = pulls::list_rate(order.rate, &footage.rates());
    let list = editlist::read(order.edit_list.text.as_bytes(), Some(rate))
        .map_err(|fault| fault.within(&order.edit_list.name))?;
    let inherited = pulls::inherited(order.said, &show.defaults, &list, &footage.rates());
    order.defaulted.splice(0..0, inherited);
    let taken = library.taken(&footage, &list, &order.choices, order.bar).await?;
    let used = pulls::chosen(&list, &footage.keys, &order.chosen);
    let unused = pulls::unused(&order.chosen, &used, "pull.choices");
    let not_kept = pulls::not_kept(Some(&order.show), &used, "pull.show");
    let notes = assumed.into_iter().chain(order.without_amf()).chain(note).chain(unused);
    let notes = notes.chain(not_kept);
    let notes = notes.chain([not_looked_at()]).collect();
    let used = used.iter().map(|place| order.chosen.choices[*place].clone());
    let used = Choices { choices: used.collect() };
    let pull = order.plan(&list, &footage.keys, &taken, notes, clock::Clock::new().now())?;
    Ok(Planned { pull, used })
}

impl PullsService {
    /// What `told` makes of a plan, or of there being none, where it keeps nobody waiting: a library
    /// may have a hundred thousand clips, and a plan as many plates.
    async fn planned<T: Send + 'static>(
        &self,
        caller: &Caller,
        asked: Option<v1::PullOrder>,
        told: impl FnOnce(Result<Planned, NoPlan>) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let asked = needed(asked, "pull")?;
        if asked.any_show && !caller.shows.is_empty() {
            let message =
                format!("clips of any show are asked for; '{}' is not for all", caller.name);
            return Err(Fault::new(Code::OutsideShow, message)
                .at("pull.any_show")
                .remedy("Leave it out, or use a token for all shows."));
        }
        let shelf = Arc::clone(&self.shelf);
        // What other shows have is not told to who may not see them.
        let counts_others = caller.shows.is_empty();
        let work = async move { told(plan(&shelf, asked, counts_others).await) };
        self.plans.at_once("plans", work).await
    }

    async fn show(&self, request: Request<v1::PlanRequest>) -> Outcome<v1::PlanResponse> {
        let caller = Caller::of(&request)?;
        let v1::PlanRequest { pull, with_document } = request.into_inner();
        let told = move |planned: Result<Planned, NoPlan>| match planned {
            Ok(Planned { pull, .. }) => {
                answered(&pull.shown(), pull.fault().as_ref(), with_document)
            }
            Err(none) => {
                let fault = Some(&none.fault);
                let answer = none.shown().map(|shown| answered(&shown, fault, with_document));
                answer.unwrap_or(Err(none.fault))
            }
        };
        self.planned(&caller, pull, told).await
    }

    async fn hand_in(&self, request: Request<v1::SubmitRequest>) -> Outcome<v1::SubmitResponse> {
        let (begun, parent) = (SystemTime::now(), farm::parent(&request));
        let caller = Caller::of(&request)?;
        let asked = request.into_inner();
        let needs = asked.needs.map_or_else(|| Ok(Needs::default()), Needs::try_from)?;
        let show = asked.pull.as_ref().map(|pull| pull.show.clone()).unwrap_or_default();
        let planned = |planned: Result<Planned, NoPlan>| planned.map_err(Fault::from);
        let Planned { pull, used } = self.planned(&caller, asked.pull, planned).await?;
        let mut job = pull.job;
        job.priority = asked.priority;
        job.terms = asked.terms.map(Into::into).unwrap_or_default();
        pulls::ask_of_workers(&mut job, &needs, asked.frame_limit_s, asked.step_limit_s);
        if !asked.idempotency_key.is_empty() {
            job.idempotency_key = Some(asked.idempotency_key);
        }
        let (job, existed) = farm::submit(&self.desk, job, &caller, parent, begun).await?;
        // The job is in, whatever becomes of what was learnt.
        let learnt = match self.shelf.library().await {
            Ok(library) => library.learn(&show, used).await,
            Err(fault) => Err(fault),
        };
        let lost = learnt.err().map(|fault| {
            Fault::new(Code::NotChecked, "the choices are not kept for the next pull")
                .at("pull.choices")
                .because(&fault)
                .remedy("Send them again with the next pull.")
        });
        Ok(v1::SubmitResponse {
            job: job.0,
            existed,
            plates: pull.package.plates.len() as u64,
            rejected: pull.package.rejected.iter().map(Into::into).collect(),
            notes: pull.package.notes.iter().chain(&lost).map(Into::into).collect(),
        })
    }
}

/// A plan, as it is answered, with how its pull would end.
fn answered(
    shown: &Shown<'_>,
    fault: Option<&Fault>,
    with_document: bool,
) -> Outcome<v1::PlanResponse> {
    let package = shown.package;
    let plan_json = match with_document {
        true => serde_json::to_string(shown)
            .map_err(|e| Fault::new(Code::Internal, "a plan is not JSON").because(&e))?,
        false => String::new(),
    };
    fits(v1::PlanResponse {
        plates: package.plates.iter().map(Into::into).collect(),
        rejected: package.rejected.iter().map(Into::into).collect(),
        skipped: shown.skipped.iter().map(Into::into).collect(),
        notes: package.notes.iter().map(Into::into).collect(),
        defaulted: package.defaulted.clone(),
        estimate: Some(v1::PullEstimate {
            frames: shown.estimate.frames,
            bytes: shown.estimate.bytes,
            bytes_uncompressed: shown.estimate.bytes_uncompressed,
            core_seconds: shown.estimate.core_seconds,
        }),
        plan_json,
        fault: fault.map(Into::into),
    })
}

/// An answer that a message has room for.
fn fits(answer: v1::PlanResponse) -> Outcome<v1::PlanResponse> {
    let size = answer.encoded_len();
    if size <= limits::MAX_MESSAGE_BYTES {
        return Ok(answer);
    }
    let mib = |bytes: usize| bytes.div_ceil(1024 * 1024);
    let most = mib(limits::MAX_MESSAGE_BYTES);
    let message = format!("the plan has {} MiB; a message may have {most} MiB", mib(size));
    Err(Fault::new(Code::JobTooLarge, message)
        .at("with_document")
        .remedy("Ask without the document, or plan parts of the edit list."))
}

#[tonic::async_trait]
impl Pulls for PullsService {
    async fn plan(&self, request: Request<v1::PlanRequest>) -> Answer<v1::PlanResponse> {
        answer(self.show(request).await)
    }

    async fn submit(&self, request: Request<v1::SubmitRequest>) -> Answer<v1::SubmitResponse> {
        answer(self.hand_in(request).await)
    }
}
