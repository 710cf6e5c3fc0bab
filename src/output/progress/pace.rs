//! How fast something goes and what is left of it, from what was seen of it;
//! and in which words.

use crate::output::bytes_text;
use platefarm_media::source::Looked;
use platefarm_model::job::{JobView, Phase};
use platefarm_model::making::Making;
use std::collections::VecDeque;
use std::time::Duration;

/// What a pace is measured over.
const WINDOW: Duration = Duration::from_secs(60);
/// What is not known.
const UNKNOWN: &str = "–";

/// How fast things are done since somebody looks: what was done before is nobody's pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    seen: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// So many were done when it began; only before anything was seen.
    pub(super) fn begin(&mut self, done: u64) {
        if self.seen.is_empty() {
            self.seen.push_back((Duration::ZERO, done));
        }
    }

    /// So many are done `at` a time since the start. Fewer than before: it begins anew.
    pub(super) fn note(&mut self, at: Duration, done: u64) {
        if self.seen.back().is_some_and(|(_, before)| done < *before) {
            self.seen.clear();
        }
        self.seen.push_back((at, done));
        while self.seen.len() > 2 && self.seen[1].0 + WINDOW < at {
            self.seen.pop_front();
        }
    }

    /// A second, until `at`: less and less while nothing is done. None before anything was.
    fn rate(&self, at: Duration) -> Option<f64> {
        let ((from, before), (_, now)) = (self.seen.front()?, self.seen.back()?);
        let took = at.saturating_sub(*from).as_secs_f64();
        (now > before && took > 0.0).then(|| (now - before) as f64 / took)
    }

    pub(super) fn rate_text(&self, at: Duration) -> String {
        self.rate(at).map_or_else(|| UNKNOWN.into(), |rate| format!("{rate:.1}/s"))
    }

    /// How long `left` of them take at this pace.
    pub(super) fn left_text(&self, left: u64, at: Duration) -> String {
        self.rate(at).map_or_else(|| UNKNOWN.into(), |rate| time_text(left as f64 / rate))
    }
}

/// `12s`, `4m 05s`, `3h 20m`.
fn time_text(seconds: f64) -> String {
    match seconds.round() as u64 {
        s if s < 60 => format!("{s}s"),
        s if s < 3600 => format!("{}m {:02}s", s / 60, s % 60),
        s => format!("{}h {:02}m", s / 3600, s / 60 % 60),
    }
}

/// What was read, or `done` otherwise, of how much, how fast, and what is left.
pub(super) fn flow_text(bytes: u64, total: Option<u64>, done: &str, rate: f64) -> String {
    let (so_far, pace) = (bytes_text(bytes), bytes_text(rate as u64));
    match total {
        None => format!("{so_far} {done}  {pace}/s"),
        Some(total) => {
            let left = total.saturating_sub(bytes) as f64;
            let left = if rate >= 1.0 { time_text(left / rate) } else { UNKNOWN.into() };
            let total = bytes_text(total.max(bytes));
            format!("{so_far} of {total} {done}  {pace}/s  left {left}")
        }
    }
}

/// What was found of media, and looked at.
pub(super) fn looked_text(looked: Looked) -> String {
    let Looked { seen, media, inspected } = looked;
    format!("{seen} files seen, {inspected} of {media} camera files inspected")
}

/// What is done of a package, with its bytes where they are counted.
fn parts_text(making: &Making) -> String {
    let Making { stage, done, total, bytes, total_bytes } = making;
    let count = if *total == 0 && *done > 0 { format!(", {done}") } else { String::new() };
    let bytes = match total_bytes {
        0 => String::new(),
        all => format!(", {} of {}", bytes_text(*bytes), bytes_text(*all)),
    };
    format!(": {}{count}{bytes}", stage.words())
}

/// What is under way of jobs that are followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Frames.
    Frames {
        /// Of them, those that are settled.
        done: u64,
        total: u64,
        message: String,
    },
    /// Every frame is there, and something is made of them, which no frame says the length of.
    Making {
        message: String,
        /// How far that is, where the one who makes it says so.
        parts: Option<Making>,
    },
}

/// Frames that are settled, and all; of pictures, where the steps are known.
fn frames(job: &JobView) -> (u64, u64) {
    let pictures = || job.steps.iter().filter(|step| !step.is_package());
    if pictures().next().is_none() {
        return (job.frames_done + job.frames_failed, job.frames_total);
    }
    let settled = pictures().map(|step| step.done.len() + step.failed.len()).sum();
    (settled, pictures().map(|step| step.frames.len()).sum())
}

impl Stage {
    pub(super) fn of(jobs: &[JobView]) -> Self {
        let sums = jobs.iter().map(frames);
        let (done, total) = sums.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let open: Vec<&JobView> = jobs.iter().filter(|job| !job.phase.is_settled()).collect();
        let packs = |job: &&JobView| {
            let (done, total) = frames(job);
            done >= total && job.steps.iter().any(|s| s.is_package() && !s.phase.is_settled())
        };
        if !open.is_empty() && open.iter().all(packs) {
            let steps = open.iter().flat_map(|job| &job.steps);
            let mut parts = steps.filter_map(|step| step.making);
            return match open.as_slice() {
                [_] => {
                    let parts = parts.next();
                    let said = parts.as_ref().map_or_else(String::new, parts_text);
                    Self::Making { message: format!("making the package{said}"), parts }
                }
                several => {
                    let message = format!("making {} packages", several.len());
                    Self::Making { message, parts: None }
                }
            };
        }
        Self::Frames { done, total, message: message(jobs, open.len()) }
    }
}

