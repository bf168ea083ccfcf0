use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::effect::Turn;
use crate::settings::Settings;
use crate::time::Delays;
use crate::world::World;
use crate::world::tests::calls;

const NOW: Millis = 1_783_951_509_000;

fn ask_at(world: &mut World, now: Millis, operation: &str, input: Value) -> Result<Value, AwsError> {
    calls::value(world, now, "kinesis", &calls::json(operation, &input))
}

fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, AwsError> {
    ask_at(world, NOW, operation, input)
}

fn world(shards: u32) -> World {
    let mut world = World::new(Settings { delays: Delays::NONE, ..Settings::default() });
    let create = json!({ "StreamName": "s", "ShardCount": shards, "Tags": { "a": "b" } });
    ask_at(&mut world, NOW - 10_000, "CreateStream", create).unwrap();
    world
}

#[test]
fn a_stream_that_nobody_calls_loses_what_is_too_old_as_well() {
    let mut world = world(2);
    for (now, key) in [(NOW, "a"), (NOW + 7_200_000, "b")] {
        put(&mut world, now, key);
    }
    let held = |world: &World| {
        world.kinesis.logs("us-east-1/s").unwrap().iter().map(|(_, log)| log.next() - log.base()).sum::<u64>()
    };
    let mut seen = vec![];
    while let Some(due) = world.due() {
        world.tick(&mut Turn::at(due));
        seen.push(((due - NOW) / 3_600_000, held(&world)));
    }
    assert_eq!(seen, [(24, 1), (26, 0)]);
}

#[test]
fn a_shard_is_split_or_merged_once() {
    let mut world = world(2);
    let split = json!({ "StreamName": "s", "ShardToSplit": "shard-0", "NewStartingHashKey": "100" });
    ask(&mut world, "SplitShard", split.clone()).unwrap();
    let again = ask_at(&mut world, NOW + 1, "SplitShard", split).unwrap_err();
    let why = "Shard shardId-000000000000 in stream s under account 000000000000 has already been merged or split, and thus \
               is not eligible for merging or splitting.";
    assert_eq!((again.code, again.message.as_str()), ("InvalidArgumentException", why));
    let merge = json!({ "StreamName": "s", "ShardToMerge": "1", "AdjacentShardToMerge": "shardId-9" });
    assert_eq!(ask(&mut world, "MergeShards", merge).unwrap_err().code, "ResourceNotFoundException");
}

fn iterator(world: &mut World, kind: Value) -> Result<String, AwsError> {
    let mut input = json!({ "StreamName": "s", "ShardId": "shardId-000000000000" });
    input.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
    Ok(ask(world, "GetShardIterator", input)?["ShardIterator"].as_str().unwrap().to_owned())
}

fn put(world: &mut World, now: Millis, key: &str) -> Value {
    ask_at(world, now, "PutRecord", json!({ "StreamName": "s", "Data": "YQ==", "PartitionKey": key })).unwrap()
}

fn keys(output: &Value) -> Vec<&str> {
    output["Records"].as_array().unwrap().iter().map(|record| record["PartitionKey"].as_str().unwrap()).collect()
}

