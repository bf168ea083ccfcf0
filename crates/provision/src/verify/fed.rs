//! The streams and delivery streams that records are sent to, and the delivery streams that must receive them. Pure.

use std::time::Duration;

use crate::producer::target::Target;
use crate::resource::delivery_stream::DeliveryStream;
use crate::source::samples::Samples;
use crate::spec::stack::Stack;

/// A place to send records to, and the delivery streams that receive them from there.
pub struct Fed<'a> {
    pub into: Target,
    pub samples: Option<&'a Samples>,
    pub tested: Vec<Tested<'a>>,
}

/// Everything to be tested: delivery streams by the stream that they read, and those that records are put to directly.
pub fn fed(stack: &Stack) -> Vec<Fed<'_>> {
    let streams = stack.streams.iter().map(|(logical, stream)| {
        let samples = stream.managed().and_then(|managed| managed.desired.samples.as_ref());
        Fed { into: Target::of(stream), samples, tested: tested(stack, Some(logical)) }
    });
    let direct = tested(stack, None).into_iter().map(|one| Fed {
        into: Target::DeliveryStream { name: one.name.to_owned() },
        samples: one.delivery.samples.as_ref(),
        tested: vec![one],
    });
    streams.filter(|fed| !fed.tested.is_empty()).chain(direct).collect()
}

/// The delivery streams that read this stream, or none.
fn tested<'a>(stack: &'a Stack, stream: Option<&str>) -> Vec<Tested<'a>> {
    let source = |delivery: &'a DeliveryStream| delivery.source.as_ref().map(|source| source.logical.as_str());
    let managed = stack.deliveries.iter().filter_map(|(logical, entry)| Some((logical, entry.managed()?)));
    managed
        .filter(|(_, managed)| source(&managed.desired) == stream)
        .map(|(logical, managed)| Tested { logical, name: &managed.physical, delivery: &managed.desired })
        .collect()
}

/// One delivery stream under test.
pub struct Tested<'a> {
    pub logical: &'a str,
    /// On AWS.
    pub name: &'a str,
    pub delivery: &'a DeliveryStream,
}

impl Tested<'_> {
    /// How long the delivery stream may buffer a record.
    pub fn buffered(&self) -> Duration {
        let transform = self.delivery.transform.as_ref().map_or(0, |transform| transform.buffer_interval_s);
        Duration::from_secs(u64::from(self.delivery.buffer.interval_s) + u64::from(transform))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::spec::{self, LoadOptions};

    /// A delivery stream that producers put to, with this in its entry.
    pub fn delivery(entry: &str) -> DeliveryStream {
        let text = format!(
            "version: 1\nstack: demo\nbuckets: {{ lake: {{ name: demo-lake }} }}\ndeliveries:\n  d:\n    bucket: lake\n    \
             good: good/\n    bad: bad/\n{entry}"
        );
        let loaded = spec::read("demo.yaml".as_ref(), &text, &LoadOptions::default());
        let stack = loaded.unwrap_or_else(|wrong| panic!("{wrong}")).stack;
        stack.deliveries["d"].managed().expect("it is ours").desired.clone()
    }
}
