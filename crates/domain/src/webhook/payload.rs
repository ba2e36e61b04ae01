//! What a delivery says, in each dialect.

use serde_json::{Map, Value, json};
use tandem_catalogue::Dialect;
use tandem_kernel::{AccountId, CallId, EventId, MessageId, PropertyId, Timestamp};

use super::{endpoint::Method, javascript};
use crate::{
    event::EventKind,
    sid::{account_sid, letter, sid},
};

/// Names that dialects document and that no kind of ours has.
const DOCUMENTED: [&str; 4] = ["Message.Received", "Message.DeliveryReceiptReceived", "Call.Initiate", "Call.Complete"];

/// The names of all events in all dialects.
pub const EVENTS: [&str; EventKind::ALL.len() + DOCUMENTED.len()] = {
    let mut names = [""; EventKind::ALL.len() + DOCUMENTED.len()];
    let (ours, mut place) = (EventKind::ALL.len(), 0);
    #[expect(clippy::indexing_slicing, reason = "worked out while compiling, where a slip does not compile")]
    while place < names.len() {
        names[place] = if place < ours { EventKind::ALL[place].as_str() } else { DOCUMENTED[place - ours] };
        place += 1;
    }
    names
};

/// The names of all events, and `*` for all of them.
pub const CHOICES: [&str; EVENTS.len() + 1] = {
    let mut names = ["*"; EVENTS.len() + 1];
    let mut place = 0;
    #[expect(clippy::indexing_slicing, reason = "worked out while compiling, where a slip does not compile")]
    while place < EVENTS.len() {
        names[place + 1] = EVENTS[place];
        place += 1;
    }
    names
};

/// To whom a delivery goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// An endpoint that asked for events, in its dialect.
    Endpoint(Dialect),
    /// The webhook of a number, which hears of what comes for the number: as Audian's, with our signature beside.
    Number,
    /// A URL that a message names for its own receipt or replies, or that a number was given in Fone Dynamics' API: as Fone Dynamics' endpoints, with our signature beside. What is
    /// delivered names the URL in its member `uri`; the webhook stands for all URLs of one host.
    Message,
}

impl Target {
    /// The dialect in which it is spoken to.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Endpoint(dialect) => dialect,
            Self::Number => Dialect::Audian,
            Self::Message => Dialect::FoneDynamics,
        }
    }

    /// The word that stores use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint(dialect) => dialect.as_str(),
            Self::Number => "number",
            Self::Message => "message",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "number" => Some(Self::Number),
            "message" => Some(Self::Message),
            dialect => Dialect::parse(dialect).map(Self::Endpoint),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The event's id.
    pub id: EventId,
    /// Whose object.
    pub account: AccountId,
    /// What happened, by our name.
    pub kind: String,
    /// The object.
    pub object: String,
    /// The object's first event is 1; none for what is in no log.
    pub sequence: Option<i64>,
    /// More about it.
    pub data: Map<String, Value>,
    /// When, by the environment's clock.
    pub at: Timestamp,
}

/// What goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The name of the event in the dialect.
    pub event: String,
    /// The media type of the bytes.
    pub media_type: &'static str,
    /// What is appended to the URL's query; empty for a POST.
    pub query: String,
    /// The body; empty for a GET.
    pub bytes: Vec<u8>,
}

/// The name by which a dialect knows an event of ours; none if it does not tell of it.
#[must_use]
pub fn name_in(dialect: Dialect, kind: &str) -> Option<&str> {
    match dialect {
        Dialect::Native | Dialect::Audian => Some(kind),
        Dialect::TelephonyIo => match kind {
            "verify.checked" | "call.completed" => Some(kind),
            _ => None,
        },
        Dialect::FoneDynamics => match kind {
            "message.received" => Some("Message.Received"),
            "message.delivered" | "message.undelivered" => Some("Message.DeliveryReceiptReceived"),
            "call.initiated" => Some("Call.Initiate"),
            "call.completed" | "call.failed" => Some("Call.Complete"),
            _ => None,
        },
    }
}

/// Whether a name is one of a dialect's.
#[must_use]
pub fn knows(dialect: Dialect, name: &str) -> bool {
    match dialect {
        Dialect::Native | Dialect::Audian => !name.starts_with(|letter: char| letter.is_ascii_uppercase()),
        Dialect::TelephonyIo => matches!(name, "verify.checked" | "call.completed"),
        Dialect::FoneDynamics => name.starts_with(|letter: char| letter.is_ascii_uppercase()),
    }
}

