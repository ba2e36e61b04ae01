//! What is said in a call.
//!
//! [`Media`] opens streams, conferences and recordings. A [`Stream`] is one party's RTP; [`sdp`] is how it comes to know what the other
//! side can do. Nothing here knows SIP, an account or a price.
//!
//! ```no_run
//! use tandem_media::{Media, MediaConfig, StreamEvent, play::Prompt, sdp::{Capabilities, Description, Direction, Session}};
//!
//! # async fn answer(media: &Media, offer: &[u8]) -> Result<String, Box<dyn std::error::Error>> {
//! let (stream, mut events) = media.stream()?;
//! let mut session = Session::new(stream.local(), Capabilities::default(), media.rng());
//! let (answer, agreed) = session.answer(&Description::parse(offer)?, Direction::SendRecv)?;
//! stream.negotiated(&agreed);
//! stream.play(&Prompt::music())?;
//! while let Some(event) = events.recv().await {
//!     if let StreamEvent::Digit(digit) = event {
//!         println!("{} for {:?}", digit.key, digit.duration);
//!     }
//! }
//! # Ok(answer.to_string())
//! # }
//! ```
#![warn(missing_docs)]

pub mod codec;
pub mod dtmf;
mod error;
mod media;
mod mixer;
pub mod play;
mod ports;
pub mod quality;
pub mod record;
pub mod rtp;
pub mod sdp;
pub mod srtp;
mod stream;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use codec::{Codec, Rate};
pub use error::MediaError;
pub use media::{Media, MediaConfig};
pub use mixer::{Conference, ConferenceOptions, Member, Mix};
pub use stream::{
    Channel, Driver, Endpoint, Hearing, Outcome, Path, Playing, Reading, Stream, StreamEvent, TokioDriver, Tones, Wire,
};

/// What a mutex guards is whole after every statement, so that a panic elsewhere does not matter.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
