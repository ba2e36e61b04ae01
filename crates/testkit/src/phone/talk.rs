//! Calls that were taken: what is said and heard, digits, hold, transfers, the end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tandem_media::{
    Hearing, Path, Rate, Reading, Stream, StreamEvent, dtmf,
    play::{Part, Prompt, Repeat, Sound},
    quality::Quality,
    sdp::{Description, Direction, Session},
};
use tandem_sip::{Control, Dialog, DialogId, Ended, Event, Failed, Reason};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

pub use tandem_sip::By;

use super::PATIENCE;
use crate::until;

/// Samples in a stretch that is judged: 200 ms.
pub(super) const STRETCH: usize = 1_600;
/// The loudness of tones.
const AMPLITUDE: f64 = 8_000.0;

/// How digits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// As events in RTP (RFC 4733).
    Event,
    /// As tones.
    Tone,
    /// As SIP INFO.
    Info,
}

/// A call that was taken. Dropping it hangs up.
pub struct Talk {
    id: DialogId,
    line: Arc<Line>,
    task: JoinHandle<()>,
}

struct Line {
    stream: Stream,
    control: Control,
    session: Mutex<Session>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    heard: Vec<i16>,
    digits: Vec<(char, Means)>,
    ended: Option<(Ended, Instant)>,
    /// What the other side said last about the direction, as it sees it.
    theirs: Option<Direction>,
    offers: usize,
    referred: Vec<(String, Option<String>)>,
    notified: Vec<(u16, bool)>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.task.abort(); // which drops the dialog
    }
}

/// A second of a sine, which goes on without a seam where the hertz are whole.
pub(super) fn tone(hertz: u16) -> Prompt {
    let step = f64::from(hertz) * std::f64::consts::TAU / 8_000.0;
    let samples: Vec<i16> = (0..8_000).map(|at| ((f64::from(at) * step).sin() * AMPLITUDE) as i16).collect();
    Prompt { repeat: Repeat::Forever, ..Prompt::sounds([Sound::new(Rate::Narrow, samples.into())]) }
}

fn silence() -> Prompt {
    Prompt { parts: vec![Part::Silence(Duration::from_secs(1))], repeat: Repeat::Forever, ..Prompt::sounds([]) }
}

