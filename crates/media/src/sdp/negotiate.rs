//! What two descriptions agree on (RFC 3264 sections 5 to 8).

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::{Crypto, Description, Direction, EventFormat, Format, Key, Payload, Section, Suite};
use crate::Codec;

/// Whether packets are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Security {
    /// Never: an offer that wants it is refused.
    Off,
    /// Where the other side offers it.
    #[default]
    Allowed,
    /// Always: what is not encrypted is refused.
    Required,
}

/// Whose order of codecs decides an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Preference {
    /// The offerer's, as RFC 3264 recommends.
    #[default]
    Theirs,
    /// Ours.
    Ours,
}

/// What we can do in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Codecs, the preferred first.
    pub codecs: Vec<Codec>,
    /// Whether digits may be events (RFC 4733).
    pub events: bool,
    /// Milliseconds in our packets: 10, 20, 30, 40 or 60.
    pub ptime: u8,
    /// Encryption.
    pub security: Security,
    /// Whether RTCP may share RTP's port.
    pub rtcp_mux: bool,
    /// Whose order decides an answer.
    pub preference: Preference,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            codecs: vec![Codec::Pcmu, Codec::Pcma, Codec::G722],
            events: true,
            ptime: 20,
            security: Security::default(),
            rtcp_mux: true,
            preference: Preference::default(),
        }
    }
}

/// The keys of both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// The suite, the same both ways.
    pub suite: Suite,
    /// What we encrypt with.
    pub ours: Key,
    /// What the other side encrypts with.
    pub theirs: Key,
}

/// What was agreed on: all that a stream has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the other side wants RTP; none where it is on hold the old way (0.0.0.0) or named by a host's name.
    pub remote: Option<SocketAddr>,
    /// Where it wants RTCP.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether RTCP shares RTP's port.
    pub rtcp_mux: bool,
    /// Whether the other side speaks IPv6.
    pub v6: bool,
    /// What we send.
    pub send: Payload,
    /// What may come.
    pub receive: Vec<Payload>,
    /// How we send digits, if we may.
    pub send_events: Option<EventFormat>,
    /// How digits come.
    pub receive_events: Vec<EventFormat>,
    /// Milliseconds in our packets.
    pub ptime: u8,
    /// Which way media flows, as we see it.
    pub direction: Direction,
    /// Keys, where packets are encrypted.
    pub srtp: Option<SrtpKeys>,
}

/// Why there is no agreement. In SIP an offer is then answered with 488.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no section for audio over RTP, or each has port 0.
    NoAudio,
    /// No codec is common.
    NoCommonCodec,
    /// One side wants encryption and the other has none, or the keys fit no suite of ours.
    Security,
    /// An answer that does not fit its offer, or comes without one.
    Mismatch,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAudio => "no audio is offered",
            Self::NoCommonCodec => "no codec is common",
            Self::Security => "there is no agreement on encryption",
            Self::Mismatch => "the answer does not fit the offer",
        })
    }
}

impl std::error::Error for Refusal {}

/// How a section's packets are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carriage {
    Plain,
    Secure,
}

/// Audio over RTP as we can do it, without regard to `F` for feedback; DTLS is not ours.
pub(super) fn carriage(section: &Section) -> Option<Carriage> {
    match section.protocol.to_ascii_uppercase().as_str() {
        "RTP/AVP" | "RTP/AVPF" if section.kind == "audio" => Some(Carriage::Plain),
        "RTP/SAVP" | "RTP/SAVPF" if section.kind == "audio" => Some(Carriage::Secure),
        _ => None,
    }
}

