//! What calls are carried with.

use std::{net::IpAddr, ops::RangeInclusive, sync::Arc, time::Duration};

use tandem_media::play::Speech;
use tandem_sip::{Limits, Listen};

/// What calls are carried with.
#[derive(Clone)]
pub struct VoiceConfig {
    /// Where SIP is listened for.
    pub listen: Vec<Listen>,
    /// The realm of credentials: devices' hashes are made with it.
    pub realm: String,
    /// Whether challenges offer SHA-256 beside MD5.
    pub sha256: bool,
    /// Where media sockets are bound.
    pub media_address: IpAddr,
    /// What descriptions tell, where that differs.
    pub media_advertised: Option<IpAddr>,
    /// The ports of media.
    pub media_ports: RangeInclusive<u16>,
    /// After how long without a packet from either side an answered call is ended.
    pub silence: Duration,
    /// What speaks.
    pub speech: Arc<dyn Speech>,
    /// What is let in.
    pub limits: Limits,
    /// The authorities that trunks' certificates are trusted by; without it none is reached by TLS.
    pub trust: Option<Arc<rustls::ClientConfig>>,
}
