//! A transform run here, on this machine: events as Firehose sends them, its answer held against Firehose's contract, and
//! batches made to break it.
//!
//! ```text
//! subject (which function, fed how) -> call (the very artifact, as a process) -> aws-facts: answer (pure) -> invoked / tested
//! event, latest, hostile (what it is asked) --'                                              '-> shrink (the smallest that breaks it)
//! ```

pub mod call;
pub mod event;
pub mod hostile;
pub mod invoked;
pub mod latest;
pub mod shrink;
pub mod subject;
pub mod tested;
