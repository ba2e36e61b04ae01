//! The first party hears something.

use std::time::Duration;

use tandem_catalogue::{Error, Result};
use tandem_domain::call::Reason;
use tandem_kernel::Country;
use tandem_media::{
    Outcome, Path, Playing, Rate, Tones,
    dtmf::Key,
    play::{Part, Prompt, Repeat, Signal, Sound, Tone, Utterance},
};
use tokio::time::Instant;

use super::{
    Call, Step,
    party::Party,
    wait::{Stir, Stop},
};

/// The longest file that is played.
const LONGEST: Duration = Duration::from_secs(600);

/// A WAV file as it is played. Ten minutes are read within some milliseconds, beside the runtime's own threads.
pub(crate) async fn read_wav(file: impl AsRef<[u8]> + Send + 'static, field: &'static str) -> Result<Sound> {
    let read = tokio::task::spawn_blocking(move || Sound::read_wav(file.as_ref(), LONGEST, Rate::Narrow)).await;
    let read = read.map_err(|fault| Error::internal().because(fault))?;
    read.map_err(|fault| Error::invalid_value(field, format!("cannot be played: {fault}")))
}

fn said(sound: Sound, times: u32) -> Prompt {
    let pause = Part::Silence(Duration::from_millis(400));
    Prompt { parts: vec![Part::Sound(sound), pause], repeat: Repeat::Times(times.max(1)), ..Prompt::sounds([]) }
}

/// What a voice is called where texts are spoken; none for the usual one.
fn variant(voice: &str) -> Option<&str> {
    match voice {
        "female" => Some("f2"),
        "male" | "" => None,
        name => Some(name).filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric())),
    }
}

/// What ended listening.
pub(super) enum Heard {
    /// A key.
    Key(Key),
    /// What was played has ended so.
    Played(Outcome),
    /// The time is over.
    Late,
    /// Something else comes next.
    Step(Step),
}

impl Call {
    /// A text as it is said; beeps where nothing can speak.
    pub(super) async fn spoken(&self, text: &str, language: &str, times: u32) -> Prompt {
        let utterance = Utterance { text: text.to_owned(), language: language.to_owned() };
        let part = match self.house.speech.say(utterance).await {
            Ok(sound) => sound,
            Err(fault) => {
                tracing::info!(id = %self.live.id, %fault, "a text is not spoken: beeps stand for it");
                Tone::of(Signal::Beep, self.country()).sound(Rate::Narrow)
            }
        };
        said(part, times)
    }

    /// The same in a voice: `female`, `male`, or a name that whatever speaks knows; in the usual one where it does not.
    pub(super) async fn voiced(&self, text: &str, language: &str, voice: &str) -> Prompt {
        if let Some(variant) = variant(voice) {
            let utterance = Utterance { text: text.to_owned(), language: format!("{language}+{variant}") };
            match self.house.speech.say(utterance).await {
                Ok(sound) => return said(sound, 1),
                Err(fault) => tracing::debug!(id = %self.live.id, voice, %fault, "a voice cannot be had"),
            }
        }
        self.spoken(text, language, 1).await
    }

    /// From now on the first party's keys are for us, as events, by SIP and as tones: gateways agree to events and let the tones pass all
    /// the same.
    pub(super) fn listen_for_keys(&mut self, listens: bool) {
        self.listens = listens;
        if let Some(leg) = self.first.leg() {
            leg.sound.stream.listen_for_tones(if listens { Tones::Always } else { Tones::default() });
        }
    }

    /// A beep, as the first party knows it.
    pub(super) fn beep(&self) -> Prompt {
        Prompt::tone(&Tone::of(Signal::Beep, self.country()), Repeat::Times(1))
    }

    /// The country whose tones the first party knows.
    pub(super) fn country(&self) -> Country {
        let (ours, other) = self.live.parties();
        other.unwrap_or(ours).country().unwrap_or(Country::US)
    }

    /// Plays something to the first party, to its end, unless something else comes next.
    pub(super) async fn say(&mut self, prompt: &Prompt) -> Option<Step> {
        let mut playing = self.play(prompt)?;
        loop {
            match self.listen(Some(&mut playing), None).await {
                Heard::Key(_) => {}
                Heard::Played(_) | Heard::Late => return None,
                Heard::Step(step) => return Some(step),
            }
        }
    }

    /// Begins to play something to the first party.
    pub(super) fn play(&self, prompt: &Prompt) -> Option<Playing> {
        let leg = self.first.leg()?;
        leg.sound.stream.connect(&Path::Nothing);
        leg.sound.stream.play(prompt).inspect_err(|fault| tracing::info!(%fault, "nothing is played")).ok()
    }

    /// Waits for a key of the first party, the end of what is played, or a time.
    pub(super) async fn listen(&mut self, mut playing: Option<&mut Playing>, until: Option<Instant>) -> Heard {
        loop {
            let ended = async {
                match &mut playing {
                    Some(playing) => playing.finished().await,
                    None => std::future::pending().await,
                }
            };
            let late = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let woken = tokio::select! {
                woken = self.woken() => woken,
                outcome = ended => return Heard::Played(outcome),
                () = late => return Heard::Late,
            };
            match self.heed(woken).await {
                Some(Stir::Stop(stop)) => return Heard::Step(Step::Stop(stop)),
                Some(Stir::Left(Party::First, ended)) => return Heard::Step(Step::Stop(Stop::Left(ended))),
                Some(Stir::Left(Party::Second, _)) => self.second = None,
                Some(Stir::Key(Party::First, key)) => return Heard::Key(key),
                Some(Stir::Key(Party::Second, _)) | None => {}
                Some(Stir::Refer(party, refer)) => {
                    if let Some(step) = self.referred(party, refer).await {
                        return Heard::Step(step);
                    }
                }
                Some(Stir::Asked(asked)) => {
                    if let Some(step) = self.ordered(asked).await {
                        return Heard::Step(step);
                    }
                }
            }
        }
    }

    /// The first party hears music until an order says what follows.
    pub(super) async fn wait(&mut self) -> Step {
        self.at = "waiting";
        self.machine = false;
        let Some(leg) = self.first.leg() else { return Step::Stop(Stop::Ours(Reason::Internal)) };
        leg.sound.stream.connect(&Path::Held(&Prompt::music()));
        loop {
            if let Heard::Step(step) = self.listen(None, None).await {
                return step;
            }
        }
    }
}
