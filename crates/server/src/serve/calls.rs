//! Calls: where SIP is listened for, and with which media.

use std::{sync::Arc, time::Duration};

use tandem_app::App;
use tandem_media::play::Espeak;
use tandem_sip::{Limits, Listen, Transport};
use tandem_voice::VoiceConfig;

use super::tls::{self, Certificate};
use crate::{
    config::{Config, Voice},
    failure::{Failure, Result},
};

/// Texts that are spoken at once, and bytes of those that are kept.
const SPEAKING: usize = 2;
const SPOKEN: usize = 32 << 20;

/// Calls that are decided about at once. With more of them those that were let in would wait for the database too long.
const UNDECIDED: usize = 256;

/// Begins to take calls, where that is wanted.
///
/// # Errors
/// An address that cannot be listened on, TLS without a certificate.
pub async fn start(app: &App, config: &Config, certificate: Option<&Certificate>) -> Result<Option<tandem_voice::Voice>> {
    let mut wanted = config.voice.clone();
    if config.demo && wanted.listen.is_empty() {
        wanted.listen = Voice::of_a_demonstration();
    }
    let listeners = wanted.listeners()?;
    let Some((_, first)) = listeners.first() else { return Ok(None) };
    let media_address = first.ip();
    let listen = listeners.into_iter().map(|(transport, address)| {
        let mut listen = Listen::on(transport, address);
        listen.advertised = wanted.advertise.map(|told| (told, address.port()).into());
        if matches!(transport, Transport::Tls | Transport::Wss) {
            listen.tls = Some(certificate.ok_or_else(missing_certificate)?.for_sip());
        }
        Ok(listen)
    });
    let most = usize::try_from(wanted.calls).unwrap_or(usize::MAX);
    let voice = VoiceConfig {
        listen: listen.collect::<Result<Vec<Listen>>>()?,
        realm: Voice::realm().to_owned(),
        sha256: wanted.sha256,
        media_address,
        media_advertised: wanted.advertise,
        media_ports: wanted.ports()?,
        silence: Duration::from_secs(wanted.silence_seconds.into()),
        speech: Arc::new(Espeak::new("espeak-ng".into(), std::env::temp_dir(), SPEAKING, SPOKEN)),
        limits: Limits {
            // Each call has two sides at least: those that come in do not take the room of those that they lead to.
            calls: most.saturating_mul(2),
            incoming: most,
            undecided: UNDECIDED,
            source_rate: wanted.source_rate,
            source_burst: wanted.source_rate.saturating_mul(2),
            ..Limits::default()
        },
        trust: Some(tls::trust(wanted.authorities.as_deref())?),
    };
    let started = tandem_voice::Voice::start(app.clone(), voice).await;
    started.map(Some).map_err(|fault| Failure::new(fault.to_string()).hint("voice.listen says where SIP is answered"))
}

fn missing_certificate() -> Failure {
    Failure::new("voice.listen has tls, and there is no certificate").hint("set [tls], or make one with `tandem admin dev-cert`")
}

/// The address of the first listener: what others are told.
pub fn address(voice: &tandem_voice::Voice) -> Option<std::net::SocketAddr> {
    voice.addresses().first().map(|bound| bound.advertised)
}
