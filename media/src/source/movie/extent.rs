//! Whether a movie file reaches as far as its container says. FFmpeg opens a
//! copy that broke off as if it were whole, when the index stands in front.

use crate::source::range::Ranges;
use platefarm_model::{Code, Fault, Outcome};
use std::path::Path;

/// Most boxes of a file that are looked at: those of fragments are many.
const MOST_BOXES: usize = 1 << 20;

/// Holds the size of a file against its container: QuickTime's boxes (ISO 14496-12, 4.2), MXF's
/// header partition (SMPTE ST 377-1, 7.1), Matroska's segment (RFC 9559, 5.1).
///
/// # Errors
/// [`Code::TruncatedFile`], and what a failed read means.
pub(super) fn check(path: &Path) -> Outcome<()> {
    let mut file = Ranges::open(path)?;
    let head = file.up_to(0, 64)?;
    match head.get(..8) {
        Some([0x1a, 0x45, 0xdf, 0xa3, ..]) => segment(&file, &head),
        Some([0x06, 0x0e, 0x2b, 0x34, ..]) => partition(&file, &head),
        Some([.., b'f', b't', b'y', b'p'])
        | Some([.., b'm', b'o', b'o', b'v'])
        | Some([.., b'm', b'd', b'a', b't'])
        | Some([.., b'w', b'i', b'd', b'e'])
        | Some([.., b'f', b'r', b'e', b'e']) => boxes(&mut file),
        _ => Ok(()),
    }
}

fn cut(file: &Ranges, what: &str) -> Outcome<()> {
    Err(Fault::new(Code::TruncatedFile, format!("the movie ends at {}, {what}", file.size())))
}

/// The boxes of the file, one behind the other; the index among them.
fn boxes(file: &mut Ranges) -> Outcome<()> {
    let size = file.size();
    let (mut at, mut index) = (0, false);
    for _ in 0..MOST_BOXES {
        if at + 8 > size {
            break;
        }
        let head = file.up_to(at, 16)?;
        let (short, kind) = (number(&head[..4]), &head[4..8]);
        let (length, least) = match short {
            0 => (size - at, 8),
            1 => (head.get(8..16).map_or(u64::MAX, number), 16),
            short => (short, 8),
        };
        let known = matches!(kind, b"moov" | b"mdat" | b"moof");
        index |= kind == b"moov";
        let end = at.saturating_add(length);
        if end > size && known {
            let kind = String::from_utf8_lossy(kind);
            return cut(file, &format!("within its '{kind}' box"));
        }
        // Behind the last box anything may stand.
        if length < least || end > size {
            break;
        }
        at = end;
    }
    if index { Ok(()) } else { cut(file, "without an index ('moov' box)") }
}

/// The header partition says where the footer begins, once the file is closed.
fn partition(file: &Ranges, head: &[u8]) -> Outcome<()> {
    let value = 17
        + match head.get(16) {
            Some(long) if long & 0x80 != 0 => usize::from(long & 0x7f),
            _ => 0,
        };
    let footer = head.get(value + 24..value + 32).map_or(0, number);
    if footer < file.size() {
        return Ok(());
    }
    cut(file, &format!("before its footer at {footer}"))
}

/// The segment, which is all of the file but its header, has a size; one of all ones is not known.
fn segment(file: &Ranges, head: &[u8]) -> Outcome<()> {
    let sized = |at: usize| {
        let first = *head.get(at)?;
        let length = first.leading_zeros() as usize + 1;
        let mask = (1u64 << (7 * length.min(8))) - 1;
        let value = number(head.get(at..at + length.min(8))?) & mask;
        (length <= 8 && value != mask).then_some((value, at + length))
    };
    let Some((header, behind)) = sized(4) else { return Ok(()) };
    let at = behind.saturating_add(usize::try_from(header).unwrap_or(usize::MAX));
    if head.get(at..at.saturating_add(4)) != Some(&[0x18, 0x53, 0x80, 0x67]) {
        return Ok(());
    }
    let Some((length, from)) = sized(at + 4) else { return Ok(()) };
    let end = length.saturating_add(from as u64);
    if end <= file.size() { Ok(()) } else { cut(file, &format!("its segment at {end}")) }
}

/// A number, the highest byte first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
