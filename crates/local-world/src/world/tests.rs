//! A world for tests, and what holds of all its services.

pub mod calls;
mod facts;
mod members;
pub mod stage;
