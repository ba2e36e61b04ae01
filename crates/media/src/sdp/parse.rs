//! Reading a description: from anybody, so every part is bounded and nothing is believed.

use std::{fmt, net::IpAddr, str::FromStr};

use super::{Address, Attribute, Description, Origin, Section};

/// Octets of a description that are read at the most.
pub const LARGEST: usize = 64 * 1024;
/// Sections, formats of a section, and attributes of a section that are read at the most.
const SECTIONS: usize = 32;
const FORMATS: usize = 64;
const ATTRIBUTES: usize = 512;

/// Why a text is no description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpFault {
    /// More than 64 KiB, 32 sections, 64 formats or 512 attributes.
    TooLarge,
    /// It does not begin with `v=0`.
    Version,
    /// There is no `o=`, or it is not what it should be.
    Origin,
    /// The line with this number cannot be read.
    Line(usize),
}

impl fmt::Display for SdpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the session description is too large"),
            Self::Version => f.write_str("the session description does not begin with v=0"),
            Self::Origin => f.write_str("the session description has no usable o= line"),
            Self::Line(number) => write!(f, "line {number} of the session description cannot be read"),
        }
    }
}

impl std::error::Error for SdpFault {}

impl Description {
    /// Reads a description. Lines end with CRLF, LF or CR; what is not UTF-8 is replaced; lines that we do not know are skipped.
    ///
    /// # Errors
    /// See [`SdpFault`]: a text that is too large, without its first lines, or with a line that breaks its own form.
    pub fn parse(text: &[u8]) -> Result<Self, SdpFault> {
        if text.len() > LARGEST {
            return Err(SdpFault::TooLarge);
        }
        let text = String::from_utf8_lossy(text);
        let lines = text.split(['\r', '\n']).map(str::trim_end).filter(|line| !line.is_empty());
        let mut reader = Reader::default();
        for (index, line) in lines.enumerate() {
            reader.line(index + 1, line)?;
        }
        reader.end()
    }
}

impl FromStr for Description {
    type Err = SdpFault;

    fn from_str(text: &str) -> Result<Self, SdpFault> {
        Self::parse(text.as_bytes())
    }
}

#[derive(Default)]
struct Reader {
    origin: Option<Origin>,
    name: Option<String>,
    connection: Option<Address>,
    attributes: Vec<Attribute>,
    media: Vec<Section>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), SdpFault> {
        let (letter, value) = line.split_once('=').ok_or(if number == 1 { SdpFault::Version } else { SdpFault::Line(number) })?;
        if number == 1 {
            return if letter == "v" && value.trim() == "0" { Ok(()) } else { Err(SdpFault::Version) };
        }
        let broken = SdpFault::Line(number);
        match letter {
            "o" if self.origin.is_none() && self.media.is_empty() => self.origin = Some(origin(value).ok_or(SdpFault::Origin)?),
            "s" if self.media.is_empty() => self.name = Some(value.to_owned()),
            "c" => {
                let read = connection(value).ok_or(broken)?;
                let place = self.media.last_mut().map_or(&mut self.connection, |section| &mut section.connection);
                // Further ones belong to layers of multicast.
                place.get_or_insert(read);
            }
            "m" if self.media.len() == SECTIONS => return Err(SdpFault::TooLarge),
            "m" => self.media.push(section(value, number)?),
            "a" => {
                let place = self.media.last_mut().map_or(&mut self.attributes, |section| &mut section.attributes);
                if place.len() == ATTRIBUTES {
                    return Err(SdpFault::TooLarge);
                }
                place.push(attribute(value).ok_or(broken)?);
            }
            _ if letter.len() == 1 => {}
            _ => return Err(broken),
        }
        Ok(())
    }

    fn end(self) -> Result<Description, SdpFault> {
        let origin = self.origin.ok_or(SdpFault::Origin)?;
        // Some telephones leave s= out.
        let name = self.name.unwrap_or_else(|| "-".to_owned());
        Ok(Description { origin, name, connection: self.connection, attributes: self.attributes, media: self.media })
    }
}

fn origin(value: &str) -> Option<Origin> {
    let mut words = value.split_whitespace();
    let [user, session, version, net, family, host] = std::array::from_fn(|_| words.next());
    let address = address(net?, family?, host?)?;
    Some(Origin { user: user?.to_owned(), session: session?.to_owned(), version: version?.to_owned(), address })
}

fn connection(value: &str) -> Option<Address> {
    let mut words = value.split_whitespace();
    let (net, family, host) = (words.next()?, words.next()?, words.next()?);
    // A multicast address is followed by how far it goes and how many there are.
    address(net, family, host.split('/').next()?)
}

fn address(net: &str, family: &str, host: &str) -> Option<Address> {
    if !net.eq_ignore_ascii_case("IN") || host.is_empty() {
        return None;
    }
    let v6 = match family {
        "IP4" => false,
        "IP6" => true,
        _ => return None,
    };
    match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_ipv6() == v6 => Some(Address::Ip(ip)),
        Ok(_) => None,
        Err(_) => Some(Address::Name { v6, name: host.to_owned() }),
    }
}

fn section(value: &str, number: usize) -> Result<Section, SdpFault> {
    let broken = SdpFault::Line(number);
    let mut words = value.split_whitespace();
    let (kind, port, protocol) = (words.next().ok_or(broken)?, words.next().ok_or(broken)?, words.next().ok_or(broken)?);
    // "5004/2" means two pairs of ports; we speak to the first.
    let port = port.split('/').next().and_then(|first| first.parse().ok()).ok_or(broken)?;
    let formats: Vec<String> = words.by_ref().take(FORMATS).map(str::to_owned).collect();
    if words.next().is_some() {
        return Err(SdpFault::TooLarge);
    }
    if formats.is_empty() {
        return Err(broken);
    }
    let (kind, protocol) = (kind.to_owned(), protocol.to_owned());
    Ok(Section { kind, port, protocol, formats, connection: None, attributes: Vec::new() })
}

fn attribute(value: &str) -> Option<Attribute> {
    let (name, value) = match value.split_once(':') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (value, None),
    };
    (!name.is_empty()).then(|| Attribute { name: name.to_owned(), value })
}
