//! The adapter as its owner sees it, and what becomes of requests that belong to no dialog.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rsipstack::{
    sip::{Header, Method, SipMessage, Uri},
    transaction::{
        endpoint::{EndpointBuilder, EndpointOption, MessageInspector, TargetLocator, TransportEventInspector},
        transaction::Transaction,
    },
    transport::{
        SipAddr, SipConnection, TransportEvent, TransportLayer, channel::ChannelConnection, transport_layer::DomainResolver,
    },
};
use tandem_kernel::{OsRng, Rng};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Binding, Bound, Caller, Config, Desk, Dial, Fault, IncomingCall, Outgoing, OwnerId, Source, StartError, Subscribe,
    Subscription, Summary, Transport, Trunk, TrunkConfig,
    admission::Admission,
    auth,
    core::{Core, LegKey},
    dialog,
    digest::{Digests, Nonces},
    message::{self, Answer, field, list, tag},
    net::{Flows, Intake, listen},
    session, state_fixed, subscription, timers, trunk,
    wire::NO_TAG,
};

/// Calls that wait to be taken by the owner.
const WAITING: usize = 1_024;

/// What comes to the owner.
#[derive(Debug)]
pub enum Incoming {
    /// A call.
    Call(IncomingCall),
}

/// The adapter. It may be copied; dropping all copies does not stop it, [`Sip::stop`] does.
#[derive(Clone)]
pub struct Sip {
    core: Arc<Core>,
    bound: Arc<[Bound]>,
}

impl std::fmt::Debug for Sip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sip").field("bound", &self.bound).finish_non_exhaustive()
    }
}

/// What is under way, for metrics and for tests that nothing is left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Dialogs, and calls that may become dialogs.
    pub dialogs: usize,
    /// Places that are taken of [`Limits::calls`](crate::Limits::calls).
    pub calls: usize,
    /// Connections that are open.
    pub connections: usize,
    /// Transactions that the stack works on.
    pub transactions: usize,
    /// Messages that the stack has not taken yet.
    pub backlog: usize,
}

impl Sip {
    /// Opens the listeners and serves them. Calls come through the receiver; where it is full, calls are refused with 503.
    ///
    /// # Errors
    /// A listener cannot be opened.
    pub async fn start(config: Config, desk: Arc<dyn Desk>) -> Result<(Self, mpsc::Receiver<Incoming>), StartError> {
        let stop = CancellationToken::new();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (layer, stack) = layer(&stop).await?;
        let intake = Arc::new(Intake {
            admission: Arc::new(Admission::new(config.limits.clone())),
            desk: Arc::clone(&desk),
            product: config.product.clone(),
            backlog: config.limits.backlog,
            waiting: Arc::clone(&waiting),
            stack,
        });
        let flows = Arc::new(Flows::new(intake, &config, stop.clone()));
        let mut bound = Vec::new();
        for one in &config.listen {
            match listen(&flows, one).await {
                Ok(opened) => bound.push(opened),
                Err(fault) => {
                    stop.cancel();
                    return Err(fault);
                }
            }
        }
        let udp = flows.udp.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        udp.into_iter().for_each(|(_, connection)| layer.add_transport(connection));
        let endpoint = endpoint(&config, layer, waiting, &stop);
        let key = config.nonce_key.unwrap_or_else(|| {
            let mut key = [0; 32];
            OsRng.fill(&mut key);
            key
        });
        let nonces = Nonces::new(key, config.nonce_life, Arc::clone(&config.clock));
        let digests = Digests::new(config.realm.clone(), nonces, config.sha256);
        let transactions = endpoint.incoming_transactions().map_err(|fault| StartError::Stack(fault.to_string()))?;
        let inner = Arc::clone(&endpoint.inner);
        tokio::spawn(timers::wind(Arc::clone(&inner), stop.clone()));
        tokio::spawn(async move { endpoint.serve().await });
        let core = Arc::new(Core::new(config, desk, inner, flows, digests));
        let (calls, incoming) = mpsc::channel(WAITING);
        tokio::spawn(serve(Arc::clone(&core), transactions, calls));
        Ok((Self { core, bound: bound.into() }, incoming))
    }

    /// The listeners that are open.
    #[must_use]
    pub fn addresses(&self) -> &[Bound] {
        &self.bound
    }

