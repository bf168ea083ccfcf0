//! Failures on the way of a record, and where they are told.

use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::world::tests::stage::{FUNCTION, REGION, Stage, ok, processing, text_of};

const LAMBDA: (&str, &[(&str, &str)]) = (
    "Lambda",
    &[("LambdaArn", FUNCTION), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "10"), ("NumberOfRetries", "0")],
);

pub fn logged(stage: &mut Stage, name: &str) {
    let group = format!("/aws/kinesisfirehose/{name}");
    stage.ask("logs", "CreateLogGroup", json!({ "logGroupName": group })).unwrap();
    let stream = json!({ "logGroupName": group, "logStreamName": "DestinationDelivery" });
    stage.ask("logs", "CreateLogStream", stream).unwrap();
    stage.create(
        name,
        json!({ "Prefix": "good/", "ProcessingConfiguration": processing(&[LAMBDA]), "CloudWatchLoggingOptions":
            { "Enabled": true, "LogGroupName": group, "LogStreamName": "DestinationDelivery" } }),
    );
}

/// The messages in the delivery stream's log.
pub fn said(stage: &mut Stage, name: &str) -> Vec<Value> {
    let input = json!({ "logGroupName": format!("/aws/kinesisfirehose/{name}"), "logStreamName": "DestinationDelivery",
        "startFromHead": true });
    let events = stage.ask("logs", "GetLogEvents", input).unwrap();
    let event = |event: &Value| serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
    events["events"].as_array().unwrap().iter().map(event).collect()
}

#[test]
fn the_log_names_the_function_that_failed_and_each_kind_of_failure_once() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    stage.put(&["a", "b", "c"]);
    stage.advance(10_000);
    stage.answer(|text| match text {
        "c" => ok("C".into()),
        _ => json!({ "result": "ProcessingFailed" }),
    });
    let expected = json!({
        "deliveryStreamARN": "arn:aws:firehose:us-east-1:000000000000:deliverystream/d",
        "destination": "arn:aws:s3:::lake", "deliveryStreamVersionId": 1, "processor": FUNCTION,
        "message": "ProcessingFailed status set for record", "errorCode": "Lambda.ProcessingFailedStatus",
    });
    assert_eq!(said(&mut stage, "d"), [expected]);
    stage.advance(60_000);
    let line: Value = serde_json::from_str(stage.texts("bad/")[0].lines().next().unwrap()).unwrap();
    let expected = json!({
        "rawData": "YQ==", "errorCode": "Lambda.ProcessingFailedStatus",
        "errorMessage": "ProcessingFailed status set for record", "attemptsMade": 1,
        "arrivalTimestamp": crate::world::tests::stage::START, "attemptEndingTimestamp": crate::world::tests::stage::START + 10_000,
        "lambdaARN": FUNCTION,
    });
    assert_eq!(line, expected);
}

#[test]
fn hostile_answers_fail_the_batch_once_and_stop_nothing() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    let large = json!({ "records": ["x".repeat(6_291_557)] });
    let deep = serde_json::from_str::<Value>(&format!("{}{}", "[".repeat(100), "]".repeat(100))).unwrap();
    for answer in [json!(null), json!("text"), json!({ "records": {} }), json!({ "records": [deep] }), large] {
        stage.put(&["a"]);
        stage.advance(10_000);
        let (token, _) = stage.invocations.remove(0);
        stage.resolve(token, answer, None);
    }
    stage.put(&["b"]);
    stage.advance(10_000);
    stage.answer(|text| ok(text.to_uppercase()));
    stage.advance(60_000);
    let lines: Vec<String> =
        stage.texts("bad/").iter().flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!((lines.len(), stage.texts("good/")), (5, vec!["B".into()]));
    assert!(lines.iter().all(|line| line.contains("Lambda.FunctionError")), "{lines:?}");
    assert_eq!(stage.backlog("d"), 0);
}

#[test]
fn a_role_that_may_no_longer_read_is_said_once_and_reads_the_gap_later() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    let policy = |statement: &str| {
        let document = format!(r#"{{"Statement":{statement}}}"#);
        [
            ("Action", "PutRolePolicy".to_owned()),
            ("RoleName", "R".into()),
            ("PolicyName", "P".into()),
            ("PolicyDocument", document),
        ]
    };
    let may_all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let may_not_read = format!(r#"[{may_all},{{"Effect":"Deny","Action":"kinesis:GetRecords","Resource":"*"}}]"#);
    let set = |stage: &mut Stage, statement: &str| {
        let parameters = policy(statement);
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        stage.iam(&parameters);
    };
    set(&mut stage, &may_not_read);
    for text in ["a", "b"] {
        stage.advance(2_000);
        stage.put(&[text]);
    }
    stage.advance(5_000);
    let codes: Vec<Value> = said(&mut stage, "d").iter().map(|line| line["errorCode"].clone()).collect();
    assert_eq!((codes, stage.backlog("d")), (vec![json!("Kinesis.AccessDenied")], 2));
    set(&mut stage, may_all);
    stage.advance(2_000);
    stage.advance(10_000);
    stage.answer(|text| ok(text.into()));
    stage.advance(60_000);
    assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["ab".into()], 0));
}

