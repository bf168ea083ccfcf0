//! Constraints of the service models, as generated tables: a whole input is checked, and every violation is listed in
//! AWS's words.
//!
//! The tables are `constraints.json`, which `scripts/models.py` writes. The order of violations is that of the model's
//! members; AWS's own is not documented.

use serde_json::Value;

use crate::request::AwsError;

mod model;
mod types;
mod words;

use model::{Kind, MODELS, Service, Shape};

/// AWS lists no more.
const MAX_VIOLATIONS: usize = 10;

/// Checks a JSON input against the model of `service` (`kinesis`, `firehose`, `logs`, `lambda`) and operation.
/// Unknown members are ignored, as AWS does, and so are operations without a table.
///
/// # Errors
/// `SerializationException` for the first value of a wrong JSON type, else `ValidationException` (CloudWatch Logs:
/// `InvalidParameterException`) with at most ten violations.
pub fn input(service: &str, operation: &str, input: &Value) -> Result<(), AwsError> {
    let Some(tables) = MODELS.get(service) else { return Ok(()) };
    let Some(shape) = tables.operations.get(operation) else { return Ok(()) };
    types::check(tables, tables.shape(shape), input)?;
    let mut found = Violations { tables, echoes: service != "firehose", out: vec![] };
    found.walk(tables.shape(shape), input, &Path(String::new()));
    found.into_result(if service == "logs" { "InvalidParameterException" } else { "ValidationException" })
}

struct Violations<'a> {
    tables: &'a Service,
    /// Firehose does not repeat the value it refuses.
    echoes: bool,
    out: Vec<String>,
}

/// `records.1.member.partitionKey`
struct Path(String);

impl Path {
    fn member(&self, name: &str) -> Path {
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let name: String = first.into_iter().chain(letters).collect();
        Path(if self.0.is_empty() { name } else { format!("{}.{name}", self.0) })
    }

    fn item(&self, at: impl std::fmt::Display) -> Path {
        Path(format!("{}.{at}.member", self.0))
    }
}

