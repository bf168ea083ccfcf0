//! Permissions that a call needs besides the action of its own name.

use std::time::Duration;

use http::Response;
use local_cloud::Engine;
use serde_json::{Value, json};

use super::iam::*;
use super::support::*;

/// A call, the action of its own name, and what it needs besides, each with a part of the refusal.
struct Case {
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    own: &'static str,
    besides: &'static [(&'static str, &'static str)],
}

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

fn target(target: &'static str, body: Value, own: &'static str, besides: &'static [(&str, &str)]) -> Case {
    Case { method: "POST", path: "/", headers: vec![("x-amz-target", target)], body: body.to_string(), own, besides }
}

fn lambda(method: &'static str, path: &'static str, body: Value, besides: &'static [(&str, &str)]) -> Case {
    let own = if path.ends_with("functions") { "lambda:CreateFunction" } else { "lambda:Update*" };
    Case { method, path, headers: vec![], body: body.to_string(), own, besides }
}

fn form(body: &str, own: &'static str, besides: &'static [(&str, &str)]) -> Case {
    Case { method: "POST", path: "/", headers: vec![("content-type", FORM)], body: body.into(), own, besides }
}

fn s3(
    method: &'static str,
    path: &'static str,
    header: Option<(&'static str, &'static str)>,
    body: &str,
    own: &'static str,
    besides: &'static [(&str, &str)],
) -> Case {
    Case { method, path, headers: header.into_iter().collect(), body: body.into(), own, besides }
}

fn cases() -> Vec<Case> {
    let destination = json!({ "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake" });
    let network = json!({ "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"] });
    let tagged = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Tags><Tag><Key>a</Key>\
                  <Value>b</Value></Tag></Tags></CreateBucketConfiguration>";
    vec![
        target(
            "Kinesis_20131202.CreateStream",
            json!({ "StreamName": "s", "ShardCount": 1, "Tags": { "a": "b" } }),
            "kinesis:CreateStream",
            &[("kinesis:AddTagsToStream", "on resource: arn:aws:kinesis:us-east-1:000000000000:stream/s because no")],
        ),
        target(
            "Firehose_20150804.CreateDeliveryStream",
            json!({ "DeliveryStreamName": "d", "Tags": [{ "Key": "a", "Value": "b" }],
                "ExtendedS3DestinationConfiguration": destination }),
            "firehose:CreateDeliveryStream",
            &[
                ("firehose:TagDeliveryStream", "deliverystream/d because no identity-based policy allows the"),
                (
                    "iam:PassRole",
                    "is not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role/r",
                ),
            ],
        ),
        target(
            "Firehose_20150804.UpdateDestination",
            json!({ "DeliveryStreamName": "none", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "d",
                "ExtendedS3DestinationUpdate": { "S3BackupUpdate": { "RoleARN": ROLE } } }),
            "firehose:UpdateDestination",
            &[("iam:PassRole", "iam:PassRole on resource: arn:aws:iam::000000000000:role/r because")],
        ),
        target(
            "Logs_20140328.CreateLogGroup",
            json!({ "logGroupName": "g", "tags": { "a": "b" } }),
            "logs:CreateLogGroup",
            &[(
                "logs:TagResource",
                "User with accountId: 000000000000 is not authorized to perform CreateLogGroup with Tags. An additional \
                 permission \\\"logs:TagResource\\\" is required.",
            )],
        ),
        form(
            "Action=CreateRole&Version=2010-05-08&RoleName=n&Path=/p/&AssumeRolePolicyDocument=x&Tags.member.1.Key=a&\
             Tags.member.1.Value=b",
            "iam:CreateRole",
            &[("iam:TagRole", "iam:TagRole on resource: arn:aws:iam::000000000000:role/p/n because")],
        ),
        lambda(
            "POST",
            "/2015-03-31/functions",
            json!({ "FunctionName": "f", "Role": ROLE, "Tags": { "a": "b" }, "VpcConfig": network,
                "Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"],
                "Code": { "S3Bucket": "code", "S3Key": "f.zip" } }),
            &[
                (
                    "lambda:TagResource",
                    "lambda:TagResource on resource: arn:aws:lambda:us-east-1:000000000000:function:f",
                ),
                ("iam:PassRole", "iam:PassRole on resource: arn:aws:iam::000000000000:role/r because"),
                ("lambda:GetLayerVersion", "on resource: arn:aws:lambda:us-east-1:000000000000:layer:l:1 because"),
                (
                    "s3:GetObject",
                    "Your access has been denied by S3, please make sure your request credentials have permission to \
                     GetObject for code/f.zip. S3 Error Code: AccessDenied.",
                ),
                ("ec2:DescribeSubnets", "have permission to DescribeSubnets for subnet-1. EC2 Error Code"),
                ("ec2:DescribeSecurityGroups", "have permission to DescribeSecurityGroups for sg-1. EC2 Error Code"),
                ("ec2:DescribeVpcs", "perform: ec2:DescribeVpcs because no identity-based policy allows"),
            ],
        ),
        lambda(
            "PUT",
            "/2015-03-31/functions/f/configuration",
            json!({ "Role": ROLE, "VpcConfig": { "SubnetIds": [] } }),
            &[("iam:PassRole", "iam:PassRole on resource: arn:aws:iam::000000000000:role/r because")],
        ),
        lambda(
            "PUT",
            "/2015-03-31/functions/f/code",
            json!({ "S3Bucket": "code", "S3Key": "f.zip", "S3ObjectVersion": "1" }),
            &[("s3:GetObjectVersion", "permission to GetObjectVersion for code/f.zip")],
        ),
        s3(
            "PUT",
            "/tagged",
            None,
            tagged,
            "s3:CreateBucket",
            &[("s3:TagResource", "on resource: \"arn:aws:s3:::tagged\"")],
        ),
        s3(
            "PUT",
            "/lake/a",
            Some(("x-amz-tagging", "a=b")),
            "",
            "s3:PutObject",
            &[("s3:PutObjectTagging", "s3:PutObjectTagging on resource: \"arn:aws:s3:::lake/a\" because")],
        ),
        s3(
            "PUT",
            "/lake/a",
            Some(("x-amz-copy-source", "/lake/b%20c")),
            "",
            "s3:PutObject",
            &[("s3:GetObject", "on resource: \"arn:aws:s3:::lake/b c\" because")],
        ),
        s3("GET", "/lake/none", None, "", "s3:GetObject", &[("s3:ListBucket", "on resource: \"arn:aws:s3:::lake\"")]),
    ]
}

