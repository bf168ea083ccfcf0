//! The only loops that sleep.
