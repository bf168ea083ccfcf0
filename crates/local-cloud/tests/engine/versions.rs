//! Versions of objects through the door.

use http::Response;
use local_cloud::Engine;

use super::support::*;

const ENABLED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED: &str = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";

async fn versioned(engine: &Engine) {
    s3(engine, "PUT", "/lake", &[], "").await;
    assert_eq!(s3(engine, "PUT", "/lake?versioning", &[], ENABLED).await.status(), 200);
}

async fn put(engine: &Engine, key: &str, body: &str) -> String {
    let put = s3(engine, "PUT", &format!("/lake/{key}"), &[], body).await;
    assert_eq!(put.status(), 200, "{}", text(&put));
    header(&put, "x-amz-version-id").to_owned()
}

async fn get(engine: &Engine, path: &str) -> Response<bytes::Bytes> {
    s3(engine, "GET", path, &[], "").await
}

/// The texts of all elements of this name.
fn all<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(&open).skip(1).filter_map(|rest| rest.split_once(&close)).map(|(inside, _)| inside).collect()
}

#[tokio::test]
async fn a_versioned_bucket_keeps_what_is_overwritten_and_deleted_until_each_version_goes() {
    let engine = engine().await;
    versioned(&engine).await;
    assert!(text(&get(&engine, "/lake?versioning").await).contains("<Status>Enabled</Status>"));
    let (first, second) = (put(&engine, "k", "one").await, put(&engine, "k", "two").await);
    assert_eq!(text(&get(&engine, "/lake/k").await), "two");
    let old = get(&engine, &format!("/lake/k?versionId={first}")).await;
    assert_eq!((text(&old), header(&old, "x-amz-version-id")), ("one", first.as_str()));

    let deleted = s3(&engine, "DELETE", "/lake/k", &[], "").await;
    let marker = header(&deleted, "x-amz-version-id").to_owned();
    assert_eq!((deleted.status().as_u16(), header(&deleted, "x-amz-delete-marker")), (204, "true"));
    let gone = get(&engine, "/lake/k").await;
    assert_eq!((gone.status().as_u16(), header(&gone, "x-amz-delete-marker")), (404, "true"));
    assert_eq!(header(&gone, "x-amz-version-id"), marker);
    assert_eq!(get(&engine, &format!("/lake/k?versionId={marker}")).await.status(), 405);
    assert!(!text(&get(&engine, "/lake?list-type=2").await).contains("<Key>"));

    let listed = get(&engine, "/lake?versions").await;
    assert_eq!(all(text(&listed), "VersionId"), [&marker, &second, &first], "{}", text(&listed));
    let kept = s3(&engine, "DELETE", "/lake", &[], "").await;
    assert!(text(&kept).contains("You must delete all versions in the bucket."), "{}", text(&kept));

    let names = [&marker, &second, &first];
    let objects = names.map(|id| format!("<Object><Key>k</Key><VersionId>{id}</VersionId></Object>")).concat();
    let many = s3(&engine, "POST", "/lake?delete", &[], &format!("<Delete>{objects}</Delete>")).await;
    assert_eq!(all(text(&many), "VersionId"), names, "{}", text(&many));
    assert_eq!(all(text(&many), "DeleteMarkerVersionId"), [&marker]);
    assert_eq!(s3(&engine, "DELETE", "/lake", &[], "").await.status(), 204);
}

#[tokio::test]
async fn where_versioning_is_suspended_the_null_version_is_replaced_and_the_others_stay() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    assert_eq!(put(&engine, "k", "before").await, "");
    s3(&engine, "PUT", "/lake?versioning", &[], ENABLED).await;
    let kept = put(&engine, "k", "kept").await;
    assert_eq!(text(&get(&engine, "/lake/k?versionId=null").await), "before");
    s3(&engine, "PUT", "/lake?versioning", &[], SUSPENDED).await;
    assert_eq!(put(&engine, "k", "after").await, "");
    let listed = get(&engine, "/lake?versions").await;
    assert_eq!(all(text(&listed), "VersionId"), ["null", &kept], "{}", text(&listed));
    assert_eq!(all(text(&listed), "IsLatest"), ["true", "false"]);
}