#[test]
fn every_type_of_iterator_begins_where_it_says() {
    let mut world = world(1);
    let placed: Vec<Value> =
        ["a", "b", "c"].iter().zip(0..).map(|(key, i)| put(&mut world, NOW - 2000 + 1000 * i, key)).collect();
    let second = &placed[1]["SequenceNumber"];
    let table = [
        (json!({ "ShardIteratorType": "TRIM_HORIZON" }), vec!["a", "b", "c"]),
        (json!({ "ShardIteratorType": "LATEST" }), vec![]),
        (json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": second }), vec!["b", "c"]),
        (json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": second }), vec!["c"]),
        (json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": (NOW - 1000) as f64 / 1000.0 }), vec!["b", "c"]),
    ];
    for (kind, expected) in table {
        let iterator = iterator(&mut world, kind.clone()).unwrap();
        let read = ask(&mut world, "GetRecords", json!({ "ShardIterator": iterator })).unwrap();
        assert_eq!((keys(&read), &read["MillisBehindLatest"]), (expected, &json!(0)), "{kind}");
        assert!(read["NextShardIterator"].is_string());
    }
}

#[test]
fn a_closed_shard_ends_with_its_children() {
    let mut world = world(1);
    put(&mut world, NOW, "a");
    ask(
        &mut world,
        "UpdateShardCount",
        json!({ "StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" }),
    )
    .unwrap();
    let iterator = iterator(&mut world, json!({ "ShardIteratorType": "TRIM_HORIZON" })).unwrap();
    let read = ask(&mut world, "GetRecords", json!({ "ShardIterator": iterator })).unwrap();
    assert_eq!((keys(&read), read.get("NextShardIterator")), (vec!["a"], None));
    let children: BTreeSet<&str> =
        read["ChildShards"].as_array().unwrap().iter().map(|child| child["ShardId"].as_str().unwrap()).collect();
    assert_eq!(children, BTreeSet::from(["shardId-000000000001", "shardId-000000000002"]));
}

#[test]
fn records_go_when_their_retention_is_over() {
    let mut world = world(1);
    put(&mut world, NOW, "a");
    put(&mut world, NOW + 24 * 3_600_000 + 1, "b");
    let iterator = iterator(&mut world, json!({ "ShardIteratorType": "TRIM_HORIZON" })).unwrap();
    let read = ask(&mut world, "GetRecords", json!({ "ShardIterator": iterator })).unwrap();
    assert_eq!(keys(&read), ["b"]);
}

#[test]
fn a_stream_passes_through_its_states_and_is_gone() {
    let mut world = World::new(Settings { delays: Delays::FAST, ..Settings::default() });
    let named = json!({ "StreamName": "s" });
    ask(&mut world, "CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).unwrap();
    let status = |world: &mut World, now| {
        ask_at(world, now, "DescribeStreamSummary", json!({ "StreamName": "s" }))
            .map(|out| out["StreamDescriptionSummary"]["StreamStatus"].as_str().unwrap().to_owned())
    };
    assert_eq!(status(&mut world, NOW + 59).unwrap(), "CREATING");
    assert_eq!(world.due(), Some(NOW + 60));
    assert_eq!(status(&mut world, NOW + 60).unwrap(), "ACTIVE");
    ask_at(&mut world, NOW + 60, "DeleteStream", named.clone()).unwrap();
    assert_eq!(status(&mut world, NOW + 119).unwrap(), "DELETING");
    let gone = status(&mut world, NOW + 120).unwrap_err();
    assert_eq!(gone.message, "Stream s under account 000000000000 not found.");
    assert_eq!(world.due(), None);
}

#[test]
fn with_limits_a_shard_lets_so_much_through_and_says_so() {
    let mut world = world(1);
    world.settings.limits = true;
    let batch: Vec<Value> = (0..400).map(|_| json!({ "Data": "YQ==", "PartitionKey": "k" })).collect();
    let mut failed = vec![];
    for now in [NOW, NOW, NOW, NOW + 1000] {
        let put = ask_at(&mut world, now, "PutRecords", json!({ "StreamName": "s", "Records": batch })).unwrap();
        failed.push(put["FailedRecordCount"].as_u64().unwrap());
        if failed.len() == 3 {
            let last = put["Records"].as_array().unwrap().last().unwrap();
            assert_eq!(last["ErrorCode"], "ProvisionedThroughputExceededException");
            let message = "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.";
            assert_eq!(last["ErrorMessage"], message);
        }
    }
    assert_eq!(failed, [0, 0, 200, 0]);
    let iterator = iterator(&mut world, json!({ "ShardIteratorType": "TRIM_HORIZON" })).unwrap();
    let mut read = || ask(&mut world, "GetRecords", json!({ "ShardIterator": iterator })).map_err(|error| error.code);
    assert_eq!((0..5).filter(|_| read().is_ok()).count(), 5);
    assert_eq!(read(), Err("ProvisionedThroughputExceededException"));
}

#[test]
fn what_aws_refuses_is_refused_in_its_words() {
    let mut world = world(1);
    let number = put(&mut world, NOW, "a")["SequenceNumber"].clone();
    let put_with = |more: Value| {
        let mut input = json!({ "StreamName": "s", "Data": "", "PartitionKey": "k" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let large = "A".repeat(1_398_104);
    let table = [
        (
            "CreateStream",
            json!({ "StreamName": "s", "ShardCount": 1 }),
            "Stream s under account 000000000000 already exists.",
        ),
        ("PutRecord", put_with(json!({ "StreamName": "t" })), "Stream t under account 000000000000 not found."),
        ("PutRecord", put_with(json!({ "DryRun": true })), "DryRun is not supported by the built-in emulator"),
        (
            "PutRecords",
            json!({ "StreamName": "s", "Records": [{ "Data": "", "PartitionKey": "k" }], "DryRun": true }),
            "DryRun is not supported by the built-in emulator",
        ),
        (
            "GetRecords",
            json!({ "ShardIterator": "i", "DryRun": true }),
            "DryRun is not supported by the built-in emulator",
        ),
        ("PutRecord", put_with(json!({ "PartitionKey": "" })), "have length greater than or equal to 1"),
        ("PutRecord", put_with(json!({ "PartitionKey": "é".repeat(257) })), "have length less than or equal to 256"),
        ("PutRecord", put_with(json!({ "Data": large })), "have length less than or equal to 1048576"),
        (
            "PutRecord",
            put_with(json!({ "ExplicitHashKey": "340282366920938463463374607431768211456" })),
            "[0, 2^128-1]",
        ),
        ("PutRecord", put_with(json!({ "SequenceNumberForOrdering": "1" })), "ExclusiveMinimumSequenceNumber 1 used"),
        ("PutRecord", put_with(json!({ "Data": 1 })), "can not be converted to a Blob"),
        (
            "PutRecords",
            json!({ "StreamName": "s", "Records": [{ "Data": "", "PartitionKey": "" }, { "PartitionKey": "k" }] }),
            "2 validation errors detected",
        ),
        ("PutRecords", json!({ "StreamName": "s", "Records": [] }), "greater than or equal to 1"),
        ("GetRecords", json!({ "ShardIterator": "x" }), "Invalid ShardIterator."),
        (
            "DecreaseStreamRetentionPeriod",
            json!({ "StreamName": "s", "RetentionPeriodHours": 23 }),
            "(23 hours) is too short.",
        ),
        (
            "DecreaseStreamRetentionPeriod",
            json!({ "StreamName": "s", "RetentionPeriodHours": 48 }),
            "can not be longer than",
        ),
        ("ListShards", json!({}), "Either NextToken or StreamName should be provided."),
        (
            "AddTagsToStream",
            json!({ "StreamName": "s", "Tags": { "a!": "b" } }),
            "Some tags contain invalid characters.",
        ),
        (
            "UpdateShardCount",
            json!({ "StreamName": "s", "TargetShardCount": 3, "ScalingType": "UNIFORM_SCALING" }),
            "cannot scale up over double your current open shard count. Current open shard count: 1, Target",
        ),
        ("SubscribeToShard", json!({}), "Value null at 'consumerARN'"),
        ("CreateQueue", json!({}), "not supported by the built-in emulator"),
        (
            "CreateStream",
            json!({ "StreamName": "wide", "ShardCount": 20_000 }),
            "Current shard count for the account: 1. Limit: 20000. Number of additional shards",
        ),
        (
            "ListShards",
            json!({ "StreamName": "s", "ShardFilter": { "Type": "AT_TIMESTAMP" } }),
            "Timestamp must be specified",
        ),
        (
            "ListShards",
            json!({ "StreamName": "s", "StreamCreationTimestamp": 1 }),
            "Stream s under account 000000000000 not found.",
        ),
        (
            "ListStreamConsumers",
            json!({ "StreamARN": CONSUMER_STREAM, "StreamCreationTimestamp": 1 }),
            "Stream s under account 000000000000 not found.",
        ),
        (
            "StartStreamEncryption",
            json!({ "StreamName": "s", "EncryptionType": "NONE", "KeyId": "k" }),
            "EncryptionType must be KMS, not NONE.",
        ),
    ];
    for (operation, input, expected) in table {
        let error = ask(&mut world, operation, input).unwrap_err();
        assert!(error.message.contains(expected), "{operation}: {error}");
    }
    let created = (NOW - 10_000) / 1000;
    let this = json!({ "StreamName": "s", "StreamCreationTimestamp": created });
    assert!(ask(&mut world, "ListShards", this).is_ok());
    let both = json!({ "ShardIteratorType": "LATEST", "StartingSequenceNumber": number });
    assert!(iterator(&mut world, both).unwrap_err().message.contains("LATEST and also a StartingSequenceNumber."));
}

const CONSUMER_STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

fn register(world: &mut World, now: Millis, name: &str) -> Result<String, AwsError> {
    let input = json!({ "StreamARN": CONSUMER_STREAM, "ConsumerName": name, "Tags": { "a": "b" } });
    let registered = ask_at(world, now, "RegisterStreamConsumer", input)?;
    assert_eq!(registered["Consumer"]["ConsumerStatus"], "CREATING");
    Ok(registered["Consumer"]["ConsumerARN"].as_str().unwrap().to_owned())
}

#[test]
fn a_consumer_comes_is_described_and_goes() {
    let mut world = world(1);
    world.settings.delays = Delays::FAST;
    let arn = register(&mut world, NOW, "c").unwrap();
    assert_eq!(arn, format!("{CONSUMER_STREAM}/consumer/c:{}", NOW / 1000));
    assert_eq!(register(&mut world, NOW, "c").unwrap_err().code, "ResourceInUseException");
    assert_eq!(world.due(), Some(NOW + 60));
    let by_name = json!({ "StreamARN": CONSUMER_STREAM, "ConsumerName": "c" });
    for (which, now, status) in [(by_name, NOW + 59, "CREATING"), (json!({ "ConsumerARN": arn }), NOW + 60, "ACTIVE")] {
        let described = ask_at(&mut world, now, "DescribeStreamConsumer", which).unwrap();
        let description = &described["ConsumerDescription"];
        assert_eq!(
            (&description["ConsumerStatus"], &description["StreamARN"]),
            (&json!(status), &json!(CONSUMER_STREAM))
        );
    }
    let tags = ask_at(&mut world, NOW + 60, "ListTagsForResource", json!({ "ResourceARN": arn })).unwrap();
    assert_eq!(tags["Tags"], json!([{ "Key": "a", "Value": "b" }]));
    let refused = ask_at(&mut world, NOW + 60, "DeleteStream", json!({ "StreamName": "s" })).unwrap_err();
    assert_eq!(refused.code, "ResourceInUseException");
    assert!(refused.message.contains("can’t delete 000000000000:s because there are consumers"), "{refused}");

    ask_at(&mut world, NOW + 60, "DeregisterStreamConsumer", json!({ "ConsumerARN": arn })).unwrap();
    let listed = ask_at(&mut world, NOW + 119, "ListStreamConsumers", json!({ "StreamARN": CONSUMER_STREAM })).unwrap();
    assert_eq!(listed["Consumers"][0]["ConsumerStatus"], "DELETING");
    let gone = ask_at(&mut world, NOW + 120, "DescribeStreamConsumer", json!({ "ConsumerARN": arn })).unwrap_err();
    assert_eq!(gone.message, "Consumer c, account 000000000000 not found.");
    assert_eq!(world.due(), None);
}

#[test]
fn a_listing_of_shards_goes_on_with_the_filter_it_began_with() {
    let mut world = world(4);
    let filter = json!({ "Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000000" });
    let input = json!({ "StreamName": "s", "MaxResults": 1, "ShardFilter": filter });
    let mut page = ask_at(&mut world, NOW, "ListShards", input).unwrap();
    let mut found = vec![page["Shards"][0]["ShardId"].clone()];
    while let Some(token) = page.get("NextToken").cloned() {
        page = ask_at(&mut world, NOW, "ListShards", json!({ "NextToken": token, "MaxResults": 1 })).unwrap();
        found.push(page["Shards"][0]["ShardId"].clone());
    }
    assert_eq!(found, ["shardId-000000000001", "shardId-000000000002", "shardId-000000000003"]);
    let closed = json!({ "StreamName": "s", "MaxResults": 1, "ShardFilter": { "Type": "AT_LATEST" } });
    let token = ask_at(&mut world, NOW, "ListShards", closed).unwrap()["NextToken"].clone();
    ask_at(
        &mut world,
        NOW,
        "SplitShard",
        json!({ "StreamName": "s", "ShardToSplit": "shardId-000000000003",
        "NewStartingHashKey": "300000000000000000000000000000000000000" }),
    )
    .unwrap();
    let rest = ask_at(&mut world, NOW + 100, "ListShards", json!({ "NextToken": token })).unwrap();
    let ids: Vec<&str> = rest["Shards"].as_array().unwrap().iter().filter_map(|s| s["ShardId"].as_str()).collect();
    assert!(!ids.contains(&"shardId-000000000003"), "it is closed: {ids:?}");
    assert_eq!(ids.len(), 4);
}

#[test]
fn consumers_are_listed_in_pages_and_are_twenty_at_most() {
    let mut world = world(1);
    for n in 0..20 {
        register(&mut world, NOW + n, &format!("c{n:02}")).unwrap();
    }
    assert_eq!(register(&mut world, NOW + 20, "more").unwrap_err().code, "LimitExceededException");
    let mut list = |now, token: Value| {
        let mut input = json!({ "StreamARN": CONSUMER_STREAM, "MaxResults": 15 });
        input["NextToken"] = token;
        ask_at(&mut world, now, "ListStreamConsumers", input)
    };
    let first = list(NOW + 20, Value::Null).unwrap();
    let second = list(NOW + 300_020, first["NextToken"].clone()).unwrap();
    assert_eq!(
        (first["Consumers"].as_array().unwrap().len(), &second["Consumers"][4]["ConsumerName"]),
        (15, &json!("c19"))
    );
    assert_eq!(second.get("NextToken"), None);
    assert_eq!(list(NOW + 300_021, first["NextToken"].clone()).unwrap_err().code, "ExpiredNextTokenException");
}

#[test]
fn policies_are_kept_of_streams_and_consumers() {
    let mut world = world(1);
    let consumer = register(&mut world, NOW, "c").unwrap();
    for arn in [CONSUMER_STREAM, &consumer] {
        let of = json!({ "ResourceARN": arn });
        let policy = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
        assert_eq!(ask(&mut world, "GetResourcePolicy", of.clone()).unwrap(), json!({ "Policy": "{}" }));
        ask(&mut world, "PutResourcePolicy", json!({ "ResourceARN": arn, "Policy": policy })).unwrap();
        assert_eq!(ask(&mut world, "GetResourcePolicy", of.clone()).unwrap(), json!({ "Policy": policy }));
        ask(&mut world, "DeleteResourcePolicy", of.clone()).unwrap();
        assert_eq!(ask(&mut world, "DeleteResourcePolicy", of).unwrap_err().code, "ResourceNotFoundException");
        let broken = json!({ "ResourceARN": arn, "Policy": "what?" });
        assert_eq!(ask(&mut world, "PutResourcePolicy", broken).unwrap_err().code, "ValidationException");
    }
}

#[test]
fn five_streams_are_created_at_once_and_no_more() {
    let mut world = World::new(Settings { delays: Delays::FAST, ..Settings::default() });
    let mut create =
        |now, name: &str| ask_at(&mut world, now, "CreateStream", json!({ "StreamName": name, "ShardCount": 1 }));
    for name in ["a", "b", "c", "d", "e"] {
        create(NOW, name).unwrap();
    }
    let refused = create(NOW, "f").unwrap_err();
    assert_eq!(refused.code, "LimitExceededException");
    assert!(refused.message.contains("simultaneously be in CREATING or DELETING for the account 0000"), "{refused}");
    assert!(create(NOW + 60, "f").is_ok(), "the others are ACTIVE");
}

mod subscriptions {
    use super::super::subscribe::{Next, SubscribeToShard, next, subscribe};
    use super::*;
    use crate::record::sequence::Sequence;

    /// A consumer's ARN on a new stream of one shard.
    fn consumer(world: &mut World) -> String {
        register(world, NOW - 100, "c").unwrap()
    }

    fn begin(world: &mut World, now: Millis, consumer: &str, position: Value) -> Result<Token, AwsError> {
        let mut turn = Turn::at(now);
        world.tick(&mut turn);
        let input = json!({ "ConsumerARN": consumer, "ShardId": "shardId-000000000000", "StartingPosition": position });
        let input: SubscribeToShard = serde_json::from_value(input).unwrap();
        let token = world.token();
        let at = Scope { region: "us-east-1", account: "000000000000", delay: 0, limits: false, now };
        subscribe(&mut world.kinesis, at, token, input).map(|()| token)
    }

    fn event(world: &mut World, now: Millis, token: Token) -> Value {
        match next(&mut world.kinesis, now, token) {
            Next::Event(json) => serde_json::from_slice(&json).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_come_from_where_it_begins_and_then_as_they_are_put() {
        let mut world = world(1);
        let consumer = consumer(&mut world);
        let first = put(&mut world, NOW, "a");
        let token = begin(&mut world, NOW, &consumer, json!({ "Type": "TRIM_HORIZON" })).unwrap();
        let told = event(&mut world, NOW, token);
        let continuation = told["ContinuationSequenceNumber"].as_str().unwrap();
        assert_eq!(keys(&told), ["a"]);
        assert!(Sequence::parse(continuation) > Sequence::parse(first["SequenceNumber"].as_str().unwrap()));
        assert_eq!(next(&mut world.kinesis, NOW, token), Next::Wait(NOW + 5_000));
        put(&mut world, NOW + 10, "b");
        assert_eq!(keys(&event(&mut world, NOW + 10, token)), ["b"]);
        let quiet = event(&mut world, NOW + 5_010, token);
        assert_eq!((keys(&quiet), &quiet["MillisBehindLatest"]), (vec![], &json!(0)));

        let mut ended = token;
        for (now, kind) in [(NOW + 6_000, "AT_SEQUENCE_NUMBER"), (NOW + 12_000, "AFTER_SEQUENCE_NUMBER")] {
            let from = json!({ "Type": kind, "SequenceNumber": continuation });
            let again = begin(&mut world, now, &consumer, from).unwrap();
            assert_eq!(next(&mut world.kinesis, now, ended), Next::End(None), "another took its place");
            assert_eq!(keys(&event(&mut world, now, again)), ["b"], "{kind}");
            ended = again;
        }
    }

    #[test]
    fn it_lasts_five_minutes_and_cannot_be_had_twice_in_five_seconds() {
        let mut world = world(1);
        let consumer = consumer(&mut world);
        let latest = json!({ "Type": "LATEST" });
        let token = begin(&mut world, NOW, &consumer, latest.clone()).unwrap();
        let refused = begin(&mut world, NOW + 4_999, &consumer, latest).unwrap_err();
        assert_eq!(refused.code, "ResourceInUseException");
        event(&mut world, NOW + 299_000, token);
        assert_eq!(next(&mut world.kinesis, NOW + 299_000, token), Next::Wait(NOW + 300_000));
        assert_eq!(next(&mut world.kinesis, NOW + 300_000, token), Next::End(None));
    }

    #[test]
    fn a_closed_shard_ends_it_with_its_children_and_a_lost_consumer_with_an_error() {
        let mut world = world(1);
        let consumer = consumer(&mut world);
        put(&mut world, NOW, "a");
        let split = json!({ "StreamName": "s", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "100" });
        ask(&mut world, "SplitShard", split).unwrap();
        let token = begin(&mut world, NOW, &consumer, json!({ "Type": "TRIM_HORIZON" })).unwrap();
        let last = event(&mut world, NOW, token);
        assert_eq!((keys(&last), last["ChildShards"].as_array().unwrap().len()), (vec!["a"], 2));
        assert_eq!(last.get("ContinuationSequenceNumber"), None);
        assert_eq!(next(&mut world.kinesis, NOW, token), Next::End(None));

        let token = begin(&mut world, NOW, &consumer, json!({ "Type": "LATEST" })).unwrap();
        ask(&mut world, "DeregisterStreamConsumer", json!({ "ConsumerARN": consumer })).unwrap();
        world.tick(&mut Turn::at(NOW + 1));
        assert!(
            matches!(next(&mut world.kinesis, NOW + 1, token), Next::End(Some(error)) if error.code == "ResourceNotFoundException")
        );
    }
}
