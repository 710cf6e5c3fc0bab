//! Who carries events to an address: one task each, while this scheduler leads.

use super::{Hooks, sign};
use crate::service::desk::Desk;
use crate::service::events::Follow;
use crate::store::{HookRow, Reader};
use platefarm_model::event::Event;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use reqwest::Client;
use reqwest::redirect::Policy;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether this scheduler leads, and which webhooks there are.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is noted how far one has come over events that it does not want.
const NOTED: Duration = Duration::from_secs(5);

/// Feeds the webhooks for as long as it is polled, whenever this scheduler leads.
pub(in crate::service) async fn run<R: Reader>(
    hooks: Hooks,
    desk: Desk,
    reader: R,
    mut closing: watch::Receiver<bool>,
) {
    if hooks.settings.allow.is_empty() {
        return;
    }
    let client = match client() {
        Ok(client) => client,
        Err(fault) => return tracing::error!(%fault, "no webhook is sent"),
    };
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<String, AbortHandle> = BTreeMap::new();
    loop {
        running.retain(|_, task| !task.is_finished());
        while tasks.try_join_next().is_some() {}
        let wanted = if desk.leads() { hooks.store.all().await } else { Ok(Vec::new()) };
        match wanted {
            Err(fault) => tracing::warn!(%fault, "the webhooks cannot be read"),
            Ok(rows) => {
                running.retain(|id, task| {
                    let stays = rows.iter().any(|row| row.hook.id == *id);
                    if !stays {
                        task.abort();
                        hooks.metrics.hook_gone(id);
                    }
                    stays
                });
                for row in
                    rows.into_iter().filter(|row| hooks.settings.check(&row.hook.url).is_ok())
                {
                    running.entry(row.hook.id.clone()).or_insert_with(|| {
                        let follow = Follow::new(desk.clone(), reader.clone());
                        let (hooks, client) = (hooks.clone(), client.clone());
                        let noted = (row.hook.cursor, Instant::now());
                        hooks.metrics.failing(&row.hook.id, row.hook.failures);
                        tasks.spawn(Courier { hooks, client, row, follow, noted }.run())
                    });
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = hooks.changed.notified() => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
    }
}

fn client() -> Outcome<Client> {
    // Whoever was first has installed one; they are the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("platefarm/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| Fault::new(Code::Internal, "the HTTP client cannot be made").because(&e))
}

struct Courier<R> {
    hooks: Hooks,
    client: Client,
    row: HookRow,
    follow: Follow<R>,
    /// The cursor that is stored, and since when.
    noted: (u64, Instant),
}

impl<R: Reader> Courier<R> {
    async fn run(mut self) {
        loop {
            match self.follow.page(self.row.hook.cursor).await {
                Ok(events) if events.is_empty() => {
                    let unnoted = self.noted.0 != self.row.hook.cursor;
                    tokio::select! {
                        () = self.follow.more() => {}
                        () = tokio::time::sleep_until(self.noted.1 + NOTED), if unnoted => {
                            self.note().await;
                        }
                    }
                }
                Ok(events) => {
                    for event in events {
                        if self.row.hook.filter.holds(&event) {
                            if !self.deliver(&event).await {
                                return;
                            }
                            self.note().await;
                        }
                        self.row.hook.cursor = event.cursor;
                    }
                    // What it does not want may be looked at twice, after a restart.
                    if self.noted.1.elapsed() >= NOTED {
                        self.note().await;
                    }
                }
                Err(fault) if fault.code == Code::CursorTooOld => self.skip(&fault).await,
                Err(fault) => {
                    tracing::warn!(%fault, hook = self.row.hook.id, "the event log cannot be read");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    /// The address was away for longer than events are kept.
    async fn skip(&mut self, fault: &Fault) {
        tracing::warn!(%fault, hook = self.row.hook.id, "events were not delivered in time and are lost");
        if let Ok((oldest, _)) = self.follow.reader.log_ends().await {
            self.row.hook.cursor = self.row.hook.cursor.max(oldest);
            self.row.hook.trouble = format!("events before {oldest} were dropped undelivered");
            self.row.hook.failures = 0;
            self.row.hook.next_try = None;
            self.hooks.metrics.delivered(&self.row.hook.id, "dropped", 0);
            self.note().await;
        }
        tokio::time::sleep(LOOK).await;
    }

    async fn note(&mut self) {
        self.noted = (self.row.hook.cursor, Instant::now());
        // Whoever leads now notes it, when it has delivered it again.
        let Some(reign) = self.follow.desk.reign() else { return };
        if let Err(fault) = self.hooks.store.note(&self.row.hook, &reign).await {
            tracing::warn!(%fault, hook = self.row.hook.id, "how far a webhook has come is not noted");
        }
    }

    /// Sends one event until it is taken; false when nothing is to be sent there any more.
    async fn deliver(&mut self, event: &Event) -> bool {
        let wait = self.row.hook.next_try.map(|at| at.millis_since(self.hooks.clock.now()));
        if let Some(wait) = wait.and_then(|ms| u64::try_from(ms).ok()) {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        loop {
            // What cannot be read now is taken to be there.
            if !self.hooks.store.has(&self.row.hook.id).await.unwrap_or(true) {
                return false;
            }
            let now = self.hooks.clock.now();
            let Err(trouble) = self.send(event, now).await else {
                // What was lost stays to be seen; what failed and went through is over.
                if self.row.hook.failures > 0 {
                    self.row.hook.trouble.clear();
                }
                self.row.hook.failures = 0;
                self.row.hook.next_try = None;
                self.row.hook.cursor = event.cursor;
                self.hooks.metrics.delivered(&self.row.hook.id, "taken", 0);
                return true;
            };
            let pause = self.pause();
            tracing::warn!(hook = self.row.hook.id, trouble, ?pause, "a webhook was not taken");
            let hook = &mut self.row.hook;
            hook.failures = hook.failures.saturating_add(1);
            hook.trouble = trouble;
            hook.next_try = Some(now.plus_millis(pause.as_millis() as i64));
            self.hooks.metrics.delivered(&hook.id, "failed", hook.failures);
            self.note().await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Doubles with each failure; a quarter of it by chance.
    fn pause(&self) -> Duration {
        let settings = &self.hooks.settings;
        let doubled = settings.first_pause.saturating_mul(1 << self.row.hook.failures.min(16));
        doubled.min(settings.longest_pause).mul_f64(0.75 + 0.25 * sign::jitter())
    }

    async fn send(&self, event: &Event, now: Timestamp) -> Result<(), String> {
        let id = format!("evt_{}", event.cursor);
        let seconds = now.0.div_euclid(1_000_000);
        let document = serde_json::json!({ "type": event.kind, "data": event });
        let body = document.to_string();
        let signature = sign::signature(&self.row.secret, &id, seconds, &body)
            .map_err(|fault| fault.to_string())?;
        let sent = self
            .client
            .post(&self.row.hook.url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await;
        match sent {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(format!("answered {}", response.status())),
            // Without the address, which may hold a key.
            Err(error) => Err(chain(&error.without_url())),
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
