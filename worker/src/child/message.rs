//! What a slot and its process say to each other, and how it travels: four
//! bytes of length, little-endian, and JSON.

use crate::kinds::StepFrames;
use crate::leash::{Pulse, Wish};
use crate::still::Still;
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_model::recipe::Backend;
use platefarm_model::{Fault, JobId, LeaseToken, limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How a process is to work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) backend: Backend,
    pub(super) roots: Vec<PathBuf>,
    /// Cores that it may keep busy.
    pub(super) cores: usize,
    /// Bytes that its frames under way may take.
    pub(super) budget_bytes: u64,
}

/// To the process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// First of all.
    Setup(Setup),
    /// A task; alone: one frame at a time.
    Run { lease: Box<Lease>, alone: bool },
    /// About the task with this token.
    Leash(LeaseToken, Wish),
    /// What the farm has stored of the job that was asked about.
    Frames(std::result::Result<Vec<StepFrames>, Fault>),
}

/// From the process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// It is set up, or why it cannot be.
    Ready(Option<Fault>),
    /// A frame has ended.
    Outcome(FrameOutcome),
    /// How the task stands.
    Pulse(Pulse),
    /// A small picture of a frame, for those who watch.
    Still(Still),
    /// It asks for the results of a job.
    Ledger(JobId),
    /// The task is over, and what kept it from running.
    Ended(Option<Fault>),
}

fn pack(message: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).map_err(Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

fn length(bytes: [u8; 4]) -> Result<usize> {
    let length = u32::from_le_bytes(bytes) as usize;
    if length > 4 * limits::MAX_MESSAGE_BYTES {
        return Err(Error::new(ErrorKind::InvalidData, format!("a message of {length} bytes")));
    }
    Ok(length)
}

pub(super) fn write(to: &mut impl Write, message: &impl Serialize) -> Result<()> {
    to.write_all(&pack(message)?)?;
    to.flush()
}

/// The next message; none when the other end is gone.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>> {
    let mut head = [0; 4];
    match from.read_exact(&mut head) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut body = vec![0; length(head)?];
    from.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

pub(super) async fn send(
    to: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
) -> Result<()> {
    to.write_all(&pack(message)?).await?;
    to.flush().await
}

/// As [`read`].
pub(super) async fn receive<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>> {
    let mut head = [0; 4];
    match from.read_exact(&mut head).await {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => drop(other?),
    }
    let mut body = vec![0; length(head)?];
    from.read_exact(&mut body).await?;
    Ok(Some(serde_json::from_slice(&body)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_follow_each_other_and_an_absurd_length_is_refused() {
        let mut pipe = Vec::new();
        write(&mut pipe, &Word::Ledger(JobId(4))).unwrap();
        write(&mut pipe, &Word::Ended(None)).unwrap();
        let mut from = pipe.as_slice();
        assert!(matches!(read(&mut from).unwrap(), Some(Word::Ledger(JobId(4)))));
        assert!(matches!(read(&mut from).unwrap(), Some(Word::Ended(None))));
        assert!(read::<Word>(&mut from).unwrap().is_none());
        assert!(read::<Word>(&mut [255u8; 9].as_slice()).is_err());
        assert!(read::<Word>(&mut &pipe[..6]).is_err(), "cut off in the middle");
    }
}
