//! What all calls share, and the loop that takes them in.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tandem_app::{
    App,
    calls::{MadeCall, Obeyed, Order, Switchboard},
};
use tandem_domain::{trunk::Trunk, verification::Locale};
use tandem_kernel::CallId;
use tandem_media::{
    Media, MediaConfig,
    play::{Speech, SpeechError, Utterance},
};
use tandem_sip::{Bound, Caller, Config, Incoming, IncomingCall, Sip};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    arrival::{self, Arrival},
    board::{Board, Carried},
    call::{self, Call},
    config::VoiceConfig,
    desk::{Callers, Known, Reception},
    lamps::{self, News},
    lines::Lines,
    near::Near,
    pocket::Port,
    refusal::{because, refusal},
    rooms::{self, Floor, Rooms},
    trunks,
};

/// How long a call may take to be written when everything ends.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why calls cannot be carried.
#[derive(Debug)]
pub enum VoiceFault {
    /// SIP could not be listened for.
    Sip(tandem_sip::StartError),
}

impl fmt::Display for VoiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(fault) => write!(f, "calls cannot be taken: {fault}"),
        }
    }
}

impl std::error::Error for VoiceFault {}

/// What calls have in common.
pub(crate) struct House {
    pub app: App,
    pub sip: Sip,
    pub media: Media,
    /// The installation's own network.
    pub near: Near,
    pub callers: Arc<Callers>,
    pub board: Board,
    pub carried: Carried,
    pub lines: Lines,
    pub speech: Arc<dyn Speech>,
    /// The rooms of conferences.
    pub rooms: Rooms,
    /// What telephones have to be told about waiting messages.
    pub news: Arc<News>,
    /// Telephones that are told just now.
    pub telling: Arc<Semaphore>,
    /// Ends all calls.
    pub over: CancellationToken,
    /// Recordings whose calls are over, while they are written down.
    pub takes: TaskTracker,
}

impl House {
    /// The media that whoever calls can reach.
    pub fn media_of(&self, caller: &IncomingCall) -> &Media {
        if self.near.caller(caller).is_some() { &self.near.media } else { &self.media }
    }

    /// Our address as others are told it.
    pub fn host(&self) -> String {
        self.sip.addresses().first().map(|bound| bound.advertised.to_string()).unwrap_or_default()
    }

    /// The same without a port.
    pub fn name(&self) -> String {
        self.sip.addresses().first().map(|bound| bound.advertised.ip().to_string()).unwrap_or_default()
    }

    /// The trunk that brings a call, where one does.
    pub fn trunk_of(&self, call: &IncomingCall) -> Option<Arc<Trunk>> {
        let known = match call.caller() {
            Caller::Peer(peer) => self.callers.get(&peer.0),
            Caller::User { owner, .. } => self.callers.get(&owner.0),
        };
        if let Some(Known::Trunk(trunk)) = known { Some(trunk) } else { None }
    }
}

/// Carries calls.
pub struct Voice {
    house: Arc<House>,
    calls: TaskTracker,
}

impl Voice {
    /// Listens for calls. On a runtime of tokio.
    ///
    /// # Errors
    /// Where an address cannot be listened on.
    pub async fn start(app: App, config: VoiceConfig) -> Result<Self, VoiceFault> {
        let (callers, news) = (Arc::new(Callers::default()), Arc::new(News::default()));
        let desk = Arc::new(Reception::new(app.clone(), callers.clone(), news.clone(), &config));
        let (near, inside) = Near::start(&app, &config).await.map_err(VoiceFault::Sip)?;
        let mut sip = Config::new(config.listen, &config.realm);
        (sip.limits, sip.sha256, sip.trust) = (config.limits, config.sha256, config.trust);
        let (sip, incoming) = Sip::start(sip, desk).await.map_err(VoiceFault::Sip)?;
        let mut media = MediaConfig::new(config.media_address, config.media_ports);
        media.advertised = config.media_advertised.unwrap_or(config.media_address);
        media.silence = config.silence;
        let media = Media::new(media);
        let (board, carried, speech) = (Board::default(), Carried::default(), config.speech);
        let pocket = near.pocket.clone();
        let (rooms, over, takes) = (Rooms::default(), CancellationToken::new(), TaskTracker::new());
        let house = House {
            app,
            sip,
            media,
            near,
            callers,
            board,
            carried,
            lines: Lines::default(),
            speech,
            rooms,
            news,
            telling: lamps::places(),
            over,
            takes,
        };
        let voice = Self { house: Arc::new(house), calls: TaskTracker::new() };
        let desk = Switch { house: voice.house.clone(), calls: voice.calls.clone() };
        if voice.house.app.switchboard.set(Arc::new(desk)).is_err() {
            tracing::warn!("calls are carried by somebody else already: orders go there");
        }
        if voice.house.app.rooms.set(Arc::new(Floor(Arc::downgrade(&voice.house)))).is_err() {
            tracing::warn!("conferences are led by somebody else already");
        }
        tokio::spawn(try_voices(voice.house.clone()));
        tokio::spawn(rooms::keep(voice.house.clone()));
        tokio::spawn(trunks::keep(voice.house.clone()));
        tokio::spawn(lamps::keep(voice.house.clone()));
        let _ = voice.house.app.lamps.set(voice.house.news.clone()); // voice is started once
        let _ = voice.house.app.handsets.set(Arc::new(Port(pocket))); // voice is started once
        for incoming in [incoming, inside] {
            tokio::spawn(take_in(voice.house.clone(), voice.calls.clone(), incoming));
        }
        Ok(voice)
    }

