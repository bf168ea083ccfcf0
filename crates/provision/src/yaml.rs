//! Typed values in YAML: read with their places, described as JSON Schema, written again. Knows nothing of AWS.

pub(crate) mod collection;
pub(crate) mod diagnostic;
pub(crate) mod interpolate;
mod lines;
pub(crate) mod scalar;
pub(crate) mod schema;
pub(crate) mod shape;
pub(crate) mod tree;
