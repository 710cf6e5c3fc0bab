//! Tokens and the audit log on SQLite and on a real PostgreSQL.

use super::{new, now};
use crate::store::postgres::Cluster;
use crate::store::{AuditPage, Place, TrustStore};
use crate::trust::issue;
use platefarm_model::trust::{AuditEntry, NewToken, Role};
use platefarm_model::{Code, Timestamp};

fn entry(number: u32) -> AuditEntry {
    AuditEntry {
        id: format!("{number:032x}"),
        at: Timestamp(i64::from(number)),
        who: if number.is_multiple_of(2) { "ann" } else { "bob" }.into(),
        token: "0123456789ab".into(),
        role: Role::Operator,
        from: "10.0.0.1:5".into(),
        action: "Farm/CancelJob".into(),
        subject: format!("j{number}"),
        detail: "job: 'x'; --".into(),
        outcome: None,
    }
}

async fn suite(place: Place) {
    let store = TrustStore::open(&place).await.unwrap();
    let mut limited = new(Role::Submitter, &["atlas", "o'neill \"x\""]);
    limited.lifetime_s = Some(3600);
    let made = Timestamp(1_000_000);
    let (view, word) = issue(&store, &limited, "root", made).await.unwrap();
    assert_eq!(view.expires, Some(Timestamp(3_601_000_000)));
    assert!(view.is_good(Timestamp(3_600_999_999)) && !view.is_good(Timestamp(3_601_000_000)));
    let word = word.unwrap();

    // Another process sees it, and the word is nowhere.
    let again = TrustStore::open(&place).await.unwrap();
    let rows = again.tokens().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].view, view);
    assert!(!format!("{rows:?}").contains(word.expose()));
    assert!(!format!("{rows:?}").contains(word.expose().trim_start_matches("pfk_")));

    // A certificate is enrolled once.
    let certificate = NewToken { certificate: Some("AB".repeat(32)), ..new(Role::Worker, &[]) };
    let (card, none) = issue(&store, &certificate, "root", made).await.unwrap();
    assert!(none.is_none() && card.id == "abababababab");
    let twice = issue(&store, &certificate, "root", made).await.unwrap_err();
    assert_eq!(twice.code, Code::BadSpec);

    store.used(&[(rows[0].hash.clone(), Timestamp(5))]).await.unwrap();
    let ended = again.revoke(&view.id, Timestamp(9)).await.unwrap().view;
    assert_eq!((ended.used, ended.revoked), (Some(Timestamp(5)), Some(Timestamp(9))));
    let still = again.revoke(&view.id, Timestamp(77)).await.unwrap().view;
    assert_eq!(still.revoked, Some(Timestamp(9)), "it ended when it ended");
    for id in ["", "%", "____________", "000000000000", "ab"] {
        assert_eq!(store.revoke(id, now()).await.unwrap_err().code, Code::UnknownToken, "{id}");
    }
    let good = store.tokens().await.unwrap();
    assert!(good.iter().any(|row| row.view.id == card.id && row.view.revoked.is_none()));

    let entries: Vec<_> = (1..=10).map(entry).collect();
    store.record(&entries, &[]).await.unwrap();
    store.record(&[], &[(entries[3].id.clone(), "ok".into())]).await.unwrap();
    // An entry that is there is not written over, and what came with it is not written.
    let mut forged = entry(11);
    forged.who = "mallory".into();
    assert!(store.record(&[forged, entry(4)], &[]).await.is_err());
    let page = |before: Option<&AuditEntry>, who: Option<&str>, limit| AuditPage {
        before: before.map(|e| e.id.clone()),
        who: who.map(Into::into),
        limit,
    };
    let first = again.audit(&page(None, None, 4)).await.unwrap();
    let subjects: Vec<_> = first.iter().map(|e| e.subject.as_str()).collect();
    assert_eq!(subjects, ["j10", "j9", "j8", "j7"]);
    let rest = again.audit(&page(first.last(), None, 100)).await.unwrap();
    assert_eq!(rest.len(), 6);
    assert_eq!(rest[2].outcome.as_deref(), Some("ok"));
    assert_eq!(rest[3], entries[2]);
    assert_eq!(again.audit(&page(None, Some("bob"), 100)).await.unwrap().len(), 5);
}

#[tokio::test]
async fn sqlite_keeps_tokens_and_the_log() {
    let dir = tempfile::tempdir().unwrap();
    suite(Place::Sqlite(dir.path().join("not/yet/farm.db"))).await;
}

#[tokio::test]
async fn postgres_keeps_tokens_and_the_log() {
    let Some(cluster) = Cluster::start() else { return };
    suite(Place::Postgres(cluster.database())).await;
}
