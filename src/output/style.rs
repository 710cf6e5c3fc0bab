//! Colour, where a terminal wants it: never when `NO_COLOR` is set
//! (no-color.org), the terminal is a dumb one, or the stream is none.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::LazyLock;

static STDOUT: LazyLock<bool> = LazyLock::new(|| wanted() && std::io::stdout().is_terminal());
static STDERR: LazyLock<bool> = LazyLock::new(|| wanted() && std::io::stderr().is_terminal());

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
    use super::takes_colour;

    #[test]
    fn a_dumb_terminal_gets_no_colour() {
        let said = |text: &str| Some(text.into());
        assert!(takes_colour(None, None) && takes_colour(said(""), said("xterm-256color")));
        assert!(!takes_colour(None, said("dumb")));
        assert!(!takes_colour(said("1"), said("xterm")));
    }
}
