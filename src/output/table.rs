//! A table for the terminal: columns as wide as their cells, two spaces apart,
//! numbers to the right. Width counts characters without colour codes.

/// How a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Prints `rows` under `header`.
pub(super) fn print(header: &[(&str, Align)], rows: &[Vec<String>]) {
    say!("{}", render(header, rows).trim_end());
}

fn render(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|(title, _)| title.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(visible(cell));
        }
    }
    let titles: Vec<String> = header.iter().map(|(title, _)| super::style::dim(title)).collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(header) {
            let pad = " ".repeat(width - visible(cell));
            match align {
                Align::Left => line.extend([cell.as_str(), &pad, "  "]),
                Align::Right => line.extend([pad.as_str(), cell, "  "]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Characters that take a place: all but escape sequences.
fn visible(cell: &str) -> usize {
    let mut count = 0;
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_colour() {
        let rows = [
            vec!["j1".into(), "\x1b[32mdone\x1b[0m".into(), "7".into()],
            vec!["j12".into(), "failed".into(), "1234".into()],
        ];
        let text =
            render(&[("ID", Align::Left), ("STATE", Align::Left), ("N", Align::Right)], &rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(visible(lines[1]), visible(lines[2]));
        assert!(lines[2].ends_with("failed  1234"), "{text}");
    }
}
