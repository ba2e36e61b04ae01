//! An answer before it is bytes.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

/// An answer: a status and a body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body, as JSON text; empty for none.
    pub body: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// What comes in place of the body, where that is too large to be held.
    pub stream: Option<Streamed>,
}

/// A body that comes bit by bit, once.
#[derive(Clone)]
pub struct Streamed {
    /// How many bytes that will be.
    pub length: u64,
    bytes: Arc<Mutex<Option<BoxStream<'static, std::io::Result<Bytes>>>>>,
}

impl Streamed {
    /// A body of so many bytes.
    #[must_use]
    pub fn new(length: u64, bytes: BoxStream<'static, std::io::Result<Bytes>>) -> Self {
        Self { length, bytes: Arc::new(Mutex::new(Some(bytes))) }
    }

    /// The bytes; none the second time.
    #[must_use]
    pub fn take(&self) -> Option<BoxStream<'static, std::io::Result<Bytes>>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}

/// JSON's media type.
pub const JSON: &str = "application/json";
/// The media type of RFC 9457.
pub const PROBLEM: &str = "application/problem+json";

impl Reply {
    /// An answer with `body` as JSON.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default(); // wire types have text keys only: it cannot fail
        Self { status, body, media_type: JSON, headers: Vec::new(), stream: None }
    }

    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, body: Vec::new(), media_type: "", headers: Vec::new(), stream: None }
    }

    /// An answer of another media type.
    #[must_use]
    pub fn bytes(media_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body, media_type, headers: Vec::new(), stream: None }
    }

    /// An answer whose body comes bit by bit.
    #[must_use]
    pub const fn streamed(status: StatusCode, media_type: &'static str, stream: Streamed) -> Self {
        Self { status, body: Vec::new(), media_type, headers: Vec::new(), stream: Some(stream) }
    }

    /// The same answer with another header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An amount as a JSON number in its shortest form: `0`, `0.99`, `25`.
#[must_use]
pub fn number(micros: i64) -> Value {
    if micros % 1_000_000 == 0 {
        return (micros / 1_000_000).into();
    }
    // The nearest double of a decimal with six places prints as that decimal.
    #[expect(clippy::cast_precision_loss, reason = "amounts stay below 2^53 millionths, which a double holds exactly")]
    let float = micros as f64 / 1_000_000.0;
    serde_json::Number::from_f64(float).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_their_shortest_form() {
        let written: Vec<String> = [0, 990_000, 25_000_000, -1_500_000, 1, 100_000].map(|micros| number(micros).to_string()).into();
        assert_eq!(written, ["0", "0.99", "25", "-1.5", "1e-6", "0.1"]);
    }
}
