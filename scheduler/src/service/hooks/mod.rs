//! Webhooks: events sent to addresses of others, signed, in order, each until
//! it is taken. How far each address has come is in the store, so that a
//! scheduler that starts again, or takes over, goes on where the last one was.
//!
//! A delivery is at least once: one that was taken and not noted before a crash
//! comes again, under the same id. Signatures are those of Standard Webhooks.

mod courier;
mod sign;

#[cfg(test)]
mod tests;

pub(super) use courier::run;

use super::clock::Clock;
use crate::store::{HookRow, HookStore};
use crate::web::Metrics;
use http::Uri;
use platefarm_model::event::{EventFilter, Hook};
use platefarm_model::{Code, Fault, Outcome, address};
use platefarm_proto::v1;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Where events may be sent, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookSettings {
    /// Hosts that may be named: `host`, `host:port`, `*.domain`. None: nowhere.
    pub allow: Vec<String>,
    /// Pause before the first repetition; it doubles from there.
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
}

impl Default for HookSettings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
        }
    }
}

/// Most webhooks of a farm.
const MOST: usize = 100;
/// Longest address, in bytes.
const MOST_URL: usize = 2000;
/// What is sent where nothing was chosen.
const USUAL: &str = "job";

/// What people do to webhooks.
#[derive(Clone)]
pub(super) struct Hooks {
    store: HookStore,
    settings: Arc<HookSettings>,
    /// Somebody added or removed one.
    changed: Arc<Notify>,
    clock: Clock,
    metrics: Arc<Metrics>,
}

impl HookSettings {
    /// Whether this address may be sent to.
    fn check(&self, url: &str) -> Outcome<()> {
        let bad = |why: &str| {
            let shown: String = address::shown(url).chars().take(200).collect();
            Fault::new(Code::BadSpec, format!("'{shown}' {why}"))
                .at("url")
                .remedy("Give an http:// or https:// address of a host, without user and password.")
        };
        let uri: Uri = url.parse().map_err(|e| bad("is no address").because(&e))?;
        let http = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.host().filter(|_| http && url.len() <= MOST_URL);
        let host = host.ok_or_else(|| bad("is no address that can be sent to"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(bad("holds a user or password"));
        }
        let host = host.to_ascii_lowercase();
        let port =
            uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let fits = |pattern: &String| {
            let pattern = pattern.to_ascii_lowercase();
            match pattern.strip_prefix('*') {
                Some(end) if end.starts_with('.') => host.ends_with(end),
                _ => pattern == host || pattern == format!("{host}:{port}"),
            }
        };
        if self.allow.iter().any(fits) {
            return Ok(());
        }
        let allowed = match self.allow.as_slice() {
            [] => "no host is".to_owned(),
            some => format!("allowed: {}", some.join(", ")),
        };
        let message = format!("the host '{host}:{port}' is not allowed; {allowed}");
        Err(Fault::new(Code::HookAddress, message).at("url"))
    }
}

impl Hooks {
    pub(super) fn new(store: HookStore, settings: HookSettings, metrics: Arc<Metrics>) -> Self {
        let (settings, changed) = (Arc::new(settings), Arc::new(Notify::new()));
        Self { store, settings, changed, clock: Clock::new(), metrics }
    }

    /// Sends what comes after `end` to an address.
    ///
    /// # Errors
    /// `F0516` for an address that is not allowed, `F0508`, `F0502`.
    pub(super) async fn add(
        &self,
        request: v1::AddWebhookRequest,
        by: String,
        end: u64,
    ) -> Outcome<v1::AddWebhookResponse> {
        let v1::AddWebhookRequest { url, filter } = request;
        self.settings.check(&url)?;
        let mut filter: EventFilter = filter.unwrap_or_default().try_into()?;
        if filter.kinds.is_empty() {
            filter.kinds.push(USUAL.into());
        }
        if self.store.all().await?.len() >= MOST {
            let message = format!("a farm has at most {MOST} webhooks");
            return Err(Fault::new(Code::BadSpec, message)
                .remedy("Remove one: `platefarm webhooks remove ID`."));
        }
        let hook = Hook {
            id: sign::id()?,
            url,
            filter,
            created: self.clock.now(),
            created_by: by,
            cursor: end,
            failures: 0,
            trouble: String::new(),
            next_try: None,
        };
        let secret = sign::secret()?;
        self.store.insert(&HookRow { hook: hook.clone(), secret: secret.clone() }).await?;
        self.changed.notify_one();
        let secret = secret.expose().to_owned();
        Ok(v1::AddWebhookResponse { webhook: Some(seen(&hook)), secret })
    }

    pub(super) async fn list(&self) -> Outcome<v1::ListWebhooksResponse> {
        let rows = self.store.all().await?;
        let webhooks = rows.iter().map(|row| seen(&row.hook)).collect();
        Ok(v1::ListWebhooksResponse { webhooks })
    }

    /// Sends nothing more there.
    ///
    /// # Errors
    /// `F0517` when there is none, `F0502`.
    pub(super) async fn remove(&self, id: &str) -> Outcome<v1::RemoveWebhookResponse> {
        let rows = self.store.all().await?;
        let row = rows.iter().find(|row| row.hook.id == id);
        let unknown = || Fault::new(Code::UnknownHook, format!("there is no webhook '{id}'"));
        let row = row.ok_or_else(unknown)?;
        self.store.remove(id).await?;
        self.changed.notify_one();
        Ok(v1::RemoveWebhookResponse { webhook: Some(seen(&row.hook)) })
    }
}

/// A webhook as people see it: what stands in its address may open something.
fn seen(hook: &Hook) -> v1::Webhook {
    (&Hook { url: address::shown(&hook.url), ..hook.clone() }).into()
}
