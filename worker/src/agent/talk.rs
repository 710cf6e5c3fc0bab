//! What a worker has to say on its session, and what it hears: pure, without
//! sockets or clocks. A session may break at any instant; everything that was
//! not answered is said again on the next one, under the same numbers and
//! tokens, and the scheduler's answer is the same however often it is asked.

use platefarm_model::job::{FrameOutcome, Lease, StepSpec};
use platefarm_model::{Fault, FrameRange, LeaseToken, StepId, WorkerId};
use platefarm_proto::v1::{self, Verdict};
use std::collections::{BTreeMap, HashMap};

/// Reports under way at a time; more wait here.
const UNDER_WAY: usize = 64;
/// Frames of one message, about.
const FRAMES_PER_MESSAGE: usize = 1024;
/// Steps that both ends remember; see the proto.
const TOLD: usize = 256;

/// Frames of one lease that have ended.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) token: LeaseToken,
    /// Of the lease.
    pub(crate) step: StepId,
    pub(crate) outcomes: Vec<FrameOutcome>,
    /// The last frame that will be done under it.
    pub(crate) last: Option<i64>,
}

/// What was heard.
#[derive(Debug)]
pub(crate) enum News {
    /// A task.
    Lease(Box<Lease>),
    /// A lease that this worker cannot read; it is given back.
    Unreadable(LeaseToken, Fault),
    /// The answer to a report.
    Answer {
        number: u64,
        report: Report,
        /// None: it was turned down for good.
        verdicts: Option<Vec<Verdict>>,
        keep: Option<FrameRange>,
        /// Whether it was said before, on a session that broke: that answer may be lost.
        again: bool,
    },
}

/// Both directions of the sessions of one worker.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    places: Places,
    /// Leases heard on this session.
    seen: u64,
    /// What the scheduler was told last of our room, on this session.
    room: Option<v1::Room>,
    next_number: u64,
    /// Not answered, by number; those below `said` are under way.
    reports: BTreeMap<u64, Report>,
    said: u64,
    /// Those below were under way when a session broke.
    doubtful: u64,
    releases: Vec<LeaseToken>,
    told: HashMap<StepId, StepSpec>,
}

/// Room for tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// Tasks that run at a time.
    pub(crate) slots: u32,
    /// Tasks that may wait for a slot.
    pub(crate) ahead: u32,
    /// Tasks that run or wait.
    pub(crate) taken: u32,
    /// Whether more are wanted at all.
    pub(crate) open: bool,
}

impl Talk {
    /// Nothing said, nothing heard.
    pub(crate) fn new(slots: u32, ahead: u32) -> Self {
        let places = Places { slots, ahead, taken: 0, open: true };
        Self { places, next_number: 1, said: 1, ..Self::default() }
    }

    /// Changes the room; it is said with the next message.
    pub(crate) fn places(&mut self) -> &mut Places {
        &mut self.places
    }

