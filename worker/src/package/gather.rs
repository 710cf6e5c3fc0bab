//! What the farm says was rendered, and what is really there. The acceptance of
//! a result is the decision; a rename that a dead worker owes is carried out
//! here. Then every file is read again and compared with the hash that its
//! worker reported: the disk's word, not the writer's.

use super::meter::Meter;
use crate::kinds::StepFrames;
use crate::leash::Leash;
use crate::probe;
use platefarm_media::{hash, publish, storage};
use platefarm_model::code::Owner;
use platefarm_model::job::FrameResult;
use platefarm_model::making::Stage;
use platefarm_model::pull::{PackageSpec, PlatePlan};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

/// What there is of one plate.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PlateFrames {
    /// Accepted results, in the order of their frames. Some may be in `failed`
    /// too: accepted, and yet not sound on disk.
    pub(crate) done: Vec<FrameResult>,
    /// Frames that are not there or not sound, and why.
    pub(crate) failed: BTreeMap<i64, Fault>,
}

impl PlateFrames {
    /// Results whose file is there and sound.
    pub(crate) fn sound(&self) -> impl Iterator<Item = &FrameResult> {
        self.done.iter().filter(|f| !self.failed.contains_key(&f.frame))
    }
}

/// What there is of a pull.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Gathered {
    /// Per plate, in the plan's order.
    pub(crate) plates: Vec<PlateFrames>,
    /// When the last frame was written.
    pub(crate) last_written: Option<Timestamp>,
}

/// File name of a result, without directory.
pub(crate) fn file_name(result: &FrameResult) -> &str {
    result.published.rsplit('/').next().unwrap_or_default()
}

/// Finishes what is owed, and checks every frame of the plan. What is still
/// staged of earlier attempts goes before the files are read: a worker that slept
/// since an earlier pull into this directory wakes up with nothing that it could
/// put in the place of a plate that was checked.
pub(crate) fn gather(
    spec: &PackageSpec,
    results: Vec<StepFrames>,
    attempt: &str,
    leash: &Leash,
) -> Outcome<Gathered> {
    let mut plates: Vec<PlateFrames> = vec![PlateFrames::default(); spec.plates.len()];
    for step in results {
        // The package's own step comes after the plates and is none of them.
        let Some(plate) = plates.get_mut(step.step as usize) else { continue };
        plate.failed.extend(step.failed);
        plate.done = step.done;
        plate.done.sort_by_key(|f| f.frame);
        plate.done.dedup_by_key(|f| f.frame);
    }
    let out_dir = Path::new(&spec.out_dir);
    let frames = plates.iter().map(|plate| plate.done.len()).sum();
    let named = Meter::begin(leash, Stage::Naming, frames, 0);
    for (plan, plate) in spec.plates.iter().zip(&mut plates) {
        settle_plan(plan, plate);
        let home = publish::confined(out_dir, Path::new(&plan.name))?;
        for result in &plate.done {
            named.did(0);
            let (staged, published) = (Path::new(&result.staged), Path::new(&result.published));
            match publish::finish(&home, None, staged, published) {
                Ok(_) => {}
                // The frame is accepted, and lies where it was staged: another try gives it its name.
                Err(fault) if is_away(&fault) => {
                    return Err(fault.within(&plan.name));
                }
                Err(fault) => {
                    plate.failed.insert(result.frame, fault.at(plan.name.clone()));
                }
            }
        }
        publish::remove_leftovers(&home, |name| is_later(name, attempt))?;
    }
    let last_written = verify(&mut plates, leash)?;
    Ok(Gathered { plates, last_written })
}

