//! Delivery streams are made, described, changed and refused.

use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::time::Delays;
use crate::world::tests::stage::{ROLE, STREAM, Stage, processing};

fn minimal() -> Value {
    json!({ "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake" })
}

#[test]
fn the_deprecated_destination_is_the_same_seen_through_fewer_members() {
    let mut stage = Stage::with_bucket();
    let mut destination = minimal();
    destination["CompressionFormat"] = "GZIP".into();
    destination["FileExtension"] = ".nothing".into();
    let create = json!({ "DeliveryStreamName": "d", "S3DestinationConfiguration": destination });
    stage.ask("firehose", "CreateDeliveryStream", create).unwrap();
    let expected = json!({
        "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake", "CompressionFormat": "GZIP",
        "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 300 },
        "EncryptionConfiguration": { "NoEncryptionConfig": "NoEncryption" },
        "CloudWatchLoggingOptions": { "Enabled": false },
    });
    let whole = stage.whole("d");
    assert_eq!((&whole["VersionId"], &whole["DeliveryStreamType"]), (&json!("1"), &json!("DirectPut")));
    assert_eq!(whole["DeliveryStreamEncryptionConfiguration"], json!({ "Status": "DISABLED" }));
    assert_eq!(whole["Destinations"][0]["S3DestinationDescription"], expected);
    let mut extended = expected;
    extended["S3BackupMode"] = "Disabled".into();
    assert_eq!(whole["Destinations"][0]["ExtendedS3DestinationDescription"], extended);
    let update = json!({
        "DeliveryStreamName": "d", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
        "S3DestinationUpdate": { "Prefix": "p/", "CompressionFormat": "Snappy" },
    });
    stage.ask("firehose", "UpdateDestination", update).unwrap();
    let whole = stage.whole("d");
    assert_eq!((&whole["VersionId"], whole.get("LastUpdateTimestamp").is_some()), (&json!("2"), true));
    stage.put_direct("d", "a");
    stage.advance(300_000);
    let key = &stage.keys("p/")[0];
    assert!(key.ends_with(".snappy"), "{key}");
}

#[test]
fn what_cannot_be_made_is_refused_with_a_reason() {
    let mut stage = Stage::with_bucket();
    stage.create_direct("taken", json!({}));
    let named = |members: Value| {
        let mut input = json!({ "DeliveryStreamName": "d" });
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        input
    };
    let source = json!({ "KinesisStreamARN": STREAM, "RoleARN": ROLE });
    let nowhere = json!({ "KinesisStreamARN": format!("{STREAM}-2"), "RoleARN": ROLE });
    let stranger = ROLE.replace("/R", "/stranger");
    let table = [
        (json!({}), "InvalidArgumentException: Exactly one destination configuration is supported for a Firehose"),
        (
            json!({ "S3DestinationConfiguration": minimal(), "ExtendedS3DestinationConfiguration": minimal() }),
            "InvalidArgumentException: Exactly one of S3DestinationConfiguration or ExtendedS3DestinationConfiguration must \
             be specified.",
        ),
        (
            json!({ "S3DestinationConfiguration": { "RoleARN": ROLE } }),
            "ValidationException: 1 validation error detected: Value null at 's3DestinationConfiguration.bucketARN' failed to \
             satisfy constraint: Member must not be null",
        ),
        (
            json!({ "ExtendedS3DestinationConfiguration": minimal(), "DeliveryStreamName": "taken" }),
            "ResourceInUseException: Firehose taken under accountId 000000000000 already exists",
        ),
        (
            json!({ "ExtendedS3DestinationConfiguration": { "RoleARN": stranger, "BucketARN": "arn:aws:s3:::lake" } }),
            "InvalidArgumentException: Firehose is unable to assume role arn:aws:iam::000000000000:role/stranger. Please check \
             the role provided.",
        ),
        (
            json!({ "ExtendedS3DestinationConfiguration": minimal(), "DeliveryStreamType": "KinesisStreamAsSource",
                "KinesisStreamSourceConfiguration": nowhere }),
            "InvalidArgumentException: Kinesis stream arn:aws:kinesis:us-east-1:000000000000:stream/events-2 not found.",
        ),
        (
            json!({ "ExtendedS3DestinationConfiguration": minimal(), "KinesisStreamSourceConfiguration": source }),
            "InvalidArgumentException: KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type.",
        ),
        (
            json!({ "ExtendedS3DestinationConfiguration": minimal(), "DeliveryStreamType": "KinesisStreamAsSource",
                "KinesisStreamSourceConfiguration": source, "DirectPutSourceConfiguration": { "ThroughputHintInMBs": 1 } }),
            "InvalidArgumentException: DirectPutSourceConfig is only applicable for DirectPut stream type.",
        ),
        (
            json!({ "ExtendedS3DestinationConfiguration": minimal(), "DeliveryStreamType": "KinesisStreamAsSource",
                "KinesisStreamSourceConfiguration": source,
                "DeliveryStreamEncryptionConfigurationInput": { "KeyType": "AWS_OWNED_CMK" } }),
            "InvalidArgumentException: Server side encryption from firehose is only allowed for direct put delivery streams and \
             database as a source delivery streams",
        ),
        (
            json!({ "ExtendedS3DestinationConfiguration": minimal(),
                "DeliveryStreamEncryptionConfigurationInput": { "KeyType": "CUSTOMER_MANAGED_CMK" } }),
            "InvalidArgumentException: KeyARN has to be specified when KeyType is CUSTOMER_MANAGED_CMK",
        ),
        (
            json!({ "HttpEndpointDestinationConfiguration": { "EndpointConfiguration": { "Url": "https://x" },
                "S3Configuration": minimal() } }),
            "InvalidArgumentException: HttpEndpointDestinationConfiguration is not supported by the built-in emulator",
        ),
    ];
    for (members, expected) in table {
        assert_eq!(stage.refused("CreateDeliveryStream", named(members.clone())), expected, "{members}");
    }
    assert_eq!(
        stage.ask("firehose", "ListDeliveryStreams", json!({})).unwrap()["DeliveryStreamNames"],
        json!(["taken"])
    );
}

