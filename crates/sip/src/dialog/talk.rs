//! The task of a call that was answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rsipstack::{sip::Method, transaction::transaction::Transaction};
use tokio::sync::{mpsc, oneshot};

use super::{
    By, Ended, Failed, Reason, ReinviteError,
    control::{Command, Ends},
    event::Event,
    requests::Done,
    state::State,
};
use crate::{
    Source, Transport,
    admission::Place,
    core::{Core, Outcome, Seat},
    message::{self, Answer, field},
    session::{self, Due, Session},
};

/// How often two offers may meet before it is given up.
const MEETINGS: u32 = 5;

/// An offer of ours that is under way.
pub(super) struct Ours {
    pub sdp: Vec<u8>,
    /// Who waits for its answer. A refresh of the session has nobody.
    pub reply: Option<oneshot::Sender<Result<Option<Vec<u8>>, ReinviteError>>>,
    pub meetings: u32,
    /// Whether it goes as an UPDATE without an offer.
    pub update: bool,
}

/// A call that was answered.
pub(crate) struct Talk {
    pub core: Arc<Core>,
    pub state: State,
    pub ends: Ends,
    pub requests: mpsc::Receiver<Transaction>,
    pub session: Option<Session>,
    /// The description that we sent last: a re-INVITE that only refreshes sends it again.
    pub sdp: Vec<u8>,
    /// Whether we called.
    pub caller: bool,
    /// Whether our answer to the INVITE was acknowledged.
    pub acked: bool,
    pub(super) ours: Option<Ours>,
    /// Whether an offer of theirs waits for its answer.
    pub(super) theirs: bool,
    pub(super) done: mpsc::Sender<Done>,
    pub(super) results: mpsc::Receiver<Done>,
    refresh_at: Option<Instant>,
    probing: bool,
    /// The place is given back before the seat, so that who waits for the last seat finds all places free.
    pub _place: Option<Place>,
    pub _seat: Seat,
}

/// What ends a call: whom it is put down to, and what the other side is told, where it is told anything.
pub(super) struct End {
    pub ended: Ended,
    pub bye: Option<Vec<Reason>>,
    /// Whether what the other side still says is not answered.
    pub mute: bool,
}

impl End {
    pub const fn silent(by: By) -> Self {
        Self { ended: Ended::by(by), bye: None, mute: false }
    }

    pub const fn bye(by: By, reasons: Vec<Reason>) -> Self {
        Self { ended: Ended::by(by), bye: Some(reasons), mute: false }
    }

    const fn mute() -> Self {
        Self { ended: Ended::by(By::Us), bye: None, mute: true }
    }
}

/// What a talk begins with.
pub(crate) struct Begin {
    pub core: Arc<Core>,
    pub state: State,
    pub ends: Ends,
    pub requests: mpsc::Receiver<Transaction>,
    pub session: Option<Session>,
    pub sdp: Vec<u8>,
    pub caller: bool,
    pub seat: Seat,
    pub place: Option<Place>,
}

impl Talk {
    pub fn new(begin: Begin) -> Self {
        let Begin { core, state, ends, requests, session, sdp, caller, seat, place } = begin;
        let (done, results) = mpsc::channel(16);
        Self {
            core,
            state,
            ends,
            requests,
            session,
            sdp,
            caller,
            acked: caller,
            ours: None,
            theirs: false,
            done,
            results,
            refresh_at: None,
            probing: false,
            _seat: seat,
            _place: place,
        }
    }

    /// Runs the call to its end.
    pub async fn run(mut self) {
        let end = loop {
            if let Some(end) = self.step().await {
                break end;
            }
        };
        let Self { ours, .. } = &mut self;
        if let Some(reply) = ours.take().and_then(|ours| ours.reply) {
            let _ = reply.send(Err(ReinviteError::Failed(Failed::Over))); // nobody may be waiting any more
        }
        let mut ended = end.ended;
        if let Some(reasons) = end.bye {
            self.hang_up(&reasons, &mut ended).await;
        }
        tracing::debug!(call = %self.state.id.call_id, by = ?ended.by, "a call ended");
        let _ = self.ends.ended.set(ended); // it is set once
        if end.mute {
            self.say_nothing().await;
        }
    }

