//! Whatever happens in whatever order: each part of each record comes out once, in each place it belongs to.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::flow::prepare::aggregate::aggregate;
use crate::world::delivery;
use crate::world::tests::stage::{FUNCTION, REGION, Stage, ok, processing};

#[derive(Debug, Clone)]
enum Happening {
    /// So many user records in one, each of so many documents.
    Put(usize, usize),
    Pass(u64),
    Flush,
    Answer,
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (1..4_usize, 1..3_usize).prop_map(|(records, documents)| Happening::Put(records, documents)),
        2 => prop_oneof![Just(1_000_u64), Just(10_000), Just(61_000)].prop_map(Happening::Pass),
        1 => Just(Happening::Flush),
        2 => Just(Happening::Answer),
        2 => Just(Happening::Restart),
    ]
}

fn stage() -> Stage {
    let mut stage = Stage::with_bucket();
    let query = [("MetadataExtractionQuery", "{k: .k}"), ("JsonParsingEngine", "JQ-1.6")];
    let split = [("SubRecordType", "JSON")];
    stage.create(
        "split",
        json!({
            "Prefix": "split/!{partitionKeyFromQuery:k}/", "ErrorOutputPrefix": "bad/",
            "BufferingHints": { "SizeInMBs": 64, "IntervalInSeconds": 60 },
            "DynamicPartitioningConfiguration": { "Enabled": true },
            "ProcessingConfiguration":
                processing(&[("RecordDeAggregation", &split[..]), ("MetadataExtraction", &query[..])]),
            "S3BackupMode": "Enabled", "S3BackupConfiguration": {
                "Prefix": "backup/", "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 90 },
            },
        }),
    );
    let lambda = [("LambdaArn", FUNCTION), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "10")];
    stage.create(
        "transformed",
        json!({ "Prefix": "transformed/", "ProcessingConfiguration": processing(&[("Lambda", &lambda[..])]) }),
    );
    stage
}

fn answer_all(stage: &mut Stage) {
    while !stage.invocations.is_empty() {
        stage.answer(|text| ok(text.into()));
    }
}

/// The numbers in the objects under a prefix, sorted.
fn numbers(stage: &Stage, prefix: &str) -> Vec<u64> {
    let whole = stage.texts(prefix).concat();
    let documents = serde_json::Deserializer::from_str(&whole).into_iter::<Value>();
    let mut out: Vec<u64> = documents.map(|document| document.unwrap()["n"].as_u64().unwrap()).collect();
    out.sort_unstable();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn each_part_comes_out_once(happenings in proptest::collection::vec(happening(), 1..24)) {
        let mut stage = stage();
        let mut next = 0_u64;
        for happening in happenings {
            match happening {
                Happening::Put(records, documents) => {
                    let mut document = || {
                        next += 1;
                        format!(r#"{{"n":{},"k":"{}"}}"#, next - 1, next % 3)
                    };
                    let records: Vec<String> =
                        (0..records).map(|_| (0..documents).map(|_| document()).collect()).collect();
                    stage.put_bytes(&aggregate(&records.iter().map(|data| ("k", data.as_str())).collect::<Vec<_>>()));
                }
                Happening::Pass(ms) => stage.advance(ms),
                Happening::Flush => stage.turn(|world, turn| delivery::flush(world, turn, REGION, &[])),
                Happening::Answer => answer_all(&mut stage),
                Happening::Restart => stage = stage.restarted(),
            }
        }
        for _ in 0..3 {
            stage.advance(10_000);
            answer_all(&mut stage);
        }
        stage.advance(100_000);
        let all: Vec<u64> = (0..next).collect();
        for prefix in ["split/", "backup/", "transformed/"] {
            prop_assert_eq!(numbers(&stage, prefix), all.clone(), "{}", prefix);
        }
        prop_assert_eq!((stage.backlog("split"), stage.backlog("transformed"), stage.texts("bad/").len()), (0, 0, 0));
    }
}
