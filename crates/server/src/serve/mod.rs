//! A running server: its parts put together in order, and taken apart in the opposite one.

mod calls;
mod listen;
mod parts;
pub mod ready;
mod recordings;
mod secret;
mod stock;
mod tasks;
pub mod tls;
mod web;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tandem_app::{App, carrier::Carriers, due, housekeeping, keys};
use tandem_kernel::{Clock, OsRng, Rng, SystemClock};
use tandem_sms::Sms;
use tandem_voice::Voice;
use tandem_webhooks::{Http, System};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    config::Config,
    demo::{self, Demo},
    failure::{At, Failure, Result},
    metrics,
};

pub use parts::{carriers, prepare_data_dir};
pub use web::is_ready;

use self::{listen::Front, ready::ReadyFile, tasks::Tasks, tls::Certificate};

/// How often a server that is starting asks itself whether it answers, and how often at the most.
const PROBE: (Duration, u32) = (Duration::from_millis(50), 600);
/// How long background tasks get for what they are at.
const TASKS: Duration = Duration::from_secs(5);

/// What a server is started from. Everything but the configuration is as usual unless a test says otherwise.
pub struct Setup {
    /// What the operator set.
    pub config: Config,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// The secure generator.
    pub rng: Arc<dyn Rng>,
    /// The carriers; the built-in ones if none.
    pub carriers: Option<Carriers>,
}

impl From<Config> for Setup {
    fn from(config: Config) -> Self {
        Self { config, clock: Arc::new(SystemClock), rng: Arc::new(OsRng), carriers: None }
    }
}

/// A server that answers.
pub struct Running {
    /// Where it answers HTTP.
    pub addr: SocketAddr,
    /// Where it answers HTTPS.
    pub tls_addr: Option<SocketAddr>,
    /// Where it answers with its metrics, if that is a place of its own.
    pub metrics_addr: Option<SocketAddr>,
    /// Where the SMSC of the pocket network answers.
    pub smpp_addr: Option<SocketAddr>,
    /// Where SIP is answered, if it is.
    pub sip_addr: Option<SocketAddr>,
    /// How clients reach it.
    pub base_url: String,
    /// An operator's key: at the first start, and always for a demonstration.
    pub operator_key: Option<String>,
    /// The demonstration account.
    pub demo: Option<Demo>,
    /// The platform.
    pub app: App,
    certificate: Option<Certificate>,
    fronts: Vec<Arc<Front>>,
    listeners: Vec<JoinHandle<()>>,
    tasks: Option<Tasks>,
    voice: Option<Voice>,
    ready: Option<ReadyFile>,
    patience: Duration,
}

/// The sockets, bound before anything else: an address in use is the commonest mistake and should be told at once.
struct Sockets {
    plain: TcpListener,
    tls: Option<TcpListener>,
    certificate: Option<Certificate>,
    metrics: Option<TcpListener>,
}

/// Starts a server. It answers when this returns.
///
/// # Errors
/// Whatever keeps it from starting, in words for the operator.
pub async fn start(setup: impl Into<Setup> + Send) -> Result<Running> {
    let Setup { config, clock, rng, carriers: given } = setup.into();
    let recorder = metrics::recorder()?;
    let sockets = Sockets::bind(&config).await?;
    let smpp = listen::bind(&config.pocket.smpp_listen).await?;
    let app = parts::app(&config, clock, rng, given.unwrap_or_else(carriers), true).await?;
    send_mail(&app, &config)?;
    recordings::open(&app, &config).await?;
    let sms = Sms::new(&app, smpp, config.applications()).at("cannot tell", "the address")?;
    if let Some(left) = &config.ready_file {
        ready::forget(left)?; // of a server that was killed
    }
    let mut tasks = Tasks::new();
    keep(&mut tasks, &app, recorder);
    keep_delivering(&mut tasks, &app, &config);
    keep_messages(&mut tasks, &sms);
    let (operator_key, demo) = match prepare(&app, &config).await {
        Ok(keys) => keys,
        Err(fault) => {
            tasks.finish(TASKS).await;
            app.store.close().await;
            return Err(fault);
        }
    };
    let certificate = sockets.certificate.clone();
    let mut running = serve(&app, &config, recorder, sockets, tasks)?;
    running.carry(calls::start(&app, &config, certificate.as_ref()).await?);
    (running.operator_key, running.demo, running.smpp_addr) = (operator_key, demo, Some(sms.address()));
    stock::build_grams(&app);
    running.check().await?;
    if let Some(path) = &config.ready_file {
        running.ready = Some(ReadyFile::write(path, &running.description())?);
    }
    Ok(running)
}

