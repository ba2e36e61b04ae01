//! Registrations (RFC 3261 section 10.3). Bindings are the owner's to keep: nothing is remembered here but who is at it just now.

use rsipstack::transaction::transaction::Transaction;
use tokio::sync::Mutex;

use crate::{
    Binding, Fault, NotStored, OwnerId, RegistrarConfig, Source, auth,
    core::Core,
    desk::transport_of,
    dialog_sequence,
    message::{self, Answer, field, list},
    wire::Address,
};

/// How many users' registrations may be worked on at once: a user's own come one after the other.
const LANES: usize = 64;

/// Takes registrations.
pub(crate) struct Registrar {
    config: RegistrarConfig,
    lanes: Vec<Mutex<()>>,
}

/// A contact as a REGISTER gives it.
struct Given {
    contact: String,
    expires: u32,
    q: u16,
    instance: Option<String>,
}

impl Registrar {
    pub fn new(config: RegistrarConfig) -> Self {
        Self { config, lanes: (0..LANES).map(|_| Mutex::new(())).collect() }
    }

    /// What a REGISTER is answered with.
    pub async fn register(&self, core: &Core, transaction: &Transaction, source: Source) -> Answer {
        let (owner, username) = match auth::authenticate(core, transaction, source).await {
            Ok(known) => known,
            Err(answer) => return answer,
        };
        let headers = &transaction.original.headers;
        let registered = field(headers, "To").and_then(message::uri).and_then(message::user);
        if registered.as_deref() != Some(username.as_str()) {
            auth::refused(core, source, "REGISTER", Some(username), Fault::NotYours, 403);
            return Answer::of(403);
        }
        let Some(lane) = self.lanes.get(lane(&owner)) else { return Answer::of(500) };
        let _turn = lane.lock().await;
        match self.change(core, transaction, source, &owner).await {
            Ok(answer) | Err(answer) => answer,
        }
    }

    async fn change(&self, core: &Core, transaction: &Transaction, source: Source, owner: &OwnerId) -> Result<Answer, Answer> {
        let headers = &transaction.original.headers;
        let held = core.desk.bindings(owner).await.map_err(|fault| not_stored(core, fault))?;
        let call_id = field(headers, "Call-ID").unwrap_or_default().to_owned();
        let cseq = dialog_sequence(headers).unwrap_or_default();
        // What was overtaken by a later request of the same registration changes nothing (section 10.3, step 7).
        let overtaken = |held: &Binding| held.call_id == call_id && held.cseq >= cseq;
        let contacts: Vec<&str> = list(headers, "Contact").collect();
        let asked = field(headers, "Expires").map(|value| value.parse::<u32>().unwrap_or(self.config.usual));
        let mut bindings = held.clone();
        if contacts.contains(&"*") {
            if contacts.len() != 1 || asked != Some(0) {
                return Err(Answer::of(400));
            }
            bindings.clear();
        }
        for contact in contacts.iter().filter(|contact| **contact != "*") {
            let given = self.given(contact, asked)?;
            let same =
                |held: &Binding| held.contact == given.contact || (held.instance.is_some() && held.instance == given.instance);
            if bindings.iter().any(|held| same(held) && overtaken(held)) {
                return Err(Answer::of(500));
            }
            bindings.retain(|held| !same(held));
            if given.expires > 0 {
                let agent = field(headers, "User-Agent").map(|agent| agent.chars().take(128).collect());
                let Given { contact, expires, q, instance } = given;
                let source = Source { transport: source.transport, ..source };
                bindings.push(Binding { contact, source, instance, q, expires, call_id: call_id.clone(), cseq, agent });
            }
        }
        if bindings.len() > self.config.bindings {
            return Err(Answer::of(403));
        }
        if bindings != held {
            core.desk.store(owner, bindings.clone()).await.map_err(|fault| not_stored(core, fault))?;
        }
        Ok(self.granted(&bindings))
    }

    fn given(&self, value: &str, asked: Option<u32>) -> Result<Given, Answer> {
        let address = Address::cut(value).ok_or_else(|| Answer::of(400))?;
        let sip =
            address.uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:") || scheme.eq_ignore_ascii_case("sips"));
        if !sip || address.uri.len() > 1_024 {
            return Err(Answer::of(400));
        }
        let own = address.parameter("expires").map(|value| value.parse::<u32>().unwrap_or(self.config.usual));
        let expires = own.or(asked).unwrap_or(self.config.usual);
        if expires > 0 && expires < self.config.least {
            return Err(Answer::of(423).with("Min-Expires", self.config.least.to_string()));
        }
        let q = address.parameter("q").and_then(thousandths).unwrap_or(1_000);
        let instance = address.parameter("+sip.instance").map(|value| value.trim_matches('"').to_owned());
        Ok(Given { contact: address.uri.to_owned(), expires: expires.min(self.config.most), q, instance })
    }

    fn granted(&self, bindings: &[Binding]) -> Answer {
        let contact = |binding: &Binding| format!("<{}>;expires={}", binding.contact, binding.expires.min(self.config.most));
        let fields = bindings.iter().map(|binding| ("Contact".to_owned(), contact(binding))).collect();
        Answer { status: 200, fields, sdp: None }
    }
}

fn not_stored(core: &Core, fault: NotStored) -> Answer {
    tracing::warn!(?fault, "registrations cannot be kept");
    Answer::of(503).with("Retry-After", core.admission.retry_after().to_string())
}

/// Whose lane is whose.
fn lane(owner: &OwnerId) -> usize {
    owner.0.bytes().fold(7_usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(usize::from(octet))) % LANES
}

/// A preference of 0 to 1 with three digits (RFC 3261 section 25.1).
fn thousandths(value: &str) -> Option<u16> {
    let (whole, rest) = value.split_once('.').unwrap_or((value, ""));
    let rest: u16 = format!("{rest:0<3}").get(..3)?.parse().ok()?;
    Some((whole.parse::<u16>().ok()?.min(1) * 1_000 + rest).min(1_000))
}

impl Binding {
    /// How the device is reached by its own account: `None` where its contact says nothing of a transport.
    #[must_use]
    pub fn said(&self) -> Option<crate::Transport> {
        transport_of(&self.contact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_thousandths() {
        assert_eq!(
            ["1", "0.5", "0.33", "0", "1.0", "x"].map(thousandths),
            [Some(1000), Some(500), Some(330), Some(0), Some(1000), None]
        );
    }
}
