//! Voice: trunks, devices, routing, money, records of calls, conferences; and calls between telephones.

pub mod calls;
mod conferences;
mod conferring;
mod controls;
mod devices;
mod health;
mod killed;
mod money;
mod overload;
mod pocket;
mod recorded;
mod recordings;
mod refusals;
mod rooms;
mod routing;
mod trunks;
