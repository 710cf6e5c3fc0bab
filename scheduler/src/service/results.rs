//! How frames ended: pages of results, who did them, and what went wrong.

use super::desk::Desk;
use super::stills::Stills;
use crate::core::{FrameRow, State};
use crate::store::Reader;
use platefarm_model::cause::{self, Cause, FailedFrame};
use platefarm_model::job::FrameOutcome;
use platefarm_model::{FrameRange, JobId, LeaseToken, Outcome, StepId, WorkerId};

/// Frames of a page of results, when the question does not say; a result is some hundred bytes.
const PAGE: u32 = 20_000;

/// Consecutive frames that one worker ended under one lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doer {
    pub(crate) step: u32,
    pub(crate) frames: FrameRange,
    pub(crate) token: LeaseToken,
    pub(crate) worker: WorkerId,
    /// None: it was not known any more.
    pub(crate) name: Option<String>,
}

/// The farm's results, as they are read beside its writer.
#[derive(Clone)]
pub(crate) struct Results<R> {
    pub(super) desk: Desk,
    pub(super) reader: R,
    pub(super) stills: Stills,
}

/// A page of them.
pub(crate) struct Page {
    pub(crate) rows: Vec<FrameRow>,
    pub(crate) doers: Vec<Doer>,
    /// Whether there are more.
    pub(crate) more: bool,
}

impl<R: Reader> Results<R> {
    /// Results of `job` behind `after` (step and frame), at most `limit`; 0: a usual page.
    pub(crate) async fn page(
        &self,
        job: JobId,
        after: Option<(u32, i64)>,
        limit: u32,
    ) -> Outcome<Page> {
        let limit = if limit == 0 { PAGE } else { limit } as usize;
        let mut rows = self.reader.frames(job).await?;
        let at = |row: &FrameRow| (row.step.index, row.outcome.frame());
        rows.drain(..rows.partition_point(|row| Some(at(row)) <= after));
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page { doers: doers(&rows), rows, more })
    }

    /// Results of those of `frames` of a step that have ended.
    pub(crate) async fn of_step(&self, step: StepId, frames: FrameRange) -> Outcome<Page> {
        let rows = self.reader.frames_of(step, frames).await?;
        Ok(Page { doers: doers(&rows), rows, more: false })
    }

    /// Frames of `job` that failed, by what went wrong.
    pub(crate) async fn causes(&self, job: JobId) -> Outcome<Vec<Cause>> {
        let look = move |state: &State| Outcome::Ok((state.troubles(job)?, state.job(job)?));
        let looked = self.desk.look_at(job, look);
        let (mut failed, view) = looked.await??;
        if view.frames_failed == 0 {
            return Ok(cause::causes(failed));
        }
        for row in self.reader.frames(job).await? {
            let FrameOutcome::Failed { frame, fault } = row.outcome else { continue };
            let workers = row.by.map(|by| by.worker).into_iter().collect();
            failed.push(FailedFrame { step: row.step, frame, fault, again: false, workers });
        }
        Ok(cause::causes(failed))
    }
}

/// Who ended these frames, as far as it was said.
fn doers(rows: &[FrameRow]) -> Vec<Doer> {
    let mut doers: Vec<Doer> = Vec::new();
    for row in rows {
        let Some(by) = &row.by else { continue };
        let (step, frame, token) = (row.step.index, row.outcome.frame(), row.token);
        match doers.last_mut() {
            Some(last)
                if (last.step, last.token) == (step, token)
                    && frame.checked_sub(1) == Some(last.frames.last()) =>
            {
                last.frames = FrameRange::of_len(last.frames.first(), last.frames.len() + 1);
            }
            _ => doers.push(Doer {
                step,
                frames: FrameRange::of_len(frame, 1),
                token,
                worker: by.worker,
                name: Some(by.name.to_string()).filter(|name| !name.is_empty()),
            }),
        }
    }
    doers
}