fn message(jobs: &[JobView], open: usize) -> String {
    let steps = jobs.iter().flat_map(|job| &job.steps);
    let running: Vec<&str> =
        steps.filter(|s| s.phase == Phase::Running).map(|s| s.name.as_str()).collect();
    match (jobs, running.as_slice()) {
        ([job], []) => job.phase.word().to_owned(),
        (jobs, []) => format!("{open} of {} jobs", jobs.len()),
        (_, [one]) => (*one).to_owned(),
        (_, [one, rest @ ..]) => format!("{one} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::job::StepView;
    use platefarm_model::{FrameRange, FrameSet, JobId, StepId, Timestamp, making};

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Who joins at 13 of 20 has seen nothing done yet.
    #[test]
    fn what_was_done_before_is_nobodys_pace() {
        let mut pace = Pace::default();
        pace.note(at(0), 13);
        let told = |pace: &Pace, left, seconds| {
            (pace.rate_text(at(seconds)), pace.left_text(left, at(seconds)))
        };
        assert_eq!(told(&pace, 7, 5), ("–".into(), "–".into()));
        pace.note(at(10), 14);
        assert_eq!(told(&pace, 6, 10), ("0.1/s".into(), "1m 00s".into()));
        // While nothing comes, what is left does not stand at a guess of before.
        assert_eq!(told(&pace, 6, 20).1, "2m 00s");
        // What begins here has its whole course.
        let mut own = Pace::default();
        own.begin(0);
        own.begin(7);
        own.note(at(2), 1);
        assert_eq!(own.rate(at(2)), Some(0.5));
    }

    #[test]
    fn a_pace_is_that_of_the_last_minute() {
        let mut pace = Pace::default();
        (0..=60u64).for_each(|s| pace.note(at(s), s * 100));
        (61..=180u64).for_each(|s| pace.note(at(s), 6000 + (s - 60)));
        let rate = pace.rate(at(180)).unwrap();
        assert!((rate - 1.0).abs() < 1e-9, "{rate}");
        // Frames that are tried again are not done any more.
        pace.note(at(181), 10);
        assert_eq!(pace.rate(at(182)), None);
    }

    #[test]
    fn what_is_read_says_of_how_much_and_what_is_left() {
        let text = flow_text(1 << 20, Some(3 << 20), "read", f64::from(1 << 20));
        assert!(text.contains(" of ") && text.ends_with("left 2s"), "{text}");
        assert!(!flow_text(1 << 20, None, "read", 9.0).contains("left"));
        let text = flow_text(0, Some(9), "copied", 0.0);
        assert!(text.contains(" copied ") && text.ends_with("left –"), "{text}");
        assert_eq!(time_text(12_000.0), "3h 20m");
    }

    fn job(frames: u64, done: u64, package: Phase) -> JobView {
        let step = |index, kind: &str, phase, frames, done| StepView {
            id: StepId { job: JobId(1), index },
            name: kind.into(),
            kind: kind.into(),
            phase,
            frames: FrameRange::of_len(1001, frames),
            done: FrameSet::from(FrameRange::of_len(1001, done)),
            leased: FrameSet::new(),
            failed: FrameSet::new(),
            first_fault: None,
            paused: false,
            level: None,
            making: None,
        };
        let mut packing = step(1, "package", package, 1, 1);
        packing.done = FrameSet::new();
        JobView {
            id: JobId(1),
            name: "n".into(),
            show: "s".into(),
            priority: 0,
            terms: Default::default(),
            phase: Phase::Running,
            submitted: Timestamp(0),
            finished: None,
            frames_total: frames + 1,
            frames_done: done,
            frames_failed: 0,
            steps: vec![step(0, "render", Phase::Running, frames, done), packing],
        }
    }

    /// The package counts as one frame of its job, and takes as long as it takes.
    #[test]
    fn the_package_is_no_frame_that_is_left() {
        let frames = Stage::of(&[job(19, 13, Phase::Blocked)]);
        assert!(matches!(frames, Stage::Frames { done: 13, total: 19, .. }), "{frames:?}");
        let making = |message: &str| Stage::Making { message: message.into(), parts: None };
        let mut last = job(19, 19, Phase::Running);
        assert_eq!(Stage::of(std::slice::from_ref(&last)), making("making the package"));
        // Whoever makes it says how far it is.
        let checking = making::Stage::Checking;
        let parts = Making { done: 3, bytes: 1000, ..Making::begin(checking, 19, 20_000) };
        last.steps[1].making = Some(parts);
        let message = "making the package: checking frames, 1.0 kB of 20.0 kB".to_owned();
        let told = Stage::Making { message, parts: Some(parts) };
        assert_eq!(Stage::of(std::slice::from_ref(&last)), told);
        let parts = Making { done: 3, ..Making::begin(making::Stage::Writing, 0, 0) };
        assert_eq!(parts_text(&parts), ": writing files, 3");
        // One of two jobs still renders.
        let both = Stage::of(&[job(19, 19, Phase::Running), job(10, 4, Phase::Blocked)]);
        assert!(matches!(both, Stage::Frames { done: 23, total: 29, .. }), "{both:?}");
        let both = Stage::of(&[job(19, 19, Phase::Running), job(10, 10, Phase::Pending)]);
        assert_eq!(both, making("making 2 packages"));
    }
}
