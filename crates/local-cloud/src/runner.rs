//! Runs a function's real binary as a process, over the Lambda Runtime API.