#[test]
fn the_throughput_that_is_expected_is_noted() {
    let mut stage = Stage::with_bucket();
    let hint = json!({ "ThroughputHintInMBs": 5 });
    let direct = json!({ "DeliveryStreamName": "d", "DirectPutSourceConfiguration": hint,
        "ExtendedS3DestinationConfiguration": minimal() });
    stage.ask("firehose", "CreateDeliveryStream", direct).unwrap();
    let shown = stage.ask("firehose", "DescribeDeliveryStream", json!({ "DeliveryStreamName": "d" })).unwrap();
    assert_eq!(shown["DeliveryStreamDescription"]["Source"], json!({ "DirectPutSourceDescription": hint }));
}

#[test]
fn an_update_says_which_version_it_changes() {
    let mut stage = Stage::with_bucket();
    stage.create_direct("d", json!({}));
    let update = |version: &str, destination: &str, members: Value| {
        json!({ "DeliveryStreamName": "d", "CurrentDeliveryStreamVersionId": version, "DestinationId": destination,
            "ExtendedS3DestinationUpdate": members })
    };
    let only = "destinationId-000000000001";
    let table = [
        (
            update("7", only, json!({})),
            "ConcurrentModificationException: Cannot update firehose: d since the current version id: 1 and specified version \
             id: 7 do not match",
        ),
        (
            update("1", "destinationId-2", json!({})),
            "InvalidArgumentException: Destination Id destinationId-2 not found",
        ),
        (
            update("1", only, Value::Null),
            "InvalidArgumentException: At least one destination or source configuration update must be provided",
        ),
        (
            update("1", only, json!({ "DynamicPartitioningConfiguration": { "Enabled": true } })),
            "InvalidArgumentException: Dynamic Partitioning can be enabled or disabled only when a delivery stream is created.",
        ),
    ];
    for (input, expected) in table {
        assert_eq!(stage.refused("UpdateDestination", input.clone()), expected, "{input}");
    }
    stage.update("d", "1", json!({})).unwrap();
    let whole = stage.whole("d");
    assert_eq!((&whole["VersionId"], whole.get("LastUpdateTimestamp")), (&json!("1"), None), "nothing changed");
}

