//! The pipeline on a clip that is made up as it is read, so that it can panic,
//! change its layout, and be watched.

use super::Flight;
use super::color::Colors;
use super::pipeline::{self, Stages};
use super::processor::Processor;
use crate::leash::Leash;
use platefarm_media::Clip;
use platefarm_media::sink::exr;
use platefarm_model::clip::{ClipInfo, Picture, Timing};
use platefarm_model::job::FrameOutcome;
use platefarm_model::raw::{Bayer, Frame, Layout, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::recipe::{
    Backend, ColorRecipe, Compression, Debayer, FrameNaming, Framing, OutputColor, RenderSpec,
};
use platefarm_model::{Code, FrameRange, Outcome, color};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const SIDE: u32 = 16;

struct MadeUp {
    info: ClipInfo,
    layout: Layout,
    panics_at: Option<i64>,
    brighter_at: Option<i64>,
    /// Reads begun minus outcomes seen, and the most that ever was.
    in_flight: AtomicI64,
    most: AtomicI64,
}

fn layout(white: f32) -> Layout {
    let raster = Rect::of_size(SIDE, SIDE);
    Layout::Mosaic(Arc::new(MosaicLayout {
        width: SIDE,
        height: SIDE,
        packing: Packing::U16Le,
        row_bytes: SIDE as usize * 2,
        active: raster,
        crop: raster,
        bayer: Bayer::Rggb,
        levels: Levels::flat(0.0, white),
        white_balance: [1.0; 3],
        camera_to_aces: color::IDENTITY,
    }))
}

fn made_up(frames: u64) -> MadeUp {
    let raster = Rect::of_size(SIDE, SIDE);
    let info = ClipInfo {
        path: "made up".into(),
        timing: Timing { frame_count: frames, ..Timing::default() },
        picture: Picture {
            width: SIDE,
            height: SIDE,
            photosites: [SIDE; 2],
            active: raster,
            crop: raster,
            pixel_aspect: 1.0,
            bit_depth: 16,
            format: "made up".into(),
            compression: "none".into(),
            cfa: None,
            ..Picture::default()
        },
        ..ClipInfo::default()
    };
    MadeUp {
        info,
        layout: layout(1000.0),
        panics_at: None,
        brighter_at: None,
        in_flight: AtomicI64::new(0),
        most: AtomicI64::new(0),
    }
}

impl Clip for MadeUp {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        assert!(self.panics_at != Some(index), "a reader's bug");
        let layout =
            if self.brighter_at == Some(index) { layout(500.0) } else { self.layout.clone() };
        let bytes = 250u16.to_le_bytes().repeat((SIDE * SIDE) as usize);
        Ok(Frame { layout, bytes })
    }

    fn frame_file(&self, _index: i64) -> Option<&Path> {
        None
    }
}

fn spec(frames: FrameRange, out: &Path) -> RenderSpec {
    RenderSpec {
        source: "made up".into(),
        clip_name: None,
        source_first: 0,
        frames,
        out_dir: out.to_str().unwrap().into(),
        naming: FrameNaming { stem: "a".into(), padding: 4 },
        debayer: Debayer::Mhc,
        repairs: platefarm_model::repair::Repairs::default(),
        framing: None,
        color: ColorRecipe::default(),
        color_out: OutputColor::default(),
        compression: Compression::None,
        backend: Backend::Cpu,
        fdl_json: None,
        headers: platefarm_model::recipe::HeaderTexts::default(),
        reuse: Vec::new(),
    }
}

