//! How a dialect reads credentials and says errors.

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
    /// Something that is no credential of this dialect.
    Nonsense,
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

/// The status of an error in a dialect.
#[must_use]
pub fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
