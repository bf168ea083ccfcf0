//! The options of a runner: threads, the time kept back, and what becomes of answers that do not fit.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use firehose_transform::testing::kinesis_event;
use firehose_transform::{Invocation, MAX_RESPONSE_BYTES, Outcome, Record, Reply, Runner};
use proptest::prelude::*;
use serde_json::Value;

fn answer(runner: &Runner<'_>, event: &[u8], transform: impl Fn(&Record<'_>) -> Outcome + Sync) -> Reply {
    let mut reply = Reply::default();
    runner.answer(event, &Invocation::default(), &mut reply, transform).expect("it is an event");
    reply
}

fn results(reply: &Reply) -> Vec<String> {
    let response: Value = serde_json::from_slice(&reply.response).expect("the response is JSON");
    let records = response["records"].as_array().expect("records is a list").iter();
    records
        .enumerate()
        .map(|(at, record)| {
            assert_eq!(record["recordId"], format!("id-{at}"), "in order, each once");
            record["result"].as_str().expect("a result is text").to_owned()
        })
        .collect()
}

/// Every way in which a record can end.
fn mixed(record: &Record<'_>) -> Outcome {
    match record.bytes().len() % 6 {
        0 => Outcome::unchanged(),
        1 => Outcome::dropped(),
        2 => Outcome::bytes(record.bytes().repeat(2)).with_newline(),
        3 => Outcome::failed("three"),
        4 => Outcome::unchanged().with_newline().with_partition_key("key", record.id()),
        _ => std::panic::panic_any("five"),
    }
}

#[test]
fn threads_share_a_batch_and_change_nothing_about_its_answer() {
    let event = kinesis_event((0..2000_usize).map(|number| vec![b'x'; number % 250]));
    let alone = answer(&Runner::new().threads(1), &event, mixed);
    let seen = Mutex::new(Vec::new());
    for threads in [2, 3, 64] {
        let shared = answer(&Runner::new().threads(threads), &event, |record| {
            seen.lock().expect("nothing panics here").push(std::thread::current().id());
            mixed(record)
        });
        assert_eq!(shared.response, alone.response, "{threads}");
        assert_eq!(shared.failures, alone.failures, "{threads}");
    }
    let mut seen = seen.into_inner().expect("nothing panics here");
    seen.sort_by_key(|id| format!("{id:?}"));
    seen.dedup();
    assert!(seen.len() >= 5, "{}", seen.len());
}

#[test]
fn a_reply_can_be_used_again() {
    let (event, runner) = (kinesis_event(["a", "bbb", ""]), Runner::new());
    let expected = answer(&runner, &event, mixed);
    let mut reply = answer(&runner, &kinesis_event(vec!["ccc"; 100]), mixed);
    runner.answer(&event, &Invocation::default(), &mut reply, mixed).expect("it is an event");
    assert_eq!((reply.response, reply.failures, reply.records), (expected.response, expected.failures, 3));
}

#[test]
fn what_is_not_reached_before_the_deadline_fails_and_the_rest_is_delivered() {
    let event = kinesis_event(["0", "1", "2", "3"]);
    let with = |deadline: Duration, runner: Runner<'_>| {
        let invocation = Invocation { deadline: Some(SystemTime::now() + deadline), ..Invocation::default() };
        let mut reply = Reply::default();
        runner.answer(&event, &invocation, &mut reply, |_| Outcome::unchanged()).expect("it is an event");
        reply
    };
    assert_eq!(results(&with(Duration::from_secs(60), Runner::new())), ["Ok"; 4]);
    let late = with(Duration::from_secs(1), Runner::new().keep_back(Duration::from_secs(3600)));
    assert_eq!(results(&late), ["ProcessingFailed"; 4]);
    assert_eq!(late.failures[3].reason, "no time was left before the invocation's deadline");
    assert_eq!(results(&with(Duration::ZERO, Runner::new().keep_back(Duration::ZERO))), ["Ok"; 4]);
}

