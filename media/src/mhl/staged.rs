//! Where a generation is until it has its name: `.platefarm/mhl-PID/ROOT/ascmhl`, so that what a
//! run left that was killed says whose history it is. Where a volume has no exchange, the old
//! history steps aside to the same place first, as `ascmhl.old`; until the new one has its name
//! that is the only one there is, and the next run puts it back before it looks at anything.

use crate::publish;
use crate::source::read_fault;
use platefarm_model::Outcome;
use platefarm_standards::mhl::DIRECTORY;
use std::fs;
use std::path::{Path, PathBuf};

/// Begins the names of what is staged.
const STAGED: &str = "mhl-";

/// Where this run stages what it makes for `dir` and what is in it. Nothing is made.
///
/// # Errors
/// As [`publish::staging`].
pub(super) fn place(dir: &Path) -> Outcome<PathBuf> {
    Ok(publish::staging(dir)?.join(format!("{STAGED}{}", std::process::id())))
}

/// An empty directory in `place` for the history of `root`.
///
/// # Errors
/// `F03xx`.
pub(super) fn history(place: &Path, root: &str) -> Outcome<PathBuf> {
    let fresh = place.join(root).join(DIRECTORY);
    // What is staged need not outlast a power cut.
    fs::create_dir_all(&fresh).map_err(|e| publish::write_fault(&fresh, &e))?;
    Ok(fresh)
}

/// Puts back the histories that stepped aside and were never replaced, and removes what else
/// interrupted runs left of `dir`.
///
/// # Errors
/// `F01xx`, `F03xx` where a history cannot be put back: it stays where it is.
pub(super) fn clear(dir: &Path) -> Outcome<()> {
    let entries = fs::read_dir(publish::staging(dir)?).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with(STAGED)) {
        let path = entry.path();
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || restored(&path, dir)? {
            // What cannot go now goes another time.
            let _ = fs::remove_dir_all(path);
        }
    }
    Ok(())
}

/// Puts the histories under `place` back into `of` and what is in it, where they lack theirs.
/// Whether each has one now: where the directory itself is gone, what was its history is kept.
fn restored(place: &Path, of: &Path) -> Outcome<bool> {
    let fault = |e| read_fault(place, &e);
    let aside = format!("{DIRECTORY}{}", publish::ASIDE);
    let mut all = true;
    for entry in fs::read_dir(place).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let (path, name) = (entry.path(), entry.file_name());
        if name == DIRECTORY || !entry.file_type().map_err(fault)?.is_dir() {
            continue;
        }
        all &= match name == aside.as_str() && holds_files(&path) {
            true => put_back(&path, of)?,
            false => restored(&path, &of.join(name))?,
        };
    }
    Ok(all)
}

/// Whether it is a history: of directories on the way to one each holds directories only.
fn holds_files(dir: &Path) -> bool {
    let mut entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
}

/// Puts a history that stepped aside back into `of`, where that has none; whether it has one now.
fn put_back(aside: &Path, of: &Path) -> Outcome<bool> {
    let history = of.join(DIRECTORY);
    if history.try_exists().map_err(|e| read_fault(&history, &e))? {
        return Ok(true);
    }
    if !of.is_dir() {
        return Ok(false);
    }
    fs::rename(aside, &history).map_err(|e| publish::write_fault(&history, &e))?;
    publish::flush_dir(of)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mhl::{CreateOptions, create, verify};
    use platefarm_model::Timestamp;
    use platefarm_standards::mhl::Creator;

    /// Adds a generation to each history; their roots and numbers.
    fn add(dir: &Path, minutes: i64) -> Vec<(String, u64)> {
        let options = CreateOptions {
            formats: Vec::new(),
            ignore: Vec::new(),
            directories: true,
            renames: false,
            only: Vec::new(),
            creator: Creator {
                host: "node".into(),
                tool: ("platefarm".into(), Some("0.1.0".into())),
                ..Creator::default()
            },
            created: Timestamp(1_790_000_000_000_000).plus_millis(minutes * 60_000),
        };
        let generations = create(dir, &options).unwrap().appended.generations;
        generations.into_iter().map(|made| (made.root, made.number)).collect()
    }

    /// A run was killed between the two renames of a volume without an exchange.
    #[test]
    fn a_history_that_stepped_aside_is_put_back() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        fs::create_dir(dir.join("sub")).unwrap();
        fs::write(dir.join("a"), "a").unwrap();
        fs::write(dir.join("sub/y"), "y").unwrap();
        add(&dir.join("sub"), 0);
        add(dir, 1);
        let left = dir.join(".platefarm/mhl-77");
        fs::create_dir_all(left.join("sub/ascmhl")).unwrap();
        fs::rename(dir.join("sub/ascmhl"), left.join("sub/ascmhl.old")).unwrap();
        fs::rename(dir.join("ascmhl"), left.join("ascmhl.old")).unwrap();
        assert_eq!(add(dir, 2), [("sub".to_owned(), 3), (String::new(), 2)]);
        assert_eq!(verify(dir), []);
        assert!(!dir.join(".platefarm").exists());
    }

    /// It was killed after them: the old history has been replaced.
    #[test]
    fn a_history_that_was_replaced_is_not_put_back() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        fs::write(dir.join("a"), "a").unwrap();
        add(dir, 0);
        let left = dir.join(".platefarm/mhl-77");
        fs::create_dir_all(left.join("ascmhl.old")).unwrap();
        fs::write(left.join("ascmhl.old/ascmhl_chain.xml"), "older").unwrap();
        // Of a directory that is gone the history is all there is.
        let gone = dir.join(".platefarm/mhl-78/gone/ascmhl.old/ascmhl_chain.xml");
        fs::create_dir_all(gone.parent().unwrap()).unwrap();
        fs::write(&gone, "all there is").unwrap();
        assert_eq!(add(dir, 1), [(String::new(), 2)]);
        assert_eq!(verify(dir), []);
        assert!(!left.exists() && gone.exists());
    }
}
