//! Whole worlds, driven by hand: calls and time go in, invocations come out and are answered here.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::request::{Answer, AwsError, Effect, InvokeOutcome, Request, Token};
use crate::service::kinesis::log::LogChange;
use crate::service::s3::listing::Query;
use crate::service::{SERVICES, firehose};
use crate::settings::{Delays, Millis, Settings};
use crate::world::{Turn, World};

const REGION: &str = "us-east-1";
const ROLE: &str = "arn:aws:iam::000000000000:role/R";
const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/events";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
/// 13 July 2026, 14:05:09 UTC.
const START: Millis = 1_783_951_509_000;

type Journal = BTreeMap<(&'static str, String), Vec<u8>>;

/// A world, its clock, and what it keeps.
struct Stage {
    world: World,
    now: Millis,
    journal: Journal,
    logs: Vec<LogChange>,
    invocations: Vec<(Token, Value)>,
}

impl Stage {
    fn empty() -> Stage {
        let settings = Settings { delays: Delays::NONE, ..Settings::default() };
        Stage { world: World::new(settings), now: START, journal: Journal::new(), logs: vec![], invocations: vec![] }
    }

    /// A stream, a function, and a role that may do everything; no bucket.
    fn new() -> Stage {
        let mut stage = Stage::empty();
        let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":["firehose.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}}"#;
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        stage.iam(&[("Action", "CreateRole"), ("RoleName", "R"), ("AssumeRolePolicyDocument", trust)]);
        let put = [("Action", "PutRolePolicy"), ("RoleName", "R"), ("PolicyName", "P"), ("PolicyDocument", policy)];
        stage.iam(&put);
        stage.ask("kinesis", "CreateStream", json!({ "StreamName": "events", "ShardCount": 1 })).unwrap();
        let function = json!({
            "FunctionName": "f", "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Code": { "ZipFile": zip() },
        });
        stage.call("lambda", "/2015-03-31/functions", HeaderMap::new(), function.to_string()).unwrap();
        stage.turn(|_, _| ());
        stage
    }

    fn with_bucket() -> Stage {
        let mut stage = Stage::new();
        stage.make_bucket();
        stage
    }

    fn make_bucket(&mut self) {
        self.world.s3.create_bucket(self.now, REGION, "lake", None, BTreeMap::new()).unwrap();
    }

    fn turn<R>(&mut self, act: impl FnOnce(&mut World, &mut Turn) -> R) -> R {
        let mut turn = Turn::at(self.now);
        let result = act(&mut self.world, &mut turn);
        self.world.tick(&mut turn);
        for effect in turn.effects {
            if let Effect::Invoke { token, input, .. } = effect {
                self.invocations.push((token, serde_json::from_slice(&input.payload).unwrap()));
            }
        }
        let mut changes = self.world.take_changes(true);
        self.logs.append(&mut changes.logs);
        for change in changes {
            match change.value {
                Some(value) => self.journal.insert((change.table, change.key), value),
                None => self.journal.remove(&(change.table, change.key)),
            };
        }
        result
    }

    fn call(&mut self, service: &str, path: &str, headers: HeaderMap, body: String) -> Result<Value, AwsError> {
        let request = Request {
            method: Method::POST,
            path: path.into(),
            query: vec![],
            headers,
            body: body.into(),
            region: REGION.into(),
            signed_for: None,
            access_key: None,
            id: "id".into(),
        };
        let index = SERVICES.iter().position(|row| row.name == service).unwrap();
        match self.turn(|world, turn| world.handle(turn, index, &request))? {
            Answer::Reply(reply) => Ok(serde_json::from_slice(&reply.body).unwrap_or_default()),
            Answer::Pending(_) => panic!("nothing here waits"),
        }
    }

    fn iam(&mut self, parameters: &[(&str, &str)]) {
        let body = serde_urlencoded::to_string(parameters).unwrap();
        self.call("iam", "/", HeaderMap::new(), body).unwrap();
    }

    fn ask(&mut self, service: &str, operation: &str, input: Value) -> Result<Value, AwsError> {
        let headers =
            HeaderMap::from_iter([("x-amz-target".parse().unwrap(), format!("X.{operation}").parse().unwrap())]);
        self.call(service, "/", headers, input.to_string())
    }

    fn deliver(&mut self, name: &str, transformed: bool) {
        let parameter = |name: &str, value: &str| json!({ "ParameterName": name, "ParameterValue": value });
        let parameters = [
            parameter("LambdaArn", FUNCTION),
            parameter("NumberOfRetries", "1"),
            parameter("BufferIntervalInSeconds", "10"),
        ];
        let input = json!({
            "DeliveryStreamName": name,
            "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": { "KinesisStreamARN": STREAM, "RoleARN": ROLE },
            "ExtendedS3DestinationConfiguration": {
                "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake",
                "Prefix": format!("{name}/good/"), "ErrorOutputPrefix": format!("{name}/bad/"),
                "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 60 },
                "ProcessingConfiguration": {
                    "Enabled": transformed, "Processors": [{ "Type": "Lambda", "Parameters": parameters }],
                },
            },
        });
        self.ask("firehose", "CreateDeliveryStream", input).unwrap();
    }

    fn put(&mut self, records: &[&str]) {
        let record = |data: &&str| json!({ "Data": BASE64.encode_to_string(data), "PartitionKey": "k" });
        let records: Vec<Value> = records.iter().map(record).collect();
        self.ask("kinesis", "PutRecords", json!({ "StreamName": "events", "Records": records })).unwrap();
    }

    fn advance(&mut self, by: Millis) {
        self.now += by;
        self.turn(|_, _| ());
    }

    /// Answers the oldest invocation, record by record.
    fn answer(&mut self, result: impl Fn(&str) -> Value) {
        let (token, event) = self.invocations.remove(0);
        let one = |record: &Value| {
            let mut answer = result(&text_of(&record["data"]));
            answer["recordId"] = record["recordId"].clone();
            answer
        };
        let records: Vec<Value> = event["records"].as_array().unwrap().iter().map(one).collect();
        self.resolve(token, json!({ "records": records }), None);
    }

    fn resolve(&mut self, token: Token, payload: Value, function_error: Option<&str>) {
        let payload = Bytes::from(payload.to_string());
        let function_error = function_error.map(Into::into);
        let outcome = InvokeOutcome { payload, function_error, log: vec![], duration_ms: 1.0 };
        self.turn(|world, turn| world.resolve(turn, token, outcome));
    }

    /// Key and text of each object under a prefix.
    fn objects(&self, prefix: &str) -> Vec<(String, String)> {
        let query = Query { prefix: prefix.into(), max: 1000, ..Query::default() };
        let keys: Vec<String> =
            self.world.s3.list("lake", &query).unwrap().objects.iter().map(|(key, _)| (*key).to_owned()).collect();
        let text = |key: &String| String::from_utf8(self.world.s3.get("lake", key).unwrap().1.to_vec()).unwrap();
        keys.iter().map(|key| (key.clone(), text(key))).collect()
    }

    fn texts(&self, prefix: &str) -> Vec<String> {
        self.objects(prefix).into_iter().map(|(_, text)| text).collect()
    }

    /// A new world that knows only what was journalled, and the objects.
    fn restarted(self) -> Stage {
        let mut stage = Stage { now: self.now, ..Stage::empty() };
        for ((table, key), value) in &self.journal {
            assert!(stage.world.restore(table, key, value).unwrap(), "{table}");
        }
        for change in &self.logs {
            stage.world.restore_log(change.clone());
        }
        Stage { journal: self.journal, logs: self.logs, ..stage }
    }

    fn backlog(&self, name: &str) -> usize {
        firehose::backlog(&self.world, REGION, name)
    }
}

