//! Requests of the other side within a dialog.

use std::sync::Arc;

use rsipstack::{
    sip::{Method, SipMessage},
    transaction::transaction::Transaction,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    By, Ended, Event, Info, Offer, Refer,
    event::Answering,
    state::sequence,
    talk::{End, Ours, Talk, reasons},
};
use crate::{
    core::{Core, Outcome, linger},
    message::{self, Answer, field},
    net::Flow,
    session::{self, Session},
};

/// What tasks that work for a call report to it.
pub(crate) enum Done {
    /// An answer to an INVITE was acknowledged.
    Acked { sdp: Option<Vec<u8>> },
    /// It never was.
    Unacked,
    /// An offer of theirs has its answer: what it changes, where it was accepted.
    Theirs(Option<Accepted>),
    /// Our offer has its answer.
    Ours(Outcome),
    /// An offer that had to wait.
    Again(Ours),
    /// Another request of ours has its answer.
    Requested(Outcome),
    /// The other side was reached again after its connection was lost, or not.
    Probed(Option<Box<Flow>>),
}

/// What an offer of theirs changes.
pub(crate) struct Accepted {
    pub session: Option<Session>,
    pub sdp: Option<Vec<u8>>,
}

impl Talk {
    /// Takes a request within the dialog.
    pub(super) async fn request(&mut self, request: Transaction) -> Option<End> {
        let number = sequence(&request.original.headers);
        // RFC 3261 section 12.2.2: what is older than what we have seen is out of order.
        if number.is_none() || number <= self.state.remote_seq {
            self.core.answer(request, &Answer::of(500)).await;
            return None;
        }
        self.state.remote_seq = number;
        match request.original.method {
            Method::Bye => {
                let ended = Ended { by: By::Them, reasons: reasons(&request) };
                self.core.answer(request, &Answer::of(200)).await;
                return Some(End { ended, bye: None, mute: false });
            }
            Method::Invite | Method::Update => self.their_offer(request).await,
            Method::Info => self.info(request).await,
            Method::Refer => self.refer(request).await,
            Method::Notify => self.notified(request).await,
            Method::Options => self.core.answer(request, &Answer::of(200)).await,
            Method::PRack | Method::Cancel => self.core.answer(request, &Answer::of(481)).await,
            _ => self.core.answer(request, &Answer::of(405)).await,
        }
        None
    }

    async fn their_offer(&mut self, request: Transaction) {
        let headers = &request.original.headers;
        let update = request.original.method == Method::Update;
        let sdp = message::sdp(headers, &request.original.body);
        let changes = !update || sdp.is_some();
        if self.ours.as_ref().is_some_and(|ours| !ours.update) && changes {
            return self.core.answer(request, &Answer::of(491)).await;
        }
        if self.theirs && changes {
            let wait = message::random_below(11).to_string();
            return self.core.answer(request, &Answer::of(500).with("Retry-After", wait)).await;
        }
        if sdp.is_none() && !request.original.body.is_empty() {
            return self.core.answer(request, &Answer::of(415).with("Accept", "application/sdp")).await;
        }
        if let Some(least) = session::too_short(&self.core.config.session, headers) {
            return self.core.answer(request, &Answer::of(422).with("Min-SE", least.to_string())).await;
        }
        self.state.refresh(headers, self.source(&request));
        let (mut fields, session) = session::accept(&self.core.config.session, headers);
        fields.push(("Contact".to_owned(), self.state.contact.clone()));
        if !changes {
            self.session = session.or(self.session);
            return self.core.answer(request, &Answer { status: 200, fields, sdp: None }).await;
        }
        let (answering, answer) = oneshot::channel();
        let offer = Offer { sdp, update, answering: Answering(answering) };
        if !self.tell(Event::Offer(offer)) {
            return self.core.answer(request, &Answer::of(500)).await;
        }
        self.theirs = true;
        let (core, tag, done) = (Arc::clone(&self.core), self.state.id.local_tag.clone(), self.done.clone());
        tokio::spawn(async move { serve(&core, request, answer, Accept { fields, session, tag }, &done).await });
    }

    async fn info(&self, request: Transaction) {
        let kind = field(&request.original.headers, "Content-Type").unwrap_or_default().to_owned();
        let body = request.original.body.clone();
        let (answering, answer) = oneshot::channel();
        let told = self.tell(Event::Info(Info { kind, body, answering: Answering(answering) }));
        self.hand(request, told, answer).await;
    }