/// Writes what happened for a receiver.
#[must_use]
pub fn render(target: Target, method: Method, happening: &Happening) -> Body {
    let dialect = target.dialect();
    let event = name_in(dialect, &happening.kind).unwrap_or(&happening.kind).to_owned();
    let json = |value: &Value| Body {
        event: event.clone(),
        media_type: "application/json",
        query: String::new(),
        bytes: javascript::stringify(value).into_bytes(),
    };
    match dialect {
        Dialect::Native => json(&native(happening)),
        Dialect::Audian => json(&audian(happening)),
        Dialect::TelephonyIo => json(&telephony_io(&event, happening)),
        Dialect::FoneDynamics => {
            let form = form(&fone_dynamics(&event, happening));
            let (query, bytes) = match method {
                Method::Get => (form, Vec::new()),
                Method::Post => (String::new(), form.into_bytes()),
            };
            Body { event, media_type: "application/x-www-form-urlencoded", query, bytes }
        }
    }
}

/// Standard Webhooks: type, timestamp and data.
fn native(happening: &Happening) -> Value {
    let mut data = Map::new();
    data.insert("object_id".to_owned(), happening.object.clone().into());
    if let Some(sequence) = happening.sequence {
        data.insert("sequence".to_owned(), sequence.into());
    }
    data.extend(happening.data.clone());
    json!({ "type": happening.kind, "timestamp": happening.at.to_string(), "data": data })
}

fn audian(happening: &Happening) -> Value {
    json!({
        "id": happening.id.to_string(),
        "timestamp": happening.at.to_string(),
        "event": happening.kind,
        "version": "v1",
        "data": with_id(happening),
    })
}

fn telephony_io(event: &str, happening: &Happening) -> Value {
    let data = with_id(happening).into_iter().map(|(name, value)| {
        let name = match (event, name.as_str()) {
            ("call.completed", "call_id") => "callId".to_owned(),
            ("call.completed", "from") => "from_number".to_owned(),
            ("call.completed", "to") => "to_number".to_owned(),
            _ => name,
        };
        (name, value)
    });
    let data: Map<String, Value> = data.collect();
    json!({ "event": event, "id": happening.id.to_string(), "timestamp": happening.at.to_string(), "data": data })
}

/// The event's data with the id of its object first: `number_id`, `call_id`.
fn with_id(happening: &Happening) -> Map<String, Value> {
    let noun = match happening.kind.split('.').next() {
        Some("verify") => "verification",
        Some(noun) => noun,
        None => "object",
    };
    let name = format!("{noun}_id");
    let mut data = Map::new();
    if !happening.data.contains_key(&name) {
        data.insert(name, happening.object.clone().into());
    }
    data.extend(happening.data.clone());
    data
}

/// What Fone Dynamics says of a message, and which members of an event's data it is made from.
const MESSAGE: [(&str, &[&str]); 3] = [("Message.From", &["from"]), ("Message.To", &["to"]), ("Message.Text", &["text", "body"])];
/// The same of a call.
const CALL: [(&str, &[&str]); 11] = [
    ("Call.StartDate", &["started_at", "initiated_at"]),
    ("Call.From", &["from"]),
    ("Call.From.Country", &["from_country"]),
    ("Call.From.Region", &["from_region"]),
    ("Call.From.City", &["from_city"]),
    ("Call.To", &["to"]),
    ("Call.To.Type", &["to_type"]),
    ("Call.To.Name", &["to_name"]),
    ("Call.Duration", &["duration"]),
    ("Call.Disposition", &["disposition"]),
    ("Call.Recording.Uri", &["recording_url"]),
];

/// What is there even where nothing is known of it.
const BLANK: [&str; 3] = ["Call.From.Country", "Call.From.Region", "Call.From.City"];

/// An object's id in the form of this dialect.
fn sid_of(object: &str) -> String {
    let call = CallId::parse(object).map(|id| sid(letter::CALL, id.as_bytes()));
    let message = || MessageId::parse(object).map(|id| sid(letter::MESSAGE, id.as_bytes()));
    call.or_else(message).unwrap_or_else(|| object.to_owned())
}

