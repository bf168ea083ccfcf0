//! What AWS documents of itself, as plain data with its sources. The provisioner keeps to it, and the local engine enforces it.

pub mod rates;
