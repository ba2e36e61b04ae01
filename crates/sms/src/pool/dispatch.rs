//! From the queue to the binds.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tandem_app::{
    messages::gateway::{self, Lost, Outgoing, Taken},
    smscs::POCKET,
};
use tandem_catalogue::Result;
use tandem_kernel::{Environment, MessageId, SmscId};
use tandem_store::repo::smscs::{self, Smsc};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    Shared,
    settings::{config_of, fault_of},
};
use crate::{
    bind::{Config, Mode, Part, Report},
    locked,
};

/// Messages that are taken at a time.
const MOST: usize = 500;
/// How long nothing is looked at where nothing happens.
const NAP: Duration = Duration::from_millis(500);
/// How often the store hears that this process is alive, and is asked for what others left.
const BEAT: Duration = Duration::from_secs(2);
/// How often SMSCs are read that another process may have changed.
const READ: Duration = Duration::from_secs(5);
const KINDS: [Environment; 2] = [Environment::Live, Environment::Test];

/// What hands messages out.
struct Dispatch<'a> {
    shared: &'a Arc<Shared>,
    reports: mpsc::Sender<Report>,
    /// Parts that may have been submitted through an SMSC that is not bound here, though it exists.
    homeless: Vec<(SmscId, Part)>,
    /// How far the receipts have been looked through that came before their parts.
    swept: [u8; 16],
}

/// Hands messages out until `stop`, then ends all binds.
pub(super) async fn run(shared: &Arc<Shared>, reports: mpsc::Sender<Report>, mut stop: watch::Receiver<bool>) {
    let (mut beat, mut read) = (None::<Instant>, None::<Instant>);
    let mut dispatch = Dispatch { shared, reports, homeless: Vec::new(), swept: [0; 16] };
    while !*stop.borrow() {
        let now = Instant::now();
        if read.is_none_or(|read| now >= read + READ) {
            read = Some(now);
            note("SMSCs cannot be read", dispatch.refresh().await);
        }
        if beat.is_none_or(|beat| now >= beat + BEAT) {
            beat = Some(now);
            dispatch.recover().await;
        }
        let taken = dispatch.take().await;
        if !taken {
            tokio::select! {
                () = shared.app.outbox.rung() => {}
                () = shared.changed.notified() => {}
                () = shared.stale.notified() => read = None,
                () = sleep(NAP) => {}
                _ = stop.changed() => {}
            }
        }
    }
    dispatch.end().await;
}

fn note(what: &'static str, outcome: Result<()>) {
    if let Err(fault) = outcome {
        tracing::warn!(code = fault.code().name(), report = fault.internal_report(), what);
    }
}

