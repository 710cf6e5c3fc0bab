//! Files of a disk that become objects, of any size: a movie of a package may
//! have hundreds of gigabytes, and S3 copies 5 GiB in a call.
//!
//! Nothing is copied: a large file goes up in parts under its published name,
//! which it has when the last call says so. Until then nobody sees it, and that
//! call holds only where the name is as it was seen; so it is staging, flush
//! and rename at once. The crate has the condition for its own copies alone,
//! so the last call is a client's that carries it ([`naming`]).

use super::super::Place;
use super::super::file::counted;
use super::super::s3::{fault, naming, object, wait};
use super::{ABREAST, ATTEMPT, PART_BYTES, Seen, follows, look, publish, put, same_bytes};
use futures_util::{TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Key;
use object_store::{Attribute, Attributes, Error, MultipartId, PutMultipartOptions, PutPayload};
use platefarm_model::{Code, Fault, Outcome};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// Most parts of an object (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
const MOST_PARTS: u64 = 10_000;
/// The largest part: some are in memory at a time. So many are 625 GiB.
const LARGEST_PART: u64 = 64 * 1024 * 1024;
/// How often a file goes up whose name was lost, or whose last call was not heard.
const TRIES: u32 = 2;

/// Which side a transfer broke on.
enum Sent {
    Read(std::io::Error),
    Store(Error),
}

/// The size of the parts of a large object; none where there would be too many.
fn part_bytes(bytes: u64) -> Option<usize> {
    let part = bytes.div_ceil(MOST_PARTS).max(PART_BYTES as u64);
    (part <= LARGEST_PART).then_some(part as usize)
}

fn too_large(bytes: u64, path: &Path) -> Fault {
    let most = MOST_PARTS * LARGEST_PART;
    let message = format!("the file has {bytes} bytes; at most {most} go into a bucket");
    Fault::new(Code::TooLarge, message).at(path.display().to_string()).remedy(
        "Deliver onto a disk, or ask for a smaller movie: another codec, fewer pixels, no handles.",
    )
}

/// Gives a file of a disk, which may be larger than memory, its name in a bucket, as `attempt`; a
/// small one by way of `staged`. Doing it twice does no harm, and what fails in the middle leaves nothing.
///
/// # Errors
/// `F0101` and the like for the file; [`Code::TooLarge`] before anything travels;
/// [`Code::Overtaken`] when the name is somebody else's; `F0306`, `F0307`.
pub(crate) fn hand_over(
    file: &Path,
    staged: &Path,
    published: &Path,
    attempt: &str,
) -> Outcome<()> {
    let unread = |e: std::io::Error| crate::source::read_fault(file, &e);
    let bytes = file.metadata().map_err(unread)?.len();
    let part = part_bytes(bytes).ok_or_else(|| too_large(bytes, published))?;
    if bytes <= PART_BYTES as u64 {
        put(staged, &std::fs::read(file).map_err(unread)?)?;
        return publish(staged, published, attempt);
    }
    let place = Place::of(published)?;
    let (client, key) = object(&place)?;
    let mut tries = 1;
    loop {
        let there = look(&place)?;
        if let Some(there) = &there {
            if there.meta.size == bytes && same_bytes(file, published)? {
                return Ok(());
            }
            if !follows(attempt, there.attempt.as_deref()) {
                return Err(Fault::new(Code::Overtaken, "the name is taken by another object")
                    .at(published.display().to_string()));
            }
        }
        let upload = Upload {
            client: Arc::clone(&client),
            naming: naming(&place, there.as_ref().and_then(version))?,
            key: key.clone(),
            attempt: attempt.to_owned(),
        };
        match wait(upload.run(file.to_owned(), part))? {
            Ok(()) => return Ok(()),
            Err(Sent::Read(error)) => return Err(unread(error)),
            // Somebody was faster, or the last answer was lost: what came of it is looked at.
            Err(Sent::Store(error)) if tries < TRIES && is_open(&error) => tries += 1,
            Err(Sent::Store(error)) => return Err(fault(&place, &error)),
        }
    }
}

fn version(seen: &Seen) -> Option<&str> {
    seen.meta.e_tag.as_deref()
}

/// Whether the name may be had all the same, by us or by somebody else.
fn is_open(error: &Error) -> bool {
    use Error::{AlreadyExists, Generic, NotFound, Precondition};
    matches!(error, AlreadyExists { .. } | Precondition { .. } | NotFound { .. } | Generic { .. })
}

/// An upload in parts.
struct Upload {
    client: Arc<AmazonS3>,
    /// Gives the name, and nothing else.
    naming: AmazonS3,
    key: Key,
    attempt: String,
}

impl Upload {
    async fn run(self, file: PathBuf, part: usize) -> Result<(), Sent> {
        let file = File::open(file).await.map_err(Sent::Read)?;
        let Self { client, naming, key, attempt } = self;
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::Metadata(ATTEMPT.into()), attempt.into());
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let id = client.create_multipart_opts(&key, options).await.map_err(Sent::Store)?;
        let sent = parts(Arc::clone(&client), key.clone(), id.clone(), file, part).await;
        let named = match sent {
            Ok(parts) => naming.complete_multipart(&key, &id, parts).await.map_err(Sent::Store),
            Err(error) => Err(error),
        };
        if named.is_err() {
            // What cannot be cleared away now, the bucket's own rules clear away.
            let _ = client.abort_multipart(&key, &id).await;
        }
        named.map(drop)
    }
}

/// Sends the parts of a file, of which some travel side by side; they come back in their order.
async fn parts(
    client: Arc<AmazonS3>,
    key: Key,
    id: MultipartId,
    file: File,
    part: usize,
) -> Result<Vec<PartId>, Sent> {
    let pieces = stream::try_unfold((file, 0_usize), move |(mut file, index)| async move {
        let bytes = piece(&mut file, part).await.map_err(Sent::Read)?;
        Ok::<_, Sent>((!bytes.is_empty()).then_some(((index, bytes), (file, index + 1))))
    });
    let sent = pieces.map_ok(move |(index, bytes)| {
        let (client, key, id) = (Arc::clone(&client), key.clone(), id.clone());
        async move {
            let sent = client.put_part(&key, &id, index, PutPayload::from(bytes)).await;
            sent.map_err(Sent::Store)
        }
    });
    sent.try_buffered(ABREAST).try_collect().await
}

/// The next bytes of a file: so many, or those that are left.
async fn piece(file: &mut File, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    counted(file.take(most as u64).read_to_end(&mut bytes).await)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * 1024 * 1024;

    #[test]
    fn there_are_never_too_many_parts() {
        assert_eq!(part_bytes(5 * GIB + 1), Some(PART_BYTES));
        for bytes in [160 * GIB, 400 * GIB + 1, 625 * GIB] {
            let part = part_bytes(bytes).unwrap() as u64;
            assert!(bytes.div_ceil(part) <= MOST_PARTS && part <= LARGEST_PART, "{bytes}: {part}");
        }
        assert_eq!(part_bytes(625 * GIB + 1), None);
    }

    /// What could not get its name is refused before it travels.
    #[test]
    fn what_no_bucket_takes_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("movie");
        // A hole: it takes no room.
        std::fs::File::create(&file).unwrap().set_len(625 * GIB + 1).unwrap();
        let place = |text: &str| PathBuf::from(format!("s3://plates/{text}"));
        let (staged, published) = (place(".platefarm/t1/movie"), place("movie"));
        let fault = hand_over(&file, &staged, &published, "t1").unwrap_err();
        assert_eq!(fault.code, Code::TooLarge);
        assert!(fault.remedy_text().contains("disk"), "{fault}");
    }
}