impl Talk {
    pub(super) fn begin(dialog: Dialog, stream: Stream, events: mpsc::Receiver<StreamEvent>, session: Session) -> Self {
        let (id, control) = (dialog.id().clone(), dialog.control());
        stream.listen_for_tones(tandem_media::Tones::Always);
        stream.connect(&Path::Held(&silence()));
        let hearing = stream.hear();
        let line = Line { stream, control, session: session.into(), state: Mutex::default() };
        let line = Arc::new(line);
        let task = tokio::spawn(line.clone().run(dialog, events, hearing));
        Self { id, line, task }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.line.state)
    }

    /// Says a tone from now on; one that lasts as long as the call, or until something else is said.
    pub fn say(&self, hertz: u16) {
        self.line.stream.connect(&Path::Held(&tone(hertz)));
    }

    /// Says what a prompt does, over and over where it wants that.
    pub fn play(&self, prompt: &Prompt) {
        self.line.stream.connect(&Path::Held(prompt));
    }

    /// Says nothing any more; packets go on.
    pub fn hush(&self) {
        self.line.stream.connect(&Path::Held(&silence()));
    }

    /// Sends no packets any more.
    pub fn vanish(&self) {
        self.line.stream.connect(&Path::Nothing);
    }

    /// Waits until it hears a tone.
    pub async fn hears(&self, hertz: u16) -> Reading {
        self.hears_that(&format!("{hertz} Hz are heard"), |reading| reading.is_tone(f32::from(hertz))).await
    }

    /// Waits until it hears something, whatever it is.
    pub async fn hears_something(&self) -> Reading {
        self.hears_that("something is heard", |reading| reading.level.is_some()).await
    }

    /// Waits until 200 ms are silent.
    pub async fn hears_nothing(&self) {
        self.hears_that("nothing is heard", |reading| reading.level.is_none()).await;
    }

    async fn hears_that(&self, what: &str, is_it: impl Fn(&Reading) -> bool) -> Reading {
        let mut from = self.state().heard.len();
        let mut last = Reading::default();
        let began = Instant::now();
        loop {
            let stretch = self.stretch(from, STRETCH).await;
            last = stretch.map_or(last, |stretch| Reading::of(&stretch));
            if is_it(&last) {
                return last;
            }
            from += STRETCH / 2;
            let ended = self.state().ended.clone();
            assert!(ended.is_none(), "the call ended before {what}: {ended:?}; last was {last:?}");
            assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}; last was {last:?}");
        }
    }

    /// Samples from a place on, when they have come; none where the call has ended before.
    async fn stretch(&self, from: usize, count: usize) -> Option<Vec<i16>> {
        until("enough is heard", || async {
            let state = self.state();
            match state.heard.get(from..from + count) {
                Some(stretch) => Some(Some(stretch.to_vec())),
                None => state.ended.is_some().then_some(None),
            }
        })
        .await
    }

    /// What the next so many milliseconds sound like.
    pub async fn listen(&self, milliseconds: usize) -> Reading {
        Reading::of(&self.samples(milliseconds).await)
    }

    /// The next so many milliseconds, at 8000 Hz.
    pub async fn samples(&self, milliseconds: usize) -> Vec<i16> {
        let from = self.state().heard.len();
        self.stretch(from, milliseconds * 8).await.expect("the call goes on")
    }

    /// All that was heard, at 8000 Hz.
    pub fn heard(&self) -> Vec<i16> {
        self.state().heard.clone()
    }

    /// Presses keys and waits until they are sent.
    pub async fn press(&self, keys: &str, means: Means) {
        let all = dtmf::Key::all(keys).expect("keys");
        match means {
            Means::Event => {
                let mut playing = self.line.stream.send_digits(&all).expect("digits go out");
                timeout(PATIENCE, playing.finished()).await.expect("digits are sent");
            }
            Means::Tone => {
                let sound = |key: &dtmf::Key| Part::Sound(Sound::new(Rate::Narrow, dtmf::tone(*key, Rate::Narrow, 120).into()));
                let pause = || Part::Silence(Duration::from_millis(120));
                let parts = all.iter().flat_map(|key| [sound(key), pause()]).collect();
                let prompt = Prompt { parts, ..Prompt::sounds([]) };
                let mut playing = self.line.stream.play(&prompt).expect("tones go out");
                timeout(PATIENCE, playing.finished()).await.expect("tones are sent");
            }
            Means::Info => {
                for key in all {
                    let body = format!("Signal={key}\r\nDuration=160\r\n").into_bytes();
                    let said = self.line.control.info("application/dtmf-relay", body).await;
                    assert_eq!(said.map(|status| status / 100), Ok(2), "an INFO with a digit");
                }
            }
        }
    }

    /// Waits for so many digits, and says which came.
    pub async fn digits(&self, count: usize) -> String {
        until(&format!("{count} digits have come"), || async {
            let state = self.state();
            (state.digits.len() >= count).then(|| state.digits.iter().map(|(digit, _)| *digit).collect())
        })
        .await
    }

    /// The digits that have come so far, with how each did.
    pub fn pressed(&self) -> Vec<(char, Means)> {
        self.state().digits.clone()
    }

    async fn offer(&self, direction: Direction) -> Option<Direction> {
        let sdp = locked(&self.line.session).offer(direction).to_string().into_bytes();
        let answer = timeout(PATIENCE, self.line.control.reinvite(sdp)).await.expect("a re-INVITE is answered");
        let answer = answer.expect("a re-INVITE is taken").expect("an answer to an offer");
        let answer = Description::parse(&answer).expect("an answer that can be read");
        let agreed = locked(&self.line.session).accept(&answer).expect("an answer that fits");
        self.line.stream.negotiated(&agreed);
        answer.media.first().and_then(tandem_media::sdp::Section::direction)
    }

    /// Puts the other side on hold; the direction that it answers with.
    pub async fn hold(&self) -> Option<Direction> {
        self.offer(Direction::SendOnly).await
    }

    /// Takes the other side back.
    pub async fn resume(&self) -> Option<Direction> {
        self.offer(Direction::SendRecv).await
    }

    /// Whether the other side has put this one on hold.
    pub fn is_held(&self) -> bool {
        matches!(self.state().theirs, Some(Direction::SendOnly | Direction::Inactive))
    }

    /// How often the other side offered another session.
    pub fn offers(&self) -> usize {
        self.state().offers
    }

    /// Asks the other side to call somebody else instead; the status of its answer.
    pub async fn refer(&self, to: &str) -> Result<u16, Failed> {
        timeout(PATIENCE, self.line.control.refer(to, None, None)).await.expect("a REFER is answered")
    }

    /// Asks the other side to take the place of this telephone in another call of it.
    pub async fn refer_to_call(&self, to: &str, other: &Talk) -> Result<u16, Failed> {
        let DialogId { call_id, local_tag, remote_tag } = &other.id;
        let replaces = format!("{call_id};to-tag={remote_tag};from-tag={local_tag}");
        timeout(PATIENCE, self.line.control.refer(to, Some(&replaces), None)).await.expect("a REFER is answered")
    }

    /// The last word about a transfer that was asked for.
    pub async fn transferred(&self) -> u16 {
        until("a transfer has come to its end", || async {
            self.state().notified.iter().find(|(_, last)| *last).map(|(status, _)| *status)
        })
        .await
    }

    /// Where the other side wanted this telephone to call, and which call to replace.
    pub async fn referred(&self) -> (String, Option<String>) {
        until("a REFER has come", || async { self.state().referred.first().cloned() }).await
    }

    /// Hangs up, and waits until that is through.
    pub async fn bye(&self) {
        self.bye_because(Vec::new()).await;
    }

    /// Hangs up and says why.
    pub async fn bye_because(&self, reasons: Vec<Reason>) {
        self.line.control.bye(reasons).await;
        self.ended().await;
    }

    /// Waits until the call is over, and says what ended it.
    pub async fn ended(&self) -> Ended {
        let what = format!("call {} has ended", self.id.call_id);
        until(&what, || async { self.state().ended.clone().map(|(ended, _)| ended) }).await
    }

    /// When it ended.
    pub async fn ended_at(&self) -> Instant {
        self.ended().await;
        self.state().ended.as_ref().map(|(_, at)| *at).expect("it has ended")
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.state().ended.is_some()
    }

    /// How its packets come and go.
    pub fn quality(&self) -> Quality {
        self.line.stream.quality()
    }
}

