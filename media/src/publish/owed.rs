//! A rename that is owed: the farm accepted a file, and who staged it died before
//! the file had its name. Where both are, a worker said, whom nobody need believe.

use super::{is_staged, publish, staging};
use platefarm_model::{Code, Fault, Outcome};
use std::path::{Component, Path};

/// Gives an accepted file of `home` its name, if that is still owed; whether it was. It goes from an
/// attempt of `home`, this one where it is known, to `home` itself, or nowhere.
///
/// # Errors
/// [`Code::OutsideRoot`] for other places, and those of [`is_staged`] and [`publish`].
pub fn finish(
    home: &Path,
    attempt: Option<&str>,
    staged: &Path,
    published: &Path,
) -> Outcome<bool> {
    let mut from = staging(home)?;
    from.extend(attempt);
    let name = published.file_name().map(|name| name.to_string_lossy());
    let at_home =
        published.parent() == Some(home) && name.is_some_and(|name| !name.contains(['\\', '\0']));
    if !at_home || !is_within(staged, &from) {
        let message = format!(
            "'{}' is not staged for '{}', or that is not in '{}'",
            staged.display(),
            published.display(),
            home.display()
        );
        return Err(Fault::new(Code::OutsideRoot, message));
    }
    if !is_staged(staged)? {
        return Ok(false);
    }
    publish(staged, published).map(|()| true)
}

/// Whether `path` says a place under `dir`, and does not climb.
fn is_within(path: &Path, dir: &Path) -> bool {
    path.starts_with(dir) && path != dir && path.components().all(|c| c != Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::STAGING;

    #[test]
    fn a_place_beneath_another_does_not_climb() {
        let within = |p: &str| is_within(Path::new(p), Path::new("/out/a"));
        assert!(within("/out/a/x/y"));
        for bad in ["/out/a", "/out/ab", "/out/a/../b", "a/x"] {
            assert!(!within(bad), "{bad}");
        }
    }

    /// A volume that does not answer has the file still; what no file can be called is not there.
    #[cfg(unix)]
    #[test]
    fn what_cannot_be_looked_at_is_not_gone() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        let staging = home.join(STAGING);
        std::fs::create_dir(&staging).unwrap();
        // A link to itself stands for the volume: looking through it fails, whoever looks.
        std::os::unix::fs::symlink("t9", staging.join("t9")).unwrap();
        let fault =
            finish(home, Some("t9"), &staging.join("t9/a.exr"), &home.join("a.exr")).unwrap_err();
        assert_eq!(fault.code, Code::FileUnreadable, "{fault}");
        std::fs::write(staging.join("t8"), "a file").unwrap();
        for none in ["t8/a.exr", "t7/a.exr"] {
            let done = finish(home, None, &staging.join(none), &home.join("a.exr"));
            assert_eq!(done, Ok(false), "{none}");
        }
    }

    /// From its attempt to the directory above, once, and from and to nowhere else.
    #[test]
    fn only_what_is_owed_is_renamed() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        for attempt in ["t8", "t9"] {
            std::fs::create_dir_all(home.join(STAGING).join(attempt)).unwrap();
        }
        let stage = |staged: &str| std::fs::write(home.join(staged), "a").unwrap();
        let end = |attempt, staged: &str, published: &str| {
            finish(home, attempt, &home.join(staged), &home.join(published))
        };
        stage(".platefarm/t9/a.exr");
        assert_eq!(end(Some("t9"), ".platefarm/t9/a.exr", "a.exr"), Ok(true));
        assert!(home.join("a.exr").exists());
        assert_eq!(end(Some("t9"), ".platefarm/t9/a.exr", "a.exr"), Ok(false), "once");
        stage(".platefarm/t8/b.exr");
        for (attempt, staged, published) in [
            (Some("t9"), ".platefarm/t8/b.exr", "b.exr"),
            (None, ".platefarm/t8/b.exr", "else/b.exr"),
            (None, ".platefarm/t8/b.exr", "../b.exr"),
            (None, ".platefarm/t8/b.exr", ".."),
            (None, ".platefarm/t8/b.exr", "c\\b.exr"),
            (None, ".platefarm/t9/../t8/b.exr", "b.exr"),
            (None, "a.exr", "b.exr"),
        ] {
            let fault = end(attempt, staged, published).unwrap_err();
            assert_eq!(fault.code, Code::OutsideRoot, "{staged} to {published}");
        }
        assert_eq!(end(None, ".platefarm/t8/b.exr", "b.exr"), Ok(true), "any attempt");
    }
}
