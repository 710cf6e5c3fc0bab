//! The volume that a place on a disk lies on: its kind, and how much room it has.

use std::path::{Path, PathBuf};

/// A mounted volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Kind of its file system, as the system calls it: `ext4`, `nfs4`; empty where that is not told.
    pub kind: String,
    /// Whether other machines keep it: locks and memory maps are not to be relied on there.
    pub network: bool,
    /// Room for us, in bytes.
    pub free_bytes: u64,
    /// Its size, in bytes.
    pub total_bytes: u64,
}

/// File systems that other machines keep.
const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "lustre",
    "beegfs",
    "gpfs",
    "afs",
    "fuse.s3fs",
    "fuse.juicefs",
];

/// The volume of a place, or of what is there above it; none for an object's, or where the system does not say.
#[must_use]
pub fn volume(place: &Path) -> Option<Volume> {
    if super::is_remote(place) {
        return None;
    }
    let full = std::path::absolute(place).ok()?;
    let there = full.ancestors().find_map(|above| above.canonicalize().ok())?;
    let space = space(&there)?;
    let kind = std::fs::read_to_string("/proc/self/mountinfo")
        .ok()
        .and_then(|mounts| kind_of(&mounts, &there))
        .unwrap_or_default();
    let network = NETWORK.contains(&kind.as_str());
    Some(Volume { kind, network, free_bytes: space[0], total_bytes: space[1] })
}

#[cfg(unix)]
fn space(path: &Path) -> Option<[u64; 2]> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some([space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize])
}

#[cfg(not(unix))]
fn space(_path: &Path) -> Option<[u64; 2]> {
    None
}

/// The kind of the innermost mount above `path`; proc(5), "mountinfo".
fn kind_of(mounts: &str, path: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (mount, kind) = line.split_once(" - ")?;
        let point = PathBuf::from(unescaped(mount.split(' ').nth(4)?));
        let kind = kind.split(' ').next()?.to_owned();
        path.starts_with(&point).then(|| (point.components().count(), kind))
    };
    // Of two at one point, the later covers the earlier.
    mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

/// Spaces and the like are written as three octal digits.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                rest = &after[3..];
            }
            None => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
36 35 98:0 / / rw,noatime shared:1 - ext4 /dev/vda rw
40 36 0:40 / /mnt rw shared:2 - tmpfs tmpfs rw
41 40 0:41 / /mnt/show\\040one rw,relatime shared:3 - nfs4 filer:/one rw
42 36 0:42 / /mnt rw - xfs /dev/vdb rw
";

    #[test]
    fn the_innermost_mount_is_the_volume() {
        let kind = |path: &str| kind_of(MOUNTS, Path::new(path)).unwrap();
        assert_eq!(kind("/home/ann/x"), "ext4");
        assert_eq!(kind("/mnt/other"), "xfs", "the later mount covers");
        assert_eq!(kind("/mnt/show one/plates"), "nfs4");
        assert_eq!(kind("/mnt2"), "ext4", "a name is not a beginning of a name");
    }

    #[test]
    fn what_is_not_there_yet_has_the_volume_of_what_is() {
        let dir = tempfile::tempdir().unwrap();
        let volume = volume(&dir.path().join("not/yet/there")).expect("a volume");
        assert!(volume.total_bytes >= volume.free_bytes && volume.total_bytes > 0, "{volume:?}");
        assert!(super::volume(Path::new("s3://bucket/x")).is_none());
    }
}
