//! Messages in the plainest form: one line for each field, its full name, no spaces that the grammar merely tolerates.

use super::{Raw, check::is_token, split};

/// The tag that a request without one is given on its way to the stack, which needs one. It never leaves (RFC 3261 section 8.2.6.2:
/// an answer's From is the request's; RFC 2543 had requests without a tag).
pub(crate) const NO_TAG: &str = "none-2543";
/// The field that carries a Request-URI past the stack. It never leaves, and one that comes in is not believed.
pub(crate) const REQUEST_URI: &str = "X-Tandem-Request-URI";

/// The first `used` octets of a message in the plainest form, or `None` where it has that already.
pub(crate) fn plain(raw: &Raw<'_>, used: usize) -> Option<Vec<u8>> {
    let body = raw.rest.get(..used.saturating_sub(raw.head)).unwrap_or_default();
    let untagged = raw.method().is_some() && raw.first("from").is_some_and(|from| !tagged(from));
    let spaced = raw.all("via").flat_map(split).any(|value| written_via(value).as_deref() != Some(value));
    let lengthless = raw.first("content-length").is_none() && !body.is_empty();
    let zeros = raw.first("cseq").is_some_and(|value| value.starts_with('0') && value.get(1..2) != Some(" "));
    let split_vias = raw.all("via").any(|value| split(value).len() > 1);
    let reasonless = raw.method().is_none() && !raw.start.is_ascii();
    let hidden = hidden(raw);
    if !(hidden.is_some() || raw.odd || untagged || spaced || lengthless || zeros || split_vias || reasonless) {
        return None;
    }
    let mut out = Vec::with_capacity(raw.head + body.len());
    out.extend_from_slice(&start(raw));
    for field in &raw.fields {
        match field.name.as_str() {
            "via" => {
                split(&field.value).into_iter().for_each(|value| line(&mut out, "Via", &written_via(value).unwrap_or_default()))
            }
            "from" if untagged => line(&mut out, "From", &format!("{};tag={NO_TAG}", bracketed(&field.value))),
            "from" => line(&mut out, "From", &tidy(&field.value)),
            "to" => line(&mut out, "To", &tidy(&field.value)),
            "cseq" => line(&mut out, "CSeq", &sequence(&field.value)),
            "content-length" => {}
            _ if field.name.eq_ignore_ascii_case(REQUEST_URI) => {}
            _ => line(&mut out, &field.written, &field.value),
        }
    }
    if let Some(uri) = hidden {
        line(&mut out, REQUEST_URI, uri);
    }
    line(&mut out, "Content-Length", &body.len().to_string());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    Some(out)
}

/// A Request-URI whose user holds letters at which the stack would cut it wrongly (RFC 4475 section 3.1.1.9).
fn hidden<'a>(raw: &Raw<'a>) -> Option<&'a str> {
    raw.method()?;
    let uri = std::str::from_utf8(raw.start.split(|octet| *octet == b' ').nth(1)?).ok()?;
    let (user, _) = uri.rsplit_once('@')?;
    user.contains([';', '?', '&', '/', '%']).then_some(uri)
}

fn start(raw: &Raw<'_>) -> Vec<u8> {
    let mut line = raw.start.to_vec();
    if hidden(raw).is_some() {
        line = format!("{} sip:invalid SIP/2.0", raw.method().unwrap_or_default()).into_bytes();
    }
    if raw.method().is_none() && !raw.start.is_ascii() {
        // The reason phrase of a response is for people: the code alone goes on.
        line.truncate(b"SIP/2.0 200".len());
        line.push(b' ');
    }
    line.extend_from_slice(b"\r\n");
    line
}

fn line(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn tagged(value: &str) -> bool {
    super::Address::cut(value).is_some_and(|address| address.parameter("tag").is_some())
}

/// An address with its parameters drawn together: `sip:a ; tag = 1` becomes `<sip:a>;tag=1`.
fn tidy(value: &str) -> String {
    let Some(address) = super::Address::cut(value) else { return value.to_owned() };
    let mut text = if address.display.is_empty() { String::new() } else { format!("{} ", address.display) };
    text.push_str(&format!("<{}>", address.uri));
    for (name, value) in &address.parameters {
        text.push_str(&value.map_or_else(|| format!(";{name}"), |value| format!(";{name}={value}")));
    }
    text
}

/// The same for one that is about to be given a tag.
fn bracketed(value: &str) -> String {
    tidy(value)
}

fn sequence(value: &str) -> String {
    let (number, method) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    let number = number.trim_start_matches('0');
    format!("{} {}", if number.is_empty() { "0" } else { number }, method.trim())
}

/// A Via's transport and what follows it: `SIP / 2.0 / UDP host;branch=x`. `None` where it is no Via.
pub(super) fn via(value: &str) -> Option<(&str, &str)> {
    let (name, rest) = value.split_once('/')?;
    let (version, rest) = rest.split_once('/')?;
    if !name.trim().eq_ignore_ascii_case("SIP") || version.trim() != "2.0" {
        return None;
    }
    let (transport, hop) = rest.trim_start().split_once([' ', '\t'])?;
    let sound = !transport.is_empty() && transport.bytes().all(is_token);
    let hop = hop.trim();
    let parameters = hop.find(';').and_then(|at| hop.get(at..)).unwrap_or_default();
    super::parameters(parameters)?;
    sound.then_some((transport, hop))
}

/// One Via in the plainest form.
fn written_via(value: &str) -> Option<String> {
    let (transport, hop) = via(value)?;
    let (host, rest) = hop.split_at(hop.find(';').unwrap_or(hop.len()));
    let mut text = format!("SIP/2.0/{transport} {}", host.trim().replace([' ', '\t'], ""));
    for (name, value) in super::parameters(rest)? {
        text.push_str(&value.map_or_else(|| format!(";{name}"), |value| format!(";{name}={value}")));
    }
    Some(text)
}