    /// Takes what the other side says and answers none of it, until it has given up.
    async fn say_nothing(self) {
        let Self { core, mut requests, ends, _seat, .. } = self;
        drop(ends);
        let patience = core.config.timers.timeout;
        let unheard = async { while requests.recv().await.is_some() {} };
        tokio::select! {
            () = core.hang_up.cancelled() => {}
            _ = tokio::time::timeout(patience, unheard) => {}
        }
    }

    async fn step(&mut self) -> Option<End> {
        let due = self.due();
        let timer = async {
            match due {
                Some((at, _)) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let lost = self.state.flow.closed.clone();
        tokio::select! {
            biased;
            request = self.requests.recv() => self.request(request?).await,
            done = self.results.recv() => self.finished(done?).await,
            // In front of what follows: who says goodbye and lets go of the call has said why.
            command = self.ends.commands.recv() => match command {
                Some(command) => self.command(command),
                None => Some(End::bye(By::Us, Vec::new())),
            },
            () = self.ends.dropped.cancelled() => Some(End::bye(By::Us, Vec::new())),
            () = self.core.hang_up.cancelled() => Some(End::bye(By::Us, vec![Reason::q850(41, "shutting down")])),
            () = lost.cancelled(), if !self.probing => self.lost(),
            () = timer => self.timer(due.map(|(_, due)| due)),
        }
    }

    /// When the session's timer is due.
    fn due(&self) -> Option<(Instant, Due)> {
        let (at, due) = self.session?.due();
        Some((self.refresh_at.filter(|_| due == Due::Refresh).unwrap_or(at), due))
    }

    fn timer(&mut self, due: Option<Due>) -> Option<End> {
        let session = self.session?;
        let over = session.since.elapsed() >= Duration::from_secs(u64::from(session.expires));
        if due == Some(Due::Over) || over {
            return Some(End::bye(By::SessionExpired, vec![Reason::sip(408, "session expired")]));
        }
        // One that is put off comes again soon.
        self.refresh_at = Some(Instant::now() + Duration::from_millis(u64::from(session.expires).saturating_mul(125).max(200)));
        if self.ours.is_none() && !self.theirs {
            let update = self.state.update || self.sdp.is_empty();
            self.offer(Ours { sdp: self.sdp.clone(), reply: None, meetings: 0, update });
        }
        None
    }

    /// The connection is gone. Where it was ours, or theirs but not a browser's, they may still be reached by another.
    fn lost(&mut self) -> Option<End> {
        self.probing = true;
        if matches!(self.state.flow.peer.transport, Transport::Ws | Transport::Wss) {
            return Some(End::silent(By::Transport));
        }
        let (core, mut state, done) = (Arc::clone(&self.core), self.state.clone(), self.done.clone());
        tokio::spawn(async move {
            let mut found = None;
            if let Some(flow) = state.way(&core).await {
                state.flow = flow.clone();
                let probe = state.send(&core, Method::Options, Vec::new(), None).await;
                found = Some(Box::new(flow)).filter(|_| !gone(&probe));
            }
            let _ = done.send(Done::Probed(found)).await; // the call may be over
        });
        None
    }

    fn command(&mut self, command: Command) -> Option<End> {
        match command {
            Command::Bye(reasons) => return Some(End::bye(By::Us, reasons)),
            Command::Vanish => return Some(End::mute()),
            Command::Reinvite { sdp, reply } if self.ours.as_ref().is_none_or(|ours| ours.reply.is_none()) => {
                if self.ours.is_some() {
                    // A refresh is under way: the offer is sent when it is through.
                    self.later(Ours { sdp, reply: Some(reply), meetings: 0, update: false }, Duration::from_millis(50));
                } else {
                    self.offer(Ours { sdp, reply: Some(reply), meetings: 0, update: false });
                }
            }
            Command::Reinvite { reply, .. } => {
                let _ = reply.send(Err(ReinviteError::Pending)); // nobody may be waiting any more
            }
            Command::Request { method, fields, body, reply } => {
                let (core, state, done) = (Arc::clone(&self.core), self.state.clone(), self.done.clone());
                tokio::spawn(async move {
                    let outcome = state.send(&core, method, fields, body).await;
                    let said = match (&outcome, outcome.status()) {
                        (Outcome::Answered(_), status) if status < 300 => Ok(status),
                        (Outcome::Answered(_), status) if status != 408 => Err(Failed::Refused(status)),
                        _ => Err(Failed::Unanswered),
                    };
                    let _ = reply.send(said); // nobody may be waiting any more
                    let _ = done.send(Done::Requested(outcome)).await; // the call may be over
                });
            }
        }
        None
    }

    /// Sends an offer, or a refresh.
    fn offer(&mut self, ours: Ours) {
        let (core, state, done) = (Arc::clone(&self.core), self.state.clone(), self.done.clone());
        let refresher = self.session.map(|session| session.ours);
        let mut fields = session::ask(&self.core.config.session, 0, refresher);
        if let Some(session) = self.session {
            fields.iter_mut().filter(|(name, _)| name == "Session-Expires").for_each(|(_, value)| {
                *value = format!("{};refresher={}", session.expires, if session.ours { "uac" } else { "uas" });
            });
        }
        fields.push(("Supported".to_owned(), crate::SUPPORTED.to_owned()));
        fields.push(("Allow".to_owned(), crate::ALLOWED.to_owned()));
        let body = (!ours.update).then(|| ("application/sdp".to_owned(), ours.sdp.clone()));
        let method = if ours.update { Method::Update } else { Method::Invite };
        self.ours = Some(ours);
        tokio::spawn(async move {
            let outcome = match method {
                Method::Invite => reinvite(&core, &state, fields, body).await,
                _ => state.send(&core, method, fields, body).await,
            };
            let _ = done.send(Done::Ours(outcome)).await; // the call may be over
        });
    }

    /// Sends an offer after a while.
    fn later(&self, ours: Ours, wait: Duration) {
        let done = self.done.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = done.send(Done::Again(ours)).await; // the call may be over
        });
    }

