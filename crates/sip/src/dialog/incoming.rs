//! Calls to us, until they are answered.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use rsipstack::{
    sip::{Method, Request, SipMessage},
    transaction::transaction::Transaction,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    By, Dialog, DialogId, Ended, Reason,
    control::handle,
    requests::acknowledged,
    state::State,
    talk::{Begin, Talk, agent, reasons},
};
use crate::{
    OwnerId, PeerId, Source,
    admission::{Deciding, Place},
    core::{Core, LegKey, Seat, linger},
    message::{self, Answer, field, list},
    net::Flow,
    session,
};

/// Who calls, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A trunk, known by its address.
    Peer(PeerId),
    /// A user who showed credentials.
    User {
        /// Whose they are.
        owner: OwnerId,
        /// The user name.
        username: String,
    },
}

/// A refusal of a call.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// The status, 300 to 699.
    pub status: u16,
    /// What `Reason` fields say (RFC 3326).
    pub reasons: Vec<Reason>,
    /// What `Retry-After` says, in seconds.
    pub retry_after: Option<u32>,
    /// Where else to call, for 3xx.
    pub contacts: Vec<String>,
}

impl Refusal {
    /// A refusal with a status alone.
    #[must_use]
    pub fn of(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    fn answer(&self) -> Answer {
        let mut answer = Answer::of(self.status.clamp(300, 699));
        answer.fields.extend(self.reasons.iter().map(|reason| ("Reason".to_owned(), reason.to_string())));
        answer.fields.extend(self.contacts.iter().map(|contact| ("Contact".to_owned(), format!("<{contact}>"))));
        answer.fields.extend(self.retry_after.map(|seconds| ("Retry-After".to_owned(), seconds.to_string())));
        answer
    }
}

/// What the owner says to a call.
enum Say {
    Ring(u16, Option<Vec<u8>>),
    Answer(Vec<u8>, oneshot::Sender<Result<Dialog, Ended>>),
    Refuse(Refusal),
}

/// A call to us. Dropping it refuses it with 480.
pub struct IncomingCall {
    request: Arc<Request>,
    source: Source,
    caller: Caller,
    say: mpsc::Sender<Say>,
    gone: CancellationToken,
    ended: Arc<OnceLock<Ended>>,
    deciding: Option<Deciding>,
}

impl std::fmt::Debug for IncomingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncomingCall").field("call_id", &self.call_id()).field("source", &self.source).finish_non_exhaustive()
    }
}

impl IncomingCall {
    /// Its Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    /// Where it came from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Who calls.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Who is called: the Request-URI.
    #[must_use]
    pub fn request_uri(&self) -> String {
        message::request_uri(&self.request)
    }

    /// The user of the Request-URI, decoded: a number or a name.
    #[must_use]
    pub fn called(&self) -> Option<String> {
        message::user(&self.request_uri())
    }

    /// The user of the From, decoded.
    #[must_use]
    pub fn calling(&self) -> Option<String> {
        self.header("From").and_then(message::uri).and_then(message::user)
    }

    /// The name beside the From.
    #[must_use]
    pub fn calling_name(&self) -> Option<String> {
        crate::wire::Address::cut(self.header("From")?)?.name()
    }

    /// The user of the To, decoded.
    #[must_use]
    pub fn to(&self) -> Option<String> {
        self.header("To").and_then(message::uri).and_then(message::user)
    }

    /// The URIs of `P-Asserted-Identity` (RFC 3325). Only a trunk's are worth anything.
    #[must_use]
    pub fn asserted(&self) -> Vec<String> {
        self.uris("P-Asserted-Identity")
    }

    /// Through whom the call was diverted: the URIs of `Diversion` (RFC 5806), the last diversion first.
    #[must_use]
    pub fn diversions(&self) -> Vec<String> {
        self.uris("Diversion")
    }

    /// The URIs of `History-Info` (RFC 7044), in their order.
    #[must_use]
    pub fn history(&self) -> Vec<String> {
        self.uris("History-Info")
    }

    fn uris(&self, name: &str) -> Vec<String> {
        list(&self.request.headers, name).filter_map(message::uri).map(str::to_owned).collect()
    }

    /// How many hops are left (RFC 3261 section 20.22).
    #[must_use]
    pub fn max_forwards(&self) -> u8 {
        self.header("Max-Forwards").and_then(|hops| hops.parse().ok()).unwrap_or(70)
    }

