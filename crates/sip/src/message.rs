//! Reading the stack's messages and writing new ones.

use rsipstack::{
    sip::{
        Auth, Header, Headers, Method, Request, Response, StatusCode, Uri, Version,
        headers::make_header,
        prelude::{HasHeaders, HeadersExt},
    },
    transaction::{endpoint::EndpointInner, transaction::Transaction},
    transport::SipConnection,
};

use crate::{
    ALLOWED, SUPPORTED, Source, Transport,
    wire::{self, Address},
};

/// The first value of a field.
pub(crate) fn field<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name().eq_ignore_ascii_case(name)).map(Header::value)
}

/// All values of a field, lists cut apart.
pub(crate) fn list<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a str> {
    values(headers, name).flat_map(wire::split).filter(|value| !value.is_empty())
}

/// All values of a field, as they came.
pub(crate) fn values<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |header| header.name().eq_ignore_ascii_case(name)).map(Header::value)
}

/// Whether a list of tokens holds one.
pub(crate) fn lists(headers: &Headers, name: &str, token: &str) -> bool {
    list(headers, name).any(|value| value.eq_ignore_ascii_case(token))
}

/// The tag of a From or To.
pub(crate) fn tag(value: &str) -> Option<&str> {
    Address::cut(value).and_then(|address| address.parameter("tag")).filter(|tag| !tag.is_empty())
}

/// The same address without its tag.
pub(crate) fn untagged(value: &str) -> String {
    let Some(address) = Address::cut(value) else { return value.to_owned() };
    let mut text = if address.display.is_empty() { String::new() } else { format!("{} ", address.display) };
    text.push_str(&format!("<{}>", address.uri));
    for (name, value) in address.parameters.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("tag")) {
        text.push_str(&value.map_or_else(|| format!(";{name}"), |value| format!(";{name}={value}")));
    }
    text
}

/// The URI of an address field.
pub(crate) fn uri(value: &str) -> Option<&str> {
    Address::cut(value).map(|address| address.uri).filter(|uri| !uri.is_empty())
}

/// The user of a URI, decoded (RFC 3261 section 19.1.2).
pub(crate) fn user(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let user = match scheme.eq_ignore_ascii_case("tel") {
        true => rest.split(';').next()?,
        false => rest.rsplit_once('@')?.0.split(':').next()?,
    };
    Some(decoded(user))
}

/// `%41` becomes `A`.
pub(crate) fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |octet: Option<u8>| octet.and_then(|octet| char::from(octet).to_digit(16));
        match (octet, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                octets.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = ahead;
            }
            _ => octets.push(octet),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// The host of a URI, and its port where it says one.