/// Every frame of the plan has a result or a cause; what is not in the plan is not delivered.
fn settle_plan(plan: &PlatePlan, plate: &mut PlateFrames) {
    plate.done.retain(|f| plan.frames.contains(f.frame));
    plate.failed.retain(|f, _| plan.frames.contains(*f));
    for frame in plan.frames.iter() {
        let done = plate.done.binary_search_by_key(&frame, |f| f.frame).is_ok();
        if !done {
            plate.failed.entry(frame).or_insert_with(|| {
                Fault::new(Code::MissingFiles, format!("frame {frame} was never rendered"))
                    .remedy("Submit the pull again; frames are missing from the farm's record.")
            });
        }
    }
}

/// Whether `name` is an attempt under a later lease than `attempt`. It is not
/// ours to remove: this one may be a worker that was lost and does not know it
/// yet, while its successor, or the job after it, works here.
pub(super) fn is_later(name: &str, attempt: &str) -> bool {
    let token = |text: &str| text.strip_prefix('t')?.parse::<u64>().ok();
    token(name).zip(token(attempt)).is_some_and(|(theirs, ours)| theirs > ours)
}

/// Reads every accepted file again, on all cores. Returns when the last was written.
fn verify(plates: &mut [PlateFrames], leash: &Leash) -> Outcome<Option<Timestamp>> {
    let work: Vec<(usize, &FrameResult)> =
        plates.iter().enumerate().flat_map(|(i, p)| p.sound().map(move |f| (i, f))).collect();
    let next = AtomicUsize::new(0);
    let bytes = work.iter().map(|(_, result)| result.bytes).sum();
    let checked = Meter::begin(leash, Stage::Checking, work.len(), bytes);
    let check_some = || {
        let mut found = Vec::new();
        while let Some((plate, result)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            if leash.is_stopped() {
                break;
            }
            let frame = check(result);
            if frame.as_ref().is_err_and(is_away) {
                // Nobody need wait for the others.
                next.store(work.len(), Ordering::Relaxed);
            }
            found.push((*plate, result.frame, frame));
            checked.did(result.bytes);
        }
        found
    };
    let found: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..probe::cores()).map(|_| scope.spawn(check_some)).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    if leash.is_stopped() {
        return Err(Fault::new(Code::Interrupted, "the package was taken from this worker"));
    }
    let mut last = None;
    for thread in found {
        for (plate, frame, checked) in
            thread.map_err(|p| crate::render::panicked_with(p.as_ref()))?
        {
            match checked {
                Ok(written) => last = last.max(Some(written)),
                Err(fault) if is_away(&fault) => return Err(fault),
                Err(fault) => {
                    plates[plate].failed.insert(frame, fault);
                }
            }
        }
    }
    Ok(last)
}

/// Whether a volume or a store does not answer: that says nothing of what it keeps.
fn is_away(fault: &Fault) -> bool {
    fault.owner() == Owner::Worker
}

/// Reads a file whole and compares it with its hash. Returns when it was written.
fn check(result: &FrameResult) -> Outcome<Timestamp> {
    let path = Path::new(&result.published);
    let (bytes, xxh128) = hash::xxh128_file(path).map_err(|fault| match fault.code {
        Code::FileNotFound => Fault::new(Code::MissingFiles, "an accepted frame is not there")
            .at(result.published.clone())
            .remedy("Render the frame again under a new version of the plate.")
            .because(&fault),
        // What is no file is not read anywhere else either.
        Code::FileUnreadable if storage::metadata(path).is_ok_and(|found| !found.is_file()) => {
            Fault::new(Code::MissingFiles, "something else has the name of an accepted frame")
                .at(result.published.clone())
                .remedy("Move it away and render the frame again under a new version of the plate.")
        }
        _ => fault,
    })?;
    if xxh128 != result.xxh128 {
        return Err(Fault::new(
            Code::HashMismatch,
            format!(
                "{bytes} bytes with hash {xxh128} are on disk, {} with {} were written",
                result.bytes, result.xxh128
            ),
        )
        .at(result.published.clone()));
    }
    let written = storage::metadata(path).and_then(|found| found.modified()).ok();
    let written = written.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    Ok(Timestamp(written.map_or(0, |d| d.as_micros() as i64)))
}