/// The platform without a server, for the command line: it may run beside one.
///
/// # Errors
/// What the database and the file system say.
pub async fn office(config: &Config) -> Result<App> {
    parts::app(config, Arc::new(SystemClock), Arc::new(OsRng), carriers(), false).await
}

impl Sockets {
    async fn bind(config: &Config) -> Result<Self> {
        let plain = listen::bind(&config.listen).await?;
        let secure = config.tls.listen.is_some() || config.voice.is_secure();
        let certificate = if secure { Some(Certificate::load(tls::Files::of(config))?) } else { None };
        let tls = match &config.tls.listen {
            Some(address) => Some(listen::bind(address).await?),
            None => None,
        };
        let metrics = match &config.metrics.listen {
            Some(address) => Some(listen::bind(address).await?),
            None => None,
        };
        Ok(Self { plain, tls, certificate, metrics })
    }
}

/// Everything that has to be there before the first request: numbers, the index, keys.
async fn prepare(app: &App, config: &Config) -> Result<(Option<String>, Option<Demo>)> {
    stock::seed(app).await?;
    let demo = if config.demo { Some(demo::ensure(app, &config.data_dir).await?) } else { None };
    stock::load(app).await?;
    let first = keys::first_operator(app).await?.map(|minted| minted.text.as_str().to_owned());
    let operator_key = demo.as_ref().map(|demo| demo.operator_key.clone()).or(first);
    Ok((operator_key, demo))
}

/// The work that goes on in the background, from before the inventory is read: housekeeping follows what others change meanwhile.
fn keep(tasks: &mut Tasks, app: &App, recorder: &'static metrics_exporter_prometheus::PrometheusHandle) {
    let of = app.clone();
    tasks.keep("journal", move |stop| {
        let app = of.clone();
        async move { app.journal.run(app.store.clone(), stop).await }
    });
    let of = app.clone();
    tasks.keep("due work", move |stop| due::run(of.clone(), stop));
    let of = app.clone();
    tasks.keep("housekeeping", move |stop| housekeeping::run(of.clone(), stop));
    let of = app.clone();
    tasks.keep("recordings", move |stop| tandem_app::recordings::run(of.clone(), stop));
    let of = app.clone();
    tasks.keep("gauges", move |stop| metrics::run(of.clone(), recorder, stop));
}

/// The delivery of events to webhooks, whose guarded client also fetches media.
fn keep_delivering(tasks: &mut Tasks, app: &App, config: &Config) {
    let (of, settings) = (app.clone(), config.webhooks.clone());
    let http = Arc::new(Http::new(Arc::new(System), settings.limits()));
    app.fetcher.set(http.clone());
    tasks.keep("webhooks", move |stop| tandem_webhooks::run(of.clone(), http.clone(), settings.options(), stop));
}

/// Hands e-mails to the relay, where one is configured.
fn send_mail(app: &App, config: &Config) -> Result<()> {
    if let Some(url) = &config.mail.smtp {
        let relay = tandem_mail::Relay::new(url, &config.mail.from).map_err(|fault| Failure::new(format!("[mail]: {fault}")))?;
        app.post_office.set(relay.shared());
    }
    Ok(())
}

/// The binds to SMSCs, and the one of the pocket network.
fn keep_messages(tasks: &mut Tasks, sms: &Sms) {
    let of = sms.clone();
    tasks.keep("pocket SMSC", move |stop| of.clone().serve_pocket(stop));
    let of = sms.clone();
    tasks.keep("messages", move |stop| of.clone().run(stop));
}

