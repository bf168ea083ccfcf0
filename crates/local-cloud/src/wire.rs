//! Protocols: which service a request is for, its input, and errors in AWS's dress.

pub mod s3;
pub mod validate;
