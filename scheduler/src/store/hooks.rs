//! Webhooks in the store, beside the core's rows: where events are sent to,
//! and how far each address has them. The secret that signs is kept as it is,
//! since it has to be used; whoever reads the store could sign.

use super::place::Place;
use super::reign::Reign;
use super::sql::{failed, pool};
use platefarm_model::event::Hook;
use platefarm_model::{Code, Fault, Outcome, Secret, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

/// A webhook as it is kept.
#[derive(Clone, Debug)]
pub struct HookRow {
    /// What people see.
    pub hook: Hook,
    /// What signs its deliveries.
    pub secret: Secret,
}

/// The table of webhooks.
#[derive(Clone, Debug)]
pub struct HookStore {
    pool: AnyPool,
}

const COLUMNS: &str = "SELECT id, url, secret, filter, created, created_by, cursor_at, failures, \
                       trouble, next_try FROM webhooks ORDER BY created, id";

impl HookStore {
    /// The table in a store that some scheduler has.
    ///
    /// # Errors
    /// `F0006` for an address that is none.
    pub(crate) fn beside(place: &Place) -> Outcome<Self> {
        Ok(Self { pool: pool(place)? })
    }

    /// Every webhook, oldest first.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn all(&self) -> Outcome<Vec<HookRow>> {
        let rows = sqlx::query(COLUMNS).fetch_all(&self.pool).await;
        rows.map_err(|e| failed("read the webhooks", &e))?.iter().map(row).collect()
    }

    /// Keeps a new one.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn insert(&self, row: &HookRow) -> Outcome<()> {
        let HookRow { hook, secret } = row;
        let filter = serde_json::to_string(&hook.filter)
            .map_err(|e| Fault::new(Code::Internal, "a filter cannot be written").because(&e))?;
        sqlx::query(
            "INSERT INTO webhooks (id, url, secret, filter, created, created_by, cursor_at, \
             failures, trouble, next_try) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 0)",
        )
        .bind(&hook.id)
        .bind(&hook.url)
        .bind(secret.expose())
        .bind(filter)
        .bind(hook.created.0)
        .bind(&hook.created_by)
        .bind(hook.cursor as i64)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(|e| failed("keep the webhook", &e))
    }

    /// Whether one is still there.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn has(&self, id: &str) -> Outcome<bool> {
        let found = sqlx::query("SELECT id FROM webhooks WHERE id = $1").bind(id);
        let found = found.fetch_optional(&self.pool).await;
        found.map(|row| row.is_some()).map_err(|e| failed("read the webhooks", &e))
    }

    /// Takes one away; whether it was there.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn remove(&self, id: &str) -> Outcome<bool> {
        let gone = sqlx::query("DELETE FROM webhooks WHERE id = $1").bind(id);
        let gone = gone.execute(&self.pool).await;
        Ok(gone.map_err(|e| failed("remove the webhook", &e))?.rows_affected() > 0)
    }

    /// Notes how far one has come, and how the last try went. A cursor never goes back.
    ///
    /// # Errors
    /// `F0502`; `F0514` where another has begun to lead, and delivers.
    pub async fn note(&self, hook: &Hook, reign: &Reign) -> Outcome<()> {
        let cannot = |e: sqlx::Error| failed("note a delivery", &e);
        let mut db = self.pool.acquire().await.map_err(cannot)?;
        let mut tx = reign.begin(&mut db).await?;
        sqlx::query(
            "UPDATE webhooks SET cursor_at = $1, failures = $2, trouble = $3, next_try = $4 \
             WHERE id = $5 AND cursor_at <= $1",
        )
        .bind(hook.cursor as i64)
        .bind(i64::from(hook.failures))
        .bind(&hook.trouble)
        .bind(hook.next_try.map_or(0, |t| t.0))
        .bind(&hook.id)
        .execute(&mut *tx)
        .await
        .map_err(cannot)?;
        tx.commit().await.map_err(cannot)
    }
}

fn row(row: &AnyRow) -> Outcome<HookRow> {
    let bad = |e: sqlx::Error| failed("read the webhooks", &e);
    let text = |index| row.try_get::<String, _>(index).map_err(bad);
    let number = |index| row.try_get::<i64, _>(index).map_err(bad);
    let filter = serde_json::from_str(&text(3)?).map_err(|e| {
        Fault::new(Code::StoreFailed, "the filter of a webhook cannot be read").because(&e)
    })?;
    let hook = Hook {
        id: text(0)?,
        url: text(1)?,
        filter,
        created: Timestamp(number(4)?),
        created_by: text(5)?,
        cursor: number(6)?.unsigned_abs(),
        failures: u32::try_from(number(7)?).unwrap_or(u32::MAX),
        trouble: text(8)?,
        next_try: Some(number(9)?).filter(|t| *t != 0).map(Timestamp),
    };
    Ok(HookRow { hook, secret: Secret::new(text(2)?) })
}