fn zip() -> String {
    let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"never run").unwrap();
    BASE64.encode_to_string(zip.finish().unwrap().into_inner())
}

fn text_of(data: &Value) -> String {
    String::from_utf8(BASE64.decode_to_vec(data.as_str().unwrap()).unwrap()).unwrap()
}

fn ok(text: String) -> Value {
    json!({ "result": "Ok", "data": BASE64.encode_to_string(text) })
}

#[test]
fn both_delivery_streams_on_a_stream_receive_every_record_put_since_they_were_made() {
    let mut stage = Stage::with_bucket();
    stage.put(&["too early"]);
    stage.deliver("raw", false);
    stage.deliver("processed", true);
    stage.put(&["a", "b", "c"]);
    assert_eq!((stage.backlog("raw"), stage.backlog("processed")), (3, 3));
    assert_eq!(stage.world.due(), Some(START + 10_000));
    stage.advance(10_000);
    let event = stage.invocations[0].1.clone();
    assert_eq!(event["sourceKinesisStreamArn"], STREAM);
    assert_eq!(event["records"][0]["kinesisRecordMetadata"]["shardId"], "shardId-000000000000");
    stage.answer(|text| match text {
        "a" => ok("A".into()),
        "b" => json!({ "result": "Dropped" }),
        _ => json!({ "result": "ProcessingFailed" }),
    });
    assert_eq!((stage.backlog("raw"), stage.backlog("processed")), (3, 2));
    stage.advance(60_000);
    let raw = stage.objects("raw/good/");
    assert!(raw[0].0.starts_with("raw/good/2026/07/13/14/raw-1-2026-07-13-14-05-09-"), "{raw:?}");
    assert_eq!(stage.texts("raw/"), ["abc"]);
    assert_eq!(stage.texts("processed/good/"), ["A"]);
    let bad = stage.objects("processed/bad/processing-failed/2026/07/13/14/");
    let line: Value = serde_json::from_str(&bad[0].1).unwrap();
    assert_eq!((text_of(&line["rawData"]).as_str(), &line["attemptsMade"]), ("c", &json!(1)));
    assert_eq!(line["errorCode"], "Lambda.ProcessingFailedStatus");
    assert_eq!((stage.backlog("raw"), stage.backlog("processed"), stage.world.due()), (0, 0, None));
}

