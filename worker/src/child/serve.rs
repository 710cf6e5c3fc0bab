//! The process that works: takes orders on standard input until that ends,
//! which is also how it learns that its slot is gone. It may be killed at any
//! instant; what it had staged has no name yet.

use super::message::{Order, Setup, Word, read, write};
use crate::kinds::{self, Environment, JobKind, Ledger, StepFrames};
use crate::leash::Leash;
use crate::render::{Engines, Flight, SessionCache};
use crate::roots::Roots;
use crate::still::{Still, Stills};
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_model::{Code, Fault, JobId, LeaseToken, Outcome};
use std::io::{Stdout, stdin, stdout};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the process says how its task stands, if that has changed.
const BEAT: Duration = Duration::from_millis(100);

/// What the threads of the process share.
#[derive(Default)]
struct Desk {
    /// The task in hand.
    current: Mutex<Option<(LeaseToken, Arc<Leash>)>>,
}

impl Desk {
    fn current(&self) -> Option<(LeaseToken, Arc<Leash>)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, task: Option<(LeaseToken, Arc<Leash>)>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = task;
    }
}

/// The way to the slot. One that is gone is told nothing more, and the reader ends the process.
struct Mouth(Mutex<Stdout>);

impl Mouth {
    fn say(&self, word: &Word) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if write(&mut *out, word).is_err() {
            std::process::exit(0);
        }
    }
}

type Answer = Result<Vec<StepFrames>, Fault>;

/// Works until standard input ends.
///
/// # Errors
/// When an order cannot be read: the program on the other end is another one.
pub fn serve(kinds: &'static [&'static dyn JobKind]) -> Outcome<()> {
    let garbled = |e: std::io::Error| {
        Fault::new(Code::Internal, "an order to a render process cannot be read").because(&e)
    };
    let mouth = Arc::new(Mouth(Mutex::new(stdout())));
    let Some(Order::Setup(setup)) = read(&mut stdin().lock()).map_err(garbled)? else {
        return Err(Fault::new(Code::Usage, "this verb is for the worker itself"));
    };
    let mut env = match environment(&setup) {
        Ok(env) => env,
        Err(fault) => {
            mouth.say(&Word::Ready(Some(fault)));
            return Ok(());
        }
    };
    mouth.say(&Word::Ready(None));
    let desk = Arc::new(Desk::default());
    let (tasks, inbox) = channel();
    let (answers, answered) = channel();
    let reader = (Arc::clone(&desk), Arc::clone(&mouth));
    std::thread::spawn(move || listen(&reader.0, &reader.1, &tasks, &answers));
    let beater = (Arc::clone(&desk), Arc::clone(&mouth));
    std::thread::spawn(move || beat(&beater.0, &beater.1));
    let ledger = Remote { mouth: Arc::clone(&mouth), answers: Mutex::new(answered) };
    let flight = env.flight;
    for Given { lease, alone, leash } in inbox {
        env.flight = flight;
        if alone {
            env.flight.frames = 1;
        }
        let mut sink = |outcome: FrameOutcome| mouth.say(&Word::Outcome(outcome));
        let fault = kinds::run(kinds, &lease, &leash, &env, &ledger, &mut sink);
        mouth.say(&Word::Pulse(leash.pulse()));
        desk.set(None);
        mouth.say(&Word::Ended(fault.err()));
    }
    Ok(())
}

/// A task as it was given.
struct Given {
    lease: Lease,
    alone: bool,
    leash: Arc<Leash>,
}

fn environment(setup: &Setup) -> Outcome<Environment> {
    let roots = Roots::new(&setup.roots)?;
    roots.confine()?;
    Ok(Environment {
        engines: Engines::new(setup.backend)?,
        sessions: SessionCache::new(2),
        flight: Flight::for_cores(setup.cores).within(setup.budget_bytes),
        roots,
        stills: Stills::default(),
    })
}

/// Reads orders until the slot is gone; then so is this process.
fn listen(desk: &Desk, mouth: &Mouth, tasks: &Sender<Given>, answers: &Sender<Answer>) {
    let mut input = stdin().lock();
    while let Ok(Some(order)) = read(&mut input) {
        match order {
            Order::Run { lease, alone } => {
                let leash = Arc::new(Leash::new(lease.frames.last()));
                desk.set(Some((lease.token, Arc::clone(&leash))));
                drop(tasks.send(Given { lease: *lease, alone, leash }));
            }
            Order::Leash(token, wish) => {
                if let Some((_, leash)) = desk.current().filter(|(current, _)| *current == token) {
                    leash.obey(wish);
                    mouth.say(&Word::Pulse(leash.pulse()));
                }
            }
            Order::Frames(answer) => drop(answers.send(answer)),
            Order::Setup(_) => {}
        }
    }
    std::process::exit(0);
}

/// Says how the task stands, whenever that has changed.
fn beat(desk: &Desk, mouth: &Mouth) {
    let mut said = None;
    loop {
        std::thread::sleep(BEAT);
        let pulse = desk.current().map(|(token, leash)| (token, leash.pulse()));
        if let Some((_, pulse)) = pulse.filter(|pulse| said != Some(*pulse)) {
            mouth.say(&Word::Pulse(pulse));
        }
        said = pulse;
    }
}

/// The farm's record of a job, asked for through the slot.
struct Remote {
    mouth: Arc<Mouth>,
    answers: Mutex<Receiver<Answer>>,
}

impl Ledger for Remote {
    fn frames(&self, job: JobId) -> Outcome<Vec<StepFrames>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        self.mouth.say(&Word::Ledger(job));
        answers.recv().map_err(|e| Fault::new(Code::Interrupted, "the slot is gone").because(&e))?
    }

    fn show(&self, still: Still) {
        self.mouth.say(&Word::Still(still));
    }
}
