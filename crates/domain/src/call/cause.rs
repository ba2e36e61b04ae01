//! Why calls end: the same reason as SIP (RFC 3261), as Q.850 and as the catalogue say it. One table, read in every direction.

use tandem_catalogue::{Code, Error};

use super::Disposition;

/// Why a call ended, or was not made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// Somebody hung up.
    Normal,
    /// The most that it may last is over.
    TimeLimit,
    /// The money ended.
    FundsEnded,
    /// Nobody has the number.
    Unassigned,
    /// No trunk carries such calls.
    NoRoute,
    /// Whoever was called is busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// Nobody can be reached.
    Unreachable,
    /// Whoever was called declined, or a call flow hangs up.
    Rejected,
    /// The caller gave up before anybody answered.
    Canceled,
    /// The number has changed for good.
    Gone,
    /// The number takes no calls at present.
    OutOfService,
    /// What was dialled is no number.
    Incomplete,
    /// Trunks are down or full.
    Congestion,
    /// The call goes round.
    Loop,
    /// It was forwarded too often.
    TooManyHops,
    /// It is not allowed.
    NotAllowed,
    /// The wallet is empty.
    NoFunds,
    /// There are too many calls.
    TooMany,
    /// The two sides have no codec in common.
    Incompatible,
    /// The process that carried it is gone.
    Lost,
    /// Another carrier failed.
    Failed,
    /// We failed.
    Internal,
    /// The PIN of the conference was wrong.
    WrongPin,
}

/// A line of the table: the reason, its word, the catalogue's code, SIP's status and Q.850's value.
type Line = (Reason, &'static str, Option<Code>, u16, u8);

/// Where several reasons have one status or value, the first is meant by it.
const TABLE: &[Line] = &[
    (Reason::Normal, "normal", None, 200, 16),
    (Reason::Unassigned, "unassigned", Some(Code::NumberUnassigned), 404, 1),
    (Reason::NoRoute, "no_route", Some(Code::NoRoute), 404, 3),
    (Reason::Busy, "busy", Some(Code::CalleeBusy), 486, 17),
    (Reason::NoAnswer, "no_answer", Some(Code::NoAnswer), 480, 19),
    (Reason::Unreachable, "unreachable", Some(Code::CalleeUnreachable), 480, 20),
    (Reason::OutOfService, "out_of_service", Some(Code::NumberOutOfService), 480, 27),
    (Reason::Rejected, "rejected", Some(Code::CallRejected), 603, 21),
    (Reason::Canceled, "canceled", None, 487, 16),
    (Reason::Gone, "gone", Some(Code::NumberUnassigned), 410, 22),
    (Reason::Incomplete, "incomplete", Some(Code::InvalidPhoneNumber), 484, 28),
    (Reason::Congestion, "congestion", Some(Code::TrunksUnavailable), 503, 34),
    (Reason::Loop, "loop", Some(Code::CallLoop), 482, 25),
    (Reason::TooManyHops, "too_many_hops", Some(Code::TooManyHops), 483, 25),
    (Reason::NotAllowed, "not_allowed", Some(Code::CallCountryNotAllowed), 403, 57),
    (Reason::NoFunds, "no_funds", Some(Code::InsufficientFunds), 402, 50),
    (Reason::TooMany, "too_many", Some(Code::CallLimitReached), 503, 42),
    (Reason::Incompatible, "incompatible", Some(Code::CallFailed), 488, 88),
    (Reason::Failed, "failed", Some(Code::CallFailed), 502, 38),
    (Reason::Internal, "internal", Some(Code::Internal), 500, 41),
    (Reason::Lost, "lost", Some(Code::CallFailed), 500, 41),
    (Reason::TimeLimit, "time_limit", None, 200, 102),
    (Reason::FundsEnded, "funds_ended", Some(Code::InsufficientFunds), 402, 50),
    (Reason::WrongPin, "wrong_pin", Some(Code::ConferencePinWrong), 403, 21),
];

/// What other systems' statuses mean that no reason of ours has.
const STATUSES: &[(u16, Reason)] = &[
    (400, Reason::Failed),
    (401, Reason::NotAllowed),
    (407, Reason::NotAllowed),
    (408, Reason::NoAnswer),
    (410, Reason::Gone),
    (413, Reason::Failed),
    (415, Reason::Incompatible),
    (416, Reason::Incomplete),
    (420, Reason::Failed),
    (433, Reason::Rejected),
    (481, Reason::Failed),
    (485, Reason::Incomplete),
    (491, Reason::Failed),
    (493, Reason::Incompatible),
    (504, Reason::NoAnswer),
    (513, Reason::Failed),
    (600, Reason::Busy),
    (604, Reason::Unassigned),
    (606, Reason::Incompatible),
    (607, Reason::Rejected),
    (608, Reason::Rejected),
];

/// The same of values of Q.850.
const VALUES: &[(u8, Reason)] = &[
    (2, Reason::NoRoute),
    (5, Reason::Incomplete),
    (18, Reason::NoAnswer),
    (26, Reason::Normal),
    (29, Reason::NotAllowed),
    (31, Reason::Normal),
    (44, Reason::Congestion),
    (47, Reason::Congestion),
    (49, Reason::NotAllowed),
    (52, Reason::NotAllowed),
    (54, Reason::NotAllowed),
    (55, Reason::NotAllowed),
    (58, Reason::Incompatible),
    (63, Reason::OutOfService),
    (65, Reason::Incompatible),
    (79, Reason::Failed),
    (87, Reason::NotAllowed),
    (111, Reason::Failed),
    (127, Reason::Failed),
];

impl Reason {
    fn line(self) -> &'static Line {
        TABLE.iter().find(|(reason, ..)| *reason == self).unwrap_or(&INTERNAL)
    }

    /// The word that stores and pages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.line().1
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        TABLE.iter().find(|(_, word, ..)| *word == text).map(|(reason, ..)| *reason)
    }

    /// The catalogue's code; none for what is no fault.
    #[must_use]
    pub fn code(self) -> Option<Code> {
        self.line().2
    }

    /// The SIP status with which a call is refused for it.
    #[must_use]
    pub fn sip(self) -> u16 {
        self.line().3
    }

    /// The value of Q.850, for the `Reason` header (RFC 3326).
    #[must_use]
    pub fn q850(self) -> u8 {
        self.line().4
    }

    /// What a SIP status means; by its class where nobody knows it.
    #[must_use]
    pub fn of_sip(status: u16) -> Self {
        let own = TABLE.iter().find(|(.., sip, _)| *sip == status).map(|(reason, ..)| *reason);
        let other = || STATUSES.iter().find(|(known, _)| *known == status).map(|(_, reason)| *reason);
        let class = match status {
            200..=299 => Self::Normal,
            500..=599 => Self::Failed,
            600..=699 => Self::Rejected,
            _ => Self::Failed,
        };
        own.or_else(other).unwrap_or(class)
    }

    /// What a value of Q.850 means; by its class where nobody knows it.
    #[must_use]
    pub fn of_q850(value: u8) -> Self {
        let own = TABLE.iter().find(|(.., q850)| *q850 == value).map(|(reason, ..)| *reason);
        let other = || VALUES.iter().find(|(known, _)| *known == value).map(|(_, reason)| *reason);
        let class = match value {
            0..=31 => Self::Normal,
            32..=47 => Self::Congestion,
            48..=63 => Self::NotAllowed,
            64..=95 => Self::Incompatible,
            _ => Self::Failed,
        };
        own.or_else(other).unwrap_or(class)
    }

    /// Both together, as another system gives them: the value of Q.850 says more where it is there and says something.
    #[must_use]
    pub fn of_both(status: u16, value: Option<u8>) -> Self {
        match value.map(Self::of_q850) {
            None | Some(Self::Normal) => Self::of_sip(status),
            Some(reason) => reason,
        }
    }

    /// Why a call is refused for an error of the catalogue.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        match error.code() {
            Code::CallTooDear | Code::CallerIdNotAllowed | Code::AccountSuspended => Self::NotAllowed,
            Code::SpendingLimitReached => Self::NoFunds,
            Code::Overloaded | Code::ShuttingDown | Code::Unavailable => Self::Congestion,
            Code::ConferenceFull => Self::Busy,
            Code::ConferenceOver => Self::Gone,
            Code::ConferenceNotBegun => Self::OutOfService,
            code => TABLE.iter().find(|(_, _, known, ..)| *known == Some(code)).map_or(Self::Internal, |(reason, ..)| *reason),
        }
    }

    /// How a call that nobody answered is put down.
    #[must_use]
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::Busy => Disposition::Busy,
            Self::Normal | Self::NoAnswer | Self::Canceled | Self::Unreachable | Self::Rejected => Disposition::NoAnswer,
            _ => Disposition::Failed,
        }
    }
}

