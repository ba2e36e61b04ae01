//! From the queue to the binds.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tandem_app::messages::gateway::{self, Outgoing, Submitted, Taken};
use tandem_catalogue::Result;
use tandem_kernel::Environment;
use tandem_store::repo::smscs;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    Shared,
    settings::{config_of, fault_of},
};
use crate::{
    bind::{Config, Part, Report},
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

/// Hands messages out until `stop`, then ends all binds.
pub(super) async fn run(shared: &Arc<Shared>, reports: mpsc::Sender<Report>, mut stop: watch::Receiver<bool>) {
    let (mut beat, mut read) = (None::<Instant>, None::<Instant>);
    let mut homeless = Vec::new();
    while !*stop.borrow() {
        let now = Instant::now();
        if read.is_none_or(|read| now >= read + READ) {
            read = Some(now);
            note("SMSCs cannot be read", refresh(shared, &reports).await);
        }
        if beat.is_none_or(|beat| now >= beat + BEAT) {
            beat = Some(now);
            for kind in KINDS {
                match gateway::recover(&shared.app, kind).await {
                    Ok(found) => hand_over(shared, kind, found, &reports, &mut homeless).await,
                    Err(fault) => note("messages cannot be recovered", Err(fault)),
                }
            }
            for (kind, part) in std::mem::take(&mut homeless) {
                homeless.extend(shared.place(kind, part).map(|part| (kind, part)));
            }
        }
        let taken = take(shared, &reports, &mut homeless).await;
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
    let binds: Vec<_> = locked(&shared.binds).drain().map(|(_, bind)| bind).collect();
    let endings = binds.into_iter().map(|bind| {
        let shared = shared.clone();
        tokio::spawn(async move { shared.finish(bind).await })
    });
    for ending in endings.collect::<Vec<_>>() {
        let _ = ending.await; // a panic in it was reported
    }
}

fn note(what: &'static str, outcome: Result<()>) {
    if let Err(fault) = outcome {
        tracing::warn!(code = fault.code().name(), report = fault.internal_report(), what);
    }
}

/// Takes what the binds have room for; whether that was anything.
async fn take(shared: &Arc<Shared>, reports: &mpsc::Sender<Report>, homeless: &mut Vec<(Environment, Part)>) -> bool {
    shared.flush();
    let mut taken = false;
    for kind in KINDS {
        let (routes, room) = shared.routes(kind);
        if room == 0 {
            continue;
        }
        match gateway::claim(&shared.app, kind, &routes, room.min(MOST)).await {
            Ok(found) => {
                taken |= !found.is_empty();
                hand_over(shared, kind, found, reports, homeless).await;
            }
            Err(fault) => note("messages cannot be taken from the queue", Err(fault)),
        }
    }
    taken
}

async fn hand_over(
    shared: &Arc<Shared>,
    kind: Environment,
    found: Vec<Outgoing>,
    reports: &mpsc::Sender<Report>,
    homeless: &mut Vec<(Environment, Part)>,
) {
    let mut whole = HashSet::new();
    for outgoing in found {
        let part = Part { outgoing, tries: 0 };
        if shared.goes_whole(kind, &part) && !whole.insert(part.outgoing.message) {
            continue; // it goes with the first
        }
        match shared.place(kind, part) {
            None => {}
            Some(part) if part.outgoing.again => homeless.push((kind, part)),
            Some(part) => {
                let Outgoing { message, part, .. } = part.outgoing;
                let smsc = tandem_app::smscs::POCKET;
                let back = Submitted { message, part, smsc, outcome: Taken::NotSent };
                let _ = reports.send(Report::Submitted(back)).await; // whoever hears it lives as long as this
            }
        }
    }
}

/// Brings binds and fault rules in step with the store.
async fn refresh(shared: &Arc<Shared>, reports: &mpsc::Sender<Report>) -> Result<()> {
    let (kept, rules) = shared.app.store.read(|tx| Ok((smscs::list(tx)?, smscs::faults(tx, None)?))).await?;
    shared.smsc.set_faults(&rules.iter().filter_map(fault_of).collect::<Vec<_>>());
    let mut wanted: Vec<Config> = vec![shared.pocket_config()];
    for smsc in &kept {
        match config_of(&shared.app, smsc) {
            Ok(config) => wanted.push(config),
            Err(fault) => tracing::error!(id = %smsc.id, report = fault.internal_report(), "an SMSC cannot be bound"),
        }
    }
    let stays = |config: &Config| wanted.iter().any(|wanted| wanted == config);
    let leaving: Vec<_> = {
        let mut binds = locked(&shared.binds);
        let gone: Vec<_> = binds.values().filter(|bind| !stays(&bind.config)).map(|bind| bind.config.id).collect();
        gone.into_iter().filter_map(|id| binds.remove(&id)).collect()
    };
    for bind in leaving {
        shared.finish(bind).await;
    }
    for config in wanted {
        if !locked(&shared.binds).contains_key(&config.id) {
            shared.start(config, reports);
        }
    }
    Ok(())
}
