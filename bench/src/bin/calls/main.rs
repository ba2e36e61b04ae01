//! What `bench/voice` needs beside sipp: the bare SIP stack, and calls that speak.
//!
//! `calls bare ADDRESS` answers every INVITE with the SIP stack alone.
//!
//! `calls talk SERVER NUMBER ADDRESS CALLS SECONDS` calls a number so many times, takes the calls at the address where the number leads,
//! lets both ends of all calls speak for so long, and prints what arrived, as JSON.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measurement is printed")]

mod rtp;
mod talk;

use std::{env, error::Error, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use tandem_sip::{
    Binding, Config, Credentials, Desk, Event, Incoming, Listen, NotStored, Notice, OwnerId, PeerId, Sip, Source, Transport,
};
use tokio::sync::mpsc::Receiver;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare", address] => bare(address.parse()?).await,
        ["talk", server, number, address, calls, seconds] => {
            talk::talk(server.parse()?, number, address.parse()?, calls.parse()?, seconds.parse()?).await
        }
        _ => Err("calls bare ADDRESS, or calls talk SERVER NUMBER ADDRESS CALLS SECONDS".into()),
    }
}

/// A SIP stack that lets everybody in, without limits that a measurement would meet.
async fn stack(address: SocketAddr) -> Result<(Sip, Receiver<Incoming>)> {
    let mut config = Config::new(vec![Listen::on(Transport::Udp, address)], "bench");
    config.session.expires = 0;
    let limits = &mut config.limits;
    (limits.source_rate, limits.source_burst, limits.trusted_rate) = (1_000_000, 1_000_000, 1_000_000);
    (limits.total_rate, limits.total_burst, limits.calls) = (1_000_000, 1_000_000, 1_000_000);
    Ok(Sip::start(config, Arc::new(Open)).await?)
}

/// Answers calls, and knows nothing else of them.
async fn bare(address: SocketAddr) -> Result<()> {
    let (_sip, mut incoming) = stack(address).await?;
    while let Some(arrived) = incoming.recv().await {
        let Incoming::Call(call) = arrived;
        let sdp = rtp::description(SocketAddr::new(address.ip(), 9));
        tokio::spawn(async move {
            let Ok(mut dialog) = call.answer(sdp).await else { return };
            while let Some(event) = dialog.next().await {
                if matches!(event, Event::Ended(_)) {
                    break;
                }
            }
        });
    }
    Ok(())
}

/// A desk that knows everybody.
struct Open;

#[async_trait]
impl Desk for Open {
    async fn credentials(&self, _: &str, _: &str) -> Option<Credentials> {
        None
    }

    async fn identify(&self, _: &Source) -> Option<PeerId> {
        Some(PeerId("anybody".to_owned()))
    }

    async fn bindings(&self, _: &OwnerId) -> std::result::Result<Vec<Binding>, NotStored> {
        Ok(Vec::new())
    }

    async fn store(&self, _: &OwnerId, _: Vec<Binding>) -> std::result::Result<(), NotStored> {
        Err(NotStored::Full)
    }

    fn notice(&self, _: Notice) {}
}