    async fn finished(&mut self, done: Done) -> Option<End> {
        match done {
            Done::Acked { sdp } => {
                if !std::mem::replace(&mut self.acked, true) || sdp.is_some() {
                    self.tell(Event::Confirmed { sdp });
                }
                None
            }
            // RFC 3261 section 13.3.1.4: an answer that nobody acknowledges ends the call.
            Done::Unacked => {
                self.acked = true;
                let reasons = vec![Reason::sip(408, "no ACK")];
                let ended = Ended { by: By::Transport, reasons: reasons.clone() };
                Some(End { ended, bye: Some(reasons), mute: false })
            }
            Done::Theirs(accepted) => {
                self.theirs = false;
                if let Some(accepted) = accepted {
                    self.session = accepted.session.or(self.session);
                    self.refresh_at = None;
                    self.sdp = accepted.sdp.unwrap_or_else(|| std::mem::take(&mut self.sdp));
                }
                None
            }
            Done::Ours(outcome) => self.answered(outcome),
            Done::Again(ours) => {
                match (self.ours.is_some(), self.theirs) {
                    (false, false) => self.offer(ours),
                    _ => self.later(ours, Duration::from_millis(50)),
                }
                None
            }
            Done::Requested(outcome) => gone(&outcome).then(|| end_of(&outcome)),
            Done::Probed(Some(flow)) => {
                self.probing = false;
                self.state.flow = *flow;
                None
            }
            Done::Probed(None) => Some(End::silent(By::Transport)),
        }
    }

    /// What our offer, or our refresh, came to.
    fn answered(&mut self, outcome: Outcome) -> Option<End> {
        let mut ours = self.ours.take()?;
        let status = outcome.status();
        if status == 491 && ours.meetings < MEETINGS {
            ours.meetings += 1;
            let wait = self.core.config.timers.glare * glare(self.caller);
            self.later(ours, wait);
            return None;
        }
        let said = match &outcome {
            Outcome::Answered(response) if status < 300 => {
                self.state.refresh(&response.headers, self.state.flow.peer);
                self.session = session::accepted(&response.headers)
                    .or(self.session.map(|session| Session { since: Instant::now(), ..session }));
                self.refresh_at = None;
                if !ours.update {
                    self.sdp.clone_from(&ours.sdp);
                }
                Ok(message::sdp(&response.headers, &response.body))
            }
            Outcome::Answered(_) if status == 491 => Err(ReinviteError::Glare),
            Outcome::Answered(_) if status != 408 => Err(ReinviteError::Failed(Failed::Refused(status))),
            _ => Err(ReinviteError::Failed(Failed::Unanswered)),
        };
        if let Some(reply) = ours.reply {
            let _ = reply.send(said); // nobody may be waiting any more
        }
        gone(&outcome).then(|| end_of(&outcome))
    }