#[test]
fn a_status_allows_what_it_allows() {
    let mut stage = Stage::with_bucket();
    stage.world.settings.delays = Delays { delivery_stream: 1_000, ..Delays::NONE };
    stage.create_direct("d", json!({}));
    let d = || json!({ "DeliveryStreamName": "d" });
    let put = || json!({ "DeliveryStreamName": "d", "Record": { "Data": "" } });
    let tag = || json!({ "DeliveryStreamName": "d", "Tags": [{ "Key": "k", "Value": "v" }] });
    let update = || {
        json!({ "DeliveryStreamName": "d", "CurrentDeliveryStreamVersionId": "1",
            "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": {} })
    };
    assert_eq!(stage.whole("d")["DeliveryStreamStatus"], "CREATING");
    stage.ask("firehose", "TagDeliveryStream", tag()).unwrap();
    let not_active = "ResourceNotFoundException: Firehose d is not active in 000000000000 account.";
    let creating = "ResourceInUseException: Cannot update firehose: d when it is in CREATING status";
    assert_eq!(stage.refused("PutRecord", put()), not_active);
    assert_eq!(stage.refused("UpdateDestination", update()), creating);
    assert_eq!(stage.refused("StartDeliveryStreamEncryption", d()), creating);
    let expected = "ResourceInUseException: Firehose d under account 000000000000 cannot be deleted in CREATING state";
    assert_eq!(stage.refused("DeleteDeliveryStream", d()), expected);
    stage.advance(1_000);
    stage.ask("firehose", "PutRecord", put()).unwrap();
    stage.ask("firehose", "DeleteDeliveryStream", d()).unwrap();
    stage.ask("firehose", "DeleteDeliveryStream", d()).unwrap();
    assert_eq!(stage.whole("d")["DeliveryStreamStatus"], "DELETING");
    assert_eq!(stage.refused("PutRecord", put()), not_active);
    assert!(stage.refused("TagDeliveryStream", tag()).starts_with("ResourceInUseException"));
    stage.advance(1_000);
    let gone = "ResourceNotFoundException: Firehose d under account 000000000000 not found.";
    assert_eq!(stage.refused("DescribeDeliveryStream", d()), gone);
    assert_eq!(stage.refused("DeleteDeliveryStream", d()), gone);
    let unknown = "ResourceNotFoundException: Firehose d not found under account 000000000000.";
    assert_eq!(stage.refused("PutRecord", put()), unknown);
}

#[test]
fn encryption_is_switched_on_and_off_in_its_own_time() {
    let mut stage = Stage::with_bucket();
    stage.world.settings.delays = Delays { delivery_stream: 1_000, ..Delays::NONE };
    stage.create_direct("d", json!({}));
    stage.advance(1_000);
    let key = json!({ "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": "arn:aws:kms:us-east-1:000000000000:key/k" });
    let start = || json!({ "DeliveryStreamName": "d", "DeliveryStreamEncryptionConfigurationInput": key });
    stage.ask("firehose", "StartDeliveryStreamEncryption", start()).unwrap();
    let shown = |stage: &mut Stage| stage.whole("d")["DeliveryStreamEncryptionConfiguration"].clone();
    let mut expected = key.clone();
    for (status, encrypted) in [("ENABLING", false), ("ENABLED", true)] {
        expected["Status"] = status.into();
        assert_eq!(shown(&mut stage), expected);
        let put = json!({ "DeliveryStreamName": "d", "Record": { "Data": "" } });
        assert_eq!(stage.ask("firehose", "PutRecord", put).unwrap()["Encrypted"], encrypted);
        stage.advance(1_000);
    }
    let mut stage = stage.restarted();
    assert_eq!(shown(&mut stage), expected);
    stage.ask("firehose", "StopDeliveryStreamEncryption", json!({ "DeliveryStreamName": "d" })).unwrap();
    assert_eq!(shown(&mut stage), json!({ "Status": "DISABLED" }), "its delays are none again");
    for _ in 2..25 {
        stage.ask("firehose", "StartDeliveryStreamEncryption", start()).unwrap();
    }
    assert!(stage.refused("StartDeliveryStreamEncryption", start()).starts_with("LimitExceededException"));
    stage.advance(24 * 3_600_000);
    stage.ask("firehose", "StartDeliveryStreamEncryption", start()).unwrap();
}

