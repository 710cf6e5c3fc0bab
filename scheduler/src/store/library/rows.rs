//! Rows of the library's tables, in the SQL that both databases have.

use super::super::marks::Marks;
use super::search::Search;
use crate::pulls::ClipKey;
use platefarm_model::clip::ClipInfo;
use platefarm_model::format::FormatKey;
use platefarm_model::schema::MISSING;
use platefarm_model::{Code, Fault, Outcome};
use serde::de::DeserializeOwned;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, AnyPool, Arguments, AssertSqlSafe, Row as _};
use std::collections::HashMap;
use twox_hash::XxHash3_64;

/// Clips that are written with one statement.
pub(super) const GROUP: usize = 64;

/// A clip, ready to be written.
pub(super) struct Row {
    pub(super) id: i64,
    /// The id that it has where its show keeps it beside one that the show does not see.
    own: i64,
    show: String,
    path: String,
    name: String,
    key: String,
    words: String,
    day: String,
    format: String,
    pub(super) info: String,
}

/// A clip that is there already.
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) show: String,
    pub(super) info: String,
}

/// A clip, as a search reads it.
pub(super) struct Hit {
    pub(super) id: i64,
    pub(super) show: String,
    pub(super) key: String,
    pub(super) format: String,
}

/// The id of a clip: the same for the same path and name, in every library.
fn id(path: &str, name: &str) -> i64 {
    // SQL has signed numbers only.
    (XxHash3_64::oneshot(format!("{path}\n{name}").as_bytes()) >> 1) as i64
}

/// The id of what a show says of a clip beside a description of others, which it does not see.
fn own_id(show: &str, path: &str, name: &str) -> i64 {
    id(path, &format!("{name}\n{show}"))
}

/// Whether a clip is described under the id that all shows have for it.
pub(super) fn is_common(found: i64, key: &ClipKey) -> bool {
    found == id(&key.path, &key.clip_name)
}

/// An id as people see it.
pub(super) fn id_text(id: i64) -> String {
    format!("c{id:016x}")
}

pub(super) fn parse_id(text: &str) -> Outcome<i64> {
    let digits = text.strip_prefix('c').filter(|digits| digits.len() == 16);
    digits.and_then(|digits| i64::from_str_radix(digits, 16).ok()).ok_or_else(|| {
        Fault::new(Code::BadId, format!("'{text}' is no clip of the library"))
            .remedy("Use ids as `platefarm library search` prints them: c0123456789abcdef.")
    })
}

/// A camera format in words: its five values.
pub(super) fn format_text(key: &FormatKey) -> String {
    let values = key.values().map(|(_, value)| value.as_deref().unwrap_or(MISSING).to_owned());
    values.join(" | ")
}

pub(super) fn parse<T: DeserializeOwned>(text: &str, column: &str) -> Outcome<T> {
    serde_json::from_str(text).map_err(|e| {
        Fault::new(Code::BadLibrary, format!("column '{column}' of the library cannot be read"))
            .because(&e)
    })
}

fn json(value: &impl serde::Serialize) -> Outcome<String> {
    serde_json::to_string(value)
        .map_err(|e| Fault::new(Code::Internal, "a row cannot be written as JSON").because(&e))
}

impl Row {
    pub(super) fn of(show: &str, clip: &ClipInfo) -> Outcome<Self> {
        let key = ClipKey::of(clip);
        let format = format_text(&FormatKey::of(clip));
        let camera = clip.camera.name().unwrap_or_default();
        let words = [
            Some(show),
            Some(key.path.as_str()),
            key.reel_name.as_deref(),
            clip.identity.scene.as_deref(),
            clip.identity.take.as_deref(),
            Some(camera.as_str()),
            clip.lens.model.as_deref(),
            Some(format.as_str()),
            clip.timing.captured.as_deref(),
            clip.color_space.as_deref(),
        ];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        Ok(Self {
            id: id(&key.path, &key.clip_name),
            own: own_id(show, &key.path, &key.clip_name),
            show: show.to_owned(),
            path: key.path.clone(),
            name: key.clip_name.clone(),
            words: format!("{} {}", key.clip_name, words.join(" ")).to_lowercase(),
            day: key.date.clone().unwrap_or_default(),
            key: json(&key)?,
            format,
            info: json(clip)?,
        })
    }

