//! Frames through a GPU that is lost now and then. The GPU is the CPU behind a
//! queue, so that its pictures are right and only its end is made up.

use super::*;
use platefarm_model::color;
use platefarm_model::raw::{Rect, RgbLayout, RgbSamples};
use std::sync::atomic::{AtomicUsize, Ordering};

const SIDE: u32 = 4;
const NAME: &str = "gpu: frail";

/// A GPU that is lost at some of its frames, counted over all devices.
struct Frail {
    cpu: Arc<dyn Executor>,
    /// The calls of `finish` that do not come back.
    lost_at: Vec<usize>,
    code: Code,
    /// Whether a lost one can be opened again.
    opens: bool,
    finished: Arc<AtomicUsize>,
    opened: AtomicUsize,
}

struct FrailPrepared {
    cpu: Box<dyn Prepared>,
    queue: VecDeque<Vec<u8>>,
    lost_at: Vec<usize>,
    code: Code,
    finished: Arc<AtomicUsize>,
    /// Whether it is one that was opened again.
    again: bool,
}

impl Executor for Frail {
    fn name(&self) -> String {
        NAME.into()
    }

    fn prepare(&self, recipe: &PlateRecipe) -> Outcome<Box<dyn Prepared>> {
        let again = self.opened.fetch_add(1, Ordering::SeqCst) > 0;
        if again && !self.opens {
            return Err(Fault::new(Code::NoGpu, "it is gone"));
        }
        Ok(Box::new(FrailPrepared {
            cpu: self.cpu.prepare(recipe)?,
            queue: VecDeque::new(),
            lost_at: self.lost_at.clone(),
            code: self.code,
            finished: Arc::clone(&self.finished),
            again,
        }))
    }
}

impl Prepared for FrailPrepared {
    fn depth(&self) -> usize {
        3
    }

    fn submit(&mut self, bytes: &[u8]) -> Outcome<()> {
        assert!(self.queue.len() < self.depth());
        assert!(!(self.again && bytes[0] == PANICS_AGAIN), "a bug in handing over");
        self.queue.push_back(bytes.to_vec());
        Ok(())
    }

    fn finish(&mut self) -> Outcome<HalfImage> {
        if self.lost_at.contains(&self.finished.fetch_add(1, Ordering::SeqCst)) {
            return Err(Fault::new(self.code, "it fell off the bus"));
        }
        let bytes = self.queue.pop_front().expect("something is under way");
        assert!(bytes[0] != PANICS, "a bug in an operation");
        self.cpu.run(&bytes)
    }
}

/// The low byte of a frame that an operation panics at.
const PANICS: u8 = 200;
/// That of one that cannot be handed over a second time.
const PANICS_AGAIN: u8 = 201;

fn frail(lost_at: &[usize]) -> Frail {
    Frail {
        cpu: platefarm_shaders::executor(Backend::Cpu).unwrap(),
        lost_at: lost_at.to_vec(),
        code: Code::GpuLost,
        opens: true,
        finished: Arc::default(),
        opened: AtomicUsize::new(0),
    }
}

fn layout(gain: f32) -> Layout {
    Layout::Rgb(Arc::new(RgbLayout {
        width: SIDE,
        height: SIDE,
        samples: RgbSamples::U16,
        crop: Rect::of_size(SIDE, SIDE),
        curve: (0..256_u16).map(|code| f32::from(code) * gain).collect(),
        to_aces: color::IDENTITY,
    }))
}

fn frame(value: u8, gain: f32) -> Frame {
    let bytes = u16::from(value).to_le_bytes().repeat((3 * SIDE * SIDE) as usize);
    Frame { layout: layout(gain), bytes }
}

fn over(executor: Frail) -> Processor {
    let framing = Framing::identity(SIDE, SIDE, 1.0);
    let photosites = (Debayer::default(), Repairs::default());
    Processor::new(Arc::new(executor), photosites, framing, Colors::default(), &layout(1.0))
        .unwrap()
}

/// Plays frames as the pipeline does; the first sample and the maker of each, or its code.
fn play(processor: &mut Processor, frames: Vec<Frame>) -> Vec<Result<(f32, String), Code>> {
    let mut outcomes: Vec<Option<Result<(f32, String), Code>>> = vec![None; frames.len()];
    let mut waiting = VecDeque::new();
    let mut frames = frames.into_iter().enumerate();
    loop {
        while processor.has_room() {
            let Some((i, frame)) = frames.next() else { break };
            match processor.begin(frame) {
                Ok(()) => waiting.push_back(i),
                Err(fault) => outcomes[i] = Some(Err(fault.code)),
            }
        }
        let Some(i) = waiting.pop_front() else { break };
        outcomes[i] = Some(match processor.end() {
            Ok(rendered) => {
                let first = half::f16::from_bits(rendered.image.planes[0][0]).to_f32();
                Ok((first, rendered.backend.to_string()))
            }
            Err(fault) => Err(fault.code),
        });
    }
    outcomes.into_iter().map(Option::unwrap).collect()
}