    /// Tells the owner, where it still listens. What it has no room for is not told.
    pub(super) fn tell(&self, event: Event) -> bool {
        self.ends.events.try_send(event).is_ok()
    }

    /// Says BYE, and answers meanwhile what still comes.
    async fn hang_up(&mut self, reasons: &[Reason], ended: &mut Ended) {
        // RFC 3261 section 15: no BYE before our answer was acknowledged, or is known not to be.
        while !self.acked {
            tokio::select! {
                done = self.results.recv() => if matches!(done, Some(Done::Acked { .. } | Done::Unacked) | None) { self.acked = true },
                request = self.requests.recv() => match request {
                    Some(request) if request.original.method == Method::Bye => return self.crossed(request, ended).await,
                    Some(request) => self.core.answer(request, &Answer::of(481)).await,
                    None => return,
                },
            }
        }
        let fields = reasons.iter().map(|reason| ("Reason".to_owned(), reason.to_string())).collect();
        let (core, state) = (Arc::clone(&self.core), self.state.clone());
        let bye = state.send(&core, Method::Bye, fields, None);
        let mut bye = std::pin::pin!(bye);
        loop {
            tokio::select! {
                _ = &mut bye => return,
                request = self.requests.recv() => match request {
                    // Both hang up at once: theirs is answered, and ours will be.
                    Some(request) => {
                        let status = if request.original.method == Method::Bye { 200 } else { 481 };
                        self.core.answer(request, &Answer::of(status)).await;
                    }
                    None => return,
                },
            }
        }
    }

    async fn crossed(&self, request: Transaction, ended: &mut Ended) {
        *ended = Ended { by: By::Them, reasons: reasons(&request) };
        self.core.answer(request, &Answer::of(200)).await;
    }

    /// Where requests of this dialog come from.
    pub(super) fn source(&self, request: &Transaction) -> Source {
        message::source(request).unwrap_or(self.state.flow.peer)
    }
}

/// The reasons that a request gives (RFC 3326).
pub(super) fn reasons(request: &Transaction) -> Vec<Reason> {
    message::values(&request.original.headers, "Reason").flat_map(Reason::read).collect()
}

/// Whether an answer means that there is no dialog any more (RFC 3261 section 12.2.1.2).
fn gone(outcome: &Outcome) -> bool {
    matches!(outcome.status(), 408 | 481) || matches!(outcome, Outcome::TimedOut | Outcome::Unreachable)
}

fn end_of(outcome: &Outcome) -> End {
    match outcome {
        Outcome::Unreachable => End::silent(By::Transport),
        _ => End::bye(By::Transport, Vec::new()),
    }
}

/// The wait after two offers met, in units of 10 ms: whoever made the call waits longer (RFC 3261 section 14.1).
fn glare(caller: bool) -> u32 {
    if caller { 210 + message::random_below(191) } else { message::random_below(201) }
}

/// A re-INVITE. The stack acknowledges the answer.
async fn reinvite(core: &Arc<Core>, state: &State, fields: Vec<(String, String)>, body: Option<(String, Vec<u8>)>) -> Outcome {
    let Some(flow) = state.way(core).await else { return Outcome::Unreachable };
    let Some(mut request) = state.draft(fields, body).write(Method::Invite, &core.config.product, &flow) else {
        return Outcome::Unreachable;
    };
    let mut answered = 0;
    loop {
        let outcome = super::outgoing::invite(core, &flow, request.clone()).await;
        let (Outcome::Answered(response), Some(login)) = (&outcome, &state.login) else { return outcome };
        match core.authorized(&request, response, login, answered, state.next()) {
            Some(again) => request = again,
            None => return outcome,
        }
        answered += 1;
    }
}

/// What an INVITE or its answer says about who is called by it, for the log: never the credentials.
pub(super) fn agent(headers: &rsipstack::sip::Headers) -> Option<&str> {
    field(headers, "User-Agent")
}
