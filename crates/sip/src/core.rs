//! What every task of the adapter shares.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rsipstack::{
    sip::{Method, Request, Response, SipMessage},
    transaction::{
        endpoint::EndpointInner,
        key::{TransactionKey, TransactionRole},
        transaction::Transaction,
    },
};
use tandem_kernel::OsRng;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Desk, Login, Source, Target, Transport,
    admission::Admission,
    desk::transport_of,
    digest::{self, Challenge, Digests},
    message::{self, Answer},
    net::{Flow, Flows, Unreached},
    registrar::Registrar,
    subscription::Subscriptions,
};

/// What every task shares.
pub(crate) struct Core {
    pub config: Config,
    pub desk: Arc<dyn Desk>,
    pub endpoint: Arc<EndpointInner>,
    pub flows: Arc<Flows>,
    pub admission: Arc<Admission>,
    pub digests: Digests,
    pub registrar: Registrar,
    /// Who is told how many messages wait.
    pub subscriptions: Subscriptions,
    /// Says BYE to everything that is left.
    pub hang_up: CancellationToken,
    legs: Mutex<HashMap<LegKey, mpsc::Sender<Transaction>>>,
    nothing_left: tokio::sync::Notify,
}

/// One end of a dialog: forks of a call that we made share it until one of them is answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LegKey {
    pub call_id: String,
    pub local_tag: String,
}

/// A leg's place in the table, until it is dropped.
pub(crate) struct Seat {
    core: Arc<Core>,
    key: LegKey,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut legs = self.core.legs();
        legs.remove(&self.key);
        if legs.is_empty() {
            self.core.nothing_left.notify_waiters();
        }
    }
}

/// How a request of ours ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With an answer, which may be a refusal.
    Answered(Box<Response>),
    /// Without one in time.
    TimedOut,
    /// It could not be sent.
    Unreachable,
}

impl Outcome {
    /// The status, where there was an answer. Without one it is what RFC 3261 section 8.1.3.1 puts in its place.
    pub fn status(&self) -> u16 {
        match self {
            Self::Answered(response) => response.status_code.code(),
            Self::TimedOut => 408,
            Self::Unreachable => 503,
        }
    }
}

impl Core {
    pub fn new(config: Config, desk: Arc<dyn Desk>, endpoint: Arc<EndpointInner>, flows: Arc<Flows>, digests: Digests) -> Self {
        let (admission, registrar) = (Arc::clone(&flows.intake.admission), Registrar::new(config.registrar.clone()));
        let (hang_up, legs, nothing_left) = (CancellationToken::new(), Mutex::default(), tokio::sync::Notify::new());
        let subscriptions = Subscriptions::default();
        Self { config, desk, endpoint, flows, admission, digests, registrar, subscriptions, hang_up, legs, nothing_left }
    }

    fn legs(&self) -> std::sync::MutexGuard<'_, HashMap<LegKey, mpsc::Sender<Transaction>>> {
        self.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place in the table: requests within the dialog come through the receiver.
    pub fn sit(self: &Arc<Self>, key: LegKey) -> (Seat, mpsc::Receiver<Transaction>) {
        let (sender, requests) = mpsc::channel(16);
        self.legs().insert(key.clone(), sender);
        (Seat { core: Arc::clone(self), key }, requests)
    }

    /// Whose a request within a dialog is.
    pub fn leg(&self, key: &LegKey) -> Option<mpsc::Sender<Transaction>> {
        let leg = self.legs().get(key).cloned();
        leg.or_else(|| self.subscriptions.of(key))
    }

    /// How many dialogs and calls that may become dialogs there are.
    pub fn count(&self) -> usize {
        self.legs().len()
    }

    /// Waits until there is no dialog.
    pub async fn nothing_left(&self) {
        loop {
            let waited = self.nothing_left.notified();
            if self.count() == 0 {
                return;
            }
            waited.await;
        }
    }

    /// Our contact as a peer is told it.
    pub fn contact(&self, flow: &Flow) -> String {
        let transport = match flow.peer.transport {
            Transport::Udp => String::new(),
            other => format!(";transport={other}"),
        };
        format!("<sip:{}{transport}>", flow.local)
    }

    /// Answers a request and drives its transaction to its end.
    pub async fn answer(&self, mut transaction: Transaction, answer: &Answer) {
        let response = message::response(&self.endpoint, &transaction.original, answer, &message::random(16));
        if let Err(fault) = transaction.respond(response).await {
            tracing::debug!(%fault, status = answer.status, "an answer could not be sent");
            return;
        }
        linger(transaction);
    }

    /// Sends a request other than INVITE and waits for its end, answering a challenge where there is a login.
    pub async fn send(&self, flow: &Flow, request: Request, login: Option<&Login>, next: impl Fn() -> u32 + Send) -> Outcome {
        let (mut request, mut answered) = (request, 0_u32);
        loop {
            let outcome = self.once(flow, request.clone()).await;
            let (Outcome::Answered(response), Some(login)) = (&outcome, login) else { return outcome };
            match self.authorized(&request, response, login, answered, next()) {
                Some(again) => request = again,
                None => return outcome,
            }
            answered += 1;
        }
    }

