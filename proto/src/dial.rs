//! How a client or worker reaches a scheduler: its address, who it trusts
//! there, and how it says who it is.
//!
//! A token goes along with every call, but never in the open: an `http://`
//! address of another machine is refused while there is a token to lose,
//! unless the caller says that something else encrypts the way.

use platefarm_model::{Code, Fault, Outcome, Secret, address};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

/// Largest certificate chain or key that is read, in bytes.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// A way to a scheduler.
#[derive(Clone, Debug, Default)]
pub struct Dial {
    /// `http://127.0.0.1:7878`, `https://farm.example:7878`; several with commas between.
    pub url: String,
    /// Sent with every call.
    pub token: Option<Secret>,
    /// Whom to trust, as PEM; the system's roots when none is given.
    pub ca: Option<PathBuf>,
    /// Our own certificate chain, as PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, as PEM.
    pub key: Option<PathBuf>,
    /// Whether something else encrypts the way.
    pub plaintext: bool,
}

impl<T: Into<String>> From<T> for Dial {
    fn from(url: T) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

/// A connection on which every call says who makes it.
pub type Line = InterceptedService<Channel, Bearer>;

/// Adds the token to calls.
#[derive(Clone, Debug)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

impl Dial {
    /// A way to each of the addresses, which commas part.
    #[must_use]
    pub fn each(&self) -> Vec<Self> {
        self.url.split(',').map(|url| self.to(url.trim())).collect()
    }

    /// The same way, to another address.
    #[must_use]
    pub fn to(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The address as people may see it.
    #[must_use]
    pub fn shown(&self) -> String {
        address::shown(&self.url)
    }

    /// The address, ready to connect to.
    ///
    /// # Errors
    /// [`Code::BadConfig`] for an address that is none, [`Code::TokenInTheOpen`],
    /// [`Code::BadCertificate`].
    pub fn endpoint(&self) -> Outcome<Endpoint> {
        let url = &self.url;
        let not_one = || {
            let message = format!("'{}' is not an address of a scheduler", self.shown());
            Fault::new(Code::BadConfig, message)
                .remedy("Write it as http://HOST:PORT or https://HOST:PORT.")
        };
        // A library underneath takes sockets of the file system too, under a name of its own.
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err(not_one());
        }
        let endpoint = Endpoint::from_shared(url.clone()).map_err(|e| not_one().because(&e))?;
        let host = endpoint.uri().host().ok_or_else(not_one)?.to_owned();
        let endpoint = match endpoint.uri().scheme_str() {
            Some("https") => endpoint.tls_config(self.tls()?).map_err(|e| {
                Fault::new(Code::BadCertificate, "the certificates cannot be used").because(&e)
            })?,
            Some("http") => {
                self.check_open(&host)?;
                endpoint
            }
            _ => return Err(not_one()),
        };
        Ok(endpoint
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .tcp_nodelay(true))
    }

