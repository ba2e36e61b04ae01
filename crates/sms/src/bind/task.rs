//! The life of a bind: connecting, working, waiting, and again.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tandem_app::messages::gateway::{Lost, Taken};
use tandem_kernel::{Clock, Rng};
use tokio::time::{Instant, sleep_until};

use super::{
    Config, Part, Phase, Report, State, Wires, connect, count,
    session::{Session, Why},
};

/// The first pause after a connection that broke, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// How long a connection must have held for the pauses to begin anew.
const HELD: Duration = Duration::from_secs(5);

/// What a bind keeps from one connection to the next.
pub(super) struct Keep {
    pub config: Arc<Config>,
    pub wires: Wires,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    /// Parts that go before all others: their answers were lost, or they came at a bad moment. By the order in which they came.
    pub held: BTreeMap<u64, Part>,
    pub tickets: u64,
    pub sessions: u64,
}

/// Runs a bind until it is told to end; returns the parts whose answers were lost and which only one of the same SMSC may submit.
pub async fn run(config: Arc<Config>, wires: Wires, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Vec<Part> {
    let mut keep = Keep { config, wires, clock, rng, held: BTreeMap::new(), tickets: 0, sessions: 0 };
    let mut pause = PAUSES.0;
    while *keep.wires.phase.borrow() == Phase::Running {
        keep.enter(State::Connecting);
        let (began, before) = (Instant::now(), keep.wires.gauges.accepted.load(Ordering::Relaxed));
        let connecting = connect::connect(&keep.config);
        let ending = ended(keep.wires.phase.clone());
        let connected = tokio::select! {
            connected = connecting => connected,
            () = ending => break,
        };
        match connected {
            Ok(pipe) => {
                count(&keep.wires.gauges.binds);
                keep.sessions += 1;
                keep.enter(State::Bound);
                tracing::info!(smsc = %keep.config.id, "bound");
                let why = Session::new(&mut keep, pipe).run().await;
                match why {
                    Why::Ended => break,
                    Why::Broken(fault) => keep.note(&fault),
                }
            }
            Err(fault) => keep.note(&fault),
        }
        // A connection that carried something is worth having back soon, however short it was.
        if began.elapsed() >= HELD || keep.wires.gauges.accepted.load(Ordering::Relaxed) > before {
            pause = PAUSES.0;
        }
        keep.let_go().await;
        keep.wait(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
    keep.finish().await
}

async fn ended(mut phase: tokio::sync::watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| *phase == Phase::Ending).await; // a sender that is gone means the same
}

impl Keep {
    fn enter(&self, state: State) {
        self.wires.gauges.set_state(state);
        self.wires.changed.notify_one();
    }

    fn note(&self, fault: &str) {
        tracing::warn!(smsc = %self.config.id, fault, "a bind broke");
        self.wires.gauges.set_error(fault.to_owned());
    }

    /// Keeps a part in the order in which it came.
    pub fn hold(&mut self, ticket: u64, part: Part) {
        self.held.insert(ticket, part);
    }

    /// Gives back what certainly was not submitted, so that others may, and gives up what nobody asks for any more.
    async fn let_go(&mut self) {
        for (ticket, part) in std::mem::take(&mut self.held) {
            if !part.outgoing.again {
                self.conclude(&part, Taken::NotSent).await;
            } else if part.is_lost() {
                self.conclude(&part, Taken::Lost(Lost::NoAnswer)).await;
            } else {
                self.held.insert(ticket, part);
            }
        }
    }

    /// Tells what became of a part.
    pub async fn conclude(&self, part: &Part, outcome: Taken) {
        self.report(Report::Submitted(part.told(self.config.id, &outcome))).await;
    }

    pub async fn report(&self, report: Report) {
        if self.wires.reports.send(report).await.is_err() {
            tracing::error!(smsc = %self.config.id, "nobody hears what became of a message; it is taken up at the next start");
        }
    }

    /// Waits between two connections. What is handed over meanwhile goes back, unless only this bind may submit it.
    async fn wait(&mut self, pause: Duration) {
        self.enter(State::Waiting);
        let mut dice = [0; 2];
        self.rng.fill(&mut dice);
        // Between half of the pause and one and a half of it, so that not all binds of all processes come back at once.
        let jittered = pause / 2 + pause * u32::from(u16::from_be_bytes(dice)) / u32::from(u16::MAX);
        let until = Instant::now() + jittered;
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                part = self.wires.parts.recv() => match part {
                    Some(part) if part.outgoing.again => {
                        self.tickets += 1;
                        self.held.insert(self.tickets, part);
                    }
                    Some(part) => self.conclude(&part, Taken::NotSent).await,
                    None => return,
                },
                _ = self.wires.acks.recv() => {} // of a connection that is gone; the SMSC delivers it again
                changed = self.wires.phase.changed() => if changed.is_err() || *self.wires.phase.borrow() == Phase::Ending { return },
            }
        }
    }

    async fn finish(mut self) -> Vec<Part> {
        self.wires.parts.close();
        while let Some(part) = self.wires.parts.recv().await {
            self.tickets += 1;
            self.held.insert(self.tickets, part);
        }
        self.let_go().await;
        self.enter(State::Ended);
        self.held.into_values().collect()
    }
}
