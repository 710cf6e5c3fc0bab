//! Connections that are encrypted with the certificate that is there now: files
//! that were exchanged are read again, and connections that are open go on with
//! the one that they began with. A certificate that cannot be used changes nothing.

use super::tls::Tls;
use crate::web::Metrics;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_proto::dial::{certificates, pem};
use platefarm_proto::validity::chain_until;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
/// Of these, how many one address may have. Those that are more are hung up
/// on, so that no address keeps the others out; a client tries again.
const OF_ONE: usize = 128;
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

    /// When the one in force ends, as far as it says.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        chain_until(&self.files.cert)
    }

    /// Encrypts connections.
    pub(crate) fn acceptor(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.now.subscribe()
    }

    /// Reads them again whenever they were exchanged, for as long as it is polled.
    pub(crate) async fn keep(mut self, metrics: Arc<Metrics>) {
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
                    metrics.certified(self.until());
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

/// Who knocks, as far as an address says it: of IPv6 the network of 64 bits,
/// all of which one machine may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Knocker(IpAddr);

impl From<IpAddr> for Knocker {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(six) => {
                let network = u128::from(six) & !u128::from(u64::MAX);
                IpAddr::V6(network.into())
            }
            four => four,
        })
    }
}

/// Who is at a door, by address.
#[derive(Clone, Default)]
pub(crate) struct Knocking(Arc<Mutex<HashMap<Knocker, usize>>>);

/// One of them, for as long as it is held.
pub(crate) struct Knock {
    at: Knocker,
    all: Knocking,
}

impl Knocking {
    fn held(&self) -> MutexGuard<'_, HashMap<Knocker, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more from `address`; none: it has as many as one may.
    pub(crate) fn more(&self, address: IpAddr, most: usize) -> Option<Knock> {
        let at = Knocker::from(address);
        let mut held = self.held();
        let count = held.entry(at).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Knock { at, all: self.clone() })
    }
}

impl Drop for Knock {
    fn drop(&mut self) {
        let mut held = self.all.held();
        if let Some(count) = held.get_mut(&self.at) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.at);
            }
        }
    }
}

/// Connections as they come in, encrypted. The future that comes with them
/// accepts them, for as long as it is polled.
pub(crate) fn encrypted(
    tcp: impl Stream<Item = io::Result<TcpStream>> + Unpin + Send,
    acceptor: watch::Receiver<Arc<ServerConfig>>,
) -> (ReceiverStream<io::Result<TlsStream<TcpStream>>>, impl Future<Output = ()> + Send) {
    accept(tcp, acceptor, AT_ONCE, OF_ONE)
}

fn accept(
    mut tcp: impl Stream<Item = io::Result<TcpStream>> + Unpin + Send,
    acceptor: watch::Receiver<Arc<ServerConfig>>,
    at_once: usize,
    of_one: usize,
) -> (ReceiverStream<io::Result<TlsStream<TcpStream>>>, impl Future<Output = ()> + Send) {
    let (to, ready) = mpsc::channel(at_once);
    let (room, knocking) = (Arc::new(Semaphore::new(at_once)), Knocking::default());
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
            // One whose address is gone already is gone itself.
            let Ok(from) = connection.peer_addr() else { continue };
            let Some(knock) = knocking.more(from.ip(), of_one) else {
                tracing::debug!(%from, "too many handshakes from one address; hung up");
                continue;
            };
            let acceptor = TlsAcceptor::from(Arc::clone(&acceptor.borrow()));
            let to = to.clone();
            tokio::spawn(async move {
                let _held = (permit, knock);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Connections that say nothing fill the places of their own address only.
    #[tokio::test]
    async fn one_address_does_not_keep_the_others_out() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let knocking = Knocking::default();
        let mut held: Vec<Knock> = Vec::new();
        for host in 0..1000u32 {
            held.extend(knocking.more(address(&format!("2001:db8::{host:x}")), 3));
        }
        assert_eq!(held.len(), 3, "a network of 64 bits is one");
        assert!(knocking.more(address("2001:db8:0:1::1"), 3).is_some());
        held.extend(knocking.more(address("::ffff:10.0.0.1"), 1));
        assert!(knocking.more(address("10.0.0.1"), 1).is_none(), "the same, written otherwise");
        assert!(knocking.more(address("10.0.0.2"), 1).is_some());
        drop(held);
        assert!(knocking.held().is_empty(), "nothing is remembered of those who left");
    }

    #[tokio::test]
    async fn who_says_nothing_is_hung_up_on_when_they_are_many() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let nobody = Arc::new(rustls::server::ResolvesServerCertUsingSni::new());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(nobody);
        let acceptor = watch::Sender::new(Arc::new(config));
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let (_ready, accepting) = accept(incoming, acceptor.subscribe(), 8, 3);
        tokio::spawn(accepting);
        let mut silent = Vec::new();
        for _ in 0..6 {
            silent.push(TcpStream::connect(port).await.unwrap());
        }
        // Three are listened to; the others hear at once that they are not.
        for one in &mut silent[3..] {
            let mut nothing = [0; 1];
            let read = tokio::io::AsyncReadExt::read(one, &mut nothing);
            let read = tokio::time::timeout(HANDSHAKE / 2, read).await.expect("hung up on");
            assert!(matches!(read, Ok(0) | Err(_)));
        }
        // Another address is answered meanwhile: what it says is no handshake, and it is told so.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut other = socket.connect(port).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut other, b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut alert = [0; 1];
        let read = tokio::io::AsyncReadExt::read(&mut other, &mut alert);
        tokio::time::timeout(HANDSHAKE / 2, read).await.expect("an answer").unwrap();
        assert_eq!(alert, [21], "a TLS alert (RFC 8446, section 5.1)");
    }
}
