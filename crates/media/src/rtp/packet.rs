//! The header of an RTP packet (RFC 3550 section 5.1), read and written by hand.

/// Octets of a header without extensions and contributors.
pub const HEADER: usize = 12;

/// A header, without the lists that nobody here needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The beginning of a stretch of speech, or of an event.
    pub marker: bool,
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// One more with every packet.
    pub sequence: u16,
    /// When the first sample was taken, in ticks of the payload's clock.
    pub timestamp: u32,
    /// Whose stream it is.
    pub ssrc: u32,
}

/// A packet: its header and where its payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtp<'a> {
    /// The header.
    pub header: Header,
    /// What is behind contributors and extension, without padding.
    pub payload: &'a [u8],
    /// Octets before the payload.
    pub offset: usize,
}

impl<'a> Rtp<'a> {
    /// Reads a datagram. `None` for anything that is no whole packet of version 2.
    #[must_use]
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (header, padded, offset) = header(datagram)?;
        let mut payload = datagram.get(offset..)?;
        if padded {
            let padding = usize::from(*payload.last()?);
            payload = payload.get(..payload.len().checked_sub(padding).filter(|_| padding > 0)?)?;
        }
        Some(Self { header, payload, offset })
    }
}

/// The header, whether there is padding, and octets before the payload; the payload may be encrypted.
#[must_use]
pub fn header(datagram: &[u8]) -> Option<(Header, bool, usize)> {
    let (fixed, _) = datagram.split_first_chunk::<HEADER>()?;
    let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *fixed;
    if first >> 6 != 2 {
        return None;
    }
    let mut offset = HEADER + usize::from(first & 0x0F) * 4;
    if first & 0x10 != 0 {
        let [_, _, l0, l1] = *datagram.get(offset..)?.first_chunk::<4>()?;
        offset += 4 + usize::from(u16::from_be_bytes([l0, l1])) * 4;
    }
    if offset > datagram.len() {
        return None;
    }
    let header = Header {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7F,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
    };
    Some((header, first & 0x20 != 0, offset))
}

/// Whether a datagram on a shared port is RTCP (RFC 5761 section 4).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, second, ..] if first >> 6 == 2 && (192..=223).contains(second))
}

impl Header {
    /// The header's octets, without extension, contributors and padding.
    #[must_use]
    pub const fn octets(self) -> [u8; HEADER] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [r0, r1, r2, r3] = self.ssrc.to_be_bytes();
        let marker = if self.marker { 0x80 } else { 0 };
        [0x80, self.payload_type & 0x7F | marker, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Header = Header { marker: true, payload_type: 101, sequence: 65_535, timestamp: 0xDEAD_BEEF, ssrc: 7 };

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let datagram = [PLAIN.octets().as_slice(), b"sound"].concat();
        assert_eq!(Rtp::parse(&datagram), Some(Rtp { header: PLAIN, payload: b"sound", offset: 12 }));
    }

    #[test]
    fn contributors_extension_and_padding_are_passed_over() {
        let mut datagram = PLAIN.octets().to_vec();
        datagram[0] |= 0x20 | 0x10 | 1;
        datagram.extend([0, 0, 0, 9, 0xBE, 0xDE, 0, 1, 1, 2, 3, 4]);
        datagram.extend(b"sound\0\0\x03");
        let read = Rtp::parse(&datagram).expect("a packet");
        assert_eq!((read.payload, read.offset), (b"sound".as_slice(), 24));
    }

    #[test]
    fn what_is_no_packet_is_none() {
        let whole = [PLAIN.octets().as_slice(), b"sound"].concat();
        let with = |first: u8, rest: &[u8]| [&[first], &whole[1..], rest].concat();
        assert_eq!(Rtp::parse(&whole[..11]), None);
        assert_eq!(Rtp::parse(&with(0x40, &[])), None);
        assert_eq!(Rtp::parse(&with(0x90, &[])), None);
        assert_eq!(Rtp::parse(&with(0x8F, &[])), None);
        assert_eq!(Rtp::parse(&with(0xA0, &[0])), None);
        assert_eq!(Rtp::parse(&with(0xA0, &[99])), None);
        assert!(!is_rtcp(&whole) && is_rtcp(&[0x80, 200]) && !is_rtcp(&[0x80]));
    }
}
