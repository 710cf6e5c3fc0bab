//! The marks that stand for the values of a long statement, as its database reads them fastest.
//!
//! PostgreSQL wants them numbered. SQLite keeps numbers as names, in a list that it walks to the
//! name each time a value is bound (`sqlite3_bind_parameter_name`): a statement of 2,048 values
//! took two million steps that way. `perf` had half of a busy scheduler's samples there, and the
//! commit that a group of answers waits for waited for them. Its marks are bare, and are counted
//! from the left in both.

use sqlx::{AnyConnection, Database, Sqlite};

/// Whose marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Marks {
    Bare,
    Numbered,
}

impl Marks {
    pub(super) fn of(db: &AnyConnection) -> Self {
        if db.backend_name() == Sqlite::NAME { Self::Bare } else { Self::Numbered }
    }

    /// So many rows of values: `($1, $2), ($3, $4)`.
    pub(super) fn rows(self, rows: usize, width: usize) -> String {
        let row = |row: usize| format!("({})", self.list(row * width + 1, width));
        (0..rows).map(row).collect::<Vec<_>>().join(", ")
    }

    /// So many values in a row, from the number of the first.
    fn list(self, first: usize, count: usize) -> String {
        let mark = |number| match self {
            Self::Bare => "?".to_owned(),
            Self::Numbered => format!("${number}"),
        };
        (first..first + count).map(mark).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::Marks;

    #[test]
    fn values_are_counted_from_the_left() {
        assert_eq!(Marks::Numbered.rows(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(Marks::Bare.rows(2, 3), "(?, ?, ?), (?, ?, ?)");
        assert_eq!(Marks::Bare.rows(1, 1), "(?)");
    }
}
