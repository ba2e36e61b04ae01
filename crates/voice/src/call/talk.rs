//! Two parties speak: hold, digits, orders, and who hangs up.

use std::sync::Arc;

use tandem_app::calls::{self, Answer, Obeyed, Order};
use tandem_catalogue::Result;
use tandem_domain::call::Reason;
use tandem_kernel::PhoneNumber;
use tandem_media::{
    dtmf::Key,
    play::{Prompt, Repeat},
};
use tandem_sip::Ended;

use super::{
    Call, Step,
    party::Party,
    say::read_wav,
    wait::{Stir, Stop},
};
use crate::{board::Asked, leg::Leg};

impl Call {
    /// Joins the first party with one that was reached, until something else comes next.
    pub(super) async fn talk(&mut self, mut leg: Box<Leg>, by: Answer) -> Step {
        leg.list(&self.house.lines, self.live.id, self.live.environment);
        if let Err(stop) = self.pick_up(by, leg.sound.codec()).await {
            self.dismiss(leg, Reason::Canceled).await;
            return Step::Stop(stop);
        }
        (self.second, self.machine, self.at) = (Some(leg), false, "answered");
        self.tell_asker(200, "OK").await;
        self.join();
        self.speak().await
    }

    /// As long as there are two.
    pub(super) async fn speak(&mut self) -> Step {
        loop {
            let woken = self.woken().await;
            let step = match self.heed(woken).await {
                None => None,
                Some(Stir::Stop(stop)) => Some(Step::Stop(stop)),
                Some(Stir::Left(party, ended)) => self.left(party, ended).await,
                Some(Stir::Key(party, key)) => {
                    self.pass(party, key);
                    None
                }
                Some(Stir::Refer(party, refer)) => self.referred(party, refer).await,
                Some(Stir::Asked(asked)) => self.ordered(asked).await,
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// One of two has left: whoever waits takes the place, where somebody does.
    async fn left(&mut self, party: Party, ended: Ended) -> Option<Step> {
        let Some(aside) = self.aside.take() else { return Some(Step::Stop(Stop::Left(ended))) };
        let gone = match party {
            Party::First => self.first.replace(aside),
            Party::Second => self.second.replace(aside),
        };
        if let Some(leg) = gone {
            self.let_go(leg).await;
        }
        self.join();
        None
    }

    /// A party leaves a call that goes on.
    pub(super) async fn let_go(&mut self, leg: Box<Leg>) {
        let number = leg.number;
        self.dismiss(leg, Reason::Normal).await;
        self.parted(number).await;
    }

    /// A party outside is paid no more.
    pub(super) async fn parted(&mut self, number: Option<PhoneNumber>) {
        match calls::part(&self.house.app, self.live.id, number).await {
            Ok(grant) => self.meter.grant = grant,
            Err(error) => tracing::warn!(id = %self.live.id, ?error, "that a party has left cannot be noted"),
        }
    }

    /// A key that came as SIP INFO goes on as an event or a tone.
    fn pass(&self, party: Party, key: Key) {
        if let Some(bridge) = &self.bridge {
            return bridge.press(key);
        }
        let other = match party {
            Party::First => self.second.as_deref(),
            Party::Second => self.first.leg(),
        };
        if let Some(leg) = other
            && let Err(fault) = leg.sound.stream.send_digits(&[key])
        {
            tracing::info!(%fault, "a digit is not passed on");
        }
    }

    /// Both parties hear music: from a WAV file, over and over, or ours.
    async fn held(&mut self, music: Option<Arc<[u8]>>) -> Result<()> {
        let music = match music {
            Some(file) => Prompt { repeat: Repeat::Forever, ..Prompt::sounds([read_wav(file, "hold_music").await?]) },
            None => Prompt::music(),
        };
        self.hold = Some(music);
        self.join();
        calls::put_on_hold(&self.house.app, self.live.id, true).await
    }

    /// Follows an order to a call that was answered.
    pub(super) async fn ordered(&mut self, asked: Asked) -> Option<Step> {
        if self.dictates.is_some() {
            self.untimely(asked); // a code is neither led elsewhere nor recorded
            return None;
        }
        match &asked.order {
            Order::Hold(music) if self.hold.is_none() && self.second.is_some() => {
                let held = self.held(music.clone()).await;
                asked.answer(held.map(|()| Obeyed::Done));
                None
            }
            Order::Unhold if self.hold.is_some() => {
                self.hold = None;
                self.join();
                let noted = calls::put_on_hold(&self.house.app, self.live.id, false).await;
                asked.answer(noted.map(|()| Obeyed::Done));
                None
            }
            Order::Transfer(transfer) if self.aside.is_none() && self.bridge.is_none() => {
                let transfer = transfer.clone();
                asked.done();
                self.transfer(transfer).await
            }
            Order::Record(order) => {
                let said = self.recorded(order.clone()).await;
                asked.answer(said);
                None
            }
            _ => {
                self.untimely(asked);
                None
            }
        }
    }
}