    /// Has frames reported, and says under which number the answer will come.
    pub(crate) fn report(&mut self, report: Report) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.reports.insert(number, report);
        number
    }

    /// Gives a lease back.
    pub(crate) fn release(&mut self, token: LeaseToken) {
        self.releases.push(token);
    }

    /// Takes back a report: nobody waits for its answer any more.
    pub(crate) fn forget(&mut self, number: u64) {
        self.reports.remove(&number);
    }

    /// The first message of a new session. Whatever was under way on the last
    /// one is said again after it.
    pub(crate) fn opens(&mut self, worker: WorkerId, holds: &[LeaseToken]) -> v1::SessionRequest {
        (self.seen, self.room) = (0, None);
        self.doubtful = self.doubtful.max(self.said);
        self.said = self.reports.keys().next().copied().unwrap_or(self.next_number);
        self.told.clear();
        // What is not held is given back by that alone.
        self.releases.clear();
        v1::SessionRequest {
            worker: worker.0,
            holds: holds.iter().map(|token| token.0).collect(),
            ..v1::SessionRequest::default()
        }
    }

    /// What is to be said now, if anything.
    pub(crate) fn next(&mut self) -> Option<v1::SessionRequest> {
        let room = self.room_now();
        let reports = self.more_reports();
        let releases: Vec<u64> = self.releases.drain(..).map(|token| token.0).collect();
        if reports.is_empty() && releases.is_empty() && self.room == Some(room) {
            return None;
        }
        self.room = Some(room);
        Some(v1::SessionRequest {
            room: Some(room),
            reports,
            releases,
            ..v1::SessionRequest::default()
        })
    }

    fn room_now(&self) -> v1::Room {
        let Places { slots, ahead, taken, open } = self.places;
        let (idle, ahead) = match open {
            true => {
                (slots.saturating_sub(taken), ahead.saturating_sub(taken.saturating_sub(slots)))
            }
            false => (0, 0),
        };
        v1::Room { seen: self.seen, idle, ahead }
    }

    fn more_reports(&mut self) -> Vec<v1::Report> {
        let under_way = self.reports.range(..self.said).count();
        let mut frames = 0;
        let mut more = Vec::new();
        let waiting = self.reports.range(self.said..);
        for (number, report) in waiting.take(UNDER_WAY.saturating_sub(under_way)) {
            if frames >= FRAMES_PER_MESSAGE {
                break;
            }
            frames += report.outcomes.len();
            more.push(v1::Report {
                number: *number,
                token: report.token.0,
                frames: report.outcomes.iter().map(Into::into).collect(),
                last: report.last,
                step: Some(report.step.into()),
            });
        }
        if let Some(last) = more.last() {
            self.said = last.number + 1;
        }
        more
    }

    /// What a message says.
    pub(crate) fn heard(&mut self, message: v1::SessionResponse) -> Vec<News> {
        let mut news = Vec::with_capacity(message.leases.len() + message.verdicts.len());
        for wire in message.leases {
            self.seen += 1;
            news.push(self.lease(wire));
        }
        for answer in message.verdicts {
            let number = answer.number;
            let Some(report) = self.reports.remove(&number) else { continue };
            let verdicts: Vec<Verdict> = answer.verdicts().collect();
            let verdicts = (verdicts.len() == report.outcomes.len()).then_some(verdicts);
            let keep = answer.keep.and_then(|range| range.try_into().ok());
            let again = number < self.doubtful;
            news.push(News::Answer { number, report, verdicts, keep, again });
        }
        news
    }

    /// A lease with what its step is, which may have been told before.
    fn lease(&mut self, wire: v1::Lease) -> News {
        let token = LeaseToken(wire.token);
        let step = wire.step.map(StepId::from);
        let told = step.and_then(|step| self.told.get(&step)).cloned();
        let lease = match (&wire.spec, step, wire.frames, told) {
            (None, Some(step), Some(frames), Some(spec)) => FrameRange::try_from(frames)
                .map(|frames| Lease { token, step, frames, ttl_ms: wire.ttl_ms, spec }),
            _ => Lease::try_from(wire),
        };
        match lease {
            Ok(lease) => {
                if !self.told.contains_key(&lease.step) {
                    if self.told.len() >= TOLD {
                        self.told.clear();
                    }
                    self.told.insert(lease.step, lease.spec.clone());
                }
                News::Lease(Box::new(lease))
            }
            Err(fault) => News::Unreadable(token, fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::JobId;
    use platefarm_model::job::StepKind;

    fn failed(frame: i64) -> FrameOutcome {
        FrameOutcome::Failed { frame, fault: Fault::new(platefarm_model::Code::DiskFull, "x") }
    }

    fn report(token: u64) -> Report {
        let (token, step) = (LeaseToken(token), StepId { job: JobId(1), index: 0 });
        Report { token, step, outcomes: vec![failed(1), failed(2)], last: None }
    }

    fn lease(token: u64, index: u32, told: bool) -> v1::Lease {
        let lease = Lease {
            token: LeaseToken(token),
            step: StepId { job: JobId(1), index },
            frames: FrameRange::single(4),
            ttl_ms: 5,
            spec: StepSpec {
                name: format!("s{index}"),
                kind: StepKind::Noop { millis_per_frame: 0 },
                frames: FrameRange::single(4),
                after: vec![],
                max_attempts: 3,
                terms: Default::default(),
            },
        };
        let mut wire = v1::Lease::from(&lease);
        if told {
            wire.spec = None;
        }
        wire
    }

    fn hear(talk: &mut Talk, leases: Vec<v1::Lease>) -> Vec<News> {
        talk.heard(v1::SessionResponse { leases, ..Default::default() })
    }

    #[test]
    fn room_is_said_when_it_changes_and_anew_on_a_new_session() {
        let mut talk = Talk::new(2, 1);
        let room =
            |talk: &mut Talk| talk.next().and_then(|m| m.room).map(|r| (r.seen, r.idle, r.ahead));
        talk.opens(WorkerId(1), &[]);
        assert_eq!((room(&mut talk), room(&mut talk)), (Some((0, 2, 1)), None));
        hear(&mut talk, vec![lease(7, 0, false)]);
        talk.places().taken = 1;
        assert_eq!(room(&mut talk), Some((1, 1, 1)));
        talk.places().taken = 3;
        assert_eq!(room(&mut talk), Some((1, 0, 0)));
        talk.opens(WorkerId(1), &[]);
        talk.places().taken = 2;
        assert_eq!(room(&mut talk), Some((0, 0, 1)));
        talk.places().open = false;
        assert_eq!(room(&mut talk), Some((0, 0, 0)));
    }

    #[test]
    fn what_was_not_answered_is_said_again_under_its_number() {
        let mut talk = Talk::new(1, 0);
        talk.opens(WorkerId(1), &[]);
        let (first, second) = (talk.report(report(7)), talk.report(report(8)));
        let numbers = |message: Option<v1::SessionRequest>| -> Vec<u64> {
            message.into_iter().flat_map(|m| m.reports).map(|r| r.number).collect()
        };
        assert_eq!(numbers(talk.next()), [first, second]);
        assert_eq!(numbers(talk.next()), [0; 0]);
        let verdicts = vec![v1::Verdict::Granted.into(), v1::Verdict::Refused.into()];
        let answer = v1::Verdicts { number: first, token: 7, verdicts, keep: None };
        let both =
            v1::SessionResponse { verdicts: vec![answer.clone(), answer], ..Default::default() };
        let news = talk.heard(both);
        assert!(
            matches!(&news[..], [News::Answer { verdicts: Some(v), .. }] if v.len() == 2),
            "{news:?}"
        );
        talk.opens(WorkerId(2), &[LeaseToken(8)]);
        assert_eq!(numbers(talk.next()), [second], "and only that");
        let none = v1::Verdicts { number: second, ..Default::default() };
        let news = talk.heard(v1::SessionResponse { verdicts: vec![none], ..Default::default() });
        assert!(matches!(news[0], News::Answer { verdicts: None, .. }), "turned down: {news:?}");
        assert!(talk.reports.is_empty());
    }

    /// What was answered on a session that broke is not known, however often it breaks again.
    #[test]
    fn an_answer_says_whether_it_may_be_the_second() {
        let mut talk = Talk::new(1, 0);
        talk.opens(WorkerId(1), &[]);
        let said = talk.report(report(7));
        assert!(talk.next().is_some());
        let unsaid = talk.report(report(8));
        talk.opens(WorkerId(1), &[]);
        talk.opens(WorkerId(1), &[]);
        let later = talk.report(report(9));
        assert!(talk.next().is_some());
        for (number, second) in [(said, true), (unsaid, false), (later, false)] {
            let none = v1::Verdicts { number, ..Default::default() };
            let message = v1::SessionResponse { verdicts: vec![none], ..Default::default() };
            let news = talk.heard(message);
            let [News::Answer { again, .. }] = &news[..] else { panic!("{news:?}") };
            assert_eq!(*again, second, "number {number}");
        }
    }

    #[test]
    fn a_flood_of_reports_goes_out_in_turns() {
        let mut talk = Talk::new(1, 0);
        talk.opens(WorkerId(1), &[]);
        for token in 0..200 {
            let _ = talk.report(report(token));
        }
        let count = |talk: &mut Talk| {
            std::iter::from_fn(|| talk.next()).map(|m| m.reports.len()).sum::<usize>()
        };
        assert_eq!(count(&mut talk), UNDER_WAY);
        let verdicts =
            (1..=10).map(|number| v1::Verdicts { number, ..Default::default() }).collect();
        talk.heard(v1::SessionResponse { verdicts, ..Default::default() });
        assert_eq!(count(&mut talk), 10);
    }

    #[test]
    fn a_step_is_told_once_to_a_session() {
        let mut talk = Talk::new(1, 0);
        talk.opens(WorkerId(1), &[]);
        let news = hear(&mut talk, vec![lease(7, 0, false), lease(8, 0, true), lease(9, 1, true)]);
        let [News::Lease(a), News::Lease(b), News::Unreadable(LeaseToken(9), _)] = &news[..] else {
            panic!("{news:?}")
        };
        assert_eq!(a.spec, b.spec);
        // The 257th step makes both ends forget the others.
        for index in 1..TOLD as u32 {
            hear(&mut talk, vec![lease(100, index, false)]);
        }
        assert!(matches!(hear(&mut talk, vec![lease(7, 0, true)])[0], News::Lease(_)));
        hear(&mut talk, vec![lease(100, TOLD as u32, false)]);
        assert!(matches!(hear(&mut talk, vec![lease(7, 0, true)])[0], News::Unreadable(..)));
        talk.opens(WorkerId(1), &[]);
        let again = hear(&mut talk, vec![lease(7, TOLD as u32, true)]);
        assert!(matches!(again[0], News::Unreadable(..)), "a new session knows nothing");
    }
}
