//! From packets to frames of 20 ms, where somebody wants samples.

use std::time::Duration;

use crate::codec::{Codec, Concealer, Decoder, Packet, Pulled, Rate, Reorder};

/// Frames that are made up when packets stop without a warning; then the far end is silent.
const BRIDGED: u8 = 3;

/// See the module.
pub(crate) struct Samples {
    reorder: Reorder,
    decoder: Option<Decoder>,
    concealer: Concealer,
    /// Decoded and not yet given out.
    decoded: Vec<i16>,
    scratch: Vec<i16>,
    rate: Rate,
    /// Samples of a packet.
    usual: usize,
    bridged: u8,
}

impl Default for Samples {
    fn default() -> Self {
        Self {
            reorder: Reorder::new(),
            decoder: None,
            concealer: Concealer::default(),
            decoded: Vec::new(),
            scratch: Vec::new(),
            rate: Rate::Narrow,
            usual: Rate::Narrow.frame(),
            bridged: BRIDGED,
        }
    }
}

impl Samples {
    /// A packet that came.
    pub fn push(&mut self, sequence: u64, codec: Codec, payload: &[u8]) {
        let duration = match codec {
            // Eight octets in a millisecond.
            Codec::Pcmu | Codec::Pcma | Codec::G722 => Duration::from_micros(payload.len() as u64 * 125),
            Codec::Opus => Duration::from_millis(20),
        };
        self.reorder.push(Packet { sequence, payload: payload.to_vec(), codec, duration });
    }

    /// The next 20 ms in `out`; `None` where the far end is silent.
    pub fn frame(&mut self, out: &mut Vec<i16>) -> Option<Rate> {
        while self.decoded.len() < self.rate.frame() {
            match self.reorder.pull() {
                Pulled::Packet(packet) => self.decode(&packet),
                Pulled::Lost => self.conceal(),
                Pulled::Nothing if self.bridged < BRIDGED => {
                    self.bridged += 1;
                    self.conceal();
                }
                Pulled::Nothing if self.decoded.is_empty() => return None,
                Pulled::Nothing => self.decoded.resize(self.rate.frame(), 0),
            }
        }
        out.clear();
        out.extend(self.decoded.drain(..self.rate.frame()));
        Some(self.rate)
    }

    fn decode(&mut self, packet: &Packet) {
        let decoder = match &mut self.decoder {
            Some(decoder) if decoder.codec() == packet.codec => decoder,
            _ => {
                self.rate = packet.codec.rate();
                self.decoded.clear();
                self.concealer = Concealer::default();
                self.decoder.insert(Decoder::new(packet.codec))
            }
        };
        decoder.decode(&packet.payload, &mut self.scratch);
        if self.scratch.is_empty() {
            self.conceal();
            return;
        }
        self.bridged = 0;
        self.usual = self.scratch.len();
        self.concealer.heard(&self.scratch);
        self.decoded.extend_from_slice(&self.scratch);
    }

    fn conceal(&mut self) {
        self.concealer.fill(self.usual, &mut self.scratch);
        self.decoded.extend_from_slice(&self.scratch);
    }

    /// The far end began anew.
    pub fn reset(&mut self) {
        self.reorder.reset();
    }

    pub const fn late(&self) -> u64 {
        self.reorder.late()
    }
}
