//! Codecs: between packets and samples.

mod coder;
mod conceal;
mod rate;
mod reorder;

pub use coder::{Decoder, Encoder};
pub use conceal::Concealer;
pub use rate::Rate;
pub(crate) use rate::{Converter, resampled};
pub use reorder::{Packet, Pulled, Reorder};

/// A codec that we can decode and encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 mu-law, 64 kbit/s.
    Pcmu,
    /// G.711 A-law, 64 kbit/s.
    Pcma,
    /// G.722, 64 kbit/s, 16 kHz. Its RTP clock is 8000 Hz all the same (RFC 3551 section 4.5.2).
    G722,
    /// Opus (RFC 6716, RFC 7587); coded at 16 kHz in mono, decoded to that whatever comes.
    Opus,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// Its name in a description.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// Ticks of RTP timestamps in a second.
    #[must_use]
    pub const fn clock(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// Channels as a description names them; Opus always says two.
    #[must_use]
    pub const fn channels(self) -> u8 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 1,
            Self::Opus => 2,
        }
    }

    /// The rate of its samples here.
    #[must_use]
    pub const fn rate(self) -> Rate {
        match self {
            Self::Pcmu | Self::Pcma => Rate::Narrow,
            Self::G722 | Self::Opus => Rate::Wide,
        }
    }

    /// The payload type of RFC 3551, or the one that most use.
    #[must_use]
    pub const fn usual_payload(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 107,
        }
    }

    /// `a=fmtp`.
    #[must_use]
    pub const fn parameters(self) -> Option<&'static str> {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => None,
            Self::Opus => Some("maxplaybackrate=16000;stereo=0;useinbandfec=0"),
        }
    }
}
