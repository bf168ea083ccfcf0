//! A query's place beside its text. Compiling takes milliseconds and a thread: whoever reads the text does it, before the world is held.

use std::sync::{Arc, OnceLock};

use super::{Query, Refused};

/// The query of a text, compiled by whoever asks first. It follows from the text, so that two of them never make processors differ.
#[derive(Debug, Clone, Default)]
pub struct Compiled(OnceLock<(String, Option<Arc<Query>>)>);

impl PartialEq for Compiled {
    fn eq(&self, _: &Compiled) -> bool {
        true
    }
}

impl Eq for Compiled {}

impl Compiled {
    /// # Errors
    /// See [`Refused`].
    pub fn query(&self, text: &str) -> Result<Arc<Query>, Refused> {
        if let Some((_, query)) = self.0.get().filter(|(of, _)| of == text) {
            return query.clone().ok_or(Refused::Text);
        }
        let query = match Query::parse(text) {
            Ok(query) => Some(Arc::new(query)),
            Err(Refused::Text) => None,
            Err(refused) => return Err(refused),
        };
        // Another text may have been first: then this one is compiled each time.
        let _ = self.0.set((text.to_owned(), query.clone()));
        query.ok_or(Refused::Text)
    }
}