#[test]
fn a_source_that_is_gone_is_said_and_its_namesake_is_not_read() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    stage.ask("kinesis", "DeleteStream", json!({ "StreamName": "events" })).unwrap();
    stage.advance(1);
    stage.advance(1);
    stage.ask("kinesis", "CreateStream", json!({ "StreamName": "events", "ShardCount": 1 })).unwrap();
    stage.advance(1);
    stage.put(&["a"]);
    stage.advance(100_000);
    let codes: Vec<Value> = said(&mut stage, "d").iter().map(|line| line["errorCode"].clone()).collect();
    assert_eq!((codes, stage.invocations.len()), (vec![json!("Kinesis.ResourceNotFound")], 0));
    assert_eq!(stage.whole("d")["DeliveryStreamStatus"], "ACTIVE");
}

#[test]
fn what_the_destination_does_not_take_is_kept_for_a_day_and_then_lost() {
    let mut stage = Stage::new();
    stage.create_direct("d", json!({ "Prefix": "good/" }));
    stage.put_direct("d", "old");
    stage.advance(23 * 3_600_000);
    stage.put_direct("d", "young");
    assert_eq!(stage.backlog("d"), 2);
    stage.advance(2 * 3_600_000);
    assert_eq!((stage.backlog("d"), crate::world::delivery::given_up(&stage.world, REGION, "d")), (1, 1));
    stage.make_bucket();
    stage.advance(60_000);
    assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["young".into()], 0));
}

#[test]
fn a_fault_of_the_bucket_delays_an_object_and_one_of_the_function_spends_its_retries() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    for rule in ["firehose>s3:PutObject=503,count=2", "firehose>lambda:Invoke=throttle,count=1"] {
        stage.world.faults.add(rule.parse().unwrap());
    }
    stage.put(&["a"]);
    stage.advance(10_000);
    assert_eq!(stage.invocations.len(), 0, "it is refused, and nothing is left to try");
    stage.put(&["b"]);
    stage.advance(10_000);
    stage.answer(|text| ok(text.to_uppercase()));
    stage.advance(60_000);
    assert_eq!(stage.texts("good/"), Vec::<String>::new());
    stage.advance(5_000);
    stage.advance(5_000);
    assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["B".into()], 0));
    let line: Value = serde_json::from_str(stage.texts("bad/")[0].lines().next().unwrap()).unwrap();
    let told = (&line["errorCode"], &line["attemptsMade"], &line["rawData"]);
    assert_eq!(told, (&json!("Lambda.InvokeLimitExceeded"), &json!(1), &json!("YQ==")));
    let codes: Vec<Value> = said(&mut stage, "d").iter().map(|line| line["errorCode"].clone()).collect();
    let unavailable = json!("S3.ServiceUnavailable");
    assert_eq!(codes, [json!("Lambda.InvokeLimitExceeded"), unavailable.clone(), unavailable]);
}

#[test]
fn events_that_would_be_too_large_are_split() {
    let mut stage = Stage::with_bucket();
    let parameters = [("LambdaArn", FUNCTION), ("BufferSizeInMBs", "3"), ("BufferIntervalInSeconds", "10")];
    stage.create(
        "d",
        json!({ "Prefix": "good/", "ProcessingConfiguration": processing(&[("Lambda", &parameters[..])]) }),
    );
    // A partition key that takes six times its length in JSON.
    let key = "\u{1}".repeat(256);
    let texts: Vec<String> = (0..4_000).map(|n| format!("{n};")).collect();
    for texts in texts.chunks(250) {
        let record = |text: &String| json!({ "Data": BASE64.encode_to_string(text), "PartitionKey": key });
        let records: Vec<Value> = texts.iter().map(record).collect();
        stage.ask("kinesis", "PutRecords", json!({ "StreamName": "events", "Records": records })).unwrap();
    }
    stage.advance(10_000);
    assert!(stage.invocations.len() > 1, "what is small in the stream is large in an event");
    while !stage.invocations.is_empty() {
        assert!(stage.invocations[0].1.to_string().len() <= 6_291_456);
        stage.answer(|text| ok(text.into()));
    }
    stage.advance(60_000);
    let mut found: Vec<String> = stage.texts("good/").concat().split_inclusive(';').map(str::to_owned).collect();
    found.sort();
    let mut expected = texts;
    expected.sort();
    assert!(found == expected);
}

#[test]
fn what_fails_before_the_function_is_asked_is_retried_and_said_as_its_code() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    let none = FUNCTION.replace(":f", ":none");
    let lambda = processing(&[(
        "Lambda",
        &[("LambdaArn", &none), ("NumberOfRetries", "2"), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "10")],
    )]);
    stage.update("d", "1", json!({ "ProcessingConfiguration": lambda })).unwrap();
    stage.put(&["a"]);
    stage.advance(10_000);
    for _ in 0..2 {
        stage.advance(1_000);
    }
    stage.advance(60_000);
    let line: Value = serde_json::from_str(&stage.texts("bad/")[0]).unwrap();
    assert_eq!((text_of(&line["rawData"]), &line["attemptsMade"]), ("a".into(), &json!(3)));
    assert_eq!((&line["errorCode"], &line["lambdaARN"]), (&json!("Lambda.ResourceNotFound"), &json!(none)));
}
