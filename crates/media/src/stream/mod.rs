//! A stream: one party's RTP and RTCP, in and out.

mod ear;
mod hearing;
mod mouth;
mod player;
mod reports;
mod samples;
mod shared;
mod wire;

use std::{
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::sync::oneshot;

pub use ear::Tones;
pub use hearing::{Hearing, Reading};
pub use player::Outcome;
pub use wire::{Channel, Driver, Endpoint, TokioDriver, Wire};

pub(crate) use ear::Route;
pub(crate) use shared::{Parts, Shared};
pub(crate) use wire::now;

use crate::{
    MediaError,
    dtmf::{Digit, Key},
    locked,
    mixer::{Conference, Member},
    play::Prompt,
    quality::{self, Quality},
    record::{Recording, Side},
    sdp::{Local, Negotiated},
};

/// What a stream tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// The far end pressed a key and let it go.
    Digit(Digit),
    /// The first packet came, or the first after silence.
    Heard,
    /// Nothing has come for so long, though something should.
    Silent(Duration),
    /// The far end's packets come from here, and ours go there.
    Source(SocketAddr),
    /// The far end says by RTCP that it leaves.
    Bye,
    /// It broke, by a fault of ours: nothing is heard or said any more.
    Failed,
}

/// Where what the far end says goes, and what it hears.
pub enum Path<'a> {
    /// Nowhere, and nothing.
    Nothing,
    /// To another stream, and from it: packets pass as they are where codecs agree, and are put into another form where they do not.
    Relay(&'a Stream),
    /// Nowhere; the far end hears this, music for example.
    Held(&'a Prompt),
}

/// One party's stream. Dropping it says goodbye and gives the ports back.
pub struct Stream {
    shared: Arc<Shared>,
}

impl Stream {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Where it receives, for the description.
    #[must_use]
    pub fn local(&self) -> Local {
        self.shared.local
    }

    /// Takes what was agreed on. Comes again with every new agreement: what did not change goes on without a break.
    pub fn negotiated(&self, agreed: &Negotiated) {
        let now = now();
        let mut ear = locked(&self.shared.ear);
        ear.negotiated(agreed, now);
        let mut mouth = locked(&self.shared.mouth);
        mouth.negotiated(agreed);
        mouth.target = ear.source.address();
        drop((mouth, ear));
        self.shared.changed.notify_one();
    }

    /// Connects it. Whom it was connected to before is connected to nothing then.
    pub fn connect(&self, path: &Path<'_>) {
        let ours = &self.shared;
        ours.leave();
        if let Path::Relay(other) = path
            && !Arc::ptr_eq(ours, &other.shared)
        {
            let theirs = &other.shared;
            theirs.leave();
            theirs.set_route(Route::Relay(Arc::downgrade(ours)));
            ours.set_route(Route::Relay(Arc::downgrade(theirs)));
            locked(&theirs.mouth).player.background(None);
        }
        let background = if let Path::Held(prompt) = path { Some(*prompt) } else { None };
        locked(&ours.mouth).player.background(background);
        ours.changed.notify_one();
    }

    /// Brings it into a conference, until the member is dropped or the stream is connected otherwise.
    ///
    /// # Errors
    /// [`MediaError::ConferenceFull`], and [`MediaError::Closed`] where the conference is over.
    pub fn join(&self, conference: &Conference) -> Result<Member, MediaError> {
        self.shared.leave();
        locked(&self.shared.mouth).player.background(None);
        let member = conference.admit(&self.shared)?;
        self.shared.set_route(Route::Mixer(member.seat()));
        Ok(member)
    }

    /// Whether what the far end says goes nowhere. Its digits are heard all the same.
    pub fn mute(&self, muted: bool) {
        locked(&self.shared.ear).mute(muted);
    }

    /// When digits are listened for in the sound.
    pub fn listen_for_tones(&self, tones: Tones) {
        locked(&self.shared.ear).tones = tones;
        self.shared.changed.notify_one();
    }

    /// Plays a prompt, after those that wait already. While it plays the far end hears nothing else.
    ///
    /// # Errors
    /// [`MediaError::QueueFull`] where 64 wait.
    pub fn play(&self, prompt: &Prompt) -> Result<Playing, MediaError> {
        let (id, done) = locked(&self.shared.mouth).player.play(prompt)?;
        Ok(self.playing(id, done))
    }

    /// What the far end hears wherever nothing else is said to it, whatever it is connected to; a prompt is heard in its place. Where
    /// others speak to it, theirs is mixed up with this: see [`Member::deafen`].
    pub fn background(&self, prompt: Option<&Prompt>) {
        locked(&self.shared.mouth).player.background(prompt);
        self.shared.changed.notify_one();
    }

    /// Presses keys: as events where the far end agreed to them, and as tones where it did not; 100 ms each, and 100 ms between.
    ///
    /// # Errors
    /// [`MediaError::QueueFull`] where 64 prompts wait.
    pub fn send_digits(&self, keys: &[Key]) -> Result<Playing, MediaError> {
        let (id, done) = locked(&self.shared.mouth).player.press(keys)?;
        Ok(self.playing(id, done))
    }

    fn playing(&self, id: u64, done: oneshot::Receiver<Outcome>) -> Playing {
        self.shared.changed.notify_one();
        Playing { shared: Arc::downgrade(&self.shared), id, done }
    }

    /// Ends what is played and forgets what waits.
    pub fn stop_playing(&self) {
        locked(&self.shared.mouth).player.cancel_all();
    }

    /// Records what the far end says on a side of a recording, and, where `played` names one, what it hears of us (prompts and
    /// conferences, not the other party of a relay) on that.
    pub fn record(&self, recording: &Recording, heard: Side, played: Option<Side>) {
        locked(&self.shared.ear).tap = Some(recording.tap(heard));
        locked(&self.shared.mouth).tap = played.map(|side| recording.tap(side));
        self.shared.changed.notify_one();
    }

    /// Ends what [`Self::record`] began; the recording itself goes on.
    pub fn stop_recording(&self) {
        locked(&self.shared.ear).tap = None;
        locked(&self.shared.mouth).tap = None;
    }

    /// Listens to what the far end says, instead of whoever listened before.
    #[must_use]
    pub fn hear(&self) -> Hearing {
        let (listener, hearing) = hearing::listen();
        locked(&self.shared.ear).listener = Some(listener);
        self.shared.changed.notify_one();
        hearing
    }

    /// How its packets come and go.
    #[must_use]
    pub fn quality(&self) -> Quality {
        let ear = locked(&self.shared.ear);
        let mut quality = Quality { received: ear.past.0, lost: ear.past.1, late: ear.samples.late(), ..Quality::default() };
        quality.refused = ear.refused + ear.source.refused();
        (quality.round_trip, quality.lost_there) = (ear.reports.round_trip, ear.reports.lost_there);
        if let (Some(reception), Some(codec)) = (&ear.reception, ear.codec()) {
            quality.received += reception.received();
            quality.lost += reception.lost();
            quality.jitter = Duration::from_micros(u64::from(reception.jitter()) * 1_000_000 / u64::from(codec.clock()));
            #[expect(clippy::cast_precision_loss, reason = "a ratio")]
            let loss = (quality.lost + quality.late) as f32 / (quality.lost + quality.received).max(1) as f32;
            let delay = quality.round_trip.unwrap_or_default() / 2;
            quality.score = Some(quality::score(quality::rating(&quality::Path { codec, loss, jitter: quality.jitter, delay })));
        }
        drop(ear);
        quality.sent = locked(&self.shared.mouth).packets;
        quality
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.leave();
        self.shared.close();
    }
}

/// Something that is being played, or waits for that. Dropping it lets it play on.
pub struct Playing {
    shared: Weak<Shared>,
    id: u64,
    done: oneshot::Receiver<Outcome>,
}

impl Playing {
    /// Waits for its end. May be dropped and called again.
    pub async fn finished(&mut self) -> Outcome {
        (&mut self.done).await.unwrap_or(Outcome::Cancelled)
    }

    /// Ends it now.
    pub fn cancel(&self) {
        if let Some(shared) = self.shared.upgrade() {
            locked(&shared.mouth).player.cancel(self.id);
        }
    }
}
