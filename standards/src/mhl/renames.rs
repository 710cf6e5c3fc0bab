//! What became of names across histories: a file that one history knows may
//! have been renamed by one further in, which answers for it by now.

use super::check::Placed;
use super::history::Known;
use super::{below, join};
use std::collections::BTreeMap;

/// How the files of one history were renamed, over all of its generations.
#[derive(Default)]
pub(super) struct Renames {
    /// The name by now, by each that a file had.
    now: BTreeMap<String, String>,
    /// The names that a file had, by the one by now.
    former: BTreeMap<String, Vec<String>>,
}

impl Renames {
    pub(super) fn add(&mut self, from: &str, to: &str) {
        let mut names = self.former.remove(from).unwrap_or_default();
        names.push(from.to_owned());
        for name in &names {
            self.now.insert(name.clone(), to.to_owned());
        }
        self.former.insert(to.to_owned(), names);
    }

    /// Whether what bore this name bears another by now.
    fn is_away(&self, name: &str) -> bool {
        self.now.get(name).is_some_and(|now| now != name)
    }
}

/// The names of all histories of a directory.
pub(super) struct Names<'p> {
    all: &'p [Placed<'p>],
    /// Those that record renames.
    renaming: Vec<&'p Placed<'p>>,
}

impl<'p> Names<'p> {
    pub(super) fn new(all: &'p [Placed<'p>]) -> Self {
        let renaming = all.iter().filter(|placed| !placed.history.renames.now.is_empty());
        Self { all, renaming: renaming.collect() }
    }

    /// The whole path by now of what the history at `root` knows as `path`.
    pub(super) fn by_now(&self, root: &str, path: &str) -> String {
        let mut full = join(root, path);
        for inner in self.renaming.iter().filter(|inner| inner.files.root.len() > root.len()) {
            let own = below(inner.files.root, &full);
            if let Some(now) = own.and_then(|path| inner.history.renames.now.get(path)) {
                full = join(inner.files.root, now);
            }
        }
        full
    }

    /// What histories above `root` recorded of its file `path`, under that name
    /// or under one that it had.
    pub(super) fn above(&self, root: &str, path: &str) -> Vec<&'p Known> {
        let outer = self.all.iter().filter(|other| {
            other.files.root.len() < root.len() && below(other.files.root, root).is_some()
        });
        let mut outer = outer.peekable();
        if outer.peek().is_none() {
            return Vec::new();
        }
        let home = self.renaming.iter().find(|home| home.files.root == root);
        let renames = home.map(|home| &home.history.renames);
        let mut names: Vec<String> = Vec::new();
        let is_away = renames.is_some_and(|renames| renames.is_away(path));
        if !is_away {
            names.push(join(root, path));
        }
        let former = renames.and_then(|renames| renames.former.get(path));
        names.extend(former.into_iter().flatten().map(|name| join(root, name)));
        outer
            .filter_map(|outer| {
                let known = |name: &String| outer.history.files.get(below(outer.files.root, name)?);
                names.iter().find_map(known).filter(|known| !known.digests.is_empty())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two files that change names, by way of a third name; and one that goes and comes back.
    #[test]
    fn a_file_is_followed_through_all_its_names() {
        let mut renames = Renames::default();
        for (from, to) in [("a", "c"), ("b", "a"), ("c", "b"), ("x", "y"), ("y", "x")] {
            renames.add(from, to);
        }
        let now = |name: &str| renames.now.get(name).map(String::as_str);
        assert_eq!([now("a"), now("b"), now("c")], [Some("b"), Some("a"), Some("b")]);
        assert_eq!(renames.former["b"], ["a", "c"]);
        assert!(renames.is_away("a") && !renames.is_away("x") && renames.is_away("y"));
    }
}
