//! The streams and delivery streams that records are sent to, and the delivery streams that must receive them. Pure.

use std::time::Duration;

use crate::producer::target::Target;
use crate::resource::delivery_stream::{DeliveryStream, ErrorLog, Processors};
use crate::source::samples::Samples;
use crate::spec::stack::Stack;

/// A place to send records to, and the delivery streams that receive them from there.
pub struct Fed<'a> {
    pub into: Target,
    pub samples: Option<&'a Samples>,
    pub tested: Vec<Tested<'a>>,
}

/// The backup of a delivery stream's source records: a delivery stream of its own, which transforms nothing.
pub struct Backup {
    /// The delivery stream that keeps it.
    pub of: String,
    logical: String,
    pub delivery: DeliveryStream,
}

/// The backups of all delivery streams.
pub fn backups(stack: &Stack) -> Vec<Backup> {
    let managed = stack.deliveries.iter().filter_map(|(logical, entry)| Some((logical, &entry.managed()?.desired)));
    let backup = |(of, delivery): (&String, &DeliveryStream)| {
        let backup = delivery.backup.clone()?;
        let delivery = DeliveryStream {
            bucket: backup.bucket,
            good: backup.prefix,
            bad: backup.bad,
            buffer: backup.buffer,
            compression: backup.compression,
            encryption: backup.encryption,
            file_extension: String::new(),
            time_zone: "UTC".into(),
            transform: None,
            processors: Processors::default(),
            partitioning: None,
            backup: None,
            log: delivery.log.clone().map(|log| ErrorLog { stream: log.backup_stream.clone(), ..log }),
            ..delivery.clone()
        };
        Some(Backup { of: of.clone(), logical: format!("{of} (backup)"), delivery })
    };
    managed.filter_map(backup).collect()
}

impl<'a> Fed<'a> {
    /// The same, with each backup behind its delivery stream.
    pub fn with(mut self, backups: &'a [Backup]) -> Fed<'a> {
        let both = |one: Tested<'a>| {
            let backup = backups.iter().find(|backup| backup.of == one.logical);
            let tested = backup.map(|backup| Tested { logical: &backup.logical, delivery: &backup.delivery, ..one });
            [Some(one), tested].into_iter().flatten()
        };
        self.tested = self.tested.into_iter().flat_map(both).collect();
        self
    }
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

/// One delivery stream under test, or its backup.
#[derive(Clone, Copy)]
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
