//! Words that nobody but their receiver may read: tokens, passwords, keys.

use std::fmt;

/// A word that is never printed: `Debug` hides it, and neither `Display` nor a
/// serialiser exists, so that no log, error or JSON can say it by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being seen.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The word itself, for the one place that must send, hash or show it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text.trim()))
    }
}

/// Takes as long whether or not the words are alike, and wherever they differ.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_said_by_any_formatter() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "it is there to be printed")]
        struct Config {
            token: Option<Secret>,
        }
        let config = Config { token: Some(Secret::new("pfk_s3cr3t")) };
        assert!(!format!("{config:?} {config:#?}").contains("s3cr3t"));
        assert_eq!(Secret::new("a"), " a\n".parse().unwrap());
        assert_ne!(Secret::new("ab"), Secret::new("ac"));
    }
}
