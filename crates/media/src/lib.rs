//! What is said in a call.
#![warn(missing_docs)]

pub mod codec;
pub mod sdp;

pub use codec::{Codec, Rate};