#[test]
fn a_function_that_fails_is_asked_again_and_then_its_records_fail() {
    let mut stage = Stage::with_bucket();
    stage.deliver("processed", true);
    stage.put(&["a"]);
    stage.advance(10_000);
    let (first, event) = stage.invocations.remove(0);
    stage.resolve(first, json!({}), Some("Unhandled"));
    assert!(stage.invocations.is_empty());
    stage.advance(1_000);
    let (second, again) = stage.invocations.remove(0);
    assert_ne!(event["invocationId"], again["invocationId"]);
    assert_eq!(event["records"], again["records"]);
    stage.resolve(second, json!({}), Some("Unhandled"));
    stage.advance(60_000);
    let line: Value = serde_json::from_str(&stage.texts("processed/bad/")[0]).unwrap();
    assert_eq!((&line["errorCode"], &line["attemptsMade"]), (&json!("Lambda.FunctionError"), &json!(2)));
    assert_eq!(stage.backlog("processed"), 0);
}

#[test]
fn what_was_not_stored_before_a_restart_is_delivered_once_after_it() {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    stage.deliver("processed", true);
    stage.put(&["stored "]);
    stage.turn(|world, turn| firehose::flush(world, turn, REGION, &["raw".into()]));
    assert_eq!(stage.texts("raw/"), ["stored "]);
    stage.put(&["buffered"]);
    stage.advance(10_000);
    assert_eq!(stage.invocations.len(), 1, "one batch is in the function when the engine stops");

    let mut stage = stage.restarted();
    assert_eq!((stage.backlog("raw"), stage.backlog("processed")), (1, 2));
    stage.advance(0);
    stage.advance(10_000);
    stage.answer(|text| ok(text.to_uppercase()));
    stage.advance(60_000);
    let mut raw = stage.texts("raw/");
    raw.sort();
    assert_eq!(raw, ["buffered", "stored "]);
    assert_eq!(stage.texts("processed/good/"), ["STORED BUFFERED"]);
    assert_eq!((stage.backlog("raw"), stage.backlog("processed"), stage.world.due()), (0, 0, None));
}

