//! Events, and the addresses that they are sent to.

use super::{needed, ranges, set};
use crate::v1;
use platefarm_model::event::{Event, EventFilter, Hook, Sums};
use platefarm_model::{Fault, JobId, Outcome, Timestamp, WorkerId};

impl From<&Event> for v1::Event {
    fn from(it: &Event) -> Self {
        Self {
            cursor: it.cursor,
            at_us: it.at.0,
            kind: it.kind.word().into(),
            show: it.show.clone(),
            job: it.job.map(|job| job.0),
            step: it.step,
            worker: it.worker.map(|worker| worker.0),
            name: it.name.clone(),
            frames: ranges(&it.frames),
            sums: it.sums.map(|s| v1::EventSums { total: s.total, done: s.done, failed: s.failed }),
            detail: it.detail.clone(),
            fault: it.fault.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<v1::Event> for Event {
    type Error = Fault;

    fn try_from(wire: v1::Event) -> Outcome<Self> {
        Ok(Self {
            cursor: wire.cursor,
            at: Timestamp(wire.at_us),
            kind: wire.kind.parse()?,
            show: wire.show,
            job: wire.job.map(JobId),
            step: wire.step,
            worker: wire.worker.map(WorkerId),
            name: wire.name,
            frames: set(wire.frames)?,
            sums: wire.sums.map(|s| Sums { total: s.total, done: s.done, failed: s.failed }),
            detail: wire.detail,
            fault: wire.fault.map(Into::into),
        })
    }
}

impl From<&EventFilter> for v1::EventFilter {
    fn from(it: &EventFilter) -> Self {
        Self {
            jobs: it.jobs.iter().map(|job| job.0).collect(),
            shows: it.shows.clone(),
            kinds: it.kinds.clone(),
        }
    }
}

impl TryFrom<v1::EventFilter> for EventFilter {
    type Error = Fault;

    fn try_from(wire: v1::EventFilter) -> Outcome<Self> {
        let jobs = wire.jobs.into_iter().map(JobId).collect();
        let filter = Self { jobs, shows: wire.shows, kinds: wire.kinds };
        filter.check()?;
        Ok(filter)
    }
}

impl From<&Hook> for v1::Webhook {
    fn from(it: &Hook) -> Self {
        Self {
            id: it.id.clone(),
            url: it.url.clone(),
            filter: Some((&it.filter).into()),
            created_us: it.created.0,
            created_by: it.created_by.clone(),
            cursor: it.cursor,
            failures: it.failures,
            trouble: it.trouble.clone(),
            next_try_us: it.next_try.map_or(0, |t| t.0),
        }
    }
}

impl TryFrom<v1::Webhook> for Hook {
    type Error = Fault;

    fn try_from(wire: v1::Webhook) -> Outcome<Self> {
        Ok(Self {
            id: wire.id,
            url: wire.url,
            filter: needed(wire.filter, "webhook.filter")?.try_into()?,
            created: Timestamp(wire.created_us),
            created_by: wire.created_by,
            cursor: wire.cursor,
            failures: wire.failures,
            trouble: wire.trouble,
            next_try: (wire.next_try_us != 0).then_some(Timestamp(wire.next_try_us)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::Code;
    use platefarm_model::event::EventKind;

    #[test]
    fn events_travel_unchanged() {
        let event = Event {
            cursor: u64::MAX,
            at: Timestamp(-3),
            show: "s".into(),
            job: Some(JobId(0)),
            step: Some(0),
            worker: Some(WorkerId(7)),
            name: "n".into(),
            frames: "-4,7-9".parse().unwrap(),
            sums: Some(Sums { total: 3, done: 2, failed: 1 }),
            detail: "d".into(),
            fault: Some(Fault::new(Code::TruncatedFile, "cut").at("a.dng")),
            ..Event::new(EventKind::FramesFailed)
        };
        for event in [event, Event::new(EventKind::FarmLed)] {
            assert_eq!(Event::try_from(v1::Event::from(&event)).unwrap(), event);
        }
    }

    #[test]
    fn webhooks_travel_unchanged() {
        let filter = EventFilter { jobs: vec![JobId(2)], ..EventFilter::default() };
        let hook = Hook {
            id: "h".into(),
            url: "https://x/y".into(),
            filter,
            created: Timestamp(5),
            created_by: "me".into(),
            cursor: 9,
            failures: 3,
            trouble: "503".into(),
            next_try: Some(Timestamp(8)),
        };
        assert_eq!(Hook::try_from(v1::Webhook::from(&hook)).unwrap(), hook);
        let bad = v1::EventFilter { kinds: vec!["job.".into()], ..Default::default() };
        assert_eq!(EventFilter::try_from(bad).unwrap_err().code, Code::UnknownOption);
    }
}
