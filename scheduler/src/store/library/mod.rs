//! The library: every clip that was inspected, findable in a moment, and what
//! people know about footage that no file says.
//!
//! It lives in the scheduler's store, or in a file of its own where there is
//! no farm; it takes no part in scheduling, so it needs none of the store's
//! locks. A clip has a small row that search and matching read
//! ([`ClipKey`](crate::pulls::ClipKey)), and its whole description beside it,
//! read only when it is wanted: a hundred thousand clips are matched without
//! reading a hundred thousand descriptions.
//!
//! - [`search`] says what is looked for.
//! - [`formats`] are camera formats and what people set for them, which holds
//!   for later footage of the same format too.
//! - [`shows`] are a production's defaults for delivery, and its choices.
//! - [`described`] reads clips as `platefarm inspect` describes them.
//! - [`pull`] hands a pull the clips that it may take.
//! - [`shelf`] is a scheduler's library, which may not be there.

mod described;
pub mod formats;
mod pull;
mod rows;
pub mod search;
mod shelf;
mod shows;
#[cfg(test)]
mod tests;

pub use described::described;
pub(crate) use described::is_whole;
pub use formats::{Card, Override};
pub use pull::Footage;
pub use rows::Of;
pub use search::Search;
pub(crate) use shelf::Shelf;
pub use shows::{Show, ShowChange};

use crate::pulls::ClipKey;
use crate::store::{Place, library_pool};
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, Outcome};
use serde::Serialize;
use serde::ser::SerializeStruct;
use sqlx::{Any, AnyPool, AssertSqlSafe, Transaction};
use std::collections::HashSet;

/// The clips of a store.
#[derive(Clone, Debug)]
pub struct Library {
    pool: AnyPool,
    place: String,
    is_sqlite: bool,
}

/// A clip as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id in this library.
    pub id: String,
    /// Show that it was added for; empty when none was named.
    pub show: String,
    /// What finds it.
    pub key: ClipKey,
    /// Camera format, in words.
    pub format: String,
}

impl Serialize for Entry {
    /// Under the names that people know; in the store they are short.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let ClipKey { path, clip_name, reel_name, start, rate, frames, date, letter, .. } =
            &self.key;
        let start = start.map(|start| start.to_string());
        let mut entry = to.serialize_struct("Entry", 11)?;
        entry.serialize_field("id", &self.id)?;
        entry.serialize_field("show", &self.show)?;
        entry.serialize_field("clip_name", clip_name)?;
        entry.serialize_field("reel_name", reel_name)?;
        entry.serialize_field("camera_letter", letter)?;
        entry.serialize_field("date", date)?;
        entry.serialize_field("start", &start)?;
        entry.serialize_field("rate", rate)?;
        entry.serialize_field("frames", frames)?;
        entry.serialize_field("format", &self.format)?;
        entry.serialize_field("path", path)?;
        entry.end()
    }
}

/// What adding clips came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Added {
    /// Clips that were not known.
    pub new: u64,
    /// Clips that were known and are described anew.
    pub updated: u64,
    /// Clips that were known, and nothing about them changed.
    pub unchanged: u64,
}

fn failed(what: &str, place: &str, error: &sqlx::Error) -> Fault {
    Fault::new(Code::StoreFailed, format!("cannot {what}")).at(place.to_owned()).because(error)
}

impl Library {
    /// Opens the library of a store; its tables are made when they are not there.
    ///
    /// # Errors
    /// `F0502` when it cannot be reached, `F0509` when a later version wrote it.
    pub async fn open(place: &Place) -> Outcome<Self> {
        let is_sqlite = matches!(place, Place::Sqlite(_));
        Ok(Self { pool: library_pool(place).await?, place: place.to_string(), is_sqlite })
    }

    fn cannot<'e>(&'e self, what: &'e str) -> impl Fn(sqlx::Error) -> Fault + 'e {
        move |error| failed(what, &self.place, &error)
    }