#[test]
fn a_flush_follows_records_through_the_function() {
    let mut stage = Stage::with_bucket();
    stage.deliver("processed", true);
    stage.put(&["a"]);
    stage.turn(|world, turn| firehose::flush(world, turn, REGION, &[]));
    stage.answer(|text| ok(text.to_uppercase()));
    assert_eq!(stage.texts("processed/good/"), ["A"]);
    stage.put(&["b"]);
    assert!(stage.invocations.is_empty(), "what comes after the flush is buffered again");
}

#[test]
fn an_object_that_cannot_be_stored_is_kept_until_it_can() {
    let mut stage = Stage::new();
    stage.deliver("raw", false);
    stage.put(&["a"]);
    stage.advance(60_000);
    assert_eq!((stage.backlog("raw"), stage.world.due()), (1, Some(START + 65_000)));
    stage.make_bucket();
    stage.advance(5_000);
    assert_eq!((stage.texts("raw/"), stage.backlog("raw")), (vec!["a".into()], 0));
}

#[test]
fn resharding_loses_and_doubles_nothing() {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    for (count, text) in [(2, "a"), (3, "b"), (2, "c"), (1, "d")] {
        stage.put(&[text]);
        let reshard = json!({ "StreamName": "events", "TargetShardCount": count, "ScalingType": "UNIFORM_SCALING" });
        stage.ask("kinesis", "UpdateShardCount", reshard).unwrap();
        stage.put(&[&text.to_uppercase()]);
    }
    stage.advance(60_000);
    assert_eq!(stage.texts("raw/"), ["aAbBcCdD"]);
    let shards = stage.ask("kinesis", "ListShards", json!({ "StreamName": "events" })).unwrap();
    let open = |shard: &&Value| shard["SequenceNumberRange"].get("EndingSequenceNumber").is_none();
    assert_eq!(shards["Shards"].as_array().unwrap().iter().filter(open).count(), 1);
}

#[test]
fn records_put_directly_are_stored_and_forgotten() {
    let mut stage = Stage::with_bucket();
    let destination = json!({ "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake", "CompressionFormat": "GZIP",
        "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 0 } });
    let create = json!({ "DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": destination });
    stage.ask("firehose", "CreateDeliveryStream", create).unwrap();
    let record = json!({ "Data": BASE64.encode_to_string("hello") });
    stage.ask("firehose", "PutRecord", json!({ "DeliveryStreamName": "d", "Record": record })).unwrap();
    let query = Query { max: 10, ..Query::default() };
    let page = stage.world.s3.list("lake", &query).unwrap();
    assert!(page.objects[0].0.ends_with(".gz"), "{:?}", page.objects[0].0);
    let kept = stage.logs.last().cloned();
    assert!(matches!(kept, Some(LogChange::Trim { first: 1, .. })), "nothing is kept of what is stored: {kept:?}");
    stage.ask("firehose", "DeleteDeliveryStream", json!({ "DeliveryStreamName": "d" })).unwrap();
    let gone = stage.ask("firehose", "DescribeDeliveryStream", json!({ "DeliveryStreamName": "d" })).unwrap_err();
    assert_eq!(gone.message, "Firehose d not found under account 000000000000.");
    assert!(stage.journal.keys().all(|(table, _)| !table.starts_with("firehose")), "{:?}", stage.journal.keys());
    assert!(matches!(stage.logs.last(), Some(LogChange::Remove { .. })));
}

#[test]
fn a_panic_over_one_delivery_stream_stops_no_other_and_loses_nothing() {
    let mut stage = Stage::with_bucket();
    stage.deliver("bad", false);
    stage.deliver("good", false);
    stage.put(&["a"]);
    stage.turn(|world, turn| {
        super::each_pump(world, turn, |_, _, key, _| assert!(key.ends_with("good"), "no such luck"));
    });
    assert_eq!((stage.backlog("bad"), stage.backlog("good")), (1, 1));
    stage.put(&["b"]);
    stage.advance(60_000);
    assert_eq!(stage.texts("good/"), ["ab"]);
    stage.advance(65_000);
    assert_eq!((stage.texts("bad/"), stage.backlog("bad"), stage.world.due()), (vec!["ab".into()], 0, None));
}
