//! Live progress on standard error; silent when nobody talks, plain
//! when standard error is no terminal.

mod pace;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use pace::{Pace, Stage};
use platefarm_media::source::looked;
use platefarm_media::storage::bytes_read;
use platefarm_model::job::JobView;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often what was read is told.
const TICK: Duration = Duration::from_millis(100);
/// A bar's signs.
const SIGNS: &str = "━━╌";
/// What is shown while something is made whose length nobody knows.
const MAKING: &str = "{spinner:.cyan} {msg}  {elapsed_precise}";
/// And where it is known.
const PARTS: &str = "{bar:20.cyan/dim} {pos:>5}/{len}  {elapsed_precise}  {wide_msg}";

/// A bar that follows what is under way.
pub(crate) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    pace: Arc<Mutex<Pace>>,
    /// How frames are shown.
    frames: ProgressStyle,
    shown: Mutex<Shown>,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Frames,
    /// Something that is made of them.
    Making,
    /// What is done of that, of how much.
    Parts,
}

fn hidden_or(talk: bool, length: Option<u64>) -> ProgressBar {
    let target = if talk { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(length, target)
}

fn spinner(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Progress {
    /// Follows frames.
    pub(crate) fn start(talk: bool) -> Self {
        Self::styled(
            talk,
            "{bar:20.cyan/dim} {pos:>5}/{len} frames  {rate:>9}  {elapsed_precise}  left {rest}  {wide_msg}",
        )
    }

    /// Counts things of one kind.
    pub(crate) fn counting(talk: bool, unit: &str) -> Self {
        Self::styled(talk, &format!("{{bar:20.cyan/dim}} {{pos:>5}}/{{len}} {unit}  left {{rest}}"))
    }

    fn styled(talk: bool, template: &str) -> Self {
        let (pace, begun) = (Arc::new(Mutex::new(Pace::default())), Instant::now());
        let [rated, timed] = [Arc::clone(&pace), Arc::clone(&pace)];
        let rate = move |_: &ProgressState, to: &mut dyn Write| {
            let _ = to.write_str(&held(&rated, |pace| pace.rate_text(begun.elapsed())));
        };
        let rest = move |state: &ProgressState, to: &mut dyn Write| {
            let left = state.len().unwrap_or(0).saturating_sub(state.pos());
            let _ = to.write_str(&held(&timed, |pace| pace.left_text(left, begun.elapsed())));
        };
        let frames = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", rate)
            .with_key("rest", rest)
            .progress_chars(SIGNS);
        let bar = hidden_or(talk, Some(1));
        bar.set_style(frames.clone());
        bar.enable_steady_tick(TICK);
        Self { bar, begun, pace, frames, shown: Mutex::new(Shown::Frames) }
    }

    /// Shows where jobs are. What was done before the first look counts for no pace.
    pub(crate) fn show(&self, jobs: &[JobView]) {
        let stage = Stage::of(jobs);
        match stage {
            Stage::Frames { done, total, message } => {
                self.counted(done, total);
                self.bar.set_message(message);
                self.turn(Shown::Frames);
            }
            Stage::Making { message, parts } => {
                self.bar.set_message(message);
                match parts.filter(|parts| parts.total > 0) {
                    Some(parts) => {
                        self.bar.set_length(parts.total);
                        self.bar.set_position(parts.done);
                        self.turn(Shown::Parts);
                    }
                    None => self.turn(Shown::Making),
                }
            }
        }
    }

    /// Shows `done` of `total`, of which none was done at the start.
    pub(crate) fn at(&self, done: u64, total: u64) {
        held(&self.pace, |pace| pace.begin(0));
        self.counted(done, total);
    }

    fn counted(&self, done: u64, total: u64) {
        held(&self.pace, |pace| pace.note(self.begun.elapsed(), done));
        self.bar.set_length(total.max(1));
        self.bar.set_position(done);
    }

    /// From frames to what is made of them, and back where frames are tried again.
    fn turn(&self, to: Shown) {
        let mut now = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *now == to {
            return;
        }
        // How long the package takes is told through all of its stages.
        if to == Shown::Frames || *now == Shown::Frames {
            self.bar.reset_elapsed();
        }
        *now = to;
        self.bar.set_style(match to {
            Shown::Frames => self.frames.clone(),
            Shown::Making => spinner(MAKING),
            Shown::Parts => spinner(PARTS).progress_chars(SIGNS),
        });
    }

    /// Does what reads for long, and says meanwhile how much has been read; of how much, where that is known.
    pub(crate) fn reading<T>(talk: bool, total: Option<u64>, work: impl FnOnce() -> T) -> T {
        Self::reading_as_told(talk, |told| {
            total.into_iter().for_each(told);
            work()
        })
    }

    /// The same, where the work finds out how much there is, and tells it.
    pub(crate) fn reading_as_told<T>(talk: bool, work: impl FnOnce(&dyn Fn(u64)) -> T) -> T {
        let before = bytes_read();
        Self::flowing(talk, "read", move || bytes_read() - before, work)
    }

    /// Does what writes `file` for long, and says meanwhile how much of it is there.
    pub(crate) fn copying<T>(
        talk: bool,
        total: Option<u64>,
        file: PathBuf,
        work: impl FnOnce() -> T,
    ) -> T {
        let there = move || std::fs::metadata(&file).map_or(0, |file| file.len());
        Self::flowing(talk, "copied", there, |told| {
            total.into_iter().for_each(told);
            work()
        })
    }

    fn flowing<T>(
        talk: bool,
        done: &'static str,
        bytes: impl Fn() -> u64 + Clone + Send + Sync + 'static,
        work: impl FnOnce(&dyn Fn(u64)) -> T,
    ) -> T {
        let bar = hidden_or(talk, None);
        let total = Arc::new(AtomicU64::new(0));
        let style = |template: &str| {
            let (total, so_far) = (Arc::clone(&total), bytes.clone());
            let flow = move |state: &ProgressState, to: &mut dyn Write| {
                let bytes = so_far();
                let rate = bytes as f64 / state.elapsed().as_secs_f64().max(0.1);
                let total = Some(total.load(Ordering::Relaxed)).filter(|total| *total > 0);
                let _ = to.write_str(&pace::flow_text(bytes, total, done, rate));
            };
            spinner(template).with_key("flow", flow).progress_chars(SIGNS)
        };
        bar.set_style(style("{spinner:.cyan} {flow}  {elapsed_precise}"));
        bar.enable_steady_tick(TICK);
        let told = |bytes: u64| {
            total.store(bytes, Ordering::Relaxed);
            bar.set_length(bytes.max(1));
            bar.set_style(style("{bar:20.cyan/dim} {flow}  {elapsed_precise}"));
        };
        ticking(&bar, Some(bytes.clone()), || work(&told))
    }

    /// Does what searches for media and looks at it, and says meanwhile how far that is.
    pub(crate) fn looking<T>(talk: bool, work: impl FnOnce() -> T) -> T {
        let bar = hidden_or(talk, None);
        let before = looked();
        let seen = move |_: &ProgressState, to: &mut dyn Write| {
            let _ = to.write_str(&pace::looked_text(looked().since(before)));
        };
        bar.set_style(spinner("{spinner:.cyan} {seen}  {elapsed_precise}").with_key("seen", seen));
        ticking(&bar, None::<fn() -> u64>, work)
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn held<T>(pace: &Mutex<Pace>, with: impl FnOnce(&mut Pace) -> T) -> T {
    with(&mut pace.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Works while the bar is drawn, at the place that is asked for each time.
fn ticking<T>(
    bar: &ProgressBar,
    place: Option<impl Fn() -> u64 + Send>,
    work: impl FnOnce() -> T,
) -> T {
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let done = std::thread::scope(|scope| {
        match place {
            Some(place) => {
                scope.spawn(move || {
                    while end.recv_timeout(TICK) == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                    {
                        bar.set_position(place().min(bar.length().unwrap_or(u64::MAX)));
                    }
                });
            }
            None => bar.enable_steady_tick(TICK),
        }
        // Dropped also where the work panics, so that the one who ticks ends.
        let ended = ended;
        let done = work();
        drop(ended);
        done
    });
    bar.finish_and_clear();
    done
}
