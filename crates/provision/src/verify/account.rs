//! The account of one delivery stream: what was expected, and what was found so far. Objects are entered one at a time.

use std::collections::{BTreeMap, HashMap};
use std::io;

use crate::verify::bits::Bits;
use crate::verify::expect::{self, Expected};
use crate::verify::index::{Index, Taken, fingerprint};
use crate::verify::input::Input;
use crate::verify::latency::Latencies;
use crate::verify::objects::{ErrorRecord, Object};
use crate::verify::pipeline::Pipeline;
use crate::verify::placed::Placed;
use crate::verify::told::{ErrorCount, ObjectTold, ShardAccount};

mod totals;

pub use totals::Counts;

/// How much of a record that is not known is shown.
const SHOWN: usize = 200;

pub struct Account {
    pub expected: Expected,
    pub delivered: Bits,
    pub failed: Bits,
    /// Records that came more than once.
    pub duplicated: usize,
    pub out_of_order: usize,
    pub errors: BTreeMap<String, ErrorCount>,
    /// Objects that hold a record of this run.
    pub objects: Vec<ObjectTold>,
    /// The objects among them that hold nothing else.
    pub only_ours: Vec<String>,
    /// Pieces of these objects that are no expected output.
    pub unknown: usize,
    /// The same, also of objects that hold no record of this run, and the first of them.
    pub strange: usize,
    pub strange_sample: Option<String>,
    pub latencies: Latencies,
    per_shard: HashMap<Option<u16>, ShardAccount>,
    /// The parts by their bytes before they were prepared. Made when the first error record is found.
    raw: Option<Index>,
}

/// The records that an account is about, and their places.
pub struct Sent<'a> {
    pub pipeline: &'a Pipeline,
    pub input: &'a Input,
    pub placed: &'a mut Placed,
}

impl Account {
    pub fn new(expected: Expected) -> Account {
        Account {
            // An output without bytes leaves no trace.
            delivered: expected.empty.clone(),
            expected,
            failed: Bits::default(),
            duplicated: 0,
            out_of_order: 0,
            errors: BTreeMap::new(),
            objects: vec![],
            only_ours: vec![],
            unknown: 0,
            strange: 0,
            strange_sample: None,
            latencies: Latencies::default(),
            per_shard: HashMap::new(),
            raw: None,
        }
    }

    /// How many parts are not accounted for so far.
    pub fn awaited(&self) -> usize {
        let found = self.delivered.count() + self.failed.count() + self.expected.dropped.count();
        (self.expected.count() as usize).saturating_sub(found)
    }

    /// Enters an object of delivered records.
    pub fn delivered(&mut self, object: &Object, sent: &mut Sent) -> io::Result<()> {
        let expected = &mut self.expected;
        let (index, identity) = (&mut expected.index, &expected.identity);
        let mut reader = identity.reader();
        let (mut found, mut again, mut unknown, mut sample) = (vec![], 0, 0, None);
        let take = |piece: &[u8]| {
            let Some(fingerprint) = reader.of(piece) else { return Ok(false) };
            match index.take(fingerprint)? {
                Taken::Entry(part) => found.push(part),
                Taken::Again => again += 1,
                Taken::Unknown => return Ok::<_, io::Error>(false),
            }
            Ok(true)
        };
        expected.shape.walk(&object.bytes, take, |piece| {
            unknown += 1;
            let shown = &piece[..piece.len().min(SHOWN)];
            sample.get_or_insert_with(|| String::from_utf8_lossy(shown).trim_end().to_owned());
        })?;
        drop(reader);
        self.strange += unknown;
        self.strange_sample = self.strange_sample.take().or(sample);
        let records = found.len() + again;
        if records == 0 {
            return Ok(());
        }
        self.unknown += unknown;
        self.duplicated += again;
        let mut order = Order::default();
        for part in found {
            let twice = self.failed.get(part) || !self.delivered.set(part);
            self.duplicated += usize::from(twice);
            self.enter(part, object, &mut order, sent, |shard| &mut shard.delivered)?;
        }
        self.out_of_order += order.broken;
        self.saw(object, records, unknown == 0);
        Ok(())
    }

    /// Enters an object of error records.
    pub fn failed(&mut self, object: &Object, errors: &[ErrorRecord], sent: &mut Sent) -> io::Result<()> {
        if self.raw.is_none() {
            self.raw = Some(expect::raw_index(sent.pipeline, sent.input)?);
        }
        let (mut ours, mut order) = (0, Order::default());
        for error in errors {
            let raw = self.raw.as_mut().expect("it was made above");
            let fingerprint = fingerprint(&error.raw);
            // Among equal records, the first that was not delivered is the one that failed.
            let taken = loop {
                match raw.take(fingerprint)? {
                    Taken::Entry(part) if self.delivered.get(part) => {}
                    taken => break taken,
                }
            };
            let part = match taken {
                Taken::Entry(part) => part,
                Taken::Again => {
                    ours += 1;
                    self.duplicated += 1;
                    continue;
                }
                Taken::Unknown => continue,
            };
            ours += 1;
            let count = self.errors.entry(error.code.clone()).or_insert_with(|| ErrorCount::new(&error.code));
            count.records += 1;
            if count.message.is_empty() {
                count.message = error.message.clone();
            }
            self.failed.set(part);
            self.enter(part, object, &mut order, sent, |shard| &mut shard.failed)?;
        }
        if ours > 0 {
            self.saw(object, ours, ours == errors.len());
        }
        Ok(())
    }

    fn saw(&mut self, object: &Object, records: usize, only_ours: bool) {
        if only_ours {
            self.only_ours.push(object.key.clone());
        }
        self.objects.push(ObjectTold {
            key: object.key.clone(),
            bytes: object.stored_bytes,
            records,
            stored_s: object.stored_s,
        });
    }

    fn enter(
        &mut self,
        part: u32,
        object: &Object,
        order: &mut Order,
        sent: &mut Sent,
        count: impl Fn(&mut ShardAccount) -> &mut usize,
    ) -> io::Result<()> {
        let Some(place) = sent.placed.of(self.expected.record(part)?)? else { return Ok(()) };
        self.latencies.add(object.stored_s - place.put_s);
        let shard = self.per_shard.entry(place.shard).or_default();
        *count(shard) += 1;
        if let Some(number) = place.shard
            && order.breaks(number, place.sequence)
        {
            shard.out_of_order += 1;
            order.broken += 1;
        }
        Ok(())
    }
}

/// The last record of each shard in an object.
#[derive(Default)]
struct Order {
    last: HashMap<u16, [u64; 3]>,
    broken: usize,
}

impl Order {
    fn breaks(&mut self, shard: u16, sequence: [u64; 3]) -> bool {
        self.last.insert(shard, sequence).is_some_and(|last| last > sequence)
    }
}

#[cfg(test)]
mod tests;