    /// The addresses that are really listened on.
    #[must_use]
    pub fn addresses(&self) -> &[Bound] {
        self.house.sip.addresses()
    }

    /// Calls that go on.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Takes no more calls, waits for those that go on, and ends what is left then.
    pub async fn stop(self, patience: Duration) {
        self.calls.close();
        // New calls are refused, those that are left are hung up.
        tokio::join!(self.house.sip.clone().stop(patience), self.house.near.stop(patience));
        self.house.over.cancel();
        if tokio::time::timeout(LAST_WORDS, self.calls.wait()).await.is_err() {
            tracing::warn!(calls = self.calls.len(), "calls are left to the reconciler");
        }
        self.house.takes.close();
        if tokio::time::timeout(LAST_WORDS, self.house.takes.wait()).await.is_err() {
            tracing::warn!(recordings = self.house.takes.len(), "recordings are left to the next start");
        }
    }
}

/// The port through which the platform gives orders.
struct Switch {
    house: Arc<House>,
    calls: TaskTracker,
}

#[async_trait]
impl Switchboard for Switch {
    async fn carry(&self, made: MadeCall) {
        let (house, carrying) = (self.house.clone(), self.house.carried.note(made.live.id));
        self.calls.spawn(async move {
            call::make(house, made).await;
            drop(carrying);
        });
    }

    async fn speaks(&self, locale: Locale) -> bool {
        speaks(&*self.house.speech, locale).await
    }

    fn carries(&self, id: CallId) -> bool {
        self.house.carried.has(id)
    }

    fn load(&self) -> Vec<(&'static str, usize)> {
        let House { sip, media, near, takes, .. } = &*self.house;
        let tandem_sip::Load { dialogs, calls: _, connections, transactions, backlog } = sip.load();
        vec![
            ("calls", self.calls.len()),
            ("dialogs", dialogs),
            ("connections", connections),
            ("transactions", transactions),
            ("backlog", backlog),
            ("ports", media.ports_used() + near.media.ports_used()),
            ("recordings_ending", takes.len()),
        ]
    }

    async fn order(&self, id: CallId, order: Order) -> tandem_catalogue::Result<Obeyed> {
        self.house.board.order(id, order).await
    }
}

/// Whether a language is spoken here. That there is too much to say at this moment does not count: it passes.
async fn speaks(speech: &dyn Speech, locale: Locale) -> bool {
    let said = speech.say(Utterance { text: "0".to_owned(), language: locale.as_str().to_owned() }).await;
    matches!(said, Ok(_) | Err(SpeechError::Busy | SpeechError::TimedOut))
}

/// Says at the start whether codes can be spoken.
async fn try_voices(house: Arc<House>) {
    for locale in [Locale::En, Locale::Es, Locale::Fr] {
        if !speaks(&*house.speech, locale).await {
            tracing::warn!(
                language = locale.as_str(),
                "nothing speaks this language: codes cannot be said in it, and texts are beeps"
            );
        }
    }
}

async fn take_in(house: Arc<House>, calls: TaskTracker, mut incoming: mpsc::Receiver<Incoming>) {
    while let Some(Incoming::Call(call)) = incoming.recv().await {
        let house = house.clone();
        calls.spawn(serve(house, call));
    }
}

/// Takes one call from its arrival to its end.
async fn serve(house: Arc<House>, mut incoming: IncomingCall) {
    let id = CallId::new(house.app.machine_now(), &*house.app.rng);
    let _carrying = house.carried.note(id);
    let arrival = match arrival::read(&house, &incoming, id).await {
        Ok(arrival) => arrival,
        Err(reason) => {
            tracing::info!(%id, source = %incoming.source(), reason = reason.as_str(), "a call is refused");
            return incoming.refuse(because(reason, id)).await;
        }
    };
    let Arrival { begin, plan, .. } = match arrival.decided() {
        Ok(arrival) => arrival,
        Err(error) => {
            tracing::info!(%id, code = error.code().name(), "a call is refused");
            return incoming.refuse(refusal(&error, id)).await;
        }
    };
    match tandem_app::calls::begin(&house.app, begin).await {
        Ok((live, grant)) => {
            incoming.settled();
            call::watch(Call::taken(house, live, grant, incoming), plan).await;
        }
        Err(error) => {
            tracing::info!(%id, code = error.code().name(), "a call is refused");
            incoming.refuse(refusal(&error, id)).await;
        }
    }
}
