//! Puts the records of a run, and takes note of where and when each was accepted.

use std::io;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::plural;
use crate::producer::queue::Entry;
use crate::producer::target::{Position, Target};
use crate::producer::{self, How, Produced, Watch};
use crate::verify::input::Input;
use crate::verify::placed::Placed;

/// Puts all records.
///
/// # Errors
/// A record cannot be put: then nothing can be said of it.
pub async fn put(
    cx: &Cx,
    into: &Target,
    input: &Input,
    how: How,
    placed: &mut Placed,
    progress: impl FnMut(&Produced),
) -> Result<Produced> {
    let mut noting = Noting { cx, placed, kept: Ok(()), progress };
    let produced = producer::produce(cx, into, input.clone().records(), how, &mut noting).await?;
    noting.kept.map_err(|e| Error::new("keeping the places of the records", e))?;
    if let Some((place, why)) = produced.failures.first() {
        let failed = plural(produced.failed as usize, "record");
        return Err(Error::msg(format!("{failed} cannot be put into {into}, the first at {place}: {why}"))
            .hint("remove them, or make them smaller"));
    }
    Ok(produced)
}

struct Noting<'a, P> {
    cx: &'a Cx,
    placed: &'a mut Placed,
    kept: io::Result<()>,
    progress: P,
}

impl<P: FnMut(&Produced)> Watch for Noting<'_, P> {
    fn accepted(&mut self, entry: &Entry, position: Option<&Position>) {
        let number = (entry.record.number - 1) as u32;
        let at = position.map(|at| (at.shard.as_str(), at.sequence_number.as_str()));
        let kept = self.placed.accepted(number, at, self.cx.calls.now(), entry.record.data.len());
        if self.kept.is_ok() {
            self.kept = kept;
        }
    }

    fn progress(&mut self, produced: &Produced) {
        (self.progress)(produced);
    }
}
