//! The store: the same behaviour on both engines.
