//! Connections beside the scheduler's: for what lives in its store and takes
//! no part in scheduling, and in a store of its own where there is no farm.

use super::place::Place;
use super::sql::SqlStore;
use super::{schema, sql};
use platefarm_model::Outcome;
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use std::time::Duration;

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pool for the library of a store, whose tables are there when it returns.
/// It takes no lock: a scheduler may have the store at the same time.
///
/// # Errors
/// `F0502` when it cannot be reached, `F0509` when a later version wrote it, `F0510` when it must
/// be upgraded and a scheduler has it.
pub(crate) async fn library_pool(place: &Place) -> Outcome<AnyPool> {
    sqlx::any::install_default_drivers();
    place.make()?;
    let sqlite = matches!(place, Place::Sqlite(_));
    let shown = place.to_string();
    let pool = AnyPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(PATIENCE)
        .after_connect(move |db, _| Box::pin(async move { sql::prepare(db, sqlite).await }))
        .connect(&place.url()?)
        .await
        .map_err(|e| sql::failed("open the store", &e).at(&shown))?;
    let mut db = pool.acquire().await.map_err(|e| sql::failed("open the store", &e).at(&shown))?;
    let current = schema::is_current(&mut db).await;
    drop(db);
    if !current {
        // As a scheduler would, which leads until it is closed: never under one that lives.
        SqlStore::open(place.clone(), "").await?.close().await?;
    }
    Ok(pool)
}
