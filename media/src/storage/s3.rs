//! The object store itself: one client per bucket, one small runtime for
//! all, and what its errors mean.
//!
//! Credentials, region and endpoint come from the environment by the names
//! that AWS's own tools have (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...), or from
//! the machine's role. Each call is tried again with doubling, jittered waits
//! until its time is up; whether a call may be tried again is the client's to know.

use super::Place;
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3CopyIfNotExists};
use object_store::path::Path as Key;
use object_store::{BackoffConfig, ClientOptions, Error, HeaderMap, HeaderValue, RetryConfig};
use platefarm_model::{Code, Fault, Outcome};
use std::collections::HashMap;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long one call is tried.
const PATIENCE: Duration = Duration::from_secs(120);
/// Silence after which a connection is given up, and the call tried again.
const SILENCE: Duration = Duration::from_secs(20);

/// The runtime of all calls; none when the system has no threads left.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("storage")
        .enable_all()
        .build()
});

static BUCKETS: LazyLock<Mutex<HashMap<String, Arc<AmazonS3>>>> = LazyLock::new(Mutex::default);

/// Waits for a call from any thread, also one that a runtime of others runs on.
pub(super) fn wait<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> Outcome<T> {
    let gone =
        || Fault::new(Code::StorageFailed, "the threads that speak to the object store ended");
    let runtime = RUNTIME.as_ref().map_err(|e| gone().because(e))?;
    let (told, answer) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        // Whoever asked waits.
        let _ = told.send(call.await);
    });
    answer.recv().map_err(|_| gone())
}

/// Settings that go before those of the environment, by the same names.
static SETTINGS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

/// Sets what the environment would, by the names that it would have there:
/// for programs that cannot change their own. Holds for buckets that were not
/// used yet.
pub fn configure(settings: &[(&str, &str)]) {
    let mut known = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    known.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
}

fn setting(name: &str) -> Option<String> {
    let known = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
    known.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

/// The client of a bucket.
pub(super) fn bucket(name: &str) -> Outcome<Arc<AmazonS3>> {
    let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = buckets.get(name) {
        return Ok(Arc::clone(client));
    }
    let client = Arc::new(built(name, builder(name))?);
    buckets.insert(name.to_owned(), Arc::clone(&client));
    Ok(client)
}

/// A client for the last call of an upload in parts, which gives the object its name: on the
/// condition that it is as it was seen, of this version or not there. Every call of it carries
/// the condition, so it is for nothing else; it is known to the store as the bucket's client is.
pub(super) fn naming(place: &Place, seen: Option<&str>) -> Outcome<AmazonS3> {
    let (condition, version) = match seen {
        Some(e_tag) => ("if-match", HeaderValue::from_str(e_tag)),
        None => ("if-none-match", Ok(HeaderValue::from_static("*"))),
    };
    let version = version.map_err(|e| {
        let message = "the version that the store gave the object is no text";
        Fault::new(Code::StorageFailed, message).at(place.path().display().to_string()).because(&e)
    })?;
    let mut headers = HeaderMap::new();
    headers.insert(condition, version);
    let credentials = Arc::clone(bucket(&place.bucket)?.credentials());
    let builder = builder(&place.bucket)
        .with_client_options(options().with_default_headers(headers))
        .with_credentials(credentials);
    built(&place.bucket, builder)
}

/// Where the store is, where it is not AWS itself.
fn endpoint() -> Option<String> {
    let names = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
    names.iter().find_map(|name| setting(name))
}

fn options() -> ClientOptions {
    let in_the_open = endpoint().is_some_and(|url| url.starts_with("http://"));
    ClientOptions::new()
        .with_allow_http(in_the_open)
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(SILENCE)
        .with_timeout_disabled()
}

fn builder(name: &str) -> AmazonS3Builder {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        // Waits are drawn by lot: only the time says how long they last together.
        max_retries: usize::MAX,
        retry_timeout: PATIENCE,
    };
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(name)
        .with_client_options(options())
        .with_retry(retry)
        // The server holds what arrived against it, so a bit that fell over on the way is refused.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
    for (name, value) in SETTINGS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    match endpoint() {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    }
}

fn built(name: &str, builder: AmazonS3Builder) -> Outcome<AmazonS3> {
    // Two providers in one process would have to be told apart; there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder.build().map_err(|e| {
        Fault::new(Code::StorageRefused, format!("the bucket '{name}' cannot be reached"))
            .because(&e)
            .remedy("Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL as for AWS's own tools.")
    })
}

/// A place's client and key.
pub(super) fn object(place: &Place) -> Outcome<(Arc<AmazonS3>, Key)> {
    let key = Key::parse(&place.key).map_err(|e| {
        Fault::new(Code::BadLocation, format!("'{}' cannot be a key", place.key)).because(&e)
    })?;
    Ok((bucket(&place.bucket)?, key))
}

/// What an error of the store means.
pub(super) fn fault(place: &Place, error: &Error) -> Fault {
    let (code, what) = match error {
        Error::NotFound { .. } => (Code::FileNotFound, "there is no such object"),
        Error::AlreadyExists { .. } => (Code::Overtaken, "somebody else has written it"),
        Error::Precondition { .. } => (Code::Overtaken, "it is not the object that it was"),
        Error::PermissionDenied { .. } => (Code::StorageRefused, "the store does not permit it"),
        Error::Unauthenticated { .. } => (Code::StorageRefused, "the store does not know us"),
        Error::InvalidPath { .. } => (Code::BadLocation, "it cannot be a key"),
        // Listings say it in words only.
        other if other.to_string().contains("NoSuchBucket") => {
            (Code::FileNotFound, "there is no such bucket")
        }
        _ => (Code::StorageFailed, "the object store failed"),
    };
    Fault::new(code, what).at(place.path().display().to_string()).because(error)
}

/// A fault as an error of reading or writing: [`carried`] finds it again.
pub(super) fn io_error(fault: Fault) -> io::Error {
    let kind = match fault.code {
        Code::FileNotFound => ErrorKind::NotFound,
        Code::StorageRefused => ErrorKind::PermissionDenied,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, fault)
}

/// The fault that an error of reading or writing carries, where the object store made it.
pub(crate) fn carried(error: &io::Error) -> Option<&Fault> {
    error.get_ref()?.downcast_ref()
}
