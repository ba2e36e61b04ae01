//! What can go wrong here.

use std::{fmt, io};

/// Why something was not done.
#[derive(Debug)]
pub enum MediaError {
    /// Every pair of ports of the range is in use.
    PortsExhausted,
    /// A socket could not be opened.
    Socket(io::Error),
    /// As many prompts wait already as may wait.
    QueueFull,
    /// Nothing was agreed on yet, or the stream or conference is over.
    Closed,
    /// As many parties as a conference may have.
    ConferenceFull,
    /// Recordings are not made in this format.
    UnsupportedFormat(&'static str),
    /// The file could not be written, or the writer cannot keep up.
    Recording(io::Error),
}

impl MediaError {
    /// A name that does not change, for those who decide by it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PortsExhausted => "ports_exhausted",
            Self::Socket(_) => "socket",
            Self::QueueFull => "queue_full",
            Self::Closed => "closed",
            Self::ConferenceFull => "conference_full",
            Self::UnsupportedFormat(_) => "unsupported_format",
            Self::Recording(_) => "recording",
        }
    }
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortsExhausted => f.write_str("every pair of media ports is in use"),
            Self::Socket(_) => f.write_str("a media socket could not be opened"),
            Self::QueueFull => f.write_str("too many prompts wait"),
            Self::Closed => f.write_str("the stream or conference is over"),
            Self::ConferenceFull => f.write_str("the conference is full"),
            Self::UnsupportedFormat(format) => write!(f, "recordings are not made as {format}"),
            Self::Recording(_) => f.write_str("the recording could not be written"),
        }
    }
}

impl std::error::Error for MediaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Socket(cause) | Self::Recording(cause) => Some(cause),
            _ => None,
        }
    }
}
