//! Numbers that JSON has no form for, as OpenTimelineIO writes them: `NaN`,
//! `Infinity`, integers of any length. They are read as marked texts and
//! written as they were.

/// Begins such a text; a private character, so that no name does.
const MARK: &str = "\u{e000}number:";
/// Digits that any integer of 64 bits may have.
const SAFE_DIGITS: usize = 18;

/// The document with such numbers as texts.
pub(super) fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| is_token(c) || c == '"') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with('"') { string(rest) } else { token(rest) };
        let (word, after) = rest.split_at(length);
        if !word.starts_with('"') && is_foreign(word) {
            out.extend(["\"", MARK, word, "\""]);
        } else {
            out.push_str(word);
        }
        rest = after;
    }
    out + rest
}

/// The document with the numbers as they were.
pub(super) fn unwrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mark = format!("\"{MARK}");
    while let Some(at) = rest.find(&mark) {
        out.push_str(&rest[..at]);
        rest = &rest[at + mark.len()..];
        let end = rest.find('"').unwrap_or(rest.len());
        out.push_str(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out + rest
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')
}

fn token(text: &str) -> usize {
    text.find(|c| !is_token(c)).unwrap_or(text.len())
}

/// Length of the string that `text` begins with, quotes included.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_foreign(word: &str) -> bool {
    let digits = word.trim_start_matches('-');
    matches!(digits, "NaN" | "nan" | "Infinity" | "Inf" | "inf")
        || (digits.len() > SAFE_DIGITS && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_numbers_come_out_as_they_went_in() {
        let text = r#"{"a": NaN, "b": [-Infinity, 170141183460469231731687303715884105728],
            "c": "NaN \" -Infinity", "d": 1.5e3, "e": -7, "NaN": true}"#;
        let wrapped = wrapped(text);
        let value: serde_json::Value = serde_json::from_str(&wrapped).unwrap();
        assert_eq!(value["c"], "NaN \" -Infinity");
        assert_eq!(value["d"], 1500.0);
        assert_eq!(unwrapped(&wrapped), text);
    }
}
