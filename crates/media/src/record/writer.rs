//! The thread that writes files.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{Format, Recording, Spec, blend::Blend, sink::Sink};
use crate::{MediaError, locked};

/// Blocks that wait, of 200 ms and up to 13 kB each: one second of five hundred recordings.
const QUEUE: usize = 2_500;

/// What was written: where, how long, how large.
pub(super) type Written = (PathBuf, Duration, u64);

/// What the thread does.
pub(super) enum Job {
    Open { id: u64, spec: Spec, reply: oneshot::Sender<io::Result<()>> },
    Samples { id: u64, samples: Vec<i16> },
    Silence { id: u64, samples: u64 },
    Close { id: u64, reply: Option<oneshot::Sender<io::Result<Written>>> },
}

/// The way to the thread, which begins with the first recording and ends with the last handle.
#[derive(Default)]
pub(crate) struct Writer {
    jobs: Mutex<Option<SyncSender<Job>>>,
    last: AtomicU64,
}

impl Writer {
    /// Opens a file.
    pub async fn begin(self: &Arc<Self>, spec: Spec) -> Result<Recording, MediaError> {
        if spec.format == Format::Mp3 {
            return Err(MediaError::UnsupportedFormat("mp3"));
        }
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (reply, opened) = oneshot::channel();
        self.jobs().map_err(MediaError::Recording)?;
        if !self.put(Job::Open { id, spec: spec.clone(), reply }) {
            return Err(MediaError::Recording(io::Error::other("too much waits to be written")));
        }
        opened.await.map_err(gone)?.map_err(MediaError::Recording)?;
        let (full, receiver) = watch::channel(false);
        Ok(Recording::new(Blend::new(self.clone(), id, &spec, full), receiver, self.clone(), id))
    }

    /// Closes a file, after all that waits before.
    pub async fn close(self: &Arc<Self>, id: u64) -> Result<Written, MediaError> {
        let (reply, closed) = oneshot::channel();
        let jobs = self.jobs().map_err(MediaError::Recording)?;
        let job = Job::Close { id, reply: Some(reply) };
        // This one must get through, and may wait for that.
        let sent = tokio::task::spawn_blocking(move || jobs.send(job).is_ok()).await;
        if !sent.unwrap_or(false) {
            return Err(MediaError::Recording(io::Error::other("the writer is gone")));
        }
        closed.await.map_err(gone)?.map_err(MediaError::Recording)
    }

    /// Whether there was room.
    pub(super) fn put(&self, job: Job) -> bool {
        locked(&self.jobs).as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    fn jobs(&self) -> io::Result<SyncSender<Job>> {
        let mut jobs = locked(&self.jobs);
        if let Some(jobs) = jobs.as_ref() {
            return Ok(jobs.clone());
        }
        let (sender, receiver) = sync_channel(QUEUE);
        thread::Builder::new().name("recordings".to_owned()).spawn(move || work(&receiver))?;
        *jobs = Some(sender.clone());
        Ok(sender)
    }
}

fn gone(_: oneshot::error::RecvError) -> MediaError {
    MediaError::Recording(io::Error::other("the writer is gone"))
}

/// An open file, or what went wrong with it.
struct Open {
    path: PathBuf,
    sink: io::Result<Sink>,
}

impl Open {
    fn write(&mut self, change: impl FnOnce(&mut Sink) -> io::Result<()>) {
        if let Ok(sink) = &mut self.sink
            && let Err(fault) = change(sink)
        {
            tracing::warn!(%fault, "a recording cannot be written");
            self.sink = Err(fault);
        }
    }

    fn close(self) -> io::Result<Written> {
        let duration = self.sink?.finish()?;
        let octets = std::fs::metadata(&self.path)?.len();
        Ok((self.path, duration, octets))
    }
}

fn work(jobs: &Receiver<Job>) {
    let mut files: HashMap<u64, Open> = HashMap::new();
    for job in jobs {
        match job {
            Job::Open { id, spec, reply } => {
                let opened = Sink::open(&spec).map(|sink| files.insert(id, Open { path: spec.path, sink: Ok(sink) }));
                if reply.send(opened.map(|_| ())).is_err()
                    && let Some(file) = files.remove(&id)
                {
                    // Whoever wanted it has given up.
                    let _ = file.close();
                }
            }
            Job::Samples { id, samples } => {
                if let Some(file) = files.get_mut(&id) {
                    file.write(|sink| sink.samples(&samples));
                }
            }
            Job::Silence { id, samples } => {
                if let Some(file) = files.get_mut(&id) {
                    file.write(|sink| sink.silence(samples));
                }
            }
            Job::Close { id, reply } => {
                let closed = files.remove(&id).map_or_else(|| Err(io::ErrorKind::NotFound.into()), Open::close);
                match (reply, closed) {
                    (Some(reply), closed) => drop(reply.send(closed)),
                    (None, Err(fault)) => tracing::warn!(%fault, "a recording cannot be closed"),
                    (None, Ok(_)) => {}
                }
            }
        }
    }
    // Every handle is gone: what is open still is closed as it is.
    files.into_values().for_each(|file| drop(file.close()));
}
