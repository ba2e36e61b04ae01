//! A handset with a call: one that it takes, and what both sorts have in common once somebody was reached.

use std::{sync::Arc, time::Duration};

use tandem_app::handsets::HandsetCall;
use tandem_kernel::{PhoneNumber, Timestamp};
use tandem_media::{
    Hearing, Path, Rate, Stream, StreamEvent,
    dtmf::Key,
    play::{Part, Prompt, Repeat, Sound},
    sdp::{Capabilities, Description, Direction, Session},
};
use tandem_sip::{By, Dialog, Ended, Event, IncomingCall, Offer, Refusal};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Pocket,
    digits::Digits,
    log::{Entry, Listening},
    scenario::{Begins, Leaves, Says, manner_of},
};
use crate::{
    leg::signal,
    near::{DICTATES, environment_of},
};

/// How long a handset rings that nobody takes up.
const RINGS: Duration = Duration::from_secs(180);
/// The port where nobody listens (RFC 863).
const NOWHERE: u16 = 9;
/// What handsets say, in hertz; 0.4 s each.
const TONES: [f32; 3] = [440.0, 554.0, 659.0];
const BEEP: f32 = 1_000.0;

/// A party's sound before anybody was reached.
pub(super) struct Ready {
    pub stream: Stream,
    pub events: mpsc::Receiver<StreamEvent>,
    pub session: Session,
}

/// What a handset does once somebody was reached.
pub(super) struct Conduct {
    pub says: Says,
    /// Keys, each with the time after the answer at which it is pressed.
    pub presses: Vec<(Duration, Key)>,
    pub lasts: Duration,
    pub leaves: Leaves,
    /// What it listens for where it hears a code.
    pub hears: Option<Digits>,
}

impl Pocket {
    pub(super) fn now(&self) -> Timestamp {
        self.app.machine_now()
    }

    /// A stream with what a handset can do.
    pub(super) fn ready(&self) -> Option<Ready> {
        let opened = self.media.stream().inspect_err(|fault| tracing::warn!(%fault, "a handset gets no media port"));
        let (stream, events) = opened.ok()?;
        let session = Session::new(stream.local(), Capabilities::default(), self.media.rng());
        Some(Ready { stream, events, session })
    }
}

/// A call that has just begun.
pub(super) fn begun(made: bool, from: String, to: String, call_id: String, now: Timestamp) -> HandsetCall {
    HandsetCall {
        made,
        from,
        to,
        call_id,
        state: "calling",
        ended_by: None,
        status: None,
        reason: None,
        began_at: now,
        answered_at: None,
        ended_at: None,
        digits: String::new(),
        spoken: String::new(),
        tones: Vec::new(),
        level: None,
        heard_millis: 0,
    }
}

/// Takes a call as its number says.
pub(super) async fn take(pocket: Arc<Pocket>, call: IncomingCall) {
    let number = call.called().and_then(|user| PhoneNumber::parse(&user).ok());
    let (Some(environment), Some(number)) = (environment_of(&call), number) else {
        return call.refuse(Refusal::of(404)).await;
    };
    let manner = manner_of(number);
    let from = call.calling().unwrap_or_default();
    let begun = begun(false, from, number.to_string(), call.call_id().to_owned(), pocket.now());
    let entry = pocket.log.begin(environment, number, begun);
    if let Begins::Refuses(status) = manner.begins {
        entry.ended(&pocket, "handset", Some(status), None);
        let retry_after = (status == 503).then_some(5);
        return call.refuse(Refusal { retry_after, ..Refusal::of(status) }).await;
    }
    if manner.begins != Begins::Mute {
        call.ring(180, None).await;
        entry.note(|call| call.state = "ringing");
    }
    // Before anybody speaks: the engine may take its time.
    let hears = match call.header(DICTATES) {
        Some(language) => Digits::of(&*pocket.speech, language).await,
        None => None,
    };
    let rings = match manner.begins {
        Begins::Rings(millis) => Duration::from_millis(millis.into()),
        _ => RINGS,
    };
    if let Ok(ended) = timeout(rings, call.cancelled()).await {
        return entry.ended(&pocket, "platform", Some(487), Some(&ended));
    }
    if !matches!(manner.begins, Begins::Rings(_)) {
        entry.ended(&pocket, "handset", Some(480), None);
        return call.refuse(Refusal::of(480)).await;
    }
    let presses = (2..).zip(Key::all(manner.presses).unwrap_or_default());
    let presses = presses.map(|(second, key)| (Duration::from_secs(second), key)).collect();
    let conduct = Conduct { says: manner.says, presses, lasts: manner.lasts(), leaves: manner.leaves, hears };
    answer(&pocket, call, &entry, conduct).await;
}

async fn answer(pocket: &Pocket, call: IncomingCall, entry: &Entry, conduct: Conduct) {
    let Some(mut ready) = pocket.ready() else {
        entry.ended(pocket, "handset", Some(500), None);
        return call.refuse(Refusal::of(500)).await;
    };
    let said = match call.offer() {
        Some(offer) => ready.answer(&offer),
        None => Some(ready.session.offer(Direction::SendRecv)),
    };
    let Some(mut said) = said else {
        entry.ended(pocket, "handset", Some(488), None);
        return call.refuse(Refusal::of(488)).await;
    };
    if conduct.says == Says::Deaf {
        said.media.iter_mut().filter(|section| section.port != 0).for_each(|section| section.port = NOWHERE);
    }
    match call.answer(said.to_string().into_bytes()).await {
        Ok(dialog) => speak(pocket, dialog, ready, entry, conduct).await,
        Err(ended) => entry.ended(pocket, "platform", Some(487), Some(&ended)),
    }
}

