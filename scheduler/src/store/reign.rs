//! Who leads, as a store knows it: by the epoch that began when a scheduler
//! took it. Every transaction that only the leader may make, of the core's rows or beside
//! them, reads the epoch and holds it: one that was deposed writes nothing,
//! whatever connection it has.

use super::sql::failed;
use platefarm_model::{Code, Fault, Outcome};
use sqlx::any::Any;
use sqlx::{AnyConnection, Connection, Row, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(super) const EPOCH: &str = "SELECT epoch FROM leadership WHERE id = 1";
/// As above; and who wants to begin another epoch waits for this transaction.
const EPOCH_HELD: &str = "SELECT epoch FROM leadership WHERE id = 1 FOR SHARE";

/// The epoch in which a scheduler leads, shared with all that writes in its name.
#[derive(Clone, Debug, Default)]
pub struct Reign(Arc<AtomicI64>);

impl Reign {
    /// It took the store, or took it again.
    pub(super) fn began(&self, epoch: i64) {
        self.0.store(epoch, Ordering::SeqCst);
    }

    /// Refuses where another has begun an epoch since.
    pub(super) fn check(&self, epoch: i64) -> Outcome<()> {
        let own = self.0.load(Ordering::SeqCst);
        if epoch == own {
            return Ok(());
        }
        let message = format!("epoch {epoch} has begun, and this scheduler led in {own}");
        Err(Fault::new(Code::NotLeader, message))
    }

    /// A transaction of the one who leads.
    pub(super) async fn begin<'c>(
        &self,
        db: &'c mut AnyConnection,
    ) -> Outcome<Transaction<'c, Any>> {
        let cannot = |e: sqlx::Error| failed("write to the store", &e);
        // SQLite does not wait for another writer (the audit log) once a transaction has
        // read; so ours asks for the right to write before it reads the epoch.
        let (begin, held) = match db.backend_name() {
            "SQLite" => ("BEGIN IMMEDIATE", EPOCH),
            _ => ("BEGIN", EPOCH_HELD),
        };
        let mut tx = db.begin_with(begin).await.map_err(cannot)?;
        let row = sqlx::query(held).fetch_one(&mut *tx).await.map_err(cannot)?;
        self.check(row.try_get(0).map_err(cannot)?)?;
        Ok(tx)
    }
}
