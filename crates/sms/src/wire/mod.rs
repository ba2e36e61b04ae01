//! SMPP on the wire: frames and the commands in them, short messages as both sides see them, alphabets.

pub mod alphabet;
pub(crate) mod frame;
mod pipe;
mod short;
pub mod status;
mod stitch;
mod words;

pub use frame::{BadLength, Frame, command, nack, put, take};
pub use pipe::{Pipe, Stream};
pub use short::{Address, Place, Short, VENDOR_ENVIRONMENT, VENDOR_PART};
pub use stitch::{Stitched, Stitcher};
pub use words::{clipped, clock_text, relative};

/// The version that a session speaks.
pub const V34: u8 = 0x34;
/// SMPP 5.0.
pub const V50: u8 = 0x50;
