//! Session descriptions (RFC 8866) and what two of them agree on (RFC 3264).
//!
//! [`Description`] is the text with its parts; [`Session`] is one party's side of the agreement over the life of a call: it makes
//! offers, answers those of the other side, and says with [`Negotiated`] what a stream has to do.

mod crypto;
mod format;
mod negotiate;
mod parse;
mod session;
mod write;

use std::{fmt, net::IpAddr};

pub use crypto::{Crypto, Key, Suite};
pub use format::{EventFormat, Format, Payload};
pub use negotiate::{Capabilities, Negotiated, Preference, Refusal, Security, SrtpKeys};
pub use parse::SdpFault;
pub use session::{Local, Session};

/// A session description: the lines that matter for audio. Others are skipped when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `o=`: who made it, and which version of it this is.
    pub origin: Origin,
    /// `s=`, usually `-`.
    pub name: String,
    /// `c=` for every section that has none of its own.
    pub connection: Option<Address>,
    /// `a=` before the first section.
    pub attributes: Vec<Attribute>,
    /// `m=` and what follows it.
    pub media: Vec<Section>,
}

/// `o=` (RFC 8866 section 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The user's name, `-` for none.
    pub user: String,
    /// The session's number; a text because some senders exceed every integer.
    pub session: String,
    /// The description's version.
    pub version: String,
    /// The machine that made it.
    pub address: Address,
}

/// An address as `o=` and `c=` name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A literal address.
    Ip(IpAddr),
    /// A host's name, which nobody looks up here: its packets' source is learned.
    Name {
        /// Whether the line says `IP6`.
        v6: bool,
        /// The name.
        name: String,
    },
}

impl Address {
    /// The literal address.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name { .. } => None,
        }
    }

    /// Whether packets come over IPv6.
    #[must_use]
    pub const fn is_v6(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_ipv6(),
            Self::Name { v6, .. } => *v6,
        }
    }
}

/// `a=name` or `a=name:value`.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Before the colon.
    pub name: String,
    /// After it.
    pub value: Option<String>,
}

impl Attribute {
    /// `a=name`.
    #[must_use]
    pub fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }

    /// `a=name:value`.
    #[must_use]
    pub fn new(name: &str, value: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), value: Some(value.to_string()) }
    }
}

/// Without the keys that it may hold: what is logged must not open what was said.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(_) if self.name == "crypto" => f.write_str("a=crypto:…"),
            Some(value) => write!(f, "a={}:{value:?}", self.name),
            None => write!(f, "a={}", self.name),
        }
    }
}

/// `m=` and the lines that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// `audio`, `video` and others.
    pub kind: String,
    /// 0 where it is refused or over.
    pub port: u16,
    /// `RTP/AVP` and others.
    pub protocol: String,
    /// Payload types where the protocol is RTP.
    pub formats: Vec<String>,
    /// `c=` of its own.
    pub connection: Option<Address>,
    /// `a=`.
    pub attributes: Vec<Attribute>,
}

impl Section {
    /// The value of the first attribute with this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// All values of attributes with this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |attribute| attribute.name == name).filter_map(|attribute| attribute.value.as_deref())
    }

    /// Which way media flows, if the section says so.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.attributes.iter().find_map(Direction::of)
    }

    /// Milliseconds in a packet that the section wishes (`a=ptime`), 1 to 200.
    #[must_use]
    pub fn ptime(&self) -> Option<u8> {
        self.milliseconds("ptime")
    }

    /// Milliseconds in a packet at the most (`a=maxptime`), 1 to 200.
    #[must_use]
    pub fn maxptime(&self) -> Option<u8> {
        self.milliseconds("maxptime")
    }

    fn milliseconds(&self, name: &str) -> Option<u8> {
        // "20.0" is seen in the field.
        let text = self.attribute(name)?.value.as_deref()?.trim();
        let whole = text.split('.').next().unwrap_or(text);
        whole.parse().ok().filter(|wished| (1..=200).contains(wished))
    }

    /// The port and perhaps the address of RTCP where it is not the one after RTP's (RFC 3605).
    #[must_use]
    pub fn rtcp(&self) -> Option<(u16, Option<IpAddr>)> {
        let mut words = self.attribute("rtcp")?.value.as_deref()?.split_whitespace();
        let port = words.next()?.parse().ok()?;
        let address = words.nth(2).and_then(|word| word.parse().ok());
        Some((port, address))
    }

    /// Whether RTCP may come to RTP's port (RFC 5761).
    #[must_use]
    pub fn rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    /// The keys that it offers (RFC 4568), those that we can use only, in their order.
    #[must_use]
    pub fn cryptos(&self) -> Vec<Crypto> {
        self.values("crypto").filter_map(Crypto::parse).collect()
    }

    /// The same section with port 0 and nothing but its formats.
    #[must_use]
    pub fn refused(&self) -> Self {
        Self { port: 0, connection: None, attributes: Vec::new(), ..self.clone() }
    }
}

/// Which way media flows, as the one who says it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// From us only, as towards a party on hold.
    SendOnly,
    /// To us only.
    RecvOnly,
    /// Not at all; RTCP goes on.
    Inactive,
}

impl Direction {
    /// From whether there is sending and receiving.
    #[must_use]
    pub const fn from(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the one who says it sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the one who says it receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow as the other side sees it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::from(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::from(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// Its attribute's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn of(attribute: &Attribute) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|way| way.name() == attribute.name)
    }
}
