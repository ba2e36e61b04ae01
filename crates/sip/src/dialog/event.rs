//! What a call tells its owner.

use std::fmt;

use tokio::sync::oneshot;

use crate::message::Answer;

/// Why a call ended or was refused (RFC 3326).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850` or another name for causes.
    pub protocol: String,
    /// The cause.
    pub cause: u16,
    /// In words.
    pub text: Option<String>,
}

impl Reason {
    /// A cause of ISDN (ITU-T Q.850).
    #[must_use]
    pub fn q850(cause: u16, text: &str) -> Self {
        Self { protocol: "Q.850".to_owned(), cause, text: Some(text.to_owned()) }
    }

    /// A status of SIP.
    #[must_use]
    pub fn sip(status: u16, text: &str) -> Self {
        Self { protocol: "SIP".to_owned(), cause: status, text: Some(text.to_owned()) }
    }

    /// Reads the values of one `Reason` field. What has no cause is passed over.
    #[must_use]
    pub fn read(value: &str) -> Vec<Self> {
        crate::wire::split(value).into_iter().filter_map(Self::one).collect()
    }

    fn one(value: &str) -> Option<Self> {
        let (protocol, rest) = value.split_at(value.find(';')?);
        let parameters = crate::wire::parameters(rest)?;
        let named =
            |name: &str| parameters.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).and_then(|(_, value)| *value);
        let text = named("text").map(|text| text.trim_matches('"').to_owned());
        Some(Self { protocol: protocol.trim().to_owned(), cause: named("cause")?.parse().ok()?, text })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};cause={}", self.protocol, self.cause)?;
        match &self.text {
            Some(text) => write!(f, ";text={}", crate::digest::quoted(text)),
            None => Ok(()),
        }
    }
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The other side.
    Them,
    /// We.
    Us,
    /// Nobody refreshed the session (RFC 4028).
    SessionExpired,
    /// The other side cannot be reached any more, or does not answer.
    Transport,
}

/// A call's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Who ended it.
    pub by: By,
    /// The reasons that were given (RFC 3326).
    pub reasons: Vec<Reason>,
}

impl Ended {
    pub(crate) const fn by(by: By) -> Self {
        Self { by, reasons: Vec::new() }
    }
}

/// Something that happened within a call that was answered.
#[derive(Debug)]
pub enum Event {
    /// The other side has acknowledged our answer; with a description where the offer was ours (RFC 3261 section 13.2.1).
    Confirmed {
        /// The answer to an offer of ours.
        sdp: Option<Vec<u8>>,
    },
    /// The other side wants to change the session, or to hear what we offer.
    Offer(Offer),
    /// An INFO.
    Info(Info),
    /// The other side wants the call to go elsewhere.
    Refer(Refer),
    /// How far a transfer that we asked for has come (RFC 3515 section 2.4.4).
    Notified {
        /// The status of the call that was asked for.
        status: u16,
        /// Whether this was the last word.
        last: bool,
    },
    /// It is over. Nothing follows.
    Ended(Ended),
}

/// The answer that a request waits for. Where it is dropped, the request is refused.
#[derive(Debug)]
pub(crate) struct Answering(pub(crate) oneshot::Sender<Answer>);

impl Answering {
    fn say(self, answer: Answer) {
        let _ = self.0.send(answer); // a request that has ended meanwhile needs no answer
    }
}

/// A re-INVITE or an UPDATE.
#[derive(Debug)]
pub struct Offer {
    /// The offer. Without one the other side asks for ours.
    pub sdp: Option<Vec<u8>>,
    /// Whether it came with an UPDATE (RFC 3311).
    pub update: bool,
    pub(crate) answering: Answering,
}

impl Offer {
    /// Accepts it, with the answer, or with our offer where there was none.
    pub fn accept(self, sdp: Vec<u8>) {
        self.answering.say(Answer { status: 200, fields: Vec::new(), sdp: Some(sdp) });
    }

    /// Refuses it. The session stays as it was.
    pub fn refuse(self, status: u16) {
        self.answering.say(Answer::of(status.clamp(300, 699)));
    }
}

/// An INFO (RFC 6086): what it carries is for the owner.
#[derive(Debug)]
pub struct Info {
    /// What kind of body it has.
    pub kind: String,
    /// The body.
    pub body: Vec<u8>,
    pub(crate) answering: Answering,
}

impl Info {
    /// It was understood.
    pub fn accept(self) {
        self.answering.say(Answer::of(200));
    }

    /// It was not: 415 for a kind that is not known (RFC 6086 section 4.2.2).
    pub fn refuse(self, status: u16) {
        self.answering.say(Answer::of(status.clamp(300, 699)));
    }
}

/// A REFER (RFC 3515): a wish to be transferred.
#[derive(Debug)]
pub struct Refer {
    /// Where to.
    pub to: String,
    /// The dialog that the new call is to replace (RFC 3891), as `call-id;to-tag=…;from-tag=…`.
    pub replaces: Option<String>,
    /// Who wishes it (RFC 3892).
    pub by: Option<String>,
    pub(crate) answering: Answering,
}

impl Refer {
    /// Accepts it with 202. How the new call fares is told with [`Control::notify_refer`](crate::Control::notify_refer).
    pub fn accept(self) {
        self.answering.say(Answer::of(202));
    }

    /// Refuses it.
    pub fn refuse(self, status: u16) {
        self.answering.say(Answer::of(status.clamp(300, 699)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_as_they_are_written() {
        let reasons = [Reason::q850(16, "Normal \"clearing\""), Reason::sip(486, "Busy Here")];
        let written = reasons.map(|reason| reason.to_string());
        let read = Reason::read(&written.join(", "));
        assert_eq!(
            read.iter().map(|reason| (reason.protocol.as_str(), reason.cause)).collect::<Vec<_>>(),
            [("Q.850", 16), ("SIP", 486)]
        );
        assert!(Reason::read("Q.850").is_empty());
    }
}