#[tokio::test]
async fn a_version_is_copied_and_tagged_by_its_id() {
    let engine = engine().await;
    versioned(&engine).await;
    let (first, _) = (put(&engine, "k", "one").await, put(&engine, "k", "two").await);
    let source = format!("lake/k?versionId={first}");
    let copied = s3(&engine, "PUT", "/lake/k", &[("x-amz-copy-source", &source)], "").await;
    assert_eq!(header(&copied, "x-amz-copy-source-version-id"), first, "{}", text(&copied));
    assert_eq!(text(&get(&engine, "/lake/k").await), "one");

    let tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let path = format!("/lake/k?tagging&versionId={first}");
    assert_eq!(header(&s3(&engine, "PUT", &path, &[], tagging).await, "x-amz-version-id"), first);
    assert!(text(&get(&engine, &path).await).contains("<Key>a</Key>"));
    assert!(!text(&get(&engine, "/lake/k?tagging").await).contains("<Key>a</Key>"));
}

#[tokio::test]
async fn versions_are_listed_by_pages_whose_markers_lead_to_the_next() {
    let engine = engine().await;
    versioned(&engine).await;
    for key in ["a", "a", "b", "c/1", "c/2"] {
        put(&engine, key, key).await;
    }
    let whole = get(&engine, "/lake?versions").await;
    let (mut ids, mut path) = (vec![], "/lake?versions&max-keys=2".to_owned());
    loop {
        let page = get(&engine, &path).await;
        ids.extend(all(text(&page), "VersionId").into_iter().map(str::to_owned));
        let next = (all(text(&page), "NextKeyMarker"), all(text(&page), "NextVersionIdMarker"));
        let ([key], [version]) = (&next.0[..], &next.1[..]) else { break };
        path = format!("/lake?versions&max-keys=2&key-marker={key}&version-id-marker={version}");
    }
    assert_eq!(ids, all(text(&whole), "VersionId"));
    let rolled = get(&engine, "/lake?versions&delimiter=/").await;
    assert_eq!(all(text(&rolled), "Key"), ["a", "a", "b"]);
    assert!(text(&rolled).contains("<CommonPrefixes><Prefix>c/</Prefix>"), "{}", text(&rolled));
}

#[tokio::test]
async fn what_versions_cannot_be_is_refused() {
    let engine = engine().await;
    versioned(&engine).await;
    let unknown = put(&engine, "other", "x").await;
    put(&engine, "k", "x").await;
    let missing = format!("/lake/k?versionId={unknown}");
    let table: &[(&str, &str, &str, u16, &str)] = &[
        ("GET", "/lake/k?versionId=x", "", 400, "InvalidArgument"),
        ("GET", &missing, "", 404, "NoSuchVersion"),
        ("GET", "/lake?versions&version-id-marker=null", "", 400, "InvalidArgument"),
        ("PUT", "/lake?versioning", "<VersioningConfiguration/>", 400, "IllegalVersioningConfigurationException"),
        ("PUT", "/nothing?versioning", ENABLED, 404, "NoSuchBucket"),
    ];
    for (method, path, body, status, code) in table {
        let refused = s3(&engine, method, path, &[], body).await;
        assert_eq!(refused.status().as_u16(), *status, "{method} {path} {}", text(&refused));
        assert!(text(&refused).contains(&format!("<Code>{code}</Code>")), "{method} {path} {}", text(&refused));
    }
}

#[tokio::test]
async fn versions_are_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = on_disk(folder.path()).await.expect("a new folder");
    versioned(&engine).await;
    let first = put(&engine, "k", "one").await;
    put(&engine, "k", "two").await;
    s3(&engine, "DELETE", "/lake/k", &[], "").await;
    let before = text(&get(&engine, "/lake?versions").await).to_owned();
    engine.close().await;

    let engine = on_disk(folder.path()).await.expect("the same folder");
    assert_eq!(text(&get(&engine, "/lake?versions").await), before);
    assert_eq!(text(&get(&engine, &format!("/lake/k?versionId={first}")).await), "one");
    assert_eq!(get(&engine, "/lake/k").await.status(), 404);
}
