//! What the payload types of a section mean.

use super::Section;
use crate::Codec;

/// A payload type and what it stands for (`a=rtpmap`, `a=fmtp`, or the table of RFC 3551).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The number in each packet, 0 to 127.
    pub payload: u8,
    /// The encoding's name as it was written.
    pub name: String,
    /// Ticks of its timestamps in a second.
    pub clock: u32,
    /// Channels.
    pub channels: u8,
    /// `a=fmtp`.
    pub parameters: Option<String>,
}

/// A codec under the number that its packets carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The number.
    pub payload: u8,
    /// The codec.
    pub codec: Codec,
}

/// `telephone-event` (RFC 4733) under the number that its packets carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFormat {
    /// The number.
    pub payload: u8,
    /// Ticks of its timestamps in a second.
    pub clock: u32,
}

impl Format {
    /// The codec, if it is one of ours.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| {
            self.name.eq_ignore_ascii_case(codec.name()) && self.clock == codec.clock() && self.channels == codec.channels()
        })
    }

    /// Whether it is `telephone-event` with the sixteen digits among its events.
    #[must_use]
    pub fn is_event(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event") && (8_000..=48_000).contains(&self.clock)
    }

    fn fixed(payload: u8) -> Option<Self> {
        let name = match payload {
            0 => "PCMU",
            8 => "PCMA",
            9 => "G722",
            13 => "CN",
            18 => "G729",
            _ => return None,
        };
        Some(Self { payload, name: name.to_owned(), clock: 8_000, channels: 1, parameters: None })
    }

    fn mapped(payload: u8, map: &str) -> Option<Self> {
        let mut parts = map.trim().split('/');
        let (name, clock) = (parts.next()?.to_owned(), parts.next()?.trim().parse().ok()?);
        let channels = parts.next().map_or(Some(1), |text| text.trim().parse().ok())?;
        (clock > 0 && channels > 0).then_some(Self { payload, name, clock, channels, parameters: None })
    }
}

impl Section {
    /// The formats with their meaning, in the order of preference; those without one are left out.
    #[must_use]
    pub fn described(&self) -> Vec<Format> {
        self.formats.iter().filter_map(|text| self.format(text)).collect()
    }

    fn format(&self, text: &str) -> Option<Format> {
        let payload: u8 = text.parse().ok().filter(|number| *number < 128)?;
        let of = |name| self.values(name).filter_map(|value| value.split_once(' ')).find(|(number, _)| *number == text);
        let mut format = match of("rtpmap") {
            Some((_, map)) => Format::mapped(payload, map)?,
            None => Format::fixed(payload)?,
        };
        format.parameters = of("fmtp").map(|(_, parameters)| parameters.trim().to_owned());
        Some(format)
    }
}
