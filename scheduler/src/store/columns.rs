//! The columns of a row, however it came: by itself from the driver, or as a
//! line of a page. What cannot be read is an error with its table and column,
//! never a default.

use platefarm_model::{Code, Fault, JobId, Outcome, StepId};
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

/// A row whose columns are read by their places.
pub(super) trait Columns {
    /// The error for a column that cannot be read.
    fn bad(&self, column: usize) -> Fault;
    fn int(&self, column: usize) -> Outcome<i64>;
    fn int_or_null(&self, column: usize) -> Outcome<Option<i64>>;
    fn str(&self, column: usize) -> Outcome<&str>;
    fn str_or_null(&self, column: usize) -> Outcome<Option<&str>>;

    fn id(&self, column: usize) -> Outcome<u64> {
        u64::try_from(self.int(column)?).map_err(|e| self.bad(column).because(&e))
    }

    fn small(&self, column: usize) -> Outcome<u32> {
        u32::try_from(self.int(column)?).map_err(|e| self.bad(column).because(&e))
    }

    fn text(&self, column: usize) -> Outcome<String> {
        self.str(column).map(str::to_owned)
    }

    fn json<T: DeserializeOwned>(&self, column: usize) -> Outcome<T> {
        serde_json::from_str(self.str(column)?).map_err(|e| self.bad(column).because(&e))
    }

    fn parse<T: std::str::FromStr<Err = Fault>>(&self, column: usize) -> Outcome<T> {
        self.str(column)?.parse().map_err(|e: Fault| self.bad(column).because(&e))
    }

    fn step(&self, job: usize) -> Outcome<StepId> {
        Ok(StepId { job: JobId(self.id(job)?), index: self.small(job + 1)? })
    }
}

fn bad(column: usize, table: &str) -> Fault {
    Fault::new(Code::StoreFailed, format!("column {column} of '{table}' cannot be read"))
}

/// A row by itself, with the name of its table.
pub(super) struct Fields<'r> {
    pub(super) row: &'r AnyRow,
    pub(super) table: &'static str,
}

impl Fields<'_> {
    pub(super) fn bytes(&self, column: usize) -> Outcome<Vec<u8>> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }
}

impl Columns for Fields<'_> {
    fn bad(&self, column: usize) -> Fault {
        bad(column, self.table)
    }

    fn int(&self, column: usize) -> Outcome<i64> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn int_or_null(&self, column: usize) -> Outcome<Option<i64>> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn str(&self, column: usize) -> Outcome<&str> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn str_or_null(&self, column: usize) -> Outcome<Option<&str>> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }
}

/// Between the columns of a line, and between the lines of a page: control
/// characters, which no name may have and JSON never has as they are.
pub(super) const COLUMN: char = '\u{1f}';
pub(super) const LINE: char = '\u{1e}';
/// Most columns of a line.
const MOST: usize = 9;

/// A row as a line of a page. What may be null begins with `=`, or is `-`.
pub(super) struct Line<'t> {
    table: &'static str,
    columns: [&'t str; MOST],
    /// Columns that it has.
    pub(super) count: usize,
}

impl<'t> Line<'t> {
    pub(super) fn of(table: &'static str, text: &'t str) -> Outcome<Self> {
        let mut line = Self { table, columns: [""; MOST], count: 0 };
        for column in text.split(COLUMN) {
            let place = line.columns.get_mut(line.count);
            *place.ok_or_else(|| bad(MOST, table))? = column;
            line.count += 1;
        }
        Ok(line)
    }
}

impl Columns for Line<'_> {
    fn bad(&self, column: usize) -> Fault {
        bad(column, self.table)
    }

    fn int(&self, column: usize) -> Outcome<i64> {
        self.str(column)?.parse().map_err(|e| self.bad(column).because(&e))
    }

    fn int_or_null(&self, column: usize) -> Outcome<Option<i64>> {
        let value = self.str_or_null(column)?.map(str::parse);
        value.transpose().map_err(|e| self.bad(column).because(&e))
    }

    fn str(&self, column: usize) -> Outcome<&str> {
        self.columns[..self.count].get(column).copied().ok_or_else(|| self.bad(column))
    }

    fn str_or_null(&self, column: usize) -> Outcome<Option<&str>> {
        match self.str(column)? {
            "-" => Ok(None),
            text => text.strip_prefix('=').map(Some).ok_or_else(|| self.bad(column)),
        }
    }
}
