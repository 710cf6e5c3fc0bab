//! Ignore patterns, in the syntax of gitignore: what a history leaves out.

/// A pattern, read.
struct Pattern {
    /// A match means "not ignored after all".
    negated: bool,
    /// Matches directories only.
    directories: bool,
    /// Has a slash inside or in front: matches the path from the root, else any last part.
    anchored: bool,
    glob: Vec<char>,
}

/// The patterns of a history. The last one that matches decides.
pub(super) struct Ignore(Vec<Pattern>);

impl Ignore {
    /// Most patterns that are followed; no history has twenty.
    const MOST: usize = 1000;
    /// Longest pattern that is followed, in bytes.
    const LONGEST: usize = 1024;

    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let patterns = patterns.into_iter().filter(|p| p.len() <= Self::LONGEST);
        Self(patterns.filter_map(Pattern::parse).take(Self::MOST).collect())
    }

    /// Whether the path, or a directory above it, is ignored.
    pub(super) fn covers(&self, path: &str, is_directory: bool) -> bool {
        let ends = path.match_indices('/').map(|(i, _)| (i, true));
        ends.chain([(path.len(), is_directory)])
            .any(|(end, directory)| self.matches(&path[..end], directory))
    }

    fn matches(&self, path: &str, is_directory: bool) -> bool {
        let last = path.rsplit('/').next().unwrap_or(path);
        let deciding = self.0.iter().rev().find(|pattern| {
            (is_directory || !pattern.directories)
                && glob(&pattern.glob, if pattern.anchored { path } else { last })
        });
        deciding.is_some_and(|pattern| !pattern.negated)
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (directories, text) = text.strip_suffix('/').map_or((false, text), |rest| (true, rest));
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        let anchored = text.contains('/');
        let glob = text.strip_prefix('/').unwrap_or(text).chars().collect();
        Some(Self { negated, directories, anchored, glob })
    }
}

/// `*` and `?` within a part, `**` across parts, `[a-z]` and `[!a-z]`, `\` before a literal.
fn glob(pattern: &[char], text: &str) -> bool {
    // Which suffixes of the text the rest of the pattern may still match:
    // time is bounded by the product of the lengths, whatever the pattern.
    let text: Vec<char> = text.chars().collect();
    let mut at = vec![false; text.len() + 1];
    at[0] = true;
    let mut p = 0;
    while p < pattern.len() {
        let mut next = vec![false; text.len() + 1];
        match pattern[p] {
            '*' => {
                let across = pattern[p..].starts_with(&['*', '*']);
                p += if across { 2 } else { 1 };
                // "**/" also stands for nothing at all.
                let skips = across && pattern.get(p) == Some(&'/');
                let mut open = false;
                for i in 0..=text.len() {
                    open |= at[i];
                    next[i] |= open;
                    if i < text.len() && text[i] == '/' && !across {
                        open = false;
                    }
                }
                if skips {
                    let after: Vec<bool> = (0..=text.len())
                        .map(|i| at[i] || (i > 0 && text[i - 1] == '/' && next[i - 1]))
                        .collect();
                    next = after;
                    p += 1;
                }
            }
            first => {
                let (length, matches) = single(&pattern[p..], first);
                for i in 0..text.len() {
                    next[i + 1] = at[i] && matches(text[i]);
                }
                p += length;
            }
        }
        at = next;
    }
    at[text.len()]
}

/// A token that matches one character: how long it is in the pattern, and what it matches.
fn single(pattern: &[char], first: char) -> (usize, Box<dyn Fn(char) -> bool + '_>) {
    match (first, pattern.get(1)) {
        ('?', _) => (1, Box::new(|c| c != '/')),
        ('\\', Some(literal)) => (2, Box::new(move |c| c == *literal)),
        ('[', Some(_)) => {
            let negated = matches!(pattern[1], '!' | '^');
            let begin = if negated { 2 } else { 1 };
            // A bracket that is first in the set is one of it.
            let close = pattern.iter().skip(begin + 1).position(|c| *c == ']');
            let Some(end) = close.map(|i| i + begin + 1) else {
                return (1, Box::new(|c| c == '['));
            };
            let set = &pattern[begin..end];
            (end + 1, Box::new(move |c| c != '/' && in_set(set, c) != negated))
        }
        (literal, _) => (1, Box::new(move |c| c == literal)),
    }
}

fn in_set(mut set: &[char], c: char) -> bool {
    while let Some((&first, rest)) = set.split_first() {
        if let ['-', last, ..] = rest {
            if (first..=*last).contains(&c) {
                return true;
            }
            set = &rest[2..];
        } else {
            if first == c {
                return true;
            }
            set = rest;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, path: &str) -> bool {
        Ignore::new([pattern]).covers(path, false)
    }

    /// Verdicts of `git check-ignore --no-index`.
    #[test]
    fn patterns_mean_what_git_means() {
        for (pattern, path, ignored) in [
            (".DS_Store", "a/b/.DS_Store", true),
            ("ascmhl/", "ascmhl/0001.mhl", true),
            ("ascmhl/", "a/ascmhl/0001.mhl", true),
            ("ascmhl/", "ascmhl", false),
            ("*.RMD", "a/b.RMD", true),
            ("*.RMD", "a/b.rmd", false),
            ("/Thumbs", "Thumbs/x", true),
            ("/Thumbs", "a/Thumbs", false),
            ("a/*.txt", "a/b.txt", true),
            ("a/*.txt", "a/b/c.txt", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("**/z", "z", true),
            ("**/z", "a/b/z", true),
            ("a/**", "a/b/c", true),
            ("a/**", "b/a/c", false),
            ("f?o", "foo", true),
            ("f?o", "fo", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("\\*x", "*x", true),
            ("\\*x", "ax", false),
            ("#x", "#x", false),
            ("", "a", false),
        ] {
            assert_eq!(covers(pattern, path), ignored, "{pattern} {path}");
        }
        let both = Ignore::new(["*.txt", "!keep.txt"]);
        assert!(both.covers("a.txt", false) && !both.covers("keep.txt", false));
    }

    #[test]
    fn a_costly_pattern_is_not() {
        let pattern = "a*".repeat(500);
        assert!(!covers(&pattern, &"a".repeat(400)));
    }
}
