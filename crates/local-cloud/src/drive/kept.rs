//! Large bytes that are on the disk before the turn that takes them.

use std::sync::Arc;

use bytes::Bytes;

use super::Engine;
use super::journal::Contents;

/// Written beforehand. What no turn has taken by the time this is dropped goes again.
#[derive(Debug)]
pub struct Kept {
    contents: Arc<Contents>,
    bytes: Bytes,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.contents.settle(&self.bytes);
    }
}

impl Engine {
    /// Writes them where they are large and something is kept, and nothing otherwise.
    pub(crate) fn keep_before(&self, bytes: &Bytes) -> Option<Kept> {
        let contents = self.shared.store("keep").contents()?;
        if let Err(error) = contents.keep(bytes) {
            tracing::warn!("writing large contents beforehand, which is tried again with their row: {error}");
        }
        Some(Kept { contents, bytes: bytes.clone() })
    }
}