/// Dotted names, in the documented order. What the event does not say is left out.
fn fone_dynamics(event: &str, happening: &Happening) -> Vec<(&'static str, String)> {
    let mut all =
        vec![("Action", "Webhook".to_owned()), ("Event", event.to_owned()), ("Account.Sid", account_sid(happening.account))];
    let said = |name: &str| happening.data.get(name).filter(|value| !value.is_null()).map(plain);
    let first = |names: &[&str]| names.iter().find_map(|name| said(name));
    let (name_of_sid, members): (_, &[(&'static str, &[&str])]) = match event.split('.').next() {
        Some("Message") => ("Message.Sid", &MESSAGE),
        Some("Call") => ("Call.Sid", &CALL),
        _ => return all, // a test
    };
    let property = said("property_id").and_then(|id| PropertyId::parse(&id));
    all.extend(property.map(|id| ("Property.Sid", sid(letter::PROPERTY, id.as_bytes()))));
    for (name, of) in [("Property.Name", "property_name"), ("Property.Type", "property_type")] {
        all.extend(said(of).map(|value| (name, value)));
    }
    all.push((name_of_sid, sid_of(&happening.object)));
    for (name, from) in members {
        // The place of a caller is blank where it is not known.
        let value = if BLANK.contains(name) { Some(first(from).unwrap_or_default()) } else { first(from) };
        let value = if *name == "Call.StartDate" { value.map(|at| at.replace('T', " ").replace('Z', "")) } else { value };
        all.extend(value.map(|value| (*name, value)));
    }
    all
}

/// A value without the quotes of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => javascript::stringify(other),
    }
}

/// `application/x-www-form-urlencoded`.
fn form(pairs: &[(&'static str, String)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn happening(kind: &str, object: &str, data: Value) -> Happening {
        Happening {
            id: EventId::from_bytes([1; 16]),
            account: AccountId::from_bytes([7; 16]),
            kind: kind.to_owned(),
            object: object.to_owned(),
            sequence: Some(3),
            data: data.as_object().expect("an object").clone(),
            at: Timestamp::from_micros(1_704_067_200_000_000),
        }
    }

    fn text(dialect: Dialect, happening: &Happening) -> String {
        let body = render(Target::Endpoint(dialect), Method::Post, happening);
        String::from_utf8(body.bytes).expect("text")
    }

    #[test]
    fn no_event_has_two_names() {
        assert_eq!(EVENTS.iter().collect::<BTreeSet<_>>().len(), EVENTS.len());
        assert_eq!(CHOICES[0], "*");
        for dialect in Dialect::ALL {
            for kind in EventKind::ALL {
                assert!(name_in(dialect, kind.as_str()).is_none_or(|name| knows(dialect, name)), "{kind:?}");
            }
        }
    }

    #[test]
    fn each_dialect_says_it_its_own_way() {
        let bought = happening("number.purchased", "num_1", json!({ "number": "+14155550100", "monthly": 0.50 }));
        assert_eq!(
            text(Dialect::Audian, &bought),
            r#"{"id":"evt_01040g2081040g2081040g2081","timestamp":"2024-01-01T00:00:00Z","event":"number.purchased","version":"v1","data":{"number_id":"num_1","number":"+14155550100","monthly":0.5}}"#
        );
        assert_eq!(
            text(Dialect::Native, &bought),
            r#"{"type":"number.purchased","timestamp":"2024-01-01T00:00:00Z","data":{"object_id":"num_1","sequence":3,"number":"+14155550100","monthly":0.5}}"#
        );
        let call = happening(
            "call.completed",
            "call_1",
            json!({ "duration": 30, "cost": 0.05, "from": "+1", "to": "+2", "metadata": { "b": "é", "1": 2 } }),
        );
        assert_eq!(
            text(Dialect::TelephonyIo, &call),
            r#"{"event":"call.completed","id":"evt_01040g2081040g2081040g2081","timestamp":"2024-01-01T00:00:00Z","data":{"callId":"call_1","duration":30,"cost":0.05,"from_number":"+1","to_number":"+2","metadata":{"1":2,"b":"é"}}}"#
        );
    }

    #[test]
    fn fone_dynamics_has_dotted_names_in_a_form_or_a_query() {
        let message = happening("message.received", "msg_1", json!({ "from": "+61 412", "to": "+2", "body": "Hi & bye=é" }));
        let posted = text(Dialect::FoneDynamics, &message);
        let sid = account_sid(AccountId::from_bytes([7; 16]));
        assert_eq!(
            posted,
            format!(
                "Action=Webhook&Event=Message.Received&Account.Sid={sid}&Message.Sid=msg_1&Message.From=%2B61+412&Message.To=%2B2&Message.Text=Hi+%26+bye%3D%C3%A9"
            )
        );
        let got = render(Target::Endpoint(Dialect::FoneDynamics), Method::Get, &message);
        assert_eq!((got.query, got.bytes.len(), got.event.as_str()), (posted, 0, "Message.Received"));
    }
}
