//! Calls.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use tandem_domain::digest::REALM;
use tandem_sip::Transport;

use crate::failure::{Failure, Result};

/// Calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Voice {
    /// Where SIP is answered, as `TRANSPORT:ADDRESS:PORT`; calls are neither taken nor made where there is nothing.
    pub listen: Vec<String>,
    /// Authorities that trunks' certificates may be signed by, PEM, beside the system's.
    pub authorities: Option<PathBuf>,
    /// The address that others are told, where it is not the one that is listened on.
    pub advertise: Option<IpAddr>,
    /// The ports of media, as `FIRST-LAST`.
    pub media_ports: String,
    /// Seconds without a packet after which a party counts as silent.
    pub silence_seconds: u32,
    /// Calls at once.
    pub calls: u32,
    /// Whether challenges offer SHA-256 beside MD5.
    pub sha256: bool,
    /// Requests a second from one address that is not a trunk's.
    pub source_rate: u32,
}

impl Default for Voice {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            authorities: None,
            advertise: None,
            media_ports: "20000-29999".to_owned(),
            silence_seconds: 30,
            calls: 2_000,
            sha256: false,
            source_rate: 50,
        }
    }
}

impl Voice {
    /// Where a demonstration answers SIP that says nothing else.
    #[must_use]
    pub fn of_a_demonstration() -> Vec<String> {
        vec!["udp:127.0.0.1:0".to_owned(), "tcp:127.0.0.1:0".to_owned()]
    }

    /// The listeners.
    ///
    /// # Errors
    /// One that is none.
    pub fn listeners(&self) -> Result<Vec<(Transport, SocketAddr)>> {
        self.listen.iter().map(|text| read(text)).collect()
    }

    /// Whether a listener needs the certificate of `[tls]`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        let listeners = self.listeners().unwrap_or_default(); // they were checked when they were read
        listeners.iter().any(|(transport, _)| matches!(transport, Transport::Tls | Transport::Wss))
    }

    /// The ports of media.
    ///
    /// # Errors
    /// What is no range.
    pub fn ports(&self) -> Result<RangeInclusive<u16>> {
        let range = self
            .media_ports
            .split_once('-')
            .and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
        match range {
            Some((first, last)) if first >= 1024_u16 && last > first => Ok(first..=last),
            _ => {
                Err(Failure::new(format!("voice.media_ports: '{}' is no range of ports", self.media_ports))
                    .hint("as \"20000-29999\""))
            }
        }
    }

    /// The realm in which devices and trunks prove their passwords: their hashes are made with it.
    #[must_use]
    pub const fn realm() -> &'static str {
        REALM
    }
}

fn read(text: &str) -> Result<(Transport, SocketAddr)> {
    let parts = text.split_once(':').and_then(|(transport, address)| Some((Transport::named(transport)?, address.parse().ok()?)));
    parts.ok_or_else(|| {
        Failure::new(format!("voice.listen: '{text}' is nowhere to listen"))
            .hint("as \"udp:0.0.0.0:5060\", \"tcp:…\", \"tls:0.0.0.0:5061\", \"ws:…\"")
    })
}
