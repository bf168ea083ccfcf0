//! YAML to a checked [`stack::Stack`], and what is wrong with it otherwise.

pub mod stack;
