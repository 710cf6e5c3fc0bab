//! Connections that are encrypted with the certificate that is there now: files
//! that were exchanged are read again, and connections that are open go on with
//! the one that they began with. A certificate that cannot be used changes nothing.

use super::tls::Tls;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_proto::dial::{certificates, pem};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};

/// How long a handshake may take: a stranger holds a connection no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at a time; above it, connections wait to be accepted.
const AT_ONCE: usize = 1024;
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// After a port that failed for a moment, as where files run out.
const BREATH: Duration = Duration::from_millis(50);

/// What the files say.
#[derive(PartialEq, Eq)]
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Files {
    fn read(tls: &Tls) -> Outcome<Self> {
        Ok(Self {
            cert: certificates(&tls.cert)?,
            key: pem(&tls.key)?,
            client_ca: tls.client_ca.as_deref().map(certificates).transpose()?,
        })
    }

    fn config(&self, tls: &Tls) -> Outcome<ServerConfig> {
        let bad = |what: &str, e: &(dyn std::error::Error + 'static)| {
            Fault::new(Code::BadCertificate, format!("the scheduler's {what} cannot be used"))
                .at(tls.cert.display().to_string())
                .because(e)
        };
        let chain = |pem: &[u8]| CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| bad("certificate", &e))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(chain(ca).map_err(|e| bad("client CA", &e))?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                let verifier =
                    if tls.client_optional { verifier.allow_unauthenticated() } else { verifier };
                builder
                    .with_client_cert_verifier(verifier.build().map_err(|e| bad("client CA", &e))?)
            }
        };
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|e| bad("key", &e))?;
        let certs = chain(&self.cert).map_err(|e| bad("certificate", &e))?;
        let mut config =
            builder.with_single_cert(certs, key).map_err(|e| bad("certificate", &e))?;
        config.alpn_protocols.push(b"h2".to_vec());
        Ok(config)
    }
}

/// The certificate in force.
pub(crate) struct Certificates {
    tls: Tls,
    files: Files,
    now: watch::Sender<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads them.
    ///
    /// # Errors
    /// [`Code::BadCertificate`].
    pub(crate) fn read(tls: &Tls) -> Outcome<Self> {
        let files = Files::read(tls)?;
        let now = watch::Sender::new(Arc::new(files.config(tls)?));
        Ok(Self { tls: tls.clone(), files, now })
    }

    /// Encrypts connections.
    pub(crate) fn acceptor(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.now.subscribe()
    }

    /// Reads them again whenever they were exchanged, for as long as it is polled.
    pub(crate) async fn keep(mut self) {
        let mut told = false;
        loop {
            tokio::time::sleep(LOOK).await;
            let read = Files::read(&self.tls).and_then(|files| {
                let config = (files != self.files).then(|| files.config(&self.tls)).transpose()?;
                Ok(config.map(|config| (files, config)))
            });
            match read {
                Ok(None) => told = false,
                Ok(Some((files, config))) => {
                    self.files = files;
                    self.now.send_replace(Arc::new(config));
                    tracing::info!(cert = %self.tls.cert.display(), "a new certificate is in force");
                    told = false;
                }
                // A certificate without its key yet is in the middle of being exchanged.
                Err(fault) if !told => {
                    tracing::warn!(%fault, "the certificate in force stays");
                    told = true;
                }
                Err(_) => {}
            }
        }
    }
}

/// Connections as they come in, encrypted. The future that comes with them
/// accepts them, for as long as it is polled.
pub(crate) fn encrypted(
    mut tcp: impl Stream<Item = io::Result<TcpStream>> + Unpin + Send,
    acceptor: watch::Receiver<Arc<ServerConfig>>,
) -> (ReceiverStream<io::Result<TlsStream<TcpStream>>>, impl Future<Output = ()> + Send) {
    let (to, ready) = mpsc::channel(AT_ONCE);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let accepting = async move {
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
            let connection = match tcp.next().await {
                Some(Ok(connection)) => connection,
                Some(Err(error)) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
                None => return,
            };
            let acceptor = TlsAcceptor::from(Arc::clone(&acceptor.borrow()));
            let to = to.clone();
            tokio::spawn(async move {
                let _held = permit;
                match tokio::time::timeout(HANDSHAKE, acceptor.accept(connection)).await {
                    Ok(Ok(stream)) => drop(to.send(Ok(stream)).await),
                    Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                    Err(_) => tracing::debug!("a handshake took too long"),
                }
            });
        }
    };
    (ReceiverStream::new(ready), accepting)
}