#[test]
fn raw_json_is_answered_with_raw_json() {
    let event =
        serde_json::value::RawValue::from_string(r#"{"records":[{"recordId":"é\\","data":"aGk="}]}"#.to_owned());
    let event = event.expect("it is JSON");
    let answered = Runner::new().answer_raw(&event, &Invocation::default(), |_: &Record<'_>| Outcome::unchanged());
    assert_eq!(
        answered.expect("it is an event").get(),
        r#"{"records":[{"recordId":"é\\","result":"Ok","data":"aGk="}]}"#
    );
    let not = serde_json::value::RawValue::from_string("[]".to_owned()).expect("it is JSON");
    assert!(Runner::new().answer_raw(&not, &Invocation::default(), |_: &Record<'_>| Outcome::dropped()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))] // megabytes each

    #[test]
    fn what_does_not_fit_is_put_back_and_dropped_or_fails(sizes in prop::collection::vec(0_usize..1_200_000, 4..20), refused: usize) {
        let calls = AtomicUsize::new(0);
        let put_back = Mutex::new(Vec::new());
        let is_refused = |record: &Record<'_>| record.partition_key().is_some_and(|key| key == format!("key-{}", refused % 20));
        let runner = Runner::new().threads(1).put_back(|records| {
            calls.fetch_add(1, Ordering::Relaxed);
            let result = |record: &Record<'_>| match is_refused(record) {
                true => Err("throttled".to_owned()),
                false => {
                    put_back.lock().expect("nothing panics").push((record.id().to_owned(), record.bytes().to_owned()));
                    Ok(())
                }
            };
            records.iter().map(result).collect()
        });
        let event = kinesis_event(sizes.iter().map(usize::to_string));
        let grow = |record: &Record<'_>| Outcome::bytes(vec![0; record.json::<usize>().expect("it is a number")]);
        let reply = answer(&runner, &event, grow);
        let failing = answer(&Runner::new().threads(1), &event, grow);

        prop_assert!(reply.response.len() <= MAX_RESPONSE_BYTES);
        let put_back = put_back.lock().expect("nothing panics");
        let (results, otherwise) = (results(&reply), results(&failing));
        prop_assert_eq!(results.len(), sizes.len());
        for (at, (result, otherwise)) in results.iter().zip(&otherwise).enumerate() {
            let went_back = put_back.contains(&(format!("id-{at}"), sizes[at].to_string().into_bytes()));
            // Only what would fail is put back, and what is put back is not delivered too.
            let expected = match otherwise.as_str() {
                "ProcessingFailed" if went_back => "Dropped",
                otherwise => otherwise,
            };
            prop_assert_eq!(result, expected);
            prop_assert!(!went_back || otherwise == "ProcessingFailed");
        }
        let overflowed = otherwise.iter().filter(|result| *result == "ProcessingFailed").count();
        prop_assert_eq!(put_back.len() + reply.failures.len(), overflowed);
        prop_assert_eq!(calls.load(Ordering::Relaxed), usize::from(overflowed > 0), "once for all, and not for none");
        prop_assert!(reply.failures.iter().all(|failure| failure.reason.ends_with("putting it back: throttled")));
    }
}

#[test]
fn a_sink_that_panics_or_says_too_little_leaves_its_records_failed() {
    let event = kinesis_event(["a", "b", "c"]);
    let big = |_: &Record<'_>| Outcome::bytes(vec![0; 3_000_000]);
    let silent = Runner::new().threads(1).put_back(|_| vec![Ok(())]);
    assert_eq!(results(&answer(&silent, &event, big)), ["Ok", "Dropped", "ProcessingFailed"]);
    let panicking = Runner::new().threads(1).put_back(|_| panic!("no network"));
    assert_eq!(results(&answer(&panicking, &event, big)), ["Ok", "ProcessingFailed", "ProcessingFailed"]);
}
