//! Everybody is told that it is over.

use serde_json::{Map, Value, json};
use tandem_domain::call::{Ending, Reason};
use tandem_media::play::{Prompt, Repeat, Signal, Tone};
use tandem_sip::By;

use super::{Call, party::First, wait::Stop};
use crate::{
    leg::Leg,
    refusal::{because, meant, reasons},
};

impl Call {
    /// Tells everybody, and says how it ended.
    pub(super) async fn close(&mut self, stop: Stop) -> Ending {
        self.bridge = None; // the call that it was joined with ends as well
        let ending = match stop {
            Stop::GaveUp(ended) => {
                tracing::debug!(by = ?ended.by, "the caller gave up");
                Ending::of(Reason::Canceled)
            }
            Stop::Left(ended) => match ended.by {
                By::Them | By::Us => Ending { q850: meant(200, &ended.reasons).1, ..Ending::of(Reason::Normal) },
                // That our answer was never acknowledged is told apart: `tandem doctor` knows what that means.
                By::SessionExpired | By::Transport => {
                    let status = ended.reasons.iter().find(|reason| reason.protocol == "SIP").map(|reason| reason.cause);
                    Ending { sip: status, ..Ending::of(Reason::Failed) }
                }
            },
            Stop::Ours(reason) => Ending::of(reason),
            Stop::Failed(ending) => {
                self.regret().await;
                ending
            }
        };
        self.end_recording().await;
        for leg in [self.second.take(), self.aside.take(), self.asker.take()].into_iter().flatten() {
            self.dismiss(leg, ending.reason).await;
        }
        match self.first.take() {
            First::Waiting(caller) => {
                let mut refusal = because(ending.reason, self.live.id);
                refusal.status = ending.sip.filter(|status| (400..=699).contains(status)).unwrap_or(refusal.status);
                caller.refuse(refusal).await;
            }
            First::There(leg) => self.dismiss(leg, ending.reason).await,
            First::Nobody => {}
        }
        let quality = named(std::mem::take(&mut self.quality));
        Ending { machine: self.machine, prompts: std::mem::take(&mut self.keys), quality, ..ending }
    }

    /// Says goodbye to one party; it may be gone already.
    pub(super) async fn dismiss(&mut self, leg: Box<Leg>, reason: Reason) {
        self.quality.push(leg.quality());
        leg.control.bye(reasons(reason, self.live.id)).await;
    }

    /// A caller who was answered hears that nobody can be reached.
    async fn regret(&mut self) {
        let tone = Tone::of(Signal::Congestion, self.country());
        if self.first.leg().is_some() {
            let _ = self.say(&Prompt::tone(&tone, Repeat::Times(4))).await; // it ends in any case
        }
    }
}

/// The measured parties by name: whoever left last called.
fn named(mut measured: Vec<Value>) -> Option<Value> {
    let caller = measured.pop()?;
    let mut all = Map::new();
    all.insert("caller".to_owned(), caller);
    if let Some(callee) = measured.pop() {
        all.insert("callee".to_owned(), callee);
    }
    if !measured.is_empty() {
        all.insert("before".to_owned(), json!(measured));
    }
    Some(Value::Object(all))
}
