//! Reads what is in a stream or was delivered, from a moment on.

pub mod delivered;
pub mod logs;
pub mod shards;
pub mod split;
pub mod stream;