impl Line {
    async fn run(self: Arc<Self>, mut dialog: Dialog, mut events: mpsc::Receiver<StreamEvent>, mut hearing: Hearing) {
        loop {
            tokio::select! {
                event = dialog.next() => match event {
                    Some(Event::Ended(ended)) => {
                        locked(&self.state).ended = Some((ended, Instant::now()));
                        return;
                    }
                    Some(event) => self.said(event),
                    None => return,
                },
                Some(event) = events.recv() => if let StreamEvent::Digit(digit) = event {
                    let means = match digit.means {
                        dtmf::Means::Event => Means::Event,
                        dtmf::Means::Tone => Means::Tone,
                    };
                    locked(&self.state).digits.push((digit.key.name(), means));
                },
                Some(frame) = hearing.next() => locked(&self.state).heard.extend(frame),
            }
        }
    }

    fn said(&self, event: Event) {
        match event {
            Event::Confirmed { sdp: Some(sdp) } => {
                let answer = Description::parse(&sdp).expect("an answer that can be read");
                self.stream.negotiated(&locked(&self.session).accept(&answer).expect("an answer that fits"));
            }
            Event::Confirmed { sdp: None } | Event::Ended(_) => {}
            Event::Offer(offer) => self.offered(offer),
            Event::Info(info) => {
                let text = String::from_utf8_lossy(&info.body).into_owned();
                let key = text.lines().find_map(|line| line.strip_prefix("Signal=")?.trim().chars().next());
                match key {
                    Some(key) => {
                        locked(&self.state).digits.push((key, Means::Info));
                        info.accept();
                    }
                    None => info.refuse(415),
                }
            }
            Event::Refer(refer) => {
                locked(&self.state).referred.push((refer.to.clone(), refer.replaces.clone()));
                refer.accept();
            }
            Event::Notified { status, last } => locked(&self.state).notified.push((status, last)),
        }
    }

    fn offered(&self, offer: tandem_sip::Offer) {
        let mut session = locked(&self.session);
        let Some(sdp) = &offer.sdp else {
            let ours = session.offer(Direction::SendRecv);
            return offer.accept(ours.to_string().into_bytes());
        };
        let theirs = Description::parse(sdp).expect("an offer that can be read");
        {
            let mut state = locked(&self.state);
            state.offers += 1;
            state.theirs = Some(theirs.media.first().and_then(tandem_media::sdp::Section::direction).unwrap_or_default());
        }
        match session.answer(&theirs, Direction::SendRecv) {
            Ok((answer, agreed)) => {
                self.stream.negotiated(&agreed);
                offer.accept(answer.to_string().into_bytes());
            }
            Err(_) => offer.refuse(488),
        }
    }
}
