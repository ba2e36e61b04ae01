//! SIP messages as octets, before the stack's parser sees them (RFC 3261 section 7 and 25).
//!
//! The stack drops what it cannot read without an answer, and reads some of what it should refuse. So every datagram and every
//! message of a stream is read here first: what is wrong is answered at once and without state, what is merely unusual is written
//! again in the plainest form, and what is plain passes as it came.

mod check;
mod plain;
mod reply;

pub(crate) use check::{Verdict, check};
pub(crate) use plain::{NO_TAG, REQUEST_URI, plain};
pub(crate) use reply::{Reply, reply};

/// The most octets of one message. A larger one is refused with 513 on a stream and never arrives whole as a datagram.
pub(crate) const LARGEST: usize = 64 * 1024 - 1;
/// The most header fields of one message.
const MOST_FIELDS: usize = 256;

/// A message cut into its parts, nothing of it understood yet.
#[derive(Debug)]
pub(crate) struct Raw<'a> {
    /// The first line, as it came.
    pub start: &'a [u8],
    /// The header fields: the name as it came, the value unfolded and trimmed.
    pub fields: Vec<Field>,
    /// What follows the empty line.
    pub rest: &'a [u8],
    /// Where `rest` begins.
    pub head: usize,
    /// Whether anything was folded, spaced or named in a way that the stack's parser does not read.
    pub odd: bool,
}

/// One header field.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its full name in lower case, whichever form it came in.
    pub name: String,
    /// Its name as it came.
    pub written: String,
    /// Its value on one line.
    pub value: String,
}

impl<'a> Raw<'a> {
    /// Cuts a message. `None` where there is no empty line after the header, or no first line at all.
    pub fn cut(message: &'a [u8]) -> Option<Self> {
        let head = end_of_head(message)?;
        let mut lines = Lines(message.get(..head)?);
        let start = lines.next()?;
        let mut raw = Self { start, fields: Vec::new(), rest: message.get(head..)?, head, odd: false };
        for line in lines.take_while(|line| !line.is_empty()) {
            raw.take(line)?;
        }
        Some(raw)
    }

    fn take(&mut self, line: &[u8]) -> Option<()> {
        let text = String::from_utf8_lossy(line);
        self.odd |= matches!(text, std::borrow::Cow::Owned(_));
        if text.starts_with([' ', '\t']) {
            self.odd = true;
            let last = self.fields.last_mut()?;
            let more = text.trim();
            if !last.value.is_empty() && !more.is_empty() {
                last.value.push(' ');
            }
            last.value.push_str(more);
            return Some(());
        }
        if self.fields.len() >= MOST_FIELDS {
            return None;
        }
        let Some((written, value)) = text.split_once(':') else {
            // A line that is no header field: kept under a name that no field can have, for the check to refuse.
            self.fields.push(Field { name: String::new(), written: String::new(), value: text.into_owned() });
            return Some(());
        };
        self.odd |= written.ends_with([' ', '\t']);
        let name = full_name(written.trim());
        self.fields.push(Field { name, written: written.trim().to_owned(), value: value.trim().to_owned() });
        Some(())
    }

    /// The values of a field, by its full name in lower case.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| field.value.as_str())
    }

    /// The first value of a field.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }

    /// The method of a request, or `None` for a response.
    pub fn method(&self) -> Option<&str> {
        if self.start.starts_with(b"SIP/") {
            return None;
        }
        let start = self.start.split(|octet| matches!(octet, b' ' | b'\t')).next()?;
        std::str::from_utf8(start).ok()
    }
}

/// Where the body begins: behind the first empty line.
pub(crate) fn end_of_head(message: &[u8]) -> Option<usize> {
    message.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The length that a head claims for its body: `Err` where it is not a number, or where there are several.
pub(crate) fn claimed_length(raw: &Raw<'_>) -> Result<Option<usize>, ()> {
    let mut all = raw.all("content-length");
    let Some(first) = all.next() else { return Ok(None) };
    if all.next().is_some() || first.is_empty() || !first.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(());
    }
    first.parse().map(Some).map_err(|_| ())
}

struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|octet| *octet == b'\n').unwrap_or(self.0.len());
        let line = self.0.get(..end)?;
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The full name of a field in lower case (RFC 3261 section 7.3.3 and 20, RFC 3515, 3892, 4028, 6665).
fn full_name(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    let full = match lower.as_str() {
        "a" => "accept-contact",
        "b" => "referred-by",
        "c" => "content-type",
        "e" => "content-encoding",
        "f" => "from",
        "i" => "call-id",
        "k" => "supported",
        "l" => "content-length",
        "m" => "contact",
        "o" => "event",
        "r" => "refer-to",
        "s" => "subject",
        "t" => "to",
        "u" => "allow-events",
        "v" => "via",
        "x" => "session-expires",
        _ => return lower,
    };
    full.to_owned()
}

