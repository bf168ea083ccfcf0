//! Owns the clock, the journal and the processes: performs the world's effects and feeds results back.

/// A running engine. Clones share it.
#[derive(Clone)]
pub struct Engine {}
