//! SRTP (RFC 3711) with keys from the description (RFC 4568): AES in counter mode and HMAC-SHA1.

mod keys;

use std::collections::HashMap;

use aes::{
    Aes128,
    cipher::{Array, BlockCipherEncrypt, KeyInit},
};
use ring::hmac;

use crate::{
    rtp,
    sdp::{Key, Suite},
};
use keys::Derived;

/// Streams of one context whose counters are kept; a sender has one, and a few more when it begins anew.
const STREAMS: usize = 16;
/// How far back a packet may come (RFC 3711 section 3.3.2 wants 64 at the least).
const WINDOW: u64 = 64;
/// What is behind the payload of RTCP: the index and the tag.
const RTCP_TAG: usize = 10;

/// One direction's keys and counters.
pub struct Context {
    rtp: Derived,
    rtcp: Derived,
    tag: usize,
    streams: HashMap<u32, Stream>,
    /// The index of what we sent last as RTCP.
    sent: u32,
}

/// One SSRC's numbers.
#[derive(Default)]
struct Stream {
    rtp: Window,
    rtcp: Window,
}

/// The highest number that came, and which of those before it did.
#[derive(Default)]
struct Window {
    highest: Option<u64>,
    seen: u64,
}

impl Window {
    fn is_new(&self, index: u64) -> bool {
        match self.highest {
            Some(highest) if index <= highest => highest - index < WINDOW && self.seen >> (highest - index) & 1 == 0,
            _ => true,
        }
    }

    fn take(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => self.seen |= 1u64.checked_shl(shift(highest - index)).unwrap_or(0),
            Some(highest) => {
                self.seen = self.seen.checked_shl(shift(index - highest)).unwrap_or(0) | 1;
                self.highest = Some(index);
            }
            None => (self.highest, self.seen) = (Some(index), 1),
        }
    }

    /// The number without end that is nearest to the highest (RFC 3711 appendix A).
    fn guess(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else { return u64::from(sequence) };
        let base = highest & !0xFFFF | u64::from(sequence);
        if base + 0x8000 < highest {
            base + 0x1_0000
        } else if base > highest + 0x8000 && base >= 0x1_0000 {
            base - 0x1_0000
        } else {
            base
        }
    }
}

fn shift(by: u64) -> u32 {
    u32::try_from(by).unwrap_or(u32::MAX)
}

impl Context {
    /// A context that has seen nothing.
    #[must_use]
    pub fn new(suite: Suite, key: &Key) -> Self {
        let tag = match suite {
            Suite::AesCm128HmacSha1_80 => 10,
            Suite::AesCm128HmacSha1_32 => 4,
        };
        let [rtp, rtcp] = [0, 3].map(|label| Derived::new(&key.0, label));
        Self { rtp, rtcp, tag, streams: HashMap::new(), sent: 0 }
    }

    /// Encrypts a whole RTP packet in its place and appends the tag.
    pub fn protect(&mut self, packet: &mut Vec<u8>) -> Option<()> {
        let (header, _, offset) = rtp::header(packet)?;
        let stream = stream(&mut self.streams, header.ssrc);
        let index = stream.rtp.guess(header.sequence);
        stream.rtp.take(index);
        self.rtp.crypt(header.ssrc, index, packet.get_mut(offset..)?);
        let tag = self.rtp.sign(&[packet, &rollover(index)]);
        packet.extend(tag.as_ref().get(..self.tag)?);
        Some(())
    }

    /// Checks and decrypts a whole packet in its place and cuts the tag off. `None` for one that is forged, or comes again: it is
    /// to be dropped, whatever is in it then.
    pub fn unprotect(&mut self, packet: &mut Vec<u8>) -> Option<()> {
        let (header, _, offset) = rtp::header(packet)?;
        let end = packet.len().checked_sub(self.tag).filter(|end| *end >= offset)?;
        let window = self.streams.get(&header.ssrc).map(|stream| &stream.rtp);
        let index = window.map_or(u64::from(header.sequence), |window| window.guess(header.sequence));
        if window.is_some_and(|window| !window.is_new(index)) {
            return None;
        }
        let tag = self.rtp.sign(&[packet.get(..end)?, &rollover(index)]);
        verify(tag.as_ref(), packet.get(end..)?)?;
        // Only who has the key fills the table.
        stream(&mut self.streams, header.ssrc).rtp.take(index);
        packet.truncate(end);
        self.rtp.crypt(header.ssrc, index, packet.get_mut(offset..)?);
        Some(())
    }

    /// Encrypts a compound RTCP packet in its place and appends index and tag (RFC 3711 section 3.4).
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Option<()> {
        let ssrc = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
        self.sent = self.sent.wrapping_add(1) & 0x7FFF_FFFF;
        self.rtcp.crypt(ssrc, u64::from(self.sent), packet.get_mut(8..)?);
        packet.extend((self.sent | 0x8000_0000).to_be_bytes());
        let tag = self.rtcp.sign(&[packet]);
        packet.extend(tag.as_ref().get(..RTCP_TAG)?);
        Some(())
    }

    /// Checks and decrypts a compound RTCP packet in its place.
    pub fn unprotect_rtcp(&mut self, packet: &mut Vec<u8>) -> Option<()> {
        let ssrc = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
        let end = packet.len().checked_sub(RTCP_TAG)?;
        let tag = self.rtcp.sign(&[packet.get(..end)?]);
        verify(tag.as_ref(), packet.get(end..)?)?;
        let body = end.checked_sub(4).filter(|body| *body >= 8)?;
        let last = u32::from_be_bytes(*packet.get(body..)?.first_chunk()?);
        let index = u64::from(last & 0x7FFF_FFFF);
        let window = &mut stream(&mut self.streams, ssrc).rtcp;
        if !window.is_new(index) {
            return None;
        }
        window.take(index);
        packet.truncate(body);
        if last & 0x8000_0000 != 0 {
            self.rtcp.crypt(ssrc, index, packet.get_mut(8..)?);
        }
        Some(())
    }
}

fn stream(streams: &mut HashMap<u32, Stream>, ssrc: u32) -> &mut Stream {
    if streams.len() >= STREAMS && !streams.contains_key(&ssrc) {
        streams.clear();
    }
    streams.entry(ssrc).or_default()
}

#[expect(clippy::cast_possible_truncation, reason = "the counter has 32 bits and wraps")]
const fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// In the same time whatever differs.
fn verify(ours: &[u8], theirs: &[u8]) -> Option<()> {
    let differs = ours.iter().zip(theirs).fold(0, |all, (a, b)| all | (a ^ b));
    (differs == 0 && !theirs.is_empty()).then_some(())
}