fn run(clip: &MadeUp, frames: FrameRange, flight: Flight, leash: &Leash) -> Vec<FrameOutcome> {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(frames, dir.path());
    let framing = Framing::identity(SIDE, SIDE, 1.0);
    let executor = platefarm_shaders::executor(Backend::Cpu).unwrap();
    let mut processor = Processor::new(
        executor,
        (Debayer::Mhc, platefarm_model::repair::Repairs::default()),
        framing.clone(),
        Colors::default(),
        &clip.layout,
    )
    .unwrap();
    let (staging, show): (_, &super::Show<'_>) = (dir.path(), &|_, _| {});
    let stages = Stages { spec: &spec, clip, framing: &framing, staging, show };
    let mut outcomes = Vec::new();
    pipeline::run(&stages, &mut processor, frames, leash, flight, &mut |outcome| {
        clip.in_flight.fetch_sub(1, Ordering::SeqCst);
        if let FrameOutcome::Done(result) = &outcome {
            let plate = exr::read(Path::new(&result.staged)).unwrap();
            let value = half::f16::from_bits(plate.rgb[1][0]).to_f32();
            let expected = if clip.brighter_at == Some(result.frame - 1) { 0.5 } else { 0.25 };
            assert!((value - expected).abs() < 1e-3, "frame {}: {value}", result.frame);
        }
        outcomes.push(outcome);
    });
    outcomes.sort_by_key(FrameOutcome::frame);
    outcomes
}

#[test]
fn a_panic_fails_its_frame_and_no_other() {
    let clip = MadeUp { panics_at: Some(2), ..made_up(6) };
    let frames = FrameRange::new(1, 6).unwrap();
    let outcomes = run(&clip, frames, Flight::for_cores(4), &Leash::free());
    assert_eq!(outcomes.len(), 6);
    for outcome in outcomes {
        match outcome {
            FrameOutcome::Done(result) => assert_ne!(result.frame, 3),
            FrameOutcome::Failed { frame, fault } => {
                assert_eq!((frame, fault.code), (3, Code::RenderPanicked));
                assert!(fault.message.contains("a reader's bug"), "{fault}");
                assert_eq!(fault.place.as_deref(), Some("frame 3"));
            }
        }
    }
}

/// A volume that keeps something else than it was given: its frame is not reported as done, and
/// its machine does no more.
#[test]
fn what_is_damaged_after_it_was_written_is_no_frame() {
    let dir = tempfile::tempdir().unwrap();
    let (clip, spec) = (made_up(1), spec(FrameRange::single(1), dir.path()));
    let framing = Framing::identity(SIDE, SIDE, 1.0);
    let show: &super::Show<'_> = &|_, _| {};
    let stages = Stages { spec: &spec, clip: &clip, framing: &framing, staging: dir.path(), show };
    let written = pipeline::write(&stages, 1, b"a plate").unwrap();
    assert_eq!(pipeline::verify(written.clone()).unwrap(), written);
    std::fs::write(&written.staged, b"a plane").unwrap();
    let fault = pipeline::verify(written.clone()).unwrap_err();
    assert_eq!(fault.code.text(), "F0303");
    assert_eq!(fault.place, Some(written.staged.clone()));
    assert!(fault.message.contains(&written.xxh128), "{fault}");
    assert!(super::is_the_machines(&fault) && !Path::new(&written.staged).exists());
}

/// A layout that differs is taken as it is, for its frame alone.
#[test]
fn a_frame_is_processed_by_its_own_layout() {
    let clip = MadeUp { brighter_at: Some(3), ..made_up(6) };
    let frames = FrameRange::new(1, 6).unwrap();
    assert_eq!(run(&clip, frames, Flight::for_cores(2), &Leash::free()).len(), 6);
}

#[test]
fn no_more_frames_are_in_flight_than_allowed() {
    for frames_in_flight in [1, 2, 5] {
        let clip = made_up(40);
        let flight =
            Flight { readers: 4, writers: 4, frames: frames_in_flight, budget_bytes: u64::MAX };
        let frames = FrameRange::new(1, 40).unwrap();
        assert_eq!(run(&clip, frames, flight, &Leash::free()).len(), 40);
        // An outcome waits to be seen after its frame has left the pipeline,
        // so as many again may be on their way to the watcher.
        let most = clip.most.load(Ordering::SeqCst);
        assert!(most <= 2 * frames_in_flight as i64 + 1, "{most} of {frames_in_flight}");
    }
}

#[test]
fn a_leash_is_kept_between_frames() {
    let clip = made_up(40);
    let leash = Leash::new(7);
    let flight = Flight::for_cores(4);
    let outcomes = run(&clip, FrameRange::new(1, 40).unwrap(), flight, &leash);
    assert_eq!(outcomes.iter().map(FrameOutcome::frame).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    leash.stop();
    assert!(run(&clip, FrameRange::new(1, 40).unwrap(), flight, &leash).is_empty());
}

/// A 12K mosaic, eight cores, four gigabytes: the memory decides, and one frame always goes.
#[test]
fn frames_under_way_fit_into_memory() {
    let flight = Flight::for_cores(8);
    assert_eq!(flight.frames, 10);
    assert_eq!(flight.within(u64::MAX).fitting(600 << 20).frames, 10);
    assert_eq!(flight.within(4 << 30).fitting(600 << 20).frames, 6);
    assert_eq!(flight.within(1 << 20).fitting(600 << 20).frames, 1);
}
