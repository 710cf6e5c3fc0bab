//! Why a step does or does not run. The reasons are those of the predicates
//! that schedule, asked again and put into words; nothing is guessed.

use super::fit::{Misfit, Standing};
use super::job::{Job, Step};
use super::queue::Kin;
use super::worker::Worker;
use super::{State, unknown_job};
use platefarm_model::explain::{Explained, Explanation, Hold, Reason};
use platefarm_model::farm::{Dependency, Needs, Target};
use platefarm_model::{FrameRange, FrameSet, Outcome, StepId, Timestamp};
use std::collections::BTreeMap;

fn reason(hold: Hold, text: impl Into<String>, remedy: impl Into<String>) -> Reason {
    Reason { hold: hold.word().into(), text: text.into(), remedy: remedy.into() }
}

fn list<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 6;
    let all: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let more = all.len().saturating_sub(SHOWN);
    let shown = all[..all.len().min(SHOWN)].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

impl State {
    /// Why a job or a step does or does not run, and what would change it.
    ///
    /// # Errors
    /// `F0503`, `F0524` when there is no such job or step.
    pub fn explain(&self, target: Target) -> Outcome<Explanation> {
        self.check_target(target)?;
        let job = self.jobs.get(&target.job()).ok_or_else(|| unknown_job(target.job()))?;
        let steps = job.step_ids().zip(&job.steps);
        let meant = |id: &StepId| target == Target::Job(id.job) || target == Target::Step(*id);
        let mut groups: Vec<Explained> = Vec::new();
        let mut running = 0;
        let mut phase = job.phase();
        for (id, step) in steps.filter(|(id, _)| meant(id)) {
            running += step.live.len() as u64;
            if target == Target::Step(id) {
                phase = step.phase(job.row.cancelled, job.far_open);
            }
            let reasons = self.reasons(id, job, step);
            let waiting = step.open();
            if let Some(same) = groups.iter_mut().find(|group| group.reasons == reasons) {
                same.steps += 1;
                same.indices.insert(FrameRange::single(id.index.into()));
                same.frames_waiting += waiting;
                continue;
            }
            groups.push(Explained {
                first: id,
                steps: 1,
                indices: FrameSet::from(FrameRange::single(id.index.into())),
                frames_waiting: waiting,
                reasons,
            });
        }
        Ok(Explanation { target, phase: phase.word().into(), running, groups })
    }

    /// Why a step gets no more than it has; never empty.
    fn reasons(&self, id: StepId, job: &Job, step: &Step) -> Vec<Reason> {
        let mut reasons: Vec<Reason> =
            job.holds(step, self.now).flat_map(|hold| self.why_held(hold, id, job, step)).collect();
        if reasons.is_empty() {
            reasons.extend(self.kept_by_counts(job, step));
        }
        if reasons.is_empty() {
            reasons.push(self.kept_by_workers(job, step));
        }
        reasons
    }

    /// What holds a step whoever asks, in words.
    fn why_held(&self, hold: Hold, id: StepId, job: &Job, step: &Step) -> Vec<Reason> {
        let own = &step.state.control;
        let one = |text: String, remedy: String| vec![reason(hold, text, remedy)];
        let name = job.row.id;
        match hold {
            Hold::Settled if step.state.failed.is_empty() => {
                one("every frame is done".into(), String::new())
            }
            Hold::Settled => one(
                format!("{} given up", count(step.state.failed.len(), "frame")),
                format!("`platefarm jobs retry {name}` tries them again."),
            ),
            Hold::Cancelled => one(
                "a person cancelled it".into(),
                format!("`platefarm jobs retry {name}` takes it up again."),
            ),
            Hold::Leased => one(
                format!("all that is left runs, in {}", count(step.live.len() as u64, "task")),
                String::new(),
            ),
            Hold::Paused => {
                let what = if own.paused { id.to_string() } else { name.to_string() };
                one(format!("{what} is paused"), format!("`platefarm jobs resume {what}`."))
            }
            Hold::StartAfter => {
                let at = job.row.terms.start_after.unwrap_or(Timestamp(0));
                one(
                    format!("it may begin in {} s", at.millis_since(self.now).max(0) / 1000),
                    format!("`platefarm jobs start {name} --at now` begins at once."),
                )
            }
            Hold::Dependency => self.waits_because(id, job, step),
            _ => Vec::new(),
        }
    }

