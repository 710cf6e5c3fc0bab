//! What the scheduler listens with, and where it may.

use super::Settings;
use platefarm_model::{Code, Fault, Outcome};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The scheduler's certificate, and whose clients it asks for theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Its certificate chain, as PEM.
    pub cert: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
    /// Whose certificates clients show, as PEM. None: they are not asked.
    pub client_ca: Option<PathBuf>,
    /// Whether a client may come without one, and show a token instead.
    pub client_optional: bool,
}

/// Refuses an address that strangers reach, where the way to it is open.
///
/// # Errors
/// [`Code::OpenListener`].
pub(crate) fn check_listener(address: SocketAddr, settings: &Settings) -> Outcome<()> {
    if address.ip().is_loopback() || settings.tls.is_some() || settings.plaintext {
        return Ok(());
    }
    let message = format!("{address} is reached from other machines, and nothing encrypts the way");
    Err(Fault::new(Code::OpenListener, message))
}

/// Whether everybody who calls `address` has to say who they are.
pub(crate) fn needs_tokens(address: SocketAddr, settings: &Settings) -> bool {
    settings.tokens || !address.ip().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stranger_reaches_an_open_door() {
        let open = Settings::default();
        let near = ["127.0.0.1:7878", "[::1]:7878", "127.8.9.1:0"];
        let far =
            ["0.0.0.0:7878", "[::]:7878", "10.0.0.1:7878", "[fe80::1]:1", "[::ffff:1.2.3.4]:1"];
        for address in near.map(|a| a.parse().unwrap()) {
            assert!(check_listener(address, &open).is_ok() && !needs_tokens(address, &open));
            assert!(needs_tokens(address, &Settings { tokens: true, ..open.clone() }));
        }
        for address in far.map(|a| a.parse().unwrap()) {
            assert_eq!(check_listener(address, &open).unwrap_err().code, Code::OpenListener);
            let tls =
                Tls { cert: "c".into(), key: "k".into(), client_ca: None, client_optional: false };
            let closed = Settings { tls: Some(tls), ..open.clone() };
            assert!(check_listener(address, &closed).is_ok());
            assert!(needs_tokens(address, &closed), "TLS alone lets nobody in");
            let elsewhere = Settings { plaintext: true, ..open.clone() };
            assert!(check_listener(address, &elsewhere).is_ok());
            assert!(needs_tokens(address, &elsewhere), "nor does it elsewhere");
        }
    }
}
