//! A table for the terminal: columns as wide as their cells, two spaces apart,
//! numbers to the right. Width counts characters without colour codes. What
//! is wider than the terminal is left out where it can be spared, then cut
//! where words are longest, and never in what a row is known by; a pipe gets all.

/// How a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words, which may be cut.
    Left,
    /// What a row is known by, or what is copied from it (ids, names of plates, times): never cut.
    Key,
    /// Numbers, which never are.
    Right,
}

/// Least width that words are cut to.
const LEAST: usize = 8;

/// Width of words up to which columns that can be spared stay.
const READABLE: usize = 16;

/// Prints `rows` under `header`.
pub(super) fn print(header: &[(&str, Align)], rows: &[Vec<String>]) {
    print_without(&[], header, rows);
}

/// Prints them without those columns of `spare` that say nothing, or for which there is no room, the
/// first ones first.
pub(super) fn print_without(spare: &[&str], header: &[(&str, Align)], rows: &[Vec<String>]) {
    say!("{}", render_without(spare, header, rows, super::style::width()).trim_end());
}

/// What [`print_without`] prints where a line has `room`.
pub(super) fn render_without(
    spare: &[&str],
    header: &[(&str, Align)],
    rows: &[Vec<String>],
    room: usize,
) -> String {
    let mut kept: Vec<usize> = (0..header.len()).collect();
    let widths = natural(header, rows);
    for title in spare {
        let width = |at: &usize| match header[*at] {
            (title, Align::Left) => widths[*at].min(READABLE.max(title.len())),
            _ => widths[*at],
        };
        let line = kept.iter().map(width).sum::<usize>() + 2 * kept.len().saturating_sub(1);
        let is_empty = |row: &Vec<String>| {
            let at = header.iter().position(|(of, _)| of == title);
            at.and_then(|at| row.get(at)).is_none_or(String::is_empty)
        };
        if line > room || rows.iter().all(is_empty) {
            kept.retain(|at| header[*at].0 != *title);
        }
    }
    let header: Vec<_> = kept.iter().map(|at| header[*at]).collect();
    let cells = |row: &Vec<String>| -> Vec<String> {
        kept.iter().filter_map(|at| row.get(*at).cloned()).collect()
    };
    render(&header, &rows.iter().map(cells).collect::<Vec<_>>(), room)
}

/// Columns as wide as their widest cells.
fn natural(header: &[(&str, Align)], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = header.iter().map(|(title, _)| title.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(visible(cell));
        }
    }
    widths
}

/// A cell keeps to its line, and to its place in it.
fn cell(text: &str) -> String {
    super::style::harmless(text).replace(['\n', '\t'], "\u{fffd}")
}

fn render(header: &[(&str, Align)], rows: &[Vec<String>], room: usize) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect();
    let mut widths = natural(header, &rows);
    fit(&mut widths, header, room);
    let titles: Vec<String> = header.iter().map(|(title, _)| super::style::dim(title)).collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(header) {
            let cell = cut(cell, *width);
            let pad = " ".repeat(width - visible(&cell));
            match align {
                Align::Left | Align::Key => line.extend([cell.as_str(), &pad, "  "]),
                Align::Right => line.extend([pad.as_str(), &cell, "  "]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Takes room from the widest columns of words until a line fits, or nothing is left to take.
fn fit(widths: &mut [usize], header: &[(&str, Align)], room: usize) {
    let between = 2 * header.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + between > room {
        let words = widths.iter_mut().zip(header).filter(|(_, (_, align))| *align == Align::Left);
        let can = words.filter(|(width, (title, _))| **width > LEAST.max(title.len()));
        let Some((widest, _)) = can.max_by_key(|(width, _)| **width) else { return };
        *widest -= 1;
    }
}

/// The cell, or another text, in `width` places; what is cut ends in `…`, and so does its colour.
pub(super) fn cut(cell: &str, width: usize) -> String {
    if visible(cell) <= width {
        return cell.to_owned();
    }
    let (mut text, mut count, mut coloured) = (String::new(), 0, false);
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            coloured = true;
            text.push(c);
            for c in chars.by_ref() {
                text.push(c);
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else if count + 1 < width {
            text.push(c);
            count += 1;
        } else {
            break;
        }
    }
    text.push('…');
    if coloured {
        text.push_str("\x1b[0m");
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

    const HEADER: [(&str, Align); 3] =
        [("ID", Align::Left), ("STATE", Align::Left), ("N", Align::Right)];

    /// What others wrote keeps to its cell, on a terminal and in a file.
    #[test]
    fn a_row_is_a_line_whatever_is_in_it() {
        let rows = [vec!["j1".to_owned(), "a\nj2\t\x1b[2Jb".to_owned()]];
        let text = render(&[("ID", Align::Key), ("NAME", Align::Left)], &rows, usize::MAX);
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(!text.contains("\x1b[2J"), "{text:?}");
    }

    #[test]
    fn columns_line_up_whatever_the_colour() {
        let rows = [
            vec!["j1".into(), "\x1b[32mdone\x1b[0m".into(), "7".into()],
            vec!["j12".into(), "failed".into(), "1234".into()],
        ];
        let text = render(&HEADER, &rows, usize::MAX);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(visible(lines[1]), visible(lines[2]));
        assert!(lines[2].ends_with("failed  1234"), "{text}");
    }

    #[test]
    fn a_line_fits_the_terminal_and_numbers_stay_whole() {
        let rows = [vec![
            "a name that goes on and on and on and on".into(),
            "\x1b[31ma state of many words\x1b[0m".into(),
            "123456789".into(),
        ]];
        for room in [80, 60, 40] {
            let text = render(&HEADER, &rows, room);
            assert!(text.lines().all(|line| visible(line) <= room), "{room}: {text}");
            assert!(text.contains("123456789"), "{text}");
        }
        let text = render(&HEADER, &rows, 40);
        assert!(text.contains('…') && text.contains("…\x1b[0m"), "{text:?}");
        // What cannot be made to fit is not made unreadable.
        assert!(render(&HEADER, &rows, 5).contains("a name"), "{text}");
        assert!(!render(&HEADER, &rows, usize::MAX).contains('…'));
    }

    #[test]
    fn what_a_row_is_known_by_is_never_cut() {
        let header = [
            ("ID", Align::Key),
            ("WHAT", Align::Left),
            ("FROM", Align::Left),
            ("WHO", Align::Left),
        ];
        let words = || "words that go on and on and on and on".to_owned();
        let rows = [vec!["f249eeb1029c".into(), words(), words(), words()]];
        let text = render_without(&["FROM"], &header, &rows, 70);
        assert!(text.contains("f249eeb1029c") && text.contains("FROM"), "{text}");
        let text = render_without(&["FROM"], &header, &rows, 40);
        assert!(text.contains("f249eeb1029c") && !text.contains("FROM"), "{text}");
        assert!(text.lines().all(|line| visible(line) <= 40), "{text}");
        assert!(render_without(&["FROM"], &header, &rows, 20).contains("f249eeb1029c"));
    }
}