    async fn refer(&self, request: Transaction) {
        let headers = &request.original.headers;
        let Some(to) = field(headers, "Refer-To").and_then(message::uri) else {
            return self.core.answer(request, &Answer::of(400)).await;
        };
        let (to, query) = to.split_once('?').unwrap_or((to, ""));
        let replaces =
            query.split('&').filter_map(|one| one.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("replaces"));
        let replaces = replaces.map(|(_, value)| message::decoded(value));
        let by = field(headers, "Referred-By").and_then(message::uri).map(str::to_owned);
        let (answering, answer) = oneshot::channel();
        let refer = Refer { to: to.to_owned(), replaces, by, answering: Answering(answering) };
        let told = self.tell(Event::Refer(refer));
        self.hand(request, told, answer).await;
    }

    /// Answers a request as soon as the owner does.
    async fn hand(&self, request: Transaction, told: bool, answer: oneshot::Receiver<Answer>) {
        if !told {
            return self.core.answer(request, &Answer::of(500)).await;
        }
        let (core, contact) = (Arc::clone(&self.core), self.state.contact.clone());
        tokio::spawn(async move {
            let said = tokio::time::timeout(core.config.timers.timeout / 2, answer).await;
            let answer = said.ok().and_then(Result::ok).unwrap_or_else(|| Answer::of(500));
            core.answer(request, &answer.with("Contact", contact)).await;
        });
    }

    async fn notified(&self, request: Transaction) {
        let headers = &request.original.headers;
        let event = field(headers, "Event").unwrap_or_default();
        let refer = event.split(';').next().is_some_and(|event| event.trim().eq_ignore_ascii_case("refer"));
        let status = std::str::from_utf8(&request.original.body).ok().and_then(|body| body.split(' ').nth(1)?.trim().parse().ok());
        let (true, Some(status)) = (refer, status) else {
            let status = if refer { 400 } else { 489 };
            return self.core.answer(request, &Answer::of(status)).await;
        };
        let last = field(headers, "Subscription-State").is_some_and(|state| state.trim_start().starts_with("terminated"));
        self.tell(Event::Notified { status, last });
        self.core.answer(request, &Answer::of(200)).await;
    }
}

/// What an answer to an offer carries.
struct Accept {
    fields: Vec<(String, String)>,
    session: Option<Session>,
    tag: String,
}

/// Waits for the owner's answer to an offer, sends it, and sees that it is acknowledged.
async fn serve(
    core: &Arc<Core>,
    mut request: Transaction,
    answer: oneshot::Receiver<Answer>,
    accept: Accept,
    done: &mpsc::Sender<Done>,
) {
    let invite = request.original.method == Method::Invite;
    if invite {
        let _ = request.send_trying().await; // what cannot be sent now cannot be sent later either
    }
    let mut answer = decide(core, &mut request, answer, invite).await;
    let accepted = answer.status < 300;
    if accepted {
        answer.fields.extend(accept.fields);
    }
    let sdp = answer.sdp.clone();
    let response = message::response(&core.endpoint, &request.original, &answer, &accept.tag);
    let sent = request.respond(response).await.is_ok();
    let change = (accepted && sent).then_some(Accepted { session: accept.session, sdp });
    let _ = done.send(Done::Theirs(change)).await; // the call may be over
    match (invite, accepted) {
        (true, true) => acknowledged(request, done).await,
        _ => linger(request),
    }
}

async fn decide(core: &Core, request: &mut Transaction, answer: oneshot::Receiver<Answer>, invite: bool) -> Answer {
    let limit = if invite { core.config.timers.timeout } else { core.config.timers.timeout / 2 };
    let mut said = std::pin::pin!(tokio::time::timeout(limit, answer));
    loop {
        tokio::select! {
            said = &mut said => return said.ok().and_then(Result::ok).unwrap_or_else(|| Answer::of(500)),
            message = request.receive() => match message {
                Some(SipMessage::Request(cancel)) if cancel.method == Method::Cancel => return Answer::of(487),
                Some(_) => {}
                None => return Answer::of(500),
            },
        }
    }
}

/// Waits for the ACK of an answer to an INVITE.
pub(super) async fn acknowledged(mut request: Transaction, done: &mpsc::Sender<Done>) {
    // The stack's own timer says the same, and may come late: it can miss that it was set while it looked at others.
    let limit = request.endpoint_inner.option.t1x64;
    let ack = async {
        while let Some(message) = request.receive().await {
            if let SipMessage::Request(ack) = message
                && ack.method == Method::Ack
            {
                return Some(ack);
            }
        }
        None
    };
    let said = match tokio::time::timeout(limit, ack).await.ok().flatten() {
        Some(ack) => Done::Acked { sdp: message::sdp(&ack.headers, &ack.body) },
        None => Done::Unacked,
    };
    let _ = done.send(said).await; // the call may be over
}
