//! Where a store is: a file for SQLite, a URL for PostgreSQL.

use super::private;
use platefarm_model::{Code, Fault, Outcome, address};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A store's address: `postgres://...`, `sqlite:PATH`, or a path.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// One file, made when it is not there.
    Sqlite(PathBuf),
    /// A database; its tables are made when they are not there.
    Postgres(String),
}

impl FromStr for Place {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        let scheme = |names: &[&str]| names.iter().any(|name| text.starts_with(name));
        if scheme(&["postgres://", "postgresql://"]) {
            return Ok(Self::Postgres(text.into()));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains("://") {
            let message = format!("'{}' is not a store", address::shown(text));
            return Err(Fault::new(Code::BadConfig, message)
                .remedy("Write a file name, sqlite:FILE, or postgres://USER@HOST/DATABASE."));
        }
        Ok(Self::Sqlite(path.into()))
    }
}

/// What people may see of it: a password is not shown.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(&address::shown(url)),
        }
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place({self})")
    }
}

impl Place {
    /// The address as the driver wants it. Paths are made absolute and
    /// escaped, so that `?`, `#`, `%` and spaces in a name mean themselves.
    pub(super) fn url(&self) -> Outcome<String> {
        let path = match self {
            Self::Postgres(url) => return Ok(url.clone()),
            Self::Sqlite(path) => path,
        };
        let bad = |message: &str| {
            Fault::new(Code::BadConfig, format!("{message}: '{}'", path.display())).at("store")
        };
        let full = std::path::absolute(path).map_err(|e| bad("no such path").because(&e))?;
        let text = full.to_str().ok_or_else(|| bad("the path is not UTF-8"))?;
        let mut url = String::from("sqlite://");
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                    url.push(byte.into());
                }
                other => url.push_str(&format!("%{other:02X}")),
            }
        }
        url.push_str("?mode=rwc");
        Ok(url)
    }

    /// What a transaction begins with that sees one moment.
    pub(super) const fn one_moment(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "BEGIN",
            Self::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Makes the file of a store where there is none, for its user alone; a database makes itself.
    pub(super) fn make(&self) -> Outcome<()> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        make_directory_of(path)?;
        private::keep(path).map_err(|e| failed("make the store", path, &e))
    }

    /// Takes the store for this process, where a file can say so.
    pub(crate) fn lock(&self) -> Outcome<Option<File>> {
        let Self::Sqlite(path) = self else { return Ok(None) };
        make_directory_of(path)?;
        let name = private::beside(path, ".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(|e| failed("open the store's lock", &name, &e))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(self.in_use()),
            Err(TryLockError::Error(e)) => Err(failed("lock the store", &name, &e)),
        }
    }

    pub(super) fn in_use(&self) -> Fault {
        Fault::new(Code::StoreInUse, "another scheduler uses this store").at(self.to_string())
    }
}

fn make_directory_of(path: &Path) -> Outcome<()> {
    match path.parent().filter(|dir| *dir != Path::new("")) {
        None => Ok(()),
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|e| failed("make the store's directory", dir, &e))
        }
    }
}

fn failed(what: &str, path: &Path, e: &std::io::Error) -> Fault {
    let place = path.display().to_string();
    Fault::new(Code::StoreFailed, format!("cannot {what}")).at(place).because(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_what_people_write() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        assert_eq!(place("farm.db"), Place::Sqlite("farm.db".into()));
        assert_eq!(place("sqlite:/a/b.db"), Place::Sqlite("/a/b.db".into()));
        assert_eq!(place("sqlite:///a/b.db"), Place::Sqlite("/a/b.db".into()));
        let url = "postgresql://u:p@h:5/d?sslmode=disable";
        assert_eq!(place(url), Place::Postgres(url.into()));
        assert_eq!(place(url).to_string(), "postgresql://h:5/d", "no password");
        for bad in ["", "sqlite:", "mysql://h/d"] {
            assert_eq!(bad.parse::<Place>().unwrap_err().code, Code::BadConfig, "{bad}");
        }
        let fault = "postgress://farm:s3cr3t@h/d".parse::<Place>().unwrap_err();
        assert!(!format!("{fault:?}").contains("s3cr3t"), "{fault:?}");
        assert_eq!(place("/a b/c?#%.db").url().unwrap(), "sqlite:///a%20b/c%3F%23%25.db?mode=rwc");
    }
}
