//! A table for the terminal: columns as wide as their cells, two spaces apart,
//! numbers to the right. Width counts characters without colour codes. What
//! is wider than the terminal is cut where words are longest; a pipe gets all.

/// How a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words, which may be cut.
    Left,
    /// Numbers, which never are.
    Right,
}

/// Least width that words are cut to.
const LEAST: usize = 8;

/// Prints `rows` under `header`.
pub(super) fn print(header: &[(&str, Align)], rows: &[Vec<String>]) {
    say!("{}", render(header, rows, super::style::width()).trim_end());
}

fn render(header: &[(&str, Align)], rows: &[Vec<String>], room: usize) -> String {
    let mut widths: Vec<usize> = header.iter().map(|(title, _)| title.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(visible(cell));
        }
    }
    fit(&mut widths, header, room);
    let titles: Vec<String> = header.iter().map(|(title, _)| super::style::dim(title)).collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(header) {
            let cell = cut(cell, *width);
            let pad = " ".repeat(width - visible(&cell));
            match align {
                Align::Left => line.extend([cell.as_str(), &pad, "  "]),
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

/// The cell in `width` places; what is cut ends in `…`, and so does its colour.
fn cut(cell: &str, width: usize) -> String {
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
}
