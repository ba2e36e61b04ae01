//! Whether a message may go on to the stack (RFC 3261 sections 7, 8.2 and 18.3; the cases are those of RFC 4475).

use super::{Address, Raw, claimed_length, split};

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on. The number is that of its octets that are used: the rest of a datagram is discarded.
    Pass(usize),
    /// It is answered at once.
    Answer(u16, &'static str),
    /// It is dropped: a response, an ACK or something that cannot be answered.
    Drop(&'static str),
}

/// The methods that the adapter knows. Another is answered with 501.
const KNOWN: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "INFO",
    "UPDATE",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "MESSAGE",
    "PRACK",
    "PUBLISH",
];
/// Header fields that stand once.
const ONCE: [&str; 8] = ["call-id", "cseq", "from", "to", "max-forwards", "content-length", "content-type", "expires"];

/// Looks at one message. On a stream its length is known to be right already.
pub(crate) fn check(raw: &Raw<'_>) -> Verdict {
    let answerable = raw.first("via").is_some();
    let verdict = match raw.method() {
        None => return response(raw),
        Some("ACK") => return request(raw).err().map_or_else(|| used(raw), |(_, why)| Verdict::Drop(why)),
        Some(_) => request(raw),
    };
    match verdict {
        Ok(()) => used(raw),
        Err((_, why)) if !answerable => Verdict::Drop(why),
        Err((status, why)) => Verdict::Answer(status, why),
    }
}

fn used(raw: &Raw<'_>) -> Verdict {
    let body = claimed_length(raw).ok().flatten().unwrap_or(raw.rest.len()).min(raw.rest.len());
    Verdict::Pass(raw.head + body)
}

fn response(raw: &Raw<'_>) -> Verdict {
    let code = raw.start.split(|octet| *octet == b' ').nth(1).unwrap_or_default();
    let plain = raw.start.starts_with(b"SIP/2.0 ") && code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    let whole = ["via", "from", "to", "call-id", "cseq"].iter().all(|name| raw.first(name).is_some());
    let sequence = raw.first("cseq").is_some_and(|value| cseq(value).is_some());
    match (plain, whole && sequence && claimed_length(raw).is_ok()) {
        (true, true) if raw.all("via").flat_map(split).count() == 1 => used(raw),
        (true, true) => Verdict::Drop("a response with several Via is not ours"),
        _ => Verdict::Drop("not a response"),
    }
}

type Refused = (u16, &'static str);

fn request(raw: &Raw<'_>) -> Result<(), Refused> {
    let line = std::str::from_utf8(raw.start).map_err(|_| (400, "Request-Line Not Text"))?;
    let (method, uri, version) = request_line(line)?;
    if version != "SIP/2.0" {
        let sip = version.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("SIP/"));
        return Err(if sip { (505, "Version Not Supported") } else { (400, "Bad Request-Line") });
    }
    if raw.fields.iter().any(|field| field.name.is_empty() || !field.name.bytes().all(is_token)) {
        return Err((400, "Bad Header Field"));
    }
    mandatory(raw)?;
    let (_, of) = raw.first("cseq").and_then(cseq).ok_or((400, "Bad CSeq"))?;
    if !KNOWN.contains(&method) {
        return Err((501, "Not Implemented"));
    }
    if of != method {
        return Err((400, "CSeq Method Does Not Match"));
    }
    length(raw)?;
    addresses(raw)?;
    scheme(uri)?;
    details(raw)
}

fn request_line(line: &str) -> Result<(&str, &str, &str), Refused> {
    let mut parts = line.split(' ');
    let (Some(method), Some(uri), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err((400, "Bad Request-Line"));
    };
    let controls = uri.bytes().any(|octet| octet <= b' ' || octet == 0x7f);
    if method.is_empty() || uri.is_empty() || controls || !method.bytes().all(is_token) {
        return Err((400, "Bad Request-Line"));
    }
    if uri.starts_with('<') || uri.ends_with('>') {
        return Err((400, "Request-URI In Angle Brackets"));
    }
    Ok((method, uri, version))
}

