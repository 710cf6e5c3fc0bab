//! Frame numbers: ranges as people in this field write them (both ends
//! included), and sets of them as the scheduler keeps them. A set of a million
//! frames is a handful of ranges.

use crate::{Code, Fault};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::fmt;
use std::str::FromStr;

/// A contiguous range of frame numbers, both ends included: `1001-1048`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameRange {
    first: i64,
    last: i64,
}

impl FrameRange {
    /// The range from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`Code::BadFrameRange`] when `last` lies before `first`.
    pub fn new(first: i64, last: i64) -> Result<Self, Fault> {
        if last < first || last.checked_sub(first).is_none_or(|n| n == i64::MAX) {
            return Err(Fault::new(
                Code::BadFrameRange,
                format!("range {first}-{last} ends before it begins"),
            ));
        }
        Ok(Self { first, last })
    }

    /// One frame.
    #[must_use]
    pub const fn single(frame: i64) -> Self {
        Self { first: frame, last: frame }
    }

    /// `count` frames from `first`; at least one.
    #[must_use]
    pub fn of_len(first: i64, count: u64) -> Self {
        Self { first, last: first.saturating_add_unsigned(count.max(1) - 1) }
    }

    /// The first frame.
    #[must_use]
    pub const fn first(self) -> i64 {
        self.first
    }

    /// The last frame, which belongs to the range.
    #[must_use]
    pub const fn last(self) -> i64 {
        self.last
    }

    /// How many frames: never zero.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a range has at least one frame")]
    pub const fn len(self) -> u64 {
        self.last.abs_diff(self.first) + 1
    }

    /// Whether `frame` is in the range.
    #[must_use]
    pub const fn contains(self, frame: i64) -> bool {
        self.first <= frame && frame <= self.last
    }

    /// The frames both ranges have.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (first <= last).then_some(Self { first, last })
    }

    /// The frames in order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = i64> {
        self.first..=self.last
    }
}

impl fmt::Display for FrameRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl FromStr for FrameRange {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::new(Code::BadFrameRange, format!("'{text}' is not a frame range"));
        let text = text.trim();
        // The dash that divides is the first one that is not a sign.
        let dash = text.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(i, _)| i);
        let number = |s: &str| s.trim().parse::<i64>().map_err(|_| bad());
        match dash {
            Some(i) => Self::new(number(&text[..i])?, number(&text[i + 1..])?),
            None => number(text).map(Self::single),
        }
    }
}

impl TryFrom<String> for FrameRange {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<FrameRange> for String {
    fn from(range: FrameRange) -> Self {
        range.to_string()
    }
}

/// A set of frame numbers, kept as sorted ranges that neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameSet {
    /// One is the rule, and needs no memory elsewhere.
    ranges: SmallVec<[FrameRange; 1]>,
}

impl FrameSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: SmallVec::new_const() }
    }

    /// The ranges, in order.
    #[must_use]
    pub fn ranges(&self) -> &[FrameRange] {
        &self.ranges
    }

    /// Whether it holds no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many frames it holds.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|r| r.len()).sum()
    }

    /// Whether it holds `frame`.
    #[must_use]
    pub fn contains(&self, frame: i64) -> bool {
        let i = self.ranges.partition_point(|r| r.last < frame);
        self.ranges.get(i).is_some_and(|r| r.contains(frame))
    }

    /// Whether it holds every frame of `range`.
    #[must_use]
    pub fn contains_range(&self, range: FrameRange) -> bool {
        let i = self.ranges.partition_point(|r| r.last < range.first);
        self.ranges.get(i).is_some_and(|r| r.first <= range.first && range.last <= r.last)
    }

    /// Adds every frame of `range`.
    pub fn insert(&mut self, range: FrameRange) {
        // Everything that overlaps or touches becomes one range.
        let begin = self.ranges.partition_point(|r| r.last.saturating_add(1) < range.first);
        let end = self.ranges.partition_point(|r| r.first <= range.last.saturating_add(1));
        let mut merged = range;
        if begin < end {
            merged.first = merged.first.min(self.ranges[begin].first);
            merged.last = merged.last.max(self.ranges[end - 1].last);
        }
        self.ranges.drain(begin..end);
        self.ranges.insert(begin, merged);
    }

    /// Removes every frame of `range`.
    pub fn remove(&mut self, range: FrameRange) {
        let begin = self.ranges.partition_point(|r| r.last < range.first);
        let end = self.ranges.partition_point(|r| r.first <= range.last);
        if begin >= end {
            return;
        }
        let head = self.ranges[begin];
        let tail = self.ranges[end - 1];
        let left = (head.first < range.first)
            .then(|| FrameRange { first: head.first, last: range.first - 1 });
        let right =
            (tail.last > range.last).then(|| FrameRange { first: range.last + 1, last: tail.last });
        self.ranges.drain(begin..end);
        self.ranges.insert_many(begin, left.into_iter().chain(right));
    }

    /// Adds every frame of `other`.
    pub fn insert_all(&mut self, other: &Self) {
        other.ranges.iter().for_each(|range| self.insert(*range));
    }

    /// Removes every frame of `other`.
    pub fn remove_all(&mut self, other: &Self) {
        other.ranges.iter().for_each(|range| self.remove(*range));
    }

    /// The frames of `range` that the set holds.
    #[must_use]
    pub fn within(&self, range: FrameRange) -> Self {
        let begin = self.ranges.partition_point(|r| r.last < range.first);
        let inside = self.ranges[begin..].iter().map_while(|r| r.intersection(range));
        Self { ranges: inside.collect() }
    }

    /// Takes up to `count` contiguous frames from the lowest range.
    pub fn take_first(&mut self, count: u64) -> Option<FrameRange> {
        let head = *self.ranges.first()?;
        let taken = FrameRange::of_len(head.first, count.clamp(1, head.len()));
        self.remove(taken);
        Some(taken)
    }

    /// The lowest frame.
    #[must_use]
    pub fn first(&self) -> Option<i64> {
        self.ranges.first().map(|r| r.first)
    }

    /// The highest frame.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.ranges.last().map(|r| r.last)
    }

    /// The frame that so many of the set lie before.
    #[must_use]
    pub fn nth(&self, before: u64) -> Option<i64> {
        let mut before = before;
        for range in &self.ranges {
            if before < range.len() {
                return range.first.checked_add_unsigned(before);
            }
            before -= range.len();
        }
        None
    }

    /// The frames in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        self.ranges.iter().flat_map(|r| r.iter())
    }
}

