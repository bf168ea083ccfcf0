//! Queries and records that mean harm, under the real binary: it evaluates queries in processes of their own.

use serde_json::{Value, json};

use crate::served::Served;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const TIME: &str = "more than a second of processor time";
const MEMORY: &str = "more than 512 MiB of memory";

fn firehose(served: &Served, operation: &str, body: &Value) -> String {
    let headers =
        format!("X-Amz-Target: Firehose_20150804.{operation}\r\nContent-Type: application/x-amz-json-1.1\r\n");
    served.ask("POST", "/", "firehose", &headers, &body.to_string())
}

fn encoded(document: &Value) -> String {
    document.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn created(served: &Served, name: &str, query: &str) {
    let parameters = [("MetadataExtractionQuery", query), ("JsonParsingEngine", "JQ-1.6")];
    let parameters = parameters.map(|(name, value)| json!({ "ParameterName": name, "ParameterValue": value }));
    let body = json!({ "DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": {
        "RoleARN": "arn:aws:iam::000000000000:role/delivers", "BucketARN": "arn:aws:s3:::lake",
        "Prefix": format!("{name}/!{{partitionKeyFromQuery:k}}/"), "ErrorOutputPrefix": format!("{name}-bad/"),
        "BufferingHints": { "SizeInMBs": 64, "IntervalInSeconds": 60 },
        "DynamicPartitioningConfiguration": { "Enabled": true },
        "ProcessingConfiguration": { "Enabled": true,
            "Processors": [{ "Type": "MetadataExtraction", "Parameters": parameters }] },
    }});
    firehose(served, "CreateDeliveryStream", &body);
}

/// The text of the only object under a prefix.
fn object(served: &Served, prefix: &str) -> String {
    let listing = served.ask("GET", &format!("/lake?list-type=2&prefix={prefix}/"), "s3", "", "");
    let key = listing.split_once("<Key>").and_then(|(_, rest)| rest.split_once("</Key>")).map(|(key, _)| key);
    let answer = served.ask("GET", &format!("/lake/{}", key.expect(&listing)), "s3", "", "");
    answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
}

/// Each costs its own record and nothing else: the record after it is delivered, and the engine goes on.
#[test]
fn neither_a_query_nor_a_record_ends_the_engine() {
    let mut served = Served::start("", 3);
    let trust = json!({ "Statement": { "Effect": "Allow", "Principal": { "Service": "firehose.amazonaws.com" },
        "Action": "sts:AssumeRole" } });
    let allow = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let role = format!("Action=CreateRole&RoleName=delivers&AssumeRolePolicyDocument={}", encoded(&trust));
    served.ask("POST", "/", "iam", FORM, &format!("Version=2010-05-08&{role}"));
    let policy = format!("Action=PutRolePolicy&RoleName=delivers&PolicyName=p&PolicyDocument={}", encoded(&allow));
    served.ask("POST", "/", "iam", FORM, &format!("Version=2010-05-08&{policy}"));
    served.ask("PUT", "/lake", "s3", "", "");

    let nested = json!({ "j": format!("{}1{}", "[".repeat(500_000), "]".repeat(500_000)) }).to_string();
    let wide = json!({ "a": vec![0; 2_000] }).to_string();
    let digits = json!({ "j": "9".repeat(900_000) }).to_string();
    let text = json!({ "j": "a".repeat(500_000), "r": "(a?){1000}".repeat(5) + "b" }).to_string();
    let halves = "(. + .) | ".repeat(60);
    // (query, which gives 1 for `{}`; a record that costs more than there is; what its error says)
    let table = [
        (r#"{k: (if .n then (.s * .n | length) else 1 end)}"#, r#"{"s":"a","n":1000000000000}"#, MEMORY),
        (r#"{k: (if .n then ("a" * 1000000000 * .n | length) else 1 end)}"#, r#"{"n":5}"#, MEMORY),
        (&format!("{{k: (if .s then (.s | {halves} length) else 1 end)}}"), r#"{"s":"ab"}"#, MEMORY),
        (&format!("{{k: (if .s then (.s | {halves} length) else 1 end)}}"), r#"{"s":[1]}"#, MEMORY),
        ("{k: (if .j then (.j | fromjson | length) else 1 end)}", &nested, MEMORY),
        ("{k: (if .a then reduce (.a[] as $x | .a[] as $y | .a[]) as $x (0; . + 1) else 1 end)}", &wide, TIME),
        ("{k: (if .a then (reduce .a[] as $x (0; [., .]) | tojson | length) else 1 end)}", &wide, TIME),
        ("{k: (if .j then (.j | tonumber | . * . | tostring | length) else 1 end)}", &digits, TIME),
        ("{k: (if .a then (reduce .a[] as $x (3; . * .) | tostring | length) else 1 end)}", &wide, TIME),
        ("{k: (if .r then (.r as $r | .j | test($r)) else 1 end)}", &text, TIME),
    ];
    for (at, (query, record, reason)) in table.iter().enumerate() {
        let name = format!("d{at}");
        created(&served, &name, query);
        served.ask("POST", "/_local/advance?ms=1000", "local", "", "");
        let records = [record, "{}"].map(|data| json!({ "Data": base64_simd::STANDARD.encode_to_string(data) }));
        firehose(&served, "PutRecordBatch", &json!({ "DeliveryStreamName": name, "Records": records }));
        served.ask("POST", &format!("/_local/flush?stream={name}"), "local", "", "");
        assert_eq!(object(&served, &format!("{name}/1")), "{}", "{query}");
        let failed: Value = serde_json::from_str(&object(&served, &format!("{name}-bad"))).expect("a line");
        assert_eq!(failed["errorCode"], "DynamicPartitioning.MetadataExtractionFailed", "{query}");
        let message = failed["errorMessage"].as_str().expect("a text");
        assert!(message.contains(reason), "{query}: {message}");
    }
    served.kill();
}
