//! What is said in a call.
#![warn(missing_docs)]

pub mod codec;
pub mod dtmf;
pub mod play;
pub mod quality;
pub mod rtp;
pub mod sdp;
pub mod srtp;

pub use codec::{Codec, Rate};
