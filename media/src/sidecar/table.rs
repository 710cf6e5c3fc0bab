//! Tables as text: comma or tab separated values with a header (RFC 4180),
//! read record by record so that a long clip costs one row of memory.

use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, Outcome};

/// Most columns of a table: the largest known export has under 300.
const MAX_COLUMNS: usize = 4096;

/// A table: its column names, and the records behind them.
pub(super) struct Table<'a> {
    header: Vec<String>,
    separator: char,
    rest: &'a str,
}

impl<'a> Table<'a> {
    /// Reads the header. A tab in it says that tabs separate.
    ///
    /// # Errors
    /// [`Code::BadSidecar`] when there is none.
    pub(super) fn new(text: &'a str) -> Outcome<Self> {
        let first = text.lines().next().unwrap_or_default();
        let separator = if first.contains('\t') { '\t' } else { ',' };
        let mut rest = text;
        let header = record(&mut rest, separator).unwrap_or_default();
        if header.len() < 2 || header.len() > MAX_COLUMNS {
            let message = format!("a table of {} columns", header.len());
            return Err(Fault::new(Code::BadSidecar, message).at("line 1"));
        }
        Ok(Self { header, separator, rest })
    }

    /// Position of a column; the first of them when a name stands twice.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|title| title.trim() == name)
    }

    /// The records, one after the other. Empty lines are none.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> + use<'a> {
        let (mut rest, separator) = (self.rest, self.separator);
        std::iter::from_fn(move || record(&mut rest, separator))
            .filter(|cells| cells.iter().any(|cell| !cell.is_empty()))
            .map(Record)
    }

    /// Keeps a record's cells as they are, under their columns' names; a name that stands twice is numbered.
    pub(super) fn keep(&self, record: &Record, info: &mut ClipInfo) {
        for (title, cell) in self.header.iter().zip(&record.0) {
            let mut name = title.trim().to_owned();
            let mut number = 2;
            while info.vendor.contains_key(&name) {
                name = format!("{} ({number})", title.trim());
                number += 1;
            }
            if !name.is_empty() {
                info.vendor.insert(name, cell.clone());
            }
        }
    }
}

/// One record.
pub(super) struct Record(Vec<String>);

impl Record {
    /// The cell of a column, without white space around it; nothing when it says nothing.
    pub(super) fn get(&self, column: Option<usize>) -> Option<&str> {
        let cell = self.0.get(column?)?.trim();
        let says = !matches!(cell, "" | "--" | "-" | "n.a." | "n/a" | "N/A");
        says.then_some(cell)
    }
}

/// Takes one record off `rest`: up to the end of a line that is not within quotes.
fn record(rest: &mut &str, separator: char) -> Option<Vec<String>> {
    if rest.is_empty() {
        return None;
    }
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut end = rest.len();
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                cell.push('"');
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            '\n' if !quoted => {
                end = at + 1;
                break;
            }
            c if c == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    *rest = &rest[end..];
    if cell.ends_with('\r') {
        cell.pop();
    }
    cells.push(cell);
    Some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_separators_lines_and_quotes() {
        let text = "a,b,a\r\n1,\"x, \"\"y\"\"\nz\",3\r\n\r\n4,--,";
        let table = Table::new(text).unwrap();
        let rows: Vec<Record> = table.records().collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].get(table.column("b")), Some("x, \"y\"\nz"));
        assert_eq!(rows[1].get(table.column("a")), Some("4"));
        assert_eq!(rows[1].get(table.column("b")), None);
        let mut info = ClipInfo::default();
        table.keep(&rows[0], &mut info);
        assert_eq!(info.vendor["a (2)"], "3", "the second of a name is kept too");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for text in ["", "one column\n", "\n\n"] {
            assert_eq!(Table::new(text).err().map(|f| f.code), Some(Code::BadSidecar), "{text:?}");
        }
        assert!(Table::new(&"a,".repeat(5000)).is_err());
        // A quote that never closes swallows the rest and ends.
        let table = Table::new("a,b\n\"1,2\n3,4").unwrap();
        assert_eq!(table.records().count(), 1);
    }
}
