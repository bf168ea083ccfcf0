//! The service models: protocols, constraints of inputs, and reading and writing them.

pub(crate) mod json;
pub mod protocol;
pub mod query;
pub(crate) mod reading;
pub(crate) mod validate;