    /// Why nobody was reached, as `error` says it: a scheduler that speaks without TLS, or has a
    /// certificate that is not trusted, is there, and is told from one that is away.
    #[must_use]
    pub fn away(&self, error: &(dyn Error + 'static)) -> Fault {
        let url = self.shown();
        if says(error, DISTRUSTED) {
            let message = format!("the certificate of {url} is not trusted here");
            return Fault::new(Code::NoScheduler, message).because(error).remedy(TO_TRUST);
        }
        if says(error, ALERT) {
            let message = format!("the scheduler at {url} broke the handshake off");
            return Fault::new(Code::NoScheduler, message).because(error).remedy(CUT_OFF);
        }
        if url.starts_with("https://") && says(error, NO_TLS) {
            let plain = url.replacen("https://", "http://", 1);
            let message = format!("what answers at {url} speaks without TLS");
            return Fault::new(Code::NoScheduler, message).because(error).remedy(format!(
                "Write {plain}, or have the scheduler started with --tls-cert and --tls-key."
            ));
        }
        Fault::new(Code::NoScheduler, format!("no scheduler answers at {url}")).because(error)
    }

    /// What says who makes the calls.
    ///
    /// # Errors
    /// [`Code::BadToken`] for a token that no call can carry.
    pub fn bearer(&self) -> Outcome<Bearer> {
        let Some(token) = &self.token else { return Ok(Bearer(None)) };
        let mut value: MetadataValue<Ascii> =
            format!("Bearer {}", token.expose()).parse().map_err(|_| {
                // The value itself must not be said.
                Fault::new(Code::BadToken, "the token holds characters that no token has")
                    .remedy("Give the token as `platefarm tokens create` printed it.")
            })?;
        value.set_sensitive(true);
        Ok(Bearer(Some(value)))
    }

    fn check_open(&self, host: &str) -> Outcome<()> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if let (Some(file), _) | (_, Some(file)) = (&self.ca, &self.cert) {
            return Err(Fault::new(
                Code::BadConfig,
                format!("'{}' is of no use with an http:// address", file.display()),
            )
            .at(self.shown())
            .remedy("Use an https:// address, or leave the certificates out."));
        }
        if self.token.is_some() && !here && !self.plaintext {
            return Err(Fault::new(
                Code::TokenInTheOpen,
                format!(
                    "{} is another machine's, and nothing encrypts the way to it",
                    self.shown()
                ),
            ));
        }
        Ok(())
    }

    fn tls(&self) -> Outcome<ClientTlsConfig> {
        let config = ClientTlsConfig::new();
        let config = match &self.ca {
            Some(file) => config.ca_certificate(Certificate::from_pem(certificates(file)?)),
            None => config.with_native_roots(),
        };
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                Ok(config.identity(Identity::from_pem(certificates(cert)?, pem(key)?)))
            }
            (None, None) => Ok(config),
            _ => Err(Fault::new(Code::BadConfig, "a certificate and its key come together")
                .remedy("Give both --cert and --key.")),
        }
    }
}

/// A handshake failed on an answer that is no TLS, in the words of the library that shook hands.
const NO_TLS: &str = "InvalidContentType";
/// It failed on whose certificate it was, whom it was for, or when.
pub(crate) const DISTRUSTED: &str = "invalid peer certificate";
/// It was broken off by the other side.
pub(crate) const ALERT: &str = "received fatal alert";
/// What to do where a connection breaks: a scheduler that wants TLS, or a certificate, says no more than that.
pub(crate) const CUT_OFF: &str = "Try again. A scheduler with TLS wants an https:// address, and one that asks for a \
    client's certificate --cert and --key.";
/// What to do where it is not trusted.
pub(crate) const TO_TRUST: &str = "Give the CA that signed it with --ca, and an address whose name it was \
    made for; `openssl x509 -noout -text -in FILE` shows names and dates. A CA's own certificate is not taken \
    for a server's.";

