//! The clips that a pull may take: those that a search of directories finds,
//! or the library's, as far as their files are there.

use super::request::absolute;
use platefarm_media::storage;
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use platefarm_scheduler::library::{Footage, Library};
use platefarm_scheduler::pulls::{self, Choices, ClipKey, Media};
use platefarm_standards::editlist::EditList;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Runtime;

/// The clips that the events may come from.
pub(super) struct Found {
    /// All in full, by a scan.
    pub(super) clips: Vec<ClipInfo>,
    /// What finds them.
    keys: Keys,
    /// Their rates.
    pub(super) rates: Vec<FrameRate>,
    /// What was passed over.
    pub(super) unreadable: Vec<Fault>,
}

/// What finds clips.
enum Keys {
    /// Those of a scan.
    Scanned(Vec<ClipKey>),
    /// Those of a library.
    Kept(Footage),
}

impl Found {
    pub(super) fn scan(media: &[PathBuf]) -> Outcome<Self> {
        let (clips, unreadable) = scan(media)?;
        let rates = clips.iter().filter_map(|clip| clip.timing.rate).collect();
        let keys = Keys::Scanned(clips.iter().map(ClipKey::of).collect());
        Ok(Self { clips, keys, rates, unreadable })
    }

    /// Of a library the show's own clips and those of none; those of other shows where that is asked for.
    pub(super) fn in_library(
        runtime: &Runtime,
        library: &Library,
        show: &str,
        any: bool,
    ) -> Outcome<Self> {
        let mut footage = runtime.block_on(library.footage(show, any, true))?;
        let (rates, note) = (footage.rates(), footage.note.take());
        let unreadable = note.into_iter().collect();
        Ok(Self { clips: Vec::new(), keys: Keys::Kept(footage), rates, unreadable })
    }

    /// In full what the plan will take, by its place. Clips whose files are gone are marked. `told`
    /// hears for how many files it was looked, of how many.
    pub(super) fn clips(
        &mut self,
        runtime: &Runtime,
        library: &Library,
        list: &EditList,
        choices: &Choices,
        bar: f64,
        told: &(dyn Fn(u64, u64) + Sync),
    ) -> Outcome<HashMap<usize, ClipInfo>> {
        let Keys::Kept(footage) = &mut self.keys else { return Ok(HashMap::new()) };
        // What is gone may leave an event to other clips, which are looked for then.
        let mut seen = BTreeSet::new();
        loop {
            let places = pulls::in_question(list, &footage.keys, choices, bar);
            let fresh: Vec<usize> = places.difference(&seen).copied().collect();
            let (looked, all) = (AtomicU64::new(0), fresh.len() as u64);
            let find = |path: &Path| {
                let found = storage::metadata(path).map(|_| ());
                told(looked.fetch_add(1, Ordering::Relaxed) + 1, all);
                found
            };
            let look = Look::at(&footage.keys, &fresh, seen.is_empty(), find);
            seen.extend(fresh);
            self.unreadable.extend(look.notes);
            if look.gone.is_empty() {
                break;
            }
            look.gone.iter().for_each(|place| footage.keys[*place].gone = true);
        }
        runtime.block_on(library.taken(footage, list, choices, bar))
    }

    pub(super) fn keys(&self) -> &[ClipKey] {
        match &self.keys {
            Keys::Scanned(keys) => keys,
            Keys::Kept(footage) => &footage.keys,
        }
    }

    pub(super) fn media<'a>(&'a self, clips: &'a HashMap<usize, ClipInfo>) -> Media<'a> {
        match &self.keys {
            Keys::Scanned(_) => Media::of(&self.clips),
            Keys::Kept(footage) => Media::of_library(&footage.keys, clips),
        }
    }
}

/// What a look for the files of clips found.
struct Look {
    /// Places of the clips whose files are gone.
    gone: Vec<usize>,
    notes: Vec<Fault>,
}

impl Look {
    /// Only what is said not to be there is gone: a volume that does not answer
    /// or may not be read has its files still. And where the first look finds
    /// none at all, it is the volume that is away, not every clip.
    fn at(
        keys: &[ClipKey],
        places: &[usize],
        is_first: bool,
        find: impl Fn(&Path) -> io::Result<()> + Sync,
    ) -> Self {
        let failed: Vec<(usize, io::Error)> = places
            .par_iter()
            .filter_map(|place| Some((*place, find(Path::new(&keys[*place].path)).err()?)))
            .collect();
        let (gone, unseen): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|(_, error)| error.kind() == io::ErrorKind::NotFound);
        let mut gone: Vec<usize> = gone.into_iter().map(|(place, _)| place).collect();
        let mut notes = Vec::new();
        match gone.first() {
            Some(first) if is_first && gone.len() == places.len() => {
                notes.push(not_mounted(gone.len(), &keys[*first]));
                gone.clear();
            }
            _ => notes.extend(gone.iter().map(|place| not_there(&keys[*place]))),
        }
        notes.extend(unseen.iter().map(|(place, error)| not_seen(&keys[*place], error)));
        Self { gone, notes }
    }
}

