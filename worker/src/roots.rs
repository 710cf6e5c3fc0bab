//! The directories that a worker may touch. A path in a job comes from
//! somebody else; it must not lead out of them, not by `..` and not through a
//! symbolic link. The path of a task is checked before it begins; the files
//! that it leads to, where they are opened (`platefarm_media::storage`).

use platefarm_media::storage;
use platefarm_model::{Code, Fault, Outcome};
use std::path::{Component, Path, PathBuf};

/// The directories that jobs may read and write. Empty: any.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<PathBuf>);

impl Roots {
    /// Confines to `dirs`; none confines nothing.
    ///
    /// # Errors
    /// [`Code::FileNotFound`] when a root is not there.
    pub fn new(dirs: &[PathBuf]) -> Outcome<Self> {
        dirs.iter()
            .map(|dir| {
                if storage::is_remote(dir) {
                    return storage::absolute(dir);
                }
                dir.canonicalize().map_err(|e| {
                    Fault::new(
                        Code::FileNotFound,
                        format!("'{}' is no directory to work in", dir.display()),
                    )
                    .because(&e)
                })
            })
            .collect::<Outcome<_>>()
            .map(Self)
    }

    /// Keeps this process within them, whatever it opens or writes, until it ends.
    ///
    /// # Errors
    /// [`Code::Internal`] when it is kept within others.
    pub fn confine(&self) -> Outcome<()> {
        storage::confine(&self.0)
    }

    /// `path`, made absolute, if it lies inside.
    ///
    /// # Errors
    /// [`Code::OutsideRoot`] when it does not, or climbs with `..`.
    pub fn check(&self, path: &str) -> Outcome<PathBuf> {
        let path = Path::new(path);
        let place = storage::absolute(path)?;
        let climbs = place.components().any(|c| c == Component::ParentDir);
        if climbs || !(self.0.is_empty() || storage::lies_in(&place, &self.0)) {
            return Err(storage::outside(path));
        }
        Ok(place)
    }
}

/// Whether `name` is one plain file or directory name.
#[must_use]
pub(crate) fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
        && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_do_not_leave_their_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::create_dir_all(dir.path().join("other")).unwrap();
        let roots = Roots::new(std::slice::from_ref(&root)).unwrap();
        let check = |p: &Path| roots.check(p.to_str().unwrap()).map_err(|f| f.code);
        assert!(check(&root.join("a/not/yet/there")).is_ok());
        assert_eq!(check(&dir.path().join("other")), Err(Code::OutsideRoot));
        assert_eq!(check(&root.join("a/../../other")), Err(Code::OutsideRoot));
        // Beginning alike is not lying inside.
        assert_eq!(check(&dir.path().join("rooted")), Err(Code::OutsideRoot));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("other"), root.join("link")).unwrap();
            assert_eq!(check(&root.join("link/x")), Err(Code::OutsideRoot));
        }
        assert!(Roots::default().check("/anywhere").is_ok());
    }

    #[test]
    fn objects_do_not_leave_their_root() {
        let roots = Roots::new(&["s3://ocf/show".into()]).unwrap();
        let check = |p: &str| roots.check(p).map_err(|f| f.code);
        assert!(check("s3://ocf/show/A001").is_ok());
        for out in
            ["s3://ocf/shows/a", "s3://other/show/a", "s3://ocf", "/ocf/show/a", "/etc/passwd"]
        {
            assert_eq!(check(out), Err(Code::OutsideRoot), "{out}");
        }
        for bad in ["s3://ocf/show/../x", "s3://ocf/show//x", "s3://ocf/show/./x"] {
            assert_eq!(check(bad), Err(Code::BadLocation), "{bad}");
        }
        let disk = Roots::new(&[std::env::temp_dir()]).unwrap();
        assert_eq!(disk.check("s3://ocf/a").unwrap_err().code, Code::OutsideRoot);
    }

    #[test]
    fn plain_names_have_no_directory() {
        assert!(is_plain_name("A_010_PL01_v001"));
        for bad in ["", ".", "..", "a/b", "/a", "a\\b", "a/"] {
            assert!(!is_plain_name(bad), "{bad}");
        }
    }
}
