//! Calls that we make, until they are answered.

use std::{
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use rsipstack::{
    sip::{Method, Request, Response, SipMessage},
    transaction::transaction::Transaction,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Dialog, Reason,
    control::handle,
    state::State,
    talk::{Begin, Talk},
};
use crate::{
    ALLOWED, Login, SUPPORTED, Target,
    admission::Place,
    core::{Core, LegKey, Outcome, Seat},
    message::{self, Answer, Draft, field, list, tag},
    net::Flow,
    session,
};

/// A call to make.
#[derive(Debug, Clone)]
pub struct Dial {
    /// Who is called: the Request-URI.
    pub uri: String,
    /// Where it is sent.
    pub target: Target,
    /// What To says, where that is another address.
    pub to: Option<String>,
    /// Who calls: the address of From, without a display name.
    pub from: String,
    /// The name beside it.
    pub name: Option<String>,
    /// Our user in the Contact, where a device or a trunk wants one.
    pub contact_user: Option<String>,
    /// The offer.
    pub sdp: Vec<u8>,
    /// More header fields: `P-Asserted-Identity`, `Diversion`, `History-Info`, `Privacy`.
    pub fields: Vec<(String, String)>,
    /// What answers a challenge.
    pub login: Option<Login>,
    /// How long it may ring.
    pub ring: Duration,
    /// How many hops it may take: one less than what the call it belongs to had left.
    pub max_forwards: u8,
    /// Its Call-ID, where it is not to be a new one.
    pub call_id: Option<String>,
}

impl Dial {
    /// A call with the usual details.
    #[must_use]
    pub fn new(uri: &str, from: &str, sdp: Vec<u8>) -> Self {
        Self {
            uri: uri.to_owned(),
            target: Target::Uri,
            to: None,
            from: from.to_owned(),
            name: None,
            contact_user: None,
            sdp,
            fields: Vec::new(),
            login: None,
            ring: Duration::from_secs(180),
            max_forwards: 70,
            call_id: None,
        }
    }
}

/// How a call that we make fares.
#[derive(Debug)]
pub enum Progress {
    /// It rings, or there is early media.
    Ringing {
        /// The status, 101 to 199.
        status: u16,
        /// Early media.
        sdp: Option<Vec<u8>>,
    },
    /// It was answered. Nothing follows.
    Answered {
        /// The call.
        dialog: Dialog,
        /// The answer.
        sdp: Option<Vec<u8>>,
    },
    /// It was refused. Nothing follows.
    Failed {
        /// The status.
        status: u16,
        /// The reasons that were given (RFC 3326).
        reasons: Vec<Reason>,
        /// Where else to call, for 3xx.
        contacts: Vec<String>,
        /// After how many seconds to try again.
        retry_after: Option<u32>,
    },
    /// Nobody answered in time: neither the network nor, within the time to ring, a person. Nothing follows.
    TimedOut,
    /// It could not be sent. Nothing follows.
    Unreachable,
    /// We gave it up. Nothing follows.
    Cancelled,
    /// There are as many calls as there may be, or the adapter is stopping. Nothing follows.
    Refused,
}

/// A call that we make. Dropping it gives it up.
#[derive(Debug)]
pub struct Outgoing {
    call_id: String,
    events: mpsc::Receiver<Progress>,
    cancel: Option<oneshot::Sender<Vec<Reason>>>,
    _alive: DropGuard,
}

impl Outgoing {
    /// Its Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// What happens next; nothing after the end.
    pub async fn next(&mut self) -> Option<Progress> {
        self.events.recv().await
    }

    /// Gives it up (RFC 3261 section 9.1). [`Progress::Cancelled`] tells when that is through; it may be answered in the last moment,
    /// and is then hung up.
    pub fn cancel(&mut self, reasons: Vec<Reason>) {
        if let Some(cancel) = self.cancel.take() {
            let _ = cancel.send(reasons); // it may have ended
        }
    }
}

/// The task of a call that we make.
struct Calling {
    core: Arc<Core>,
    dial: Dial,
    key: LegKey,
    seq: Arc<AtomicU32>,
    events: mpsc::Sender<Progress>,
    cancel: Option<oneshot::Receiver<Vec<Reason>>>,
    dropped: CancellationToken,
    requests: mpsc::Receiver<Transaction>,
}

/// How an INVITE ended.
enum End {
    Final(Box<Response>),
    Cancelled,
    TimedOut,
    Unreachable,
}

/// Begins a call.
pub(crate) fn dial(core: &Arc<Core>, dial: Dial) -> Outgoing {
    let call_id = dial.call_id.clone().unwrap_or_else(|| message::random(32));
    let key = LegKey { call_id: call_id.clone(), local_tag: message::random(16) };
    let (progress, events) = mpsc::channel(32);
    let (cancel, cancelled) = oneshot::channel();
    let dropped = CancellationToken::new();
    let outgoing = Outgoing { call_id, events, cancel: Some(cancel), _alive: dropped.clone().drop_guard() };
    // The last event has its place from the beginning, however slowly the owner reads.
    let Ok(last) = progress.clone().try_reserve_owned() else { return outgoing };
    let place = core.admission.place().filter(|_| !core.admission.closing());
    let Some(place) = place else {
        last.send(Progress::Refused);
        return outgoing;
    };
    let (seat, requests) = core.sit(key.clone());
    let (core, seq) = (Arc::clone(core), Arc::new(AtomicU32::new(message::random_below(1 << 16) + 1)));
    let calling = Calling { core, dial, key, seq, events: progress, cancel: Some(cancelled), dropped, requests };
    tokio::spawn(calling.run(seat, place, last));
    outgoing
}

impl Calling {
    async fn run(mut self, seat: Seat, place: Place, last: mpsc::OwnedPermit<Progress>) {
        let uri = self.dial.uri.clone();
        let Some(flow) = self.core.reach(&self.dial.target, &uri).await else {
            last.send(Progress::Unreachable);
            return;
        };
        let (mut least, mut answered) = (0, 0);
        let Some(mut request) = self.invite(&flow, least) else {
            last.send(Progress::Unreachable);
            return;
        };
        let end = loop {
            let Some(transaction) = self.core.transaction(&flow, request.clone()) else { break End::Unreachable };
            let (end, transaction) = self.attempt(&flow, transaction).await;
            let End::Final(response) = end else { break end };
            if response.status_code.code() < 300 {
                return self.answered(seat, place, last, Won { flow, request, response, transaction }).await;
            }
            let again = match (response.status_code.code(), &self.dial.login) {
                (422, _) if least == 0 => session::asked(&response.headers).and_then(|asked| {
                    least = asked;
                    self.invite(&flow, least)
                }),
                (401 | 407, Some(login)) => self.core.authorized(&request, &response, login, answered, self.next()),
                _ => None,
            };
            let Some(again) = again else { break End::Final(response) };
            answered += u32::from(response.status_code.code() != 422);
            request = again;
        };
        last.send(match end {
            End::Final(response) => refused(&response),
            End::Cancelled => Progress::Cancelled,
            End::TimedOut => Progress::TimedOut,
            End::Unreachable => Progress::Unreachable,
        });
    }

    fn next(&self) -> u32 {
        self.seq.fetch_add(1, std::sync::atomic::Ordering::Relaxed).wrapping_add(1)
    }

    fn contact(&self, flow: &Flow) -> String {
        let contact = self.core.contact(flow);
        match &self.dial.contact_user {
            Some(user) => contact.replacen("<sip:", &format!("<sip:{user}@"), 1),
            None => contact,
        }
    }

    fn invite(&self, flow: &Flow, least: u32) -> Option<Request> {
        let name = self.dial.name.as_deref().map(|name| format!("{} ", crate::digest::quoted(name))).unwrap_or_default();
        let mut fields = session::ask(&self.core.config.session, least, None);
        fields.push(("Supported".to_owned(), SUPPORTED.to_owned()));
        fields.push(("Allow".to_owned(), ALLOWED.to_owned()));
        fields.extend(self.dial.fields.iter().cloned());
        let draft = Draft {
            uri: self.dial.uri.clone(),
            from: format!("{name}<{}>;tag={}", self.dial.from, self.key.local_tag),
            to: format!("<{}>", self.dial.to.as_deref().unwrap_or(&self.dial.uri)),
            call_id: self.key.call_id.clone(),
            cseq: self.next(),
            routes: Vec::new(),
            contact: Some(self.contact(flow)),
            max_forwards: self.dial.max_forwards,
            fields,
            body: Some(("application/sdp".to_owned(), self.dial.sdp.clone())),
        };
        draft.write(Method::Invite, &self.core.config.product, flow)
    }

    /// Sends an INVITE and waits for its end.
    async fn attempt(&mut self, flow: &Flow, mut transaction: Transaction) -> (End, Transaction) {
        if transaction.send().await.is_err() {
            return (End::Unreachable, transaction);
        }
        let mut waiting =
            Waiting { heard: false, cancelled: None, sent: false, late: false, until: Instant::now() + self.dial.ring };
        let end = loop {
            if let Some(end) = self.step(flow, &mut transaction, &mut waiting).await {
                break end;
            }
        };
        (end, transaction)
    }

    async fn step(&mut self, flow: &Flow, transaction: &mut Transaction, waiting: &mut Waiting) -> Option<End> {
        let deadline = tokio::time::sleep_until(waiting.until);
        tokio::select! {
            biased;
            message = transaction.receive() => match message {
                Some(SipMessage::Response(response)) => return self.response(flow, transaction, waiting, response).await,
                Some(_) => {}
                None => return Some(if waiting.cancelled.is_some() { waiting.given_up() } else { End::TimedOut }),
            },
            request = self.requests.recv() => self.early(request?).await,
            reasons = wish(&mut self.cancel), if waiting.cancelled.is_none() => waiting.cancelled = Some(reasons),
            () = self.dropped.cancelled(), if waiting.cancelled.is_none() => waiting.cancelled = Some(Vec::new()),
            () = self.core.hang_up.cancelled(), if waiting.cancelled.is_none() => waiting.cancelled = Some(Vec::new()),
            () = flow.closed.cancelled() => return Some(End::Unreachable),
            () = deadline => {
                if waiting.cancelled.is_some() {
                    return Some(waiting.given_up());
                }
                waiting.late = true;
                waiting.cancelled = Some(vec![Reason::q850(19, "no answer")]);
            }
        }
        self.cancel(flow, transaction, waiting).await;
        None
    }

    async fn response(&self, flow: &Flow, transaction: &mut Transaction, waiting: &mut Waiting, response: Response) -> Option<End> {
        let status = response.status_code.code();
        if status < 200 {
            waiting.heard = true;
            if status > 100 && waiting.cancelled.is_none() {
                let sdp = message::sdp(&response.headers, &response.body);
                // Where the owner does not read, it does not hear it ring.
                let _ = self.events.try_send(Progress::Ringing { status, sdp });
            }
            self.cancel(flow, transaction, waiting).await;
            return None;
        }
        if waiting.cancelled.is_none() {
            return Some(End::Final(Box::new(response)));
        }
        if status < 300 {
            // It was answered while our CANCEL was on its way: the stack has acknowledged it, and it is hung up.
            self.hang_up(flow, transaction, &response, waiting).await;
        }
        Some(waiting.given_up())
    }

    async fn hang_up(&self, flow: &Flow, transaction: &Transaction, response: &Response, waiting: &Waiting) {
        let (seq, login) = (Arc::clone(&self.seq), self.dial.login.clone());
        let state = State::of_response(&transaction.original, response, flow.clone(), self.contact(flow), login, seq);
        let Some(state) = state else { return };
        let reasons = waiting.cancelled.iter().flatten().map(|reason| ("Reason".to_owned(), reason.to_string())).collect();
        state.send(&self.core, Method::Bye, reasons, None).await;
    }

    /// Sends CANCEL as soon as it may be sent: after something was heard (RFC 3261 section 9.1).
    async fn cancel(&self, flow: &Flow, transaction: &Transaction, waiting: &mut Waiting) {
        let Some(reasons) = waiting.cancelled.as_ref().filter(|_| waiting.heard && !waiting.sent) else { return };
        waiting.sent = true;
        waiting.until = Instant::now() + self.core.config.timers.timeout;
        let mut request = transaction.original.clone();
        request.method = Method::Cancel;
        request.body.clear();
        let kept = ["Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Route", "User-Agent"];
        request.headers.retain(|header| kept.contains(&header.name()));
        for one in request.headers.iter_mut() {
            if one.name() == "CSeq" {
                let value = one.value().replace("INVITE", "CANCEL");
                *one = message::header("CSeq", &value);
            }
        }
        request.headers.extend(reasons.iter().map(|reason| message::header("Reason", &reason.to_string())).collect());
        let (core, flow) = (Arc::clone(&self.core), flow.clone());
        tokio::spawn(async move { core.send(&flow, request, None, || 0).await });
    }

    /// A request of a dialog that is not answered yet.
    async fn early(&self, request: Transaction) {
        let answer = match request.original.method {
            Method::Options => Answer::of(200),
            Method::Update => Answer::of(500).with("Retry-After", "1"),
            Method::Info => Answer::of(469),
            _ => Answer::of(481),
        };
        self.core.answer(request, &answer).await;
    }

    async fn answered(self, seat: Seat, place: Place, last: mpsc::OwnedPermit<Progress>, won: Won) {
        let Won { flow, request, response, transaction } = won;
        let contact = self.contact(&flow);
        let state = State::of_response(&request, &response, flow.clone(), contact, self.dial.login.clone(), Arc::clone(&self.seq));
        let Some(state) = state else {
            last.send(Progress::Failed { status: 502, reasons: Vec::new(), contacts: Vec::new(), retry_after: None });
            return;
        };
        tokio::spawn(forks(Arc::clone(&self.core), transaction, state.clone()));
        let (dialog, ends) = handle(state.id.clone());
        let session = session::accepted(&response.headers);
        let Self { core, dial, requests, events, .. } = self;
        drop(events); // nothing follows
        let begin = Begin { core, state, ends, requests, session, sdp: dial.sdp, caller: true, seat, place: Some(place) };
        last.send(Progress::Answered { dialog, sdp: message::sdp(&response.headers, &response.body) });
        Talk::new(begin).run().await;
    }
}

/// What an INVITE waits for.
struct Waiting {
    /// Whether anything was heard of it.
    heard: bool,
    /// Why it was given up, where it was.
    cancelled: Option<Vec<Reason>>,
    /// Whether CANCEL was sent.
    sent: bool,
    /// Whether it rang too long.
    late: bool,
    until: Instant,
}

impl Waiting {
    const fn given_up(&self) -> End {
        if self.late { End::TimedOut } else { End::Cancelled }
    }
}

/// What an INVITE that was answered leaves.
struct Won {
    flow: Flow,
    request: Request,
    response: Box<Response>,
    transaction: Transaction,
}

/// The owner's wish to give up: once, or never.
async fn wish(cancel: &mut Option<oneshot::Receiver<Vec<Reason>>>) -> Vec<Reason> {
    let Some(receiver) = cancel.as_mut() else { return std::future::pending().await };
    let wished = receiver.await;
    *cancel = None;
    match wished {
        Ok(reasons) => reasons,
        Err(_) => std::future::pending().await,
    }
}

fn refused(response: &Response) -> Progress {
    let headers = &response.headers;
    Progress::Failed {
        status: response.status_code.code(),
        reasons: message::values(headers, "Reason").flat_map(Reason::read).collect(),
        contacts: list(headers, "Contact").filter_map(message::uri).map(str::to_owned).collect(),
        retry_after: field(headers, "Retry-After").and_then(|value| value.split([' ', ';', '(']).next()?.parse().ok()),
    }
}

/// Keeps the transaction of a call that was answered: repeated answers are acknowledged again, and where a fork of the call was answered
/// as well, that one is hung up (RFC 3261 section 13.2.2.4).
async fn forks(core: Arc<Core>, mut transaction: Transaction, state: State) {
    let mut seen = vec![state.id.remote_tag.clone()];
    while let Some(message) = transaction.receive().await {
        let SipMessage::Response(response) = message else { continue };
        let Some(fork) = field(&response.headers, "To").and_then(tag).map(str::to_owned) else { continue };
        if !(200..300).contains(&response.status_code.code()) || seen.contains(&fork) || seen.len() > 16 {
            continue;
        }
        seen.push(fork);
        let (flow, contact) = (state.flow.clone(), state.contact.clone());
        let seq = Arc::new(AtomicU32::new(state.next()));
        let other = State::of_response(&transaction.original, &response, flow, contact, state.login.clone(), seq);
        if let Some(other) = other {
            let core = Arc::clone(&core);
            tokio::spawn(async move { other.send(&core, Method::Bye, Vec::new(), None).await });
        }
    }
}

/// An INVITE within a dialog. The stack acknowledges its answer, and again where it is repeated.
pub(super) async fn invite(core: &Arc<Core>, flow: &Flow, request: Request) -> Outcome {
    let Some(mut transaction) = core.transaction(flow, request) else { return Outcome::Unreachable };
    if transaction.send().await.is_err() {
        return Outcome::Unreachable;
    }
    loop {
        tokio::select! {
            () = flow.closed.cancelled() => return Outcome::Unreachable,
            message = transaction.receive() => match message {
                Some(SipMessage::Response(response)) if response.status_code.code() >= 200 => {
                    if response.status_code.code() < 300 {
                        tokio::spawn(async move { while transaction.receive().await.is_some() {} });
                    }
                    return Outcome::Answered(Box::new(response));
                }
                Some(_) => {}
                None => return Outcome::TimedOut,
            },
        }
    }
}
