//! Handsets that text messages reach without an SMSC between: whatever waits for one is taken off the queue and answered for it.

use std::collections::BTreeMap;

use tandem_app::messages::gateway::{self, Outgoing, Route, Submitted, Taken};
use tandem_kernel::{Environment, MessageId, SmscId};

use crate::Server;

/// Messages that are taken at a time.
const MOST: usize = 1000;

/// A message as a handset shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The message.
    pub message: MessageId,
    /// Who sent it.
    pub from: String,
    /// The number of the handset.
    pub to: String,
    /// What it says.
    pub body: String,
}

impl Text {
    /// The code in it: its only run of four digits and more.
    pub fn code(&self) -> String {
        let runs = self.body.split(|c: char| !c.is_ascii_digit());
        runs.max_by_key(|run| run.len()).filter(|run| run.len() >= 4).unwrap_or_else(|| panic!("no code in {self:?}")).to_owned()
    }
}

impl Server {
    /// Delivers what waits in environments of a kind, oldest first.
    pub async fn deliver(&self, kind: Environment) -> Vec<Text> {
        self.hand_out(kind, |remote_id| Taken::Accepted { remote_id }).await
    }

    /// Refuses what waits in environments of a kind, as an SMSC that knows no such handset.
    pub async fn refuse_texts(&self, kind: Environment) -> Vec<Text> {
        self.hand_out(kind, |_| Taken::Refused { status: 0x0b, name: "ESME_RINVDSTADR" }).await
    }

    async fn hand_out(&self, kind: Environment, answer: fn(String) -> Taken) -> Vec<Text> {
        let app = self.app();
        let smsc = SmscId::new(app.machine_now(), &*app.rng);
        let route = Route { smsc, prefixes: Vec::new(), room: 1_000 };
        let mut parts: BTreeMap<(MessageId, u8), Outgoing> = BTreeMap::new();
        loop {
            let claimed = gateway::claim(&app, kind, std::slice::from_ref(&route), MOST).await.expect("the queue is read");
            if claimed.is_empty() {
                break;
            }
            let outcome = |part: &Outgoing| {
                let mut random = [0; 8];
                app.rng.fill(&mut random);
                let outcome = answer(u64::from_be_bytes(random).to_string());
                Submitted { message: part.message, part: part.part, smsc, outcome, claim: part.claim }
            };
            let submitted = claimed.iter().map(outcome).collect();
            gateway::record(&app, submitted).await.expect("answers are noted");
            parts.extend(claimed.into_iter().map(|part| ((part.message, part.part), part)));
        }
        read(parts)
    }
}

/// Puts parts together.
fn read(parts: BTreeMap<(MessageId, u8), Outgoing>) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    for part in parts.into_values() {
        let body = part.encoding.read(&part.payload);
        match texts.last_mut().filter(|text| text.message == part.message) {
            Some(text) => text.body.push_str(&body),
            None => texts.push(Text { message: part.message, from: part.from.to_string(), to: part.to.to_string(), body }),
        }
    }
    texts
}
