//! A checked spec.

pub use super::grammar::{Iam, Stack, Target};
pub use crate::section::{Entry, Managed};
