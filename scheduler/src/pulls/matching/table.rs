//! Clips by a form of their names, or by the minutes that they touch: rows in
//! order, so that a table of a hundred thousand is made by one sort and
//! asked by halving. A name is its hash here; who asks compares the names.

use super::Entry;
use twox_hash::XxHash3_64;

/// Entries by the hash of a name, those of one name in the order of the clips.
pub(super) struct Table(Vec<(u64, Entry)>);

impl Table {
    pub(super) fn of(rows: impl Iterator<Item = (u64, Entry)>) -> Self {
        let mut rows: Vec<(u64, Entry)> = rows.collect();
        rows.sort_unstable_by_key(|(hash, entry)| (*hash, entry.clip, entry.field));
        Self(rows)
    }

    /// Entries whose name has this hash.
    pub(super) fn of_hash(&self, hash: u64) -> impl Iterator<Item = Entry> + '_ {
        let from = self.0.partition_point(|(other, _)| *other < hash);
        self.0[from..].iter().take_while(move |(other, _)| *other == hash).map(|(_, entry)| *entry)
    }
}

/// The hash of a name.
pub(super) fn hash(name: &str) -> u64 {
    XxHash3_64::oneshot(name.as_bytes())
}

/// The hash of what a camera's name means.
pub(super) fn camera_hash((letter, roll, clip): &(String, u32, u32)) -> u64 {
    XxHash3_64::oneshot_with_seed(u64::from(*roll) << 32 | u64::from(*clip), letter.as_bytes())
}