    /// Takes the id under which its show keeps it: its own, where it has one from before, or where
    /// the clip is described for a show that it `may` not see.
    pub(super) fn settle(&mut self, known: &[Known], may: impl Fn(&str) -> bool) {
        let of = |id: i64| known.iter().find(|known| known.id == id);
        if of(self.own).is_some() || of(self.id).is_some_and(|known| !may(&known.show)) {
            self.id = self.own;
        }
    }
}

/// Which of the rows are there, under either of their ids, and as what.
pub(super) async fn known(db: &mut AnyConnection, rows: &[Row]) -> sqlx::Result<Vec<Known>> {
    let marks = Marks::of(db).rows(1, 2 * rows.len());
    let sql = format!(
        "SELECT clips.id, clips.production, clip_info.info FROM clips \
         JOIN clip_info ON clip_info.id = clips.id WHERE clips.id IN {marks}"
    );
    let mut arguments = AnyArguments::default();
    for id in rows.iter().flat_map(|row| [row.id, row.own]) {
        arguments.add(id).map_err(sqlx::Error::Encode)?;
    }
    // The text holds numbers of places only.
    let found = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(db).await?;
    let known = |row: &AnyRow| {
        Ok(Known { id: row.try_get(0)?, show: row.try_get(1)?, info: row.try_get(2)? })
    };
    found.iter().map(known).collect()
}

/// Writes rows; those that are there are described anew.
pub(super) async fn write(db: &mut AnyConnection, rows: &[Row]) -> sqlx::Result<()> {
    const COLUMNS: usize = 8;
    let marks = Marks::of(db);
    let mut arguments = AnyArguments::default();
    for row in rows {
        arguments.add(row.id).map_err(sqlx::Error::Encode)?;
        for text in [&row.show, &row.path, &row.name, &row.key, &row.words, &row.day, &row.format] {
            arguments.add(text.clone()).map_err(sqlx::Error::Encode)?;
        }
    }
    let sql = format!(
        "INSERT INTO clips (id, production, path, name, clip_key, words, day, format) VALUES {} \
         ON CONFLICT (id) DO UPDATE SET production = excluded.production, \
         clip_key = excluded.clip_key, words = excluded.words, day = excluded.day, \
         format = excluded.format",
        marks.rows(rows.len(), COLUMNS)
    );
    sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut *db).await?;
    let sql = format!(
        "INSERT INTO clip_info (id, info) VALUES {} \
         ON CONFLICT (id) DO UPDATE SET info = excluded.info",
        marks.rows(rows.len(), 2)
    );
    let mut arguments = AnyArguments::default();
    for row in rows {
        arguments.add(row.id).map_err(sqlx::Error::Encode)?;
        arguments.add(row.info.clone()).map_err(sqlx::Error::Encode)?;
    }
    sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut *db).await?;
    Ok(())
}

pub(super) async fn delete(db: &mut AnyConnection, id: i64) -> sqlx::Result<u64> {
    sqlx::query("DELETE FROM clip_info WHERE id = $1").bind(id).execute(&mut *db).await?;
    let gone = sqlx::query("DELETE FROM clips WHERE id = $1").bind(id).execute(&mut *db).await?;
    Ok(gone.rows_affected())
}

/// Which clips of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// All.
    Any,
    /// Those that were added for a show.
    Show(&'a str),
    /// Those, and those that were added for none.
    ShowOrNone(&'a str),
}

impl Of<'_> {
    /// The condition on `production`, whose one argument is the show.
    const fn condition(self) -> &'static str {
        match self {
            Self::Any => "$2 = $2",
            Self::Show(_) => "production = $2",
            Self::ShowOrNone(_) => "production IN ($2, '')",
        }
    }

    const fn show(&self) -> &str {
        match self {
            Self::Any => "",
            Self::Show(show) | Self::ShowOrNone(show) => show,
        }
    }
}

/// Rows that the database hands over at once: each on its own costs more than what is in it.
const HANDFULS: usize = 512;

/// The id and key of every clip of `of`, many to a text: a line is `<id> <key>`. In no order.
pub(super) async fn keys(pool: &AnyPool, of: Of<'_>) -> sqlx::Result<Vec<String>> {
    let sql = format!(
        "SELECT string_agg(CAST(id AS TEXT) || ' ' || clip_key, $1) FROM clips WHERE {} \
         GROUP BY id % {HANDFULS}",
        of.condition()
    );
    // The text holds names of columns and a number only.
    let rows = sqlx::query(AssertSqlSafe(sql)).bind("\n").bind(of.show().to_owned());
    rows.fetch_all(pool).await?.iter().map(|row| row.try_get(0)).collect()
}