const INTERNAL: Line = (Reason::Internal, "internal", Some(Code::Internal), 500, 41);

/// What the SIP status of a refusal is: the catalogue's where it has one.
#[must_use]
pub fn sip_of(error: &Error) -> u16 {
    error.code().entry().sip.unwrap_or_else(|| Reason::of_error(error).sip())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_one_line_and_reads_back() {
        let reasons: HashSet<Reason> = TABLE.iter().map(|(reason, ..)| *reason).collect();
        let words: HashSet<&str> = TABLE.iter().map(|(_, word, ..)| *word).collect();
        assert_eq!((reasons.len(), words.len()), (TABLE.len(), TABLE.len()));
        for reason in reasons {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
    }

    #[test]
    fn the_catalogue_says_the_same_status() {
        for (reason, _, code, sip, _) in TABLE {
            let known = code.and_then(|code| code.entry().sip);
            let differs = matches!(reason, Reason::Gone | Reason::Incompatible | Reason::Lost); // sharper than their code
            assert!(differs || known.is_none_or(|known| known == *sip), "{reason:?}");
        }
    }

    #[test]
    fn statuses_and_values_are_understood() {
        for (status, reason) in [
            (486, Reason::Busy),
            (600, Reason::Busy),
            (480, Reason::NoAnswer),
            (408, Reason::NoAnswer),
            (404, Reason::Unassigned),
            (603, Reason::Rejected),
            (487, Reason::Canceled),
            (503, Reason::Congestion),
            (488, Reason::Incompatible),
            (499, Reason::Failed),
            (599, Reason::Failed),
            (699, Reason::Rejected),
            (200, Reason::Normal),
            (0, Reason::Failed),
        ] {
            assert_eq!(Reason::of_sip(status), reason, "{status}");
        }
        for (value, reason) in [
            (1, Reason::Unassigned),
            (16, Reason::Normal),
            (17, Reason::Busy),
            (18, Reason::NoAnswer),
            (19, Reason::NoAnswer),
            (21, Reason::Rejected),
            (34, Reason::Congestion),
            (38, Reason::Failed),
            (88, Reason::Incompatible),
            (46, Reason::Congestion),
        ] {
            assert_eq!(Reason::of_q850(value), reason, "{value}");
        }
        assert_eq!(Reason::of_both(503, Some(17)), Reason::Busy);
        assert_eq!(Reason::of_both(486, Some(16)), Reason::Busy);
        assert_eq!(Reason::of_error(&Error::callee_busy()), Reason::Busy);
        assert_eq!(sip_of(&Error::call_rejected()), 603);
        assert_eq!(sip_of(&Error::overloaded(1)), 503);
    }
}
