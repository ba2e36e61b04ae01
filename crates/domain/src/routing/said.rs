//! What a number's webhook may answer when it is asked about a call.

use serde_json::{Map, Value};
use tandem_catalogue::{Dialect, Error};

use crate::{call::Reason, flow::Destination};

/// Characters that are spoken at the most.
const LONGEST_TEXT: usize = 2_000;
/// The language of what is said where nothing is said of it.
const USUAL_LANGUAGE: &str = "en-US";
/// The words for refusals, and what they are in ours. The first is what an empty refusal means.
const REFUSALS: [(&str, Reason); 3] =
    [("declined", Reason::Rejected), ("busy", Reason::Busy), ("unavailable", Reason::Unreachable)];

/// What is to be done with a call, as whoever was asked says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What the number's configuration says.
    AsConfigured,
    /// The caller hears something, is led somewhere, or both.
    Control {
        /// The text that is said first, and its language.
        say: Option<(String, String)>,
        /// Where the call goes; as the number's configuration says if nothing is said.
        to: Option<Destination>,
    },
    /// The call is refused.
    Reject(Reason),
}

impl Said {
    /// Reads an answer: nothing, `{}`, `{"call_control": {…}}` as calls that are made have it, or `{"reject": {…}}`. Nothing is overlooked: what
    /// is not known is a fault, as the call would go elsewhere than its owner thinks.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(content: &[u8]) -> Result<Self, String> {
        if content.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::AsConfigured);
        }
        let value: Value = serde_json::from_slice(content).map_err(|fault| format!("it is no JSON: {fault}"))?;
        let members = object("the answer", &value)?;
        known("the answer", members, &["call_control", "reject"])?;
        match (members.get("call_control"), members.get("reject")) {
            (None, None) => Ok(Self::AsConfigured),
            (Some(_), Some(_)) => Err("it has call_control and reject, and only one of them can be done".to_owned()),
            (Some(control), None) => control_of(object("call_control", control)?),
            (None, Some(reject)) => reject_of(object("reject", reject)?).map(Self::Reject),
        }
    }
}

fn control_of(members: &Map<String, Value>) -> Result<Said, String> {
    known("call_control", members, &["say", "language", "destination", "destination_type"])?;
    let say = text("call_control.say", members, "say", (1, LONGEST_TEXT))?;
    let language = text("call_control.language", members, "language", (2, 20))?;
    let target = text("call_control.destination", members, "destination", (0, 64))?;
    let kind = text("call_control.destination_type", members, "destination_type", (1, 64))?;
    let to = match (kind, &target) {
        (None, Some(_)) => return Err("call_control.destination_type is missing".to_owned()),
        (None, None) => None,
        (Some(kind), target) => Some(destination(&kind, target.as_deref())?),
    };
    let say = say.map(|text| (text, language.unwrap_or_else(|| USUAL_LANGUAGE.to_owned())));
    if say.is_none() && to.is_none() { Ok(Said::AsConfigured) } else { Ok(Said::Control { say, to }) }
}

fn destination(kind: &str, target: Option<&str>) -> Result<Destination, String> {
    Destination::read(kind, target, "call_control.destination").map_err(|error| said(&error))
}

/// An error in the words in which it is answered.
#[must_use]
pub fn said(error: &Error) -> String {
    format!("{}: {}", error.code().name(), error.render(Dialect::Native).message)
}

fn reject_of(members: &Map<String, Value>) -> Result<Reason, String> {
    known("reject", members, &["reason"])?;
    let [(usual, _), ..] = REFUSALS;
    let word = text("reject.reason", members, "reason", (1, 64))?;
    let word = word.as_deref().unwrap_or(usual);
    let found = REFUSALS.iter().find(|(known, _)| *known == word).map(|(_, reason)| *reason);
    found.ok_or_else(|| format!("reject.reason is '{word}', and can be {}", REFUSALS.map(|(known, _)| known).join(", ")))
}

fn object<'a>(name: &str, value: &'a Value) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{name} is no object"))
}

fn known(of: &str, members: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(other) => {
            let other: String = other.chars().take(64).collect();
            Err(format!("{of} has the member '{other}', which nobody knows; it can have {}", names.join(", ")))
        }
        None => Ok(()),
    }
}

fn text(name: &str, members: &Map<String, Value>, key: &str, (least, most): (usize, usize)) -> Result<Option<String>, String> {
    let Some(value) = members.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| format!("{name} is no text"))?;
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        Ok(Some(text.to_owned()))
    } else {
        Err(format!("{name} has {length} characters, and can have {least} to {most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_kernel::PhoneNumber;

    fn read(text: &str) -> Result<Said, String> {
        Said::read(text.as_bytes())
    }

    #[test]
    fn answers_are_read() {
        for nothing in ["", " \n", "{}", r#"{"call_control":{}}"#, r#"{"call_control":{"say":null}}"#] {
            assert_eq!(read(nothing), Ok(Said::AsConfigured), "{nothing}");
        }
        let number = PhoneNumber::parse("+14155550199").expect("a number");
        let led = Said::Control { say: None, to: Some(Destination::Number(number)) };
        assert_eq!(read(r#"{"call_control":{"destination":"+14155550199","destination_type":"phone_number"}}"#), Ok(led));
        let spoken = Said::Control { say: Some(("Hi".to_owned(), "en-US".to_owned())), to: None };
        assert_eq!(read(r#"{"call_control":{"say":"Hi"}}"#), Ok(spoken));
        let both = Said::Control { say: Some(("Salut".to_owned(), "fr".to_owned())), to: Some(Destination::Voicemail) };
        assert_eq!(read(r#"{"call_control":{"say":"Salut","language":"fr","destination_type":"voicemail"}}"#), Ok(both));
        assert_eq!(read(r#"{"reject":{}}"#), Ok(Said::Reject(Reason::Rejected)));
        for (word, reason) in REFUSALS {
            assert_eq!(read(&format!(r#"{{"reject":{{"reason":"{word}"}}}}"#)), Ok(Said::Reject(reason)));
        }
    }

    #[test]
    fn what_is_not_understood_is_a_fault_that_says_why() {
        for (text, why) in [
            ("ok", "it is no JSON"),
            ("[]", "the answer is no object"),
            (r#"{"action":"hangup"}"#, "'action', which nobody knows; it can have call_control, reject"),
            (r#"{"call_control":{},"reject":{}}"#, "only one of them"),
            (r#"{"call_control":"x"}"#, "call_control is no object"),
            (r#"{"call_control":{"speak":"x"}}"#, "'speak'"),
            (r#"{"call_control":{"say":1}}"#, "call_control.say is no text"),
            (r#"{"call_control":{"say":""}}"#, "has 0 characters"),
            (r#"{"call_control":{"destination":"+14155550199"}}"#, "destination_type is missing"),
            (r#"{"call_control":{"destination_type":"teleport"}}"#, "invalid_choice"),
            (r#"{"call_control":{"destination_type":"phone_number","destination":"12"}}"#, "forward_target_invalid"),
            (r#"{"reject":{"reason":"tired"}}"#, "reject.reason is 'tired', and can be declined, busy, unavailable"),
            (r#"{"reject":{"code":486}}"#, "'code'"),
        ] {
            let said = read(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
