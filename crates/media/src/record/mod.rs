//! Recordings: one file for what one or two sides said.
//!
//! A [`Recording`] keeps time by the clock, not by what comes: where a side is silent, or on hold, or loses packets, silence is
//! written, so that both stay in step. Files are written by a thread of their own behind a bounded queue; where that cannot keep up,
//! what is lost is replaced by silence and counted. A WAV file's header is brought up to date every second, so that a crash loses a
//! second at the most.

mod blend;
mod ogg;
mod repair;
mod sink;
mod writer;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::watch;

pub use repair::repair;
pub(crate) use writer::Writer;

use crate::{MediaError, Rate, codec::Converter, locked, stream::now};
use blend::Blend;
use writer::Job;

/// Which party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The left channel.
    Caller,
    /// The right one.
    Callee,
}

/// What is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The caller left, the callee right.
    Stereo,
    /// Both in one channel.
    Mixed,
    /// One of them.
    One(Side),
}

impl Layout {
    const fn channels(self) -> u16 {
        match self {
            Self::Stereo => 2,
            Self::Mixed | Self::One(_) => 1,
        }
    }
}

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PCM of 16 bits.
    Wav,
    /// Opus in Ogg (RFC 7845): a tenth of the size, for a hundred times the work. One core keeps up with some fifty of them.
    Opus,
    /// MPEG layer III: refused, for there is no encoder in Rust that is kept well.
    Mp3,
}

/// A recording that is wanted.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The file. One that exists is written over.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// What is in it.
    pub layout: Layout,
    /// Samples in a second.
    pub rate: Rate,
    /// How long it may become.
    pub limit: Duration,
}

/// A recording that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The file.
    pub path: PathBuf,
    /// How long it is.
    pub duration: Duration,
    /// How large it is.
    pub octets: u64,
    /// How much of it is silence because the file could not be written fast enough.
    pub lost: Duration,
    /// Whether it ended because it may not become longer.
    pub limited: bool,
}

/// A recording that is being made. Dropping it ends it as well, without telling how.
pub struct Recording {
    blend: Arc<Mutex<Blend>>,
    full: watch::Receiver<bool>,
    writer: Arc<Writer>,
    id: u64,
    over: bool,
}

impl Recording {
    fn new(blend: Blend, full: watch::Receiver<bool>, writer: Arc<Writer>, id: u64) -> Self {
        Self { blend: Arc::new(Mutex::new(blend)), full, writer, id, over: false }
    }

    /// Stops time: what is said now is not in the file.
    pub fn pause(&self) {
        locked(&self.blend).pause(now());
    }

    /// Lets time go on.
    pub fn resume(&self) {
        locked(&self.blend).resume(now());
    }

    /// For how long nobody has been heard, and for how long somebody was in all. Who is heard is told by the level alone.
    #[must_use]
    pub fn heard(&self) -> (Duration, Duration) {
        locked(&self.blend).heard(now())
    }

