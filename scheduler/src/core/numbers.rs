//! Small numbers for values that many have in common: what needs steps have,
//! which shows jobs are of. A number is its value's for as long as anybody has
//! it, and is given out again after that, so that a farm which forgets its jobs
//! keeps nothing of them.

use std::collections::HashMap;
use std::hash::Hash;

/// Values by number.
#[derive(Clone, Debug)]
pub(super) struct Numbers<V> {
    /// Those that nobody has keep their place until another takes it.
    values: Vec<V>,
    /// By number, how many have it.
    users: Vec<u64>,
    numbers: HashMap<V, u32>,
    free: Vec<u32>,
}

impl<V> Default for Numbers<V> {
    fn default() -> Self {
        let (values, users) = (Vec::new(), Vec::new());
        Self { values, users, numbers: HashMap::new(), free: Vec::new() }
    }
}

impl<V: Clone + Eq + Hash> Numbers<V> {
    /// The number of a value, for one more who has it; and whether nobody had it.
    pub(super) fn take(&mut self, value: &V) -> (u32, bool) {
        if let Some(number) = self.numbers.get(value).copied() {
            self.users[number as usize] += 1;
            return (number, false);
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.values.push(value.clone());
            self.users.push(0);
            self.values.len() as u32 - 1
        });
        self.values[number as usize] = value.clone();
        self.users[number as usize] = 1;
        self.numbers.insert(value.clone(), number);
        (number, true)
    }

    /// One who had it has it no more.
    pub(super) fn leave(&mut self, number: u32) {
        let users = &mut self.users[number as usize];
        *users -= 1;
        if *users == 0 {
            self.numbers.remove(&self.values[number as usize]);
            self.free.push(number);
        }
    }

    /// The value behind a number.
    pub(super) fn value(&self, number: u32) -> &V {
        &self.values[number as usize]
    }

    /// The number of a value that somebody has.
    pub(super) fn number(&self, value: &V) -> Option<u32> {
        self.numbers.get(value).copied()
    }

    /// How many numbers there are, those that nobody has among them.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// How many have what is behind a number.
    pub(super) fn users(&self, number: u32) -> u64 {
        self.users.get(number as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_given_out_again_when_nobody_has_it() {
        let mut numbers = Numbers::default();
        assert_eq!((numbers.take(&"a"), numbers.take(&"b")), ((0, true), (1, true)));
        assert_eq!(numbers.take(&"a"), (0, false));
        numbers.leave(0);
        assert_eq!((numbers.number(&"a"), numbers.users(0)), (Some(0), 1));
        numbers.leave(0);
        assert_eq!((numbers.number(&"a"), numbers.users(0), numbers.len()), (None, 0, 2));
        assert_eq!((numbers.take(&"c"), *numbers.value(0)), ((0, true), "c"));
        assert_eq!(numbers.take(&"a"), (2, true));
        assert_eq!(*numbers.value(1), "b");
    }
}