fn mandatory(raw: &Raw<'_>) -> Result<(), Refused> {
    for name in ["via", "from", "to", "call-id", "cseq"] {
        let value = raw.first(name).ok_or((400, "Missing Header Field"))?;
        if value.is_empty() {
            return Err((400, "Empty Header Field"));
        }
    }
    if ONCE.iter().any(|name| raw.all(name).count() > 1) {
        return Err((400, "Header Field Given Twice"));
    }
    Ok(())
}

/// The number and method of a CSeq (RFC 3261 section 8.1.1.5: less than 2**31).
fn cseq(value: &str) -> Option<(u32, &str)> {
    let (number, method) = value.split_once([' ', '\t'])?;
    let number = number.parse::<u32>().ok().filter(|number| *number < 1 << 31)?;
    let method = method.trim();
    (!method.is_empty()).then_some((number, method))
}

fn length(raw: &Raw<'_>) -> Result<(), Refused> {
    let claimed = claimed_length(raw).map_err(|()| (400, "Bad Content-Length"))?;
    if claimed.is_some_and(|claimed| claimed > raw.rest.len()) {
        return Err((400, "Body Shorter Than Content-Length"));
    }
    Ok(())
}

fn addresses(raw: &Raw<'_>) -> Result<(), Refused> {
    for name in ["from", "to"] {
        let value = raw.first(name).unwrap_or_default();
        let address = Address::cut(value).ok_or((400, "Bad Address"))?;
        addressed(&address)?;
        if split(value).len() > 1 {
            return Err((400, "Display Name Not Quoted"));
        }
    }
    for contact in raw.all("contact").flat_map(split).filter(|contact| *contact != "*") {
        let address = Address::cut(contact).ok_or((400, "Bad Contact"))?;
        addressed(&address)?;
        if !address.bracketed && address.uri.contains(['?', ',']) {
            return Err((400, "Contact Needs Angle Brackets"));
        }
    }
    for via in raw.all("via").flat_map(split) {
        let (_, hop) = super::plain::via(via).ok_or((400, "Bad Via"))?;
        if hop.is_empty() {
            return Err((400, "Bad Via"));
        }
    }
    Ok(())
}

fn addressed(address: &Address<'_>) -> Result<(), Refused> {
    let spaced = address.uri.bytes().any(|octet| octet <= b' ' || octet == 0x7f);
    let named = address.uri.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    let quoted = address.display.starts_with('"');
    let display = quoted || address.display.bytes().all(|octet| is_token(octet) || matches!(octet, b' ' | b'\t') || octet >= 0x80);
    if spaced || !named || !display {
        return Err((400, "Bad Address"));
    }
    if address.parameter("tag").is_some_and(str::is_empty) {
        return Err((400, "Empty Tag"));
    }
    Ok(())
}

fn scheme(uri: &str) -> Result<(), Refused> {
    let (scheme, rest) = uri.split_once(':').ok_or((400, "Bad Request-URI"))?;
    if scheme.eq_ignore_ascii_case("tel") {
        return Ok(());
    }
    if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
        return Err((416, "Unsupported URI Scheme"));
    }
    // RFC 3261 section 19.1.1: headers are not allowed in a Request-URI. Ahead of the @ a question mark belongs to the user.
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if host.is_empty() || host.starts_with([':', ';', '?']) || host.contains('?') {
        return Err((400, "Bad Request-URI"));
    }
    Ok(())
}

fn details(raw: &Raw<'_>) -> Result<(), Refused> {
    if raw
        .first("max-forwards")
        .is_some_and(|value| value.parse::<u32>().is_ok_and(|hops| hops > 255) || value.parse::<u32>().is_err())
    {
        return Err((400, "Bad Max-Forwards"));
    }
    if raw.first("expires").is_some_and(|value| !number(value)) {
        return Err((400, "Bad Expires"));
    }
    let dated = raw.first("date").is_none_or(|date| date.ends_with("GMT"));
    if !dated {
        return Err((400, "Bad Date"));
    }
    Ok(())
}

fn number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit()) && value.parse::<u32>().is_ok()
}

/// The letters of a token (RFC 3261 section 25.1).
pub(super) fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet)
}