    /// The first value of a header field. Credentials are not shown.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let secret = ["Authorization", "Proxy-Authorization"].iter().any(|secret| secret.eq_ignore_ascii_case(name));
        if secret { None } else { field(&self.request.headers, name) }
    }

    /// All values of a header field, lists cut apart. Credentials are not shown.
    #[must_use]
    pub fn headers(&self, name: &str) -> Vec<&str> {
        match self.header(name) {
            Some(_) => self
                .request
                .headers
                .iter()
                .filter(|header| header.name().eq_ignore_ascii_case(name))
                .flat_map(|header| crate::wire::split(header.value()))
                .collect(),
            None => Vec::new(),
        }
    }

    /// The offer. Without one, our answer is the offer, and theirs comes with [`Event::Confirmed`](super::Event::Confirmed).
    #[must_use]
    pub fn offer(&self) -> Option<Vec<u8>> {
        message::sdp(&self.request.headers, &self.request.body)
    }

    /// It is decided that it is taken, whoever is rung for it: another may be decided about.
    pub fn settled(&mut self) {
        self.deciding = None;
    }

    /// Says that it rings: 180, or 183 with early media.
    pub async fn ring(&self, status: u16, sdp: Option<Vec<u8>>) {
        let _ = self.say.send(Say::Ring(status.clamp(101, 199), sdp)).await; // the caller may have gone
    }

    /// Answers it.
    ///
    /// # Errors
    /// The caller gave up before.
    pub async fn answer(self, sdp: Vec<u8>) -> Result<Dialog, Ended> {
        let (reply, answered) = oneshot::channel();
        if self.say.send(Say::Answer(sdp, reply)).await.is_ok()
            && let Ok(said) = answered.await
        {
            return said;
        }
        Err(self.why())
    }

    /// Refuses it.
    pub async fn refuse(self, refusal: Refusal) {
        let _ = self.say.send(Say::Refuse(refusal)).await; // the caller may have gone
    }

    /// Waits until the caller gives up, or cannot be reached any more.
    pub async fn cancelled(&self) -> Ended {
        self.gone.cancelled().await;
        self.why()
    }

    fn why(&self) -> Ended {
        self.ended.get().cloned().unwrap_or(Ended::by(By::Transport))
    }
}

/// The task of a call to us.
struct Ringing {
    core: Arc<Core>,
    transaction: Transaction,
    flow: Flow,
    source: Source,
    tag: String,
    place: Place,
    seat: Seat,
    requests: mpsc::Receiver<Transaction>,
    said: mpsc::Receiver<Say>,
    gone: CancellationToken,
    ended: Arc<OnceLock<Ended>>,
    last: Option<Answer>,
}

/// Makes a call of an INVITE that was let in. The task runs until the call is over.
pub(crate) fn begin(
    core: &Arc<Core>,
    transaction: Transaction,
    source: Source,
    flow: Flow,
    caller: Caller,
    (place, deciding): (Place, Deciding),
) -> IncomingCall {
    let tag = message::random(16);
    let call_id = field(&transaction.original.headers, "Call-ID").unwrap_or_default().to_owned();
    tracing::debug!(call = %call_id, %source, agent = agent(&transaction.original.headers), "a call came in");
    let (seat, requests) = core.sit(LegKey { call_id, local_tag: tag.clone() });
    let (say, said) = mpsc::channel(8);
    let (gone, ended) = (CancellationToken::new(), Arc::new(OnceLock::new()));
    let call = IncomingCall {
        request: Arc::new(transaction.original.clone()),
        source,
        caller,
        say,
        gone: gone.clone(),
        ended: Arc::clone(&ended),
        deciding: Some(deciding),
    };
    let core = Arc::clone(core);
    let ringing = Ringing { core, transaction, flow, source, tag, seat, place, requests, said, gone, ended, last: None };
    tokio::spawn(ringing.run());
    call
}

/// What comes after a step.
enum Next {
    Wait,
    Refuse(Answer, Option<Ended>),
    Answer(Vec<u8>, oneshot::Sender<Result<Dialog, Ended>>),
    Gone(Ended),
}

impl Ringing {
    async fn run(mut self) {
        loop {
            match self.step().await {
                Next::Wait => {}
                Next::Refuse(answer, ended) => {
                    self.respond(&answer).await;
                    return self.over(ended.unwrap_or(Ended::by(By::Us)));
                }
                Next::Answer(sdp, reply) => return self.accept(sdp, reply).await,
                Next::Gone(ended) => return self.over(ended),
            }
        }
    }