#[test]
fn records_are_put_within_bounds_and_only_where_they_may_be() {
    let mut stage = Stage::with_bucket();
    stage.create_direct("d", json!({}));
    stage.create("fed", json!({}));
    stage.create_direct("logs", json!({ "ProcessingConfiguration": processing(&[("Decompression", &[])]) }));
    let data = |bytes: usize| json!({ "Data": base64_simd::STANDARD.encode_to_string(vec![b'x'; bytes]) });
    let put = |name: &str, record: Value| json!({ "DeliveryStreamName": name, "Record": record });
    let batch = |records: Vec<Value>| json!({ "DeliveryStreamName": "d", "Records": records });
    stage.ask("firehose", "PutRecord", put("d", data(1_024_000))).unwrap();
    stage.ask("firehose", "PutRecordBatch", batch(vec![data(0); 500])).unwrap();
    stage.ask("firehose", "PutRecordBatch", batch(vec![data(1 << 19); 8])).unwrap();
    let table = [
        ("PutRecord", put("d", data(1_024_001)), "ValidationException"),
        ("PutRecord", put("d", json!({})), "ValidationException"),
        ("PutRecordBatch", batch(vec![data(0); 501]), "ValidationException"),
        ("PutRecordBatch", batch(vec![]), "ValidationException"),
        ("PutRecordBatch", batch([vec![data(1 << 19); 8], vec![data(1)]].concat()), "InvalidArgumentException"),
        ("PutRecord", put("nobody", data(1)), "ResourceNotFoundException"),
        (
            "PutRecord",
            put("fed", data(1)),
            "InvalidArgumentException: This operation is not permitted on KinesisStreamAsSource delivery stream type.",
        ),
        (
            "PutRecord",
            put("logs", data(1)),
            "InvalidSourceException: Put to Firehose failed for AccountId: 000000000000, FirehoseName: logs because the \
             request is not originating from CloudWatch.",
        ),
    ];
    for (operation, input, expected) in table {
        let error = stage.refused(operation, input);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn delivery_streams_are_listed_in_pages_and_by_type() {
    let mut stage = Stage::with_bucket();
    for name in ["c", "a", "d", "b"] {
        if name == "d" { stage.create(name, json!({})) } else { stage.create_direct(name, json!({})) }
    }
    let table = [
        (json!({}), json!(["a", "b", "c", "d"]), false),
        (json!({ "Limit": 2 }), json!(["a", "b"]), true),
        (json!({ "Limit": 2, "ExclusiveStartDeliveryStreamName": "b" }), json!(["c", "d"]), false),
        (json!({ "ExclusiveStartDeliveryStreamName": "bb" }), json!(["c", "d"]), false),
        (json!({ "DeliveryStreamType": "KinesisStreamAsSource" }), json!(["d"]), false),
        (json!({ "DeliveryStreamType": "DirectPut", "Limit": 3 }), json!(["a", "b", "c"]), false),
    ];
    for (input, names, more) in table {
        let listed = stage.ask("firehose", "ListDeliveryStreams", input.clone()).unwrap();
        assert_eq!(listed, json!({ "DeliveryStreamNames": names, "HasMoreDeliveryStreams": more }), "{input}");
    }
}

#[test]
fn with_limits_a_delivery_stream_takes_so_much_a_second_and_says_which_records_it_did_not() {
    let mut stage = Stage::with_bucket();
    stage.world.settings.limits = true;
    stage.create_direct("d", json!({}));
    let large = BASE64.encode_to_string("x".repeat(1_000_000));
    let records = vec![json!({ "Data": large }); 4];
    let batch = json!({ "DeliveryStreamName": "d", "Records": records });
    let first = stage.ask("firehose", "PutRecordBatch", batch.clone()).unwrap();
    assert_eq!(first["FailedPutCount"], 0);
    let second = stage.ask("firehose", "PutRecordBatch", batch).unwrap();
    assert_eq!(second["FailedPutCount"], 3);
    let refused = json!({ "ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down." });
    assert_eq!(second["RequestResponses"][1], refused);
    assert!(second["RequestResponses"][0]["RecordId"].is_string());
    let one = json!({ "DeliveryStreamName": "d", "Record": { "Data": large } });
    assert_eq!(stage.refused("PutRecord", one.clone()), "ServiceUnavailableException: Slow down.");
    stage.advance(1_000);
    stage.ask("firehose", "PutRecord", one).unwrap();
}
