//! How many messages wait, as a telephone shows it: because it asked, or because it was told.

use std::{net::SocketAddr, time::Duration};

use tandem_sip::{Subscribe, Subscription, SubscriptionEvent, Summary};
use tokio::time::timeout;

use super::{PATIENCE, Phone, locked};
use crate::until;

/// A subscription to waiting messages. Dropping it leaves without a word.
pub struct Lamp(Subscription);

impl Phone {
    /// Asks to be told how many messages wait; the seconds that it was granted, or the status that it was refused with.
    pub async fn subscribe(&self, server: SocketAddr, expires: u32) -> Result<(Lamp, u32), u16> {
        let login = self.line().as_ref().map(|line| line.login.clone());
        let user = login.as_ref().map_or_else(|| "nobody".to_owned(), |login| login.username.clone());
        let wanted = Subscribe { uri: self.uri(Some(&user), server), target: self.target(server), login, expires };
        let mut lamp = Lamp(self.sip.subscribe(wanted));
        match lamp.next().await {
            SubscriptionEvent::Granted(seconds) => Ok((lamp, seconds)),
            SubscriptionEvent::Refused(status) => Err(status),
            other => panic!("a SUBSCRIBE is answered first, not {other:?}"),
        }
    }

    /// Waits until it was told, without having asked, that so many messages wait that nobody heard, and so many others.
    pub async fn lights(&self, new: u32, old: u32) -> Summary {
        until(&format!("{new} new and {old} old messages are shown"), || async {
            let told = locked(&self.told);
            told.last().filter(|summary| (summary.new, summary.old) == (new, old)).cloned()
        })
        .await
    }

    /// How often it was told without having asked.
    pub fn told(&self) -> usize {
        locked(&self.told).len()
    }
}

impl Lamp {
    async fn next(&mut self) -> SubscriptionEvent {
        timeout(PATIENCE, self.0.next())
            .await
            .expect("something becomes of a subscription")
            .expect("a subscription that is not over")
    }

    /// The next that it is told: messages that nobody heard, and the others.
    pub async fn shows(&mut self) -> (u32, u32) {
        match self.next().await {
            SubscriptionEvent::Told(summary) => (summary.new, summary.old),
            other => panic!("it shows nothing: {other:?}"),
        }
    }

    /// Nothing is told for a while.
    pub async fn stays(&mut self) {
        let told = timeout(Duration::from_millis(1_500), self.0.next()).await;
        assert!(told.is_err(), "told in vain: {told:?}");
    }

    /// Asks for more time, or with 0 for the end; the status of the answer.
    pub async fn again(&self, expires: u32) -> u16 {
        timeout(PATIENCE, self.0.again(expires)).await.expect("a SUBSCRIBE is answered").expect("a subscription that is not over")
    }

    /// Why it is over.
    pub async fn over(&mut self) -> String {
        match self.next().await {
            SubscriptionEvent::Over(reason) => reason,
            other => panic!("it goes on: {other:?}"),
        }
    }
}