    async fn once(&self, flow: &Flow, request: Request) -> Outcome {
        let Some(mut transaction) = self.transaction(flow, request) else { return Outcome::Unreachable };
        if transaction.send().await.is_err() {
            return Outcome::Unreachable;
        }
        loop {
            tokio::select! {
                () = flow.closed.cancelled() => return Outcome::Unreachable,
                message = transaction.receive() => match message {
                    Some(SipMessage::Response(response)) if response.status_code.code() >= 200 => return Outcome::Answered(Box::new(response)),
                    Some(_) => {}
                    None => return Outcome::TimedOut,
                },
            }
        }
    }

    /// A client transaction that goes through a flow.
    pub fn transaction(&self, flow: &Flow, request: Request) -> Option<Transaction> {
        let key = TransactionKey::from_request(&request, TransactionRole::Client).ok()?;
        let mut transaction = Transaction::new_client(key, request, Arc::clone(&self.endpoint), Some(flow.connection.clone()));
        transaction.destination = Some(flow.peer.stack());
        Some(transaction)
    }

    /// The request again, with the answer to a challenge (RFC 3261 section 22.2). Twice, where only the nonce was old.
    pub fn authorized(&self, request: &Request, response: &Response, login: &Login, answered: u32, cseq: u32) -> Option<Request> {
        let (asks, answers) = match response.status_code.code() {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let challenge = Challenge::best(message::values(&response.headers, asks))?;
        if answered >= 3 || (answered > 0 && !challenge.stale) {
            return None;
        }
        let method = request.method.to_string();
        let answer = digest::answer(&challenge, login, &method, &request.uri.to_string(), &OsRng);
        let mut again = request.clone();
        again.headers.retain(|header| !header.name().eq_ignore_ascii_case(answers));
        again.headers.push(message::header(answers, &answer));
        renumber(&mut again, cseq);
        Some(again)
    }

    /// The way to where a request is to go.
    pub async fn reach(&self, target: &Target, uri: &str) -> Option<Flow> {
        self.find(target, uri).await.ok()
    }

    /// The same, with why there is none.
    pub async fn find(&self, target: &Target, uri: &str) -> Result<Flow, Unreached> {
        let nowhere = || Unreached::NoAddress(uri.to_owned());
        let (transport, host, port) = match target {
            Target::Source(source) => return self.flows.reach(*source, &source.address.ip().to_string()).await,
            Target::Host { transport, host, port } => (*transport, host.clone(), *port),
            Target::Uri => {
                let (host, port) = message::host(uri).ok_or_else(nowhere)?;
                let secure = uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sips:"));
                (transport_of(uri).unwrap_or(if secure { Transport::Tls } else { Transport::Udp }), host, port)
            }
        };
        let found = resolve(&host, port.unwrap_or(transport.port()), self.config.timers.connect).await;
        // Of a host's addresses, one that we can speak to.
        let address = found.iter().find(|address| self.flows.speaks(**address)).or(found.first()).copied();
        let address = address.ok_or_else(|| Unreached::NoAddress(host.clone()))?;
        self.flows.reach(Source { transport, address }, &host).await
    }
}

/// A host's addresses (RFC 3263 section 4.2, without SRV).
async fn resolve(host: &str, port: u16, patience: std::time::Duration) -> Vec<SocketAddr> {
    if let Ok(address) = host.parse::<std::net::IpAddr>() {
        return vec![SocketAddr::new(address, port)];
    }
    let found = tokio::time::timeout(patience, tokio::net::lookup_host((host, port))).await;
    found.ok().and_then(Result::ok).map(Iterator::collect).unwrap_or_default()
}

/// Gives a request its next number and a branch of its own.
fn renumber(request: &mut Request, cseq: u32) {
    let method = request.method;
    for one in request.headers.iter_mut() {
        let name = one.name().to_owned();
        if name == "CSeq" {
            *one = message::header("CSeq", &format!("{cseq} {method}"));
        } else if name == "Via" {
            let old = one.value().to_owned();
            let parts = old.split(';').map(|part| match part.starts_with("branch=") {
                true => format!("branch=z9hG4bK{}", message::random(16)),
                false => part.to_owned(),
            });
            *one = message::header("Via", &parts.collect::<Vec<_>>().join(";"));
        }
    }
}

/// Keeps a transaction until the protocol is done with it: answers are repeated, an ACK is taken. One whose answer could not be sent
/// has no timer of its own, so the time is bounded here.
pub(crate) fn linger(mut transaction: Transaction) {
    if transaction.original.method != Method::Invite {
        return;
    }
    let limit = transaction.endpoint_inner.option.t1x64 * 2;
    tokio::spawn(async move {
        let acknowledged = async {
            while let Some(message) = transaction.receive().await {
                if matches!(&message, SipMessage::Request(request) if request.method == Method::Ack) {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(limit, acknowledged).await; // either way it is over
    });
}
