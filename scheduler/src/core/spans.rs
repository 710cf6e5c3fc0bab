//! A map from frames to values that keeps runs of equal frames as one entry:
//! what the core remembers of lost ranges must not cost a row per frame.

use platefarm_model::FrameRange;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Values over disjoint frame ranges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(FrameRange, V)>", into = "Vec<(FrameRange, V)>")]
pub struct SpanMap<V: Clone> {
    /// Keyed by the first frame.
    spans: BTreeMap<i64, (FrameRange, V)>,
}

impl<V: Clone> Default for SpanMap<V> {
    fn default() -> Self {
        Self { spans: BTreeMap::new() }
    }
}

impl<V: Clone> From<Vec<(FrameRange, V)>> for SpanMap<V> {
    fn from(spans: Vec<(FrameRange, V)>) -> Self {
        let mut map = Self::default();
        spans.into_iter().for_each(|(range, value)| map.set(range, value));
        map
    }
}

impl<V: Clone> From<SpanMap<V>> for Vec<(FrameRange, V)> {
    fn from(map: SpanMap<V>) -> Self {
        map.spans.into_values().collect()
    }
}

impl<V: Clone> SpanMap<V> {
    /// Whether it says nothing of any frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The spans, in order.
    pub fn iter(&self) -> impl Iterator<Item = &(FrameRange, V)> {
        self.spans.values()
    }

    /// The span that holds `frame`.
    #[must_use]
    pub fn at(&self, frame: i64) -> Option<&(FrameRange, V)> {
        let (_, span) = self.spans.range(..=frame).next_back()?;
        span.0.contains(frame).then_some(span)
    }

    /// The first frame at or after `frame` that it says something of.
    #[must_use]
    pub fn next_from(&self, frame: i64) -> Option<i64> {
        match self.at(frame) {
            Some(_) => Some(frame),
            None => self.spans.range(frame..).next().map(|(first, _)| *first),
        }
    }

    /// Says `value` of every frame of `range`, whatever was said before.
    pub fn set(&mut self, range: FrameRange, value: V) {
        self.forget(range);
        self.spans.insert(range.first(), (range, value));
    }

    /// Says nothing of `range` any more. Returns whether it did before.
    pub fn forget(&mut self, range: FrameRange) -> bool {
        let begin = self.at(range.first()).map_or(range.first(), |(r, _)| r.first());
        let hit: Vec<i64> = self.spans.range(begin..=range.last()).map(|(k, _)| *k).collect();
        for first in &hit {
            let Some((old, value)) = self.spans.remove(first) else { continue };
            if old.first() < range.first() {
                let left = FrameRange::of_len(old.first(), old.first().abs_diff(range.first()));
                self.spans.insert(left.first(), (left, value.clone()));
            }
            if old.last() > range.last() {
                let right = FrameRange::of_len(range.last() + 1, old.last().abs_diff(range.last()));
                self.spans.insert(right.first(), (right, value));
            }
        }
        !hit.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A span map behaves as the map of its frames, and survives JSON.
        #[test]
        fn spans_agree_with_a_plain_map(
            ops in proptest::collection::vec((proptest::option::of(0u8..3), -20i64..20, 1u64..9), 0..40)
        ) {
            let (mut spans, mut plain) = (SpanMap::default(), BTreeMap::new());
            for (value, first, len) in ops {
                let range = FrameRange::of_len(first, len);
                match value {
                    Some(v) => { spans.set(range, v); plain.extend(range.iter().map(|f| (f, v))); }
                    None => {
                        let had = range.iter().any(|f| plain.contains_key(&f));
                        prop_assert_eq!(spans.forget(range), had);
                        range.iter().for_each(|f| { plain.remove(&f); });
                    }
                }
                for frame in -30..40 {
                    prop_assert_eq!(spans.at(frame).map(|s| s.1), plain.get(&frame).copied());
                    let next = plain.range(frame..).next().map(|(f, _)| *f);
                    prop_assert_eq!(spans.next_from(frame), next);
                }
                let json = serde_json::to_string(&spans).unwrap();
                prop_assert_eq!(&serde_json::from_str::<SpanMap<u8>>(&json).unwrap(), &spans);
            }
        }
    }
}
