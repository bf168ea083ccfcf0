//! The policies of streams, functions and buckets allow or forbid what a delivery stream does.

use http::HeaderMap;
use serde_json::{Value, json};

use super::failures::{logged, said};
use crate::service::s3;
use crate::world::tests::stage::*;

/// The role may do this and nothing else.
fn role_may(stage: &mut Stage, actions: &[&str]) {
    let document = json!({ "Statement": { "Effect": "Allow", "Action": actions, "Resource": "*" } }).to_string();
    let put = [("Action", "PutRolePolicy"), ("RoleName", "R"), ("PolicyName", "P"), ("PolicyDocument", &document)];
    stage.iam(&put);
}

fn bucket_says(stage: &mut Stage, effect: &str, principal: &Value) {
    let policy = json!({ "Statement": { "Effect": effect, "Principal": principal, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::lake/*" } });
    let bucket = stage.world.s3.bucket_mut("lake").unwrap();
    bucket.documents.insert(s3::POLICY.into(), policy.to_string().into());
}

fn codes(stage: &mut Stage) -> Vec<Value> {
    said(stage, "d").iter().map(|line| line["errorCode"].clone()).collect()
}

/// Puts a record, answers for the function where it is asked, and waits for the object.
fn deliver(stage: &mut Stage) -> Vec<String> {
    stage.put(&["a"]);
    stage.advance(2_000);
    stage.advance(10_000);
    if !stage.invocations.is_empty() {
        stage.answer(|text| ok(text.into()));
    }
    stage.advance(300_000);
    stage.texts("good/")
}

#[test]
fn what_function_and_bucket_allow_the_role_it_needs_no_policy_for() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    role_may(&mut stage, &["kinesis:*", "logs:*"]);
    bucket_says(&mut stage, "Allow", &json!({ "AWS": ROLE }));
    let permission = json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": ROLE });
    stage
        .call("lambda", http::Method::POST, "/2015-03-31/functions/f/policy", HeaderMap::new(), permission.to_string())
        .unwrap();
    assert_eq!((deliver(&mut stage), codes(&mut stage)), (vec!["a".to_owned()], vec![]));
}

#[test]
fn what_the_bucket_allows_another_does_not_help_and_what_it_denies_is_not_stored() {
    let other = json!({ "AWS": "arn:aws:iam::000000000000:role/other" });
    for (actions, effect, principal) in
        [(&["kinesis:*", "logs:*", "lambda:*"][..], "Allow", other), (&["*"], "Deny", json!("*"))]
    {
        let mut stage = Stage::with_bucket();
        logged(&mut stage, "d");
        role_may(&mut stage, actions);
        bucket_says(&mut stage, effect, &principal);
        let none: Vec<String> = vec![];
        assert_eq!((deliver(&mut stage), stage.backlog("d")), (none, 1), "{effect} {principal}");
        assert_eq!(codes(&mut stage).first(), Some(&json!("S3.AccessDenied")), "{effect} {principal}");
        role_may(&mut stage, &["*"]);
        bucket_says(&mut stage, "Allow", &json!("*"));
        stage.advance(600_000);
        assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["a".to_owned()], 0), "{effect} {principal}");
    }
}

#[test]
fn a_stream_that_denies_its_reader_is_read_when_it_no_longer_does() {
    let mut stage = Stage::with_bucket();
    logged(&mut stage, "d");
    let policy = json!({ "Version": "2012-10-17", "Statement": { "Sid": "s", "Effect": "Deny", "Principal": { "AWS": ROLE },
        "Action": "kinesis:GetRecords", "Resource": STREAM } });
    let policy = json!({ "ResourceARN": STREAM, "Policy": policy.to_string() });
    stage.ask("kinesis", "PutResourcePolicy", policy).unwrap();
    let none: Vec<String> = vec![];
    assert_eq!((deliver(&mut stage), codes(&mut stage)), (none, vec![json!("Kinesis.AccessDenied")]));
    stage.ask("kinesis", "DeleteResourcePolicy", json!({ "ResourceARN": STREAM })).unwrap();
    stage.advance(2_000);
    stage.advance(10_000);
    stage.answer(|text| ok(text.into()));
    stage.advance(300_000);
    assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["a".to_owned()], 0));
}
