//! AWS's behaviour, asked through the Rust SDK. In this process by default; against the endpoint of the environment, and against AWS
//! where that names none, with `CONFORMANCE=environment`:
//!
//! ```text
//! CONFORMANCE=environment AWS_ENDPOINT_URL=http://127.0.0.1:4567 cargo nextest run -p provision --test stacks conformance::
//! ```
//!
//! All names are of one run (they begin with `CONFORMANCE_NAMES`), nothing of it stays, and nothing assumes a region or an account. `scripts/conformance` asks with other
//! clients.

mod firehose;
mod iam;
mod kinesis;
mod lambda;
mod logs;
mod patience;
mod s3;
mod target;
