//! SIP devices: as their owners look after them, and as whoever speaks SIP asks for them.

mod manage;
mod serve;

pub use manage::{AddDevice, ChangeDevice, DeviceView, MOST_DEVICES, add, change, delete, get, list, registrations, rotate};
pub use serve::{Binding, Known, Peer, credentials, held, of, register, replace, unregister, unregister_all};