    /// Calls somebody.
    #[must_use]
    pub fn dial(&self, call: Dial) -> Outgoing {
        dialog::dial(&self.core, call)
    }

    /// Tells the telephones of a user that asked for it how many messages wait; where those are. Whoever knows already is not told again.
    #[must_use]
    pub fn tell(&self, owner: &OwnerId, summary: &Summary) -> Vec<Source> {
        self.core.subscriptions.tell(owner, summary)
    }

    /// Tells a telephone that registered how many messages wait, though it did not ask; the status of its answer. One whose connection
    /// is gone is not told.
    pub async fn tell_unasked(&self, binding: &Binding, user: &str, summary: &Summary) -> Option<u16> {
        let flow = self.core.flows.back(binding.source)?;
        Some(subscription::tell(&self.core, &flow, binding, user, summary).await)
    }

    /// Asks another server how many messages wait, as a telephone does.
    #[must_use]
    pub fn subscribe(&self, wanted: Subscribe) -> Subscription {
        subscription::begin(&self.core, wanted)
    }

    /// Watches a trunk, and registers with it where it wants that. Dropping it ends both.
    #[must_use]
    pub fn trunk(&self, config: TrunkConfig) -> Trunk {
        trunk::start(&self.core, config)
    }

    /// What is under way.
    #[must_use]
    pub fn load(&self) -> Load {
        let transactions = self.core.endpoint.get_stats().running_transactions;
        let backlog = self.core.flows.intake.waiting.load(Ordering::Relaxed);
        let (dialogs, calls, connections) = (self.core.count(), self.core.admission.calls(), self.core.flows.count());
        Load { dialogs, calls, connections, transactions, backlog }
    }

    /// Waits until there is no dialog and no call that may become one.
    pub async fn idle(&self) {
        self.core.nothing_left().await;
    }

    /// Refuses new calls with 503, gives those that there are some time to end, and hangs up what is left.
    pub async fn stop(self, patience: Duration) {
        self.core.admission.close();
        if tokio::time::timeout(patience, self.core.nothing_left()).await.is_err() {
            self.core.hang_up.cancel();
            let _ = tokio::time::timeout(self.core.config.timers.timeout, self.core.nothing_left()).await;
        }
        self.core.hang_up.cancel();
        self.core.flows.stop.cancel();
    }
}

/// The stack's transports: nothing but a way in for what the intake has passed.
async fn layer(stop: &CancellationToken) -> Result<(TransportLayer, mpsc::UnboundedSender<TransportEvent>), StartError> {
    let layer = TransportLayer::new_with_domain_resolver(stop.clone(), Box::new(Names));
    let (stack, events) = mpsc::unbounded_channel();
    let (nowhere, _) = mpsc::unbounded_channel();
    let address = SipAddr::from(std::net::SocketAddr::from(([255, 255, 255, 255], 1)));
    let way_in = ChannelConnection::create_connection(events, nowhere, address, Some(stop.clone())).await;
    layer.add_connection(SipConnection::Channel(way_in.map_err(|fault| StartError::Stack(fault.to_string()))?));
    Ok((layer, stack))
}

fn endpoint(
    config: &Config,
    layer: TransportLayer,
    waiting: Arc<AtomicUsize>,
    stop: &CancellationToken,
) -> rsipstack::transaction::Endpoint {
    let timers = &config.timers;
    let option = EndpointOption { t1: timers.t1, t2: timers.t2, t4: timers.t4, t1x64: timers.timeout, ..EndpointOption::default() };
    EndpointBuilder::new()
        .with_user_agent(&config.product)
        .with_option(option)
        .with_transport_layer(layer)
        .with_cancel_token(stop.clone())
        .with_inspector(Box::new(Edges))
        .with_target_locator(Box::new(Datagrams))
        .with_transport_inspector(Box::new(Counting(waiting)))
        .build()
}

/// Counts what the stack has taken.
struct Counting(Arc<AtomicUsize>);

#[async_trait]
impl TransportEventInspector for Counting {
    async fn handle(&self, event: TransportEvent) -> Option<TransportEvent> {
        if matches!(event, TransportEvent::Incoming(..)) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
        Some(event)
    }
}

/// Where the stack sends by itself, which is the ACK of an answer that came as a datagram: as a datagram, whatever the contact says.
struct Datagrams;

