//! Where streams, conferences and recordings come from.

use std::{net::IpAddr, ops::RangeInclusive, sync::Arc, time::Duration};

use tandem_kernel::{Clock, OsRng, Rng, SystemClock};
use tokio::sync::mpsc;

use crate::{
    Conference, ConferenceOptions, Driver, MediaError, Stream, StreamEvent, TokioDriver,
    ports::Ports,
    record::{self, Recording, Spec},
    sdp::Local,
    stream::{Parts, Shared},
};

/// Events of a stream that wait for its owner; what is beyond that is lost.
const EVENTS: usize = 128;

/// What media are made of.
#[derive(Clone)]
pub struct MediaConfig {
    /// Where sockets are bound.
    pub address: IpAddr,
    /// What descriptions tell, where that differs.
    pub advertised: IpAddr,
    /// The ports that streams may use: an even one and the next for each.
    pub ports: RangeInclusive<u16>,
    /// After how long without a packet a stream tells that it is silent.
    pub silence: Duration,
    /// The machine's clock, for reports.
    pub clock: Arc<dyn Clock>,
    /// Where keys, ports and first numbers come from.
    pub rng: Arc<dyn Rng>,
    /// Who moves packets.
    pub driver: Arc<dyn Driver>,
}

impl MediaConfig {
    /// The usual parts at an address.
    #[must_use]
    pub fn new(address: IpAddr, ports: RangeInclusive<u16>) -> Self {
        Self {
            address,
            advertised: address,
            ports,
            silence: Duration::from_secs(30),
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRng),
            driver: Arc::new(TokioDriver),
        }
    }
}

/// See the module. A handle: clones are the same.
#[derive(Clone)]
pub struct Media {
    config: MediaConfig,
    ports: Arc<Ports>,
    parts: Arc<Parts>,
    writer: Arc<record::Writer>,
}

impl Media {
    /// Media that have opened nothing yet.
    #[must_use]
    pub fn new(config: MediaConfig) -> Self {
        let ports = Ports::new(config.address, &config.ports, config.rng.as_ref());
        let parts = Arc::new(Parts { clock: config.clock.clone(), rng: config.rng.clone(), silence: config.silence });
        Self { config, ports, parts, writer: Arc::default() }
    }

    /// A stream on a free pair of ports, and what it tells. On a runtime of tokio.
    ///
    /// # Errors
    /// [`MediaError::PortsExhausted`] and [`MediaError::Socket`].
    pub fn stream(&self) -> Result<(Stream, mpsc::Receiver<StreamEvent>), MediaError> {
        let (lease, rtp, rtcp) = self.ports.take()?;
        let wire = self.config.driver.open(rtp, rtcp).map_err(MediaError::Socket)?;
        let local = Local { address: self.config.advertised, port: lease.port, rtcp: lease.port + 1 };
        let (events, receiver) = mpsc::channel(EVENTS);
        Ok((Stream::new(Shared::new(local, lease, wire, self.parts.clone(), events)), receiver))
    }

    /// How many pairs of ports are in use.
    #[must_use]
    pub fn ports_used(&self) -> usize {
        self.ports.used()
    }

    /// A conference without members. On a runtime of tokio.
    #[must_use]
    pub fn conference(&self, options: ConferenceOptions) -> Conference {
        Conference::new(options)
    }

    /// A recording, once its file is open.
    ///
    /// # Errors
    /// [`MediaError::UnsupportedFormat`] and [`MediaError::Recording`].
    pub async fn record(&self, spec: Spec) -> Result<Recording, MediaError> {
        self.writer.begin(spec).await
    }

    /// Where randomness comes from, for [`crate::sdp::Session`].
    #[must_use]
    pub fn rng(&self) -> Arc<dyn Rng> {
        self.config.rng.clone()
    }
}
