//! Somebody else takes the place of one party.

use tandem_app::{
    calls::Transfer,
    routing::{self, RouteQuery},
};
use tandem_catalogue::Result as Decision;
use tandem_domain::{
    call::{Direction, Ending, cause},
    flow::Destination,
    routing::Treatment,
};
use tandem_kernel::PhoneNumber;
use tandem_media::{Path, play::Prompt};
use tandem_sip::Refer;

use super::{Call, Step, party::Party, ring::Rung, wait::Stop};
use crate::{arrival::dialled_by, leg::Leg};

impl Call {
    /// The party that is of the account's side: a device or a number that the account's number leads to.
    fn ours(&self) -> Party {
        if self.live.direction == Direction::Outbound && self.live.detail.initiated_by == "device" && self.second.is_some() {
            Party::First
        } else {
            Party::Second
        }
    }

    /// Follows an order to transfer.
    pub(super) async fn transfer(&mut self, transfer: Transfer) -> Option<Step> {
        self.unhold().await;
        if !transfer.attended || self.second.is_none() {
            if let Some(leg) = self.only(self.ours()) {
                self.let_go(leg).await;
            }
            return Some(Step::Lead(transfer.to, transfer.otherwise));
        }
        self.consult(transfer).await
    }

    /// Ends a hold that an order began.
    pub(super) async fn unhold(&mut self) {
        if self.hold.take().is_some()
            && let Err(error) = tandem_app::calls::put_on_hold(&self.house.app, self.live.id, false).await
        {
            tracing::warn!(id = %self.live.id, ?error, "the end of a hold cannot be noted");
        }
    }

    /// Leaves the first place to whoever is not this party, and gives this one out.
    pub(super) fn only(&mut self, gone: Party) -> Option<Box<Leg>> {
        let second = self.second.take()?;
        match gone {
            Party::Second => Some(second),
            Party::First => self.first.replace(second),
        }
    }

    /// The account's side speaks with somebody before the other party is handed over to them.
    async fn consult(&mut self, transfer: Transfer) -> Option<Step> {
        let stays = if self.ours() == Party::First { Party::Second } else { Party::First };
        let other = self.only(stays)?;
        if transfer.holds {
            other.sound.stream.connect(&Path::Held(&Prompt::music()));
        } else {
            other.sound.stream.connect(&Path::Nothing);
        }
        self.aside = Some(other);
        let Treatment::Ring(stages) = transfer.to else { return Some(Step::Lead(transfer.to, transfer.otherwise)) };
        match self.ring(stages.clone()).await {
            Rung::Answered(leg, by) => Some(Step::Talk(leg, by)),
            Rung::Stopped(stop) => match (stop, self.aside.take()) {
                // Who asked did not wait until somebody answers: the other party waits instead.
                (Stop::Left(_), Some(aside)) => {
                    if let Some(leg) = self.first.replace(aside) {
                        self.let_go(leg).await;
                    }
                    Some(Step::Lead(Treatment::Ring(stages), transfer.otherwise))
                }
                (stop, aside) => {
                    self.aside = aside;
                    Some(Step::Stop(stop))
                }
            },
            Rung::Nobody(_) => {
                self.second = self.aside.take();
                self.parted(None).await;
                self.at = "answered";
                self.join();
                Some(Step::Speak)
            }
        }
    }

    /// A party asks by REFER that the other one be led to a number.
    pub(super) async fn referred(&mut self, party: Party, refer: Refer) -> Option<Step> {
        if self.second.is_none() || self.aside.is_some() {
            refer.refuse(603);
            return None;
        }
        if let Some(replaces) = refer.replaces.clone() {
            return self.hand_over(party, refer, &replaces).await;
        }
        let (ours, other) = self.live.parties();
        let to = tandem_sip::user_of(&refer.to).and_then(|user| dialled_by(ours, &user));
        let Some(to) = to else {
            refer.refuse(404);
            return None;
        };
        let shown = other.filter(|_| self.live.direction == Direction::Inbound).unwrap_or(ours);
        match self.decided(Destination::Number(to), Some(shown)).await {
            Ok(step) => {
                refer.accept();
                self.unhold().await;
                self.asker = self.only(party);
                self.tell_asker(100, "Trying").await;
                if let Some(asker) = &self.asker {
                    asker.sound.stream.connect(&Path::Nothing);
                }
                let number = self.asker.as_ref().and_then(|leg| leg.number);
                self.parted(number).await;
                Some(step)
            }
            Err(error) => {
                refer.refuse(cause::sip_of(&error));
                None
            }
        }
    }

    /// Where a destination leads, for somebody who is shown as `from`.
    pub(super) async fn decided(&self, to: Destination, from: Option<PhoneNumber>) -> Decision<Step> {
        let (ours, _) = self.live.parties();
        let query = RouteQuery { from, path: self.live.detail.path.clone(), at: None };
        let plan = routing::onward(&self.house.app, self.live.environment, ours, to, query).await?.plan?;
        Ok(Step::Lead(plan.begin, plan.otherwise))
    }

    /// Tells whoever asked for a transfer how it goes; a final word lets them go.
    pub(super) async fn tell_asker(&mut self, status: u16, text: &'static str) {
        if status < 200 {
            if let Some(asker) = &self.asker {
                let control = asker.control.clone();
                tokio::spawn(async move { control.notify_refer(status, text).await });
            }
            return;
        }
        if let Some(asker) = self.asker.take() {
            let (id, control) = (self.live.id, asker.control.clone());
            self.quality.push(asker.quality());
            tokio::spawn(async move {
                if let Err(failed) = control.notify_refer(status, text).await {
                    tracing::debug!(%id, %failed, "whoever asked for a transfer does not hear how it went");
                }
                drop(asker); // says goodbye
            });
        }
    }

    /// How a transfer that came to nothing is told.
    pub(super) async fn tell_failure(&mut self, ending: Option<&Ending>) {
        if self.asker.is_some() {
            let status = ending.map_or(480, |ending| ending.sip.unwrap_or_else(|| ending.reason.sip()));
            self.tell_asker(status.max(400), "Failed").await;
        }
    }
}
