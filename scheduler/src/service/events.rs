//! The `Events` service: the log as a stream that goes on from a cursor, and
//! the webhooks that are fed from it.

use super::desk::Desk;
use super::hooks::Hooks;
use super::{Answer, answer};
use crate::store::Reader;
use crate::trust::Caller;
use platefarm_model::Outcome;
use platefarm_model::event::{Event, EventFilter};
use platefarm_proto::convert::to_status;
use platefarm_proto::{Events, v1};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// How often the log is looked at where another scheduler writes it.
const POLL: Duration = Duration::from_millis(500);
/// Least time between two looks: what comes faster is sent together.
const PAUSE: Duration = Duration::from_millis(50);
/// Events of one answer.
const MOST: usize = 2000;

/// Follows the log: its pages, and when there is more.
pub(super) struct Follow<R> {
    pub(super) desk: Desk,
    pub(super) reader: R,
    signal: Option<watch::Receiver<u64>>,
}

impl<R: Reader> Follow<R> {
    pub(super) fn new(desk: Desk, reader: R) -> Self {
        Self { desk, reader, signal: None }
    }

    /// Events behind a cursor, in order; none: there are no more yet.
    pub(super) async fn page(&mut self, after: u64) -> Outcome<Vec<Event>> {
        // Before the look, so that what comes after it is not slept through.
        if let Some(signal) = &mut self.signal {
            signal.mark_unchanged();
        }
        let mut events = Vec::new();
        for row in self.reader.events(after).await? {
            events.extend(row.events()?.into_iter().filter(|event| event.cursor > after));
        }
        Ok(events)
    }

    /// Returns when there may be more.
    pub(super) async fn more(&mut self) {
        tokio::time::sleep(PAUSE).await;
        if self.signal.is_none() {
            self.signal = self.desk.log().await;
            // What came before the signal was there was not signalled.
            if self.signal.is_some() {
                return;
            }
        }
        match &mut self.signal {
            Some(signal) => {
                if signal.changed().await.is_err() {
                    self.signal = None;
                }
            }
            None => tokio::time::sleep(POLL).await,
        }
    }
}

/// The service.
pub(super) struct EventsService<R> {
    pub(super) desk: Desk,
    pub(super) reader: R,
    pub(super) hooks: Hooks,
    pub(super) closing: watch::Receiver<bool>,
}

/// One who follows.
struct Watcher<R> {
    follow: Follow<R>,
    closing: watch::Receiver<bool>,
    caller: Caller,
    filter: EventFilter,
    cursor: u64,
    once: bool,
}

type Sent = mpsc::Sender<Result<v1::WatchEventsResponse, Status>>;

/// Whether a caller may hear of an event: those of the farm are not for a token that is for shows.
fn hears(caller: &Caller, event: &Event) -> bool {
    caller.shows.is_empty() || (event.job.is_some() && caller.sees(&event.show))
}

impl<R: Reader> Watcher<R> {
    async fn run(mut self, to: Sent) {
        let first = v1::WatchEventsResponse { events: Vec::new(), cursor: self.cursor };
        if to.send(Ok(first)).await.is_err() {
            return;
        }
        loop {
            match self.follow.page(self.cursor).await {
                Err(fault) => return drop(to.send(Err(to_status(&fault))).await),
                Ok(events) if events.is_empty() => {
                    if self.once {
                        return;
                    }
                    tokio::select! {
                        () = self.follow.more() => {}
                        _ = self.closing.wait_for(|closing| *closing) => return,
                        () = to.closed() => return,
                    }
                }
                Ok(events) => {
                    for some in events.chunks(MOST) {
                        self.cursor = some.last().map_or(self.cursor, |event| event.cursor);
                        let wanted = |e: &&Event| hears(&self.caller, e) && self.filter.holds(e);
                        let events = some.iter().filter(wanted).map(Into::into).collect();
                        let sent = v1::WatchEventsResponse { events, cursor: self.cursor };
                        if to.send(Ok(sent)).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }
}

impl<R: Reader> EventsService<R> {
    async fn watcher(&self, request: Request<v1::WatchEventsRequest>) -> Outcome<Watcher<R>> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (oldest, newest) = self.reader.log_ends().await?;
        let cursor = match request.after {
            _ if request.oldest => oldest,
            Some(cursor) => cursor,
            None => newest,
        };
        // A cursor that the log does not reach back to is refused before anything is sent.
        self.reader.events(cursor).await?;
        Ok(Watcher {
            follow: Follow::new(self.desk.clone(), self.reader.clone()),
            closing: self.closing.clone(),
            caller,
            filter: request.filter.unwrap_or_default().try_into()?,
            cursor,
            once: request.once,
        })
    }
}

#[cfg(test)]
mod tests;

#[tonic::async_trait]
impl<R: Reader> Events for EventsService<R> {
    type WatchEventsStream = ReceiverStream<Result<v1::WatchEventsResponse, Status>>;

    async fn watch_events(
        &self,
        request: Request<v1::WatchEventsRequest>,
    ) -> Answer<Self::WatchEventsStream> {
        let watcher = self.watcher(request).await.map_err(|fault| to_status(&fault))?;
        let (to, sent) = mpsc::channel(4);
        tokio::spawn(watcher.run(to));
        Ok(Response::new(ReceiverStream::new(sent)))
    }

    async fn add_webhook(
        &self,
        request: Request<v1::AddWebhookRequest>,
    ) -> Answer<v1::AddWebhookResponse> {
        let by = match Caller::of(&request) {
            Ok(caller) => caller.name,
            Err(fault) => return answer(Err(fault)),
        };
        let end = match self.reader.log_ends().await {
            Ok((_, newest)) => newest,
            Err(fault) => return answer(Err(fault)),
        };
        answer(self.hooks.add(request.into_inner(), by, end).await)
    }

    async fn list_webhooks(
        &self,
        _: Request<v1::ListWebhooksRequest>,
    ) -> Answer<v1::ListWebhooksResponse> {
        answer(self.hooks.list().await)
    }

    async fn remove_webhook(
        &self,
        request: Request<v1::RemoveWebhookRequest>,
    ) -> Answer<v1::RemoveWebhookResponse> {
        answer(self.hooks.remove(&request.into_inner().id).await)
    }
}
