//! The event log and the webhooks of the farm behind an address.

use super::{Farm, PATIENCE, PAUSE, any};
use platefarm_model::code::Owner;
use platefarm_model::event::{Event, EventFilter, Hook};
use platefarm_model::{Code, Fault, Outcome, Secret};
use platefarm_proto::convert::from_status;
use platefarm_proto::v1;
use std::time::Instant;

/// Where to begin in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// With what happens from now on.
    Now,
    /// With the oldest event that is kept.
    Oldest,
    /// Behind this cursor.
    Cursor(u64),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "now" => Ok(Self::Now),
            "oldest" => Ok(Self::Oldest),
            _ => text.parse().map(Self::Cursor).map_err(|_| {
                format!("'{text}' is no cursor; write a number as events have it, oldest or now")
            }),
        }
    }
}

impl Farm {
    /// Calls `seen` with every event; to the end of the log, or for ever. A
    /// scheduler that goes away is waited for, for a while, and the log is gone
    /// on with where it was: `away` is told, once, each time. Returns the cursor
    /// to go on from.
    pub(crate) async fn events(
        &mut self,
        mut since: Since,
        filter: &EventFilter,
        follow: bool,
        mut seen: impl FnMut(&Event),
        mut away: impl FnMut(&Fault),
    ) -> Outcome<Since> {
        let mut silent: Option<Instant> = None;
        loop {
            let read = self.read_events(&mut since, filter, follow, &mut seen, &mut silent).await;
            let gone = match read {
                Ok(()) if !follow => return Ok(since),
                Ok(()) => Fault::new(Code::NoScheduler, "the scheduler stopped answering"),
                Err(fault) if fault.owner() == Owner::Farm => fault,
                Err(fault) => return Err(fault),
            };
            let from = *silent.get_or_insert_with(|| {
                away(&gone);
                Instant::now()
            });
            if from.elapsed() >= PATIENCE {
                return Err(match since {
                    Since::Cursor(cursor) => {
                        gone.remedy(format!("Go on later with --since {cursor}."))
                    }
                    _ => gone,
                });
            }
            tokio::time::sleep(PAUSE).await;
            if let Ok(clients) = any(&self.ways).await {
                self.take(clients);
            }
        }
    }

    /// The log on one connection.
    async fn read_events(
        &mut self,
        since: &mut Since,
        filter: &EventFilter,
        follow: bool,
        seen: &mut impl FnMut(&Event),
        silent: &mut Option<Instant>,
    ) -> Outcome<()> {
        let request = v1::WatchEventsRequest {
            after: match *since {
                Since::Cursor(cursor) => Some(cursor),
                Since::Now | Since::Oldest => None,
            },
            oldest: *since == Since::Oldest,
            once: !follow,
            filter: Some(filter.into()),
        };
        let stream = self.events.watch_events(request).await;
        let mut stream = stream.map_err(|status| from_status(&status))?.into_inner();
        while let Some(message) = stream.message().await.map_err(|status| from_status(&status))? {
            *silent = None;
            for event in message.events {
                seen(&event.try_into()?);
            }
            *since = Since::Cursor(message.cursor);
        }
        Ok(())
    }

    /// Sends events to an address: the webhook, and the secret that signs.
    pub(crate) async fn add_webhook(
        &mut self,
        url: String,
        filter: &EventFilter,
    ) -> Outcome<(Hook, Secret)> {
        let request = v1::AddWebhookRequest { url, filter: Some(filter.into()) };
        let answer = self.events.add_webhook(request).await.map_err(|s| from_status(&s))?;
        let answer = answer.into_inner();
        Ok((hook(answer.webhook)?, Secret::new(answer.secret)))
    }

    /// Webhooks, oldest first.
    pub(crate) async fn webhooks(&mut self) -> Outcome<Vec<Hook>> {
        let answer = self.events.list_webhooks(v1::ListWebhooksRequest {}).await;
        let answer = answer.map_err(|status| from_status(&status))?.into_inner();
        answer.webhooks.into_iter().map(TryInto::try_into).collect()
    }

    /// Ends a webhook.
    pub(crate) async fn remove_webhook(&mut self, id: &str) -> Outcome<Hook> {
        let request = v1::RemoveWebhookRequest { id: id.to_owned() };
        let answer = self.events.remove_webhook(request).await.map_err(|s| from_status(&s))?;
        hook(answer.into_inner().webhook)
    }
}

fn hook(wire: Option<v1::Webhook>) -> Outcome<Hook> {
    wire.ok_or_else(|| Fault::new(Code::Internal, "the scheduler answered without a webhook"))?
        .try_into()
}
