//! Recordings: what parties of a call, or a conference, say goes into a file, and from there into the object store.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tandem_app::{
    App,
    recordings::{self, Made, Spool, StartRecording, forget},
};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::recording::Recording as Row;
use tandem_media::{
    Conference, Rate, Stream,
    record::{Finished, Format, Layout, Recording, Side, Spec},
};
use tokio_util::task::TaskTracker;

use crate::house::House;

/// The longest recording. A WAV file of that length in two channels at 16 kHz has a quarter of what the format can hold.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// How often it is tried to write down that a recording is over, before that is left to the next start.
const TRIES: u32 = 10;
/// The first pause; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(500);
/// Seconds after which a recording that could not begin may be asked for again.
const AFTER: i64 = 5;

/// Who is recorded.
pub(crate) enum Source<'a> {
    /// A party: what it says.
    Party(Side, &'a Stream),
    /// A party alone with us: what it says on its side, and what we play on the other.
    Alone(Side, &'a Stream),
    /// All of a conference.
    Room(&'a Conference),
}

/// How it sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Whether caller and callee have a channel each, where both are recorded.
    pub stereo: bool,
    /// Samples in a second.
    pub rate: Rate,
    /// How long it may become.
    pub limit: Duration,
}

impl Default for Shape {
    fn default() -> Self {
        Self { stereo: true, rate: Rate::Narrow, limit: LONGEST }
    }
}

/// A recording that is being made. Dropping it ends it as well: what was said so far is kept.
pub(crate) struct Take {
    row: Box<Row>,
    tracker: TaskTracker,
    app: App,
    path: PathBuf,
    /// Gone once it is over.
    file: Option<Recording>,
}

impl Take {
    /// Begins a recording.
    ///
    /// # Errors
    /// `invalid_choice`, `unavailable` where no file can be written, faults of the store.
    pub async fn begin(house: &House, start: StartRecording, shape: Shape, sources: &[Source<'_>]) -> Result<Self> {
        let format = format(&start.format)?;
        let app = house.app.clone();
        let spool = app.archive.spool().ok_or_else(|| Error::internal().because("there is no folder for recordings"))?;
        let layout = layout(&start, shape);
        let row = recordings::start(&app, start).await?;
        let path = spool.file(row.id, &row.format);
        let spec = Spec { path: path.clone(), format, layout, rate: shape.rate, limit: shape.limit.min(LONGEST) };
        match house.media.record(spec).await {
            Ok(file) => {
                let take = Self { row: Box::new(row), tracker: house.takes.clone(), app, path, file: Some(file) };
                sources.iter().for_each(|source| take.hear(source));
                Ok(take)
            }
            Err(fault) => {
                let why = told(&fault);
                tracing::warn!(id = %row.id, fault = why, "a recording cannot begin");
                close(&app, &row, Made::Nothing).await;
                forget(&path).await;
                Err(Error::unavailable(AFTER).because(why))
            }
        }
    }

    /// Its row, as far as it is known here.
    pub const fn row(&self) -> &Row {
        &self.row
    }

    /// Records somebody more: a party that comes later, or in place of another.
    pub fn hear(&self, source: &Source<'_>) {
        let Some(file) = &self.file else { return };
        match source {
            Source::Party(side, stream) => stream.record(file, *side, None),
            Source::Alone(side, stream) => stream.record(file, *side, Some(other(*side))),
            Source::Room(room) => room.record(file, Side::Caller),
        }
    }

    /// Leaves out what is said from now on.
    ///
    /// # Errors
    /// Faults of the store; nothing is left out then.
    pub async fn pause(&mut self) -> Result<Row> {
        *self.row = recordings::pause(&self.app, self.row.environment, self.row.id, true).await?;
        if let Some(file) = &self.file {
            file.pause();
        }
        Ok((*self.row).clone())
    }

    /// Goes on.
    ///
    /// # Errors
    /// Faults of the store; it goes on all the same.
    pub async fn resume(&mut self) -> Result<Row> {
        if let Some(file) = &self.file {
            file.resume();
        }
        *self.row = recordings::pause(&self.app, self.row.environment, self.row.id, false).await?;
        Ok((*self.row).clone())
    }

    /// For how long nobody has been heard, and for how long somebody was in all.
    pub fn heard(&self) -> (Duration, Duration) {
        self.file.as_ref().map(Recording::heard).unwrap_or_default()
    }

    /// Ends it: the file is closed, and on its way to the object store. What could not be written has failed, and says so.
    ///
    /// # Errors
    /// Faults of the store: it is tried again in the background.
    pub async fn finish(mut self) -> Result<Row> {
        let Some(file) = self.file.take() else { return Ok((*self.row).clone()) };
        let made = ended(&self.row, file).await;
        match written(&self.app, &self.row, &self.path, made).await {
            Ok(row) => Ok(row),
            Err(error) => {
                self.tracker.spawn(patiently(self.app.clone(), (*self.row).clone(), self.path.clone(), made));
                Err(error)
            }
        }
    }

    /// Throws it away, as if it had never begun.
    pub async fn discard(mut self) {
        let Some(file) = self.file.take() else { return };
        drop(file.finish().await);
        match recordings::discard(&self.app, self.row.environment, self.row.id).await {
            Ok(_) => forget(&self.path).await,
            Err(error) => tracing::warn!(id = %self.row.id, ?error, "a recording that is not wanted is left to the next start"),
        }
    }
}

impl Drop for Take {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let (app, row, path) = (self.app.clone(), self.row.clone(), self.path.clone());
            self.tracker.spawn(async move {
                let made = ended(&row, file).await;
                patiently(app, *row, path, made).await;
            });
        }
    }
}