/// Cuts a list at its commas, those within quotes and angle brackets left alone.
pub(crate) fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped, mut angle) = (Vec::new(), 0, false, false, false);
    for (at, letter) in list.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            ',' if !quoted && !angle => {
                parts.push(list.get(from..at).unwrap_or_default().trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list.get(from..).unwrap_or_default().trim());
    parts
}

/// A `name-addr` or `addr-spec` with its parameters (RFC 3261 section 20.10), cut but not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// What stands before the angle bracket, with its quotes.
    pub display: &'a str,
    /// The address itself.
    pub uri: &'a str,
    /// The parameters of the field: each with its value, where it has one.
    pub parameters: Vec<(&'a str, Option<&'a str>)>,
    /// Whether the address stood in angle brackets.
    pub bracketed: bool,
}

impl<'a> Address<'a> {
    /// Cuts one value. `None` where quotes or brackets are not closed.
    pub fn cut(value: &'a str) -> Option<Self> {
        let value = value.trim();
        let open = unquoted(value, '<')?;
        let (display, uri, rest, bracketed) = match open {
            Some(open) => {
                let after = value.get(open + 1..)?;
                let close = after.find('>')?;
                (value.get(..open)?.trim(), after.get(..close)?, after.get(close + 1..)?, true)
            }
            None => match value.split_once(';') {
                Some((uri, _)) => ("", uri.trim(), value.get(uri.len()..)?, false),
                None => ("", value, "", false),
            },
        };
        Some(Self { display, uri, parameters: parameters(rest)?, bracketed })
    }

    /// A parameter's value: empty where it has none.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let found = self.parameters.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.unwrap_or_default())
    }

    /// The display name without its quotes.
    pub fn name(&self) -> Option<String> {
        let plain = self.display.trim();
        let inner = plain.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
        let name = inner.map_or_else(|| plain.to_owned(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"));
        (!name.is_empty()).then_some(name)
    }
}

/// Where a letter stands outside quotes: `None` where a quote stays open.
#[expect(clippy::option_option, reason = "an open quote is no answer at all")]
fn unquoted(text: &str, wanted: char) -> Option<Option<usize>> {
    let (mut quoted, mut escaped, mut found) = (false, false, None);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if letter == wanted && !quoted && found.is_none() => found = Some(at),
            _ => {}
        }
    }
    (!quoted).then_some(found)
}

/// Cuts `;name=value;name`. `None` where something else stands there, or a name is missing.
pub(crate) fn parameters(text: &str) -> Option<Vec<(&str, Option<&str>)>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        rest = rest.strip_prefix(';')?.trim_start();
        let end = unquoted(rest, ';')?.unwrap_or(rest.len());
        let one = rest.get(..end)?.trim();
        let (name, value) = match one.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (one, None),
        };
        if name.is_empty() || found.len() > 64 {
            return None;
        }
        found.push((name, value));
        rest = rest.get(end..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_fields_come_unfolded() {
        let raw = Raw::cut(b"OPTIONS sip:a SIP/2.0\r\nTO :\r\n sip:b\r\n\t;tag=1\r\nl: 0\r\n\r\n").expect("a message");
        assert_eq!(raw.first("to"), Some("sip:b ;tag=1"));
        assert_eq!(raw.method(), Some("OPTIONS"));
        assert!(raw.odd);
    }

    #[test]
    fn a_comma_within_quotes_or_brackets_parts_nothing() {
        assert_eq!(split("\"a,\\\"b\" <sip:c,d>, <sip:e>"), vec!["\"a,\\\"b\" <sip:c,d>", "<sip:e>"]);
    }

    #[test]
    fn an_address_is_cut() {
        let address = Address::cut("\"J \\\"R\\\"\" <sip:j@x;lr>; tag = 1 ;q").expect("an address");
        assert_eq!((address.uri, address.parameter("tag"), address.parameter("Q")), ("sip:j@x;lr", Some("1"), Some("")));
        assert_eq!(address.name().as_deref(), Some("J \"R\""));
        assert!(Address::cut("\"open <sip:a>").is_none());
        assert!(Address::cut("sip:a;;tag=1").is_none());
    }
}
