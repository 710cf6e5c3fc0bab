//! What operators are told of the farm as a whole.

use super::*;
use platefarm_model::farm::WorkerClass;
use platefarm_model::status::ClassLoad;

/// What a worker holds ahead is in hand and not at work.
#[test]
fn the_load_is_what_is_left_and_who_is_at_work() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.machine("g", 2, "gpu: a card", WorkerTraits::default());
    let first = farm.submit(1, None, vec![step(1, 16, &[])]);
    farm.submit(0, None, vec![step(1, 5, &[])]);
    let lease = farm.acquire(a).unwrap();
    farm.acquire(a).unwrap();
    farm.report(a, lease.token, vec![result(lease.frames.first())]);
    let load = farm.state.load();
    assert_eq!((load.jobs_running, load.jobs_waiting, load.frames_left), (1, 1, 20));
    let class = |class, workers, slots, at_work| ClassLoad { class, workers, slots, at_work };
    assert_eq!(load.classes, [class(WorkerClass::Cpu, 1, 1, 1), class(WorkerClass::Gpu, 1, 2, 0)]);
    farm.ask(Command::Control(Target::Job(first), Control::Cancel)).unwrap();
    assert_eq!(farm.state.load().frames_left, 5);
}
