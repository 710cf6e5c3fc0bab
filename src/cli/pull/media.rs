//! The clips that a pull may take: those that a search of directories finds,
//! or the library's, as far as their files are there.

use super::request::absolute;
use platefarm_media::{source, storage};
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use platefarm_scheduler::library::{Library, Of};
use platefarm_scheduler::pulls::{self, Choices, ClipKey, Media};
use platefarm_standards::editlist::EditList;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// The clips that the events may come from.
pub(super) struct Found {
    /// All in full, by a scan.
    pub(super) clips: Vec<ClipInfo>,
    /// What finds them.
    keys: Vec<ClipKey>,
    /// Their ids in a library, where they are of one.
    ids: Vec<i64>,
    /// Their rates.
    pub(super) rates: Vec<FrameRate>,
    /// What was passed over.
    pub(super) unreadable: Vec<Fault>,
}

impl Found {
    pub(super) fn scan(media: &[PathBuf]) -> Outcome<Self> {
        let (clips, unreadable) = scan(media)?;
        let rates = clips.iter().filter_map(|clip| clip.timing.rate).collect();
        let keys = clips.iter().map(ClipKey::of).collect();
        Ok(Self { clips, keys, ids: Vec::new(), rates, unreadable })
    }

    /// Of a library the show's own clips and those of none; those of other shows where that is asked for.
    pub(super) fn in_library(
        runtime: &Runtime,
        library: &Library,
        show: &str,
        any: bool,
    ) -> Outcome<Self> {
        let of = if any { Of::Any } else { Of::ShowOrNone(show) };
        let (ids, keys) = runtime.block_on(library.keys(of))?;
        let others = if any { 0 } else { runtime.block_on(library.of_others(show))? };
        let wider = "Name their show with --show, or take them with --any-show.";
        if keys.is_empty() {
            let (message, remedy) = match others {
                0 => (
                    "the library has no clips".to_owned(),
                    "Add clips with `platefarm library add PATH`.",
                ),
                _ => (
                    format!("no clip of the library is of show '{show}'; {others} are of others"),
                    wider,
                ),
            };
            return Err(Fault::new(Code::NoMedia, message).at("--library").remedy(remedy));
        }
        let rates = keys.iter().filter_map(|key| key.rate).collect();
        let message = match (any, others) {
            (true, _) => Some("clips of any show are taken".to_owned()),
            (false, 0) => None,
            (false, _) => {
                Some(format!("{others} clips of other shows than '{show}' are passed over"))
            }
        };
        let note = message
            .map(|message| Fault::new(Code::OtherShow, message).at("--library").remedy(wider));
        Ok(Self { clips: Vec::new(), ids, keys, rates, unreadable: note.into_iter().collect() })
    }

    /// In full what the plan will take, by its place. Clips whose files are gone are none.
    pub(super) fn clips(
        &mut self,
        runtime: &Runtime,
        library: &Library,
        list: &EditList,
        choices: &Choices,
        bar: f64,
    ) -> Outcome<HashMap<usize, ClipInfo>> {
        if self.ids.is_empty() {
            return Ok(HashMap::new());
        }
        loop {
            let places: Vec<usize> =
                pulls::wanted(list, &self.keys, choices, bar).into_iter().collect();
            let gone: BTreeSet<usize> = places
                .par_iter()
                .copied()
                .filter(|place| storage::metadata(Path::new(&self.keys[*place].path)).is_err())
                .collect();
            if gone.is_empty() {
                let ids: Vec<i64> = places.iter().map(|place| self.ids[*place]).collect();
                let clips = runtime.block_on(library.clips(&ids))?;
                return Ok(places.into_iter().zip(clips).collect());
            }
            self.unreadable.extend(gone.iter().map(|place| {
                let key = &self.keys[*place];
                let message = format!("clip '{}' of the library is not there any more", key.clip_name);
                Fault::new(Code::FileNotFound, message).at(key.path.clone()).remedy(
                    "Bring the media back, add it anew from where it is, or `platefarm library forget` the clip.",
                )
            }));
            let mut place = 0..;
            self.ids.retain(|_| place.next().is_some_and(|place| !gone.contains(&place)));
            let mut place = 0..;
            self.keys.retain(|_| place.next().is_some_and(|place| !gone.contains(&place)));
        }
    }

    pub(super) fn keys(&self) -> &[ClipKey] {
        &self.keys
    }

    pub(super) fn media<'a>(&'a self, clips: &'a HashMap<usize, ClipInfo>) -> Media<'a> {
        if self.ids.is_empty() {
            Media::of(&self.clips)
        } else {
            Media::of_library(&self.keys, clips)
        }
    }
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
        let (plates, found): (Vec<_>, Vec<_>) = found.into_iter().partition(source::is_plate);
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
