//! A step made ready to run: the clip is open, the framing is checked, and the
//! image operations are prepared for the clip's layout. A
//! session is kept between leases of the same step, so that a GPU's pipelines
//! stay warm; throwing one away costs time and nothing else.

use super::Flight;
use super::color::Colors;
use super::pipeline::{self, Show, Stages};
use super::processor::Processor;
use crate::leash::Leash;
use crate::probe;
use platefarm_media::Clip;
use platefarm_model::job::FrameOutcome;
use platefarm_model::raw::Layout;
use platefarm_model::recipe::{Backend, Framing, RenderSpec};
use platefarm_model::{Code, Fault, FrameRange, Outcome};
use platefarm_shaders::Executor;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The ways to run image operations in this process, opened once.
pub struct Engines {
    default: Arc<dyn Executor>,
    opened: Mutex<Vec<(Backend, Arc<dyn Executor>)>>,
}

impl Engines {
    /// Opens `backend` as this process's own choice.
    ///
    /// # Errors
    /// [`Code::NoGpu`].
    pub fn new(backend: Backend) -> Outcome<Self> {
        let default = platefarm_shaders::executor(likely(backend))?;
        let opened = if backend == Backend::Auto {
            Vec::new()
        } else {
            vec![(backend, Arc::clone(&default))]
        };
        Ok(Self { default, opened: Mutex::new(opened) })
    }

    /// This process's own choice.
    #[must_use]
    pub fn default_executor(&self) -> Arc<dyn Executor> {
        Arc::clone(&self.default)
    }

    /// The executor for a spec that asks for `backend`; `auto` leaves it to this process.
    ///
    /// # Errors
    /// [`Code::NoGpu`].
    pub fn get(&self, backend: Backend) -> Outcome<Arc<dyn Executor>> {
        if backend == Backend::Auto {
            return Ok(self.default_executor());
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, executor)) = opened.iter().find(|(b, _)| *b == backend) {
            return Ok(Arc::clone(executor));
        }
        let executor = platefarm_shaders::executor(backend)?;
        opened.push((backend, Arc::clone(&executor)));
        Ok(executor)
    }
}

/// `auto` on a machine that has no GPU at all is the CPU: asking the drivers
/// would take a third of a second, and software ones talk on standard error.
fn likely(backend: Backend) -> Backend {
    if backend == Backend::Auto && !probe::may_have_gpu() { Backend::Cpu } else { backend }
}

/// A step made ready.
pub struct Session {
    spec: RenderSpec,
    clip: Box<dyn Clip>,
    framing: Framing,
    processor: Processor,
}

impl Session {
    /// Opens the clip of `spec` and checks that the framing was made for it.
    ///
    /// # Errors
    /// What the reader finds wrong; [`Code::FdlCanvasMismatch`] when the framing
    /// was made for another size; [`Code::NoGpu`].
    pub fn open(spec: &RenderSpec, engines: &Engines) -> Outcome<Self> {
        let clip = platefarm_media::open(Path::new(&spec.source), spec.clip_name.as_deref())?;
        let colors = Colors::of(spec)?;
        if !colors.takes_codes() {
            clip.check_color()?;
        }
        let picture = &clip.info().picture;
        let framing = match &spec.framing {
            Some(framing) if framing.source_size != [picture.width, picture.height] => {
                let [w, h] = framing.source_size;
                return Err(Fault::new(
                    Code::FdlCanvasMismatch,
                    format!(
                        "the framing is for {w}x{h}, the clip has {}x{}",
                        picture.width, picture.height
                    ),
                )
                .at(spec.source.clone()));
            }
            Some(framing) => framing.clone(),
            None => Framing::identity(picture.width, picture.height, picture.pixel_aspect),
        };
        let executor = engines.get(spec.backend)?;
        let photosites = (spec.debayer, spec.repairs);
        let processor =
            Processor::new(executor, photosites, framing.clone(), colors, clip.layout())?;
        Ok(Self { spec: spec.clone(), clip, framing, processor })
    }

    /// The clip.
    #[must_use]
    pub fn clip(&self) -> &dyn Clip {
        self.clip.as_ref()
    }

    /// Where the delivered raster lies over the picture.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        &self.framing
    }

    /// What it delivers.
    #[must_use]
    pub fn spec(&self) -> &RenderSpec {
        &self.spec
    }

    /// Name of the backend: `cpu`, or `gpu: <adapter>`.
    #[must_use]
    pub fn backend(&self) -> String {
        self.processor.backend()
    }

    /// What a frame under way takes: its samples, its halves, and the file that they are packed into.
    fn frame_bytes(&self) -> u64 {
        let samples = match self.clip.layout() {
            Layout::Mosaic(layout) => layout.row_bytes as u64 * u64::from(layout.height),
            Layout::Rgb(layout) => layout.bytes() as u64,
        };
        let [width, height] = self.framing.size.map(u64::from);
        samples + 2 * 6 * width * height
    }

    /// Renders `frames`, as far as `leash` allows, into the staging directory
    /// of `attempt`, and hands over each outcome on the caller's thread. Order
    /// is that of completion. Memory is bounded by `flight.frames`.
    ///
    /// A frame that fails is an outcome, not an error; a fault of the machine
    /// (full disk, lost GPU) also ends the run, since the next frame would meet
    /// it too.
    ///
    /// # Errors
    /// When the staging directory cannot be made.
    pub fn run(
        &mut self,
        frames: FrameRange,
        attempt: &str,
        leash: &Leash,
        flight: Flight,
        sink: &mut dyn FnMut(FrameOutcome),
    ) -> Outcome<()> {
        self.run_shown(frames, attempt, leash, flight, &|_, _| {}, sink)
    }

    /// The same; `show` sees each frame before it is written, on a thread that writes.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_shown(
        &mut self,
        frames: FrameRange,
        attempt: &str,
        leash: &Leash,
        flight: Flight,
        show: &Show<'_>,
        sink: &mut dyn FnMut(FrameOutcome),
    ) -> Outcome<()> {
        let staging = platefarm_media::publish::stage_dir(Path::new(&self.spec.out_dir), attempt)?;
        let stages = Stages {
            spec: &self.spec,
            clip: self.clip.as_ref(),
            framing: &self.framing,
            staging: &staging,
            show,
        };
        let flight = flight.fitting(self.frame_bytes());
        pipeline::run(&stages, &mut self.processor, frames, leash, flight, sink);
        Ok(())
    }
}

/// Sessions that are not in use, the last used first.
pub struct SessionCache {
    kept: Mutex<Vec<Session>>,
    most: usize,
}

impl SessionCache {
    /// A cache of at most `most` sessions.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { kept: Mutex::new(Vec::new()), most }
    }

    /// The session of `spec`, warm or newly opened.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn take(&self, spec: &RenderSpec, engines: &Engines) -> Outcome<Session> {
        let warm = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().position(|s| s.spec == *spec).map(|i| kept.remove(i))
        };
        match warm {
            Some(session) => Ok(session),
            None => Session::open(spec, engines),
        }
    }

    /// Keeps `session` for the next lease of its step.
    pub fn put(&self, session: Session) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(0, session);
        kept.truncate(self.most);
    }
}