#[async_trait]
impl TargetLocator for Datagrams {
    async fn locate(&self, uri: &Uri) -> rsipstack::Result<SipAddr> {
        let mut addr = uri.host_with_port.clone();
        addr.port = addr.port.or(Some(Transport::Udp.port().into()));
        Ok(SipAddr { r#type: Some(Transport::Udp.stack()), addr })
    }
}

/// How the stack finds the host of a contact that it sends an ACK to. It may wait for that while everything else waits for it, so the
/// wait is short.
struct Names;

#[async_trait]
impl DomainResolver for Names {
    async fn resolve(&self, target: &SipAddr) -> rsipstack::Result<SipAddr> {
        let port = target.addr.port.as_ref().map_or(Transport::Udp.port(), |port| port.value());
        let host = target.addr.host.to_string();
        let found = tokio::time::timeout(Duration::from_secs(1), tokio::net::lookup_host((host.as_str(), port))).await;
        let found: Vec<_> = found.ok().and_then(Result::ok).map(Iterator::collect).unwrap_or_default();
        let address = found.iter().find(|address| address.is_ipv4()).or(found.first()).copied();
        let address = address.ok_or_else(|| rsipstack::Error::DnsResolutionError(host.clone()))?;
        Ok(SipAddr { r#type: target.r#type, addr: address.into() })
    }
}

/// What changes between the stack and the wire.
struct Edges;

impl MessageInspector for Edges {
    fn before_send(&self, mut message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        let marker = format!(";tag={NO_TAG}");
        let headers = match &mut message {
            SipMessage::Request(request) => {
                // The stack wrote this one by itself, with a user that it will escape again.
                if let (Method::Ack, Some(auth)) = (request.method, &mut request.uri.auth) {
                    auth.user = message::decoded(&auth.user);
                }
                &mut request.headers
            }
            SipMessage::Response(response) => &mut response.headers,
        };
        for header in headers.iter_mut().filter(|header| matches!(header, Header::From(_) | Header::To(_))) {
            if header.value().contains(&marker) {
                *header = message::header(header.name(), &header.value().replace(&marker, ""));
            }
        }
        message
    }

    fn after_received(&self, mut message: SipMessage, from: Option<&SipAddr>) -> SipMessage {
        // The stack acknowledges an answer at its contact: one that cannot be reached is replaced by where the answer came from.
        let (SipMessage::Response(response), Some(from)) = (&mut message, from) else { return message };
        let Some(address) = from.get_socketaddr().ok().filter(|_| field(&response.headers, "Record-Route").is_none()) else {
            return message;
        };
        let source = Source { transport: Transport::Udp, address };
        for header in response.headers.iter_mut().filter(|header| matches!(header, Header::Contact(_))) {
            let Some(contact) = message::uri(header.value()).map(str::to_owned) else { continue };
            let fixed = state_fixed(&contact, source);
            if fixed != contact {
                *header = message::header("Contact", &header.value().replacen(&contact, &fixed, 1));
            }
        }
        message
    }
}

async fn serve(core: Arc<Core>, mut transactions: mpsc::UnboundedReceiver<Transaction>, calls: mpsc::Sender<Incoming>) {
    loop {
        let transaction = tokio::select! {
            () = core.flows.stop.cancelled() => return,
            transaction = transactions.recv() => transaction,
        };
        let Some(transaction) = transaction else { return };
        let headers = &transaction.original.headers;
        let within = field(headers, "To").and_then(tag).map(str::to_owned);
        match within {
            Some(local_tag) => {
                let call_id = field(headers, "Call-ID").unwrap_or_default().to_owned();
                deliver(&core, LegKey { call_id, local_tag }, transaction);
            }
            None => {
                let (core, calls) = (Arc::clone(&core), calls.clone());
                tokio::spawn(async move { alone(&core, transaction, &calls).await });
            }
        }
    }
}

/// Hands a request to the dialog that it belongs to. Requests of one dialog keep their order.
fn deliver(core: &Arc<Core>, key: LegKey, transaction: Transaction) {
    let refused = match core.leg(&key) {
        Some(leg) => match leg.try_send(transaction) {
            Ok(()) => return,
            Err(mpsc::error::TrySendError::Full(transaction)) => (transaction, 503),
            Err(mpsc::error::TrySendError::Closed(transaction)) => (transaction, 481),
        },
        None => (transaction, 481),
    };
    let core = Arc::clone(core);
    tokio::spawn(async move { core.answer(refused.0, &Answer::of(refused.1)).await });
}

/// Answers a request that belongs to no dialog.
async fn alone(core: &Arc<Core>, transaction: Transaction, calls: &mpsc::Sender<Incoming>) {
    let Some(source) = message::source(&transaction) else { return core.answer(transaction, &Answer::of(400)).await };
    let headers = &transaction.original.headers;
    let missing: Vec<&str> =
        list(headers, "Require").chain(list(headers, "Proxy-Require")).filter(|one| !one.eq_ignore_ascii_case("timer")).collect();
    if !missing.is_empty() {
        let answer = Answer::of(420).with("Unsupported", missing.join(", "));
        return core.answer(transaction, &answer).await;
    }
    match transaction.original.method {
        Method::Invite => invite(core, transaction, source, calls).await,
        Method::Register => {
            let answer = core.registrar.register(core, &transaction, source).await;
            core.answer(transaction, &answer).await;
        }
        Method::Options => {
            let answer = if core.admission.closing() { Answer::of(503) } else { Answer::of(200).with("Accept", "application/sdp") };
            core.answer(transaction, &answer).await;
        }
        Method::Subscribe => subscription::subscribe(core, transaction, source).await,
        Method::Notify => {
            let summary = subscription::event(headers).and_then(|_| Summary::read(&transaction.original.body));
            let wanted = summary.is_some_and(|summary| core.desk.told(&source, &summary));
            core.answer(transaction, &Answer::of(if wanted { 200 } else { 481 })).await;
        }
        Method::Bye | Method::PRack | Method::Cancel | Method::Update | Method::Info => {
            core.answer(transaction, &Answer::of(481)).await;
        }
        _ => core.answer(transaction, &Answer::of(405)).await,
    }
}

/// What an INVITE is refused with before it is asked who calls.
fn unfit(core: &Core, transaction: &Transaction) -> Option<Answer> {
    let (headers, body) = (&transaction.original.headers, &transaction.original.body);
    if field(headers, "Max-Forwards").is_some_and(|hops| hops.parse() == Ok(0_u32)) {
        return Some(Answer::of(483));
    }
    if !body.is_empty() && message::sdp(headers, body).is_none() {
        return Some(Answer::of(415).with("Accept", "application/sdp"));
    }
    let takes = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        ["application/sdp", "application/*", "*/*"].iter().any(|ours| ours.eq_ignore_ascii_case(kind))
    };
    if field(headers, "Accept").is_some() && !list(headers, "Accept").any(takes) {
        return Some(Answer::of(406));
    }
    session::too_short(&core.config.session, headers).map(|least| Answer::of(422).with("Min-SE", least.to_string()))
}

async fn invite(core: &Arc<Core>, mut transaction: Transaction, source: Source, calls: &mpsc::Sender<Incoming>) {
    if let Some(answer) = unfit(core, &transaction) {
        return core.answer(transaction, &answer).await;
    }
    // Whoever is let in is asked about: not more at once than can be answered soon.
    let busy = Answer::of(503).with("Retry-After", core.admission.retry_after().to_string());
    let Some(deciding) = core.admission.deciding() else {
        auth::refused(core, source, "INVITE", None, Fault::Calls, 503);
        return core.answer(transaction, &busy).await;
    };
    let _ = transaction.send_trying().await; // what cannot be sent now cannot be sent later either
    // Whoever shows or names credentials is a user, also at an address that is a trunk's.
    let peer = match auth::names_a_user(core, &transaction).await {
        true => None,
        false => core.desk.identify(&source).await,
    };
    let caller = match peer {
        Some(peer) => {
            core.admission.trust(source.address.ip());
            Caller::Peer(peer)
        }
        None => match auth::authenticate(core, &transaction, source).await {
            Ok((owner, username)) => Caller::User { owner, username },
            Err(answer) => return core.answer(transaction, &answer).await,
        },
    };
    let place = core.admission.place_in().filter(|_| !core.admission.closing());
    let (Some(place), Ok(room)) = (place, calls.try_reserve()) else {
        auth::refused(core, source, "INVITE", None, Fault::Calls, 503);
        return core.answer(transaction, &busy).await;
    };
    let Some(flow) = core.flows.back(source) else { return };
    room.send(Incoming::Call(dialog::begin(core, transaction, source, flow, caller, (place, deciding))));
}
