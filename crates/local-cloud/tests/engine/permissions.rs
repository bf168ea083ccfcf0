//! Limits of a session, and permissions that do not come from its role's policies.

use std::time::Duration;

use serde_json::{Value, json};

use super::iam::*;
use super::support::*;

const SESSION_ARN: &str = "arn:aws:sts::000000000000:assumed-role/reader/ci";

fn document(statements: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn put_on_lake(effect: &str, at: &str) -> Value {
    json!({ "Effect": effect, "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::lake{at}") })
}

fn to(principal: &str, mut statement: Value) -> Value {
    statement["Principal"] = json!({ "AWS": principal });
    statement
}

#[tokio::test(start_paused = true)]
async fn a_session_policy_limits_what_the_role_may_and_what_is_given_to_the_role() {
    let engine = with_reader().await;
    call(&engine, "PUT", "/lake", &None, &[], "").await;
    let given = [to(READER_ARN, put_on_lake("Allow", "/given/*")), to(SESSION_ARN, put_on_lake("Allow", "/named/*"))];
    assert_eq!(call(&engine, "PUT", "/lake?policy", &None, &[], document(json!(given))).await.status(), 204);
    let narrow = [put_on_lake("Allow", "/open/in/*"), put_on_lake("Deny", "/named/shut/*")];
    let managed = document(json!([put_on_lake("Allow", "/open/managed/*")]));
    iam(&engine, &[("Action", "CreatePolicy"), ("PolicyName", "m"), ("PolicyDocument", &managed)]).await;
    engine.advance(Duration::from_secs(1)).await;
    let narrow =
        [("Policy", &*document(json!(narrow))), ("PolicyArns.member.1.arn", "arn:aws:iam::000000000000:policy/m")];
    let wide = assume(&engine, &[]).await;
    let limited = assume(&engine, &narrow).await;
    let not_by_role = "because no identity-based policy allows";
    let not_by_session = "because no session policy allows the s3:PutObject action";
    for (path, wide_may, why_not) in [
        ("/lake/open/in/a", true, ""),
        ("/lake/open/managed/a", true, ""),
        ("/lake/open/out/a", true, not_by_session),
        ("/lake/given/a", true, not_by_session),
        ("/lake/named/a", true, ""),
        ("/lake/named/shut/a", true, "with an explicit deny in a session policy"),
        ("/lake/none/a", false, not_by_role),
    ] {
        let answer = call(&engine, "PUT", path, &wide, &[], "").await;
        assert_eq!(answer.status() == 200, wide_may, "{path}: {}", text(&answer));
        let answer = call(&engine, "PUT", path, &limited, &[], "").await;
        assert_eq!(answer.status() == 200, why_not.is_empty(), "{path}: {}", text(&answer));
        assert!(text(&answer).contains(why_not), "{path}: {}", text(&answer));
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_session_policy_can_be_is_refused() {
    let engine = with_reader().await;
    engine.advance(Duration::from_secs(1)).await;
    let long = document(json!([put_on_lake("Allow", &"a".repeat(2048))]));
    for (parameter, value, code) in [
        ("Policy", "{", "MalformedPolicyDocument"),
        ("Policy", &long, "PackedPolicyTooLarge"),
        ("PolicyArns.member.1.arn", "arn:aws:iam::000000000000:policy/none", "MalformedPolicyDocument"),
    ] {
        let fields = [("Action", "AssumeRole"), ("RoleArn", READER_ARN), ("RoleSessionName", "ci"), (parameter, value)];
        let answer = sts(&engine, &None, &fields).await;
        assert_eq!(element(text(&answer), "Code"), code, "{parameter}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_condition_on_the_request_is_evaluated() {
    let engine = with_reader().await;
    engine.advance(Duration::from_secs(1)).await;
    call(&engine, "PUT", "/lake", &None, &[], "").await;
    let when = |mut statement: Value, condition: Value| {
        statement["Condition"] = condition;
        to(READER_ARN, statement)
    };
    let sse = "s3:x-amz-server-side-encryption";
    let list = json!({ "Effect": "Deny", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::lake" });
    let statements = [
        when(put_on_lake("Deny", "/open/sealed/*"), json!({ "StringNotEquals": { sse: "AES256" } })),
        when(put_on_lake("Deny", "/open/plain/*"), json!({ "Null": { sse: "false" } })),
        when(put_on_lake("Deny", "/open/far/*"), json!({ "NotIpAddress": { "aws:SourceIp": "127.0.0.0/8" } })),
        when(put_on_lake("Deny", "/open/late/*"), json!({ "DateGreaterThan": { "aws:CurrentTime": "2020-01-01" } })),
        when(put_on_lake("Deny", "/open/tagged/*"), json!({ "StringEquals": { "aws:PrincipalTag/Team": "data" } })),
        when(list, json!({ "StringNotLike": { "s3:prefix": "open/*" } })),
    ];
    let policy = document(json!(statements));
    assert_eq!(call(&engine, "PUT", "/lake?policy", &None, &[], &policy).await.status(), 204);
    let tag = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "data")];
    iam(&engine, &[&[("Action", "TagRole"), ("RoleName", "reader")], &tag[..]].concat()).await;
    let session = assume(&engine, &[]).await;
    let sealed: &[(&str, &str)] = &[("x-amz-server-side-encryption", "AES256")];
    for (method, path, headers, status) in [
        ("PUT", "/lake/open/sealed/a", sealed, 200),
        ("PUT", "/lake/open/sealed/a", &[], 403),
        ("PUT", "/lake/open/plain/a", sealed, 403),
        ("PUT", "/lake/open/plain/a", &[], 200),
        ("PUT", "/lake/open/far/a", &[], 200),
        ("PUT", "/lake/open/late/a", &[], 403),
        ("PUT", "/lake/open/tagged/a", &[], 403),
        ("GET", "/lake?list-type=2&prefix=open/plain/", &[], 200),
        ("GET", "/lake?list-type=2", &[], 403),
    ] {
        let answer = call(&engine, method, path, &session, headers, "").await;
        assert_eq!(answer.status(), status, "{method} {path} {headers:?}: {}", text(&answer));
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_and_a_consumer_let_in_whom_their_policies_name_within_the_boundary() {
    let engine = with_reader().await;
    let service = role(&engine, "lambda.amazonaws.com").await;
    let function = json!({ "FunctionName": "f", "Role": service, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": { "ZipFile": zip_of("bootstrap", "") } });
    assert_eq!(lambda(&engine, "", function).await.status(), 201);
    json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "t", "ShardCount": 1 })).await;
    let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/t";
    engine.advance(Duration::from_secs(60)).await;
    let consumer = json!({ "StreamARN": stream, "ConsumerName": "c" });
    let consumer = json(&engine, "Kinesis_20131202.RegisterStreamConsumer", consumer).await;
    let consumer = consumer["Consumer"]["ConsumerARN"].as_str().expect("an ARN").to_owned();
    let session = assume(&engine, &[]).await;
    let may = async || {
        let invoked = [("x-amz-invocation-type", "DryRun")];
        let invoked = call(&engine, "POST", "/2015-03-31/functions/f/invocations", &session, &invoked, "{}").await;
        let described = [("x-amz-target", "Kinesis_20131202.DescribeStreamConsumer")];
        let asked = json!({ "ConsumerARN": consumer }).to_string();
        let described = call(&engine, "POST", "/", &session, &described, asked).await;
        [invoked.status().as_u16(), described.status().as_u16()]
    };
    assert_eq!(may().await, [403, 400]);
    let permission = json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": READER_ARN });
    assert_eq!(lambda(&engine, "/f/policy", permission).await.status(), 201);
    let policy = document(json!([to(
        READER_ARN,
        json!({ "Effect": "Allow", "Action": "kinesis:DescribeStreamConsumer", "Resource": consumer })
    )]));
    let policy = json!({ "ResourceARN": consumer, "Policy": policy });
    json(&engine, "Kinesis_20131202.PutResourcePolicy", policy).await;
    assert_eq!(may().await, [204, 200]);
    let boundary = document(json!([{ "Effect": "Allow", "Action": "kinesis:*", "Resource": "*" }]));
    iam(&engine, &[("Action", "CreatePolicy"), ("PolicyName", "b"), ("PolicyDocument", &boundary)]).await;
    let arn = "arn:aws:iam::000000000000:policy/b";
    let bound = [("Action", "PutRolePermissionsBoundary"), ("RoleName", "reader"), ("PermissionsBoundary", arn)];
    iam(&engine, &bound).await;
    engine.advance(Duration::from_secs(1)).await;
    assert_eq!(may().await, [403, 200]);
}

/// The request does not name the stream or the log group: the service finds it by the token, the ARN or the identifier.
#[tokio::test(start_paused = true)]
async fn a_call_is_about_what_its_token_was_given_out_for() {
    let engine = with_reader().await;
    engine.advance(Duration::from_secs(1)).await;
    for stream in ["s", "t"] {
        json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": stream, "ShardCount": 2 })).await;
        json(&engine, "Logs_20140328.CreateLogGroup", json!({ "logGroupName": stream })).await;
    }
    let on_s = ["arn:aws:kinesis:us-east-1:000000000000:stream/s", "arn:aws:logs:us-east-1:000000000000:log-group:s:*"];
    let only_s = document(json!([{ "Effect": "Allow", "Action": ["kinesis:*", "logs:*"], "Resource": on_s }]));
    let put = [("Action", "PutRolePolicy"), ("RoleName", "reader"), ("PolicyName", "p"), ("PolicyDocument", &only_s)];
    iam(&engine, &put).await;
    engine.advance(Duration::from_secs(10)).await;
    let session = assume(&engine, &[]).await;
    for (stream, allowed) in [("s", true), ("t", false)] {
        let arn = format!("arn:aws:kinesis:us-east-1:000000000000:stream/{stream}");
        let place = json!({ "StreamName": stream, "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST" });
        let iterator = json(&engine, "Kinesis_20131202.GetShardIterator", place).await["ShardIterator"].clone();
        let page = json!({ "StreamName": stream, "MaxResults": 1 });
        let token = json(&engine, "Kinesis_20131202.ListShards", page).await["NextToken"].clone();
        for (target, input) in [
            ("Kinesis_20131202.GetRecords", json!({ "ShardIterator": iterator })),
            ("Kinesis_20131202.ListShards", json!({ "NextToken": token })),
            ("Kinesis_20131202.ListTagsForResource", json!({ "ResourceARN": arn })),
            ("Logs_20140328.FilterLogEvents", json!({ "logGroupIdentifier": stream })),
        ] {
            let headers = [("x-amz-target", target)];
            let answer = call(&engine, "POST", "/", &session, &headers, input.to_string()).await;
            assert_eq!(answer.status() == 200, allowed, "{target} on {stream}: {}", text(&answer));
            let named = [format!("stream/{stream} because"), format!("log-group:{stream}:log-stream: because")];
            assert!(allowed || named.iter().any(|named| text(&answer).contains(named)), "{}", text(&answer));
        }
    }
}
