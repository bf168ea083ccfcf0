//! Buffers close at the same records, however these come.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::flow::buffer::Hints;
use crate::flow::item::Origin;
use crate::flow::job::sample;
use crate::flow::processors::Lambda;
use crate::record::Record;
use crate::record::sequence::Sequence;

const SIZE: usize = 2_000;
const HINTS: Hints = Hints { size_bytes: SIZE, interval_ms: 60_000 };

fn pipeline() -> Pipeline {
    let mut job = sample(None);
    job.config.store.hints = HINTS;
    let lambda = Lambda { arn: "arn:f".into(), role_arn: "arn:r".into(), hints: HINTS, retries: 3 };
    job.config.lambda = Some(lambda);
    Pipeline::new(Arc::new(job))
}

fn item(ordinal: u64, size: usize) -> Item {
    let sequence = Sequence::of_record(1, 0, ordinal, 1);
    let record = Record { sequence, partition_key: "k".into(), data: vec![b'x'; size].into(), arrival: 1 };
    Item::new(Origin::whole(0, ordinal), record)
}

fn output(ordinal: u64, size: usize) -> Output {
    Output::of(&item(ordinal, 0), Bytes::from(vec![b'x'; size]))
}

fn outputs(pipeline: &Pipeline) -> Vec<Vec<u64>> {
    let open = pipeline.outputs.values().map(|buffer| buffer.iter().map(|output| output.origin.ordinal).collect());
    let sealed = pipeline.sealed.iter().map(|sealed| sealed.items.iter().map(|output| output.origin.ordinal).collect());
    sealed.chain(open).collect()
}

fn items(pipeline: &Pipeline) -> Vec<Vec<u64>> {
    let open = pipeline.untransformed.iter().map(|item| item.origin.ordinal).collect();
    let waiting = pipeline.waiting.iter().map(|batch| batch.items.iter().map(|item| item.origin.ordinal).collect());
    waiting.chain([open]).collect()
}

proptest! {
    #[test]
    fn records_that_come_at_once_are_buffered_as_one_by_one(turns in prop::collection::vec(prop::collection::vec(0..60_usize, 0..400), 1..4)) {
        let (mut at_once, mut one_by_one) = (pipeline(), pipeline());
        let slot = Slot::Good(PartitionKeys::new());
        let mut ordinal = 0;
        for sizes in turns {
            let numbered: Vec<(u64, usize)> = (ordinal..).zip(sizes).collect();
            ordinal += numbered.len() as u64;
            let mut parts = Outputs::default();
            numbered.iter().for_each(|(n, size)| parts.push(output(*n, *size)));
            at_once.put_out_all(&slot, parts, 1);
            at_once.put_in_all(numbered.iter().map(|(n, size)| item(*n, *size)).collect(), 1);
            for (n, size) in numbered {
                one_by_one.put_out(&slot, output(n, size), 1);
                one_by_one.put_in(item(n, size), 1);
            }
        }
        prop_assert_eq!(outputs(&at_once), outputs(&one_by_one));
        prop_assert_eq!(items(&at_once), items(&one_by_one));
    }
}
