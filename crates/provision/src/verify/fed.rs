//! The streams and delivery streams that records are sent to, and the delivery streams that must receive them. Pure.

use std::fmt;

use crate::resource::delivery_stream::DeliveryStream;
use crate::spec::stack::Stack;
use crate::verify::account::Fate;

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
        .map(|(logical, managed)| Tested {
            logical,
            name: &managed.physical,
            delivery: &managed.desired,
            fates: vec![],
        })
        .collect()
}

/// One delivery stream under test.
pub struct Tested<'a> {
    pub logical: &'a str,
    /// On AWS.
    pub name: &'a str,
    pub delivery: &'a DeliveryStream,
    /// The expected result of each record, once it is computed.
    pub fates: Vec<Fate>,
}
