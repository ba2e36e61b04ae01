//! An answer, and what a test says about it.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

/// A request and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub engine: &'static str,
    pub method: Method,
    pub path: String,
    pub sent: HeaderMap,
    pub sent_body: Vec<u8>,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub bytes: bytes::Bytes,
}

/// An answer. The assertions compare whole answers and show the exchange where they fail.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) exchange: Arc<Exchange>,
    /// The status.
    pub status: u16,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Answer {
    pub(crate) fn new(exchange: Exchange) -> Self {
        let body = serde_json::from_str(&exchange.text).unwrap_or(Value::Null);
        Self { status: exchange.status, body, exchange: Arc::new(exchange) }
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        &self.exchange.text
    }

    /// The body as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.exchange.bytes
    }

    /// A header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.exchange.headers.get(name).map(|value| value.to_str().expect("headers are ASCII"))
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.exchange.method
    }

    /// The request's path with its query.
    pub fn path(&self) -> &str {
        &self.exchange.path
    }

    /// A header that was sent, if it was.
    pub fn sent_header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.exchange.sent.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// The body that was sent.
    pub fn sent(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.exchange.sent_body)
    }

    /// What a success carries.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(self.body["success"] == true, "a success was expected{self}");
        &self.body["data"]
    }

    /// A text member of what a success carries.
    #[track_caller]
    pub fn data_text(&self, name: &str) -> String {
        let text = self.data()[name].as_str();
        text.unwrap_or_else(|| panic!("data.{name} is no text{self}")).to_owned()
    }

    /// Checks the status.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert!(self.status == status, "{status} was expected{self}");
        self
    }

    /// Checks a header.
    #[track_caller]
    pub fn assert_header(&self, name: &str, value: &str) -> &Self {
        assert!(self.header(name) == Some(value), "{name}: {value} was expected{self}");
        self
    }

    /// Checks that a header is not there.
    #[track_caller]
    pub fn assert_no_header(&self, name: &str) -> &Self {
        assert!(self.header(name).is_none(), "no {name} was expected{self}");
        self
    }

    /// Checks status and body, the order of members included.
    #[track_caller]
    pub fn assert(&self, status: u16, body: &Value) -> &Self {
        let expected = body.to_string();
        assert!(self.status == status && self.text() == expected, "{status} was expected with\n{expected}{self}");
        self
    }

    /// Checks a status without a body.
    #[track_caller]
    pub fn assert_empty(&self, status: u16) -> &Self {
        assert!(self.status == status && self.text().is_empty(), "{status} was expected without a body{self}");
        self
    }

    /// Checks a whole error of the Audian dialect, byte for byte.
    #[track_caller]
    pub fn assert_audian_error(&self, status: u16, code: &str, kind: &str, message: &str, param: Option<&str>) -> &Self {
        let mut error = Map::new();
        error.insert("code".to_owned(), code.into());
        error.insert("message".to_owned(), message.into());
        if let Some(param) = param {
            error.insert("param".to_owned(), param.into());
        }
        error.insert("type".to_owned(), kind.into());
        self.assert(status, &json!({ "error": error }))
    }

    /// Checks a whole error of the Telephony.io dialect, byte for byte.
    #[track_caller]
    pub fn assert_telephony_error(&self, status: u16, code: &str, message: &str) -> &Self {
        self.assert(status, &json!({ "error": message, "code": code }))
    }

    /// Checks a whole error of the Fone Dynamics dialect with one parameter at fault, or none, byte for byte.
    #[track_caller]
    pub fn assert_fone_error(&self, status: u16, code: &str, message: &str, field: Option<&str>) -> &Self {
        let mut said = Map::new();
        said.insert("ErrorCode".to_owned(), code.into());
        said.insert("Message".to_owned(), message.into());
        if let Some(field) = field {
            said.insert("Errors".to_owned(), json!([{ "FieldName": field, "ErrorCode": code, "Message": message }]));
        }
        self.assert(status, &json!({ "ResponseStatus": said }))
    }

    /// Checks that this is the first answer to the same request, given again.
    #[track_caller]
    pub fn assert_replay_of(&self, first: &Self) -> &Self {
        self.assert_header("idempotent-replayed", "true");
        assert!(self.status == first.status && self.text() == first.text(), "the first answer was expected, {first}{self}");
        self
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Exchange { engine, method, path, sent_body, status, headers, text, .. } = &*self.exchange;
        let mut shown = String::new();
        for (name, value) in headers {
            let _ = writeln!(shown, "{name}: {}", value.to_str().unwrap_or("?")); // writing to a string cannot fail
        }
        let sent = String::from_utf8_lossy(sent_body);
        write!(f, "\n--- on {engine}\n{method} {path}\n{sent}\n---\n{status}\n{shown}\n{text}\n---")
    }
}
