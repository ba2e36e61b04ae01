//! What all dialects share: credentials, limits, bodies, idempotency, the request log, and how operations are described.

pub mod audio;
pub mod call;
pub mod endpoint;
pub mod field;
pub mod form;
pub mod lookup;
pub mod manner;
mod names;
pub mod once;
pub mod openapi;
pub mod pairs;
pub mod pipeline;
pub mod redact;
pub mod reply;

pub use call::Call;
pub use endpoint::{Access, Endpoint, Shape};
pub use field::{Field, Kind};
pub use form::Form;
pub use manner::Manner;
pub use reply::Reply;
