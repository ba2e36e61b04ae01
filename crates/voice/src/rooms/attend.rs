//! One call in a conference: what it hears, what it may press, and how it learns that it is to go.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tandem_app::conferences::{self, Entered, RecordConference};
use tandem_catalogue::Code;
use tandem_domain::call::Reason;
use tandem_kernel::{CallId, Country, EnvironmentId};
use tandem_media::{
    MediaError, Member, Stream,
    dtmf::Key,
    play::{Prompt, Repeat, Signal, Tone},
};
use tokio::{sync::watch, task::JoinSet};

use super::{Order, Room};
use crate::house::House;

/// How long after `*` the other key counts.
const TOGETHER: Duration = Duration::from_secs(3);
/// What was pressed and is being done.
const AT_ONCE: usize = 4;

/// One call in a conference. Dropping it leaves the room.
pub(crate) struct Attending {
    house: Arc<House>,
    room: Arc<Room>,
    environment: EnvironmentId,
    call: CallId,
    member: Member,
    orders: watch::Receiver<Order>,
    /// The far end has put the conference on hold: what it plays meanwhile is not for the others.
    away: bool,
    /// It hears music.
    music: bool,
    /// Which.
    prompt: Prompt,
    star: Option<Instant>,
    work: JoinSet<()>,
}

impl Attending {
    /// Takes the seat that the store gave to a call.
    ///
    /// # Errors
    /// Why the room does not take it.
    pub fn join(house: &Arc<House>, entered: &Entered, call: CallId, stream: &Stream) -> Result<Self, Reason> {
        let (room, orders, first) = house.rooms.seat(house, entered, call);
        let member = match stream.join(&room.mixer) {
            Ok(member) => member,
            Err(fault) => {
                house.rooms.unseat(&room, call);
                tracing::warn!(%call, %fault, "a call does not come into its conference");
                return Err(if matches!(fault, MediaError::ConferenceFull) { Reason::Busy } else { Reason::Internal });
            }
        };
        let environment = entered.conference.environment;
        let (house, work, prompt) = (house.clone(), JoinSet::new(), Prompt::music());
        let (away, music, star) = (false, false, None);
        let mut attending = Self { house, room, environment, call, member, orders, away, music, prompt, star, work };
        if first && entered.conference.record {
            attending.begin_recording();
        }
        Ok(attending)
    }

    /// Has the conference's own music brought, where it has some.
    pub async fn tune(&mut self) {
        self.prompt = self.room.music.prompt(&self.house).await;
    }

    /// Waits until something changed; then [`Self::apply`] does as it is told. May be dropped at any time.
    pub async fn changed(&mut self) {
        loop {
            tokio::select! {
                changed = self.orders.changed() => match changed {
                    Ok(()) => return,
                    Err(_) => std::future::pending().await, // the seat is given back by this alone
                },
                Some(_) = self.work.join_next() => {}
            }
        }
    }

    /// Does as it is told. Whether it stays.
    pub fn apply(&mut self, stream: &Stream) -> bool {
        let Order { muted, held, alone, gone } = *self.orders.borrow_and_update();
        self.member.mute(muted || self.away);
        self.member.hold(held);
        self.member.deafen(alone);
        let waits = held || alone;
        if waits != self.music {
            self.music = waits;
            stream.background(waits.then_some(&self.prompt));
        }
        !gone
    }

    /// Whether the far end has put the conference on hold.
    pub const fn away(&mut self, away: bool) {
        self.away = away;
    }

    /// A key was pressed: `*6` mutes whoever presses it, `*1` begins or ends the recording where participants may.
    pub fn pressed(&mut self, key: Key, stream: &Stream) {
        let star = self.star.take().is_some_and(|at| at.elapsed() < TOGETHER);
        if key.name() == '*' {
            self.star = Some(Instant::now());
            return;
        }
        if !star || self.work.len() >= AT_ONCE {
            return;
        }
        match key.name() {
            '6' => self.turn_mute(),
            '1' if self.room.participants_record => self.turn_recording(),
            _ => return,
        }
        if let Err(fault) = stream.play(&Prompt::tone(&Tone::of(Signal::Beep, Country::US), Repeat::Times(1))) {
            tracing::debug!(%fault, "a participant does not hear that a key counted");
        }
    }

    fn turn_mute(&mut self) {
        let (app, environment, call) = (self.house.app.clone(), self.environment, self.call);
        self.work.spawn(async move {
            if let Err(error) = conferences::turn_mute(&app, environment, call).await {
                tracing::warn!(%call, ?error, "a participant cannot mute itself");
            }
        });
    }

    fn turn_recording(&mut self) {
        if !self.room.is_recorded() {
            return self.begin_recording();
        }
        let room = self.room.clone();
        self.work.spawn(async move {
            if let Err(error) = room.stop_recording().await {
                tracing::warn!(conference = %room.id, ?error, "a recording cannot be ended");
            }
        });
    }

    /// Whoever begins it may be gone before it has begun: it goes on.
    fn begin_recording(&mut self) {
        let (house, room) = (self.house.clone(), self.room.clone());
        self.work.spawn(async move {
            match room.record(&house, RecordConference::default()).await {
                Ok(_) => {}
                Err(error) if error.code() == Code::InvalidTransition => {} // somebody else was quicker
                Err(error) => tracing::error!(conference = %room.id, ?error, "a conference is not recorded"),
            }
        });
    }

    /// Leaves, and has the store know.
    pub async fn leave(self) {
        let (app, environment, call) = (self.house.app.clone(), self.environment, self.call);
        drop(self);
        if let Err(error) = conferences::leave(&app, environment, call).await {
            // The end of the call says so as well.
            tracing::info!(%call, ?error, "that a participant has left cannot be written yet");
        }
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        self.work.detach_all();
        self.house.rooms.unseat(&self.room, self.call);
    }
}