/// Whether an error, or what it came of, says `words`.
fn says(error: &(dyn Error + 'static), words: &str) -> bool {
    let mut chain =
        std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    chain.any(|error| error.to_string().contains(words))
}

/// The bytes of a PEM file.
///
/// # Errors
/// [`Code::BadCertificate`] when it cannot be read.
pub fn pem(file: &Path) -> Outcome<Vec<u8>> {
    let bad = |what: &str| Fault::new(Code::BadCertificate, format!("'{}' {what}", file.display()));
    let size = std::fs::metadata(file).map_err(|e| bad("cannot be read").because(&e))?.len();
    if size > MAX_PEM_BYTES {
        return Err(bad("is too large for a certificate or key"));
    }
    std::fs::read(file).map_err(|e| bad("cannot be read").because(&e))
}

/// A PEM file that holds at least one certificate.
///
/// # Errors
/// [`Code::BadCertificate`].
pub fn certificates(file: &Path) -> Outcome<Vec<u8>> {
    let bytes = pem(file)?;
    first_certificate(file, &bytes)?;
    Ok(bytes)
}

/// SHA-256 of the first certificate in a PEM file, as hex: how a farm knows it again.
///
/// # Errors
/// [`Code::BadCertificate`].
pub fn fingerprint(file: &Path) -> Outcome<String> {
    let bytes = pem(file)?;
    Ok(hash_hex(&first_certificate(file, &bytes)?))
}

/// SHA-256 as 64 hex digits: of a token's word, of a certificate.
#[must_use]
pub fn hash_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn first_certificate(file: &Path, bytes: &[u8]) -> Outcome<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(bytes).next().and_then(Result::ok).ok_or_else(|| {
        Fault::new(Code::BadCertificate, format!("'{}' holds no certificate", file.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(url: &str) -> Dial {
        Dial { token: Some(Secret::new("pfk_secret")), ..Dial::from(url) }
    }

    #[test]
    fn a_token_does_not_travel_in_the_open() {
        for near in ["http://127.0.0.1:7878", "http://localhost:1", "http://[::1]:7878"] {
            assert!(dial(near).endpoint().is_ok(), "{near}");
        }
        let far = ["http://farm:7878", "http://10.0.0.1:7878", "http://localhost.evil.example:1"];
        for far in far {
            assert_eq!(dial(far).endpoint().unwrap_err().code, Code::TokenInTheOpen, "{far}");
            assert!(Dial { plaintext: true, ..dial(far) }.endpoint().is_ok());
            assert!(Dial::from(far).endpoint().is_ok(), "nothing to lose");
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_said() {
        for bad in ["", "farm", "ftp://farm:1", "unix:/tmp/x"] {
            assert_eq!(dial(bad).endpoint().unwrap_err().code, Code::BadConfig, "{bad}");
        }
        let half = Dial { cert: Some("a.pem".into()), ..Dial::from("https://farm:1") };
        assert_eq!(half.endpoint().unwrap_err().code, Code::BadConfig);
        let lost = Dial { ca: Some("/no/such.pem".into()), ..Dial::from("https://farm:1") };
        assert_eq!(lost.endpoint().unwrap_err().code, Code::BadCertificate);
    }

    #[test]
    fn who_speaks_without_tls_is_not_away() {
        let plain = std::io::Error::other("received corrupt message of type InvalidContentType");
        let away = std::io::Error::other("connection refused");
        let said = |url: &str, error: &std::io::Error| Dial::from(url).away(error).message;
        assert_eq!(
            said("https://farm:1", &plain),
            "what answers at https://farm:1 speaks without TLS"
        );
        assert_eq!(said("https://farm:1", &away), "no scheduler answers at https://farm:1");
        assert_eq!(said("http://farm:1", &plain), "no scheduler answers at http://farm:1");
        let remedy = Dial::from("https://farm:1").away(&plain);
        assert!(remedy.remedy_text().contains("http://farm:1"), "{remedy:?}");
        let strange = std::io::Error::other("invalid peer certificate: UnknownIssuer");
        assert_eq!(
            said("https://farm:1", &strange),
            "the certificate of https://farm:1 is not trusted here"
        );
        let remedy = Dial::from("https://farm:1").away(&strange);
        assert!(remedy.remedy_text().contains("--ca"), "{remedy:?}");
        let asked = std::io::Error::other("received fatal alert: CertificateRequired");
        let remedy = Dial::from("https://farm:1").away(&asked);
        assert!(remedy.remedy_text().contains("--cert"), "{remedy:?}");
    }

    #[test]
    fn no_error_says_a_password() {
        let away = std::io::Error::other("connection refused");
        for bad in ["http://farm:s3cr3t@h:1", "htp://farm:s3cr3t@h:1", "farm:s3cr3t@h:1"] {
            let faults = [dial(bad).endpoint().unwrap_err(), Dial::from(bad).away(&away)];
            assert!(!format!("{faults:?}").contains("s3cr3t"), "{faults:?}");
        }
    }

    #[test]
    fn no_formatter_says_the_token() {
        let dial = dial("http://127.0.0.1:1");
        let bearer = dial.bearer().unwrap();
        assert!(!format!("{dial:?} {bearer:?}").contains("secret"));
        let torn = Dial { token: Some(Secret::new("pfk_sec\nret")), ..dial };
        assert!(!format!("{:?}", torn.bearer().unwrap_err()).contains("sec"));
    }
}
