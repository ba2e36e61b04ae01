//! Voice: trunks, devices, routing, money, records of calls, conferences; and calls between telephones.

mod asked;
pub mod calls;
mod conferences;
mod conferring;
mod controls;
mod devices;
mod early;
mod health;
mod killed;
mod money;
mod pocket;
mod recorded;
mod recordings;
mod refusals;
mod rooms;
mod routing;
mod trunks;