async fn allow(engine: &Engine, actions: &[&str]) {
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
    let put = [("Action", "PutRolePolicy"), ("RoleName", "reader"), ("PolicyName", "p"), ("PolicyDocument", &policy)];
    iam(engine, &put).await;
    engine.advance(Duration::from_secs(1)).await;
}

fn is_refusal(answer: &Response<bytes::Bytes>) -> bool {
    let told = format!("{}{}", header(answer, "x-amzn-errortype"), text(answer));
    told.contains("AccessDenied")
}

#[tokio::test(start_paused = true)]
async fn a_call_needs_every_dependent_action_and_no_other() {
    for case in cases() {
        let engine = with_reader().await;
        engine.advance(Duration::from_secs(1)).await;
        call(&engine, "PUT", "/lake", &None, &[], "").await;
        let session = assume(&engine, &[]).await;
        let all: Vec<&str> = [case.own].into_iter().chain(case.besides.iter().map(|(action, _)| *action)).collect();
        let make = async || call(&engine, case.method, case.path, &session, &case.headers, &case.body).await;
        for (missing, refusal) in case.besides {
            let rest: Vec<&str> = all.iter().copied().filter(|action| action != missing).collect();
            allow(&engine, &rest).await;
            let answer = make().await;
            let told = text(&answer).replace("&quot;", "\"");
            assert!(is_refusal(&answer) && told.contains(refusal), "{missing}: {told}");
        }
        allow(&engine, &all).await;
        let answer = make().await;
        assert!(!is_refusal(&answer), "{}: {}", case.own, text(&answer));
    }
}

