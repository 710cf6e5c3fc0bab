//! Colour, where a terminal wants it: never when `NO_COLOR` is set
//! (no-color.org), the terminal is a dumb one, or the stream is none.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::LazyLock;

static OUT_IS_TERMINAL: LazyLock<bool> = LazyLock::new(|| std::io::stdout().is_terminal());
static ERR_IS_TERMINAL: LazyLock<bool> = LazyLock::new(|| std::io::stderr().is_terminal());
static STDOUT: LazyLock<bool> = LazyLock::new(|| wanted() && *OUT_IS_TERMINAL);
static STDERR: LazyLock<bool> = LazyLock::new(|| wanted() && *ERR_IS_TERMINAL);

fn wanted() -> bool {
    takes_colour(std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
}

/// By what the two variables say.
fn takes_colour(no_color: Option<OsString>, term: Option<OsString>) -> bool {
    no_color.is_none_or(|text| text.is_empty()) && term.is_none_or(|term| term != "dumb")
}

fn paint(on: bool, sgr: &str, text: &str) -> String {
    if on { format!("\x1b[{sgr}m{text}\x1b[0m") } else { text.to_owned() }
}

/// A text for standard output. What goes to a file goes as it is.
pub(super) fn to_stdout(text: &str) -> Cow<'_, str> {
    if *OUT_IS_TERMINAL { harmless(text) } else { text.into() }
}

/// A text for standard error.
pub(super) fn to_stderr(text: &str) -> Cow<'_, str> {
    if *ERR_IS_TERMINAL { harmless(text) } else { text.into() }
}

/// A text as a terminal may have it. Names of files, metadata of cameras and what others wrote could steer it: what
/// would, but for line ends, tabs and colours, stands as a sign.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(steers) {
        let (before, tail) = rest.split_at(at);
        shown.push_str(before);
        let colour = colour(tail);
        let taken = if colour.is_empty() {
            shown.push('\u{fffd}');
            tail.chars().next().map_or(0, char::len_utf8)
        } else {
            shown.push_str(colour);
            colour.len()
        };
        rest = &tail[taken..];
    }
    if shown.is_empty() {
        return rest.into();
    }
    shown.push_str(rest);
    shown.into()
}

/// The colour that a text begins with, as [`paint`] writes it; empty: none.
fn colour(text: &str) -> &str {
    let Some(code) = text.strip_prefix("\x1b[") else { return "" };
    let end = code.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(code.len());
    if code[end..].starts_with('m') { &text[..end + 3] } else { "" }
}

/// Strong, on standard output.
pub(super) fn strong(text: &str) -> String {
    paint(*STDOUT, "1", text)
}

/// Dim, on standard output.
pub(super) fn dim(text: &str) -> String {
    paint(*STDOUT, "2", text)
}

/// The colour of a job's or worker's state, on standard output.
pub(super) fn state(word: &str) -> String {
    let sgr = match word {
        "done" | "alive" | "ok" => "32",
        "running" => "36",
        "failed" | "lost" => "31",
        "cancelled" | "draining" | "paused" | "quarantined" | "trial" | "warning" => "33",
        _ => "0",
    };
    paint(*STDOUT, sgr, word)
}

/// Yellow, on standard output: what ought to be known and is not.
pub(super) fn missing(text: &str) -> String {
    paint(*STDOUT, "33", text)
}

/// Columns of the terminal: what `COLUMNS` says, else the terminal itself; without one, a line may be long.
pub(super) fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let asked = || terminal_size::terminal_size_of(std::io::stdout()).map(|(w, _)| w.0.into());
    told.or_else(asked).filter(|width| *width > 0).unwrap_or(usize::MAX)
}

/// Whether standard error takes colour.
pub(crate) fn coloured_talk() -> bool {
    *STDERR
}

/// Red, on standard error.
pub(super) fn alarm(text: &str) -> String {
    paint(*STDERR, "1;31", text)
}

/// Yellow, on standard error.
pub(super) fn caution(text: &str) -> String {
    paint(*STDERR, "33", text)
}

#[cfg(test)]
mod tests {
    use super::{harmless, takes_colour};

    #[test]
    fn what_would_steer_a_terminal_stands_as_a_sign() {
        for plain in
            ["", "a plate\n\tand more", "\x1b[31mred\x1b[0m \u{e9}", "\x1b[1;31mloud\x1b[0m"]
        {
            assert_eq!(harmless(plain), plain);
        }
        for (text, shown) in [
            ("a\x1b[2Jb", "a\u{fffd}[2Jb"),
            ("\x1b]0;title\x07", "\u{fffd}]0;title\u{fffd}"),
            ("50%\r100%", "50%\u{fffd}100%"),
            ("\u{9b}2J\x1b[0m", "\u{fffd}2J\x1b[0m"),
            ("end\x1b", "end\u{fffd}"),
            ("\x1b[3", "\u{fffd}[3"),
        ] {
            assert_eq!(harmless(text), shown, "{text:?}");
        }
    }

    #[test]
    fn a_dumb_terminal_gets_no_colour() {
        let said = |text: &str| Some(text.into());
        assert!(takes_colour(None, None) && takes_colour(said(""), said("xterm-256color")));
        assert!(!takes_colour(None, said("dumb")));
        assert!(!takes_colour(said("1"), said("xterm")));
    }
}
