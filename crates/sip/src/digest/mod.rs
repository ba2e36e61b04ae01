//! Digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): MD5 and SHA-256, `qop=auth`.

mod client;
mod nonce;
mod server;

pub(crate) use client::{Challenge, answer};
pub(crate) use nonce::Nonces;
pub(crate) use server::{Digests, Verified};

use md5::{Digest as _, Md5};

/// A hash function of the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The algorithm of a name; without one it is MD5 (RFC 7616 section 3.3).
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Self::Md5),
            Some(name) => [Self::Md5, Self::Sha256].into_iter().find(|one| one.name().eq_ignore_ascii_case(name)),
        }
    }

    /// The hash of some parts with colons between them, as hexadecimal digits.
    pub fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => tandem_kernel::hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => tandem_kernel::hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref()),
        }
    }
}

/// HA1 by both algorithms.
pub(crate) fn ha1(realm: &str, username: &str, password: &str) -> ([u8; 16], [u8; 32]) {
    let text = [username, realm, password].join(":");
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    (Md5::digest(text.as_bytes()).into(), sha256)
}

/// The parameters of a challenge or of its answer: `Digest name=value, name="value"`. `None` for another scheme.
pub(crate) fn fields(value: &str) -> Option<Vec<(&str, String)>> {
    let (scheme, rest) = value.trim().split_once([' ', '\t'])?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let mut found = Vec::new();
    for part in crate::wire::split(rest).into_iter().filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value = value.trim();
        let inner = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
        let value = inner.map_or_else(|| value.to_owned(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"));
        if found.len() > 24 {
            return None;
        }
        found.push((name.trim(), value));
    }
    Some(found)
}

/// One parameter.
pub(crate) fn field<'a>(fields: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A text within quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
