//! Copies of an SQLite store, made while a scheduler writes to it, and put
//! back. A copy is one moment of the store: whole transactions, nothing of a
//! later one. PostgreSQL has its own tools for this, and people who know them.

use super::place::Place;
use super::private::{self, BESIDE, beside};
use super::sql::failed;
use super::{SqlStore, Store};
use crate::core::{Policy, State};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use sqlx::{AnyConnection, Connection, Row};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is in a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its size in bytes.
    pub bytes: u64,
    /// Jobs in it.
    pub jobs: usize,
}

fn file(place: &Place) -> Outcome<&Path> {
    match place {
        Place::Sqlite(path) => Ok(path),
        Place::Postgres(_) => Err(Fault::new(
            Code::BadConfig,
            "this store is a PostgreSQL database",
        )
        .at(place.to_string())
        .remedy(
            "Use pg_dump or your server's own backups; every transaction of the farm is whole.",
        )),
    }
}

fn io(what: &str, path: &Path, e: &std::io::Error) -> Fault {
    let code = if e.kind() == ErrorKind::StorageFull { Code::DiskFull } else { Code::WriteFailed };
    Fault::new(code, format!("cannot {what}")).at(path.display().to_string()).because(e)
}

/// A new file beside a name, for its user alone: what is in it is as secret as the store.
fn begun(of: &Path) -> Outcome<(PathBuf, File)> {
    let path = partial(of);
    // Left by one that was interrupted.
    let _ = std::fs::remove_file(&path);
    let file = private::create(&path).map_err(|e| io("make the copy", &path, &e))?;
    Ok((path, file))
}

/// The file that grows while a copy is made that is to be `to`.
#[must_use]
pub fn partial(to: &Path) -> PathBuf {
    beside(to, ".partial")
}

/// How long a copy of the store at `place` will be, about; none where nobody can say.
pub async fn bytes_in_use(place: &Place) -> Option<u64> {
    // Who looks makes no store.
    file(place).ok().filter(|path| path.exists())?;
    sqlx::any::install_default_drivers();
    let mut db = AnyConnection::connect(&place.url().ok()?).await.ok()?;
    let pages = "SELECT CAST((page_count - freelist_count) * page_size AS BIGINT) \
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let row = sqlx::query(pages).fetch_one(&mut db).await.ok();
    let _ = db.close().await;
    row?.try_get::<i64, _>(0).ok().and_then(|bytes| u64::try_from(bytes).ok())
}

/// Copies the store at `place` into the new file `to`. The scheduler goes on meanwhile.
///
/// # Errors
/// `F0010` when `to` is there, `F0006` when the store is no file, `F0203` when
/// there is no store, `F0502` when it cannot be read, `F0301`, `F0303` when the copy cannot be written.
pub async fn backup(place: &Place, to: &Path) -> Outcome<Copied> {
    let from = file(place)?;
    if !from.exists() {
        let message = format!("there is no store at '{}'", from.display());
        return Err(Fault::new(Code::FileNotFound, message));
    }
    if to.exists() {
        let message = format!("'{}' is there already", to.display());
        return Err(
            Fault::new(Code::OutputExists, message).remedy("Give a new name for each copy.")
        );
    }
    sqlx::any::install_default_drivers();
    // SQLite fills a file that is there and empty.
    let (partial, _) = begun(to)?;
    let name = partial.to_str().ok_or_else(|| {
        Fault::new(Code::BadConfig, "the path is not UTF-8").at(partial.display().to_string())
    })?;
    let cannot = |e: sqlx::Error| failed("copy the store", &e).at(place.to_string());
    let mut db = AnyConnection::connect(&place.url()?).await.map_err(cannot)?;
    sqlx::query("PRAGMA busy_timeout = 10000").execute(&mut db).await.map_err(cannot)?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut db).await.map_err(cannot)?;
    let copied = check(&partial).await?;
    let written = File::open(&partial).and_then(|file| file.sync_all());
    written.map_err(|e| io("flush the copy", &partial, &e))?;
    std::fs::rename(&partial, to).map_err(|e| io("name the copy", to, &e))?;
    flush_dir(to)?;
    Ok(copied)
}

/// Puts a copy back as the store at `place`, which no scheduler may have
/// open. What was there is kept beside it; its new name comes back.
///
/// # Errors
/// `F0510` while a scheduler has the store, `F0502` when the copy is no
/// store, `F0509` when a later version wrote it, and as [`backup`].
pub async fn restore(place: &Place, from: &Path) -> Outcome<(Copied, Option<PathBuf>)> {
    let to = file(place)?;
    let _lock = place.lock()?;
    let (partial, mut file) = begun(to)?;
    let written = File::open(from).and_then(|mut from| std::io::copy(&mut from, &mut file));
    written.map_err(|e| io("copy the copy", from, &e))?;
    let copied = check(&partial).await?;
    file.sync_all().map_err(|e| io("flush the store", &partial, &e))?;
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    let aside = to.exists().then(|| beside(to, format!(".before-{since}")));
    if let Some(aside) = &aside {
        // The log belongs to the file: together they are what was committed.
        for ending in [BESIDE[0], BESIDE[1], ""] {
            let (old, new) = (beside(to, ending), beside(aside, ending));
            match std::fs::rename(&old, &new) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(io("keep what was there", &old, &e));
                }
                _ => {}
            }
        }
    }
    std::fs::rename(&partial, to).map_err(|e| io("name the store", to, &e))?;
    flush_dir(to)?;
    Ok((copied, aside))
}

fn flush_dir(path: &Path) -> Outcome<()> {
    let dir = path.parent().filter(|dir| *dir != Path::new("")).unwrap_or(Path::new("."));
    let flushed = File::open(dir).and_then(|dir| dir.sync_all());
    flushed.map_err(|e| io("flush the directory", dir, &e))
}

/// A copy is good when a scheduler could start from it.
async fn check(path: &Path) -> Outcome<Copied> {
    let bytes = std::fs::metadata(path).map_err(|e| io("read the copy", path, &e))?.len();
    let place = Place::Sqlite(path.to_owned());
    let mut store = SqlStore::open(place, "").await?;
    let state = State::restore(Policy::default(), store.load().await?, Timestamp(0))?;
    let jobs = state.jobs(false).len();
    store.close().await?;
    for ending in ["-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
    Ok(Copied { bytes, jobs })
}
