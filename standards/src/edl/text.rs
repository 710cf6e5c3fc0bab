//! From bytes to numbered lines: encodings, line ends, and what old systems
//! leave behind at the end of a file.

use super::line;
use crate::editlist::Encoding;
use std::borrow::Cow;

/// The text of `bytes`. Never fails: bytes that mean nothing become U+FFFD.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (String::from_utf8_lossy(rest), Encoding::Utf8Bom),
        [0xFF, 0xFE, rest @ ..] => (utf16(rest, u16::from_le_bytes).into(), Encoding::Utf16),
        [0xFE, 0xFF, rest @ ..] => (utf16(rest, u16::from_be_bytes).into(), Encoding::Utf16),
        // A list begins with a Latin letter or a digit: without a mark, UTF-16 shows by the zero beside it.
        [1..=0x7F, 0, 1..=0x7F, 0, ..] => {
            (utf16(bytes, u16::from_le_bytes).into(), Encoding::Utf16)
        }
        [0, 1..=0x7F, 0, 1..=0x7F, ..] => {
            (utf16(bytes, u16::from_be_bytes).into(), Encoding::Utf16)
        }
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), Encoding::Utf8),
            Err(_) => (
                bytes.iter().map(|b| windows_1252(*b)).collect::<String>().into(),
                Encoding::Windows1252,
            ),
        },
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The Windows-1252 character of a byte. Its five unused bytes keep their
/// number, as the WHATWG encoding standard has it.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Lines with their numbers from 1, whatever ends them (CRLF, LF, CR), without
/// blanks and control characters around them; empty lines are left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // CRLF ends one line: the empty piece between its two characters is not counted.
    let mut after_cr = false;
    let mut number = 0;
    text.split_inclusive(['\r', '\n']).filter_map(move |piece| {
        if after_cr && piece == "\n" {
            after_cr = false;
            return None;
        }
        after_cr = piece.ends_with('\r');
        number += 1;
        // Ctrl-Z and zeros pad the last block of lists from old systems.
        let line = piece.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        (!line.is_empty()).then_some((number, line))
    })
}

/// Whether the list marks drop frame in its timecodes. Then a colon means
/// non-drop; without any mark the frame code mode decides.
pub(super) fn marks_drop_frame(text: &str) -> bool {
    text.split_whitespace().any(|word| word.contains(';') && line::is_timecode(word))
}

/// A line as a message shows it: no control characters, not too long.
pub(crate) fn printable(line: &str) -> String {
    const MOST: usize = 160;
    let mut shown: String =
        line.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        let found: Vec<_> = lines("a\r\n\r\nb\rc\n\nd\u{1a}\0").collect();
        assert_eq!(found, [(1, "a"), (3, "b"), (4, "c"), (6, "d")]);
    }

    /// The same list in every encoding, and cut short in the middle of a character.
    #[test]
    fn encodings_are_told_apart() {
        let text = "TITLE: Café";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            ([b"\xEF\xBB\xBF", text.as_bytes()].concat(), Encoding::Utf8Bom),
            ([&b"\xFF\xFE"[..], &le].concat(), Encoding::Utf16),
            ([&b"\xFE\xFF"[..], &be].concat(), Encoding::Utf16),
            (le, Encoding::Utf16),
            (be, Encoding::Utf16),
            (latin, Encoding::Windows1252),
        ] {
            let (read, found) = decode(&bytes);
            assert_eq!((read.as_ref(), found), (text, encoding));
            let _ = decode(&bytes[..bytes.len() - 1]);
        }
        assert_eq!(decode(b"\x80\x93\x99\xFF").0, "€“™ÿ");
    }
}