/// What became of a file: its bytes and milliseconds, if anything.
async fn ended(row: &Row, file: Recording) -> Option<(i64, i64)> {
    match file.finish().await {
        Ok(Finished { octets, duration, lost, limited, .. }) => {
            if !lost.is_zero() {
                tracing::warn!(id = %row.id, ?lost, "a part of a recording is silent: the disk was too slow");
            }
            tracing::debug!(id = %row.id, octets, ?duration, limited, "a recording is over");
            Some((whole(octets), millis(duration)))
        }
        Err(fault) => {
            tracing::error!(id = %row.id, fault = told(&fault), "a recording has failed");
            None
        }
    }
}

/// Writes down how it ended.
async fn written(app: &App, row: &Row, path: &Path, made: Option<(i64, i64)>) -> Result<Row> {
    match made {
        Some(size) => recordings::stop(app, row.environment, row.id, size).await,
        None => {
            let failed = recordings::complete(app, row.environment, row.id, Made::Nothing).await?;
            forget(path).await;
            Ok(failed)
        }
    }
}

async fn patiently(app: App, row: Row, path: PathBuf, made: Option<(i64, i64)>) {
    let mut pause = PAUSE;
    for _ in 0..TRIES {
        match written(&app, &row, &path, made).await {
            Ok(_) => return,
            Err(error) if error.code() == Code::ResourceNotFound => return forget(&path).await,
            Err(error) => tracing::warn!(id = %row.id, ?error, "the end of a recording cannot be written yet"),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2);
    }
    tracing::error!(id = %row.id, "the end of a recording is left to the next start");
}

async fn close(app: &App, row: &Row, made: Made) {
    if let Err(error) = recordings::complete(app, row.environment, row.id, made).await {
        tracing::warn!(id = %row.id, ?error, "that a recording has failed is left to the next start");
    }
}

/// The format of a name.
///
/// # Errors
/// `invalid_choice`.
fn format(name: &str) -> Result<Format> {
    match name {
        "wav" => Ok(Format::Wav),
        "opus" => Ok(Format::Opus),
        other => Err(Error::invalid_choice("format", format!("wav, opus; {other} is not offered"))),
    }
}

fn layout(start: &StartRecording, shape: Shape) -> Layout {
    match start.participant.as_str() {
        _ if start.conference.is_some() => Layout::One(Side::Caller),
        "caller" => Layout::One(Side::Caller),
        "callee" => Layout::One(Side::Callee),
        _ if shape.stereo => Layout::Stereo,
        _ => Layout::Mixed,
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Caller => Side::Callee,
        Side::Callee => Side::Caller,
    }
}

/// A fault with what it comes from.
fn told(fault: &tandem_media::MediaError) -> String {
    use std::error::Error as _;
    fault.source().map_or_else(|| fault.to_string(), |cause| format!("{fault}: {cause}"))
}

/// Completes what a process that died has left in this process's folder and in those that nobody has. To be called before any call is
/// taken.
///
/// # Errors
/// Faults of the store and of the file system.
pub async fn recover(app: &App, left: Vec<Spool>) -> Result<()> {
    recordings::recover(app, left, repair).await
}

fn repair(path: &Path) -> std::io::Result<Option<(i64, i64)>> {
    let repaired = tandem_media::record::repair(path)?;
    Ok(repaired.map(|(octets, duration)| (whole(octets), millis(duration))))
}

fn whole(octets: u64) -> i64 {
    i64::try_from(octets).unwrap_or(i64::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
