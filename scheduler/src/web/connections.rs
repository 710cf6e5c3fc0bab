//! Connections of the HTTP side: so many at a time, and each for as long as
//! something is said on it. Who sends half a question, or takes no answer, is
//! hung up on; a stream of events says something each few seconds.

use crate::trust::{Knock, Knocking};
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Connections at a time; above it, they wait to be accepted.
const AT_ONCE: usize = 1024;
/// Of these, how many one address may have, which may be a proxy's: there is room for probes beside it.
const OF_ONE: usize = 768;
/// How long a connection may be open without a byte of an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// Accepts no more than there is room for.
pub(super) struct Bounded {
    tcp: TcpListener,
    room: Arc<Semaphore>,
    callers: Knocking,
    of_one: usize,
    silence: Duration,
}

impl Bounded {
    pub(super) fn new(tcp: TcpListener) -> Self {
        Self::within(tcp, AT_ONCE, OF_ONE, SILENCE)
    }

    fn within(tcp: TcpListener, at_once: usize, of_one: usize, silence: Duration) -> Self {
        let room = Arc::new(Semaphore::new(at_once));
        Self { tcp, room, callers: Knocking::default(), of_one, silence }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else {
                return std::future::pending().await;
            };
            let (stream, from) = Listener::accept(&mut self.tcp).await;
            let Some(knock) = self.callers.more(from.ip(), self.of_one) else {
                tracing::debug!(%from, "too many connections from one address; hung up");
                continue;
            };
            let over = Box::pin(tokio::time::sleep(self.silence));
            let held = (permit, knock);
            return (Connection { stream, silence: self.silence, over, _held: held }, from);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// A connection that ends when it is silent for too long.
pub(super) struct Connection {
    stream: TcpStream,
    silence: Duration,
    over: Pin<Box<Sleep>>,
    _held: (OwnedSemaphorePermit, Knock),
}

impl Connection {
    /// What waits, waits no longer than it may.
    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match done {
            Poll::Pending => {
                self.over.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
            done => done,
        }
    }

    /// The same of something that is said; what is heard alone, a byte at a time, is no progress.
    fn said(
        &mut self,
        cx: &mut Context<'_>,
        done: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if matches!(done, Poll::Ready(Ok(1..))) {
            self.over.as_mut().reset(Instant::now() + self.silence);
        }
        self.bounded(cx, done)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.bounded(cx, done)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.said(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.said(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where a question comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(*stream.remote_addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn bounded(of_one: usize, silence: Duration) -> (Bounded, SocketAddr) {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = tcp.local_addr().unwrap();
        (Bounded::within(tcp, 8, of_one, silence), at)
    }

    /// Half a question, a byte now and then, keeps a connection open no longer than silence does.
    #[tokio::test]
    async fn who_does_not_come_to_the_point_is_hung_up_on() {
        let (mut doors, at) = bounded(8, Duration::from_millis(200)).await;
        let mut client = TcpStream::connect(at).await.unwrap();
        let (mut served, _) = doors.accept().await;
        let drip = tokio::spawn(async move {
            while client.write_all(b"G").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let read = async {
            let mut buffer = [0; 64];
            loop {
                if let Err(error) = served.read(&mut buffer).await {
                    return error.kind();
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(20), read).await.expect("it ends");
        assert_eq!(ended, io::ErrorKind::TimedOut);
        drop(served);
        drip.await.unwrap();
    }

    /// What is said now and then keeps a stream of events open.
    #[tokio::test]
    async fn who_is_told_something_stays() {
        let (mut doors, at) = bounded(8, Duration::from_millis(400)).await;
        let mut client = TcpStream::connect(at).await.unwrap();
        let (served, _) = doors.accept().await;
        let (mut hears, mut says) = tokio::io::split(served);
        let telling = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                says.write_all(b":\n\n").await.unwrap();
            }
        };
        let mut byte = [0; 1];
        tokio::select! {
            () = telling => {}
            read = hears.read(&mut byte) => panic!("it ended: {read:?}"),
        }
        let mut told = [0; 30];
        client.read_exact(&mut told).await.unwrap();
    }

    #[tokio::test]
    async fn one_address_has_so_many_and_room_comes_back() {
        let (mut doors, at) = bounded(2, SILENCE).await;
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(at).await.unwrap());
        }
        let held = [doors.accept().await, doors.accept().await];
        let mut byte = [0; 1];
        let third = tokio::select! {
            _ = doors.accept() => panic!("a third is served"),
            read = clients[2].read(&mut byte) => read,
        };
        assert!(matches!(third, Ok(0) | Err(_)), "hung up on: {third:?}");
        drop(held);
        let _again = TcpStream::connect(at).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), doors.accept()).await.expect("room again");
    }
}
