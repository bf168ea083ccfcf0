//! Whole worlds: what comes in through the services' calls, and which objects come out.

mod backup;
mod delivery;
mod partitions;
mod parts;
mod stage;
