//! Checks that every record is delivered. Records are sent, the expected result of each is computed, and the objects of each
//! delivery stream are read back and compared. Of a record only some bits stay in memory.
//!
//! ```text
//! input (records by number) ── pipeline, expect ── index (expected outputs, in a file)
//!          └── send ── placed (shard and time of each)      │
//!                         objects ── cut ── account ────────┘── told
//! ```

pub mod account;
pub mod bits;
pub mod cause;
pub mod cut;
pub mod expect;
pub mod fed;
pub mod fit;
pub mod identity;
pub mod index;
pub mod input;
pub mod latency;
pub mod numbers;
pub mod objects;
pub mod paged;
pub mod pipeline;
pub mod placed;
pub mod send;
pub mod told;

pub use told::Verified;
