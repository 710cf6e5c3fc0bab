//! Who may enter, and what they may do there.
//!
//! ```text
//! call -> guard (HTTP) -> gate -> book: who is it?        the store's tokens, in memory
//!                              -> table: may this role?   one rule per method
//!                              -> skim: whose show?       read off the question by the protos
//!                              -> journal: written down   before it begins
//!      -> handler, which finds the Caller with the request
//!      -> streams: good still?    again and again, for as long as one is open
//! ```
//!
//! On a loopback address nobody has to say who they are, unless the operator
//! asks for tokens; a token that is given is held to, all the same. Off it
//! everybody has to, and the way is encrypted, or the scheduler does not start.

mod book;
mod caller;
mod deadline;
pub mod direct;
mod gate;
mod guard;
mod journal;
mod listen;
mod rate;
mod service;
mod skim;
mod streams;
mod table;
mod tls;

#[cfg(test)]
mod tests;

pub use book::issue;
pub use caller::Caller;
pub use rate::{Limits, Rate};
pub use table::{Served, served};
pub use tls::Tls;

pub(crate) use gate::{HttpGate, Now, ShowOf};
pub(crate) use guard::{GuardLayer, carried};
pub(crate) use listen::{Certificates, Knock, Knocking, encrypted};
pub(crate) use service::TrustService;
pub(crate) use tls::check_listener;

use crate::store::TrustStore;
use crate::web::Metrics;
use book::Book;
use gate::Gate;
use journal::Journal;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_proto::DESCRIPTORS;
use rate::Rates;
use skim::Protos;
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// How a scheduler is entered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Its certificate; none speaks in the open.
    pub tls: Option<Tls>,
    /// Whether a token is asked for on loopback addresses too.
    pub tokens: bool,
    /// Whether something else encrypts the way, so that the scheduler need not.
    pub plaintext: bool,
    /// How much one caller may ask.
    pub limits: Limits,
}

/// What stands at the door of a scheduler.
pub(crate) struct Door {
    /// Before every call.
    pub(crate) layer: GuardLayer,
    /// What admins ask.
    pub(crate) service: TrustService,
    gate: Arc<Gate>,
}

impl Door {
    /// Its parts, with the gate of the HTTP side where that has an address.
    pub(crate) fn parts(
        self,
        http: Option<SocketAddr>,
    ) -> (GuardLayer, TrustService, Option<HttpGate>) {
        let gate = http.map(|address| HttpGate {
            must: self.gate.tokens || !address.ip().is_loopback(),
            gate: Arc::clone(&self.gate),
        });
        (self.layer, self.service, gate)
    }
}

/// Opens the door of a scheduler at `address`. The future that comes with it
/// writes the audit log, for as long as it is polled and the door is there.
///
/// # Errors
/// [`Code::NobodyCanEnter`]; `F0502` when the tokens cannot be read.
pub(crate) async fn open(
    store: TrustStore,
    address: SocketAddr,
    settings: &Settings,
    now: fn() -> Now,
    show_of: ShowOf,
    metrics: Arc<Metrics>,
) -> Outcome<(Door, impl Future<Output = ()> + Send + use<>)> {
    let tokens = tls::needs_tokens(address, settings);
    let (book, read) = Book::open(store).await;
    let book = Arc::new(book);
    if tokens && !book.has_admin(now()()) {
        read?;
        return Err(Fault::new(
            Code::NobodyCanEnter,
            "the farm asks for tokens, and the store has none of an admin",
        ));
    }
    let (journal, writing) = Journal::open(Arc::clone(&book));
    let protos = [
        DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let gate = Gate {
        book: Arc::clone(&book),
        journal,
        protos: Protos::read(&protos)?,
        tokens,
        show_of,
        now: now(),
        limits: settings.limits,
        rates: Mutex::new(Rates::new(&settings.limits)),
        streams: Mutex::new(HashMap::new()),
        metrics,
    };
    let gate = Arc::new(gate);
    let layer = GuardLayer(Arc::clone(&gate));
    let door = Door { layer, service: TrustService { book, now: now() }, gate };
    Ok((door, writing))
}
