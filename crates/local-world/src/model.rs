//! The service models: protocols, constraints of inputs, and reading and writing them.

pub mod json;
pub mod protocol;
pub mod query;
pub mod reading;
pub mod validate;
