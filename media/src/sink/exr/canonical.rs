//! One order of attributes: `exr` keeps custom attributes in a hash map and
//! writes them as they come. Sorting by name keeps every length and offset of
//! the file, so only the header's bytes move.

use platefarm_model::{Code, Fault, Outcome};

/// Where the attributes begin: behind the magic number and the version.
const FIRST: usize = 8;

/// Puts the attributes of a single-part file into the order of their names.
///
/// # Errors
/// [`Code::Internal`] when the header is not one.
pub(super) fn sort_attributes(file: &mut [u8]) -> Outcome<()> {
    let broken = || Fault::new(Code::Internal, "the OpenEXR header cannot be read back");
    let mut attributes = Vec::new();
    let mut at = FIRST;
    while *file.get(at).ok_or_else(broken)? != 0 {
        let end = attribute_end(file, at).ok_or_else(broken)?;
        attributes.push(file[at..end].to_vec());
        at = end;
    }
    // Names differ and end in a zero byte, so whole attributes compare by name.
    attributes.sort();
    let sorted = attributes.concat();
    file[FIRST..FIRST + sorted.len()].copy_from_slice(&sorted);
    Ok(())
}

/// End of the attribute at `at`: name, type, size, value.
fn attribute_end(file: &[u8], at: usize) -> Option<usize> {
    let text_end = |from: usize| Some(from + file.get(from..)?.iter().position(|b| *b == 0)? + 1);
    let size_at = text_end(text_end(at)?)?;
    let size = file.get(size_at..size_at + 4)?.try_into().ok().map(i32::from_le_bytes)?;
    let end = size_at + 4 + usize::try_from(size).ok()?;
    (end <= file.len()).then_some(end)
}
