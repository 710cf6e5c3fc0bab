//! Files for their user alone. A store holds what signs webhooks, and who may
//! do what: nobody else of the machine has to read it. SQLite gives its log and
//! its index the mode of the file, so the file is made before SQLite opens it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What SQLite keeps of a store beside its file.
pub(super) const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The file whose name goes on with `ending`.
pub(super) fn beside(path: &Path, ending: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A new file that only its user may open, whatever the umask says.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`], and those of the file system.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the file of a store where there is none. One of an earlier version
/// that others may open is taken from them.
///
/// # Errors
/// Those of the file system.
pub(super) fn keep(path: &Path) -> io::Result<()> {
    if !path.exists() {
        match create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let files = BESIDE.map(|ending| beside(path, ending));
    for file in files.iter().map(PathBuf::as_path).chain([path]).filter(|file| is_open(file)) {
        let shown = file.display();
        match close(file) {
            Ok(()) => {
                tracing::warn!("{shown} was open to every user of this machine, and is no more")
            }
            Err(error) => tracing::warn!(%error, "{shown} is open to every user of this machine"),
        }
    }
    Ok(())
}

/// What a mode lets users do who are neither the owner nor in the group.
#[cfg(unix)]
const OTHERS: u32 = 0o007;

/// Whether every user of the machine may open a file.
#[cfg(unix)]
pub(super) fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
}

#[cfg(unix)]
fn close(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = path.metadata()?.permissions();
    permissions.set_mode(permissions.mode() & !OTHERS);
    std::fs::set_permissions(path, permissions)
}

/// Who may open a file is not the file's to say.
#[cfg(not(unix))]
pub(super) fn is_open(_: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::library::Library;
    use crate::store::backup::{backup, restore};
    use crate::store::{Place, SqlStore, Store, TrustStore};
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    /// With its log and its index; its copies, and what is put back from one that lay open.
    #[tokio::test]
    async fn stores_libraries_and_copies_are_their_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let [farm, copy, back, clips, words] =
            ["farm", "copy", "back", "clips", "words"].map(|name| dir.path().join(name));
        let place = Place::Sqlite(farm.clone());
        let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
        store.load().await.unwrap();
        for ending in ["", BESIDE[0], BESIDE[1]] {
            assert_eq!(mode(&beside(&farm, ending)), 0o600, "'{ending}'");
        }
        backup(&place, &copy).await.unwrap();
        assert_eq!(mode(&copy), 0o600);
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o644)).unwrap();
        restore(&Place::Sqlite(back.clone()), &copy).await.unwrap();
        assert_eq!(mode(&back), 0o600);
        let library = Library::open(&Place::Sqlite(clips.clone())).await.unwrap();
        TrustStore::open(&Place::Sqlite(words.clone())).await.unwrap();
        assert_eq!((mode(&clips), mode(&words)), (0o600, 0o600));
        drop(library);
    }

    /// One of an earlier version is taken from those whom nobody meant; a group is meant.
    #[tokio::test]
    async fn a_store_that_lies_open_is_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let farm = dir.path().join("farm");
        let place = Place::Sqlite(farm.clone());
        SqlStore::open(place.clone(), "here").await.unwrap().close().await.unwrap();
        std::fs::set_permissions(&farm, std::fs::Permissions::from_mode(0o664)).unwrap();
        assert!(is_open(&farm));
        let seen = crate::store::health::examine(&place).await.unwrap().unwrap();
        assert!(seen.open, "the doctor says so");
        SqlStore::open(place, "here").await.unwrap().close().await.unwrap();
        assert_eq!(mode(&farm), 0o660);
    }
}
