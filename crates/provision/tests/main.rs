//! All of the tests from outside in one program: each of its own would link the AWS SDK once more.

mod audit;
mod calls;
mod changes;
mod cli;
mod common;
mod configurations;
mod conformance;
mod consent;
mod denied;
mod disturbed;
mod faults;
mod fleet;
mod hostile;
mod kinds;
mod large;
mod lifecycle;
mod neighbours;
mod permissions;
mod record;
mod scale;
mod scan;
mod served;
mod spec;
mod stops;
mod time_stamps;
mod unkind;
