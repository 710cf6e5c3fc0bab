//! Everything that the core is rebuilt from, in pages: a row that a database
//! hands over by itself costs more than what is in it. So it puts a page of rows into
//! one text, and a text is taken apart on another core while it makes the next.

use super::Jobs;
use super::columns::{COLUMN, Columns, Fields, LINE, Line};
use super::sql::failed;
use platefarm_model::{Code, Fault, Outcome};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use tokio::task::JoinHandle;

/// Rows of a page.
const PAGE: usize = 1024;
/// Bytes of what may be long, above which a row is read by itself: so no page is
/// longer than a database and we can hold.
const LONG: usize = 16 * 1024;
/// Columns of the longest key.
const KEY: usize = 3;

/// The key of a row, with zeros behind it.
type Key = [i64; KEY];

/// A table that is read in pages.
pub(super) struct Paged<T> {
    pub(super) name: &'static str,
    /// Columns of its key, numbers, which are read first and in this order; the first is the job's.
    pub(super) key: &'static [&'static str],
    /// Further columns that are never long.
    pub(super) short: &'static [&'static str],
    /// Those that may be.
    pub(super) long: &'static [&'static str],
    /// The columns in the same order, for a row by itself.
    pub(super) columns: &'static str,
    pub(super) of_line: fn(&Line<'_>) -> Outcome<T>,
    pub(super) of_row: fn(&Fields<'_>) -> Outcome<T>,
}

/// What was found on a page.
struct Page<T> {
    rows: Vec<T>,
    /// Rows that are read by themselves.
    long: Vec<Key>,
}

impl<T: Send + 'static> Paged<T> {
    /// The rows behind a key as one text, up to a job, and how many there are.
    fn page(&self) -> String {
        let Self { name, key, short, long, .. } = self;
        let sizes: Vec<String> = long.iter().map(|c| format!("OCTET_LENGTH({c})")).collect();
        let size = sizes.join(" + ");
        // What is null is left out of a line with its separator.
        let long = long.iter().map(|c| format!("CASE WHEN {size} > {LONG} THEN NULL ELSE {c} END"));
        let short = key.iter().chain(*short).map(|c| (*c).to_owned());
        let line: Vec<String> = short.chain(long).collect();
        let behind: Vec<String> = (3..3 + key.len()).map(|place| format!("${place}")).collect();
        let (order, line, behind) = (key.join(", "), line.join(", "), behind.join(", "));
        let (job, last) = (key[0], 3 + key.len());
        format!(
            "SELECT string_agg(concat_ws($1, {line}), $2), COUNT(*) FROM (SELECT * FROM {name} \
             WHERE ({order}) > ({behind}) AND {job} <= ${last} ORDER BY {order} LIMIT {PAGE}) AS page"
        )
    }

    /// A row by its key.
    fn row(&self) -> String {
        let is: Vec<String> = self
            .key
            .iter()
            .zip(1..)
            .map(|(column, place)| format!("{column} = ${place}"))
            .collect();
        format!("SELECT {} FROM {} WHERE {}", self.columns, self.name, is.join(" AND "))
    }

    fn key_of(&self, line: &Line<'_>) -> Outcome<Key> {
        let mut key = [0; KEY];
        for (place, value) in key.iter_mut().enumerate().take(self.key.len()) {
            *value = line.int(place)?;
        }
        Ok(key)
    }

    /// The highest key of a page: no database promises the order of its lines.
    fn highest(&self, text: &str) -> Outcome<Key> {
        let mut highest = [i64::MIN; KEY];
        for line in text.split(LINE) {
            let end = line.match_indices(COLUMN).nth(self.key.len() - 1);
            let key = &line[..end.map_or(line.len(), |(at, _)| at)];
            highest = highest.max(self.key_of(&Line::of(self.name, key)?)?);
        }
        Ok(highest)
    }

    fn take_apart(&self, text: &str) -> Outcome<Page<T>> {
        let short = self.key.len() + self.short.len();
        let mut page = Page { rows: Vec::with_capacity(PAGE), long: Vec::new() };
        for line in text.split(LINE) {
            let line = Line::of(self.name, line)?;
            if line.count == short {
                page.long.push(self.key_of(&line)?);
            } else if line.count == short + self.long.len() {
                page.rows.push((self.of_line)(&line)?);
            } else {
                return Err(line.bad(line.count));
            }
        }
        Ok(page)
    }

    /// Every row of these jobs, in the order of the keys but for long ones, which come last.
    pub(super) async fn read(&'static self, db: &mut AnyConnection, of: Jobs) -> Outcome<Vec<T>> {
        let cannot = |e: sqlx::Error| failed("read the store", &e).at(self.name);
        let (page, row) = (self.page(), self.row());
        let (mut rows, mut long) = (Vec::new(), Vec::new());
        let mut under_way: Option<JoinHandle<Outcome<Page<T>>>> = None;
        let [first, last] = of.bounds();
        // A number below all that there may be is an error, and is not passed over.
        let mut behind = match first {
            0 => [i64::MIN; KEY],
            _ => [first - 1, i64::MAX, i64::MAX],
        };
        loop {
            // The texts hold names of this file and numbers of places only.
            let mut query = sqlx::query(AssertSqlSafe(page.as_str()));
            query = query.bind(COLUMN.to_string()).bind(LINE.to_string());
            for value in &behind[..self.key.len()] {
                query = query.bind(*value);
            }
            let found = query.bind(last).fetch_one(&mut *db).await.map_err(cannot)?;
            let Some(text) = found.try_get::<Option<String>, _>(0).map_err(cannot)? else { break };
            let is_full = found.try_get::<i64, _>(1).map_err(cannot)? >= PAGE as i64;
            if is_full {
                behind = self.highest(&text)?;
            }
            let work = tokio::task::spawn_blocking(move || self.take_apart(&text));
            ended(under_way.replace(work), &mut rows, &mut long).await?;
            if !is_full {
                break;
            }
        }
        ended(under_way, &mut rows, &mut long).await?;
        for key in long {
            let mut query = sqlx::query(AssertSqlSafe(row.as_str()));
            for value in &key[..self.key.len()] {
                query = query.bind(*value);
            }
            let found = query.fetch_one(&mut *db).await.map_err(cannot)?;
            rows.push((self.of_row)(&Fields { row: &found, table: self.name })?);
        }
        Ok(rows)
    }
}

/// Waits for a page, and puts it to the others.
async fn ended<T>(
    page: Option<JoinHandle<Outcome<Page<T>>>>,
    rows: &mut Vec<T>,
    long: &mut Vec<Key>,
) -> Outcome<()> {
    let Some(page) = page else { return Ok(()) };
    let page = page.await.map_err(|e| {
        Fault::new(Code::Internal, "a page of the store was not taken apart").because(&e)
    })?;
    let mut page = page?;
    rows.append(&mut page.rows);
    long.append(&mut page.long);
    Ok(())
}

#[cfg(test)]
mod tests;
