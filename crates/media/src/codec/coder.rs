//! One direction of one codec, over `audio-codec`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audio_codec::{
    CodecType, create_decoder, create_encoder,
    opus::{OpusDecoder, OpusEncoder},
};

use super::{Codec, Rate};

/// Octets of a packet's payload that are decoded at the most.
const LARGEST: usize = 1_500;
/// Bits in a second of our Opus, enough for speech at 16 kHz.
const OPUS_BITS: i32 = 24_000;

/// Turns packets of one codec into samples. It has a history: one for each direction of each call.
pub struct Decoder {
    codec: Codec,
    inner: Box<dyn audio_codec::Decoder>,
}

impl Decoder {
    /// A decoder without history.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        let inner: Box<dyn audio_codec::Decoder> = match codec {
            Codec::Pcmu => create_decoder(CodecType::PCMU),
            Codec::Pcma => create_decoder(CodecType::PCMA),
            Codec::G722 => create_decoder(CodecType::G722),
            Codec::Opus => Box::new(OpusDecoder::new(Rate::Wide.hertz(), 1)),
        };
        Self { codec, inner }
    }

    /// Its codec.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The packet's samples at the codec's rate, in `out`, which is emptied first. What cannot be decoded gives none.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        out.clear();
        if payload.len() > LARGEST {
            return;
        }
        if self.codec == Codec::Opus {
            // The packet is a stranger's and the decoder large: whatever it does, the call goes on.
            let inner = &mut self.inner;
            match catch_unwind(AssertUnwindSafe(|| inner.decode(payload))) {
                Ok(samples) => *out = samples,
                Err(_) => *self = Self::new(Codec::Opus),
            }
            return;
        }
        out.resize(self.inner.max_decode_samples(payload.len()), 0);
        let written = self.inner.decode_into(payload, out).unwrap_or(0);
        out.truncate(written);
    }
}

/// Turns samples into packets of one codec. It has a history as well.
pub struct Encoder {
    codec: Codec,
    inner: Box<dyn audio_codec::Encoder>,
}

impl Encoder {
    /// An encoder without history.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        let inner: Box<dyn audio_codec::Encoder> = match codec {
            Codec::Pcmu => create_encoder(CodecType::PCMU),
            Codec::Pcma => create_encoder(CodecType::PCMA),
            Codec::G722 => create_encoder(CodecType::G722),
            Codec::Opus => {
                let mut opus = OpusEncoder::new(Rate::Wide.hertz(), 1);
                opus.set_bitrate(OPUS_BITS);
                Box::new(opus)
            }
        };
        Self { codec, inner }
    }

    /// Its codec.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The packet for samples at the codec's rate: 10 to 60 ms, for Opus 10 or 20. Appended to `out`.
    pub fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) {
        let before = out.len();
        out.resize(before + self.inner.max_encode_bytes(samples.len()), 0);
        let space = out.get_mut(before..).unwrap_or_default();
        let written = self.inner.encode_into(samples, space).unwrap_or(0);
        out.truncate(before + written);
    }
}

#[cfg(test)]
mod tests {
    use tandem_kernel::{Rng, SeededRng};

    use super::*;

    fn tone(rate: Rate, count: usize) -> Vec<i16> {
        let hertz = f64::from(rate.hertz());
        (0..count).map(|n| (8000.0 * (n as f64 * 440.0 * std::f64::consts::TAU / hertz).sin()) as i16).collect()
    }

    fn power(samples: &[i16]) -> f64 {
        samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64
    }

    #[test]
    fn each_codec_brings_a_tone_through() {
        for codec in Codec::ALL {
            let (mut encoder, mut decoder) = (Encoder::new(codec), Decoder::new(codec));
            let frame = codec.rate().frame();
            let samples = tone(codec.rate(), frame * 50);
            let (mut heard, mut frame_heard) = (Vec::new(), Vec::new());
            for part in samples.chunks(frame) {
                let mut packet = Vec::new();
                encoder.encode(part, &mut packet);
                assert!(!packet.is_empty(), "{codec:?}");
                decoder.decode(&packet, &mut frame_heard);
                assert_eq!(frame_heard.len(), frame, "{codec:?}");
                heard.extend_from_slice(&frame_heard);
            }
            let ratio = power(&heard[frame * 10..]) / power(&samples[frame * 10..]);
            assert!((0.8..1.25).contains(&ratio), "{codec:?} {ratio}");
        }
    }

    #[test]
    fn a_strangers_packet_ends_no_decoder() {
        let rng = SeededRng::new(7);
        for codec in Codec::ALL {
            let mut decoder = Decoder::new(codec);
            let mut out = Vec::new();
            for round in 0..4000usize {
                let mut packet = vec![0; round % 200];
                rng.fill(&mut packet);
                decoder.decode(&packet, &mut out);
            }
            decoder.decode(&vec![0xAA; 60_000], &mut out);
            assert_eq!(out, []);
        }
    }
}
