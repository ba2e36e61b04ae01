//! Sounds from WAV files: recordings of others, and our own.

use std::{fmt, io::Read, sync::Arc, time::Duration};

use hound::{SampleFormat, WavReader};

use super::Sound;
use crate::codec::{Rate, resampled};

/// Why a file gives no sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WavFault {
    /// It is no WAV file of PCM with whole numbers, or breaks off.
    Unreadable,
    /// It is longer than it may be.
    TooLong,
}

impl fmt::Display for WavFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "the file is no WAV of whole PCM samples",
            Self::TooLong => "the sound is too long",
        })
    }
}

impl std::error::Error for WavFault {}

impl Sound {
    /// Reads a WAV file of 8 to 32 bits with any rate; several channels become one. Takes the processor for a moment, and blocks
    /// where the reader does: not on the runtime.
    ///
    /// # Errors
    /// See [`WavFault`].
    pub fn read_wav(reader: impl Read, longest: Duration, rate: Rate) -> Result<Self, WavFault> {
        let wav = WavReader::new(reader).map_err(|_| WavFault::Unreadable)?;
        let spec = wav.spec();
        let known = (4_000..=192_000).contains(&spec.sample_rate) && (1..=8).contains(&spec.channels);
        if spec.sample_format != SampleFormat::Int || !known {
            return Err(WavFault::Unreadable);
        }
        if u64::from(wav.duration()) > longest.as_secs().saturating_mul(u64::from(spec.sample_rate)) {
            return Err(WavFault::TooLong);
        }
        let all: Vec<i32> = wav.into_samples().collect::<Result<_, _>>().map_err(|_| WavFault::Unreadable)?;
        let bits = u32::from(spec.bits_per_sample);
        let whole = |sample: i64| if bits > 16 { sample >> (bits - 16) } else { sample << (16 - bits) };
        let mixed = all.chunks(usize::from(spec.channels)).map(|channels| {
            let sum: i64 = channels.iter().copied().map(i64::from).sum();
            i16::try_from(whole(sum / i64::from(spec.channels))).unwrap_or(0)
        });
        let samples = resampled(&mixed.collect::<Vec<_>>(), spec.sample_rate, rate.hertz()).ok_or(WavFault::Unreadable)?;
        Ok(Self::new(rate, Arc::from(samples)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use hound::{WavSpec, WavWriter};

    use super::*;

    fn file(channels: u16, sample_rate: u32, bits_per_sample: u16, samples: &[i32]) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::new(&mut out, spec).unwrap();
        samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
        writer.finalize().unwrap();
        out.into_inner()
    }

    fn read(file: &[u8]) -> Result<Sound, WavFault> {
        Sound::read_wav(file, Duration::from_secs(2), Rate::Narrow)
    }

    #[test]
    fn any_width_and_number_of_channels_becomes_a_sound() {
        assert_eq!(read(&file(1, 8000, 16, &[1, -2, 3])).unwrap().samples(), [1, -2, 3]);
        assert_eq!(read(&file(2, 8000, 16, &[100, 300, -5, -7])).unwrap().samples(), [200, -6]);
        assert_eq!(read(&file(1, 8000, 8, &[1, -2])).unwrap().samples(), [256, -512]);
        assert_eq!(read(&file(1, 8000, 24, &[0x12_3456, -256])).unwrap().samples(), [0x1234, -1]);
        let slow = read(&file(1, 44_100, 16, &[1000; 44_100])).unwrap();
        assert_eq!((slow.duration(), slow.samples()[4000].abs_diff(1000) < 5), (Duration::from_secs(1), true));
    }

    #[test]
    fn what_is_no_sound_says_why() {
        assert_eq!(read(b"RIFF"), Err(WavFault::Unreadable));
        assert_eq!(read(&file(1, 8000, 16, &[0; 16_001])), Err(WavFault::TooLong));
        let whole = file(1, 8000, 16, &[7; 100]);
        assert_eq!(read(&whole[..100]), Err(WavFault::Unreadable));
        assert_eq!(read(&file(1, 7, 16, &[1])), Err(WavFault::Unreadable));
    }
}
