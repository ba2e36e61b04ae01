//! A telephone joins two calls of its own and leaves both (RFC 3515 with RFC 3891). Each of them goes on as a call of its own, with its
//! money, its record and its end; only the sound goes from one to the other. When one ends, so does the other.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tandem_app::calls;
use tandem_domain::call::Reason;
use tandem_kernel::{CallId, PhoneNumber};
use tandem_media::{Path, Stream, dtmf::Key, play::Prompt};
use tandem_sip::{DialogId, Refer};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Call, Step, party::Party};
use crate::{leg::Leg, lines::meant};

/// How long the other call may take to agree: two telephones that join their calls crosswise must not wait for each other.
const PATIENCE: Duration = Duration::from_secs(2);

/// One end of what joins two calls. Where either is dropped, both calls know.
pub(crate) struct Bridge {
    /// The party of the other call.
    stream: Weak<Stream>,
    /// Which parties have put the other on hold: that of this end first.
    holds: [Arc<AtomicBool>; 2],
    /// Whether the other call is not recorded, so that this one may record both.
    taps: bool,
    over: CancellationToken,
    _alive: DropGuard,
}

/// A wish of one call to be joined with another.
pub(crate) struct Join {
    /// Who wishes it.
    from: CallId,
    /// The dialog of whoever leaves the other call.
    gone: DialogId,
    /// The end of the other call.
    end: Bridge,
    reply: oneshot::Sender<(Weak<Stream>, bool)>,
}

impl Bridge {
    /// Both ends, for calls whose parties are these.
    fn ends(ours: Weak<Stream>, records: bool) -> (Self, impl FnOnce((Weak<Stream>, bool)) -> Self) {
        let (over, one, two) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (holds, mirrored) = ([one.clone(), two.clone()], [two, one]);
        let other = over.clone();
        let theirs = Self { stream: ours, holds: mirrored, taps: !records, _alive: over.clone().drop_guard(), over };
        let make = move |(stream, records): (Weak<Stream>, bool)| Self {
            stream,
            holds,
            taps: !records,
            _alive: other.clone().drop_guard(),
            over: other,
        };
        (theirs, make)
    }

    /// Waits until the other call is over; for ever where there is none.
    pub async fn over(bridge: &Option<Self>) {
        match bridge {
            Some(bridge) => bridge.over.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// The party of the other call, as long as it is there.
    pub fn other(&self) -> Option<Arc<Stream>> {
        self.stream.upgrade()
    }

    /// The same, where this call may record it.
    pub fn recorded(&self) -> Option<Arc<Stream>> {
        self.other().filter(|_| self.taps)
    }

    /// Lets the two hear each other, unless one holds the other.
    pub fn connect(&self, own: &Leg) {
        let Some(other) = self.other() else { return };
        let [ours, theirs] = &self.holds;
        ours.store(own.holds, Ordering::Release);
        let (holds, held) = (own.holds, theirs.load(Ordering::Acquire));
        if !holds && !held {
            return own.sound.stream.connect(&Path::Relay(&other));
        }
        let music = Prompt::music();
        let heard = |by: bool| if by { Path::Held(&music) } else { Path::Nothing };
        other.connect(&heard(holds));
        own.sound.stream.connect(&heard(held));
    }

    /// Passes a key that came as SIP INFO.
    pub fn press(&self, key: Key) {
        if let Some(other) = self.other()
            && let Err(fault) = other.send_digits(&[key])
        {
            tracing::info!(%fault, "a digit is not passed on");
        }
    }
}

impl Call {
    /// A party wants the other one to take its own place in another call of it.
    pub(super) async fn hand_over(&mut self, party: Party, refer: Refer, replaces: &str) -> Option<Step> {
        let place = meant(replaces).and_then(|id| self.house.lines.find(&id, self.live.environment).map(|call| (id, call)));
        let Some((gone, call)) = place.filter(|(_, call)| *call != self.live.id) else {
            tracing::info!(id = %self.live.id, "a telephone wants to join a call that it has not");
            refer.refuse(603); // 481 would say that the call is over in which it was asked
            return None;
        };
        let Some(stays) = self.leg(party.other()) else {
            refer.refuse(603);
            return None;
        };
        let (end, make) = Bridge::ends(Arc::downgrade(&stays.sound.stream), self.take.is_some());
        let (reply, said) = oneshot::channel();
        self.house.board.join(call, Join { from: self.live.id, gone, end, reply });
        let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, said).await else {
            tracing::info!(id = %self.live.id, other = %call, "the other call cannot be joined as it is");
            refer.refuse(603);
            return None;
        };
        refer.accept();
        self.unhold().await;
        self.asker = self.only(party);
        let number = self.asker.as_ref().and_then(|leg| leg.number);
        self.tell_asker(200, "OK").await;
        self.handed_on(number, call).await;
        self.bridge = Some(make(answer));
        self.join();
        None
    }

    /// The other call of a telephone of ours wants to be joined with this one. Where that cannot be, it gets no answer.
    pub(super) async fn be_joined(&mut self, wish: Join) {
        let is = |leg: Option<&Leg>| leg.is_some_and(|leg| *leg.id() == wish.gone);
        let party = match (is(self.first.leg()), is(self.second.as_deref())) {
            (true, _) => Party::First,
            (_, true) => Party::Second,
            _ => return,
        };
        if self.second.is_none() || self.aside.is_some() || self.asker.is_some() {
            return;
        }
        let records = self.take.is_some();
        let Some(stays) = self.leg(party.other()) else { return };
        if wish.reply.send((Arc::downgrade(&stays.sound.stream), records)).is_err() {
            return; // it has given up meanwhile
        }
        self.unhold().await;
        if let Some(gone) = self.only(party) {
            let number = gone.number;
            self.dismiss(gone, Reason::Normal).await;
            self.handed_on(number, wish.from).await;
        }
        self.bridge = Some(wish.end);
        self.join();
    }

    /// A party outside is paid no more; why the call goes on without it is kept.
    async fn handed_on(&mut self, number: Option<PhoneNumber>, other: CallId) {
        match calls::hand_on(&self.house.app, self.live.id, number, other).await {
            Ok(grant) => self.meter.grant = grant,
            Err(error) => tracing::warn!(id = %self.live.id, ?error, "that a party has left cannot be noted"),
        }
    }
}