impl Ready {
    /// Our answer to an offer, which holds from now on.
    fn answer(&mut self, offer: &[u8]) -> Option<Description> {
        let offer = Description::parse(offer).ok()?;
        let (said, agreed) = self.session.answer(&offer, Direction::SendRecv).ok()?;
        self.stream.negotiated(&agreed);
        Some(said)
    }

    /// Takes the answer to our offer.
    pub fn accept(&mut self, answer: &[u8]) {
        let agreed = Description::parse(answer).ok().and_then(|answer| self.session.accept(&answer).ok());
        match agreed {
            Some(agreed) => self.stream.negotiated(&agreed),
            None => tracing::debug!("an answer does not fit a handset's offer"),
        }
    }

    pub fn say(&self, says: Says) {
        match says {
            Says::Tones | Says::Deaf => self.stream.connect(&Path::Held(&forever(tones()))),
            Says::Silence => self.stream.connect(&Path::Held(&forever(vec![silence()]))),
            Says::Nothing => self.stream.connect(&Path::Nothing),
            Says::Greeting => {
                self.stream.connect(&Path::Held(&forever(vec![silence()])));
                let parts = tones().into_iter().chain([Part::Sound(sine(BEEP))]).collect();
                if let Err(fault) = self.stream.play(&Prompt { parts, ..Prompt::sounds([]) }) {
                    tracing::debug!(%fault, "a greeting is not played");
                }
            }
        }
    }

    fn offered(&mut self, offer: Offer) {
        let said = match &offer.sdp {
            Some(sdp) => self.answer(sdp),
            None => Some(self.session.offer(Direction::SendRecv)),
        };
        match said {
            Some(said) => offer.accept(said.to_string().into_bytes()),
            None => offer.refuse(488),
        }
    }
}

/// Carries a call to its end.
pub(super) async fn speak(pocket: &Pocket, mut dialog: Dialog, mut ready: Ready, entry: &Entry, conduct: Conduct) {
    let now = pocket.now();
    entry.note(|call| (call.state, call.answered_at) = ("answered", Some(now)));
    let control = dialog.control();
    ready.stream.listen_for_tones(tandem_media::Tones::Always);
    ready.say(conduct.says);
    let mut hearing: Hearing = ready.stream.hear();
    let mut listening = Listening::default();
    let mut digits = conduct.hears;
    let began = Instant::now();
    let mut presses = conduct.presses.into_iter().peekable();
    let mut leaving = false;
    loop {
        let next_press = presses.peek().map(|(after, _)| began + *after);
        tokio::select! {
            event = dialog.next() => match event {
                Some(Event::Ended(ended)) => return entry.ended(pocket, by(&ended), None, Some(&ended)),
                Some(event) => ready.said(event, entry),
                None => return,
            },
            Some(event) = ready.events.recv() => if let StreamEvent::Digit(digit) = event {
                entry.digit(digit.key.name());
            },
            Some(frame) = hearing.next() => {
                listening.take(&frame, entry);
                if let Some(digit) = digits.as_mut().and_then(|digits| digits.take(&frame)) {
                    entry.spoken(digit);
                }
            }
            () = sleep_until(next_press.unwrap_or(began)), if next_press.is_some() => if let Some((_, key)) = presses.next() {
                let _ = ready.stream.send_digits(&[key]); // the queue holds more than anybody presses
            },
            () = sleep_until(began + conduct.lasts), if !leaving => {
                leaving = true;
                match conduct.leaves {
                    Leaves::Politely => control.bye(Vec::new()).await,
                    Leaves::Vanishing => {
                        ready.stream.connect(&Path::Nothing);
                        control.vanish().await;
                    }
                }
            }
        }
    }
}

impl Ready {
    fn said(&mut self, event: Event, entry: &Entry) {
        match event {
            Event::Confirmed { sdp: Some(answer) } => self.accept(&answer),
            Event::Offer(offer) => self.offered(offer),
            Event::Info(info) => {
                if let Some(key) = signal(&String::from_utf8_lossy(&info.body)) {
                    entry.digit(key);
                }
                info.accept();
            }
            Event::Refer(refer) => refer.refuse(603),
            Event::Confirmed { sdp: None } | Event::Notified { .. } | Event::Ended(_) => {}
        }
    }
}

impl Entry {
    /// The call is over.
    pub fn ended(&self, pocket: &Pocket, by: &'static str, status: Option<u16>, ended: Option<&Ended>) {
        let now = pocket.now();
        self.note(|call| {
            (call.state, call.ended_by, call.ended_at) = ("ended", Some(by), Some(now));
            call.status = status;
            call.reason = ended.and_then(|ended| ended.reasons.first()).map(ToString::to_string);
        });
    }
}

/// Who ended a call, as a handset sees it.
pub(super) const fn by(ended: &Ended) -> &'static str {
    match ended.by {
        By::Them => "platform",
        By::Us => "handset",
        By::SessionExpired | By::Transport => "network",
    }
}

fn forever(parts: Vec<Part>) -> Prompt {
    Prompt { parts, repeat: Repeat::Forever, ..Prompt::sounds([]) }
}

fn silence() -> Part {
    Part::Silence(Duration::from_millis(400))
}

fn tones() -> Vec<Part> {
    TONES.into_iter().map(|hertz| Part::Sound(sine(hertz))).chain([silence()]).collect()
}

/// 0.4 s of a tone at about 15 dB below full scale.
#[expect(clippy::cast_possible_truncation, reason = "the amplitude is ours")]
fn sine(hertz: f32) -> Sound {
    let step = hertz * std::f32::consts::TAU / 8_000.0;
    let samples: Vec<i16> = (0..3_200_u16).map(|at| ((f32::from(at) * step).sin() * 8_000.0) as i16).collect();
    Sound::new(Rate::Narrow, samples.into())
}