#[tokio::test(start_paused = true)]
async fn tags_of_a_function_are_given_to_those_who_may_list_them_and_the_others_are_told_why_not() {
    let engine = with_reader().await;
    let service = role(&engine, "lambda.amazonaws.com").await;
    let function = json!({ "FunctionName": "f", "Role": service, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": { "ZipFile": zip_of("bootstrap", "") }, "Tags": { "a": "b" } });
    assert_eq!(super::support::lambda(&engine, "", function).await.status(), 201);
    let session = assume(&engine, &[]).await;
    for (actions, tags, refusal) in [
        (&["lambda:GetFunction"][..], Value::Null, "perform: lambda:ListTags on resource: arn:aws:lambda:"),
        (&["lambda:GetFunction", "lambda:ListTags"], json!({ "a": "b" }), ""),
    ] {
        allow(&engine, actions).await;
        let answer = call(&engine, "GET", "/2015-03-31/functions/f", &session, &[], "").await;
        let got: Value = serde_json::from_slice(answer.body()).expect("JSON");
        let why = got["TagsError"]["Message"].as_str().unwrap_or_default();
        assert_eq!((&got["Tags"], why.contains(refusal), why.is_empty()), (&tags, true, refusal.is_empty()), "{got}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_keys_those_are_deleted_that_may_be() {
    let engine = with_reader().await;
    call(&engine, "PUT", "/lake", &None, &[], "").await;
    for key in ["/lake/open/a", "/lake/shut/a"] {
        call(&engine, "PUT", key, &None, &[], "x").await;
    }
    let open = json!({ "Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::lake/open/*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": open }).to_string();
    let put = [("Action", "PutRolePolicy"), ("RoleName", "reader"), ("PolicyName", "p"), ("PolicyDocument", &policy)];
    iam(&engine, &put).await;
    engine.advance(Duration::from_secs(1)).await;
    let session = assume(&engine, &[]).await;
    let body = "<Delete><Object><Key>open/a</Key></Object><Object><Key>shut/a</Key></Object></Delete>";
    let answer = call(&engine, "POST", "/lake?delete", &session, &[], body).await;
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    assert!(text(&answer).contains("<Deleted><Key>open/a</Key></Deleted>"), "{}", text(&answer));
    assert!(
        text(&answer).contains("<Code>AccessDenied</Code>") && text(&answer).contains("shut/a"),
        "{}",
        text(&answer)
    );
    let left = call(&engine, "GET", "/lake?list-type=2", &None, &[], "").await;
    assert!(text(&left).contains("shut/a") && !text(&left).contains("open/a"), "{}", text(&left));
}

#[tokio::test(start_paused = true)]
async fn a_presigned_put_that_names_a_source_in_its_query_is_authorized_as_a_copy() {
    let engine = with_reader().await;
    call(&engine, "PUT", "/lake", &None, &[], "").await;
    call(&engine, "PUT", "/lake/shut/a", &None, &[], "secret").await;
    engine.advance(Duration::from_secs(1)).await;
    let (key, token) = assume(&engine, &[]).await.expect("a session");
    let put = async |more: &str| {
        let credential = format!("{key}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request");
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60\
             &X-Amz-SignedHeaders=host&X-Amz-Signature=0&X-Amz-Security-Token={token}{more}"
        );
        let put = http::Request::put(format!("/lake/open/a?{query}")).body(bytes::Bytes::from("x"));
        engine.call(put.expect("valid parts")).await
    };
    assert_eq!(put("").await.status(), 200);
    let copied = put("&x-amz-copy-source=lake%2Fshut%2Fa").await;
    assert_eq!(copied.status(), 403, "{}", text(&copied));
    let kept = call(&engine, "GET", "/lake/open/a", &None, &[], "").await;
    assert_eq!(text(&kept), "x");
}

/// Why a call of a role, or about one, is refused names it without a path while there is none of that name.
#[tokio::test(start_paused = true)]
async fn a_role_that_does_not_exist_is_named_without_its_path() {
    let engine = with_reader().await;
    engine.advance(Duration::from_secs(1)).await;
    let session = assume(&engine, &[]).await;
    for (fields, resource) in [
        ([("Action", "GetRole"), ("RoleName", "none")], "on resource: role none because"),
        ([("Action", "GetRole"), ("RoleName", "reader")], "on resource: arn:aws:iam::000000000000:role/reader because"),
    ] {
        let fields = [("Version", "2010-05-08")].into_iter().chain(fields).collect::<Vec<_>>();
        let form = serde_urlencoded::to_string(fields).expect("plain pairs");
        let answer = call(&engine, "POST", "/", &session, &[("content-type", FORM)], &form).await;
        assert!(text(&answer).contains(resource), "{}", text(&answer));
    }
}
