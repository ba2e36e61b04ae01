//! RTP and RTCP (RFC 3550), without sockets.

mod packet;
mod reception;
pub mod rtcp;
mod source;

pub use packet::{HEADER, Header, Rtp, header, is_rtcp};
pub use reception::{Place, Reception};
pub use source::Source;
