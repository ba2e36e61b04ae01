//! Opus in Ogg (RFC 3533, RFC 7845): a page for each second, so that a file that breaks off is whole up to there.

use std::io::{self, Write};

use audio_codec::{Encoder as _, opus::OpusEncoder};

use crate::Rate;

/// Bits in a second of one channel.
const BITS: i32 = 24_000;
/// Packets of 20 ms on a page.
const PAGE: usize = 50;
/// Samples at 48 kHz that a decoder throws away at the beginning: what the encoder is late by.
pub(super) const PRE_SKIP: u16 = 312;
/// Samples at 48 kHz in a packet.
const GRANULE: u64 = 960;

const FIRST: u8 = 2;
pub(super) const LAST: u8 = 4;

/// See the module.
pub(super) struct OggOpus<W> {
    out: W,
    encoder: OpusEncoder,
    /// Samples of a packet, all channels.
    frame: usize,
    serial: u32,
    pages: u32,
    granule: u64,
    /// Samples of all channels that came.
    taken: u64,
    packets: Vec<Vec<u8>>,
    pending: Vec<i16>,
}

impl<W: Write> OggOpus<W> {
    pub fn new(out: W, rate: Rate, channels: u16, serial: u32) -> io::Result<Self> {
        let mut encoder = OpusEncoder::new(rate.hertz(), channels);
        encoder.set_bitrate(BITS * i32::from(channels));
        let frame = rate.frame() * usize::from(channels);
        let (packets, pending) = (Vec::new(), Vec::new());
        let mut ogg = Self { out, encoder, frame, serial, pages: 0, granule: 0, taken: 0, packets, pending };
        let mut head = b"OpusHead\x01".to_vec();
        head.push(u8::try_from(channels).unwrap_or(1));
        head.extend(PRE_SKIP.to_le_bytes());
        head.extend(rate.hertz().to_le_bytes());
        head.extend([0, 0, 0]);
        ogg.page(&[head], 0, FIRST)?;
        let mut tags = b"OpusTags\x06\0\0\0tandem".to_vec();
        tags.extend([0; 4]);
        ogg.page(&[tags], 0, 0)?;
        Ok(ogg)
    }

    pub fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        self.pending.extend_from_slice(samples);
        self.taken += samples.len() as u64;
        while self.pending.len() >= self.frame {
            self.packet()?;
        }
        Ok(())
    }

    fn packet(&mut self) -> io::Result<()> {
        // One more frame than a page is kept back, so that the last page is never empty.
        if self.packets.len() >= PAGE {
            self.put(0)?;
        }
        let frame: Vec<i16> = self.pending.drain(..self.frame).collect();
        let mut packet = vec![0; self.encoder.max_encode_bytes(frame.len())];
        let length = self.encoder.encode_into(&frame, &mut packet).map_err(|_| io::Error::other("Opus refused a frame"))?;
        packet.truncate(length);
        self.packets.push(packet);
        Ok(())
    }

    fn put(&mut self, flags: u8) -> io::Result<()> {
        let packets = std::mem::take(&mut self.packets);
        self.granule += packets.len() as u64 * GRANULE;
        self.page(&packets, self.granule, flags)
    }

    fn page(&mut self, packets: &[Vec<u8>], granule: u64, flags: u8) -> io::Result<()> {
        let mut lacing = Vec::new();
        for packet in packets {
            lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
            lacing.push(u8::try_from(packet.len() % 255).unwrap_or(0));
        }
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend(granule.to_le_bytes());
        page.extend(self.serial.to_le_bytes());
        page.extend(self.pages.to_le_bytes());
        page.extend([0; 4]);
        page.push(u8::try_from(lacing.len()).map_err(io::Error::other)?);
        page.extend(lacing);
        packets.iter().for_each(|packet| page.extend(packet));
        let sum = checksum(&page).to_le_bytes();
        page.iter_mut().skip(22).zip(sum).for_each(|(to, from)| *to = from);
        self.pages += 1;
        self.out.write_all(&page)
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The last page tells how many samples there really are (RFC 7845 section 4.4), behind those that are thrown away.
    pub fn finish(mut self) -> io::Result<()> {
        let all = self.taken * GRANULE / self.frame as u64 + u64::from(PRE_SKIP);
        while self.granule + self.packets.len() as u64 * GRANULE < all {
            self.pending.resize(self.frame, 0);
            self.packet()?;
        }
        let packets = std::mem::take(&mut self.packets);
        self.page(&packets, all, LAST)?;
        self.out.flush()
    }
}

/// CRC-32 with the polynomial 04C11DB7, not reflected, from zero (RFC 3533 section 6).
pub(super) fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum: u32, octet| {
        (0..8).fold(sum ^ u32::from(*octet) << 24, |sum, _| if sum & 0x8000_0000 == 0 { sum << 1 } else { sum << 1 ^ 0x04C1_1DB7 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_with_good_sums_and_the_last_says_so() {
        let mut file = Vec::new();
        let mut ogg = OggOpus::new(&mut file, Rate::Wide, 2, 9).unwrap();
        (0..130).for_each(|_| ogg.write(&[100; 640]).unwrap());
        ogg.finish().unwrap();
        let mut pages = Vec::new();
        let mut rest = file.as_slice();
        while !rest.is_empty() {
            assert_eq!(&rest[..4], b"OggS");
            let lacing = &rest[27..27 + usize::from(rest[26])];
            let length = 27 + lacing.len() + lacing.iter().map(|size| usize::from(*size)).sum::<usize>();
            let mut page = rest[..length].to_vec();
            let sum = page.splice(22..26, [0; 4]).collect::<Vec<_>>();
            assert_eq!(checksum(&page).to_le_bytes(), *sum);
            pages.push((page[5], u64::from_le_bytes(page[6..14].try_into().unwrap())));
            rest = &rest[length..];
        }
        assert_eq!(pages, [(2, 0), (0, 0), (0, 48_000), (0, 96_000), (4, 125_112)]);
    }
}
