//! The tests themselves are in `it/`, one binary with a module for each topic; `data/` is what they compare with. `gate` holds a run of
//! them against the documents.

pub mod gate;
