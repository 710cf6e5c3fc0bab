//! Metadata exports: what makers' tools write beside the media, or instead of
//! what the media cannot say.
//!
//! A maker is a file here and a line in [`SIDECARS`]. An export is recognised
//! by its content, parsed within bounds, and understood in the house's schema;
//! every field is kept untouched beside it, under `maker.Field`. It then
//! belongs to the clip that it names ([`attach`]), or stands for itself.
//!
//! Of values that are written per frame the first is the clip's, and how far
//! they move is kept in [`ClipInfo::varies`].

mod arri;
mod blackmagic;
mod canon;
mod merge;
mod red;
mod sensors;
mod sony;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub use merge::{attach, merge};

use crate::source::read_fault;
use crate::storage::File;
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, Outcome, limits};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A maker's kind of metadata export.
pub trait Sidecar: Sync {
    /// Short name; vendor fields stand under it.
    fn name(&self) -> &'static str;

    /// One line for help and documents: which tools write it.
    fn doc(&self) -> &'static str;

    /// Whether a text that begins so is of this kind.
    fn probe(&self, head: &str) -> bool;

    /// Understands a text. Fields that are not understood are vendor fields only.
    ///
    /// # Errors
    /// [`Code::BadSidecar`], with the place, when it has no sense at all.
    fn parse(&self, text: &str) -> Outcome<ClipInfo>;
}

/// Every kind, in the order they are tried.
pub static SIDECARS: &[&dyn Sidecar] =
    &[&arri::Arri, &blackmagic::Blackmagic, &canon::Canon, &red::Red, &sony::Sony];

/// Extensions of files that may be exports, lower case.
const EXTENSIONS: &[&str] = &["csv", "txt", "xml", "ale"];

/// Bytes of a file's beginning by which it is recognised.
const HEAD_BYTES: u64 = 16 * 1024;

/// Most exports that are looked at in one search.
const MAX_EXPORTS: usize = 65_536;

/// Most exports that are looked at when one clip is opened.
const MAX_BESIDE: usize = 256;

/// An export that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The file.
    pub path: PathBuf,
    /// Name of its kind.
    pub kind: &'static str,
    /// What it says. Without a clip name when it names none.
    pub info: ClipInfo,
}

impl Sheet {
    /// Name of the clip: as the export says, else as its own file name begins.
    #[must_use]
    pub fn clip_name(&self) -> String {
        if !self.info.identity.clip_name.is_empty() {
            return self.info.identity.clip_name.clone();
        }
        let name = self.path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default();
        sony::clip_of_stem(stem).unwrap_or(stem).to_owned()
    }

    /// What it says as a clip of its own, for media that is elsewhere.
    #[must_use]
    pub fn into_clip(self) -> ClipInfo {
        let name = self.clip_name();
        let mut info = self.info;
        info.path = self.path.to_string_lossy().into_owned();
        info.identity.clip_name = name;
        info.sidecars = vec![info.path.clone()];
        info
    }
}

/// Whether a file may be an export, by its extension.
#[must_use]
pub fn may_be(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// Reads an export; `None` when the file is something else.
///
/// # Errors
/// [`Code::FileNotFound`], [`Code::FileUnreadable`]; [`Code::TooLarge`]; [`Code::BadSidecar`].
pub fn read(path: &Path) -> Outcome<Option<Sheet>> {
    let failed = |e: std::io::Error| read_fault(path, &e);
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    let Some(kind) = recognise(&bytes) else { return Ok(None) };
    let rest = limits::MAX_DOCUMENT_BYTES - HEAD_BYTES;
    let read = file.take(rest + 1).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 > rest {
        let most = limits::MAX_DOCUMENT_BYTES;
        let message = format!("the metadata export is larger than {most} bytes");
        return Err(Fault::new(Code::TooLarge, message).at(path.display().to_string()));
    }
    let info = parse(kind, &bytes).map_err(|fault| fault.within(path.display()))?;
    Ok(Some(Sheet { path: path.to_owned(), kind: kind.name(), info }))
}

/// The kind of an export, by its first bytes.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<&'static dyn Sidecar> {
    // Media that ends in a text's extension is no text.
    if head.iter().take(512).any(|byte| *byte == 0) {
        return None;
    }
    let head = decoded(head);
    SIDECARS.iter().copied().find(|kind| kind.probe(&head))
}

/// Understands the bytes of an export of a known kind.
///
/// # Errors
/// [`Code::BadSidecar`], with the place.
pub fn parse(kind: &dyn Sidecar, bytes: &[u8]) -> Outcome<ClipInfo> {
    let text = decoded(bytes);
    let mut info = kind.parse(&text)?;
    let vendor = std::mem::take(&mut info.vendor);
    info.vendor =
        vendor.into_iter().map(|(key, value)| (format!("{}.{key}", kind.name()), value)).collect();
    Ok(info)
}

/// As UTF-8, and where it is not that, as what older tools wrote: Latin-1.
fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // A head may be cut within a character.
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned()
        }
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The exports about a clip, among those that lie beside it, in order of their paths. Files that
/// begin with the clip's name are looked at first, and of others only so many: opening one clip
/// of a full directory must not read the whole of it.
#[must_use]
pub fn about(clip: &ClipInfo, beside: &[PathBuf]) -> Vec<Sheet> {
    let name = clip.identity.clip_name.to_lowercase();
    let named = |path: &&PathBuf| {
        let file = path.file_name().map(|n| n.to_string_lossy().to_lowercase());
        file.is_some_and(|file| file.starts_with(&name))
    };
    let (near, far): (Vec<&PathBuf>, Vec<&PathBuf>) = beside.iter().partition(named);
    let umid = |info: &ClipInfo| info.identity.umid.as_ref().map(|umid| umid.to_lowercase());
    let mut sheets: Vec<Sheet> = near
        .into_iter()
        .chain(far)
        .take(MAX_BESIDE)
        .filter_map(|path| read(path).ok().flatten())
        .filter(|sheet| {
            let same_umid = umid(clip).is_some_and(|own| umid(&sheet.info) == Some(own));
            same_umid || sheet.clip_name().to_lowercase() == name
        })
        .collect();
    sheets.sort_by(|a, b| a.path.cmp(&b.path));
    sheets
}

/// Reads every export among `paths`; what looks like one and cannot be read is a fault.
#[must_use]
pub fn read_all(paths: &[PathBuf]) -> (Vec<Sheet>, Vec<Fault>) {
    let (mut sheets, mut faults) = (Vec::new(), Vec::new());
    for path in paths.iter().take(MAX_EXPORTS) {
        match read(path) {
            Ok(Some(sheet)) => sheets.push(sheet),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    (sheets, faults)
}
