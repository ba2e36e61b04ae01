//! How a dialect reads credentials and says errors.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header};
use tandem_catalogue::{Dialect, Error};

use super::{endpoint::Endpoint, reply::Reply};

/// A credential as a request carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// None.
    Nothing,
    /// A key.
    Key(String),
    /// A key beside the sid of the account that it is said to belong to.
    Pair {
        /// The sid.
        account: String,
        /// The key.
        key: String,
    },
    /// Something that is no credential of this dialect.
    Nonsense,
}

/// How names, words and blanks of requests are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As they are documented.
    Exact,
    /// Without regard to the case of letters.
    AnyCase,
}

impl Reading {
    /// Whether empty text in an optional field is as good as nothing, as it comes from a page's form.
    #[must_use]
    pub const fn ignores_blanks(self) -> bool {
        matches!(self, Self::AnyCase)
    }

    /// Whether two names or words are the same.
    #[must_use]
    pub fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Exact => one == other,
            Self::AnyCase => one.eq_ignore_ascii_case(other),
        }
    }
}

/// A dialect, as the shared part of the HTTP side needs to know it.
#[derive(Clone)]
pub struct Manner {
    /// Which one.
    pub dialect: Dialect,
    /// The path under which it is always served: `/audian/v2`.
    pub prefix: &'static str,
    /// The path that its clients know, served on its own hosts: `/v2`.
    pub documented: &'static str,
    /// The document's title.
    pub title: &'static str,
    /// Finds the credential.
    pub credential: fn(&HeaderMap) -> Shown,
    /// Says an error.
    pub refuse: fn(&Error, &str) -> Reply,
    /// The media type of its errors.
    pub error_type: &'static str,
    /// How it asks for a credential: the `WWW-Authenticate` of its 401.
    pub challenge: &'static str,
    /// Whether names that no field has are refused.
    pub strict: bool,
    /// How names and words are compared.
    pub reading: Reading,
    /// Whether bodies may be HTML forms, and text that is not UTF-8 is taken for Latin-1: as its clients send them.
    pub lenient_bodies: bool,
    /// The security scheme for the document: name and definition.
    pub security: fn() -> (&'static str, serde_json::Value),
    /// The schema of its errors.
    pub error_schema: fn() -> serde_json::Value,
    /// Its operations.
    pub endpoints: fn() -> Vec<Endpoint>,
}

/// A key from `Authorization: Bearer …`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Shown {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Shown::Nothing };
    let Ok(text) = value.to_str() else { return Shown::Nonsense };
    // A scheme without a key comes without the space after it: it is cut off on the way.
    let (scheme, key) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    match (scheme, key.trim()) {
        ("", _) => Shown::Nothing,
        (scheme, key) if scheme.eq_ignore_ascii_case("bearer") => match key {
            "" => Shown::Nothing,
            key => Shown::Key(key.to_owned()),
        },
        _ => Shown::Nonsense,
    }
}

/// An AccountSid and a token from `Authorization: Basic …` (RFC 7617).
#[must_use]
pub fn basic(headers: &HeaderMap) -> Shown {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Shown::Nothing };
    let Ok(text) = value.to_str() else { return Shown::Nonsense };
    let (scheme, encoded) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.is_empty() {
        return Shown::Nothing;
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Shown::Nonsense;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(|pair| pair.split_once(':')) {
        Some(("", "")) => Shown::Nothing,
        Some((account, key)) => Shown::Pair { account: account.to_owned(), key: key.to_owned() },
        None => Shown::Nonsense,
    }
}

/// The status of an error in a dialect.
#[must_use]
pub fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
