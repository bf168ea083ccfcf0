//! The loopback port.