    /// Waits until it is as long as it may become.
    pub async fn full(&mut self) {
        // The other end goes only with the recording, and then it is never full.
        if self.full.wait_for(|full| *full).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// [`MediaError::Recording`] where the file could not be written.
    pub async fn finish(mut self) -> Result<Finished, MediaError> {
        self.over = true;
        let (lost, limited) = {
            let mut blend = locked(&self.blend);
            blend.end(now());
            (blend.lost(), blend.is_full())
        };
        let (path, duration, octets) = self.writer.close(self.id).await?;
        Ok(Finished { path, duration, octets, lost, limited })
    }

    pub(crate) fn tap(&self, side: Side) -> Tap {
        Tap { blend: self.blend.clone(), side, next: 0, converter: Converter::default(), converted: Vec::new() }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.over {
            locked(&self.blend).end(now());
            self.writer.put(Job::Close { id: self.id, reply: None });
        }
    }
}

/// Puts what somebody says into a recording. What several say on one side is added.
pub(crate) struct Tap {
    blend: Arc<Mutex<Blend>>,
    side: Side,
    /// The slot after its last frame.
    next: u64,
    converter: Converter,
    converted: Vec<i16>,
}

impl Tap {
    /// A frame of 20 ms. Whether more is wanted.
    pub fn heard(&mut self, samples: &[i16], rate: Rate, now: Instant) -> bool {
        let (wanted, over) = {
            let blend = locked(&self.blend);
            (blend.rate(), blend.is_over())
        };
        if !over {
            self.converter.convert(samples, rate, wanted, &mut self.converted);
            self.next = locked(&self.blend).take(self.side, self.next, &self.converted, now);
        }
        !over
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    async fn frames(count: u64, taps: &mut [(&mut Tap, i16)]) {
        for _ in 0..count {
            for (tap, value) in taps.iter_mut() {
                tap.heard(&[*value; 160], Rate::Narrow, now());
            }
            advance(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_tells_for_how_long_somebody_was_heard() {
        let path = std::env::temp_dir().join(format!("tandem-media-heard-{}.wav", std::process::id()));
        let (format, layout, limit) = (Format::Wav, Layout::One(Side::Caller), Duration::from_secs(60));
        let spec = Spec { path: path.clone(), format, layout, rate: Rate::Narrow, limit };
        let recording = Arc::new(Writer::default()).begin(spec).await.unwrap();
        let mut tap = recording.tap(Side::Caller);
        frames(50, &mut [(&mut tap, 300)]).await;
        frames(25, &mut [(&mut tap, 20)]).await;
        let (quiet, heard) = recording.heard();
        assert_eq!((quiet, heard), (Duration::from_millis(520), Duration::from_secs(1)));
        recording.finish().await.unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    fn runs(samples: &[i16]) -> Vec<(i16, usize)> {
        samples.chunk_by(|a, b| a == b).filter_map(|run| Some((*run.first()?, run.len() / 160))).collect()
    }

    /// Two sides on one line of time: silence where one or both say nothing, and no time at all where it is stopped.
    #[tokio::test(start_paused = true)]
    async fn sides_stay_in_step_whatever_each_of_them_does() {
        let path = std::env::temp_dir().join(format!("tandem-media-step-{}.wav", std::process::id()));
        let (format, layout, limit) = (Format::Wav, Layout::Stereo, Duration::from_secs(60));
        let writer = Arc::new(Writer::default());
        let recording = writer.begin(Spec { path: path.clone(), format, layout, rate: Rate::Narrow, limit }).await.unwrap();
        let (mut left, mut right) = (recording.tap(Side::Caller), recording.tap(Side::Callee));
        frames(10, &mut [(&mut left, 1), (&mut right, 2)]).await;
        advance(Duration::from_secs(2)).await;
        frames(10, &mut [(&mut left, 3)]).await;
        recording.pause();
        frames(50, &mut [(&mut left, 4), (&mut right, 5)]).await;
        recording.resume();
        // Both a little late, as turns are.
        advance(Duration::from_millis(15)).await;
        frames(5, &mut [(&mut left, 6), (&mut right, 7)]).await;
        // A third joins on the right, and is the only one there at the end.
        let mut third = recording.tap(Side::Callee);
        frames(3, &mut [(&mut right, 7), (&mut third, 100)]).await;
        frames(2, &mut [(&mut third, 100)]).await;
        let finished = recording.finish().await.unwrap();
        let samples: Vec<i16> = hound::WavReader::open(&path).unwrap().samples().map(Result::unwrap).collect();
        std::fs::remove_file(&path).unwrap();
        let side = |at| samples.iter().skip(at).step_by(2).copied().collect::<Vec<i16>>();
        assert_eq!(runs(&side(0)), [(1, 10), (0, 100), (3, 10), (6, 5), (0, 5)]);
        assert_eq!(runs(&side(1)), [(2, 10), (0, 110), (7, 5), (107, 3), (100, 2)]);
        assert_eq!((finished.duration, finished.lost), (Duration::from_millis(2600), Duration::ZERO));
    }
}