pub(crate) fn host(uri: &str) -> Option<(String, Option<u16>)> {
    let (_, rest) = uri.split_once(':')?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let place = rest.split([';', '?']).next()?;
    if let Some(six) = place.strip_prefix('[') {
        let (host, port) = six.split_once(']')?;
        return Some((host.to_owned(), port.strip_prefix(':').and_then(|port| port.parse().ok())));
    }
    let (host, port) = place.split_once(':').map_or((place, None), |(host, port)| (host, port.parse().ok()));
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// Where a request really came from.
pub(crate) fn source(transaction: &Transaction) -> Option<Source> {
    match transaction.connection.as_ref()? {
        SipConnection::Channel(channel) => {
            let address = channel.get_addr();
            Some(Source { transport: Transport::of(address.r#type?), address: address.get_socketaddr().ok()? })
        }
        // The topmost Via of a request says it since the intake wrote it there.
        _ => {
            let (_, place) = SipConnection::parse_target_from_via(transaction.original.via_header().ok()?).ok()?;
            Some(Source { transport: Transport::Udp, address: place.try_into().ok()? })
        }
    }
}

/// The Request-URI as it came.
pub(crate) fn request_uri(request: &Request) -> String {
    field(request.headers(), wire::REQUEST_URI).map_or_else(|| request.uri.to_string(), str::to_owned)
}

/// The body, where it is a description of a session (RFC 3264).
pub(crate) fn sdp(headers: &Headers, body: &[u8]) -> Option<Vec<u8>> {
    let kind = field(headers, "Content-Type").unwrap_or("application/sdp");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let multipart = kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    match body {
        [] => None,
        _ if kind.eq_ignore_ascii_case("application/sdp") => Some(body.to_vec()),
        _ if multipart => part(field(headers, "Content-Type")?, body),
        _ => None,
    }
}

/// The description within a body of several parts (RFC 5621).
fn part(kind: &str, body: &[u8]) -> Option<Vec<u8>> {
    let parameters = wire::parameters(kind.get(kind.find(';')?..)?)?;
    let (_, boundary) = parameters.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let boundary = format!("--{}", boundary?.trim_matches('"'));
    let text = std::str::from_utf8(body).ok()?;
    text.split(boundary.as_str()).find_map(|part| {
        let (head, body) = part.split_once("\r\n\r\n")?;
        head.to_ascii_lowercase().contains("application/sdp").then(|| body.strip_suffix("\r\n").unwrap_or(body).as_bytes().to_vec())
    })
}

/// A header field for the stack.
pub(crate) fn header(name: &str, value: &str) -> Header {
    // A line's end within a value would begin another field.
    let clean: String = value.chars().filter(|letter| !matches!(letter, '\r' | '\n' | '\0')).collect();
    make_header(name, clean)
}

/// What an answer carries beside what every answer does.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub sdp: Option<Vec<u8>>,
}

impl Answer {
    pub fn of(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}

/// Writes the answer to a request. `tag` is ours for this dialog.
pub(crate) fn response(endpoint: &EndpointInner, request: &Request, answer: &Answer, tag_of_ours: &str) -> Response {
    let mut response = endpoint.make_response(request, StatusCode::from(answer.status), answer.sdp.clone());
    let to = field(request.headers(), "To").unwrap_or_default().to_owned();
    if answer.status > 100 && tag(&to).is_none() {
        for one in response.headers.iter_mut() {
            if matches!(one, Header::To(_)) {
                *one = header("To", &format!("{};tag={tag_of_ours}", untagged(&to)));
            }
        }
    }
    if request.method == Method::Invite && (101..300).contains(&answer.status) {
        response.headers.extend(values(request.headers(), "Record-Route").map(|route| header("Record-Route", route)).collect());
    }
    if answer.sdp.is_some() {
        response.headers.push(header("Content-Type", "application/sdp"));
    }
    if matches!(answer.status, 200..300 | 405 | 501) {
        response.headers.push(header("Allow", ALLOWED));
        response.headers.push(header("Supported", SUPPORTED));
    }
    response.headers.extend(answer.fields.iter().map(|(name, value)| header(name, value)).collect());
    response
}

/// A request before it is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub uri: String,
    pub from: String,
    pub to: String,
    pub call_id: String,
    pub cseq: u32,
    pub routes: Vec<String>,
    pub contact: Option<String>,
    pub max_forwards: u8,
    pub fields: Vec<(String, String)>,
    pub body: Option<(String, Vec<u8>)>,
}

impl Draft {
    /// Writes it, to go through a flow. `None` where its URI is none.
    pub fn write(&self, method: Method, product: &str, flow: &crate::net::Flow) -> Option<Request> {
        let uri = parsed(&self.uri)?;
        let transport = flow.peer.transport.stack();
        let mut headers = Headers::default();
        let branch = random(16);
        let alias = if flow.peer.transport == Transport::Udp { "" } else { ";alias" };
        headers.push(header("Via", &format!("SIP/2.0/{transport} {};branch=z9hG4bK{branch};rport{alias}", flow.local)));
        headers.extend(self.routes.iter().map(|route| header("Route", route)).collect());
        headers.push(header("Max-Forwards", &self.max_forwards.to_string()));
        headers.push(header("From", &self.from));
        headers.push(header("To", &self.to));
        headers.push(header("Call-ID", &self.call_id));
        headers.push(header("CSeq", &format!("{} {method}", self.cseq)));
        headers.extend(self.contact.iter().map(|contact| header("Contact", contact)).collect());
        headers.push(header("User-Agent", product));
        headers.extend(self.fields.iter().map(|(name, value)| header(name, value)).collect());
        let body = match &self.body {
            Some((kind, body)) => {
                headers.push(header("Content-Type", kind));
                body.clone()
            }
            None => Vec::new(),
        };
        headers.push(header("Content-Length", &body.len().to_string()));
        Some(Request { method, uri, version: Version::V2, headers, body })
    }
}

/// A URI for the stack, which cuts one whose user holds a semicolon wrongly and escapes what is escaped again.
fn parsed(uri: &str) -> Option<Uri> {
    let (scheme, rest) = uri.split_once(':')?;
    let Some((user, host)) = rest.rsplit_once('@') else { return Uri::try_from(uri).ok() };
    let mut plain = Uri::try_from(format!("{scheme}:{host}").as_str()).ok()?;
    let (user, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(decoded(password))));
    plain.auth = Some(Auth { user: decoded(user), password });
    Some(plain)
}

/// Random hexadecimal digits.
pub(crate) fn random(digits: usize) -> String {
    let mut octets = vec![0; digits.div_ceil(2)];
    tandem_kernel::Rng::fill(&tandem_kernel::OsRng, &mut octets);
    let mut text = tandem_kernel::hex(&octets);
    text.truncate(digits);
    text
}

/// A random number below a bound.
pub(crate) fn random_below(bound: u32) -> u32 {
    let mut octets = [0; 4];
    tandem_kernel::Rng::fill(&tandem_kernel::OsRng, &mut octets);
    u32::from_be_bytes(octets).checked_rem(bound).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_cut() {
        assert_eq!(user("sip:%2B1%20a:secret@h;x").as_deref(), Some("+1 a"));
        assert_eq!(user("tel:+15550100;ext=1").as_deref(), Some("+15550100"));
        assert_eq!(host("sip:a@[2001:db8::1]:5080;lr"), Some(("2001:db8::1".to_owned(), Some(5080))));
        assert_eq!(host("sip:h?x=1"), Some(("h".to_owned(), None)));
        assert_eq!(decoded("100%"), "100%");
    }

    #[test]
    fn a_part_of_a_body_is_found() {
        let mut headers = Headers::default();
        headers.push(header("Content-Type", "multipart/mixed;boundary=\"b\""));
        let body = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n";
        assert_eq!(sdp(&headers, body).as_deref(), Some(b"v=0\r\n".as_slice()));
    }
}
