//! The port for fetching what a customer's URL names: picture messages' media, for one.

use async_trait::async_trait;

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The media type that the server gave it; empty for none.
    pub media_type: String,
    /// The whole content.
    pub content: Vec<u8>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchFault {
    /// The URL leads to no place that may be asked.
    Refused(String),
    /// Nothing answered, or not in time.
    Unreachable(String),
    /// The answer was no success.
    Status(u16),
    /// There is more than was asked for.
    TooLarge,
}

impl std::fmt::Display for FetchFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(why) | Self::Unreachable(why) => f.write_str(why),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::TooLarge => f.write_str("there is more than was asked for"),
        }
    }
}

/// Fetches from the public network only.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Fetches what a URL names, of at most so many bytes.
    async fn get(&self, url: &str, most: usize) -> Result<Fetched, FetchFault>;
}
