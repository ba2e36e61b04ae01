//! SIP devices of accounts, and where they can be reached.

use tandem_kernel::{DeviceId, EnvironmentId, PhoneNumber, Timestamp};

use crate::digest::Ha1;

/// Registrations that a device may have at the most.
pub const MOST_REGISTRATIONS: i64 = 20;
/// Registrations that a device has at the most where its owner says nothing.
pub const USUAL_REGISTRATIONS: i64 = 5;
/// The longest label, in characters.
pub const LONGEST_LABEL: usize = 128;

/// A telephone, an adapter or a program that registers with us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// What it calls itself: a name that was made here, as it must be of nobody else.
    pub user_name: String,
    /// Its owner's name for it.
    pub label: String,
    /// The number of its owner's that its calls come from; it cannot call outside without one.
    pub caller_id: Option<PhoneNumber>,
    /// Registrations that it may have at once.
    pub max_registrations: i64,
    /// Whether it may register and call.
    pub enabled: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// What a device proves its password with, kept apart from the device so that nothing shows it by mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secret {
    /// The device's hashes.
    pub ha1: Ha1,
}

/// Where a device can be reached, as it said when it registered. All times are the machine's: a registration is about the real
/// network, and moving a test environment's clock neither ends nor prolongs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The device.
    pub device: DeviceId,
    /// The contact, without its parameters.
    pub contact: String,
    /// The address and port that the request came from.
    pub source: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// What the device says it is.
    pub user_agent: String,
    /// The proxies on the way back (RFC 3327), as they are to be sent; empty where there are none.
    pub path: String,
    /// The registration's Call-ID, of which only a higher sequence number counts.
    pub call_id: String,
    /// Its sequence number.
    pub cseq: i64,
    /// The order among contacts, in thousandths.
    pub q: i64,
    /// The process that holds its connection, where it has one.
    pub node: [u8; 16],
    /// Since when.
    pub registered_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Registration {
    /// Whether it holds at an instant of the machine's clock.
    #[must_use]
    pub fn is_current(&self, machine: Timestamp) -> bool {
        self.expires_at > machine
    }
}
