//! The backup of source records.

use serde_json::{Value, json};

use crate::world::tests::stage::{FUNCTION, START, Stage, ok, processing};

fn backup() -> Value {
    json!({ "S3BackupMode": "Enabled", "S3BackupConfiguration": {
        "Prefix": "backup/", "ErrorOutputPrefix": "backup-bad/",
        "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 90 },
    } })
}

fn transformed(members: Value) -> Value {
    let lambda = processing(&[(
        "Lambda",
        &[("LambdaArn", FUNCTION), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "10")],
    )]);
    let mut out = json!({ "Prefix": "good/", "ProcessingConfiguration": lambda });
    out.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    out
}

#[test]
fn every_record_is_in_the_backup_as_it_came_whatever_became_of_it() {
    let mut stage = Stage::with_bucket();
    stage.create("d", transformed(backup()));
    stage.put(&["a", "b", "c"]);
    stage.advance(10_000);
    stage.answer(|text| match text {
        "a" => ok("A".into()),
        "b" => json!({ "result": "Dropped" }),
        _ => json!({ "result": "ProcessingFailed" }),
    });
    stage.advance(60_000);
    assert_eq!((stage.texts("good/"), stage.texts("bad/").len()), (vec!["A".into()], 1));
    assert_eq!((stage.texts("backup/").len(), stage.backlog("d")), (0, 3), "it has its own buffer");
    stage.advance(20_000);
    let objects = stage.objects("backup/");
    assert_eq!(objects[0].1, "abc");
    assert!(objects[0].0.starts_with("backup/2026/07/13/14/d-1-2026-07-13-14-05-09-"), "{objects:?}");
    assert_eq!((stage.backlog("d"), stage.due()), (0, None));
    let described = stage.described("d");
    assert_eq!(
        (&described["S3BackupMode"], &described["S3BackupDescription"]["Prefix"]),
        (&json!("Enabled"), &json!("backup/"))
    );
    assert_eq!(described["S3BackupDescription"]["CompressionFormat"], "UNCOMPRESSED");
}

#[test]
fn after_a_restart_each_way_goes_on_where_it_was() {
    let mut stage = Stage::with_bucket();
    stage.create("d", transformed(backup()));
    stage.put(&["a"]);
    stage.advance(10_000);
    stage.answer(|text| ok(text.to_uppercase()));
    stage.advance(60_000);
    let mut stage = stage.restarted();
    stage.put(&["b"]);
    stage.advance(10_000);
    stage.answer(|text| ok(text.to_uppercase()));
    stage.advance(90_000);
    assert_eq!((stage.texts("good/"), stage.texts("backup/")), (vec!["A".into(), "B".into()], vec!["ab".into()]));
}

#[test]
fn one_destination_that_takes_nothing_does_not_hold_up_the_other() {
    let mut stage = Stage::with_bucket();
    stage.create_direct(
        "d",
        json!({ "Prefix": "good/", "S3BackupMode": "Enabled", "S3BackupConfiguration": {
        "BucketARN": "arn:aws:s3:::nowhere", "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 60 },
    } }),
    );
    stage.put_direct("d", "a");
    stage.advance(60_000);
    assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["a".into()], 1));
    assert!(stage.keeps_records(), "kept until both have it");
    let mut stage = stage.restarted();
    stage
        .world
        .s3
        .create_bucket(stage.now, crate::world::tests::stage::REGION, "nowhere", None, Default::default())
        .unwrap();
    stage.advance(60_000);
    stage.advance(60_000);
    assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["a".into()], 0), "and not twice");
    assert!(!stage.keeps_records(), "and then forgotten");
}

#[test]
fn a_backup_is_switched_on_later_and_never_off() {
    let mut stage = Stage::with_bucket();
    stage.create("d", json!({ "Prefix": "good/" }));
    stage.put(&["before "]);
    let mut place = backup()["S3BackupConfiguration"].clone();
    place["RoleARN"] = crate::world::tests::stage::ROLE.into();
    place["BucketARN"] = "arn:aws:s3:::lake".into();
    stage.update("d", "1", json!({ "S3BackupMode": "Enabled", "S3BackupUpdate": place })).unwrap();
    stage.put(&["after"]);
    stage.advance(90_000);
    assert_eq!((stage.texts("good/"), stage.texts("backup/")), (vec!["before after".into()], vec!["after".into()]));
    let off = stage.update("d", "2", json!({ "S3BackupMode": "Disabled" })).unwrap_err();
    assert_eq!(off.message, "Disabling S3 backup is not currently supported.");
    stage.update("d", "2", json!({ "S3BackupUpdate": { "Prefix": "elsewhere/" } })).unwrap();
    stage.put(&["later"]);
    stage.advance(90_000);
    assert_eq!(stage.texts("elsewhere/"), ["later"]);
    let gone = json!({ "DeliveryStreamName": "d" });
    stage.ask("firehose", "DeleteDeliveryStream", gone).unwrap();
    assert!(stage.journal.keys().all(|(table, _)| !table.starts_with("firehose")), "{:?}", stage.journal.keys());
    assert!(stage.now > START);
}