    fn over(self, ended: Ended) {
        let _ = self.ended.set(ended); // it is set once
        self.gone.cancel();
        linger(self.transaction);
    }

    async fn step(&mut self) -> Next {
        tokio::select! {
            biased;
            message = self.transaction.receive() => match message {
                Some(SipMessage::Request(cancel)) if cancel.method == Method::Cancel => {
                    let reasons = message::values(&cancel.headers, "Reason").flat_map(Reason::read).collect();
                    Next::Refuse(Answer::of(487), Some(Ended { by: By::Them, reasons }))
                }
                Some(_) => Next::Wait,
                None => Next::Gone(Ended::by(By::Transport)),
            },
            said = self.said.recv() => match said {
                Some(Say::Ring(status, sdp)) => self.provisional(Answer { status, fields: Vec::new(), sdp }).await,
                Some(Say::Answer(sdp, reply)) => Next::Answer(sdp, reply),
                Some(Say::Refuse(refusal)) => Next::Refuse(refusal.answer(), None),
                None => Next::Refuse(Answer::of(480), None),
            },
            request = self.requests.recv() => match request {
                Some(request) => self.early(request).await,
                None => Next::Gone(Ended::by(By::Transport)),
            },
            () = self.core.hang_up.cancelled() => {
                let wait = self.core.admission.retry_after().to_string();
                Next::Refuse(Answer::of(503).with("Retry-After", wait), None)
            }
            () = self.flow.closed.cancelled() => Next::Gone(Ended::by(By::Transport)),
            // RFC 3261 section 13.3.1.1: a proxy gives up a call that says nothing for three minutes.
            () = tokio::time::sleep(Duration::from_secs(60)), if self.last.is_some() => match self.last.clone() {
                Some(last) => self.provisional(last).await,
                None => Next::Wait,
            },
        }
    }

    async fn provisional(&mut self, answer: Answer) -> Next {
        let contact = self.core.contact(&self.flow);
        let whole = answer.clone().with("Contact", contact);
        self.respond(&whole).await;
        self.last = Some(answer);
        Next::Wait
    }

    async fn respond(&mut self, answer: &Answer) -> bool {
        let response = message::response(&self.core.endpoint, &self.transaction.original, answer, &self.tag);
        self.transaction.respond(response).await.is_ok()
    }

    /// A request within a dialog that is not answered yet.
    async fn early(&self, request: Transaction) -> Next {
        match request.original.method {
            Method::Bye => {
                let ended = Ended { by: By::Them, reasons: reasons(&request) };
                self.core.answer(request, &Answer::of(200)).await;
                return Next::Refuse(Answer::of(487), Some(ended));
            }
            // RFC 3311 section 5.2: an offer before ours is answered.
            Method::Update => self.core.answer(request, &Answer::of(500).with("Retry-After", "1")).await,
            Method::Options => self.core.answer(request, &Answer::of(200)).await,
            Method::Info => self.core.answer(request, &Answer::of(469)).await,
            _ => self.core.answer(request, &Answer::of(481)).await,
        }
        Next::Wait
    }

    async fn accept(mut self, sdp: Vec<u8>, reply: oneshot::Sender<Result<Dialog, Ended>>) {
        let contact = self.core.contact(&self.flow);
        let state =
            State::of_request(&self.transaction.original, self.source, self.flow.clone(), contact.clone(), self.tag.clone());
        let Some(state) = state else {
            self.respond(&Answer::of(400)).await;
            let _ = reply.send(Err(Ended::by(By::Us))); // nobody may be waiting any more
            return self.over(Ended::by(By::Us));
        };
        let (mut fields, session) = session::accept(&self.core.config.session, &self.transaction.original.headers);
        fields.push(("Contact".to_owned(), contact));
        if !self.respond(&Answer { status: 200, fields, sdp: Some(sdp.clone()) }).await {
            let _ = reply.send(Err(Ended::by(By::Transport))); // nobody may be waiting any more
            return self.over(Ended::by(By::Transport));
        }
        let id: DialogId = state.id.clone();
        let (dialog, ends) = handle(id);
        let Self { core, transaction, seat, place, requests, .. } = self;
        let begin = Begin { core, state, ends, requests, session, sdp, caller: false, seat, place: Some(place) };
        let talk = Talk::new(begin);
        let done = talk.done.clone();
        tokio::spawn(async move { acknowledged(transaction, &done).await });
        let _ = reply.send(Ok(dialog)); // a dialog that nobody takes is dropped, and so ended
        talk.run().await;
    }
}
