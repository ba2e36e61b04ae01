//! What binds tell, on its way into the store: many at a time, and never lost while the store is away.

use std::{future::Future, sync::Arc, time::Duration};

use tandem_app::messages::gateway::{self, Incoming, IncomingPart, Receipt, Submitted};
use tandem_catalogue::Result;
use tandem_kernel::SmscId;
use tokio::sync::mpsc;

use super::Shared;
use crate::locked;
use crate::{
    bind::{Ack, Report},
    wire::status,
};

/// Reports that are written at a time.
const BATCH: usize = 1_000;
/// The pause after a fault of the store, and how often one that will not pass is tried.
const PAUSE: Duration = Duration::from_millis(200);
const TRIES: u32 = 20;

/// Writes reports down until the last bind has ended.
pub(super) async fn run(shared: Arc<Shared>, mut heard: mpsc::Receiver<Report>) {
    let mut reports = Vec::with_capacity(BATCH);
    while heard.recv_many(&mut reports, BATCH).await > 0 {
        write(&shared, std::mem::take(&mut reports)).await;
        shared.changed.notify_one();
    }
}

async fn write(shared: &Shared, reports: Vec<Report>) {
    let (mut submitted, mut receipts, mut about): (Vec<Submitted>, Vec<Receipt>, Vec<(SmscId, Ack)>) = Default::default();
    let mut incoming = Vec::new();
    for report in reports {
        match report {
            Report::Submitted(one) => submitted.push(one),
            Report::Receipts(of, ack) => {
                about.extend(of.first().map(|receipt| (receipt.smsc, ack)));
                receipts.extend(of);
            }
            Report::Incoming(message, ack) => incoming.push((Came::Message(message), ack)),
            Report::Part(part, ack) => incoming.push((Came::Part(part), ack)),
        }
    }
    if !submitted.is_empty() {
        insist("answers", || gateway::record(&shared.app, submitted.clone())).await;
    }
    if !receipts.is_empty() {
        let written = insist("receipts", || gateway::receipts(&shared.app, receipts.clone())).await;
        about.into_iter().for_each(|(smsc, ack)| shared.acknowledge(smsc, ack, written));
    }
    for (came, ack) in incoming {
        let (smsc, written) = match came {
            Came::Message(message) => (message.smsc, insist("messages", || gateway::receive(&shared.app, message.clone())).await),
            Came::Part(part) => {
                (part.whose.smsc, insist("parts of messages", || gateway::receive_part(&shared.app, part.clone())).await)
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

/// Does it until it is done; false where it cannot be done at all.
async fn insist<R: Future<Output = Result<()>>>(what: &'static str, work: impl Fn() -> R) -> bool {
    let mut tries = 0;
    loop {
        let Err(fault) = work().await else { return true };
        let passes = matches!(fault.code().name(), "unavailable" | "overloaded" | "timeout");
        tries += u32::from(!passes);
        tracing::warn!(code = fault.code().name(), report = fault.internal_report(), what, "what SMSCs said cannot be written");
        if tries >= TRIES {
            tracing::error!(what, "what SMSCs said is lost");
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
