//! The decision at the door: who calls, may they, is it about their shows, do
//! they ask too much; and what people did is written down before they do it.

use super::book::{Book, FRESH};
use super::caller::Caller;
use super::journal::{Journal, Ticket};
use super::rate::{Limits, Rates};
use super::skim::{Method, Protos, Value};
use super::table::{self, About, Rule, Who};
use crate::web::Metrics;
use bytes::Bytes;
use platefarm_model::limits::MAX_NAME_BYTES;
use platefarm_model::trust::{AuditEntry, Role};
use platefarm_model::{Code, Fault, JobId, Outcome, Timestamp, WorkerId};
use platefarm_proto::dial::hash_hex;
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a caller shows of themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// What came as `authorization`.
    pub(super) authorization: Option<String>,
    /// SHA-256 of the client's certificate, which its connection has proven.
    pub(super) certificate: Option<String>,
    pub(super) from: Option<SocketAddr>,
    /// Whether it came where everybody has to say who they are.
    pub(super) must: bool,
}

type Shows = Pin<Box<dyn Future<Output = Outcome<String>> + Send>>;

/// Says which show a job belongs to.
pub(crate) type ShowOf = Box<dyn Fn(JobId) -> Shows + Send + Sync>;
/// Says what time it is.
pub(crate) type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// What the gate decides with.
pub(crate) struct Gate {
    pub(super) book: Arc<Book>,
    pub(super) journal: Journal,
    pub(super) protos: Protos,
    /// Whether everybody has to say who they are.
    pub(super) tokens: bool,
    pub(super) show_of: ShowOf,
    pub(super) now: Now,
    pub(super) limits: Limits,
    pub(super) rates: Mutex<Rates>,
    pub(super) streams: Mutex<HashMap<String, Arc<Semaphore>>>,
    pub(super) metrics: Arc<Metrics>,
}

/// The gate as the HTTP side has it.
#[derive(Clone)]
pub(crate) struct HttpGate {
    pub(super) gate: Arc<Gate>,
    pub(super) must: bool,
}

impl HttpGate {
    /// Who asks for a page, if they may.
    ///
    /// # Errors
    /// `F0601` to `F0605`.
    pub(crate) async fn admit(
        &self,
        path: &str,
        authorization: Option<String>,
        from: SocketAddr,
    ) -> Outcome<Caller> {
        let rule = table::page(path);
        let from = Some(from);
        let shown = Shown { authorization, certificate: None, from, must: self.must };
        let caller = self.gate.admit(rule, &shown).await?;
        let caller = caller.ok_or_else(|| Fault::new(Code::Internal, "a page without a caller"))?;
        if rule.about == About::Farm && !caller.shows.is_empty() {
            return Err(caller.outside(&format!("{path} is about the whole farm")));
        }
        Ok(caller)
    }

    /// Room for one more stream of `caller`'s.
    ///
    /// # Errors
    /// `F0605`.
    pub(crate) fn stream(&self, caller: &Caller) -> Outcome<OwnedSemaphorePermit> {
        self.gate.stream(caller)
    }

    /// Returns when `caller` is good no longer, and says why.
    pub(crate) async fn end_of(&self, caller: &Caller) -> Fault {
        self.gate.end_of(&caller.token).await
    }

    /// Whether `caller` may call `method` of the gRPC side about anything.
    pub(crate) fn may(&self, caller: &Caller, method: &str) -> bool {
        let whole = |rule: &Rule| matches!(rule.about, About::Farm | About::Worker(_));
        table::rule(method)
            .is_some_and(|rule| caller.is(rule.who) && (caller.shows.is_empty() || !whole(rule)))
    }

    /// Lets `caller` ask `question` of `method`, as if it had come over gRPC:
    /// by the same rule, about the same shows, with the same line in the log.
    ///
    /// And it counts as one: a page may ask many at once.
    ///
    /// # Errors
    /// `F0603`, `F0604`, `F0605`, `F0502`, `F0503`.
    pub(crate) async fn begin(
        &self,
        caller: &Caller,
        method: &str,
        from: SocketAddr,
        question: Bytes,
    ) -> Outcome<Deed> {
        let unknown = || Fault::new(Code::Internal, format!("no rule for {method}"));
        let rule = table::rule(method).ok_or_else(unknown)?;
        let known = self.gate.protos.method(rule.method).ok_or_else(unknown)?;
        let shown = Shown { from: Some(from), ..Shown::default() };
        self.gate.count(caller)?;
        self.gate.permit(rule, caller, &shown).await?;
        let judged = self.gate.judge(rule, known, caller, &question).await;
        let ticket = self.gate.write_down(rule, known, caller, &shown, &question, &judged).await?;
        judged?;
        Ok(Deed { ticket, gate: Arc::clone(&self.gate), rule, begun: Instant::now() })
    }
}

