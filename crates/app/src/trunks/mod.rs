//! Trunks as operators look after them, and as whoever speaks SIP asks for them.

mod manage;
mod serve;

pub use manage::{
    AddTrunk, ChangeTrunk, Edit, NewCredentials, Registers, TrunkView, add, change, get, list, remove, remove_credentials,
    rotate_credentials,
};
pub use serve::{identify, outbound, own_password, report_health, serving};

pub(crate) use manage::password;
