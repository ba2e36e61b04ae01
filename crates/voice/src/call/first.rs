//! The first party is reached: the caller is answered, or somebody takes a call of ours.

use std::time::Duration;

use tandem_app::calls::{self, Answer, Next, Then};
use tandem_catalogue::Code;
use tandem_domain::call::{Ending, Reason};
use tandem_media::{Codec, Path, sdp::Direction};
use tandem_sip::IncomingCall;

use super::{Call, Step, party::First, wait::Stop};
use crate::{
    leg::Leg,
    refusal::because,
    sound::{Sound, answering},
};

/// Somebody has answered and the store is busy: it is asked again after these.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(150), Duration::from_millis(400), Duration::from_millis(900)];

impl Call {
    /// Answers the caller, who may have been answered before; `codec` is what the other party speaks. From now on it is paid for.
    pub(super) async fn pick_up(&mut self, by: Answer, codec: Option<Codec>) -> Result<(), Stop> {
        self.begun = true;
        match self.first.take() {
            First::Waiting(incoming) => self.answer(incoming, by, codec).await?,
            First::There(leg) => {
                self.first = First::There(leg);
                self.paid(by).await?;
            }
            First::Nobody => return Err(Stop::Ours(Reason::Internal)),
        }
        self.meter.start();
        self.record_as_configured().await;
        Ok(())
    }

    async fn paid(&mut self, by: Answer) -> Result<(), Stop> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match calls::answer(&self.house.app, self.live.id, by.clone()).await {
                Ok(grant) => {
                    self.meter.grant = grant;
                    self.live.phase = tandem_domain::call::Phase::Answered;
                    return Ok(());
                }
                Err(error) => error,
            };
            match (error.code(), pauses.next()) {
                (Code::Overloaded | Code::Unavailable, Some(pause)) => tokio::time::sleep(pause).await,
                _ => return Err(Stop::Failed(Ending::of(Reason::of_error(&error)))),
            }
        }
    }

    async fn answer(&mut self, incoming: IncomingCall, by: Answer, codec: Option<Codec>) -> Result<(), Stop> {
        // What was said while it rang is said again (RFC 3261 section 13.2.1).
        let opened = match self.early.take() {
            Some(sound) => {
                sound.stream.mute(false);
                sound.stream.connect(&Path::Nothing);
                Ok(sound)
            }
            None => {
                let trunk = self.house.trunk_of(&incoming);
                Sound::open(self.house.media_of(&incoming), answering(trunk.as_deref(), codec))
            }
        };
        let answered = opened.and_then(|mut sound| {
            let sdp = match incoming.offer() {
                Some(offer) => sound.answer(&offer, Direction::SendRecv)?,
                None => sound.offer(Direction::SendRecv),
            };
            Ok((sound, sdp))
        });
        let (sound, sdp) = match answered {
            Ok(answered) => answered,
            Err(reason) => {
                incoming.refuse(because(reason, self.live.id)).await;
                return Err(Stop::Failed(Ending::of(reason)));
            }
        };
        if let Err(stop) = self.paid(by).await {
            self.first = First::Waiting(incoming); // is refused with the reason
            return Err(stop);
        }
        match incoming.answer(sdp).await {
            Ok(dialog) => {
                let mut leg = Leg::new(dialog, sound, None);
                leg.list(&self.house.lines, self.live.id, self.live.environment);
                self.first = First::There(Box::new(leg));
                Ok(())
            }
            Err(ended) => Err(Stop::GaveUp(ended)),
        }
    }

    /// Somebody has taken a call of ours: they hear what they are to hear, and are led on.
    pub(super) async fn reached(&mut self, mut leg: Box<Leg>, by: Answer, then: Then) -> Step {
        leg.list(&self.house.lines, self.live.id, self.live.environment);
        self.first = First::There(leg);
        if let Err(stop) = self.pick_up(by, None).await {
            return Step::Stop(stop);
        }
        self.at = "answered";
        if let Some(spoken) = &then.say {
            let prompt = self.spoken(&spoken.text, &spoken.language, spoken.times).await;
            if let Some(step) = self.say(&prompt).await {
                return step;
            }
        }
        match then.next {
            Next::Lead(treatment, otherwise) => Step::Lead(treatment, otherwise),
            Next::Wait => self.wait().await,
            Next::End | Next::Dictate(_) => Step::Stop(Stop::Ours(Reason::Normal)),
            Next::Join(conference, participant) => self.confer(conference, Some(participant)).await,
        }
    }
}
