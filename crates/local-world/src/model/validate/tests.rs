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
        (
            "logs",
            "GetLogEvents",
            json!({ "logGroupIdentifier": "a:*", "logStreamName": "s" }),
            "InvalidParameterException: 1 validation error detected: Value at 'logGroupIdentifier' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: [\\w#+=/:,.@-]*"
                .into(),
        ),
    ];
    for (service, operation, value, expected) in table {
        assert_eq!(refused(service, operation, value.clone()), expected, "{service} {operation} {value}");
    }
}

#[test]
fn a_form_is_checked_like_json_and_iam_repeats_nothing() {
    let form = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
    };
    let role = [("RoleArn", "arn:aws:iam::000000000000:role/r"), ("RoleSessionName", "a:b")];
    let table = [
        ("iam", "GetRole", form(&[("RoleName", "good"), ("Unknown", "")]), ""),
        ("iam", "NoSuchAction", form(&[]), ""),
        (
            "iam",
            "CreateRole",
            form(&[("RoleName", "a b"), ("MaxSessionDuration", "60"), ("Tags.member.1.Key", "k")]),
            "4 validation errors detected: Value at 'roleName' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [\\w+=,.@-]+; Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: \
             Member must not be null; Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value \
             greater than or equal to 3600; Value null at 'tags.1.member.value' failed to satisfy constraint: Member \
             must not be null",
        ),
        (
            "iam",
            "ListPolicies",
            form(&[("Scope", "Mine")]),
            "1 validation error detected: Value at 'scope' failed to satisfy constraint: Member must satisfy enum value \
             set",
        ),
        ("iam", "UntagRole", form(&[("RoleName", "r"), ("TagKeys", "")]), ""),
        (
            "sts",
            "AssumeRole",
            form(&role),
            "1 validation error detected: Value 'a:b' at 'roleSessionName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [\\w+=,.@-]*",
        ),
    ];
    for (service, action, parameters, expected) in table {
        let refused = query(service, action, &parameters);
        let said = refused.map_or_else(|error| format!("{}: {}", error.code, error.message), |()| String::new());
        let expected = if expected.is_empty() { String::new() } else { format!("ValidationError: {expected}") };
        assert_eq!(said, expected, "{service} {action} {parameters:?}");
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
        (json!({ "StreamName": "", "ShardCount": "1" }), "class java.lang.String can not be converted to an Integer"),
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
