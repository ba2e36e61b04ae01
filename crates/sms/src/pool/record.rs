//! What binds tell, on its way into the store: many at a time, and never lost while the store is away.

use std::{future::Future, sync::Arc, time::Duration};

use tandem_app::messages::gateway::{self, Incoming, IncomingPart, Receipt, Submitted};
use tandem_catalogue::Result;
use tandem_kernel::{SmscId, hex};
use tokio::sync::mpsc;

use super::Shared;
use crate::locked;
use crate::{
    bind::{Ack, Report},
    wire::status,
};

/// Reports that are written at a time.
const BATCH: usize = 1_000;
/// The pause after a fault of the store, and how often what will not pass is tried: many things together, and one alone.
const PAUSE: Duration = Duration::from_millis(200);
const TRIES_TOGETHER: u32 = 2;
const TRIES_ALONE: u32 = 20;

/// Writes reports down until the last bind has ended.
pub(super) async fn run(shared: Arc<Shared>, mut heard: mpsc::Receiver<Report>) {
    let mut reports = Vec::with_capacity(BATCH);
    while heard.recv_many(&mut reports, BATCH).await > 0 {
        write(&shared, std::mem::take(&mut reports)).await;
        shared.changed.notify_one();
    }
}

async fn write(shared: &Shared, reports: Vec<Report>) {
    let app = &shared.app;
    let (mut submitted, mut receipts, mut incoming) = (Vec::<Vec<Submitted>>::new(), Vec::<(Receipt, Ack)>::new(), Vec::new());
    for report in reports {
        match report {
            Report::Submitted(together) => submitted.push(together),
            Report::Receipt(receipt, ack) => receipts.push((receipt, ack)),
            Report::Incoming(message, ack) => incoming.push((Came::Message(named(shared, message)), ack)),
            Report::Part(part, ack) => incoming.push((Came::Part(part), ack)),
        }
    }
    insist_all("answers", submitted, |some| gateway::record(app, some.concat()), |_, _| {}).await;
    let write = |some: &[(Receipt, Ack)]| gateway::receipts(app, some.iter().map(|(receipt, _)| receipt.clone()).collect());
    insist_all("receipts", receipts, write, |(receipt, ack), written| shared.acknowledge(receipt.smsc, ack, written)).await;
    for (came, ack) in incoming {
        let (smsc, written) = match came {
            Came::Message(message) => {
                (message.smsc, insist("messages", TRIES_ALONE, || gateway::receive(app, message.clone())).await)
            }
            Came::Part(part) => {
                let write = || gateway::receive_part(app, part.clone());
                (part.whose.smsc, insist("parts of messages", TRIES_ALONE, write).await)
            }
        };
        shared.acknowledge(smsc, ack, written);
    }
}

/// What handsets sent.
enum Came {
    Message(Incoming),
    Part(IncomingPart),
}

/// A message with an id: where its SMSC gave it none, one of ours, by which it is known when it is written a second time because the
/// answer of the store was lost.
fn named(shared: &Shared, mut message: Incoming) -> Incoming {
    if message.id.is_empty() {
        let mut id = [0; 16];
        shared.app.rng.fill(&mut id);
        message.id = hex(&id);
    }
    message
}

/// Writes many things together, in halves where that cannot be done, so that one that cannot be written takes no other with it.
async fn insist_all<T, R>(what: &'static str, all: Vec<T>, write: impl Fn(&[T]) -> R, mut done: impl FnMut(T, bool))
where
    R: Future<Output = Result<()>>,
{
    let mut batches = vec![all];
    while let Some(mut batch) = batches.pop().filter(|batch| !batch.is_empty()) {
        let alone = batch.len() == 1;
        let tries = if alone { TRIES_ALONE } else { TRIES_TOGETHER };
        let written = insist(what, tries, || write(&batch)).await;
        if written || alone {
            batch.into_iter().for_each(|one| done(one, written));
        } else {
            let second = batch.split_off(batch.len() / 2);
            batches.extend([second, batch]);
        }
    }
}

/// Does it until it is done; false where it cannot be done at all.
async fn insist<R: Future<Output = Result<()>>>(what: &'static str, most: u32, work: impl Fn() -> R) -> bool {
    let mut tries = 0;
    loop {
        let Err(fault) = work().await else { return true };
        let passes = matches!(fault.code().name(), "unavailable" | "overloaded" | "timeout");
        tries += u32::from(!passes);
        tracing::warn!(code = fault.code().name(), report = fault.internal_report(), what, "what SMSCs said cannot be written");
        if tries >= most {
            if most == TRIES_ALONE {
                tracing::error!(what, "what SMSCs said is lost");
            }
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Shared {
    fn acknowledge(&self, smsc: SmscId, ack: Ack, written: bool) {
        let answer = if written { status::OK } else { status::SYSTEM_ERROR };
        let acks = locked(&self.binds).get(&smsc).map(|bind| bind.acks.clone());
        // There is room for more than a connection leaves unacknowledged; one that is gone needs none.
        if let Some(acks) = acks {
            let _ = acks.try_send((ack, answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tandem_catalogue::Error;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_written_takes_nothing_with_it() {
        let (written, lost) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let write = |some: &[u32]| std::future::ready(if some.contains(&7) { Err(Error::internal()) } else { Ok(()) });
        let done = |one, well| if well { written.borrow_mut().push(one) } else { lost.borrow_mut().push(one) };
        insist_all("numbers", (0..16).collect(), write, done).await;
        let rest: Vec<u32> = (0..16).filter(|one| *one != 7).collect();
        assert_eq!((written.into_inner(), lost.into_inner()), (rest, vec![7]));
    }
}
