//! The first party takes part in a conference.

use tandem_app::{
    calls::Answer,
    conferences::{self, Enter, Entered},
};
use tandem_catalogue::Error;
use tandem_domain::{
    call::{Ending, Reason},
    conference::Conference,
};
use tandem_kernel::{ConferenceId, ParticipantId};
use tandem_media::{dtmf::Keys, play::Prompt};

use super::{
    Call, Step,
    party::Party,
    say::Heard,
    wait::{Stir, Stop},
};
use crate::rooms::{Attending, Door, TRIES, Verdict};

const LANGUAGE: &str = "en-US";
const ASK: &str = "Please enter the PIN of the conference.";
const AGAIN: &str = "That is not the PIN. Please enter it again.";
const WRONG: &str = "That is not the PIN. Goodbye.";
const GOODBYE: &str = "You have left the conference. Goodbye.";

impl Call {
    /// The first party comes into a conference, as somebody who was called for it or as whoever calls, and stays until it hangs up or is
    /// to go.
    pub(super) async fn confer(&mut self, conference: ConferenceId, invited: Option<ParticipantId>) -> Step {
        let (_, phone) = self.live.parties();
        let wanted = Enter { environment: self.live.environment, conference, call: self.live.id, phone, invited };
        match self.let_in(&wanted).await {
            Ok(entered) => self.attend(entered).await,
            Err(step) => step,
        }
    }

    /// Whoever is refused without having pressed a PIN is refused before the call is taken, and pays nothing.
    async fn let_in(&mut self, wanted: &Enter) -> Result<Entered, Step> {
        let app = self.house.app.clone();
        let conference = match conferences::look(&app, wanted.clone()).await {
            Ok(conference) => conference,
            Err(error) => return Err(self.turned_away(wanted, &error).await),
        };
        let asks = conference.require_pin && wanted.invited.is_none();
        if asks {
            self.pick_up(Answer::default(), None).await.map_err(Step::Stop)?;
            self.listen_for_keys(true);
            let asked = self.ask_pin(wanted, &conference).await;
            self.listen_for_keys(false);
            asked?;
        }
        let entered = match conferences::enter(&app, wanted.clone()).await {
            Ok(entered) => entered,
            Err(error) => return Err(self.turned_away(wanted, &error).await),
        };
        if !asks && let Err(stop) = self.pick_up(Answer::default(), None).await {
            drop(conferences::leave(&app, wanted.environment, wanted.call).await); // the end of the call says so as well
            return Err(Step::Stop(stop));
        }
        Ok(entered)
    }

    async fn turned_away(&mut self, wanted: &Enter, error: &Error) -> Step {
        tracing::info!(id = %self.live.id, conference = %wanted.conference, code = error.code().name(), "a call is not let into a conference");
        if let Err(fault) = conferences::refused(&self.house.app, wanted.clone(), error).await {
            tracing::warn!(id = %self.live.id, ?fault, "that a call is not let into a conference cannot be told");
        }
        Step::Stop(Stop::Failed(Ending::of(Reason::of_error(error))))
    }

    async fn ask_pin(&mut self, wanted: &Enter, conference: &Conference) -> Result<(), Step> {
        self.at = "before a conference";
        let app = self.house.app.clone();
        let ask = self.spoken(ASK, LANGUAGE, 1).await.interrupted_by(Keys::ALL);
        let again = self.spoken(AGAIN, LANGUAGE, 1).await.interrupted_by(Keys::ALL);
        let (mut door, mut playing) = (Door::new(), self.play(&ask));
        loop {
            let until = playing.is_none().then(|| door.deadline());
            let verdict = match self.listen(playing.as_mut(), until).await {
                Heard::Step(step) => return Err(step),
                Heard::Key(key) => {
                    playing = None;
                    door.pressed(key, &app, conference)
                }
                Heard::Played(_) => {
                    playing = None;
                    door.asked();
                    Verdict::More
                }
                Heard::Late => door.late(&app, conference),
            };
            match verdict {
                Verdict::More => {}
                Verdict::Open => return Ok(()),
                Verdict::Again => playing = self.play(&again),
                Verdict::Shut => return Err(self.shut(wanted).await),
            }
        }
    }

    async fn shut(&mut self, wanted: &Enter) -> Step {
        self.listen_for_keys(false);
        drop(self.turned_away(wanted, &Error::conference_pin_wrong(TRIES)).await);
        let prompt = self.spoken(WRONG, LANGUAGE, 1).await;
        match self.say(&prompt).await {
            Some(step) => step,
            None => Step::Stop(Stop::Ours(Reason::WrongPin)),
        }
    }

    async fn attend(&mut self, entered: Entered) -> Step {
        let Some(leg) = self.first.leg() else { return Step::Stop(Stop::Ours(Reason::Internal)) };
        leg.sound.stream.stop_playing();
        let mut attending = match Attending::join(&self.house, &entered, self.live.id, &leg.sound.stream) {
            Ok(attending) => attending,
            Err(reason) => return Step::Stop(Stop::Failed(Ending::of(reason))), // the end of the call gives the place back
        };
        attending.tune().await;
        (self.at, self.machine) = ("in a conference", false);
        self.listen_for_keys(true);
        let step = self.until_it_leaves(&mut attending).await;
        self.listen_for_keys(false);
        attending.leave().await;
        match step {
            Some(step) => step,
            None => self.goodbye().await,
        }
    }

    /// None where it is to go.
    async fn until_it_leaves(&mut self, attending: &mut Attending) -> Option<Step> {
        loop {
            let leg = self.first.leg()?;
            attending.away(leg.holds);
            if !attending.apply(&leg.sound.stream) {
                return None;
            }
            let woken = tokio::select! {
                woken = self.woken() => woken,
                () = attending.changed() => continue,
            };
            let step = match self.heed(woken).await {
                Some(Stir::Stop(stop)) => Some(Step::Stop(stop)),
                Some(Stir::Left(Party::First, ended)) => Some(Step::Stop(Stop::Left(ended))),
                Some(Stir::Key(Party::First, key)) => {
                    attending.pressed(key, &self.first.leg()?.sound.stream);
                    None
                }
                Some(Stir::Refer(party, refer)) => self.referred(party, refer).await,
                Some(Stir::Asked(asked)) => self.ordered(asked).await,
                Some(Stir::Left(Party::Second, _) | Stir::Key(Party::Second, _)) | None => None,
            };
            if step.is_some() {
                return step;
            }
        }
    }

    async fn goodbye(&mut self) -> Step {
        let prompt: Prompt = self.spoken(GOODBYE, LANGUAGE, 1).await;
        match self.say(&prompt).await {
            Some(step) => step,
            None => Step::Stop(Stop::Ours(Reason::Normal)),
        }
    }
}
