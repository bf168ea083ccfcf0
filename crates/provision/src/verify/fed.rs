//! The streams and delivery streams that records are sent to, and the delivery streams that must receive them. Pure.

use std::fmt;

use crate::resource::delivery_stream::DeliveryStream;
use crate::spec::stack::Stack;

/// A place to send records to, and the delivery streams that receive them from there.
pub struct Fed<'a> {
    pub into: Into<'a>,
    pub tested: Vec<Tested<'a>>,
}

/// By name on AWS.
pub enum Into<'a> {
    Stream(&'a str),
    /// Direct put.
    Delivery(&'a str),
}

impl fmt::Display for Into<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Into::Stream(name) => write!(f, "stream {name}"),
            Into::Delivery(name) => write!(f, "delivery stream {name}"),
        }
    }
}

/// Everything to be tested: delivery streams by the stream that they read, and those that records are put to directly.
pub fn fed(stack: &Stack) -> Vec<Fed<'_>> {
    let streams = stack
        .streams
        .iter()
        .map(|(logical, stream)| Fed { into: Into::Stream(stream.physical()), tested: tested(stack, Some(logical)) });
    let direct = tested(stack, None).into_iter();
    let direct = direct.map(|one| Fed { into: Into::Delivery(one.name), tested: vec![one] });
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
