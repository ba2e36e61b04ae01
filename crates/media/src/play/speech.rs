//! Speech from text: a port, and `espeak-ng` behind it where it is installed.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    io::{self, BufReader},
    path::PathBuf,
    pin::Pin,
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ring::digest;
use tokio::{io::AsyncWriteExt, process::Command, sync::Semaphore, time::timeout};

use super::Sound;
use crate::codec::Rate;

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utterance {
    /// The text.
    pub text: String,
    /// Its language as BCP 47 tells it, such as `en-GB`; after a `+` the name of a voice may follow, `en-GB+f2`.
    pub language: String,
}

/// Why there is no speech.
#[derive(Debug)]
pub enum SpeechError {
    /// No engine is installed. The caller decides what is played in its place.
    NotAvailable,
    /// The text is empty, too long, or its language is no name of one.
    Unspeakable,
    /// All places are taken.
    Busy,
    /// It took too long.
    TimedOut,
    /// The engine failed.
    Failed(io::Error),
}

impl fmt::Display for SpeechError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAvailable => "no speech engine is installed",
            Self::Unspeakable => "the text cannot be spoken",
            Self::Busy => "too much is being spoken",
            Self::TimedOut => "the speech engine took too long",
            Self::Failed(_) => "the speech engine failed",
        })
    }
}

impl std::error::Error for SpeechError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Failed(cause) = self { Some(cause) } else { None }
    }
}

/// A sound that is being made.
pub type Speaking<'a> = Pin<Box<dyn Future<Output = Result<Sound, SpeechError>> + Send + 'a>>;

/// Whatever can speak.
pub trait Speech: Send + Sync {
    /// The text as samples.
    fn say(&self, utterance: Utterance) -> Speaking<'_>;
}

/// Where nothing can speak.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSpeech;

impl Speech for NoSpeech {
    fn say(&self, _: Utterance) -> Speaking<'_> {
        Box::pin(async { Err(SpeechError::NotAvailable) })
    }
}

/// Characters of a text at the most.
const LONGEST: usize = 4_000;
/// How long its sound may be.
const LONGEST_SOUND: Duration = Duration::from_secs(900);
/// How long one text may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Texts that wait for a place.
const WAITING: usize = 64;

/// `espeak-ng` as a process for each text: a few at once, each with a deadline, and the last ones kept.
pub struct Espeak {
    program: PathBuf,
    folder: PathBuf,
    places: Semaphore,
    queue: Semaphore,
    made: AtomicU64,
    kept: Mutex<Kept>,
}

impl Espeak {
    /// Runs `program`, with files in `folder`, at most `at_once` at a time, and keeps up to `octets` of what was spoken.
    #[must_use]
    pub fn new(program: PathBuf, folder: PathBuf, at_once: usize, octets: usize) -> Self {
        let (places, queue) = (Semaphore::new(at_once.max(1)), Semaphore::new(at_once.max(1) + WAITING));
        Self { program, folder, places, queue, made: AtomicU64::new(0), kept: Mutex::new(Kept { most: octets, ..Kept::default() }) }
    }

    async fn speak(&self, utterance: Utterance) -> Result<Sound, SpeechError> {
        let voice = utterance.language.to_ascii_lowercase();
        let named = !voice.is_empty() && voice.len() <= 60 && voice.chars().all(|c| c.is_ascii_alphanumeric() || "-+".contains(c));
        let text = utterance.text.trim();
        if !named || voice.starts_with(['-', '+']) || text.is_empty() || text.len() > LONGEST {
            return Err(SpeechError::Unspeakable);
        }
        let name = name(&voice, text);
        if let Some(sound) = self.kept().get(&name) {
            return Ok(sound);
        }
        let _waiting = self.queue.try_acquire().map_err(|_| SpeechError::Busy)?;
        let made = timeout(PATIENCE, async {
            let _place = self.places.acquire().await.map_err(|_| SpeechError::Busy)?;
            self.make(&voice, text).await
        });
        let sound = made.await.map_err(|_| SpeechError::TimedOut)??;
        self.kept().put(name, sound.clone());
        Ok(sound)
    }

