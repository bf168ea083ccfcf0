//! A whole world, driven by hand: calls and time go in, invocations come out and are answered by the tests.

use std::collections::{BTreeMap, VecDeque};

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::calls;
use crate::changes::LogChange;
use crate::effect::{Effect, Turn};
use crate::request::{Answer, AwsError, InvokeOutcome, Request, Token};
use crate::service::s3::listing::Query;
use crate::settings::Settings;
use crate::time::{Delays, Millis};
use crate::world::services::SERVICES;
use crate::world::{World, delivery};

pub const REGION: &str = "us-east-1";
pub const ROLE: &str = "arn:aws:iam::000000000000:role/R";
pub const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/events";
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
/// 13 July 2026, 14:05:09 UTC.
pub const START: Millis = 1_783_951_509_000;

pub type Journal = BTreeMap<(&'static str, String), bytes::Bytes>;

/// A world, its clock, and what it keeps.
pub struct Stage {
    pub world: World,
    pub now: Millis,
    pub journal: Journal,
    pub logs: Vec<LogChange>,
    /// Under way, the oldest first.
    pub invocations: Vec<(Token, Value)>,
}

impl Stage {
    pub fn empty() -> Stage {
        let settings = Settings { delays: Delays::NONE, ..Settings::default() };
        Stage { world: World::new(settings), now: START, journal: Journal::new(), logs: vec![], invocations: vec![] }
    }

    /// A stream, a function, and a role that may do everything; no bucket.
    pub fn new() -> Stage {
        let mut stage = Stage::empty();
        let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":["firehose.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}}"#;
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        stage.iam(&[("Action", "CreateRole"), ("RoleName", "R"), ("AssumeRolePolicyDocument", trust)]);
        let put = [("Action", "PutRolePolicy"), ("RoleName", "R"), ("PolicyName", "P"), ("PolicyDocument", policy)];
        stage.iam(&put);
        stage.ask("kinesis", "CreateStream", json!({ "StreamName": "events", "ShardCount": 1 })).unwrap();
        let function = json!({
            "FunctionName": "f", "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Code": { "ZipFile": calls::zip_of("bootstrap", "never run") },
        });
        stage.call("lambda", Method::POST, "/2015-03-31/functions", HeaderMap::new(), function.to_string()).unwrap();
        stage.turn(|_, _| ());
        stage
    }

    pub fn with_bucket() -> Stage {
        let mut stage = Stage::new();
        stage.make_bucket();
        stage
    }

    pub fn make_bucket(&mut self) {
        self.world.s3.create_bucket(self.now, REGION, "lake", None, BTreeMap::new()).unwrap();
    }

    pub fn turn<R>(&mut self, act: impl FnOnce(&mut World, &mut Turn) -> R) -> R {
        let mut turn = Turn::at(self.now);
        let result = act(&mut self.world, &mut turn);
        self.world.run(&mut turn);
        let mut effects = VecDeque::from(turn.effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Retire { .. } | Effect::Spent(_) => {}
                Effect::Invoke { token, input, .. } => {
                    self.invocations.push((token, serde_json::from_slice(&input.payload).unwrap()));
                }
                Effect::Work { token, task } => {
                    let mut turn = Turn::at(self.now);
                    self.world.worked(&mut turn, token, task.run());
                    effects.extend(turn.effects);
                }
            }
            if effects.is_empty() && delivery::unread(&self.world) {
                let mut turn = Turn::at(self.now);
                self.world.run(&mut turn);
                effects.extend(turn.effects);
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

    pub fn call(
        &mut self,
        service: &str,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Value, AwsError> {
        let request = Request { headers, ..calls::request(method, path, body) };
        let index = SERVICES.iter().position(|row| row.name == service).unwrap();
        match self.turn(|world, turn| world.handle(turn, (SERVICES[index].read)(&request)?))?.written()? {
            Answer::Reply(reply) => Ok(serde_json::from_slice(&reply.body).unwrap_or_default()),
            Answer::Unwritten(_) | Answer::Pending(_) | Answer::Events(_) => Ok(Value::Null),
        }
    }

    pub fn iam(&mut self, parameters: &[(&str, &str)]) {
        let body = serde_urlencoded::to_string(parameters).unwrap();
        self.call("iam", Method::POST, "/", HeaderMap::new(), body).unwrap();
    }

    pub fn ask(&mut self, service: &str, operation: &str, input: Value) -> Result<Value, AwsError> {
        let headers =
            HeaderMap::from_iter([("x-amz-target".parse().unwrap(), format!("X.{operation}").parse().unwrap())]);
        self.call(service, Method::POST, "/", headers, input.to_string())
    }

    /// A delivery stream that reads the stream, with these members of its destination besides.
    pub fn create(&mut self, name: &str, members: Value) {
        let destination = with(members, "S3BackupConfiguration");
        let input = json!({
            "DeliveryStreamName": name,
            "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": { "KinesisStreamARN": STREAM, "RoleARN": ROLE },
            "ExtendedS3DestinationConfiguration": destination,
        });
        self.ask("firehose", "CreateDeliveryStream", input).unwrap();
    }

    /// The same, but put to directly.
    pub fn create_direct(&mut self, name: &str, members: Value) {
        let destination = with(members, "S3BackupConfiguration");
        let input = json!({ "DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": destination });
        self.ask("firehose", "CreateDeliveryStream", input).unwrap();
    }

    /// Firehose's refusal of a call.
    pub fn refused(&mut self, operation: &str, input: Value) -> String {
        self.ask("firehose", operation, input).unwrap_err().to_string()
    }

    pub fn put_direct(&mut self, name: &str, data: &str) {
        let record = json!({ "Data": BASE64.encode_to_string(data) });
        self.ask("firehose", "PutRecord", json!({ "DeliveryStreamName": name, "Record": record })).unwrap();
    }

    pub fn update(&mut self, name: &str, version: &str, members: Value) -> Result<Value, AwsError> {
        let input = json!({
            "DeliveryStreamName": name, "CurrentDeliveryStreamVersionId": version,
            "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": members,
        });
        self.ask("firehose", "UpdateDestination", input)
    }

    /// The extended view of the destination.
    pub fn described(&mut self, name: &str) -> Value {
        self.whole(name)["Destinations"][0]["ExtendedS3DestinationDescription"].clone()
    }

    /// The whole description.
    pub fn whole(&mut self, name: &str) -> Value {
        let named = json!({ "DeliveryStreamName": name });
        self.ask("firehose", "DescribeDeliveryStream", named).unwrap()["DeliveryStreamDescription"].clone()
    }

    pub fn deliver(&mut self, name: &str, transformed: bool) {
        let parameter = |name: &str, value: &str| json!({ "ParameterName": name, "ParameterValue": value });
        let parameters = [
            parameter("LambdaArn", FUNCTION),
            parameter("NumberOfRetries", "1"),
            parameter("BufferSizeInMBs", "1"),
            parameter("BufferIntervalInSeconds", "10"),
        ];
        self.create(
            name,
            json!({
                "Prefix": format!("{name}/good/"), "ErrorOutputPrefix": format!("{name}/bad/"),
                "ProcessingConfiguration": {
                    "Enabled": transformed, "Processors": [{ "Type": "Lambda", "Parameters": parameters }],
                },
            }),
        );
    }

    /// Puts bytes as they are.
    pub fn put_bytes(&mut self, data: &[u8]) {
        let record = json!({ "Data": BASE64.encode_to_string(data), "PartitionKey": "outer" });
        self.ask("kinesis", "PutRecords", json!({ "StreamName": "events", "Records": [record] })).unwrap();
    }

    pub fn put(&mut self, records: &[&str]) {
        let record = |data: &&str| json!({ "Data": BASE64.encode_to_string(data), "PartitionKey": "k" });
        let records: Vec<Value> = records.iter().map(record).collect();
        self.ask("kinesis", "PutRecords", json!({ "StreamName": "events", "Records": records })).unwrap();
    }

    pub fn advance(&mut self, by: Millis) {
        self.now += by;
        self.turn(|_, _| ());
    }

    /// Answers the oldest invocation, record by record.
    pub fn answer(&mut self, result: impl Fn(&str) -> Value) {
        let (token, event) = self.invocations.remove(0);
        let one = |record: &Value| {
            let mut answer = result(&text_of(&record["data"]));
            answer["recordId"] = record["recordId"].clone();
            answer
        };
        let records: Vec<Value> = event["records"].as_array().unwrap().iter().map(one).collect();
        self.resolve(token, json!({ "records": records }), None);
    }

    pub fn resolve(&mut self, token: Token, payload: Value, function_error: Option<&str>) {
        let payload = Bytes::from(payload.to_string());
        let function_error = function_error.map(Into::into);
        let outcome = InvokeOutcome { payload, function_error, log: vec![], duration_ms: 1.0 };
        self.turn(|world, turn| world.resolve(turn, token, outcome));
    }

    /// Keys of the objects under a prefix.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let query = Query { prefix: prefix.into(), max: 1000, ..Query::default() };
        self.world.s3.list("lake", &query).unwrap().entries.iter().map(|(key, _)| (*key).to_owned()).collect()
    }

    /// Key and text of each object under a prefix.
    pub fn objects(&self, prefix: &str) -> Vec<(String, String)> {
        let keys = self.keys(prefix);
        let text = |key: &String| String::from_utf8(self.world.s3.get("lake", key, None).unwrap().1.to_vec()).unwrap();
        keys.iter().map(|key| (key.clone(), text(key))).collect()
    }

    pub fn texts(&self, prefix: &str) -> Vec<String> {
        self.objects(prefix).into_iter().map(|(_, text)| text).collect()
    }

    /// A new world that knows only what was journalled, and the objects.
    pub fn restarted(self) -> Stage {
        let mut stage = Stage { now: self.now, ..Stage::empty() };
        for ((table, key), value) in &self.journal {
            assert!(stage.world.restore(table, key, value).unwrap(), "{table}");
        }
        for change in &self.logs {
            stage.world.restore_log(change.clone());
        }
        Stage { journal: self.journal, logs: self.logs, ..stage }
    }

    /// Does the journal keep records put directly? The last word about the log says it.
    pub fn keeps_records(&self) -> bool {
        let of_firehose = |change: &&LogChange| change.log().starts_with("firehose/");
        matches!(self.logs.iter().rfind(of_firehose), Some(LogChange::Append { .. }))
    }

    pub fn backlog(&self, name: &str) -> usize {
        delivery::backlog(&self.world, REGION, name)
    }

    /// When there is next something to deliver.
    pub fn due(&self) -> Option<Millis> {
        delivery::due(&self.world)
    }
}

/// Members of a destination, with what each destination here has unless they say otherwise; and so its backup.
fn with(members: Value, backup: &str) -> Value {
    let mut out = json!({
        "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake", "ErrorOutputPrefix": "bad/",
        "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 60 },
    });
    for (member, value) in members.as_object().unwrap() {
        out[member] = if member == backup { with(value.clone(), backup) } else { value.clone() };
    }
    out
}

/// The processors of a destination, each with its parameters.
pub fn processing(processors: &[(&str, &[(&str, &str)])]) -> Value {
    let parameter = |(name, value): &(&str, &str)| json!({ "ParameterName": name, "ParameterValue": value });
    let processor = |(kind, parameters): &(&str, &[(&str, &str)])| json!({ "Type": kind, "Parameters": parameters.iter().map(parameter).collect::<Vec<_>>() });
    json!({ "Enabled": true, "Processors": processors.iter().map(processor).collect::<Vec<_>>() })
}

pub fn text_of(data: &Value) -> String {
    String::from_utf8(BASE64.decode_to_vec(data.as_str().unwrap()).unwrap()).unwrap()
}

pub fn ok(text: String) -> Value {
    json!({ "result": "Ok", "data": BASE64.encode_to_string(text) })
}
