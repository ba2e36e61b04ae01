//! Answers that need no transaction: a repeated request gets the same answer again (RFC 3261 section 8.2.7).

use std::net::SocketAddr;

use super::{Raw, split};
use crate::ALLOWED;

/// What an answer says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply<'a> {
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: &'a str,
    /// After how many seconds the request may come again.
    pub retry_after: Option<u32>,
    /// Who answers.
    pub product: &'a str,
}

/// Writes the answer to a request as it came from `source`. Nothing where there is no Via to answer by.
pub(crate) fn reply(raw: &Raw<'_>, source: SocketAddr, what: &Reply<'_>) -> Option<Vec<u8>> {
    let mut out = format!("SIP/2.0 {} {}\r\n", what.status, what.reason);
    let mut first = true;
    for via in raw.all("via").flat_map(split) {
        let via = if std::mem::take(&mut first) { received(via, source) } else { via.to_owned() };
        out.push_str(&format!("Via: {via}\r\n"));
    }
    if first {
        return None;
    }
    for (name, written) in [("from", "From"), ("to", "To"), ("call-id", "Call-ID"), ("cseq", "CSeq")] {
        let Some(value) = raw.first(name) else { continue };
        let tag = if name == "to" && !value.contains("tag") { format!(";tag={}", tag(raw)) } else { String::new() };
        out.push_str(&format!("{written}: {value}{tag}\r\n"));
    }
    if matches!(what.status, 405 | 501) {
        out.push_str(&format!("Allow: {ALLOWED}\r\n"));
    }
    if let Some(seconds) = what.retry_after {
        out.push_str(&format!("Retry-After: {seconds}\r\n"));
    }
    out.push_str(&format!("Server: {}\r\nContent-Length: 0\r\n\r\n", what.product));
    Some(out.into_bytes())
}

/// The topmost Via with where the request really came from (RFC 3261 section 18.2.1, RFC 3581 section 4).
fn received(via: &str, source: SocketAddr) -> String {
    let mut parts = via.split(';');
    let mut text = parts.next().unwrap_or_default().trim().to_owned();
    for part in parts {
        let name = part.split('=').next().unwrap_or_default().trim();
        if !name.eq_ignore_ascii_case("received") && !name.eq_ignore_ascii_case("rport") {
            text.push_str(&format!(";{}", part.trim()));
        }
    }
    format!("{text};received={};rport={}", source.ip(), source.port())
}

/// A tag that the same request gets again.
fn tag(raw: &Raw<'_>) -> String {
    let mut seen = ring::digest::Context::new(&ring::digest::SHA256);
    for name in ["via", "call-id", "from", "cseq"] {
        seen.update(raw.first(name).unwrap_or_default().as_bytes());
    }
    let mut text = tandem_kernel::hex(seen.finish().as_ref());
    text.truncate(16);
    text
}
