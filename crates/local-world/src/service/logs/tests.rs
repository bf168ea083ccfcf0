use super::*;
use crate::settings::Settings;
use crate::world::World;
use crate::world::tests::calls;

fn ask(world: &mut World, now: Millis, operation: &str, input: Value) -> Result<Value, AwsError> {
    let request = Request { region: "eu-west-1".into(), ..calls::json(operation, &input) };
    calls::value(world, now, "logs", &request)
}

fn append(world: &mut World, now: Millis, group: &str, stream: &str, line: &str, create_stream: bool) {
    let written = Written { region: "eu-west-1", group, stream, lines: &[line.to_owned()] };
    world.logs.append("000000000000", now, written, create_stream);
}

fn world() -> World {
    let mut world = World::new(Settings::default());
    for group in ["/provision/a", "/provision/a-2", "/other"] {
        let input = serde_json::json!({ "logGroupName": group, "tags": { "k": group } });
        ask(&mut world, 1000, "CreateLogGroup", input).unwrap();
    }
    world
}

#[test]
fn groups_are_listed_by_prefix_page_by_page() {
    let mut world = world();
    let input = |token: Value| serde_json::json!({ "logGroupNamePrefix": "/prov", "limit": 1, "nextToken": token });
    let first = ask(&mut world, 1, "DescribeLogGroups", input(Value::Null)).unwrap();
    assert_eq!(first["logGroups"][0]["arn"], "arn:aws:logs:eu-west-1:000000000000:log-group:/provision/a:*");
    let second = ask(&mut world, 1, "DescribeLogGroups", input(first["nextToken"].clone())).unwrap();
    assert_eq!(second["logGroups"][0]["logGroupName"], "/provision/a-2");
    assert_eq!(second.get("nextToken"), None);
}

#[test]
fn what_a_call_says_wrongly_is_told_in_the_words_of_aws() {
    let mut world = world();
    let long = "a".repeat(513);
    let too_long = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
    let token = "The specified nextToken is invalid.";
    let exclusive = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
    let both = serde_json::json!({ "logGroupName": "/other", "logGroupIdentifier": "/other" });
    let table = [
        ("CreateLogGroup", serde_json::json!({ "logGroupName": long }), "InvalidParameterException", too_long),
        (
            "CreateLogStream",
            serde_json::json!({ "logGroupName": "/other", "logStreamName": long }),
            "InvalidParameterException",
            too_long,
        ),
        (
            "FilterLogEvents",
            serde_json::json!({ "logGroupName": "/other", "nextToken": "invalid-token" }),
            "InvalidParameterException",
            token,
        ),
        (
            "DescribeLogStreams",
            serde_json::json!({ "logGroupName": "/other", "nextToken": "invalid-token" }),
            "InvalidParameterException",
            token,
        ),
        (
            "DescribeLogStreams",
            serde_json::json!({ "logGroupName": "/other", "logStreamNamePrefix": "s", "orderBy": "LastEventTime" }),
            "InvalidParameterException",
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ),
        ("DescribeLogStreams", both.clone(), "ValidationException", exclusive),
        ("FilterLogEvents", both, "ValidationException", exclusive),
    ];
    for (operation, input, code, message) in table {
        let error = ask(&mut world, 1, operation, input).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, message), "{operation}");
    }
}

#[test]
fn a_stream_has_a_token_once_it_was_written_to_and_what_a_pattern_finds_shows_less() {
    let mut world = world();
    let stream = serde_json::json!({ "logGroupName": "/other", "logStreamName": "s" });
    ask(&mut world, 5, "CreateLogStream", stream).unwrap();
    let group = serde_json::json!({ "logGroupIdentifier": "/other" });
    let shown = |world: &mut World| {
        ask(world, 6, "DescribeLogStreams", group.clone()).unwrap()["logStreams"][0].as_object().unwrap().clone()
    };
    let names = |shown: &serde_json::Map<String, Value>| shown.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&shown(&mut world)), ["arn", "creationTime", "logStreamName", "storedBytes"]);
    append(&mut world, 6, "/other", "s", "line", false);
    assert!(shown(&mut world).contains_key("uploadSequenceToken"));

    let found = ask(&mut world, 7, "DescribeLogGroups", serde_json::json!({ "logGroupNamePattern": "oth" })).unwrap();
    let found = names(found["logGroups"][0].as_object().unwrap());
    assert_eq!(found, ["arn", "creationTime", "logGroupArn", "logGroupClass", "logGroupName", "metricFilterCount"]);
}

