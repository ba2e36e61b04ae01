//! Measurements of Tandem, as ratios within one run: see README.md beside this crate.
