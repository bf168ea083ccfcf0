//! Lifecycle rules, by the engine's clock.

use std::time::Duration;

use local_cloud::{Engine, Settings};
use serde_json::json;

use super::support::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Noon of a Thursday.
const NOON: u64 = 1_767_268_800_000;

fn rules(members: &str) -> String {
    format!(
        "<LifecycleConfiguration><Rule><ID>old</ID><Status>Enabled</Status>\
         <Filter><Prefix>tmp/</Prefix></Filter>{members}</Rule></LifecycleConfiguration>"
    )
}

async fn engine() -> Engine {
    let settings = Settings { time: Some(NOON), paused: true, ..Settings::default() };
    Engine::start(settings).await.expect("an engine in memory starts")
}

#[tokio::test]
async fn what_a_rule_says_goes_at_midnight_and_is_announced() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let members = "<Expiration><Days>1</Days></Expiration><AbortIncompleteMultipartUpload>\
                   <DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    assert_eq!(s3(&engine, "PUT", "/lake?lifecycle", &[], &rules(members)).await.status(), 200);
    let shown = s3(&engine, "GET", "/lake?lifecycle", &[], "").await;
    assert_eq!(header(&shown, "x-amz-transition-default-minimum-object-size"), "all_storage_classes_128K");
    let expected = "expiry-date=\"Sat, 03 Jan 2026 00:00:00 GMT\", rule-id=\"old\"";
    let put = s3(&engine, "PUT", "/lake/tmp/a", &[], "x").await;
    assert_eq!(header(&put, "x-amz-expiration"), expected);
    for method in ["GET", "HEAD"] {
        assert_eq!(header(&s3(&engine, method, "/lake/tmp/a", &[], "").await, "x-amz-expiration"), expected);
    }
    assert_eq!(header(&s3(&engine, "PUT", "/lake/kept", &[], "x").await, "x-amz-expiration"), "");
    s3(&engine, "POST", "/lake/tmp/u?uploads", &[], "").await;

    let objects = || engine.dump()["s3"]["lake"]["objects"].clone();
    engine.advance(DAY).await;
    assert_eq!(objects(), json!({ "kept": 1, "tmp/a": 1 }));
    engine.advance(DAY / 2).await;
    assert_eq!(objects(), json!({ "kept": 1 }));
    assert!(text(&s3(&engine, "GET", "/lake?uploads", &[], "").await).contains("<Key>tmp/u</Key>"));
    engine.advance(DAY).await;
    assert!(!text(&s3(&engine, "GET", "/lake?uploads", &[], "").await).contains("<Key>tmp/u</Key>"));
}

/// The completion is repeated when its object is not the newest version any more, and the rule is about the newest.
#[tokio::test]
async fn a_repeated_completion_tells_no_expiration_of_a_newer_version() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    s3(&engine, "PUT", "/lake?versioning", &[], versioning).await;
    s3(&engine, "PUT", "/lake?lifecycle", &[], &rules("<Expiration><Days>1</Days></Expiration>")).await;
    let begun = s3(&engine, "POST", "/lake/tmp/k?uploads", &[], "").await;
    let id = text(&begun).split("UploadId>").nth(1).expect("an id").trim_end_matches("</").to_owned();
    s3(&engine, "PUT", &format!("/lake/tmp/k?uploadId={id}&partNumber=1"), &[], "x").await;
    let parts = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>9dd4e461268c8034f5c8564e155c67a6</ETag></Part>\
         </CompleteMultipartUpload>";
    let complete = async || s3(&engine, "POST", &format!("/lake/tmp/k?uploadId={id}"), &[], parts).await;
    let first = complete().await;
    assert!(header(&first, "x-amz-expiration").contains("rule-id=\"old\""), "{}", text(&first));
    s3(&engine, "PUT", "/lake/tmp/k", &[], "newer").await;
    let again = complete().await;
    assert_eq!((text(&again), header(&again, "x-amz-expiration")), (text(&first), ""));
}

#[tokio::test]
async fn a_versioned_key_is_gone_when_its_marker_is_alone_and_so_it_stays_after_a_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings =
        || Settings { time: Some(NOON), paused: true, data_dir: Some(folder.path().to_owned()), ..Settings::default() };
    let engine = Engine::start(settings()).await.expect("a new folder");
    s3(&engine, "PUT", "/lake", &[], "").await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    s3(&engine, "PUT", "/lake?versioning", &[], versioning).await;
    let members = "<Expiration><Days>1</Days></Expiration><NoncurrentVersionExpiration>\
                   <NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    s3(&engine, "PUT", "/lake?lifecycle", &[], &rules(members)).await;
    // More than go in one turn.
    for n in 0..1_001 {
        s3(&engine, "PUT", &format!("/lake/tmp/{n}"), &[], "x").await;
    }
    engine.advance(2 * DAY).await;
    let versions = async |engine: &Engine| {
        let listed = text(&s3(engine, "GET", "/lake?versions", &[], "").await).to_owned();
        (listed.contains("<Version>"), listed.contains("<DeleteMarker>"))
    };
    assert_eq!(versions(&engine).await, (true, true));
    engine.advance(4 * DAY).await;
    assert_eq!(versions(&engine).await, (false, false));
    engine.close().await;
    let again = Engine::start(settings()).await.expect("the folder is free");
    assert_eq!(versions(&again).await, (false, false));
    assert_eq!(s3(&again, "DELETE", "/lake", &[], "").await.status(), 204);
}
