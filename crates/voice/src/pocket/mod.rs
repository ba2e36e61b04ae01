//! The handsets of the pocket network: telephones of the test environments, which take calls and make them over real SIP and RTP. What
//! one does with a call is decided by its number.

mod dial;
mod digits;
mod handset;
mod log;
mod mute;
mod scenario;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tandem_app::{
    App,
    handsets::{HandsetCall, HandsetDial, Handsets},
    magic::MagicNumbers,
};
use tandem_kernel::{EnvironmentId, PhoneNumber};
use tandem_media::{Media, play::Speech};
use tandem_sip::{Incoming, Sip};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::near::{Gate, bound};
use log::Log;

pub use scenario::{LONGEST, Scenario, magic_callees_page, scenarios};

/// Calls that handsets make at once in all.
const CALLS: usize = 500;

/// See the module.
pub(crate) struct Pocket {
    app: App,
    sip: Sip,
    /// Where we are called.
    exchange: SocketAddr,
    media: Media,
    gate: Arc<Gate>,
    log: Log,
    dialling: TaskTracker,
    /// The voice of the installation, by which handsets know what it says.
    speech: Arc<dyn Speech>,
}

impl Pocket {
    pub fn new(app: App, sip: Sip, exchange: SocketAddr, media: Media, gate: Arc<Gate>, speech: Arc<dyn Speech>) -> Arc<Self> {
        Arc::new(Self { app, sip, exchange, media, gate, log: Log::default(), dialling: TaskTracker::new(), speech })
    }

    /// Where handsets are called.
    pub fn address(&self) -> SocketAddr {
        bound(&self.sip)
    }

    /// Takes calls until the network is closed.
    pub async fn serve(self: Arc<Self>, mut ringing: mpsc::Receiver<Incoming>) {
        while let Some(Incoming::Call(call)) = ringing.recv().await {
            tokio::spawn(handset::take(self.clone(), call));
        }
    }

    /// Takes no more calls, and hangs up after a while.
    pub async fn stop(&self, patience: Duration) {
        self.sip.clone().stop(patience).await;
    }
}

/// The pocket network as the platform asks for it.
pub(crate) struct Port(pub Arc<Pocket>);

impl Handsets for Port {
    fn calls(&self, environment: EnvironmentId, number: PhoneNumber) -> Vec<HandsetCall> {
        self.0.log.calls(environment, number)
    }

    fn dial(&self, environment: EnvironmentId, dial: &HandsetDial) -> bool {
        let room = self.0.dialling.len() < CALLS;
        if room {
            self.0.dialling.spawn(dial::dial(self.0.clone(), environment, dial.clone()));
        }
        room
    }

    fn magic_numbers(&self) -> Vec<MagicNumbers> {
        scenarios().iter().map(|scenario| scenario.listed("call")).collect()
    }
}
