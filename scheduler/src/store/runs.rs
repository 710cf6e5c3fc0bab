//! Results of frames, many to a row. What a worker reports at once is
//! consecutive frames of one lease, so a run of them costs one row of bytes
//! and one entry of one index, and not a JSON text and two entries each. A
//! frame that was given up is a row of its own: a person may have it tried again.

use crate::core::{Author, FrameRow};
use platefarm_model::job::FrameOutcome;
use platefarm_model::{Code, Fault, LeaseToken, Outcome, StepId};
use platefarm_proto::v1;
use prost::Message;

/// Most frames of one row: reading one result reads its row.
const LONGEST: usize = 256;

/// Consecutive frames of one step that were done under one token, or one that was given up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) step: StepId,
    pub(super) token: LeaseToken,
    pub(super) by: Option<Author>,
    pub(super) first: i64,
    pub(super) last: i64,
    /// The outcomes, as a `platefarm.v1.Report`.
    pub(super) body: Vec<u8>,
}

/// Rows as runs. Frames that came together stay together; their order does not matter.
pub(super) fn pack(rows: &[FrameRow]) -> Vec<Run> {
    let mut rows: Vec<&FrameRow> = rows.iter().collect();
    let key = |row: &FrameRow| (row.step, row.outcome.frame());
    if !rows.is_sorted_by_key(|row| key(row)) {
        rows.sort_by_key(|row| key(row));
    }
    let done = |row: &FrameRow| matches!(row.outcome, FrameOutcome::Done(_));
    let together = |a: &&FrameRow, b: &&FrameRow| {
        let follows = Some(b.outcome.frame()) == a.outcome.frame().checked_add(1);
        done(a) && done(b) && (a.step, a.token) == (b.step, b.token) && follows
    };
    rows.chunk_by(together).flat_map(|run| run.chunks(LONGEST)).map(run).collect()
}

fn run(rows: &[&FrameRow]) -> Run {
    let frames = rows.iter().map(|row| (&row.outcome).into()).collect();
    Run {
        step: rows[0].step,
        token: rows[0].token,
        by: rows[0].by.clone(),
        first: rows[0].outcome.frame(),
        last: rows[rows.len() - 1].outcome.frame(),
        body: v1::Report { frames, ..v1::Report::default() }.encode_to_vec(),
    }
}

/// A run as rows.
///
/// # Errors
/// [`Code::StoreFailed`] for bytes that are none, or not of the frames that the row names.
pub(super) fn unpack(run: &Run) -> Outcome<Vec<FrameRow>> {
    let bad = |what: &str| {
        Fault::new(
            Code::StoreFailed,
            format!("the results of {} from frame {} {what}", run.step, run.first),
        )
    };
    let report =
        v1::Report::decode(run.body.as_slice()).map_err(|e| bad("cannot be read").because(&e))?;
    let mut rows = Vec::with_capacity(report.frames.len());
    for (frame, wire) in (run.first..=run.last).zip(&report.frames) {
        if wire.frame != frame {
            return Err(bad("are of other frames"));
        }
    }
    if report.frames.len() as u64 != run.last.abs_diff(run.first) + 1 {
        return Err(bad("are of another number of frames"));
    }
    for wire in report.frames {
        let outcome = wire.try_into().map_err(|e: Fault| bad("cannot be read").because(&e))?;
        rows.push(FrameRow { step: run.step, token: run.token, by: run.by.clone(), outcome });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::job::FrameResult;
    use platefarm_model::{JobId, WorkerId};
    use proptest::prelude::*;

    fn row(index: u32, frame: i64, token: u64, failed: bool) -> FrameRow {
        let outcome = if failed {
            FrameOutcome::Failed { frame, fault: Fault::new(Code::DiskFull, "full") }
        } else {
            FrameOutcome::Done(Box::new(FrameResult {
                frame,
                staged: format!("/s/{frame}"),
                published: format!("/p/{frame}"),
                xxh128: "0".repeat(32),
                bytes: u64::MAX,
                backend: "cpu".into(),
                millis: [("read".to_owned(), 0.1)].into(),
                non_finite: 1,
            }))
        };
        let by = (token > 0).then(|| Author { worker: WorkerId(token), name: "rack-7".into() });
        FrameRow { step: StepId { job: JobId(3), index }, token: LeaseToken(token), by, outcome }
    }

    proptest! {
        /// What is packed comes out again, in order, and nothing given up shares a row.
        #[test]
        fn rows_survive(
            frames in proptest::collection::btree_map((0u32..2, -300i64..300), (0u64..2, 0u8..9), 0..400)
        ) {
            let rows: Vec<FrameRow> = frames
                .iter()
                .map(|((step, frame), (token, dice))| row(*step, *frame, *token, *dice == 0))
                .collect();
            let mut shuffled = rows.clone();
            shuffled.rotate_left(rows.len() / 3);
            let runs = pack(&shuffled);
            let unpacked: Vec<FrameRow> =
                runs.iter().flat_map(|run| unpack(run).unwrap()).collect();
            prop_assert_eq!(&unpacked, &rows);
            for run in &runs {
                let failed = unpack(run).unwrap().iter().any(|row| matches!(row.outcome, FrameOutcome::Failed { .. }));
                prop_assert!(run.last - run.first < LONGEST as i64 && !(failed && run.first != run.last));
            }
        }
    }

    #[test]
    fn a_row_that_lies_is_refused() {
        let good = pack(&[row(0, 5, 1, false), row(0, 6, 1, false)]).remove(0);
        for bad in [
            Run { first: 4, last: 5, ..good.clone() },
            Run { last: 7, ..good.clone() },
            Run { body: vec![0xff; 9], ..good },
        ] {
            assert_eq!(unpack(&bad).unwrap_err().code, Code::StoreFailed);
        }
    }
}
