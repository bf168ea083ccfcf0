//! Whole worlds: what comes in through the services' calls, and which objects come out.

mod backup;
mod control;
mod delivery;
mod failures;
mod partitions;
mod parts;
mod permissions;
mod restarts;
