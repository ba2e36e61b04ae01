//! SMSCs as operators look after them, and the simulated one as accounts use it.

mod faults;
mod manage;
mod network;
mod pocket;

pub(crate) use faults::allowed;
pub use faults::{AddFault, add_fault, list_faults, remove_fault};
pub use manage::{ChangeSmsc, Edit, SmscView, add, change, get, list, remove, reveal};
pub use network::{BindStatus, Network, PocketMessage};
pub use pocket::{SendFrom, magic_recipients, received, send_from};

/// The name of an id under which the pocket network's own bind is known.
pub const POCKET: tandem_kernel::SmscId = tandem_kernel::SmscId::from_bytes(*b"pocket-network-0");
