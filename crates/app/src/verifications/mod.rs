//! Verifications: sending codes, checking them, and how a verification ends.

mod check;
mod end;
mod policy;
mod read;
mod send;
mod spoken;
mod undelivered;

pub use check::{CheckVerification, Checked, check};
pub use end::{EXPIRY_JOB, cancel, expire};
pub use policy::{PolicyView, Whose, read as read_policy, set as set_policy};
pub use read::{ListVerifications, VerificationView, explain, get, list};
pub use send::{SendVerification, Sent, send};
pub(crate) use spoken::unheard;
pub use tandem_store::repo::verifications::{Carrier, Sending};
pub(crate) use undelivered::undelivered;

use serde_json::{Value, json};
use tandem_domain::verification::Verification;

/// A verification as events tell of it.
fn data(verification: &Verification) -> Value {
    json!({
        "verification_id": verification.id.to_string(),
        "phone_number": verification.phone.to_string(),
        "channel": verification.channel.as_str(),
        "status": verification.state.as_str(),
    })
}

/// The keyed hash of a code, which is of use with its own verification only.
fn mac_of(vault: &crate::Vault, id: tandem_kernel::VerificationId, code: &str) -> [u8; 32] {
    vault.mac("code", &[id.as_bytes(), code.as_bytes()])
}
