//! The one way in: what is banned, too much or malformed ends here, and the stack gets the rest.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rsipstack::{
    sip::SipMessage,
    transaction::key::{TransactionKey, TransactionRole},
    transport::{SipConnection, TransportEvent},
};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    Desk, Fault, Notice, Source,
    admission::{Admission, Admit, is_scanner},
    wire::{Raw, Reply, Verdict, check, plain, reply},
};

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The stack has it.
    Passed,
    /// This is its answer.
    Answer(Vec<u8>),
    /// Nothing is to be done.
    Dropped,
}

/// The way in.
pub(crate) struct Intake {
    pub admission: Arc<Admission>,
    pub desk: Arc<dyn Desk>,
    pub product: String,
    pub backlog: usize,
    /// How many messages the stack has not taken yet. Its queue has no bound of its own.
    pub waiting: Arc<AtomicUsize>,
    pub stack: UnboundedSender<TransportEvent>,
}

impl Intake {
    /// Whether so much waits that a connection should not be read.
    pub fn full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= self.backlog
    }

    /// Takes one message, whole as a datagram or cut out of a stream.
    pub fn take(&self, message: &[u8], source: Source, connection: &SipConnection) -> Taken {
        if self.admission.banned(source.address.ip()) {
            return Taken::Dropped;
        }
        let Some(raw) = Raw::cut(message) else {
            tracing::debug!(%source, length = message.len(), "not a SIP message");
            return Taken::Dropped;
        };
        match check(&raw) {
            Verdict::Drop(why) => {
                tracing::debug!(%source, why, "dropped");
                Taken::Dropped
            }
            Verdict::Answer(status, reason) => self.answer(&raw, source, status, reason),
            Verdict::Pass(used) => self.pass(&raw, message, used, source, connection),
        }
    }

    fn answer(&self, raw: &Raw<'_>, source: Source, status: u16, reason: &str) -> Taken {
        // What is malformed takes from the same bucket: answering costs too.
        if self.admission.admit(source.address.ip(), false) != Admit::Yes {
            return Taken::Dropped;
        }
        tracing::debug!(%source, status, reason, "refused");
        self.write(raw, source.address, status, reason, None)
    }

    fn write(&self, raw: &Raw<'_>, source: SocketAddr, status: u16, reason: &str, retry_after: Option<u32>) -> Taken {
        let what = Reply { status, reason, retry_after, product: &self.product };
        reply(raw, source, &what).map_or(Taken::Dropped, Taken::Answer)
    }

    fn pass(&self, raw: &Raw<'_>, message: &[u8], used: usize, source: Source, connection: &SipConnection) -> Taken {
        if let Some(method) = raw.method()
            && let Some(taken) = self.refused(raw, method, source)
        {
            return taken;
        }
        if self.waiting.load(Ordering::Relaxed) >= self.backlog.saturating_mul(2) {
            return Taken::Dropped;
        }
        let rewritten = plain(raw, used);
        let octets = rewritten.as_deref().or_else(|| message.get(..used)).unwrap_or_default();
        match parsed(octets, source) {
            Some(message) => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                match self.stack.send(TransportEvent::Incoming(message, connection.clone(), source.stack())) {
                    Ok(()) => Taken::Passed,
                    Err(_) => Taken::Dropped,
                }
            }
            None if matches!(raw.method(), None | Some("ACK")) => Taken::Dropped,
            None => self.write(raw, source.address, 400, "Bad Request", None),
        }
    }

    /// Whether a request is one too many. Requests within a dialog, and those that end something, are not counted.
    fn refused(&self, raw: &Raw<'_>, method: &str, source: Source) -> Option<Taken> {
        let address = source.address.ip();
        let agent = raw.first("user-agent").unwrap_or_default();
        if is_scanner(agent)
            && let Some(ban) = self.admission.strike(address, self.admission.strikes())
        {
            let (seconds, strikes) = (ban.seconds, ban.strikes);
            self.desk.notice(Notice::Banned { address, seconds, fault: Fault::Scanner, strikes });
            return Some(Taken::Dropped);
        }
        let within = raw.first("to").is_some_and(|to| to.contains("tag"));
        if within || matches!(method, "ACK" | "CANCEL" | "BYE" | "PRACK") {
            return None;
        }
        let admit = match self.full() {
            true => Admit::Refuse(Fault::Rate),
            false => self.admission.admit(address, method == "INVITE"),
        };
        let fault = match admit {
            Admit::Yes => return None,
            Admit::Silence => return Some(Taken::Dropped),
            Admit::Refuse(fault) => fault,
        };
        self.desk.notice(Notice::Refused { source, method: method.to_owned(), user: None, fault, status: 503 });
        Some(self.write(raw, source.address, 503, "Service Unavailable", Some(self.admission.retry_after())))
    }
}

/// The message as the stack reads it, with where it really came from in its topmost Via (RFC 3261 section 18.2.1).
fn parsed(octets: &[u8], source: Source) -> Option<SipMessage> {
    let message = SipMessage::try_from(octets).ok()?;
    let message = SipConnection::update_msg_received(message, source.address, source.transport.stack()).ok()?;
    let known = match &message {
        SipMessage::Request(request) => TransactionKey::from_request(request, TransactionRole::Server),
        SipMessage::Response(response) => TransactionKey::from_response(response, TransactionRole::Client),
    };
    known.is_ok().then_some(message)
}
