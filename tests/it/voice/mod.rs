//! Voice: trunks, devices, routing, money, records of calls, conferences; and calls between telephones.

mod calls;
mod conferences;
mod devices;
mod killed;
mod money;
mod recordings;
mod pocket;
mod routing;
mod trunks;
