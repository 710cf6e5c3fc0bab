//! Who may enter, in memory: what the store holds, looked up by the hash of
//! what a caller shows. A scheduler hears of tokens that others made or ended
//! by looking again: at once for one that it does not know (how often strangers
//! may try is the gate's to limit), and else every two seconds.

use crate::store::{TOKEN_ID_DIGITS, TokenRow, TrustStore};
use platefarm_model::trust::{NewToken, TokenKind, TokenView};
use platefarm_model::{Code, Fault, Outcome, Secret, Timestamp};
use platefarm_proto::dial::hash_hex;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// How old what is known may be.
pub(super) const FRESH: Duration = Duration::from_secs(2);
/// What a word begins with, so that those who search for leaked secrets find it.
const PREFIX: &str = "pfk_";

/// The tokens of a farm.
#[derive(Debug)]
pub(super) struct Book {
    store: TrustStore,
    /// By their hash, which their id begins.
    cards: RwLock<Arc<BTreeMap<String, TokenView>>>,
    used: Mutex<HashMap<String, Timestamp>>,
    looked: tokio::sync::Mutex<Instant>,
}

impl Book {
    /// A book, and whether what the store holds could be read into it. One that
    /// could not is read again; a scheduler that follows one of an older version
    /// has no tables of tokens to read yet.
    pub(super) async fn open(store: TrustStore) -> (Self, Outcome<()>) {
        let book = Self {
            store,
            cards: RwLock::default(),
            used: Mutex::default(),
            looked: tokio::sync::Mutex::new(Instant::now()),
        };
        let read = book.read().await;
        (book, read)
    }

    pub(super) fn store(&self) -> &TrustStore {
        &self.store
    }

    async fn read(&self) -> Outcome<()> {
        let cards = self.store.tokens().await?.into_iter().map(|row| (row.hash, row.view));
        let cards = Arc::new(cards.collect());
        *self.cards.write().unwrap_or_else(PoisonError::into_inner) = cards;
        Ok(())
    }

    /// Looks again; what was known stays known when the store does not answer.
    pub(super) async fn refresh(&self) {
        self.look_since(Instant::now()).await;
    }

    /// Looks again, unless somebody has since `then`: of many who wait, one looks.
    async fn look_since(&self, then: Instant) {
        let mut looked = self.looked.lock().await;
        if *looked > then {
            return;
        }
        let begun = Instant::now();
        if let Err(fault) = self.read().await {
            tracing::warn!(%fault, "the tokens cannot be read; those that were known hold");
        }
        *looked = begun;
    }

    fn known(&self, hash: &str) -> Option<TokenView> {
        self.cards.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Whether an admin could enter at `now`.
    pub(super) fn has_admin(&self, now: Timestamp) -> bool {
        use platefarm_model::trust::Role;
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        cards.values().any(|card| card.role == Role::Admin && card.is_good(now))
    }

    /// The card of a word or certificate that is known and good at `now`.
    pub(super) fn good(&self, hash: &str, now: Timestamp) -> Option<TokenView> {
        let card = self.known(hash).filter(|card| card.is_good(now))?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(hash.to_owned(), now);
        Some(card)
    }

    /// As [`Self::good`], after another look at the store.
    ///
    /// # Errors
    /// [`Code::BadToken`]; it says why only of a token that there is.
    pub(super) async fn find(&self, hash: &str, now: Timestamp) -> Outcome<TokenView> {
        if self.known(hash).is_none() {
            self.look_since(Instant::now()).await;
        }
        if let Some(card) = self.good(hash, now) {
            return Ok(card);
        }
        Err(ended(self.known(hash).as_ref(), now))
    }

    /// Whether the token with this id, which was good, is so still.
    ///
    /// # Errors
    /// [`Code::BadToken`].
    pub(super) fn holds(&self, id: &str, now: Timestamp) -> Outcome<()> {
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        let card = cards.range(id.to_owned()..).next().map(|(_, card)| card);
        match card.filter(|card| card.id == id) {
            Some(card) if card.is_good(now) => Ok(()),
            card => Err(ended(card, now)),
        }
    }

    /// Writes down when tokens were used since the last time.
    pub(super) async fn note_used(&self) {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return;
        }
        let used: Vec<_> = used.into_iter().collect();
        if let Err(fault) = self.store.used(&used).await {
            tracing::debug!(%fault, "when tokens were used is not written down");
        }
    }
}

/// Why a token opens nothing.
fn ended(card: Option<&TokenView>, now: Timestamp) -> Fault {
    let why = match card {
        None => "the token is not known".to_owned(),
        Some(card) => format!("token {} is {}", card.id, card.state(now)),
    };
    Fault::new(Code::BadToken, why)
}

/// Makes a token and keeps it: its view, and its word, which is kept nowhere.
///
/// # Errors
/// `F0508`, `F0502`.
pub async fn issue(
    store: &TrustStore,
    token: &NewToken,
    by: &str,
    now: Timestamp,
) -> Outcome<(TokenView, Option<Secret>)> {
    token.check()?;
    let (hash, word) = match &token.certificate {
        Some(fingerprint) => (fingerprint.to_ascii_lowercase(), None),
        None => {
            let word = word()?;
            (hash_hex(word.expose().as_bytes()), Some(word))
        }
    };
    let lifetime = |s: u64| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    let view = TokenView {
        id: hash[..TOKEN_ID_DIGITS].to_owned(),
        name: token.name.clone(),
        kind: if word.is_some() { TokenKind::Word } else { TokenKind::Certificate },
        role: token.role,
        shows: token.shows.clone(),
        created: now,
        created_by: by.to_owned(),
        expires: token.lifetime_s.map(|s| Timestamp(now.0.saturating_add(lifetime(s)))),
        revoked: None,
        used: None,
    };
    store.insert(&TokenRow { hash, view: view.clone() }).await?;
    Ok((view, word))
}

/// A new word: 256 random bits of the system's.
fn word() -> Outcome<Secret> {
    let mut bits = [0u8; 32];
    getrandom::fill(&mut bits)
        .map_err(|e| Fault::new(Code::Internal, "the system has no random bits").because(&e))?;
    let hex: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secret::new(format!("{PREFIX}{hex}")))
}
