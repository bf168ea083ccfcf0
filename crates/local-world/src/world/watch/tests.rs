//! The engine at a glance, on a whole world.

use serde_json::{Value, json};

use super::shown::Source;
use super::{frame, journey, records};
use crate::world::delivery;
use crate::world::tests::stage::{REGION, Stage, ok};

fn glance(stage: &Stage) -> Value {
    json!(frame(&stage.world, stage.now))
}

fn events() -> Source {
    Source::Stream("us-east-1/events".into())
}

fn journey(stage: &Stage, ordinal: u64) -> Value {
    journey::find(&stage.world, &events(), 0, ordinal).expect("it was put").told()
}

/// A raw and a transformed delivery stream with three records, of which one is delivered, one dropped and one failed.
fn delivered() -> Stage {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    stage.deliver("processed", true);
    stage.put(&["a", "b", "c"]);
    stage.advance(10_000);
    stage.answer(|text| match text {
        "a" => ok("AA".into()),
        "b" => json!({ "result": "Dropped" }),
        _ => json!({ "result": "ProcessingFailed" }),
    });
    stage
}

#[test]
fn a_frame_shows_what_each_buffer_holds_and_when_it_is_due() {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    stage.deliver("processed", true);
    let begun = stage.now;
    stage.put(&["a", "b", "c"]);
    let shown = glance(&stage);
    assert_eq!((&shown["streams"][0]["records"], &shown["streams"][0]["bytes"]), (&json!(3), &json!(3)));
    let (processed, raw) = (&shown["deliveries"][0], &shown["deliveries"][1]);
    assert_eq!(processed["held"]["transform"]["due"], begun + 10_000);
    assert_eq!((&processed["held"]["records"], &processed["function"]), (&json!(3), &json!("us-east-1/f")));
    let buffer = json!([{ "label": "", "records": 3, "bytes": 3, "limit": 1 << 20, "due": begun + 60_000 }]);
    assert_eq!((&raw["held"]["buffers"], &raw["stream"]), (&buffer, &json!("us-east-1/events")));
    assert_eq!((&shown["buckets"], &shown["functions"][0]["id"]), (&json!(["lake"]), &json!("us-east-1/f")));
}

#[test]
fn a_frame_counts_what_was_stored_dropped_and_failed() {
    let mut stage = delivered();
    let shown = glance(&stage);
    let failure = &shown["failures"][0];
    assert_eq!((&failure["raw"]["text"], &failure["source"]), (&json!("c"), &json!("us-east-1/events")));
    assert_eq!(failure["reason"]["code"], "Lambda.ProcessingFailedStatus");
    stage.turn(|world, turn| delivery::flush(world, turn, REGION, &[]));
    let shown = glance(&stage);
    let (processed, raw) = (&shown["deliveries"][0], &shown["deliveries"][1]);
    let counts = |delivery: &Value| ["stored", "failed", "dropped", "objects"].map(|name| delivery[name].clone());
    assert_eq!(counts(processed), [json!(1), json!(1), json!(1), json!(2)]);
    assert_eq!(counts(raw), [json!(3), json!(0), json!(0), json!(1)]);
    assert_eq!(shown["objects"].as_array().map(Vec::len), Some(3));
    let function = &shown["functions"][0];
    assert_eq!((&function["ended"], &function["errors"], &function["running"]), (&json!(1), &json!(0), &json!(0)));
}

#[test]
fn reading_that_is_behind_shows_the_age_of_the_oldest_record() {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    stage.iam(&[("Action", "DeleteRolePolicy"), ("RoleName", "R"), ("PolicyName", "P")]);
    stage.advance(2_000);
    stage.put(&["a", "b"]);
    stage.now += 700;
    let delivery = &glance(&stage)["deliveries"][0];
    assert_eq!((&delivery["unread"], &delivery["age"], &delivery["denied"]), (&json!(2), &json!(700), &json!(true)));
}

