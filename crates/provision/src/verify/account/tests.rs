use super::*;
use crate::verify::expect::expected;
use crate::verify::identity::Identity;
use bytes::Bytes;

fn pipeline() -> Pipeline {
    Pipeline::of(&crate::verify::fed::tests::delivery("")).expect("it has no query")
}

fn object(text: &str) -> Object {
    Object { key: "good/1".into(), bytes: text.into(), stored_s: 1_060, stored_bytes: text.len() as u64 }
}

fn error(raw: &str) -> ErrorRecord {
    ErrorRecord { raw: raw.into(), code: "Lambda.FunctionError".into(), message: "why".into(), arrived_ms: 0 }
}

/// An account of these records, put in their order into one shard.
async fn account(records: &[&str]) -> (Pipeline, Input, Placed, Account) {
    let spool = crate::verify::input::Spool::of(
        records.iter().map(|text| Ok::<_, io::Error>(Bytes::copy_from_slice(text.as_bytes()))),
    );
    let (pipeline, input) = (pipeline(), Input::Given(spool.unwrap()));
    let mut placed = Placed::new(1_000).unwrap();
    for number in 0..records.len() {
        placed.accepted(number as u32, Some(("shard", &(100 + number).to_string())), 1_000, 1).unwrap();
    }
    let expected = expected(&pipeline, None, &input, Identity::Bytes).await.unwrap();
    (pipeline, input, placed, Account::new(expected))
}

#[tokio::test]
async fn every_record_is_in_one_count_and_the_missing_are_named() {
    let (pipeline, input, mut placed, mut account) = account(&["{1}", "{2}", "{3}", "{4}", "{5}"]).await;
    let mut sent = Sent { pipeline: &pipeline, input: &input, placed: &mut placed };
    account.expected.dropped.set(4);
    account.delivered(&object("{2}{other}{1}{1}"), &mut sent).unwrap();
    account.failed(&object(""), &[error("{3}"), error("{9}")], &mut sent).unwrap();
    let (counts, missing) = account.counts().unwrap();
    let expected = Counts { delivered: 2, dropped: 1, failed: 1, missing: 1, failed_unexpectedly: 1 };
    assert_eq!((counts, missing.told()), (expected, vec!["3".to_owned()]));
    assert_eq!((account.duplicated, account.out_of_order, account.unknown, account.awaited()), (1, 1, 1, 1));
    assert_eq!(account.strange_sample.as_deref(), Some("{other}"));
    assert!(account.only_ours.is_empty(), "both hold foreign records");
    let shards = account.shards(&mut placed).unwrap();
    let shard = &shards[0];
    assert_eq!(
        (shard.sent, shard.delivered, shard.dropped, shard.failed, shard.missing, shard.out_of_order),
        (5, 2, 1, 1, 1, 1)
    );
    assert_eq!(account.latencies.told().unwrap().max_s, 60);
    assert_eq!(account.errors["Lambda.FunctionError"].records, 1);
}

#[tokio::test]
async fn a_foreign_object_is_not_ours() {
    let (pipeline, input, mut placed, mut account) = account(&["{1}"]).await;
    let mut sent = Sent { pipeline: &pipeline, input: &input, placed: &mut placed };
    account.delivered(&object("{2}{3}"), &mut sent).unwrap();
    account.failed(&object(""), &[error("{2}")], &mut sent).unwrap();
    assert!(account.objects.is_empty() && account.unknown == 0 && account.errors.is_empty());
}

#[tokio::test]
async fn of_equal_records_one_may_fail_and_the_other_be_delivered() {
    let (pipeline, input, mut placed, mut account) = account(&["{1}", "{1}"]).await;
    let mut sent = Sent { pipeline: &pipeline, input: &input, placed: &mut placed };
    account.delivered(&object("{1}"), &mut sent).unwrap();
    account.failed(&object(""), &[error("{1}")], &mut sent).unwrap();
    let (counts, _) = account.counts().unwrap();
    assert_eq!((counts.delivered, counts.failed, counts.missing, account.duplicated), (1, 1, 0, 0));
}