    /// A transaction beside which nobody writes to `table`: what it reads is so until it ends.
    async fn alone(&self, table: &'static str) -> sqlx::Result<Transaction<'static, Any>> {
        // SQLite does not wait for another writer once a transaction has read.
        if self.is_sqlite {
            return self.pool.begin_with("BEGIN IMMEDIATE").await;
        }
        let mut tx = self.pool.begin().await?;
        // The text holds a name of this room only.
        let lock = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        sqlx::query(AssertSqlSafe(lock)).execute(&mut *tx).await?;
        Ok(tx)
    }

    /// Adds clips, or describes them anew; all of them or none. Of a clip that
    /// stands there twice the last holds.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn add(&self, show: &str, clips: &[ClipInfo]) -> Outcome<Added> {
        self.add_where(show, clips, |_| true).await
    }

    /// The same for somebody who may not see every show, as `may` says it of the show that a clip
    /// was added for before. What is there for others stays as it is, and the show keeps a
    /// description of its own beside it: a refusal would tell that there is something.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn add_where(
        &self,
        show: &str,
        clips: &[ClipInfo],
        may: impl Fn(&str) -> bool,
    ) -> Outcome<Added> {
        shows::shown(show)?;
        let cannot = self.cannot("add clips to the library");
        let rows = clips.iter().map(|clip| rows::Row::of(show, clip)).collect::<Outcome<Vec<_>>>();
        let mut seen = HashSet::new();
        let mut rows: Vec<_> = rows?.into_iter().rev().filter(|row| seen.insert(row.id)).collect();
        rows.reverse();
        let mut tx = self.alone("clips").await.map_err(&cannot)?;
        let mut added = Added::default();
        for rows in rows.chunks_mut(rows::GROUP) {
            let known = rows::known(&mut tx, rows).await.map_err(&cannot)?;
            rows.iter_mut().for_each(|row| row.settle(&known, &may));
            added.count(&known, rows);
            rows::write(&mut tx, rows).await.map_err(&cannot)?;
        }
        tx.commit().await.map_err(&cannot)?;
        Ok(added)
    }

    /// Forgets clips whose files are gone, by their ids.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn forget(&self, ids: &[String]) -> Outcome<u64> {
        let cannot = self.cannot("forget clips of the library");
        let mut tx = self.pool.begin().await.map_err(&cannot)?;
        let mut gone = 0;
        for id in ids {
            gone += rows::delete(&mut tx, rows::parse_id(id)?).await.map_err(&cannot)?;
        }
        tx.commit().await.map_err(&cannot)?;
        Ok(gone)
    }

    /// The keys of clips with their ids, in the order of their paths; of one that is described
    /// twice that comes first which a show keeps for itself.
    ///
    /// # Errors
    /// `F0502`; [`Code::BadLibrary`] when a row cannot be read.
    pub async fn keys(&self, of: Of<'_>) -> Outcome<(Vec<i64>, Vec<ClipKey>)> {
        let texts = rows::keys(&self.pool, of).await.map_err(self.cannot("read the library"))?;
        let mut found = read(&texts)?;
        // By their bytes, whatever order a database has for texts.
        found.sort_by(|(i, a), (j, b)| {
            let described = || (rows::is_common(*i, a), i).cmp(&(rows::is_common(*j, b), j));
            (&a.path, &a.clip_name).cmp(&(&b.path, &b.clip_name)).then_with(described)
        });
        Ok(found.into_iter().unzip())
    }

    /// How many clips belong to other shows than this one.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn of_others(&self, show: &str) -> Outcome<u64> {
        let count = rows::of_others(&self.pool, show).await;
        Ok(count.map_err(self.cannot("count the clips"))?.unsigned_abs())
    }

    /// Clips in full, by their ids, with what people set for their formats.
    ///
    /// # Errors
    /// `F0502`; [`Code::BadLibrary`] when one is not there.
    pub async fn clips(&self, ids: &[i64]) -> Outcome<Vec<ClipInfo>> {
        let overrides = self.overrides().await?;
        let cannot = self.cannot("read the library");
        let texts = rows::infos(&self.pool, ids).await.map_err(&cannot)?;
        let mut clips = Vec::with_capacity(ids.len());
        for id in ids {
            let text = texts.get(id).ok_or_else(|| {
                Fault::new(Code::BadLibrary, format!("clip {} is not there", rows::id_text(*id)))
            })?;
            let mut clip: ClipInfo = rows::parse(text, "info")?;
            overrides.apply(&mut clip);
            clips.push(clip);
        }
        Ok(clips)
    }

    /// Clips that are looked for, at most `most`, and how many there are in all.
    ///
    /// # Errors
    /// `F0502`, [`Code::BadTimecode`] when a range of the search cannot be read.
    pub async fn search(&self, search: &Search, most: usize) -> Outcome<(Vec<Entry>, usize)> {
        self.page(search, 0, most).await
    }

    /// The same, with the first `skip` of them passed over.
    ///
    /// # Errors
    /// As [`Library::search`].
    pub async fn page(
        &self,
        search: &Search,
        skip: usize,
        most: usize,
    ) -> Outcome<(Vec<Entry>, usize)> {
        let cannot = self.cannot("search the library");
        let rows = rows::search(&self.pool, search).await.map_err(cannot)?;
        let mut found = Vec::new();
        let mut count = 0;
        for row in rows {
            let key: ClipKey = rows::parse(&row.key, "clip_key")?;
            if !search.holds(&key)? {
                continue;
            }
            count += 1;
            if count > skip && found.len() < most {
                let id = rows::id_text(row.id);
                found.push(Entry { id, show: row.show, key, format: row.format });
            }
        }
        Ok((found, count))
    }

    /// The one clip that is named: by its id, its path or its name.
    ///
    /// # Errors
    /// [`Code::NoMedia`] when there is none, [`Code::DuplicateClip`] when there are several.
    pub async fn find(&self, name: &str) -> Outcome<(Entry, ClipInfo)> {
        self.find_where(name, |_| true).await
    }

    /// The same among the clips of shows that somebody sees.
    ///
    /// # Errors
    /// As [`Library::find`].
    pub async fn find_where(
        &self,
        name: &str,
        sees: impl Fn(&str) -> bool,
    ) -> Outcome<(Entry, ClipInfo)> {
        let cannot = self.cannot("search the library");
        let mut rows = rows::named(&self.pool, name).await.map_err(cannot)?;
        rows.retain(|row| sees(&row.show));
        let [row] = rows.as_slice() else {
            let Some(first) = rows.first() else {
                let message = format!("'{name}' is no clip of the library");
                return Err(Fault::new(Code::NoMedia, message)
                    .remedy("`platefarm library search` finds clips by parts of their names."));
            };
            let ids: Vec<String> = rows.iter().map(|row| rows::id_text(row.id)).collect();
            let message = format!("{} clips are called '{}'", rows.len(), name);
            return Err(Fault::new(Code::DuplicateClip, message)
                .at(rows::parse::<ClipKey>(&first.key, "clip_key")?.path)
                .remedy(format!("Name one by its id: {}.", ids.join(", "))));
        };
        let key = rows::parse(&row.key, "clip_key")?;
        let clip = self.clips(&[row.id]).await?.remove(0);
        let id = rows::id_text(row.id);
        Ok((Entry { id, show: row.show.clone(), key, format: row.format.clone() }, clip))
    }
}

/// Keys, read by as many threads as there are cores.
fn read(texts: &[String]) -> Outcome<Vec<(i64, ClipKey)>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = texts.len().div_ceil(cores).max(1);
    let lines = |texts: &[String]| -> Outcome<Vec<(i64, ClipKey)>> {
        texts.iter().flat_map(|text| text.lines()).map(rows::keyed).collect()
    };
    let shares: Vec<Outcome<Vec<(i64, ClipKey)>>> = std::thread::scope(|scope| {
        let begun: Vec<_> =
            texts.chunks(share).map(|texts| scope.spawn(move || lines(texts))).collect();
        let panicked = |_| Err(Fault::new(Code::Internal, "a reader of keys panicked"));
        begun.into_iter().map(|one| one.join().unwrap_or_else(panicked)).collect()
    });
    let mut found = Vec::new();
    for share in shares {
        found.append(&mut share?);
    }
    Ok(found)
}

impl Added {
    fn count(&mut self, known: &[rows::Known], rows: &[rows::Row]) {
        for row in rows {
            match known.iter().find(|known| known.id == row.id) {
                None => self.new += 1,
                Some(known) if known.info == row.info => self.unchanged += 1,
                Some(_) => self.updated += 1,
            }
        }
    }
}
