//! Voice as far as no telephone rings: trunks, devices, routing, money, records of calls, conferences.

mod conferences;
mod devices;
mod money;
mod recordings;
mod routing;
mod trunks;
