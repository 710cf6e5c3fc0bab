//! Tokens and the audit log in the store. Apart from the core's rows: they
//! are read and written beside the one writer, since who may enter is not the
//! core's business, and an operator must be able to revoke a token, or make
//! the first one, while no scheduler runs or another one leads.

use super::place::Place;
use super::schema;
use super::sql::{SqlStore, failed, pool};
use platefarm_model::trust::{AuditEntry, Role, TokenKind, TokenView};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of its word or certificate, as 64 hex digits.
    pub hash: String,
    /// All else.
    pub view: TokenView,
}

/// Digits of its hash that name a token to people.
pub const TOKEN_ID_DIGITS: usize = 12;

/// The tables of tokens and of what people did.
#[derive(Clone, Debug)]
pub struct TrustStore {
    pool: AnyPool,
}

/// What [`TrustStore::audit`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditPage {
    /// Only entries before this id.
    pub before: Option<String>,
    /// Only entries of this name.
    pub who: Option<String>,
    /// Most entries.
    pub limit: u32,
}

const TOKEN_COLUMNS: &str = "SELECT hash, name, kind, role, shows, created, created_by, expires, \
    revoked, used FROM tokens";

impl TrustStore {
    /// The tables of a store that some scheduler has.
    ///
    /// # Errors
    /// `F0006` for an address that is none.
    pub(crate) fn beside(place: &Place) -> Outcome<Self> {
        Ok(Self { pool: pool(place)? })
    }

    /// The tables of a store whether or not a scheduler has it. One that has
    /// to be made or upgraded first is taken for that long.
    ///
    /// # Errors
    /// `F0502`, `F0509`; `F0510` when it must be upgraded and a scheduler has it.
    pub async fn open(place: &Place) -> Outcome<Self> {
        let there = !matches!(place, Place::Sqlite(path) if !path.exists());
        place.make()?;
        let store = Self::beside(place)?;
        if there {
            let db = store.pool.acquire().await;
            let mut db = db.map_err(|e| failed("open the store", &e).at(place.to_string()))?;
            if schema::is_current(&mut db).await {
                drop(db);
                return Ok(store);
            }
        }
        // As a scheduler would, which leads until it is closed.
        SqlStore::open(place.clone(), "").await?.close().await?;
        Ok(store)
    }

