//! Many calls that speak at once.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::json;
use tandem_sip::{Dial, Dialog, Incoming, Progress, Target, Transport};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time,
};

use crate::{Result, rtp, rtp::Side, stack};

/// Calls that are set up in a second.
const PACE: u32 = 25;
/// How long a call may take to be set up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Parties that wait to be counted.
const WAITING: usize = 64;

/// A party that is there, and the server's port for it.
type Party = (Dialog, u16);

/// Sets up the calls, lets them speak, and says what arrived.
pub async fn talk(server: SocketAddr, number: &str, address: SocketAddr, calls: usize, seconds: u64) -> Result<()> {
    let began = Instant::now();
    let (caller, callee) = (Side::listen(began)?, Side::listen(began)?);
    let (told, mut taken) = mpsc::channel(WAITING);
    let (_callee_sip, incoming) = stack(address).await?;
    tokio::spawn(take(incoming, callee.address()?, told));
    let callers = call(server, number, caller.address()?, calls).await?;
    let mut callees = Vec::new();
    while callees.len() < callers.len() {
        let Ok(Some(party)) = time::timeout(PATIENCE, taken.recv()).await else { break };
        callees.push(party);
    }
    let lasts = Duration::from_secs(seconds);
    let (near, far) = (caller.speak(ports(&callers), lasts), callee.speak(ports(&callees), lasts));
    time::sleep(lasts + Duration::from_secs(1)).await; // what is under way arrives meanwhile
    let sent = near.join().unwrap_or(0) + far.join().unwrap_or(0);
    let heard = caller.heard.packets() + callee.heard.packets();
    let slowest = |thousandths| caller.heard.within(thousandths).max(callee.heard.within(thousandths));
    let silent = caller.heard.silent(&ports(&callers)) + callee.heard.silent(&ports(&callees));
    let report = json!({
        "calls": calls, "set_up": callers.len().min(callees.len()), "sent": sent, "heard": heard,
        "silent": silent,
        "ms_median": slowest(500), "ms_p99": slowest(990), "ms_p999": slowest(999),
    });
    println!("{report}");
    for (dialog, _) in callers {
        let control = dialog.control();
        tokio::spawn(async move { control.bye(Vec::new()).await });
        time::sleep(Duration::from_millis(5)).await; // not all at once
    }
    for (mut dialog, _) in callees {
        let _ = time::timeout(PATIENCE, async { while dialog.next().await.is_some() {} }).await; // gone, or given up
    }
    caller.close();
    callee.close();
    Ok(())
}

fn ports(parties: &[Party]) -> Vec<u16> {
    parties.iter().map(|(_, port)| *port).collect()
}

async fn call(server: SocketAddr, number: &str, sound: SocketAddr, calls: usize) -> Result<Vec<Party>> {
    let (sip, _incoming) = stack(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let (told, mut answered) = mpsc::channel(WAITING);
    let mut pace = time::interval(Duration::from_secs(1) / PACE);
    for _ in 0..calls {
        pace.tick().await;
        let mut dial = Dial::new(&format!("sip:{number}@{server}"), "sip:+14155550199@127.0.0.1", rtp::description(sound));
        dial.target = Target::Host { transport: Transport::Udp, host: server.ip().to_string(), port: Some(server.port()) };
        let (mut outgoing, told) = (sip.dial(dial), told.clone());
        tokio::spawn(async move {
            while let Some(progress) = outgoing.next().await {
                match progress {
                    Progress::Answered { dialog, sdp } => {
                        let port = sdp.as_deref().and_then(rtp::port_of).unwrap_or(9);
                        let _ = told.send((dialog, port)).await; // whoever counts may have stopped
                    }
                    Progress::Ringing { .. } => {}
                    other => eprintln!("not answered: {other:?}"),
                }
            }
        });
    }
    drop(told);
    let mut callers = Vec::new();
    while let Ok(Some(party)) = time::timeout(PATIENCE, answered.recv()).await {
        callers.push(party);
    }
    Ok(callers)
}

async fn take(mut incoming: Receiver<Incoming>, sound: SocketAddr, told: Sender<Party>) {
    while let Some(Incoming::Call(call)) = incoming.recv().await {
        let told = told.clone();
        tokio::spawn(async move {
            let port = call.offer().as_deref().and_then(rtp::port_of).unwrap_or(9);
            if let Ok(dialog) = call.answer(rtp::description(sound)).await {
                let _ = told.send((dialog, port)).await; // whoever counts may have stopped
            }
        });
    }
}
