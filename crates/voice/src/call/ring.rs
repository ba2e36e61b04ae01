//! Telephones ring, one stage after the other, until somebody takes the call.

use std::{sync::Arc, time::Duration};

use tandem_app::calls::{self, Answer};
use tandem_domain::{
    call::{Ending, Reason},
    routing::Stage,
};
use tandem_sip::{Ended, IncomingCall};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

use super::{
    Call,
    attempt::{Offer, Told},
};
use crate::{leg::Leg, sound};

/// Who took the call.
pub(super) struct Answered {
    pub callee: Leg,
    pub by: Answer,
}

/// What came of ringing.
pub(super) enum Rung {
    /// Somebody took the call.
    Answered(Box<Answered>),
    /// The caller gave up.
    Abandoned(Ended),
    /// Nobody took it, and this is what the last one said.
    Nobody(Option<Ending>),
}

impl Call {
    /// Rings all stages in turn.
    pub(super) async fn ring(&mut self, stages: Vec<Stage>) -> Rung {
        let Some(caller) = self.caller.take() else { return Rung::Nobody(None) };
        let mut last = None;
        let mut rung = Rung::Nobody(None);
        for (place, stage) in stages.into_iter().enumerate() {
            if place > 0
                && let Err(ending) = self.afford(&stage).await
            {
                last = Some(ending);
                break;
            }
            match self.stage(&caller, stage).await {
                Rung::Nobody(ending) => last = ending.or(last),
                other => {
                    rung = other;
                    break;
                }
            }
        }
        self.caller = Some(caller);
        match rung {
            Rung::Nobody(_) => Rung::Nobody(last),
            other => other,
        }
    }

    /// Sets aside what the stage may cost. What was set aside for the one before is enough for one that costs no more.
    async fn afford(&mut self, stage: &Stage) -> Result<(), Ending> {
        let outside: Vec<_> = stage.attempts.iter().filter_map(|attempt| attempt.target.number()).collect();
        if outside.is_empty() {
            return Ok(());
        }
        match calls::dial(&self.house.app, self.live.id, outside).await {
            Ok(grant) => {
                self.grant = grant;
                Ok(())
            }
            Err(error) => Err(Ending::of(Reason::of_error(&error))),
        }
    }

    /// Rings the telephones of one stage at once. Those that are too late are given up.
    async fn stage(&mut self, caller: &IncomingCall, stage: Stage) -> Rung {
        let (tell, mut told) = mpsc::channel(16);
        let mut ringing = self.begin(caller, &stage, &tell);
        drop(tell);
        let end = Instant::now() + seconds(stage.ring_seconds);
        let mut last: Option<Ending> = None;
        loop {
            tokio::select! {
                ended = caller.cancelled() => return Rung::Abandoned(ended),
                () = tokio::time::sleep_until(end) => return Rung::Nobody(Some(Ending::of(Reason::NoAnswer))),
                said = told.recv() => match said {
                    Some(Told::Ringing) => self.rings(caller).await,
                    Some(Told::Answered(leg, by)) => {
                        ringing.abort_all();
                        return Rung::Answered(Box::new(Answered { callee: *leg, by }));
                    }
                    Some(Told::Failed(ending)) => last = Some(worse(last, ending)),
                    None => return Rung::Nobody(last),
                },
            }
        }
    }

    fn begin(&self, caller: &IncomingCall, stage: &Stage, tell: &mpsc::Sender<Told>) -> JoinSet<()> {
        let offer = Arc::new(Offer {
            house: self.house.clone(),
            environment: self.live.environment,
            codec: caller.offer().and_then(|offer| sound::first_codec(&offer)),
            caller_name: self.live.detail.from_name.clone(),
            max_forwards: caller.max_forwards().saturating_sub(1),
            ring: seconds(stage.ring_seconds),
        });
        let mut ringing = JoinSet::new();
        for attempt in &stage.attempts {
            let (attempt, offer, tell) = (attempt.clone(), offer.clone(), tell.clone());
            ringing.spawn(async move {
                let (said, mut saying) = mpsc::unbounded_channel();
                let ring = offer.ring(&attempt, move |told| drop(said.send(told)));
                let pass = async {
                    while let Some(told) = saying.recv().await {
                        if tell.send(told).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::join!(ring, pass);
            });
        }
        ringing
    }

    /// Tells the caller, and the store, once.
    async fn rings(&mut self, caller: &IncomingCall) {
        if self.live.phase != tandem_domain::call::Phase::Initiated {
            return;
        }
        self.live.phase = tandem_domain::call::Phase::Ringing;
        caller.ring(180, None).await;
        if let Err(error) = calls::ring(&self.house.app, self.live.id).await {
            tracing::warn!(id = %self.live.id, ?error, "that it rings cannot be noted");
        }
    }
}

/// Of two telephones that did not answer, what the caller is told: that one is busy says more than that another cannot be reached.
fn worse(before: Option<Ending>, now: Ending) -> Ending {
    let says = |ending: &Ending| match ending.reason {
        Reason::Busy | Reason::Rejected => 2,
        Reason::NoAnswer => 1,
        _ => 0,
    };
    match before {
        Some(before) if says(&before) >= says(&now) => before,
        _ => now,
    }
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}