    fn waits_because(&self, id: StepId, job: &Job, step: &Step) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let open = |after: &&Dependency| !after.same_frames && !self.is_settled(after.on);
        let far = job.row.terms.after.iter().chain(&step.state.control.after).filter(open);
        let far: Vec<Target> = far.map(|after| after.on).collect();
        if !far.is_empty() {
            let remedy = format!(
                "It goes on when they are settled; `platefarm jobs depend {} --not-on {}` lets it go now.",
                id.job, far[0]
            );
            reasons.push(reason(Hold::Dependency, format!("it waits for {}", list(far)), remedy));
        }
        if step.waiting_on > 0 {
            let unsettled = |i: &&u32| !job.steps[**i as usize].settled;
            let steps = step.spec.after.iter().filter(unsettled);
            let names =
                steps.map(|i| format!("{}.{i} '{}'", id.job, job.steps[*i as usize].spec.name));
            let text = format!("it waits for {}", list(names));
            reasons.push(reason(Hold::Dependency, text, "It goes on when they are settled."));
        }
        if !step.pending.is_empty() && step.open() == 0 {
            let text = format!("frames {} wait for the same frames elsewhere", step.pending);
            reasons.push(reason(Hold::Dependency, text, "Each goes on when its frame is settled."));
        }
        reasons
    }

    /// What a count keeps from being leased.
    fn kept_by_counts(&self, job: &Job, step: &Step) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if job.is_capped() {
            let most = job.row.terms.max_tasks.unwrap_or(0);
            reasons.push(reason(
                Hold::JobCap,
                format!("{} has {} of {most} tasks", job.row.id, job.tasks),
                format!("`platefarm jobs limit {} --tasks N` raises it.", job.row.id),
            ));
        }
        if self.is_at_ceiling(job.show) {
            let show = &self.shows[job.show.0 as usize];
            let ceiling = show.share.ceiling.unwrap_or(0);
            reasons.push(reason(
                Hold::ShowCeiling,
                format!("show '{}' has {} of {ceiling} tasks", show.name, show.tasks),
                format!("`platefarm shows set {} --ceiling N` raises it.", show.name),
            ));
        }
        if let Some(limit) = self.short_limit(&step.spec.terms.needs) {
            let (used, of) = (self.limit_used(limit), self.limit_count(limit));
            let takes = step.spec.terms.needs.limits[limit];
            reasons.push(reason(
                Hold::Limit,
                format!("limit '{limit}': {used} of {of} are taken, and a task takes {takes}"),
                format!(
                    "It goes on when a holder ends; `platefarm limits set {limit} N` raises it."
                ),
            ));
        }
        let kin = Kin { need: step.need, show: job.show };
        if reasons.is_empty()
            && let Some((limit, most)) = self.kept_limit(step.level(&job.row), kin)
        {
            let (used, of) = (self.limit_used(limit), self.limit_count(limit));
            reasons.push(reason(
                Hold::Limit,
                format!(
                    "limit '{limit}': {used} of {of} are taken, and {most} are kept for a task that \
                     goes first"
                ),
                format!(
                    "It goes on when that task has begun; `platefarm limits set {limit} N` raises it."
                ),
            ));
        }
        reasons
    }

    /// What workers say to a step that nothing else keeps.
    fn kept_by_workers(&self, job: &Job, step: &Step) -> Reason {
        let needs = self.queue.needs(step.need);
        let alive: Vec<&Worker> = self.workers.values().filter(|w| w.alive).collect();
        let fitting: Vec<&Worker> =
            alive.iter().copied().filter(|w| self.misfit(needs, w).is_none()).collect();
        if fitting.is_empty() {
            return self.nobody_fits(needs, &alive);
        }
        let open: Vec<&Worker> =
            fitting.iter().copied().filter(|w| self.standing(w) == Standing::Open).collect();
        if open.is_empty() {
            let shut = fitting.iter().map(|w| format!("{} ({})", w.row.name, self.worker_word(w)));
            let text = format!("the workers that fit take nothing new: {}", list(shut));
            return reason(Hold::NoneOpen, text, "`platefarm workers resume` opens them again.");
        }
        if self.waits_elsewhere(step) {
            let text = "the frames that are left failed before, or went down with their workers, and wait for another worker";
            return reason(Hold::Elsewhere, text, "They go to any worker after a while.");
        }
        let mut free = open.iter().filter(|worker| worker.has_room()).peekable();
        if free.peek().is_some() {
            let text = match free.all(|worker| self.leaves_to_others(worker, job, step)) {
                false => "nothing holds it: free workers take it next",
                true => {
                    "nothing holds it: its last frames are left to the faster workers, which will have \
                     done them before a free one did its first; if not, free workers take them"
                }
            };
            return reason(Hold::None, text, "");
        }
        self.outranked(job, step, open.len() as u64)
    }

    fn waits_elsewhere(&self, step: &Step) -> bool {
        let open = step.open_frames();
        let suspect =
            |frame| step.state.losses.at(frame).is_some_and(|(_, loss)| loss.is_suspect());
        let apart = |frame| step.state.troubles.contains_key(&frame) || suspect(frame);
        !open.is_empty() && open.iter().all(apart)
    }

    fn nobody_fits(&self, needs: &Needs, alive: &[&Worker]) -> Reason {
        if alive.is_empty() {
            let remedy = "Start one with `platefarm worker`.";
            return reason(Hold::NoWorker, "no worker is alive", remedy);
        }
        let mut lacks: BTreeMap<String, u64> = BTreeMap::new();
        for misfit in alive.iter().filter_map(|worker| self.misfit(needs, worker)) {
            let what = match misfit {
                Misfit::Device => format!("not a {} worker", needs.device),
                Misfit::Memory => format!("less than {} MiB a slot", needs.memory_mib),
                Misfit::Pool => format!("not in pool '{}'", needs.pool.as_deref().unwrap_or("")),
                Misfit::Label(label) => format!("without label '{label}'"),
            };
            *lacks.entry(what).or_default() += 1;
        }
        let lacks = lacks.into_iter().map(|(what, n)| format!("{} {what}", count(n, "worker")));
        let remedy = "Start a worker that fits, or label one with `platefarm workers label`.";
        reason(Hold::NoWorker, format!("no worker fits: {}", list(lacks)), remedy)
    }

    /// All that fits is busy: with what, and how much goes first.
    fn outranked(&self, job: &Job, step: &Step, workers: u64) -> Reason {
        let level = step.level(&job.row);
        let kin = Kin { need: step.need, show: job.show };
        let mine = self.queue.group(level, kin).and_then(|group| self.rank(kin, group));
        let (mut above, mut before) = (0, 0);
        for (other, groups) in &self.queue.levels {
            for (its, group) in groups {
                let blocked = self.is_blocked(its.need, its.show);
                // Of its own group the older ones are counted by themselves.
                let own = other.0 == level && *its == kin;
                if blocked || own || other.0 < level {
                    continue;
                }
                if other.0 > level {
                    above += group.frames;
                } else if self.rank(*its, group) < mine {
                    before += group.frames;
                }
            }
        }
        let group = self.queue.group(level, kin);
        let key = super::queue::JobKey::of(job);
        let older = group.map_or(0, |group| group.jobs.range(..key).count() as u64);
        if above + before + older == 0 {
            return reason(Hold::None, "nothing holds it: the next free slot takes it", "");
        }
        let text = format!(
            "all {} that fit are busy; {above} frames of a higher priority wait, {before} of an \
             earlier deadline or a show with less, and {} of its own show go first",
            count(workers, "worker"),
            count(older, "job")
        );
        let remedy = format!(
            "More workers (`platefarm farm whatif --workers N`), or `platefarm jobs priority {}`.",
            job.row.id
        );
        reason(Hold::Outranked, text, remedy)
    }
}
