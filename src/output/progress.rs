//! Live progress on standard error; silent when nobody talks, plain
//! when standard error is no terminal.

use super::bytes_text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use platefarm_media::storage::bytes_read;
use platefarm_model::job::{JobView, Phase};
use std::time::Duration;

/// How often what was read is told.
const TICK: Duration = Duration::from_millis(100);

/// A bar that follows what is under way.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts at nothing done.
    pub(crate) fn start(talk: bool) -> Self {
        let target = if talk { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(1), target);
        if let Ok(style) = ProgressStyle::with_template(
            "{bar:20.cyan/dim} {pos:>5}/{len} frames  {rate:>9}  {elapsed_precise}  left {eta}  {wide_msg}",
        ) {
            let rate = |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                let _ = write!(to, "{:.1}/s", state.per_sec());
            };
            bar.set_style(style.with_key("rate", rate).progress_chars("━━╌"));
        }
        Self { bar }
    }

    /// Counts things of one kind.
    pub(crate) fn counting(talk: bool, unit: &str) -> Self {
        let target = if talk { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(1), target);
        let template = format!("{{bar:20.cyan/dim}} {{pos:>5}}/{{len}} {unit}  left {{eta}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("━━╌"));
        }
        Self { bar }
    }

    /// Shows where jobs are.
    pub(crate) fn show(&self, jobs: &[JobView]) {
        let sum = |of: fn(&JobView) -> u64| jobs.iter().map(of).sum::<u64>();
        self.bar.set_length(sum(|job| job.frames_total).max(1));
        self.bar.set_position(sum(|job| job.frames_done + job.frames_failed));
        let steps = jobs.iter().flat_map(|job| &job.steps);
        let running: Vec<&str> =
            steps.filter(|s| s.phase == Phase::Running).map(|s| s.name.as_str()).collect();
        self.bar.set_message(match (jobs, running.as_slice()) {
            ([job], []) => job.phase.word().to_owned(),
            (jobs, []) => {
                let left = jobs.iter().filter(|job| !job.phase.is_settled()).count();
                format!("{left} of {} jobs", jobs.len())
            }
            (_, [one]) => (*one).to_owned(),
            (_, [one, rest @ ..]) => format!("{one} and {} more", rest.len()),
        });
    }

    /// Shows `done` of `total`.
    pub(crate) fn at(&self, done: u64, total: u64) {
        self.bar.set_length(total.max(1));
        self.bar.set_position(done);
    }

    /// Does what reads for long, and says meanwhile how much has been read.
    pub(crate) fn reading<T>(talk: bool, work: impl FnOnce() -> T) -> T {
        let target = if talk { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let before = bytes_read();
        let style = ProgressStyle::with_template("{spinner:.cyan} {read}  {elapsed_precise}");
        if let Ok(style) = style {
            let read = move |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                let bytes = bytes_read() - before;
                let rate = bytes as f64 / state.elapsed().as_secs_f64().max(0.1);
                let _ = write!(to, "{} read  {}/s", bytes_text(bytes), bytes_text(rate as u64));
            };
            bar.set_style(style.with_key("read", read));
        }
        bar.enable_steady_tick(TICK);
        let done = work();
        bar.finish_and_clear();
        done
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
