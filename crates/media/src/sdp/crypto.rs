//! `a=crypto`: keys for SRTP in the description itself (RFC 4568).

use std::fmt;

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use tandem_kernel::Rng;

/// A cryptographic suite (RFC 4568 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// AES in counter mode with 128 bits, HMAC-SHA1 cut to 80 bits.
    AesCm128HmacSha1_80,
    /// The same, cut to 32 bits for RTP and to 80 for RTCP.
    AesCm128HmacSha1_32,
}

impl Suite {
    /// Both, the stronger first.
    pub const ALL: [Self; 2] = [Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32];

    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }
}

/// A master key of 16 octets and its salt of 14.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub(crate) [u8; 30]);

impl Key {
    /// From key and salt in one.
    #[must_use]
    pub const fn new(octets: [u8; 30]) -> Self {
        Self(octets)
    }

    /// A new one.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        let mut octets = [0; 30];
        rng.fill(&mut octets);
        Self(octets)
    }
}

/// Never shows the key: a description that is logged must not be what opens a recording of its packets.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// One `a=crypto` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// Which of the lines it is; the answer repeats it.
    pub tag: u32,
    /// The suite.
    pub suite: Suite,
    /// What the one who sends this line encrypts with.
    pub key: Key,
}

impl Crypto {
    /// Reads the attribute's value. `None` for suites, key lengths and parameters that we do not have: the offerer has other lines.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let tag = words.next()?.parse().ok()?;
        let name = words.next()?;
        let suite = Suite::ALL.into_iter().find(|suite| suite.name() == name)?;
        let keys = words.next()?;
        // More than one key needs its identifiers in each packet, and session parameters change the packets: neither is ours.
        if keys.contains(';') || words.any(|parameter| !parameter.starts_with("WSH=")) {
            return None;
        }
        let mut parts = keys.strip_prefix("inline:")?.split('|');
        let text = parts.next()?.trim_end_matches('=');
        if parts.any(|part| part.contains(':')) {
            return None;
        }
        let octets = BASE64_STANDARD_NO_PAD.decode(text).ok()?;
        Some(Self { tag, suite, key: Key(octets.try_into().ok()?) })
    }
}

impl fmt::Display for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:{}", self.tag, self.suite.name(), BASE64_STANDARD.encode(self.key.0))
    }
}
