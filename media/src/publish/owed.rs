//! A rename that is owed: the farm accepted a file, and who staged it died before
//! the file had its name. Where both are, a worker said, whom nobody need believe.

use super::{STAGING, is_staged, publish, staging};
use crate::storage;
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
    if !is_name_in(published, home) || !is_within(staged, &from) || !can_be(staged) {
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

/// Most bytes of one name, on the volumes that there are.
const NAME_BYTES: usize = 255;
/// Most bytes of an object's key, as S3 has it.
const KEY_BYTES: usize = 1024;

/// Whether `path` is what a file of `home` can be called, as it is written: no rename fails for the
/// name alone, which would be taken for the volume's fault. Nothing after the name makes it a directory's.
fn is_name_in(path: &Path, home: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    let written = path.as_os_str().as_encoded_bytes();
    path.parent() == Some(home)
        && written.ends_with(name.as_encoded_bytes())
        && !name.to_string_lossy().contains(['\\', '\0'])
        && name != STAGING
        && can_be(path)
}

/// Whether a volume, or a store, takes names as long as those of `path`.
fn can_be(path: &Path) -> bool {
    let mut names = path.components();
    match storage::is_remote(path) {
        true => storage::Place::of(path).is_ok_and(|place| place.key.len() <= KEY_BYTES),
        false => names.all(|name| name.as_os_str().len() <= NAME_BYTES),
    }
}

/// Whether `path` says a place under `dir`, and does not climb.
fn is_within(path: &Path, dir: &Path) -> bool {
    path.starts_with(dir) && path != dir && path.components().all(|c| c != Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let long = "b".repeat(256);
        for (attempt, staged, published) in [
            (Some("t9"), ".platefarm/t8/b.exr", "b.exr"),
            (None, ".platefarm/t8/b.exr", "else/b.exr"),
            (None, ".platefarm/t8/b.exr", "../b.exr"),
            (None, ".platefarm/t8/b.exr", ".."),
            (None, ".platefarm/t8/b.exr", "c\\b.exr"),
            // What a rename would refuse whoever tries it.
            (None, ".platefarm/t8/b.exr", "b.exr/"),
            (None, ".platefarm/t8/b.exr", "b.exr/."),
            (None, ".platefarm/t8/b.exr", ".platefarm"),
            (None, ".platefarm/t8/b.exr", long.as_str()),
            (None, ".platefarm/t9/../t8/b.exr", "b.exr"),
            (None, "a.exr", "b.exr"),
        ] {
            let fault = end(attempt, staged, published).unwrap_err();
            assert_eq!(fault.code, Code::OutsideRoot, "{staged} to {published}");
        }
        assert_eq!(end(None, ".platefarm/t8/b.exr", "b.exr"), Ok(true), "any attempt");
    }
}
