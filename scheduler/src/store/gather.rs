//! The results of an earlier version, one JSON text to a frame, as runs. Page
//! by page, since a store may hold more of them than memory does.

use super::runs::{Run, pack};
use super::table;
use crate::core::FrameRow;
use platefarm_model::{Code, Fault, JobId, LeaseToken, Outcome, StepId};
use sqlx::{AnyConnection, Row};

/// Rows of one page.
const PAGE: i64 = 4096;

/// Writes every row of `frames` into `results`.
pub(super) async fn frames_into_results(db: &mut AnyConnection) -> Outcome<sqlx::Result<()>> {
    let query = "SELECT job, step, frame, token, outcome FROM frames \
                 WHERE (job, step, frame) > ($1, $2, $3) ORDER BY job, step, frame LIMIT $4";
    let mut after = (i64::MIN, i64::MIN, i64::MIN);
    loop {
        let page = sqlx::query(query)
            .bind(after.0)
            .bind(after.1)
            .bind(after.2)
            .bind(PAGE)
            .fetch_all(&mut *db)
            .await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let mut rows = Vec::with_capacity(page.len());
        for row in &page {
            let read = || -> sqlx::Result<(i64, i64, i64, i64, String)> {
                Ok((
                    row.try_get(0)?,
                    row.try_get(1)?,
                    row.try_get(2)?,
                    row.try_get(3)?,
                    row.try_get(4)?,
                ))
            };
            let (job, step, frame, token, outcome) = match read() {
                Ok(read) => read,
                Err(error) => return Ok(Err(error)),
            };
            after = (job, step, frame);
            let step = StepId { job: JobId(job as u64), index: step as u32 };
            let outcome = serde_json::from_str(&outcome).map_err(|e| {
                let message = format!("the result of frame {frame} of {step} cannot be read");
                Fault::new(Code::StoreFailed, message).because(&e)
            })?;
            rows.push(FrameRow { step, token: LeaseToken(token as u64), by: None, outcome });
        }
        if rows.is_empty() {
            return Ok(Ok(()));
        }
        let runs: Vec<Run> = pack(&rows);
        if let Err(error) = table::write_gathered(db, runs).await {
            return Ok(Err(error));
        }
    }
}