fn values(outcomes: &[Result<(f32, String), Code>]) -> Vec<f32> {
    outcomes.iter().map(|outcome| outcome.as_ref().unwrap().0).collect()
}

fn makers(outcomes: &[Result<(f32, String), Code>]) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.as_ref().unwrap().1.as_str()).collect()
}

fn some(count: u8) -> Vec<Frame> {
    (0..count).map(|value| frame(value, 1.0)).collect()
}

#[test]
fn several_frames_are_under_way_and_end_in_order() {
    let mut processor = over(frail(&[]));
    for value in 0..3 {
        assert!(processor.has_room());
        processor.begin(frame(value, 1.0)).unwrap();
    }
    assert!(!processor.has_room());
    assert_eq!(processor.end().unwrap().image.planes[0][0], 0);
    assert!(processor.has_room());
}

#[test]
fn a_lost_gpu_is_opened_again_and_no_frame_is_missing() {
    let mut processor = over(frail(&[4]));
    let outcomes = play(&mut processor, some(10));
    assert_eq!(values(&outcomes), [0., 1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    assert_eq!(makers(&outcomes), [NAME; 10]);
    // Now and then is no reason to give it up.
    let mut processor = over(frail(&[1, 3, 6, 9]));
    assert_eq!(makers(&play(&mut processor, some(10))), [NAME; 10]);
}

#[test]
fn lost_twice_in_a_row_it_leaves_the_rest_to_the_cpu() {
    let mut processor = over(frail(&[4, 5]));
    let outcomes = play(&mut processor, some(10));
    assert_eq!(values(&outcomes), [0., 1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    assert_eq!(makers(&outcomes), [[NAME; 4].as_slice(), &["cpu"; 6]].concat());
    assert_eq!(processor.backend(), "cpu");
}

#[test]
fn one_that_cannot_be_opened_again_or_refuses_the_work_is_replaced() {
    let mut processor = over(Frail { opens: false, ..frail(&[2]) });
    let outcomes = play(&mut processor, some(5));
    assert_eq!(makers(&outcomes), [NAME, NAME, "cpu", "cpu", "cpu"]);
    let mut processor = over(Frail { code: Code::GpuFailed, ..frail(&[0, 1]) });
    let outcomes = play(&mut processor, some(3));
    assert_eq!((values(&outcomes), makers(&outcomes)), (vec![0., 1., 2.], vec!["cpu"; 3]));
}

#[test]
fn a_fault_of_a_frame_is_its_own() {
    let mut processor = over(frail(&[]));
    let mut frames = some(7);
    frames[1].bytes.truncate(7);
    frames[3] = frame(PANICS, 1.0);
    // Another layout in between, as a sequence may have it.
    frames[5] = frame(5, 0.5);
    let outcomes = play(&mut processor, frames);
    assert_eq!(outcomes[1], Err(Code::TruncatedFile));
    assert_eq!(outcomes[3], Err(Code::RenderPanicked));
    let sound: Vec<_> = [0, 2, 4, 5, 6].map(|i| outcomes[i].clone()).into();
    assert_eq!(values(&sound), [0., 2., 4., 2.5, 6.]);
}

/// A frame that fails when all are handed over again is blamed itself, and not
/// the one that was to end or to begin meanwhile.
#[test]
fn a_fault_met_on_the_second_try_is_its_frames_own() {
    for bad in 0..5 {
        for lost in 0..5 {
            let mut processor = over(frail(&[lost]));
            let mut frames = some(5);
            frames[bad] = frame(PANICS_AGAIN, 1.0);
            let outcomes = play(&mut processor, frames);
            for (i, outcome) in outcomes.iter().enumerate() {
                match outcome {
                    Ok((value, _)) if i == bad => assert!(lost > bad && *value == 201.0),
                    Ok((value, _)) => assert_eq!(*value, i as f32),
                    Err(code) => assert_eq!((i, *code), (bad, Code::RenderPanicked), "{lost}"),
                }
            }
        }
    }
}
