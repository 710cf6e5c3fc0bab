//! The clips that a pull may take: all of them in full, as a scan finds them,
//! or the keys of a whole library and in full only those that will be taken.

use super::ClipKey;
use platefarm_model::clip::ClipInfo;
use std::borrow::Cow;
use std::collections::HashMap;

/// Clips, and what finds them.
pub struct Media<'a> {
    keys: Cow<'a, [ClipKey]>,
    clips: Clips<'a>,
}

enum Clips<'a> {
    All(&'a [ClipInfo]),
    Some(&'a HashMap<usize, ClipInfo>),
}

impl<'a> Media<'a> {
    /// Clips that are all known in full.
    #[must_use]
    pub fn of(clips: &'a [ClipInfo]) -> Self {
        Self {
            keys: clips.iter().map(ClipKey::of).collect::<Vec<_>>().into(),
            clips: Clips::All(clips),
        }
    }

    /// The keys of a library, and by their places among these the clips that
    /// [`super::wanted`] names.
    #[must_use]
    pub const fn of_library(keys: &'a [ClipKey], clips: &'a HashMap<usize, ClipInfo>) -> Self {
        Self { keys: Cow::Borrowed(keys), clips: Clips::Some(clips) }
    }

    pub(super) fn keys(&self) -> &[ClipKey] {
        &self.keys
    }

    pub(super) fn clip(&self, place: usize) -> Option<&ClipInfo> {
        match self.clips {
            Clips::All(clips) => clips.get(place),
            Clips::Some(clips) => clips.get(&place),
        }
    }
}