#[test]
fn a_record_is_followed_from_its_stream_into_its_objects() {
    let mut stage = delivered();
    let states = |of: &Value| {
        of["deliveries"].as_array().expect("a list").iter().map(|lane| lane["state"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(states(&journey(&stage, 0)), ["held", "held"]);
    assert_eq!(states(&journey(&stage, 1)), ["dropped", "held"]);
    stage.turn(|world, turn| delivery::flush(world, turn, REGION, &[]));
    let last = journey(&stage, 2);
    assert_eq!(states(&last), ["stored", "stored"]);
    assert_eq!((&last["data"]["text"], &last["record"]["key"]), (&json!("c"), &json!("k")));
    let (processed, raw) = (&last["deliveries"][0]["places"][0], &last["deliveries"][1]["places"][0]);
    assert_eq!((&raw["offset"], &raw["data"]["text"], &raw["error"]), (&json!(2), &json!("c"), &Value::Null));
    assert_eq!(processed["error"], "processing-failed");
    assert_eq!(last["deliveries"][0]["failures"].as_array().map(Vec::len), Some(1));
    assert_eq!(journey(&stage, 0)["deliveries"][0]["places"][0]["data"]["text"], "AA");
    assert!(journey::find(&stage.world, &events(), 0, 3).is_none(), "nobody put it");
    let key = raw["key"].as_str().expect("a key");
    let contents = journey::object(&stage.world, "lake", key).expect("it was just stored").told(2);
    assert_eq!((&contents["count"], &contents["records"][1]["offset"]), (&json!(3), &json!(1)));
}

#[test]
fn a_record_that_is_held_is_found_where_it_is() {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    stage.deliver("processed", true);
    let begun = stage.now;
    stage.put(&["a", "b"]);
    let held = |stage: &Stage| {
        let found = journey(stage, 1);
        [0, 1].map(|lane| found["deliveries"][lane]["held"].clone())
    };
    let raw = json!({ "place": "buffer", "due": begun + 60_000, "error": null,
        "data": { "text": "b", "size": 1, "cut": false } });
    assert_eq!(held(&stage), [json!({ "place": "before", "due": begun + 10_000 }), raw]);
    stage.advance(10_000);
    assert_eq!(held(&stage)[0], json!({ "place": "function" }));
    stage.answer(|text| ok(text.to_uppercase()));
    assert_eq!((&held(&stage)[0]["place"], &held(&stage)[0]["data"]["text"]), (&json!("buffer"), &json!("B")));
    stage.world.s3.delete_bucket("lake").expect("it is empty");
    stage.advance(60_000);
    assert_eq!(held(&stage), [json!({ "place": "storing" }), json!({ "place": "storing" })], "it is tried again");
}

#[test]
fn a_failed_record_is_found_with_what_was_put() {
    let stage = delivered();
    let failure = journey::failure(&stage.world, "us-east-1/processed", 0, 2, 0).expect("it failed");
    assert_eq!((failure.source, failure.data.as_str(), failure.key.as_deref()), (events(), "Yw==", Some("k")));
    assert!(journey::failure(&stage.world, "us-east-1/processed", 0, 1, 0).is_none(), "it was dropped");
}

#[test]
fn the_latest_records_of_all_shards_come_newest_first() {
    let mut stage = Stage::with_bucket();
    for n in 0..5 {
        stage.put(&[&n.to_string()]);
        stage.advance(1);
    }
    let texts = |most| {
        let latest = records::latest(&stage.world, &events(), None, most).expect("the stream is there");
        latest
            .into_iter()
            .map(|(_, _, record)| String::from_utf8(record.data.to_vec()).expect("text"))
            .collect::<Vec<_>>()
    };
    assert_eq!((texts(3), texts(9).len()), (vec!["4".to_owned(), "3".to_owned(), "2".to_owned()], 5));
    assert!(records::latest(&stage.world, &Source::Stream("us-east-1/none".into()), None, 3).is_none());
    assert_eq!(records::latest(&stage.world, &events(), Some(7), 3).map(|found| found.len()), Some(0));
}
