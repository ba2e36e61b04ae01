//! Answers every call from this machine, for trying things by hand: `cargo run -p tandem-sip --example answer`, then
//! `sipp -sn uac 127.0.0.1:PORT`.
use std::sync::Arc;

use async_trait::async_trait;
use tandem_sip::{
    Binding, Config, Credentials, Desk, Incoming, Listen, NotStored, Notice, OwnerId, PeerId, Sip, Source, Transport,
};

struct Anybody;

#[async_trait]
impl Desk for Anybody {
    async fn credentials(&self, _: &str, _: &str) -> Option<Credentials> {
        None
    }

    async fn identify(&self, source: &Source) -> Option<PeerId> {
        source.address.ip().is_loopback().then(|| PeerId("loopback".to_owned()))
    }

    async fn bindings(&self, _: &OwnerId) -> Result<Vec<Binding>, NotStored> {
        Ok(Vec::new())
    }

    async fn store(&self, _: &OwnerId, _: Vec<Binding>) -> Result<(), NotStored> {
        Ok(())
    }

    fn notice(&self, _: Notice) {}
}

const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5060".to_owned()).parse()?;
    let listen = vec![Listen::on(Transport::Udp, address), Listen::on(Transport::Tcp, address)];
    let mut config = Config::new(listen, "example");
    (config.limits.trusted_rate, config.limits.total_rate) = (100_000, 100_000);
    (config.limits.source_burst, config.limits.total_burst, config.limits.calls) = (100_000, 100_000, 100_000);
    let (sip, mut calls) = Sip::start(config, Arc::new(Anybody)).await?;
    while let Some(Incoming::Call(call)) = calls.recv().await {
        tokio::spawn(async move {
            call.ring(180, None).await;
            if let Ok(mut dialog) = call.answer(SDP.to_vec()).await {
                while dialog.next().await.is_some() {}
            }
        });
        tracing::debug!(load = ?sip.load(), "a call");
    }
    Ok(())
}
