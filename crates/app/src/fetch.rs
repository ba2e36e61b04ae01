//! The port for fetching what a customer's URL names: picture messages' media, for one; and for asking it something.

use std::time::Duration;

use async_trait::async_trait;
use tandem_domain::webhook::Body;
use tandem_kernel::{DeliveryId, EventId};

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
            Self::Status(status @ 300..=399) => write!(f, "the server answered {status}, and redirects are not followed"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::TooLarge => f.write_str("there is more than was asked for"),
        }
    }
}

/// A question to a customer's URL, signed as the webhooks of numbers are.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where.
    pub url: String,
    /// What is asked.
    pub body: Body,
    /// The question's own id, which nothing else has.
    pub event: EventId,
    /// The id of this time that it is asked.
    pub delivery: DeliveryId,
    /// When, in Unix seconds of the machine's clock.
    pub timestamp: i64,
    /// What it is signed with, the newest first.
    pub secrets: Vec<String>,
}

/// Fetches from the public network only.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Fetches what a URL names, of at most so many bytes.
    async fn get(&self, url: &str, most: usize) -> Result<Fetched, FetchFault>;

    /// Asks by POST, for an answer of at most so many bytes that is whole within `patience`.
    async fn post(&self, question: Question, most: usize, patience: Duration) -> Result<Fetched, FetchFault>;
}
