//! Telephones ring, one stage after the other, until somebody takes the call.

use std::{sync::Arc, time::Duration};

use tandem_app::calls::{self, Answer};
use tandem_domain::{
    call::{Ending, Phase, Reason},
    routing::Stage,
};
use tandem_media::{
    Codec, Path, Stream,
    play::{Prompt, Repeat, Signal, Tone},
    sdp::Direction,
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

use super::{
    Call,
    attempt::{Offer, Told},
    party::{First, Party},
    wait::{Stir, Stop},
};
use crate::{
    leg::Leg,
    sound::{self, Sound},
};

/// What came of ringing.
pub(super) enum Rung {
    /// Somebody took the call.
    Answered(Box<Leg>, Answer),
    /// It is over, or the first party has left.
    Stopped(Stop),
    /// Nobody took it, and this is what the last one said.
    Nobody(Option<Ending>),
}

impl Call {
    /// Rings all stages in turn.
    pub(super) async fn ring(&mut self, stages: Vec<Stage>) -> Rung {
        let mut last = None;
        self.at = "ringing";
        for stage in stages {
            // What was set aside when the call began is for the first stage.
            if std::mem::replace(&mut self.begun, true)
                && let Err(ending) = self.afford(&stage).await
            {
                last = Some(ending);
                break;
            }
            match self.stage(stage).await {
                Rung::Nobody(ending) => last = ending.or(last),
                other => return other,
            }
        }
        self.tell_failure(last.as_ref()).await;
        Rung::Nobody(last)
    }

    /// Sets aside what the stage may cost. What was set aside for the one before is enough for one that costs no more.
    async fn afford(&mut self, stage: &Stage) -> Result<(), Ending> {
        let outside: Vec<_> = stage.attempts.iter().filter_map(|attempt| attempt.target.number()).collect();
        if outside.is_empty() {
            return Ok(());
        }
        match calls::dial(&self.house.app, self.live.id, outside).await {
            Ok(grant) => {
                self.meter.grant = grant;
                Ok(())
            }
            Err(error) => Err(Ending::of(Reason::of_error(&error))),
        }
    }

    /// Rings the telephones of one stage at once. Those that are too late are given up.
    async fn stage(&mut self, stage: Stage) -> Rung {
        let (tell, mut told) = mpsc::channel(16);
        let alone = stage.attempts.len() == 1;
        let mut ringing = self.begin(&stage, &tell);
        drop(tell);
        let end = Instant::now() + seconds(stage.ring_seconds);
        let mut last: Option<Ending> = None;
        loop {
            let woken = tokio::select! {
                woken = self.woken() => woken,
                () = tokio::time::sleep_until(end) => return Rung::Nobody(Some(Ending::of(Reason::NoAnswer))),
                said = told.recv() => {
                    match said {
                        Some(Told::Early(stream, codec)) if alone && self.overhears(&stream, codec).await => self.noted().await,
                        Some(Told::Ringing | Told::Early(..)) => self.rings().await,
                        Some(Told::Answered(leg, by)) => {
                            ringing.abort_all();
                            return Rung::Answered(leg, by);
                        }
                        Some(Told::Failed(ending)) => last = Some(worse(last, ending)),
                        None => return Rung::Nobody(last),
                    }
                    continue;
                }
            };
            match self.heed(woken).await {
                Some(Stir::Stop(stop)) => return Rung::Stopped(stop),
                Some(Stir::Left(Party::First, ended)) => return Rung::Stopped(Stop::Left(ended)),
                Some(Stir::Left(Party::Second, _) | Stir::Key(..)) | None => {}
                Some(Stir::Refer(_, refer)) => refer.refuse(603),
                Some(Stir::Asked(asked)) => self.untimely(asked),
            }
        }
    }

    fn begin(&self, stage: &Stage, tell: &mpsc::Sender<Told>) -> JoinSet<()> {
        let codec = match &self.first {
            First::Waiting(caller) => caller.offer().and_then(|offer| sound::first_codec(&offer)),
            First::There(leg) => leg.sound.codec(),
            First::Nobody => None,
        };
        let offer = Arc::new(Offer {
            house: self.house.clone(),
            environment: self.live.environment,
            codec,
            caller_name: self.live.detail.from_name.clone(),
            max_forwards: self.hops.saturating_sub(1),
            path: self.live.detail.path.clone(),
            ring: seconds(stage.ring_seconds),
            dictates: self.dictates,
        });
        let mut ringing = JoinSet::new();
        for attempt in &stage.attempts {
            let (attempt, offer, tell) = (attempt.clone(), offer.clone(), tell.clone());
            ringing.spawn(async move { offer.ring(&attempt, &tell).await });
        }
        ringing
    }

    /// Tells the caller, and the store, once.
    async fn rings(&mut self) {
        match &self.first {
            First::There(leg) => {
                let tone = Tone::of(Signal::Ringback, self.country());
                leg.sound.stream.connect(&Path::Held(&Prompt::tone(&tone, Repeat::Forever)));
            }
            // A telephone that hears what comes from afar makes no tone of its own.
            First::Waiting(_) if self.early.is_some() => {
                let tone = Tone::of(Signal::Ringback, self.country());
                if let Some(early) = &self.early {
                    early.stream.connect(&Path::Held(&Prompt::tone(&tone, Repeat::Forever)));
                }
            }
            First::Waiting(caller) if self.live.phase == Phase::Initiated => caller.ring(180, None).await,
            First::Waiting(_) | First::Nobody => {}
        }
        self.noted().await;
    }

    /// Whether a caller who waits hears what comes from a telephone that rings. Nothing of the caller's goes there: nobody has answered, and
    /// nobody pays.
    async fn overhears(&mut self, stream: &Stream, codec: Option<Codec>) -> bool {
        let First::Waiting(caller) = &self.first else { return false };
        if self.early.is_none() {
            let Some(offer) = caller.offer() else { return false };
            let trunk = self.house.trunk_of(caller);
            let opened = Sound::open(self.house.media_of(caller), sound::answering(trunk.as_deref(), codec));
            let answered = opened.and_then(|mut sound| Ok((sound.answer(&offer, Direction::SendRecv)?, sound)));
            let Ok((sdp, sound)) = answered else { return false };
            sound.stream.mute(true);
            caller.ring(183, Some(sdp)).await;
            self.early = Some(sound);
        }
        if let Some(early) = &self.early {
            early.stream.connect(&Path::Relay(stream));
        }
        true
    }

    /// Notes that it rings, once.
    async fn noted(&mut self) {
        if self.live.phase != Phase::Initiated {
            return;
        }
        self.live.phase = Phase::Ringing;
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
