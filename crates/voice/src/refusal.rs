//! Why a call is not taken, in the words of SIP.

use tandem_catalogue::Error;
use tandem_domain::call::{Reason, cause};
use tandem_kernel::CallId;
use tandem_sip::{self as sip, Refusal};

/// A refusal with its reasons: Q.850's value, and the catalogue's code with the call's id, by which an operator finds it (RFC 3326).
pub(crate) fn refusal(error: &Error, id: CallId) -> Refusal {
    let reason = Reason::of_error(error);
    let status = cause::sip_of(error);
    let text = format!("{} {id}", error.code().name());
    Refusal {
        status,
        reasons: vec![sip::Reason::q850(reason.q850().into(), &text)],
        retry_after: error.retry_after().and_then(|seconds| u32::try_from(seconds.max(1)).ok()),
        contacts: Vec::new(),
    }
}

/// The same for a reason of ours.
pub(crate) fn because(reason: Reason, id: CallId) -> Refusal {
    let retry_after = (reason.sip() == 503).then_some(5);
    Refusal { status: reason.sip(), reasons: reasons(reason, id), retry_after, contacts: Vec::new() }
}

/// What a BYE or a CANCEL says.
pub(crate) fn reasons(reason: Reason, id: CallId) -> Vec<sip::Reason> {
    let text = match reason.code() {
        Some(code) => format!("{} {id}", code.name()),
        None => format!("{} {id}", reason.as_str()),
    };
    vec![sip::Reason::q850(reason.q850().into(), &text)]
}

/// What the reasons of another system mean: the status, and the value of Q.850 where one is given.
pub(crate) fn meant(status: u16, reasons: &[sip::Reason]) -> (Reason, Option<u8>) {
    let value = reasons.iter().find(|reason| reason.protocol.eq_ignore_ascii_case("Q.850"));
    let value = value.and_then(|reason| u8::try_from(reason.cause).ok());
    (Reason::of_both(status, value), value)
}