fn serve(
    app: &App,
    config: &Config,
    recorder: &'static metrics_exporter_prometheus::PrometheusHandle,
    sockets: Sockets,
    tasks: Tasks,
) -> Result<Running> {
    let here = |listener: &TcpListener| listener.local_addr().at("cannot tell", "the address");
    let addr = here(&sockets.plain)?;
    let separate = sockets.metrics.is_some();
    let front = Arc::new(Front::new(web::router(app, config, recorder, !separate), &config.limits));
    let mut running = Running {
        addr,
        tls_addr: sockets.tls.as_ref().map(here).transpose()?,
        metrics_addr: sockets.metrics.as_ref().map(here).transpose()?,
        smpp_addr: None,
        sip_addr: None,
        voice: None,
        base_url: listen::base_url(config, addr),
        operator_key: None,
        demo: None,
        app: app.clone(),
        certificate: sockets.certificate.clone(),
        fronts: vec![front.clone()],
        listeners: vec![tokio::spawn(front.clone().take(sockets.plain, None))],
        tasks: Some(tasks),
        ready: None,
        patience: Duration::from_secs(config.limits.shutdown_seconds.into()),
    };
    if let Some(listener) = sockets.tls {
        running.listeners.push(tokio::spawn(front.take(listener, sockets.certificate)));
    }
    if let Some(listener) = sockets.metrics {
        let front = Arc::new(Front::new(web::metrics(app, recorder, false), &config.limits));
        running.fronts.push(front.clone());
        running.listeners.push(tokio::spawn(front.take(listener, None)));
    }
    Ok(running)
}

impl Running {
    /// What the ready file says.
    #[must_use]
    pub fn description(&self) -> Value {
        let accounts: Vec<Value> = self.demo.iter().map(Demo::description).collect();
        let smpp = self.smpp_addr.map(|address| address.to_string());
        let sip = self.sip_addr.map(|address| address.to_string());
        json!({ "base_url": self.base_url, "operator_key": self.operator_key, "smpp": smpp, "sip": sip, "accounts": accounts })
    }

    /// Carries calls from now on, and says so as long as it does: otherwise others would take this process for dead and end its calls.
    fn carry(&mut self, voice: Option<Voice>) {
        self.sip_addr = voice.as_ref().and_then(calls::address);
        if let (Some(_), Some(tasks)) = (&voice, &mut self.tasks) {
            let of = self.app.clone();
            tasks.keep("calls", move |stop| tandem_app::calls::keep_alive(of.clone(), stop));
        }
        self.voice = voice;
    }

    /// Where SIP is answered, with the transport of each place.
    #[must_use]
    pub fn sip_addresses(&self) -> Vec<(String, SocketAddr)> {
        let bound = self.voice.iter().flat_map(Voice::addresses);
        bound.map(|bound| (bound.transport.to_string(), bound.address)).collect()
    }

    /// Reads the certificate again.
    pub fn reload(&self) {
        if let Some(certificate) = &self.certificate {
            certificate.reload();
        }
    }

    /// Finishes what is under way, no longer than the configured time, and closes everything. What was answered is in the store.
    pub async fn stop(mut self) {
        self.ready = None; // whoever waits for the file must not come now
        self.app.begin_stopping();
        for front in &self.fronts {
            front.close(self.patience).await;
        }
        if let Some(voice) = self.voice.take() {
            voice.stop(self.patience).await;
        }
        for listener in std::mem::take(&mut self.listeners) {
            let _ = listener.await; // it can only have ended
        }
        if let Some(tasks) = self.tasks.take() {
            tasks.finish(TASKS).await;
        }
        self.app.archive.close();
        self.app.journal.flush(&self.app.store).await;
        self.app.store.close().await;
    }

    /// Waits until the server answers over its own socket that it is ready.
    async fn check(&self) -> Result<()> {
        let (pause, most) = PROBE;
        for _ in 0..most {
            if web::is_ready(self.addr).await {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        Err(Failure::new(format!("the server does not answer on {}", self.addr)))
    }
}

/// A server that is dropped without being stopped takes no more connections; what is under way is cut.
impl Drop for Running {
    fn drop(&mut self) {
        self.fronts.iter().for_each(|front| front.cut());
    }
}