/// Something that a person began to do on a page.
pub(crate) struct Deed {
    ticket: Option<Ticket>,
    gate: Arc<Gate>,
    rule: &'static Rule,
    begun: Instant,
}

impl Deed {
    /// Writes down how it ended.
    pub(crate) async fn end<T>(self, outcome: &Outcome<T>) {
        let word = outcome.as_ref().map_or_else(|fault| fault.code.text(), |_| "ok");
        self.gate.metrics.called(self.rule.method, word, self.begun.elapsed());
        if let Some(ticket) = self.ticket {
            ticket.end(word).await;
        }
    }
}

/// Refuses what takes another role.
fn allowed(caller: &Caller, rule: &Rule) -> Outcome<()> {
    if caller.is(rule.who) {
        return Ok(());
    }
    let (Who::Role(needed) | Who::WorkerOr(needed)) = rule.who else {
        return Err(Fault::new(Code::Internal, "a role is missing in the table"));
    };
    let message = format!(
        "'{}' has the role '{}', and {} takes '{needed}'",
        caller.name, caller.role, rule.method
    );
    Err(Fault::new(Code::NotAllowed, message))
}

impl Gate {
    /// Who calls; none is somebody who did not have to say. Those who are
    /// known are let in however many strangers share their address.
    async fn who(&self, rule: &Rule, shown: &Shown) -> Outcome<Option<Caller>> {
        let now = (self.now)();
        let hash = match (&shown.authorization, &shown.certificate) {
            (Some(text), _) => text.strip_prefix("Bearer ").map(|w| hash_hex(w.trim().as_bytes())),
            (None, Some(hash)) => Some(hash.clone()),
            (None, None) if !shown.must => return Ok(Some(Caller::local())),
            (None, None) => None,
        };
        if let Some(card) = hash.as_deref().and_then(|hash| self.book.good(hash, now)) {
            return Ok(Some(card.into()));
        }
        if rule.who == Who::Anybody {
            return Ok(None);
        }
        let from = shown.from.map_or_else(String::new, |a| a.ip().to_string());
        if !self.rates().strangers.take(&from, Instant::now()) {
            return Err(too_much("calls that nobody could be found for, from one address"));
        }
        let found = match hash {
            Some(hash) => self.book.find(&hash, now).await,
            None if shown.authorization.is_some() => {
                Err(Fault::new(Code::BadToken, "the authorization is no bearer token"))
            }
            None => Err(Fault::new(
                Code::NotAuthenticated,
                "this farm asks who calls, and the call does not say",
            )),
        };
        let found = found.map_err(|fault| match shown.authorization {
            None if fault.code == Code::BadToken => {
                let why = "the client's certificate is good, but stands for nobody here";
                Fault { message: format!("{why}: {}", fault.message), ..fault }
                    .remedy("Enrol it: `platefarm tokens create --certificate FILE --role ROLE`.")
            }
            _ => fault,
        });
        match found {
            Ok(card) => Ok(Some(card.into())),
            Err(fault) => {
                tracing::warn!(%fault, from, method = rule.method, "refused");
                Err(fault)
            }
        }
    }

    /// Everything about a call but its question.
    ///
    /// # Errors
    /// `F0601` to `F0605`.
    pub(super) async fn admit(&self, rule: &Rule, shown: &Shown) -> Outcome<Option<Caller>> {
        let Some(caller) = self.who(rule, shown).await? else { return Ok(None) };
        self.count(&caller)?;
        self.permit(rule, &caller, shown).await?;
        Ok(Some(caller))
    }

    /// Counts a call. Who need not say who they are, on their own machine, is not counted.
    ///
    /// # Errors
    /// `F0605`.
    fn count(&self, caller: &Caller) -> Outcome<()> {
        if caller.token.is_empty() {
            return Ok(());
        }
        let mut rates = self.rates();
        let buckets = match caller.role {
            Role::Worker => &mut rates.workers,
            _ => &mut rates.people,
        };
        match buckets.take(&caller.token, Instant::now()) {
            true => Ok(()),
            false => Err(too_much("calls of one token")),
        }
    }

    /// Refuses what takes another role; a try at what people answer for is written down.
    ///
    /// # Errors
    /// `F0603`.
    async fn permit(&self, rule: &Rule, caller: &Caller, shown: &Shown) -> Outcome<()> {
        let Err(fault) = allowed(caller, rule) else { return Ok(()) };
        if rule.audited && self.notes_refusal(caller) {
            let outcome = Some(fault.code.to_string());
            let entry = AuditEntry { outcome, ..self.entry(rule, caller, shown) };
            // A log that cannot be written says so itself; the try is refused all the same.
            drop(self.journal.begin(entry).await);
        }
        Err(fault)
    }

