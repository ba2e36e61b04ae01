//! Voice as far as no telephone rings: trunks, devices, routing, money, records of calls, conferences.

mod devices;
mod trunks;