/// How many clips belong to other shows.
pub(super) async fn of_others(pool: &AnyPool, show: &str) -> sqlx::Result<i64> {
    let sql = "SELECT COUNT(*) FROM clips WHERE production NOT IN ($1, '')";
    sqlx::query(sql).bind(show.to_owned()).fetch_one(pool).await?.try_get(0)
}

/// The camera formats, in words, with the keys of their clips, a line each as [`keys`] has them.
pub(super) async fn formats(pool: &AnyPool, of: Of<'_>) -> sqlx::Result<Vec<(String, String)>> {
    let sql = format!(
        "SELECT format, string_agg(CAST(id AS TEXT) || ' ' || clip_key, $1) FROM clips \
         WHERE {} GROUP BY format",
        of.condition()
    );
    // As above.
    let rows = sqlx::query(AssertSqlSafe(sql)).bind("\n").bind(of.show().to_owned());
    rows.fetch_all(pool).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A line of [`keys`].
pub(super) fn keyed(line: &str) -> Outcome<(i64, ClipKey)> {
    let (id, key) = line.split_once(' ').unwrap_or_default();
    let id = id.parse().map_err(|e| {
        Fault::new(Code::BadLibrary, format!("'{id}' is no id of a clip")).because(&e)
    })?;
    Ok((id, parse(key, "clip_key")?))
}

/// Descriptions by their ids, as far as they are there.
pub(super) async fn infos(pool: &AnyPool, ids: &[i64]) -> sqlx::Result<HashMap<i64, String>> {
    let mut found = HashMap::with_capacity(ids.len());
    let mut db = pool.acquire().await?;
    let marks = Marks::of(&db);
    for group in ids.chunks(GROUP) {
        let marks = marks.rows(1, group.len());
        let sql = format!("SELECT id, info FROM clip_info WHERE id IN {marks}");
        let mut arguments = AnyArguments::default();
        for id in group {
            arguments.add(*id).map_err(sqlx::Error::Encode)?;
        }
        // The text holds numbers of places only.
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(&mut *db).await?;
        for row in rows {
            found.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(found)
}

const HIT: &str = "SELECT id, production, clip_key, format FROM clips";

fn hit(row: &AnyRow) -> sqlx::Result<Hit> {
    Ok(Hit {
        id: row.try_get(0)?,
        show: row.try_get(1)?,
        key: row.try_get(2)?,
        format: row.try_get(3)?,
    })
}

/// Rows that may be what is looked for; what SQL cannot say is asked of their keys.
pub(super) async fn search(pool: &AnyPool, search: &Search) -> sqlx::Result<Vec<Hit>> {
    let mut wheres: Vec<String> = Vec::new();
    let mut arguments = AnyArguments::default();
    let mut count = 0;
    let mut bind = |condition: &str, value: String| {
        count += 1;
        wheres.push(condition.replace('?', &format!("${count}")));
        arguments.add(value).map_err(sqlx::Error::Encode)
    };
    for word in &search.words {
        let mut escaped = String::from("%");
        for c in word.to_lowercase().chars() {
            if matches!(c, '%' | '_' | '\\') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        escaped.push('%');
        bind("words LIKE ? ESCAPE '\\'", escaped)?;
    }
    if let Some(show) = &search.show {
        bind("production = ?", show.clone())?;
    }
    if let Some([from, to]) = &search.days {
        bind("day >= ?", from.clone())?;
        bind("day <= ?", to.clone())?;
    }
    let filter =
        if wheres.is_empty() { String::new() } else { format!(" WHERE {}", wheres.join(" AND ")) };
    let sql = format!("{HIT}{filter} ORDER BY path, name");
    // The text holds names of this file and numbers of places only.
    let rows = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(pool).await?;
    rows.iter().map(hit).collect()
}

pub(super) async fn named(pool: &AnyPool, name: &str) -> sqlx::Result<Vec<Hit>> {
    let sql = format!("{HIT} WHERE id = $1 OR path = $2 OR name = $3 ORDER BY path, name");
    let id = parse_id(name).unwrap_or(-1);
    let query =
        sqlx::query(AssertSqlSafe(sql)).bind(id).bind(name.to_owned()).bind(name.to_owned());
    query.fetch_all(pool).await?.iter().map(hit).collect()
}
