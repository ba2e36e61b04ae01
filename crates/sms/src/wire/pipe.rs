//! A connection that reads and writes at once, so that neither side waits for the other to read.

use std::io;

use bytes::BytesMut;
use rusmpp::Command;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use super::{BadLength, Frame, frame};

/// Octets that may wait to be written before nothing more is read.
const FULL: usize = 1024 * 1024;

/// Anything that SMPP can be spoken over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection.
pub struct Pipe {
    read: ReadHalf<Box<dyn Stream>>,
    write: WriteHalf<Box<dyn Stream>>,
    incoming: BytesMut,
    outgoing: BytesMut,
    queued: u64,
    written: u64,
    unflushed: bool,
    most: usize,
}

impl Pipe {
    /// Over a stream, with frames of at most `most` octets.
    #[must_use]
    pub fn new(stream: Box<dyn Stream>, most: usize) -> Self {
        let (read, write) = tokio::io::split(stream);
        let (incoming, outgoing) = (BytesMut::with_capacity(64 * 1024), BytesMut::with_capacity(64 * 1024));
        Self { read, write, incoming, outgoing, queued: 0, written: 0, unflushed: false, most }
    }

    /// Queues a command; returns where its end is in all that was ever queued.
    pub fn put(&mut self, command: &Command) -> u64 {
        let before = self.outgoing.len();
        frame::put(&mut self.outgoing, command);
        self.queued += u64::try_from(self.outgoing.len() - before).unwrap_or(0);
        self.queued
    }

    /// How much of what was queued the system has taken: what ends beyond that certainly never arrived.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Whether there is room for more.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.outgoing.len() < FULL
    }

    /// The next command that has arrived.
    ///
    /// # Errors
    /// A length that makes the rest unreadable.
    pub fn take(&mut self) -> Result<Option<Frame>, BadLength> {
        frame::take(&mut self.incoming, self.most)
    }

    /// Reads or writes something. May be dropped at any time.
    ///
    /// # Errors
    /// The end of the connection.
    pub async fn turn(&mut self) -> io::Result<()> {
        let (room, waiting, flush) = (self.has_room(), !self.outgoing.is_empty(), self.unflushed && self.outgoing.is_empty());
        tokio::select! {
            read = self.read.read_buf(&mut self.incoming), if room => if read? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            },
            wrote = push(&mut self.write, &mut self.outgoing), if waiting || flush => {
                let wrote = wrote?;
                self.written += wrote;
                self.unflushed = wrote > 0;
            }
        }
        Ok(())
    }

    /// Writes what is queued and closes.
    ///
    /// # Errors
    /// As [`Self::turn`].
    pub async fn finish(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            self.written += u64::try_from(self.write.write_buf(&mut self.outgoing).await?).unwrap_or(0);
        }
        self.write.shutdown().await
    }
}

/// Writes some of what is queued; where nothing is, sees that what was written goes out.
async fn push(write: &mut WriteHalf<Box<dyn Stream>>, outgoing: &mut BytesMut) -> io::Result<u64> {
    if outgoing.is_empty() {
        write.flush().await?;
        return Ok(0);
    }
    write.write_buf(outgoing).await.map(|wrote| u64::try_from(wrote).unwrap_or(0))
}