    /// Whether the question is about what the caller sees.
    ///
    /// # Errors
    /// `F0604`, `F0503`, `F0508`.
    pub(super) async fn judge(
        &self,
        rule: &Rule,
        method: &Method,
        caller: &Caller,
        question: &[u8],
    ) -> Outcome<String> {
        let at = |place| self.protos.at(&method.input, place, question);
        let (show, subject) = match rule.about {
            About::Caller => return Ok(String::new()),
            About::Farm if caller.shows.is_empty() => return Ok("farm".into()),
            About::Worker(place) if caller.shows.is_empty() => match at(place)? {
                Value::Number(worker) => return Ok(WorkerId(worker).to_string()),
                Value::Text(_) => return Err(bad_rule(rule)),
            },
            About::Farm | About::Worker(_) => {
                let message = format!("{} is about the whole farm", rule.method);
                return Err(caller.outside(&message));
            }
            About::Show(place) => match at(place)? {
                // The log has no more of a name than a name may have, and nothing in it that steers a terminal.
                Value::Text(show) => {
                    let name = &show[..show.floor_char_boundary(MAX_NAME_BYTES)];
                    let name = name.replace(char::is_control, "?");
                    let subject = format!("show {name}");
                    (show, subject)
                }
                Value::Number(_) => return Err(bad_rule(rule)),
            },
            About::Job(place) => match at(place)? {
                Value::Number(job) if caller.shows.is_empty() => return Ok(JobId(job).to_string()),
                Value::Number(job) => ((self.show_of)(JobId(job)).await?, JobId(job).to_string()),
                Value::Text(_) => return Err(bad_rule(rule)),
            },
        };
        caller.check(&show, &subject).map(|()| subject)
    }

    /// Writes down that `caller` begins this, where a person stands behind it.
    ///
    /// # Errors
    /// `F0502`: then it does not begin.
    pub(super) async fn write_down(
        &self,
        rule: &Rule,
        method: &Method,
        caller: &Caller,
        shown: &Shown,
        question: &Bytes,
        judged: &Outcome<String>,
    ) -> Outcome<Option<Ticket>> {
        if !rule.audited || (judged.is_err() && !self.notes_refusal(caller)) {
            return Ok(None);
        }
        let (subject, outcome) = match judged {
            Ok(subject) => (subject.clone(), None),
            Err(fault) => (String::new(), Some(fault.code.to_string())),
        };
        let detail = self.protos.line(&method.input, question);
        let entry = AuditEntry { subject, detail, outcome, ..self.entry(rule, caller, shown) };
        self.journal.begin(entry).await.map(Some)
    }

    /// Who did what, from where and when.
    fn entry(&self, rule: &Rule, caller: &Caller, shown: &Shown) -> AuditEntry {
        AuditEntry {
            id: uuid::Uuid::now_v7().simple().to_string(),
            at: (self.now)(),
            who: caller.name.clone(),
            token: caller.token.clone(),
            role: caller.role,
            from: shown.from.map_or_else(String::new, |a| a.to_string()),
            action: rule.method.trim_start_matches("platefarm.v1.").to_owned(),
            subject: String::new(),
            detail: String::new(),
            outcome: None,
        }
    }

    /// Whether one more refusal of this caller's is written down.
    fn notes_refusal(&self, caller: &Caller) -> bool {
        self.rates().refusals.take(&caller.token, Instant::now())
    }

    /// Room for one more stream of `caller`'s.
    ///
    /// # Errors
    /// `F0605`.
    pub(super) fn stream(&self, caller: &Caller) -> Outcome<OwnedSemaphorePermit> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|_, room| room.available_permits() < self.limits.streams);
        let room = streams
            .entry(caller.token.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.limits.streams)));
        Arc::clone(room)
            .try_acquire_owned()
            .map_err(|_| too_much(&format!("{} open streams of one token", self.limits.streams)))
    }

    /// Returns when the token with this id is good no longer, and says why. Who needed none stays.
    pub(super) async fn end_of(&self, token: &str) -> Fault {
        loop {
            tokio::time::sleep(FRESH).await;
            let held = if token.is_empty() { Ok(()) } else { self.book.holds(token, (self.now)()) };
            if let Err(fault) = held {
                return fault;
            }
        }
    }

    fn rates(&self) -> std::sync::MutexGuard<'_, Rates> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_much(what: &str) -> Fault {
    Fault::new(Code::TooMuch, format!("too many: {what}"))
}

fn bad_rule(rule: &Rule) -> Fault {
    Fault::new(Code::Internal, format!("the rule for {} names no such place", rule.method))
}