#[test]
fn groups_are_found_by_class_by_name_and_by_arn() {
    let mut world = world();
    let rare = serde_json::json!({ "logGroupName": "/rare", "logGroupClass": "INFREQUENT_ACCESS" });
    ask(&mut world, 1, "CreateLogGroup", rare).unwrap();
    let mut found = |input: Value| {
        let found = ask(&mut world, 2, "DescribeLogGroups", input).unwrap();
        let groups = found["logGroups"].as_array().unwrap();
        groups.iter().map(|group| group["logGroupName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let table = [
        (serde_json::json!({ "logGroupClass": "INFREQUENT_ACCESS" }), vec!["/rare"]),
        (serde_json::json!({ "logGroupClass": "DELIVERY" }), vec![]),
        (serde_json::json!({ "logGroupIdentifiers": ["/other", "/none"] }), vec!["/other"]),
        (
            serde_json::json!({ "logGroupIdentifiers": ["arn:aws:logs:eu-west-1:000000000000:log-group:/rare"] }),
            vec!["/rare"],
        ),
    ];
    for (input, expected) in table {
        assert_eq!(found(input.clone()), expected, "{input}");
    }
}

#[test]
fn a_groups_tags_are_its_own_by_name_and_by_the_arn_without_a_star() {
    let mut world = world();
    let arn = "arn:aws:logs:eu-west-1:000000000000:log-group:/provision/a";
    let mut tag =
        |arn: &str| ask(&mut world, 1, "TagResource", serde_json::json!({ "resourceArn": arn, "tags": { "x": "v" } }));
    tag(arn).unwrap();
    assert_eq!(tag(&format!("{arn}:*")).unwrap_err().code, "InvalidParameterException");
    ask(&mut world, 1, "UntagResource", serde_json::json!({ "resourceArn": arn, "tagKeys": ["k"] })).unwrap();
    let tags = ask(&mut world, 1, "ListTagsLogGroup", serde_json::json!({ "logGroupName": "/provision/a" })).unwrap();
    assert_eq!(tags, serde_json::json!({ "tags": { "x": "v" } }));
}

#[test]
fn a_group_is_made_once_and_is_gone_with_its_events_when_deleted() {
    let mut world = world();
    let named = serde_json::json!({ "logGroupName": "/other" });
    let again = ask(&mut world, 1, "CreateLogGroup", named.clone()).unwrap_err();
    assert_eq!(again.code, "ResourceAlreadyExistsException");
    append(&mut world, 5, "/other", "s", "line", true);
    ask(&mut world, 6, "DeleteLogGroup", named.clone()).unwrap();
    assert_eq!(ask(&mut world, 7, "DeleteLogGroup", named.clone()).unwrap_err().code, "ResourceNotFoundException");
    ask(&mut world, 8, "CreateLogGroup", named.clone()).unwrap();
    assert_eq!(ask(&mut world, 9, "FilterLogEvents", named).unwrap()["events"], serde_json::json!([]));
}

#[test]
fn a_service_writes_to_a_group_that_is_there_and_makes_none() {
    let mut world = world();
    append(&mut world, 5, "/absent", "s", "lost", true);
    append(&mut world, 5, "/other", "absent", "lost", false);
    append(&mut world, 5, "/other", "s", "kept", true);
    let absent = serde_json::json!({ "logGroupName": "/absent" });
    assert_eq!(ask(&mut world, 9, "FilterLogEvents", absent).unwrap_err().code, "ResourceNotFoundException");
    let found = ask(&mut world, 9, "FilterLogEvents", serde_json::json!({ "logGroupName": "/other" })).unwrap();
    assert_eq!(found["events"].as_array().unwrap().len(), 1);
    assert_eq!(found["events"][0]["message"], "kept");
}

#[test]
fn events_are_put_in_order_and_read_back_after_a_restart() {
    let mut world = world();
    let stream = serde_json::json!({ "logGroupName": "/other", "logStreamName": "s" });
    ask(&mut world, 1, "CreateLogStream", stream.clone()).unwrap();
    let put = |events: Value| {
        let mut input = stream.clone();
        input["logEvents"] = events;
        input
    };
    let now = MANY_DAYS;
    let events = serde_json::json!([
        { "timestamp": 1, "message": "old" }, { "timestamp": now, "message": "new" }, { "timestamp": now * 2, "message": "ahead" }
    ]);
    let answer = ask(&mut world, now, "PutLogEvents", put(events)).unwrap();
    let rejected = serde_json::json!({ "tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2 });
    assert_eq!(answer["rejectedLogEventsInfo"], rejected);
    let unsorted = serde_json::json!([{ "timestamp": 2, "message": "m" }, { "timestamp": 1, "message": "m" }]);
    assert_eq!(ask(&mut world, now, "PutLogEvents", put(unsorted)).unwrap_err().code, "InvalidParameterException");

    let mut restored = World::new(Settings::default());
    for change in world.take_changes(true) {
        restored.restore(change.table, &change.key, &change.value.expect("nothing was removed")).unwrap();
    }
    let read = ask(&mut restored, now, "GetLogEvents", stream.clone()).unwrap();
    assert_eq!(read["events"], serde_json::json!([{ "timestamp": now, "ingestionTime": now, "message": "new" }]));
    for (operation, expected) in [("GetLogEvents", 0), ("FilterLogEvents", 1)] {
        let mut until = stream.clone();
        until["endTime"] = now.into();
        let read = ask(&mut restored, now, operation, until).unwrap();
        assert_eq!(read["events"].as_array().unwrap().len(), expected, "{operation}");
    }
}

#[test]
fn a_search_from_the_tail_gives_the_latest_first_page_by_page() {
    const IN_2024: Millis = 1_704_067_200_000;
    let mut world = world();
    let stream = serde_json::json!({ "logGroupName": "/other", "logStreamName": "s" });
    ask(&mut world, IN_2024, "CreateLogStream", stream.clone()).unwrap();
    let mut put = stream;
    put["logEvents"] =
        (0..3).map(|n| serde_json::json!({ "timestamp": IN_2024 + n, "message": n.to_string() })).collect();
    ask(&mut world, IN_2024, "PutLogEvents", put).unwrap();
    let mut search = |more: serde_json::Value| {
        let mut input = serde_json::json!({ "logGroupName": "/other", "limit": 2 });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(&mut world, IN_2024, "FilterLogEvents", input)
    };
    let messages = |answer: &serde_json::Value| -> Vec<String> {
        answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    };
    let first = search(serde_json::json!({ "startFromHead": false })).unwrap();
    assert_eq!(messages(&first), ["2", "1"]);
    // The token's direction wins.
    let rest = search(serde_json::json!({ "startFromHead": true, "nextToken": first["nextToken"] })).unwrap();
    assert_eq!((messages(&rest), rest.get("nextToken")), (vec!["0".to_owned()], None));
    let early = search(serde_json::json!({ "startFromHead": false, "startTime": IN_2024 - 1 })).unwrap_err();
    assert_eq!(early.code, "InvalidParameterException");
}

const MANY_DAYS: Millis = 30 * 86_400_000;

#[test]
fn what_is_older_than_the_retention_is_not_shown_and_then_gone() {
    const DAY: Millis = 86_400_000;
    let mut world = world();
    let stream = serde_json::json!({ "logGroupName": "/other", "logStreamName": "s" });
    ask(&mut world, 1, "CreateLogStream", stream.clone()).unwrap();
    let put = |world: &mut World, at: Millis| {
        let mut input = stream.clone();
        input["logEvents"] = serde_json::json!([{ "timestamp": at, "message": format!("at {at}") }]);
        ask(world, at, "PutLogEvents", input).unwrap();
    };
    put(&mut world, DAY);
    put(&mut world, 3 * DAY);
    let seen = |world: &mut World, now: Millis| {
        ask(world, now, "GetLogEvents", stream.clone()).unwrap()["events"].as_array().unwrap().len()
    };
    assert_eq!(seen(&mut world, 9 * DAY), 2);
    let retention = serde_json::json!({ "logGroupName": "/other", "retentionInDays": 7 });
    ask(&mut world, 9 * DAY, "PutRetentionPolicy", retention).unwrap();
    assert_eq!((seen(&mut world, 9 * DAY), seen(&mut world, 11 * DAY)), (1, 0));
    put(&mut world, 9 * DAY);
    assert_eq!(world.logs.batches.len(), 2, "the first is gone");

    let mut late = stream.clone();
    late["logEvents"] =
        serde_json::json!([{ "timestamp": DAY, "message": "m" }, { "timestamp": 9 * DAY, "message": "m" }]);
    let answer = ask(&mut world, 9 * DAY, "PutLogEvents", late).unwrap();
    assert_eq!(answer["rejectedLogEventsInfo"], serde_json::json!({ "expiredLogEventEndIndex": 1 }));
}