/// The section that we would take: an encrypted one before a plain one, where both are allowed.
pub(super) fn choose(offer: &Description, capabilities: &Capabilities) -> Result<(usize, Option<Crypto>), Refusal> {
    let audio = || offer.media.iter().enumerate().filter(|(_, section)| section.port != 0);
    let mut refusal = Refusal::NoAudio;
    for wanted in [Carriage::Secure, Carriage::Plain] {
        for (index, section) in audio().filter(|(_, section)| carriage(section) == Some(wanted)) {
            let crypto = section.cryptos().into_iter().next();
            let fits = match (wanted, capabilities.security) {
                (Carriage::Plain, security) => security != Security::Required,
                (Carriage::Secure, security) => security != Security::Off && crypto.is_some(),
            };
            let common = section.described().iter().filter_map(Format::codec).any(|codec| capabilities.codecs.contains(&codec));
            match (fits, common) {
                (true, true) => return Ok((index, crypto.filter(|_| wanted == Carriage::Secure))),
                (false, _) => refusal = Refusal::Security,
                (true, false) => refusal = Refusal::NoCommonCodec,
            }
        }
    }
    Err(refusal)
}

/// The codec of an answer: one, so that nobody changes it in the middle.
pub(super) fn codec(formats: &[Format], capabilities: &Capabilities) -> Option<(Payload, Format)> {
    let ours = |codec: &Codec| capabilities.codecs.iter().position(|known| known == codec);
    let mut common: Vec<(usize, Payload, &Format)> = formats
        .iter()
        .filter_map(|format| {
            let codec = format.codec()?;
            Some((ours(&codec)?, Payload { payload: format.payload, codec }, format))
        })
        .collect();
    if capabilities.preference == Preference::Ours {
        common.sort_by_key(|(place, ..)| *place);
    }
    common.first().map(|(_, payload, format)| (*payload, (*format).clone()))
}

/// The event format that goes with a codec: one with its clock, as RFC 4733 section 2.1 wants, or any.
pub(super) fn events(formats: &[Format], codec: Codec) -> Option<EventFormat> {
    let all = || formats.iter().filter(|format| format.is_event());
    let best = all().find(|format| format.clock == codec.clock()).or_else(|| all().next());
    best.map(|format| EventFormat { payload: format.payload, clock: format.clock })
}

/// Milliseconds in our packets: what the other side wishes where we can, within what it can take.
pub(super) fn ptime(section: &Section, capabilities: &Capabilities) -> u8 {
    const KNOWN: [u8; 5] = [10, 20, 30, 40, 60];
    let wished = section.ptime().filter(|wished| KNOWN.contains(wished)).unwrap_or(capabilities.ptime);
    let most = section.maxptime().unwrap_or(u8::MAX);
    if wished <= most { wished } else { KNOWN.into_iter().rev().find(|known| *known <= most).unwrap_or(10) }
}

/// Where a section's packets go.
pub(super) struct Target {
    pub rtp: Option<SocketAddr>,
    pub rtcp: Option<SocketAddr>,
    pub v6: bool,
    /// The address is 0.0.0.0 or ::, which was hold before there were directions.
    pub held: bool,
}

pub(super) fn target(description: &Description, section: &Section, mux: bool) -> Target {
    let address = section.connection.as_ref().or(description.connection.as_ref());
    let v6 = address.is_some_and(super::Address::is_v6);
    let ip = address.and_then(super::Address::ip);
    let held = ip.is_some_and(|ip| ip.is_unspecified());
    let usable = |ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast();
    let ip = ip.filter(usable);
    let rtp = ip.map(|ip| SocketAddr::new(ip, section.port)).filter(|to| to.port() != 0);
    let rtcp = match (mux, section.rtcp()) {
        (true, _) => rtp,
        (false, Some((port, other))) => other.filter(usable).or(ip).map(|ip| SocketAddr::new(ip, port)).filter(|to| to.port() != 0),
        (false, None) => rtp.and_then(|rtp| Some(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?))),
    };
    Target { rtp, rtcp, v6, held }
}

/// The direction of a section as the one who sent it sees it.
pub(super) fn direction(description: &Description, section: &Section) -> Direction {
    section.direction().or_else(|| description.attributes.iter().find_map(Direction::of)).unwrap_or_default()
}
