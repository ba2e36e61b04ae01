//! One file that is being written.

use std::{fs::File, io, io::BufWriter, time::Duration};

use hound::{SampleFormat, WavSpec, WavWriter};

use super::{Format, Spec, ogg::OggOpus};

/// WAV's length has 32 bits; beyond four gigabytes nothing is written.
const LARGEST: u64 = 4_000_000_000;

/// See the module.
pub(super) struct Sink {
    kind: Kind,
    channels: u64,
    hertz: u64,
    /// Samples of one channel, and those since the header was brought up to date.
    written: u64,
    fresh: u64,
}

enum Kind {
    Wav(WavWriter<BufWriter<File>>),
    Opus(Box<OggOpus<BufWriter<File>>>),
}

impl Sink {
    pub fn open(spec: &Spec) -> io::Result<Self> {
        let (channels, hertz) = (spec.layout.channels(), spec.rate.hertz());
        let kind = match spec.format {
            Format::Wav => {
                let wav = WavSpec { channels, sample_rate: hertz, bits_per_sample: 16, sample_format: SampleFormat::Int };
                let mut writer = WavWriter::create(&spec.path, wav).map_err(io::Error::other)?;
                writer.flush().map_err(io::Error::other)?;
                Kind::Wav(writer)
            }
            Format::Opus => {
                let file = BufWriter::new(File::create(&spec.path)?);
                let octets = spec.path.as_os_str().as_encoded_bytes();
                let serial = octets.iter().fold(7u32, |all, octet| all.wrapping_mul(31).wrapping_add(u32::from(*octet)));
                Kind::Opus(Box::new(OggOpus::new(file, spec.rate, channels, serial)?))
            }
            Format::Mp3 => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Self { kind, channels: u64::from(channels), hertz: u64::from(hertz), written: 0, fresh: 0 })
    }

    /// Samples of all channels in turn.
    pub fn samples(&mut self, samples: &[i16]) -> io::Result<()> {
        match &mut self.kind {
            Kind::Wav(_) if (self.written * self.channels + samples.len() as u64) * 2 > LARGEST => {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            Kind::Wav(writer) => samples.iter().try_for_each(|sample| writer.write_sample(*sample)).map_err(io::Error::other)?,
            Kind::Opus(writer) => writer.write(samples)?,
        }
        let each = samples.len() as u64 / self.channels;
        self.written += each;
        self.fresh += each;
        if self.fresh >= self.hertz {
            self.fresh = 0;
            match &mut self.kind {
                Kind::Wav(writer) => writer.flush().map_err(io::Error::other)?,
                Kind::Opus(writer) => writer.flush()?,
            }
        }
        Ok(())
    }

    /// So many samples of silence in each channel.
    pub fn silence(&mut self, each: u64) -> io::Result<()> {
        let second = vec![0; usize::try_from(self.hertz * self.channels).unwrap_or(0)];
        let mut left = each;
        while left > 0 {
            let now = left.min(self.hertz);
            let count = usize::try_from(now * self.channels).unwrap_or(0);
            self.samples(second.get(..count).unwrap_or(&second))?;
            left -= now;
        }
        Ok(())
    }

    pub fn finish(self) -> io::Result<Duration> {
        match self.kind {
            Kind::Wav(writer) => writer.finalize().map_err(io::Error::other)?,
            Kind::Opus(writer) => writer.finish()?,
        }
        Ok(Duration::from_micros(self.written * 1_000_000 / self.hertz))
    }
}