impl From<FrameRange> for FrameSet {
    fn from(range: FrameRange) -> Self {
        Self { ranges: SmallVec::from_buf([range]) }
    }
}

impl FromIterator<i64> for FrameSet {
    fn from_iter<I: IntoIterator<Item = i64>>(frames: I) -> Self {
        let mut set = Self::new();
        for frame in frames {
            set.insert(FrameRange::single(frame));
        }
        set
    }
}

impl fmt::Display for FrameSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.ranges.iter().enumerate() {
            write!(f, "{}{range}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for FrameSet {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let mut set = Self::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            set.insert(part.parse()?);
        }
        Ok(set)
    }
}

impl TryFrom<String> for FrameSet {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<FrameSet> for String {
    fn from(set: FrameSet) -> Self {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn ranges_read_what_people_write() {
        for (text, first, last) in [
            ("1001-1048", 1001, 1048),
            ("7", 7, 7),
            ("-5--2", -5, -2),
            ("-5-3", -5, 3),
            (" 1 - 2 ", 1, 2),
        ] {
            let range: FrameRange = text.parse().unwrap();
            assert_eq!((range.first(), range.last()), (first, last), "{text}");
        }
        for text in ["", "1048-1001", "a-b", "1-", "1..4", "-"] {
            assert_eq!(text.parse::<FrameRange>().unwrap_err().code, Code::BadFrameRange, "{text}");
        }
    }

    proptest! {
        /// A set of ranges behaves as the set of its frames.
        #[test]
        fn sets_agree_with_a_plain_set(ops in proptest::collection::vec((any::<bool>(), -20i64..20, 0u64..9), 0..40)) {
            let (mut set, mut plain) = (FrameSet::new(), BTreeSet::new());
            for (add, first, more) in ops {
                let range = FrameRange::of_len(first, more + 1);
                if add { set.insert(range); plain.extend(range.iter()); }
                else { set.remove(range); range.iter().for_each(|f| { plain.remove(&f); }); }
                prop_assert!(set.iter().eq(plain.iter().copied()));
                prop_assert!(set.ranges().windows(2).all(|w| w[0].last() + 1 < w[1].first()), "{set}");
                prop_assert_eq!(set.len(), plain.len() as u64);
                let all = plain.iter().copied().map(Some).chain([None]);
                prop_assert!((0..=set.len()).map(|before| set.nth(before)).eq(all));
                let inside: FrameSet = plain.iter().copied().filter(|f| range.contains(*f)).collect();
                prop_assert_eq!(set.within(range), inside.clone());
                let mut rest = set.clone();
                rest.remove_all(&inside);
                prop_assert!(rest.iter().all(|f| !range.contains(f)));
                rest.insert_all(&inside);
                prop_assert_eq!(&rest, &set);
                prop_assert_eq!(&set.to_string().parse::<FrameSet>().unwrap(), &set);
            }
        }
    }
}
