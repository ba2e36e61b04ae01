//! One call: the caller's side, whom it is offered to, what it costs, and its end.

mod attempt;
mod end;
mod ring;
mod talk;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use tandem_domain::{
    call::{Ending, Live, Reason, money::Grant},
    routing::{Otherwise, Plan, Treatment},
};
use tandem_sip::{Ended, IncomingCall};

use crate::{house::House, refusal::because};
use ring::Rung;

/// A call that goes on.
pub(crate) struct Call {
    pub house: Arc<House>,
    pub live: Live,
    pub grant: Grant,
    caller: Option<IncomingCall>,
}

impl Call {
    pub fn new(house: Arc<House>, live: Live, grant: Grant, caller: IncomingCall) -> Self {
        Self { house, live, grant, caller: Some(caller) }
    }

    /// Carries it to its end, and says how it ended.
    async fn carry(&mut self, plan: Plan) -> Ending {
        match plan.begin {
            Treatment::Ring(stages) => match self.ring(stages).await {
                Rung::Answered(answered) => self.talk(*answered).await,
                Rung::Abandoned(ended) => abandoned(&ended),
                Rung::Nobody(ending) => self.otherwise(plan.otherwise, ending).await,
            },
            Treatment::Menu(_) | Treatment::Conference(_) | Treatment::Announcement(_) | Treatment::Voicemail => {
                self.refuse(Reason::OutOfService).await
            }
        }
    }

    /// What is done when nobody took it.
    async fn otherwise(&mut self, otherwise: Otherwise, last: Option<Ending>) -> Ending {
        let ending = match otherwise {
            Otherwise::End(reason) => last.unwrap_or_else(|| Ending::of(reason)),
            Otherwise::Voicemail => Ending::of(Reason::NoAnswer),
        };
        if let Some(caller) = self.caller.take() {
            let mut refusal = because(ending.reason, self.live.id);
            refusal.status = ending.sip.filter(|status| (400..=699).contains(status)).unwrap_or(refusal.status);
            caller.refuse(refusal).await;
        }
        ending
    }

    /// Refuses the caller.
    async fn refuse(&mut self, reason: Reason) -> Ending {
        if let Some(caller) = self.caller.take() {
            caller.refuse(because(reason, self.live.id)).await;
        }
        Ending::of(reason)
    }
}

/// The caller gave up before anybody answered.
fn abandoned(ended: &Ended) -> Ending {
    tracing::debug!(by = ?ended.by, "the caller gave up");
    Ending::of(Reason::Canceled)
}

/// Carries a call and sees to it that it is finished, whatever becomes of the task that carries it.
pub(crate) async fn watch(mut call: Call, plan: Plan) {
    let (house, id) = (call.house.clone(), call.live.id);
    let over = house.over.clone();
    let carried = async {
        tokio::select! {
            ending = call.carry(plan) => ending,
            () = over.cancelled() => Ending::of(Reason::Lost),
        }
    };
    let ending = AssertUnwindSafe(carried).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(%id, "what carried a call has failed");
        Ending::of(Reason::Internal)
    });
    drop(call); // says goodbye to whoever is left
    end::finish(&house.app, id, ending).await;
}