    /// Every token that was ever made, oldest first.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn tokens(&self) -> Outcome<Vec<TokenRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{TOKEN_COLUMNS} ORDER BY created, hash"));
        let rows = sqlx::query(sql).fetch_all(&self.pool).await;
        let rows = rows.map_err(|e| failed("read the tokens", &e))?;
        rows.iter().map(token).collect()
    }

    /// Keeps a new token.
    ///
    /// # Errors
    /// `F0508` when the certificate is enrolled already, `F0502`.
    pub async fn insert(&self, row: &TokenRow) -> Outcome<()> {
        let view = &row.view;
        let shows = serde_json::to_string(&view.shows)
            .map_err(|e| Fault::new(Code::Internal, "shows cannot be written").because(&e))?;
        let done = sqlx::query(
            "INSERT INTO tokens (hash, name, kind, role, shows, created, created_by, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&row.hash)
        .bind(&view.name)
        .bind(view.kind.name())
        .bind(view.role.name())
        .bind(shows)
        .bind(view.created.0)
        .bind(&view.created_by)
        .bind(view.expires.map(|t| t.0))
        .execute(&self.pool)
        .await;
        match done {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(e)) if e.is_unique_violation() => Err(Fault::new(
                Code::BadSpec,
                format!("{} is enrolled already", view.id),
            )
            .at("certificate")
            .remedy("Show it with `platefarm tokens list`; a revoked certificate stays revoked.")),
            Err(e) => Err(failed("keep the token", &e)),
        }
    }

    /// Ends a token. Once ended, it stays as it ended first.
    ///
    /// # Errors
    /// `F0609` when there is no such token, `F0502`.
    pub async fn revoke(&self, id: &str, at: Timestamp) -> Outcome<TokenRow> {
        let unknown = || Fault::new(Code::UnknownToken, format!("there is no token '{id}'"));
        if id.len() != TOKEN_ID_DIGITS || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(unknown());
        }
        let id = id.to_ascii_lowercase();
        sqlx::query("UPDATE tokens SET revoked = $1 WHERE hash LIKE $2 AND revoked IS NULL")
            .bind(at.0)
            .bind(format!("{id}%"))
            .execute(&self.pool)
            .await
            .map_err(|e| failed("revoke the token", &e))?;
        let rows = self.tokens().await?;
        rows.into_iter().find(|row| row.view.id == id).ok_or_else(unknown)
    }

    /// Notes when tokens were last used.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn used(&self, seen: &[(String, Timestamp)]) -> Outcome<()> {
        let cannot = |e: sqlx::Error| failed("note that a token was used", &e);
        let mut tx = self.pool.begin().await.map_err(cannot)?;
        for (hash, at) in seen {
            sqlx::query("UPDATE tokens SET used = $1 WHERE hash = $2")
                .bind(at.0)
                .bind(hash)
                .execute(&mut *tx)
                .await
                .map_err(cannot)?;
        }
        tx.commit().await.map_err(cannot)
    }

    /// Writes new entries and ends of earlier ones, all or none, durably.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn record(&self, begun: &[AuditEntry], ended: &[(String, String)]) -> Outcome<()> {
        let cannot = |e: sqlx::Error| failed("write the audit log", &e);
        let mut tx = self.pool.begin().await.map_err(cannot)?;
        for entry in begun {
            sqlx::query(
                "INSERT INTO audit (id, at, who, token, role, peer, action, subject, detail, \
                 outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(&entry.id)
            .bind(entry.at.0)
            .bind(&entry.who)
            .bind(&entry.token)
            .bind(entry.role.name())
            .bind(&entry.from)
            .bind(&entry.action)
            .bind(&entry.subject)
            .bind(&entry.detail)
            .bind(entry.outcome.as_deref())
            .execute(&mut *tx)
            .await
            .map_err(cannot)?;
        }
        for (id, outcome) in ended {
            sqlx::query("UPDATE audit SET outcome = $1 WHERE id = $2")
                .bind(outcome)
                .bind(id)
                .execute(&mut *tx)
                .await
                .map_err(cannot)?;
        }
        tx.commit().await.map_err(cannot)
    }

    /// What people did, newest first.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn audit(&self, page: &AuditPage) -> Outcome<Vec<AuditEntry>> {
        let rows = sqlx::query(
            "SELECT id, at, who, token, role, peer, action, subject, detail, outcome FROM audit \
             WHERE ($1 = '' OR id < $1) AND ($2 = '' OR who = $2) ORDER BY id DESC LIMIT $3",
        )
        .bind(page.before.as_deref().unwrap_or_default())
        .bind(page.who.as_deref().unwrap_or_default())
        .bind(i64::from(page.limit))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| failed("read the audit log", &e))?;
        rows.iter().map(entry).collect()
    }
}

/// A column of a row.
fn column<'r, T>(row: &'r AnyRow, table: &str, index: usize) -> Outcome<T>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(index).map_err(|e| failed("read the store", &e).at(table))
}

fn role(text: &str) -> Outcome<Role> {
    text.parse().map_err(|fault: Fault| Fault { code: Code::StoreFailed, ..fault })
}

fn token(row: &AnyRow) -> Outcome<TokenRow> {
    let text = |index| column::<String>(row, "tokens", index);
    let time = |index| column::<Option<i64>>(row, "tokens", index).map(|t| t.map(Timestamp));
    let unknown = |what: &str| Fault::new(Code::StoreFailed, format!("'{what}' in tokens"));
    let (hash, kind, shows) = (text(0)?, text(2)?, text(4)?);
    let kinds = [TokenKind::Word, TokenKind::Certificate];
    let view = TokenView {
        id: hash.get(..TOKEN_ID_DIGITS).ok_or_else(|| unknown("a short hash"))?.to_owned(),
        name: text(1)?,
        kind: kinds.into_iter().find(|k| k.name() == kind).ok_or_else(|| unknown(&kind))?,
        role: role(&text(3)?)?,
        shows: serde_json::from_str(&shows).map_err(|e| unknown(&shows).because(&e))?,
        created: Timestamp(column(row, "tokens", 5)?),
        created_by: text(6)?,
        expires: time(7)?,
        revoked: time(8)?,
        used: time(9)?,
    };
    Ok(TokenRow { hash, view })
}

fn entry(row: &AnyRow) -> Outcome<AuditEntry> {
    let text = |index| column::<String>(row, "audit", index);
    Ok(AuditEntry {
        id: text(0)?,
        at: Timestamp(column(row, "audit", 1)?),
        who: text(2)?,
        token: text(3)?,
        role: role(&text(4)?)?,
        from: text(5)?,
        action: text(6)?,
        subject: text(7)?,
        detail: text(8)?,
        outcome: column(row, "audit", 9)?,
    })
}