impl Dispatch<'_> {
    /// Takes over what dead processes left, and looks for the binds of what has none.
    async fn recover(&mut self) {
        for kind in KINDS {
            match gateway::recover(&self.shared.app, kind).await {
                Ok(found) => self.hand_over(kind, found).await,
                Err(fault) => note("messages cannot be recovered", Err(fault)),
            }
        }
        for (smsc, part) in std::mem::take(&mut self.homeless) {
            self.homeless.extend(self.shared.place(smsc, part).map(|part| (smsc, part)));
        }
        match gateway::sweep(&self.shared.app, self.swept).await {
            Ok(next) => self.swept = next,
            Err(fault) => note("receipts that came early cannot be looked through", Err(fault)),
        }
    }

    /// Takes what the binds have room for; whether that was anything.
    async fn take(&mut self) -> bool {
        self.shared.flush();
        let mut taken = false;
        for kind in KINDS {
            let routes = self.shared.routes(kind);
            let room: usize = routes.iter().map(|route| route.room).sum();
            match gateway::claim(&self.shared.app, kind, &routes, room.min(MOST)).await {
                Ok(found) => {
                    taken |= !found.is_empty();
                    self.hand_over(kind, found).await;
                }
                Err(fault) => note("messages cannot be taken from the queue", Err(fault)),
            }
        }
        taken
    }

    async fn hand_over(&mut self, kind: Environment, found: Vec<Outgoing>) {
        let mut there: HashMap<MessageId, u8> = HashMap::new();
        for outgoing in &found {
            *there.entry(outgoing.message).or_default() += 1;
        }
        let (mut begun, now) = (HashSet::new(), Instant::now());
        for outgoing in found {
            let smsc = outgoing.smsc.or_else(|| self.shared.guess(kind, &outgoing));
            // A text goes as one where it does so at all; what another SMSC has some parts of goes by parts.
            let all = outgoing.parts > 1 && there.get(&outgoing.message) == Some(&outgoing.parts);
            let whole = all && smsc.is_some_and(|smsc| self.shared.takes_whole(smsc));
            if whole && !begun.insert(outgoing.message) {
                continue; // it goes with the first
            }
            let ends = now + Duration::from_secs(u64::try_from(outgoing.validity).unwrap_or(0));
            self.place(smsc.unwrap_or(POCKET), Part { outgoing, tries: 0, whole, ends }).await;
        }
    }

    async fn place(&mut self, smsc: SmscId, part: Part) {
        if part.is_lost() {
            return self.tell(smsc, &part, &Taken::Lost(Lost::NoAnswer)).await;
        }
        match self.shared.place(smsc, part) {
            None => {}
            Some(part) if part.outgoing.again => self.homeless.push((smsc, part)),
            Some(part) => self.tell(smsc, &part, &Taken::NotSent).await,
        }
    }

    async fn tell(&self, smsc: SmscId, part: &Part, outcome: &Taken) {
        let _ = self.reports.send(Report::Submitted(part.told(smsc, outcome))).await; // whoever hears it lives as long as this
    }

    /// Brings binds and fault rules in step with the store.
    async fn refresh(&mut self) -> Result<()> {
        let shared = self.shared;
        let (kept, rules) = shared.app.store.read(|tx| Ok((smscs::list(tx)?, smscs::faults(tx, None)?))).await?;
        shared.smsc.set_faults(&rules.iter().filter_map(fault_of).collect::<Vec<_>>());
        let wanted = wanted(shared, &kept);
        let stays = |config: &Config| wanted.iter().any(|wanted| wanted == config);
        let leaving: Vec<_> = {
            let mut binds = locked(&shared.binds);
            let gone: Vec<_> = binds.values().filter(|bind| !stays(&bind.config)).map(|bind| bind.config.id).collect();
            gone.into_iter().filter_map(|id| binds.remove(&id)).collect()
        };
        for bind in leaving {
            let id = bind.config.id;
            for part in shared.finish(bind).await {
                self.homeless.push((id, part));
            }
        }
        for config in wanted {
            if !locked(&shared.binds).contains_key(&config.id) {
                shared.start(config, &self.reports);
            }
        }
        self.settle_homeless(&kept).await;
        Ok(())
    }

    /// Finds a bind for what others left. What certainly was not submitted goes back; what may have been goes to the same SMSC, or to
    /// none where that is gone.
    async fn settle_homeless(&mut self, kept: &[Smsc]) {
        let exists = |id: SmscId| id == POCKET || kept.iter().any(|smsc| smsc.id == id && sends(smsc));
        for (smsc, part) in std::mem::take(&mut self.homeless) {
            if part.outgoing.again && !exists(smsc) {
                self.tell(smsc, &part, &Taken::Lost(Lost::Removed)).await;
            } else {
                self.place(smsc, part).await;
            }
        }
    }

    /// Ends all binds. What certainly was not submitted goes back; the rest is taken up at the next start.
    async fn end(self) {
        let binds: Vec<_> = locked(&self.shared.binds).drain().map(|(_, bind)| bind).collect();
        let endings = binds.into_iter().map(|bind| {
            let (shared, id) = (self.shared.clone(), bind.config.id);
            tokio::spawn(async move { (id, shared.finish(bind).await) })
        });
        for ending in endings.collect::<Vec<_>>() {
            let Ok((id, left)) = ending.await else { continue }; // a panic in it was reported
            for part in left.iter().filter(|part| !part.outgoing.again) {
                self.tell(id, part, &Taken::NotSent).await;
            }
        }
    }
}

/// Whether an SMSC takes messages at all.
fn sends(smsc: &Smsc) -> bool {
    Mode::parse(&smsc.settings.mode).is_none_or(Mode::sends)
}

/// The binds that there are to be.
fn wanted(shared: &Shared, kept: &[Smsc]) -> Vec<Config> {
    let mut wanted = vec![shared.pocket_config()];
    for smsc in kept {
        match config_of(&shared.app, smsc) {
            Ok(config) => wanted.push(config),
            Err(fault) => tracing::error!(id = %smsc.id, report = fault.internal_report(), "an SMSC cannot be bound"),
        }
    }
    wanted
}
