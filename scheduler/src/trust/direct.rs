//! What is done on the store itself, without a scheduler: it is written down
//! as what people do through one is, before it begins.

use super::issue;
use crate::store::{TokenRow, TrustStore};
use platefarm_model::trust::{AuditEntry, NewToken, Role, TokenView};
use platefarm_model::{Outcome, Secret, Timestamp};

/// Who works on a store, as the log has them.
#[derive(Clone, Debug)]
pub struct Hand {
    /// The user of the operating system.
    pub user: String,
    /// The machine.
    pub host: String,
}

/// Who is written down as the maker of a token that no scheduler made.
const BY_STORE: &str = "store";

/// Makes a token, as [`issue`] does.
///
/// # Errors
/// `F0508`, `F0502`; when it cannot be written down, nothing is made.
pub async fn create(
    store: &TrustStore,
    new: &NewToken,
    hand: &Hand,
    now: Timestamp,
) -> Outcome<(TokenView, Option<Secret>)> {
    new.check()?;
    let shows = if new.shows.is_empty() { "all".to_owned() } else { new.shows.join(", ") };
    let detail = format!("name: \"{}\" role: {} shows: {shows}", new.name, new.role);
    let entry = begin(store, hand, "Trust/CreateToken", detail, now).await?;
    end(store, entry, issue(store, new, BY_STORE, now).await).await
}

/// Ends a token.
///
/// # Errors
/// `F0609`, `F0502`; when it cannot be written down, nothing is ended.
pub async fn revoke(
    store: &TrustStore,
    id: &str,
    hand: &Hand,
    now: Timestamp,
) -> Outcome<TokenRow> {
    let entry = begin(store, hand, "Trust/RevokeToken", format!("id: \"{id}\""), now).await?;
    end(store, entry, store.revoke(id, now).await).await
}

async fn begin(
    store: &TrustStore,
    hand: &Hand,
    action: &str,
    detail: String,
    now: Timestamp,
) -> Outcome<AuditEntry> {
    let entry = AuditEntry {
        id: uuid::Uuid::now_v7().simple().to_string(),
        at: now,
        who: hand.user.clone(),
        token: String::new(),
        // Whoever can write to the store can do anything.
        role: Role::Admin,
        from: format!("the store, on {}", hand.host),
        action: action.to_owned(),
        subject: "farm".to_owned(),
        detail,
        outcome: None,
    };
    store.record(std::slice::from_ref(&entry), &[]).await?;
    Ok(entry)
}

/// Writes down how it ended; that it was done stays so where that fails.
async fn end<T>(store: &TrustStore, entry: AuditEntry, done: Outcome<T>) -> Outcome<T> {
    let outcome = match &done {
        Ok(_) => "ok".to_owned(),
        Err(fault) => fault.code.to_string(),
    };
    if let Err(fault) = store.record(&[], &[(entry.id, outcome)]).await {
        tracing::warn!(%fault, "an outcome is not written");
    }
    done
}