    async fn make(&self, voice: &str, text: &str) -> Result<Sound, SpeechError> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let file = Removed(self.folder.join(format!("speech-{}-{number}.wav", std::process::id())));
        let mut command = Command::new(&self.program);
        // The text comes by its input, never as an argument; its output as a stream would have no length in its header.
        command.args(["-v", voice, "-b", "1", "--stdin", "-w"]).arg(&file.0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|fault| match fault.kind() {
            io::ErrorKind::NotFound => SpeechError::NotAvailable,
            _ => SpeechError::Failed(fault),
        })?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(text.as_bytes()).await.map_err(SpeechError::Failed)?;
        }
        let status = child.wait().await.map_err(SpeechError::Failed)?;
        if !status.success() {
            return Err(SpeechError::Failed(io::Error::other(status.to_string())));
        }
        let read = tokio::task::spawn_blocking(move || read(&file)).await;
        read.map_err(|fault| SpeechError::Failed(io::Error::other(fault)))?
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Speech for Espeak {
    fn say(&self, utterance: Utterance) -> Speaking<'_> {
        Box::pin(self.speak(utterance))
    }
}

/// A file that goes with its name.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// On a thread that may block.
fn read(file: &Removed) -> Result<Sound, SpeechError> {
    let opened = std::fs::File::open(&file.0).map_err(SpeechError::Failed)?;
    Sound::read_wav(BufReader::new(opened), LONGEST_SOUND, Rate::Narrow)
        .map_err(|fault| SpeechError::Failed(io::Error::other(fault)))
}

type Name = [u8; 32];

fn name(voice: &str, text: &str) -> Name {
    let hash = digest::digest(&digest::SHA256, format!("{voice}\n{text}").as_bytes());
    let mut name = [0; 32];
    name.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    name
}

/// What was spoken last, by its hash: the longest unused goes first.
#[derive(Default)]
struct Kept {
    sounds: VecDeque<(Name, Sound)>,
    octets: usize,
    most: usize,
}

impl Kept {
    fn get(&mut self, name: &Name) -> Option<Sound> {
        let place = self.sounds.iter().position(|(known, _)| known == name)?;
        let found = self.sounds.remove(place)?;
        let sound = found.1.clone();
        self.sounds.push_back(found);
        Some(sound)
    }

    fn put(&mut self, name: Name, sound: Sound) {
        self.octets += size(&sound);
        self.sounds.push_back((name, sound));
        while self.octets > self.most {
            let Some((_, gone)) = self.sounds.pop_front() else { break };
            self.octets = self.octets.saturating_sub(size(&gone));
        }
    }
}

fn size(sound: &Sound) -> usize {
    sound.samples().len() * 2
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_longest_unused_goes() {
        let sound = |value| Sound::new(Rate::Narrow, Arc::from(vec![value; 100]));
        let mut kept = Kept { most: 450, ..Kept::default() };
        kept.put([1; 32], sound(1));
        kept.put([2; 32], sound(2));
        assert!(kept.get(&[1; 32]).is_some());
        kept.put([3; 32], sound(3));
        assert!(kept.get(&[2; 32]).is_none() && kept.get(&[1; 32]).is_some() && kept.get(&[3; 32]).is_some());
    }

    #[tokio::test]
    async fn without_an_engine_the_caller_learns_it() {
        let engine = Espeak::new(PathBuf::from("no-such-engine-anywhere"), std::env::temp_dir(), 1, 0);
        let say = |text: &str, language: &str| engine.say(Utterance { text: text.to_owned(), language: language.to_owned() });
        assert!(matches!(say("hello", "en").await, Err(SpeechError::NotAvailable)));
        assert!(matches!(
            NoSpeech.say(Utterance { text: "hello".into(), language: "en".into() }).await,
            Err(SpeechError::NotAvailable)
        ));
        for (text, language) in [(" ", "en"), ("hello", ""), ("hello", "../x"), ("hello", "-x"), (&"a".repeat(5000), "en")] {
            assert!(matches!(say(text, language).await, Err(SpeechError::Unspeakable)), "{language}");
        }
    }
}