fn not_mounted(count: usize, first: &ClipKey) -> Fault {
    let message = format!(
        "none of the {count} clips of the library that the list wants is there, so most likely their volume is not mounted on this machine; they are taken as the library has them"
    );
    Fault::new(Code::MediaNotMounted, message).at(first.path.clone())
}

fn not_there(key: &ClipKey) -> Fault {
    let message = format!("clip '{}' of the library is not there any more", key.clip_name);
    Fault::new(Code::FileNotFound, message).at(key.path.clone()).remedy(
        "Bring the media back, add it anew from where it is, or `platefarm library forget` the clip.",
    )
}

fn not_seen(key: &ClipKey, error: &io::Error) -> Fault {
    let message = format!(
        "whether clip '{}' of the library is there cannot be seen; it is taken as the library has it",
        key.clip_name
    );
    Fault::new(Code::FileUnreadable, message).at(key.path.clone()).because(error)
}

fn scan(media: &[PathBuf]) -> Outcome<(Vec<ClipInfo>, Vec<Fault>)> {
    let (mut clips, mut faults) = (Vec::new(), Vec::new());
    for dir in media {
        if !storage::metadata(dir).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Fault::new(
                Code::FileNotFound,
                format!("'{}' is no directory", dir.display()),
            )
            .at("--media"));
        }
        // Workers may run elsewhere, or in another directory.
        let (found, unreadable) = platefarm_media::scan(&absolute(dir)?);
        let (plates, found): (Vec<_>, Vec<_>) = found.into_iter().partition(ClipInfo::is_plate);
        faults.extend(plates_passed_over(dir, &plates));
        clips.extend(found);
        faults.extend(unreadable);
    }
    if clips.is_empty() {
        let dirs: Vec<String> = media.iter().map(|dir| dir.display().to_string()).collect();
        let fault =
            Fault::new(Code::NoMedia, format!("no clip in {}", dirs.join(", "))).at("--media");
        return Err(match faults.first() {
            Some(first) => fault.because(first),
            None => fault,
        });
    }
    Ok((clips, faults))
}

/// Plates of earlier pulls carry the reel and the timecode of the clips that they were made from,
/// and must not stand in for them.
fn plates_passed_over(dir: &Path, plates: &[ClipInfo]) -> Option<Fault> {
    let first = plates.first()?;
    Some(
        Fault::new(
            Code::PlatesPassedOver,
            format!("{} plates are among the media, the first {}", plates.len(), first.path),
        )
        .at(dir.display().to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A volume on which some files are, some are not, and some may not be looked at.
    fn look(paths: &[&str], is_first: bool) -> (Vec<usize>, Vec<Code>) {
        let key = |path: &&str| ClipKey { path: (*path).into(), ..ClipKey::default() };
        let keys: Vec<ClipKey> = paths.iter().map(key).collect();
        let places: Vec<usize> = (0..keys.len()).collect();
        let look = Look::at(&keys, &places, is_first, |path| match path.to_str().unwrap() {
            "/gone" => Err(io::ErrorKind::NotFound.into()),
            "/locked" => Err(io::ErrorKind::PermissionDenied.into()),
            "/slow" => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        });
        (look.gone, look.notes.into_iter().map(|note| note.code).collect())
    }

    #[test]
    fn only_what_is_not_there_is_gone() {
        assert_eq!(look(&["/here"], true), (vec![], vec![]));
        let gone = (vec![1], vec![Code::FileNotFound]);
        assert_eq!(look(&["/here", "/gone"], true), gone);
        let unseen = (vec![], vec![Code::FileUnreadable, Code::FileUnreadable]);
        assert_eq!(look(&["/here", "/locked", "/slow"], true), unseen);
        let both = (vec![0], vec![Code::FileNotFound, Code::FileUnreadable]);
        assert_eq!(look(&["/gone", "/locked"], true), both);
    }

    /// All of them at once is a volume, unless others were there before.
    #[test]
    fn a_volume_that_is_away_takes_no_clip_with_it() {
        let away = (vec![], vec![Code::MediaNotMounted]);
        assert_eq!(look(&["/gone", "/gone"], true), away);
        assert_eq!(look(&["/gone"], true), away);
        assert_eq!(look(&["/gone"], false), (vec![0], vec![Code::FileNotFound]));
        assert_eq!(look(&[], true), (vec![], vec![]));
    }
}