impl Violations<'_> {
    fn into_result(mut self, code: &'static str) -> Result<(), AwsError> {
        self.out.truncate(MAX_VIOLATIONS);
        let count = self.out.len();
        let errors = if count == 1 { "error" } else { "errors" };
        match count {
            0 => Ok(()),
            _ => Err(AwsError::new(code, format!("{count} validation {errors} detected: {}", self.out.join("; ")))),
        }
    }

    fn walk(&mut self, shape: &Shape, value: &Value, path: &Path) {
        for constraint in words::violated(shape, value) {
            self.refuse(shape, value, path, &constraint);
        }
        match (shape.kind, value) {
            (Kind::Structure, _) => self.walk_members(shape, value, path),
            (Kind::List, Value::Array(items)) => {
                let item = self.tables.of(&shape.member);
                for (at, value) in items.iter().enumerate() {
                    self.walk(item, value, &path.item(at + 1));
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                let (key, item) = (self.tables.of(&shape.key), self.tables.of(&shape.value));
                if entries.keys().any(|name| !words::violated(key, &Value::from(name.as_str())).is_empty()) {
                    self.refuse(shape, value, path, &words::of_all("Map keys", key));
                }
                if item.is_scalar() && entries.values().any(|value| !words::violated(item, value).is_empty()) {
                    self.refuse(shape, value, path, &words::of_all("Map value", item));
                }
                for (name, value) in entries.iter().filter(|_| !item.is_scalar()) {
                    self.walk(item, value, &path.item(name));
                }
            }
            _ => {}
        }
    }

    fn walk_members(&mut self, shape: &Shape, value: &Value, path: &Path) {
        for (name, member) in &shape.members {
            let path = path.member(name);
            match value.get(name).filter(|value| !value.is_null()) {
                Some(value) => self.walk(self.tables.shape(member), value, &path),
                None if shape.required.contains(name) => {
                    self.out.push(format!(
                        "Value null at '{}' failed to satisfy constraint: Member must not be null",
                        path.0
                    ));
                }
                None => {}
            }
        }
    }

    fn refuse(&mut self, shape: &Shape, value: &Value, path: &Path, constraint: &str) {
        let echo = if self.echoes { format!(" '{}'", words::echo(shape, value)) } else { String::new() };
        self.out.push(format!("Value{echo} at '{}' failed to satisfy constraint: {constraint}", path.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(service: &str, operation: &str, value: Value) -> String {
        input(service, operation, &value)
            .map_or_else(|error| format!("{}: {}", error.code, error.message), |()| String::new())
    }

    #[test]
    fn violations_are_listed_in_the_words_of_aws() {
        let one = |rest: &str| format!("ValidationException: 1 validation error detected: {rest}");
        let table = [
            ("kinesis", "DeleteStream", json!({ "StreamName": "good", "Unknown": [1] }), String::new()),
            ("kinesis", "NoSuchOperation", json!({ "StreamName": 1 }), String::new()),
            (
                "kinesis",
                "CreateStream",
                json!({ "ShardCount": 0 }),
                "ValidationException: 2 validation errors detected: Value null at 'streamName' failed to satisfy constraint: \
                 Member must not be null; Value '0' at 'shardCount' failed to satisfy constraint: Member must have value \
                 greater than or equal to 1"
                    .into(),
            ),
            (
                "kinesis",
                "DeleteStream",
                json!({ "StreamName": "" }),
                "ValidationException: 2 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to \
                 satisfy constraint: Member must have length greater than or equal to 1"
                    .into(),
            ),
            (
                "kinesis",
                "GetShardIterator",
                json!({ "StreamName": "s", "ShardId": "shardId-0", "ShardIteratorType": "FIRST" }),
                one(
                    "Value 'FIRST' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: \
                     [AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, AT_TIMESTAMP]",
                ),
            ),
            (
                "kinesis",
                "PutRecords",
                json!({ "StreamName": "s", "Records": [{ "Data": "", "PartitionKey": "k" }, { "Data": "" }] }),
                one(
                    "Value null at 'records.2.member.partitionKey' failed to satisfy constraint: Member must not be null",
                ),
            ),
            (
                "kinesis",
                "AddTagsToStream",
                json!({ "StreamName": "s", "Tags": { "": "v" } }),
                one(
                    "Value '{=v}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must \
                     have length less than or equal to 128, Member must have length greater than or equal to 1]",
                ),
            ),
            (
                "firehose",
                "CreateDeliveryStream",
                json!({ "DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": {
                    "RoleARN": "arn:aws:iam::000000000000:role/r", "CompressionFormat": "LZ4" } }),
                "ValidationException: 2 validation errors detected: Value null at \
                 'extendedS3DestinationConfiguration.bucketARN' failed to satisfy constraint: Member must not be null; Value \
                 at 'extendedS3DestinationConfiguration.compressionFormat' failed to satisfy constraint: Member must satisfy \
                 enum value set: [UNCOMPRESSED, GZIP, ZIP, Snappy, HADOOP_SNAPPY]"
                    .into(),
            ),
            (
                "lambda",
                "CreateFunction",
                json!({ "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {}, "MemorySize": 64 }),
                one(
                    "Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal \
                     to 128",
                ),
            ),
            (
                "logs",
                "CreateLogGroup",
                json!({ "logGroupName": "a b" }),
                "InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
                    .into(),
            ),
        ];
        for (service, operation, value, expected) in table {
            assert_eq!(refused(service, operation, value.clone()), expected, "{service} {operation} {value}");
        }
    }

    #[test]
    fn no_more_than_ten_violations_are_listed() {
        let records: Vec<Value> = (0..20).map(|_| json!({ "Data": "" })).collect();
        let text = refused("kinesis", "PutRecords", json!({ "StreamName": "s", "Records": records }));
        assert!(text.starts_with("ValidationException: 10 validation errors detected: "), "{text}");
        assert_eq!(text.matches("must not be null").count(), 10);
    }

    #[test]
    fn a_wrong_json_type_is_told_before_any_violation() {
        for (value, message) in [
            (
                json!({ "StreamName": 5 }),
                "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
            ),
            (json!({ "StreamName": {} }), "Start of structure or map found where not expected."),
            (json!({ "StreamName": [] }), "Start of list found where not expected"),
            (
                json!({ "StreamName": "", "ShardCount": "1" }),
                "class java.lang.String can not be converted to an Integer",
            ),
            (json!({ "StreamName": "", "Tags": "x" }), "Expected map or null"),
            (json!({ "StreamName": "", "StreamModeDetails": [] }), "Start of list found where not expected"),
        ] {
            assert_eq!(refused("kinesis", "CreateStream", value), format!("SerializationException: {message}"));
        }
        let blob = |data: &str| refused("kinesis", "PutRecord", json!({ "Data": data }));
        for (data, why) in [
            ("23456", "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
            ("=+/=", "Invalid Base64 character: '='"),
            ("+/+=", "Invalid last non-pad Base64 character dectected"),
        ] {
            assert_eq!(blob(data), format!("SerializationException: '{data}' can not be converted to a Blob: {why}"));
        }
        let timed = json!({ "StreamName": "s", "StreamCreationTimestamp": "23" });
        let why = "class java.lang.String can not be converted to milliseconds since epoch";
        assert_eq!(refused("kinesis", "ListShards", timed), format!("SerializationException: {why}"));
    }
}
