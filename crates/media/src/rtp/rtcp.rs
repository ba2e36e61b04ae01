//! Reports (RFC 3550 section 6): the parts that two parties of a call need.

/// A report about one sender's packets (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Whose packets.
    pub ssrc: u32,
    /// The part that was lost since the report before, in 256ths.
    pub fraction: u8,
    /// What was lost in all; doubles make it less, even negative.
    pub lost: i32,
    /// The highest number, extended.
    pub highest: u32,
    /// Jitter in ticks.
    pub jitter: u32,
    /// The middle of the time in the last sender's report, 0 for none.
    pub last: u32,
    /// How long ago that came, in 65536ths of a second.
    pub delay: u32,
}

/// What the sender of a report says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its clock, as NTP counts.
    pub ntp: u64,
    /// The same instant in timestamps.
    pub timestamp: u32,
    /// Packets that it sent.
    pub packets: u32,
    /// Octets of payload in them.
    pub octets: u32,
}

/// One part of a compound packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rtcp {
    /// A report of one who sends, or, without `sent`, of one who only receives.
    Report {
        /// Who reports.
        ssrc: u32,
        /// What it sent.
        sent: Option<Sent>,
        /// What it received.
        blocks: Vec<Block>,
    },
    /// These have left.
    Bye(Vec<u32>),
}

const SENDER: u8 = 200;
const RECEIVER: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// Reads a compound packet, up to where it breaks; parts that nobody here needs are skipped.
#[must_use]
pub fn parse(mut datagram: &[u8]) -> Vec<Rtcp> {
    let mut parts = Vec::new();
    while let Some([first, kind, l0, l1]) = datagram.first_chunk::<4>().copied() {
        let length = 4 + usize::from(u16::from_be_bytes([l0, l1])) * 4;
        let Some(body) = datagram.get(4..length).filter(|_| first >> 6 == 2) else { break };
        parts.extend(part(kind, usize::from(first & 0x1F), body));
        datagram = datagram.get(length..).unwrap_or_default();
    }
    parts
}

fn part(kind: u8, count: usize, body: &[u8]) -> Option<Rtcp> {
    let words: Vec<u32> = body.chunks_exact(4).map(|word| word.iter().fold(0, |all, octet| all << 8 | u32::from(*octet))).collect();
    let (ssrc, rest) = words.split_first()?;
    match kind {
        SENDER => {
            let ([high, low, timestamp, packets, octets], rest) = rest.split_first_chunk::<5>()?;
            let ntp = u64::from(*high) << 32 | u64::from(*low);
            let sent = Sent { ntp, timestamp: *timestamp, packets: *packets, octets: *octets };
            Some(Rtcp::Report { ssrc: *ssrc, sent: Some(sent), blocks: blocks(count, rest) })
        }
        RECEIVER => Some(Rtcp::Report { ssrc: *ssrc, sent: None, blocks: blocks(count, rest) }),
        GOODBYE => Some(Rtcp::Bye(words.into_iter().take(count).collect())),
        _ => None,
    }
}

fn blocks(count: usize, words: &[u32]) -> Vec<Block> {
    let block = |words: &[u32]| {
        let [ssrc, lost, highest, jitter, last, delay] = *words.first_chunk::<6>()?;
        let [fraction, ..] = lost.to_be_bytes();
        // 24 bits with a sign.
        let lost = (lost << 8).cast_signed() >> 8;
        Some(Block { ssrc, fraction, lost, highest, jitter, last, delay })
    };
    words.chunks_exact(6).take(count).filter_map(block).collect()
}

/// Writes a compound packet: the report, the name that RFC 3550 wants with it, and perhaps a goodbye.
#[must_use]
pub fn write(ssrc: u32, sent: Option<Sent>, about: Option<Block>, name: &str, bye: bool) -> Vec<u8> {
    let mut words = vec![ssrc];
    if let Some(sent) = sent {
        let [h0, h1, h2, h3, l0, l1, l2, l3] = sent.ntp.to_be_bytes();
        let (high, low) = (u32::from_be_bytes([h0, h1, h2, h3]), u32::from_be_bytes([l0, l1, l2, l3]));
        words.extend([high, low, sent.timestamp, sent.packets, sent.octets]);
    }
    if let Some(block) = about {
        let lost = block.lost.clamp(-0x80_0000, 0x7F_FFFF).cast_unsigned() & 0xFF_FFFF;
        words.extend([block.ssrc, u32::from(block.fraction) << 24 | lost, block.highest, block.jitter, block.last, block.delay]);
    }
    let body: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
    let mut out = Vec::with_capacity(128);
    append(&mut out, if sent.is_some() { SENDER } else { RECEIVER }, u8::from(about.is_some()), &body);
    append(&mut out, DESCRIPTION, 1, &described(ssrc, name));
    if bye {
        append(&mut out, GOODBYE, 1, &ssrc.to_be_bytes());
    }
    out
}

/// CNAME, ended and filled up with zeros.
fn described(ssrc: u32, name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.bytes().take(64).collect();
    let mut body = ssrc.to_be_bytes().to_vec();
    body.extend([1, u8::try_from(name.len()).unwrap_or(0)]);
    body.extend(name);
    body.resize(body.len() / 4 * 4 + 4, 0);
    body
}

fn append(out: &mut Vec<u8>, kind: u8, count: u8, body: &[u8]) {
    let words = u16::try_from(body.len() / 4).unwrap_or(0);
    out.extend([0x80 | count, kind]);
    out.extend(words.to_be_bytes());
    out.extend(body);
}

/// The middle 32 bits of a time, as reports repeat it.
#[must_use]
pub const fn middle(ntp: u64) -> u32 {
    (ntp >> 16 & 0xFFFF_FFFF) as u32
}

/// Microseconds since 1970 as NTP counts them.
#[must_use]
pub const fn ntp(micros: i64) -> u64 {
    let micros = micros.unsigned_abs();
    let seconds = micros / 1_000_000 + 2_208_988_800;
    ((seconds & 0xFFFF_FFFF) << 32) | (((micros % 1_000_000) << 32) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Sent = Sent { ntp: 0x0102_0304_0506_0708, timestamp: 9, packets: 10, octets: 11 };
    const BLOCK: Block = Block { ssrc: 5, fraction: 12, lost: -3, highest: 70_000, jitter: 4, last: 0x0304_0506, delay: 65_536 };

    #[test]
    fn reports_are_read_as_they_were_written() {
        let whole = write(1, Some(SENT), Some(BLOCK), "tandem", true);
        assert_eq!(parse(&whole), [Rtcp::Report { ssrc: 1, sent: Some(SENT), blocks: vec![BLOCK] }, Rtcp::Bye(vec![1])]);
        assert_eq!(parse(&write(1, None, None, "", false)), [Rtcp::Report { ssrc: 1, sent: None, blocks: vec![] }]);
        assert_eq!(middle(SENT.ntp), BLOCK.last);
    }

    #[test]
    fn what_breaks_off_is_read_so_far() {
        let whole = write(1, Some(SENT), Some(BLOCK), "tandem", true);
        (0..whole.len()).for_each(|length| assert!(parse(&whole[..length]).len() <= 2));
        assert_eq!(parse(&whole[..52]).len(), 1);
        assert_eq!(parse(&[0x9F, 201, 0, 1, 0, 0, 0, 1]), [Rtcp::Report { ssrc: 1, sent: None, blocks: vec![] }]);
    }

    #[test]
    fn the_beginning_of_1970_is_seventy_years_after_that_of_ntp() {
        assert_eq!(ntp(500_000), 2_208_988_800 << 32 | 0x8000_0000);
    }
}
