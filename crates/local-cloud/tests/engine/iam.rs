//! Permissions: sessions, policies, boundaries.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use local_cloud::{Engine, Settings};
use serde_json::json;

use super::support::*;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}}"#;
const READER: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["kinesis:DescribeStreamSummary","kinesis:ListStreams"],"Resource":"*"},
    {"Effect":"Allow","Action":"kinesis:DescribeStream","Resource":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},
    {"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::lake","arn:aws:s3:::lake/open/*"]},
    {"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}"#;

/// The signer of a request: root, or a session with its access key and token.
pub type Session = Option<(String, String)>;

pub async fn call(
    engine: &Engine,
    method: &str,
    path: &str,
    who: &Session,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    let key = who.as_ref().map_or("AK", |(key, _)| key);
    let service = if path.starts_with("/2015-03-31/") { "/lambda/" } else { "/s3/" };
    request = request.header("authorization", SIGNED.replace("AK/", &format!("{key}/")).replace("/s3/", service));
    if let Some((_, token)) = who {
        request = request.header("x-amz-security-token", token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    engine.call(request.body(Bytes::copy_from_slice(body.as_ref())).expect("valid parts")).await
}

async fn query(engine: &Engine, who: &Session, version: &str, fields: &[(&str, &str)]) -> Response<Bytes> {
    let fields: Vec<_> = [("Version", version)].into_iter().chain(fields.iter().copied()).collect();
    let form = serde_urlencoded::to_string(fields).expect("plain pairs");
    call(engine, "POST", "/", who, &[("content-type", FORM)], &form).await
}

pub async fn iam(engine: &Engine, fields: &[(&str, &str)]) -> String {
    let answer = query(engine, &None, "2010-05-08", fields).await;
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    text(&answer).to_owned()
}

pub async fn sts(engine: &Engine, who: &Session, fields: &[(&str, &str)]) -> Response<Bytes> {
    query(engine, who, "2011-06-15", fields).await
}

pub fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split("</").next().unwrap_or_default()
}

pub async fn with_reader() -> Engine {
    let engine = Engine::start(Settings { enforce_iam: true, ..Settings::default() }).await.expect("it starts");
    let create = [("Action", "CreateRole"), ("RoleName", "reader"), ("AssumeRolePolicyDocument", TRUST)];
    iam(&engine, &create).await;
    let put = [("Action", "PutRolePolicy"), ("RoleName", "reader"), ("PolicyName", "p"), ("PolicyDocument", READER)];
    iam(&engine, &put).await;
    engine
}

pub const READER_ARN: &str = "arn:aws:iam::000000000000:role/reader";

pub async fn assume(engine: &Engine, more: &[(&str, &str)]) -> Session {
    let fields =
        [("Action", "AssumeRole"), ("RoleArn", READER_ARN), ("RoleSessionName", "ci"), ("DurationSeconds", "900")];
    let answer = sts(engine, &None, &[&fields, more].concat()).await;
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    let xml = text(&answer);
    assert_eq!(element(xml, "Arn"), "arn:aws:sts::000000000000:assumed-role/reader/ci");
    Some((element(xml, "AccessKeyId").to_owned(), element(xml, "SessionToken").to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_session_is_its_role_until_it_expires_and_a_new_role_is_not_known_at_once() {
    let engine = with_reader().await;
    let assume_role = [("Action", "AssumeRole"), ("RoleArn", READER_ARN), ("RoleSessionName", "ci")];
    let early = sts(&engine, &None, &assume_role).await;
    assert_eq!((early.status().as_u16(), element(text(&early), "Code")), (403, "AccessDenied"));
    engine.advance(Duration::from_secs(1)).await;
    let session = assume(&engine, &[]).await;
    let identity = sts(&engine, &session, &[("Action", "GetCallerIdentity")]).await;
    assert_eq!(element(text(&identity), "Arn"), "arn:aws:sts::000000000000:assumed-role/reader/ci");
    let foreign = Some(("ASIAFOREIGN".to_owned(), "IQoJb3JpZ2luX2VjE".to_owned()));
    let root = sts(&engine, &foreign, &[("Action", "GetCallerIdentity")]).await;
    assert_eq!(element(text(&root), "Arn"), "arn:aws:iam::000000000000:root");
    let long = [("DurationSeconds", "7200")].into_iter().chain(assume_role).collect::<Vec<_>>();
    assert_eq!(element(text(&sts(&engine, &None, &long).await), "Code"), "ValidationError");
    engine.advance(Duration::from_secs(900)).await;
    let late = sts(&engine, &session, &[("Action", "GetCallerIdentity")]).await;
    assert_eq!((late.status().as_u16(), element(text(&late), "Code")), (403, "ExpiredToken"));
}

#[tokio::test(start_paused = true)]
async fn a_session_may_do_what_its_role_allows_and_root_everything() {
    let engine = with_reader().await;
    engine.advance(Duration::from_secs(1)).await;
    let (session, root) = (assume(&engine, &[]).await, None);
    json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    call(&engine, "PUT", "/lake", &root, &[], "").await;
    for (method, path, target, body, expected) in [
        ("POST", "/", "Kinesis_20131202.DescribeStreamSummary", r#"{"StreamName":"s"}"#, 200),
        ("POST", "/", "Kinesis_20131202.DeleteStream", r#"{"StreamName":"s"}"#, 400),
        ("PUT", "/lake/open/a", "", "x", 200),
        ("PUT", "/lake/shut/a", "", "x", 403),
        ("GET", "/lake?list-type=2", "", "", 200),
        ("DELETE", "/lake/open/a", "", "", 403),
        ("GET", "/2015-03-31/functions", "", "", 403),
    ] {
        let headers: &[(&str, &str)] = if target.is_empty() { &[] } else { &[("x-amz-target", target)] };
        let answer = call(&engine, method, path, &session, headers, body).await;
        assert_eq!(answer.status(), expected, "{method} {path} {target}: {}", text(&answer));
    }
    // The same of a stream that the role may see, and of another, in CBOR.
    for (body, expected) in [(b"\xA1\x6AStreamName\x61s", ""), (b"\xA1\x6AStreamName\x61t", "AccessDeniedException")] {
        let cbor = "application/x-amz-cbor-1.1";
        let headers = [("x-amz-target", "Kinesis_20131202.DescribeStream"), ("content-type", cbor)];
        let answer = call(&engine, "POST", "/", &session, &headers, body).await;
        assert_eq!((header(&answer, "x-amzn-errortype"), header(&answer, "content-type")), (expected, cbor));
    }
    let headers = [("x-amz-target", "Kinesis_20131202.DeleteStream")];
    let denied = call(&engine, "POST", "/", &session, &headers, r#"{"StreamName":"s"}"#).await;
    assert_eq!(header(&denied, "x-amzn-errortype"), "AccessDeniedException");
    assert!(text(&denied).contains(
        "User: arn:aws:sts::000000000000:assumed-role/reader/ci is not authorized to perform: kinesis:DeleteStream on \
         resource: arn:aws:kinesis:us-east-1:000000000000:stream/s because no identity-based policy allows the \
         kinesis:DeleteStream action"
    ));
    assert_eq!(call(&engine, "POST", "/", &root, &headers, r#"{"StreamName":"s"}"#).await.status(), 200);
}

#[tokio::test]
async fn a_simulation_tells_what_policies_and_boundary_say() {
    let engine = with_reader().await;
    let limit = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let made = iam(&engine, &[("Action", "CreatePolicy"), ("PolicyName", "limit"), ("PolicyDocument", limit)]).await;
    let boundary = element(&made, "Arn").to_owned();
    assert_eq!(boundary, "arn:aws:iam::000000000000:policy/limit");
    let decisions = async |more: &[(&str, &str)]| {
        let asked = [
            ("Action", "SimulatePrincipalPolicy"),
            ("PolicySourceArn", READER_ARN),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ActionNames.member.2", "s3:DeleteObject"),
            ("ActionNames.member.3", "kinesis:ListStreams"),
            ("ActionNames.member.4", "kinesis:PutRecord"),
            ("ResourceArns.member.1", "arn:aws:s3:::lake/open/a"),
        ];
        let answer = iam(&engine, &[&asked, more].concat()).await;
        let found =
            answer.split("<EvalDecision>").skip(1).map(|rest| rest.split('<').next().unwrap_or_default().to_owned());
        found.collect::<Vec<_>>()
    };
    assert_eq!(decisions(&[]).await, ["allowed", "explicitDeny", "allowed", "implicitDeny"]);
    let open = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
    let resource = ("ResourcePolicy", open);
    assert_eq!(decisions(&[resource]).await, ["allowed", "explicitDeny", "allowed", "allowed"]);
    let others =
        open.replacen(r#""*""#, r#"{"AWS":"arn:aws:iam::000000000000:role/other"}"#, 1).replace("Allow", "Deny");
    assert_eq!(decisions(&[("ResourcePolicy", &others)]).await, ["allowed", "explicitDeny", "allowed", "implicitDeny"]);
    let ours = others.replace("role/other", "root");
    assert_eq!(decisions(&[("ResourcePolicy", &ours)]).await, ["explicitDeny"; 4]);
    let when = r#""Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Team":["a","b"]}}}"#;
    let tagged = others.replace("role/other", "role/reader").replace(r#""Resource":"*"}"#, when);
    assert_eq!(decisions(&[("ResourcePolicy", &tagged)]).await, ["allowed", "explicitDeny", "allowed", "implicitDeny"]);
    let context = [
        ("ResourcePolicy", &*tagged),
        ("ContextEntries.member.1.ContextKeyName", "aws:principaltag/team"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "b"),
    ];
    assert_eq!(decisions(&context).await, ["explicitDeny"; 4]);
    let bounded = ("PermissionsBoundaryPolicyInputList.member.1", limit);
    assert_eq!(decisions(&[bounded]).await, ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]);
    let bound = [("Action", "PutRolePermissionsBoundary"), ("RoleName", "reader"), ("PermissionsBoundary", &boundary)];
    iam(&engine, &bound).await;
    assert_eq!(decisions(&[]).await, ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]);
}

#[tokio::test]
async fn a_simulation_answers_page_by_page_in_the_order_in_which_it_was_asked() {
    let engine = with_reader().await;
    let mut found = vec![];
    let mut marker = String::new();
    for is_last in [false, true] {
        let asked = [
            ("Action", "SimulatePrincipalPolicy"),
            ("PolicySourceArn", READER_ARN),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ActionNames.member.2", "kinesis:PutRecord"),
            ("ActionNames.member.3", "kinesis:ListStreams"),
            ("MaxItems", "2"),
        ];
        let next = [("Marker", &*marker)];
        let more = if marker.is_empty() { &[] } else { &next[..] };
        let answer = iam(&engine, &[&asked, more].concat()).await;
        let names = answer.split("<EvalActionName>").skip(1);
        found.extend(names.filter_map(|rest| Some(rest.split_once('<')?.0.to_owned())));
        assert_eq!(element(&answer, "IsTruncated"), if is_last { "false" } else { "true" });
        marker = if is_last { String::new() } else { element(&answer, "Marker").to_owned() };
    }
    assert_eq!(found, ["s3:GetObject", "kinesis:PutRecord", "kinesis:ListStreams"]);
}

#[tokio::test]
async fn a_simulation_names_the_keys_that_it_was_not_given() {
    let engine = with_reader().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},
        {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"s3:Prefix":"true"},"Bool":{"aws:securetransport":"true"}}}]}"#;
    let ask = async |more: &[(&str, &str)]| {
        let asked = [
            ("Action", "SimulateCustomPolicy"),
            ("PolicyInputList.member.1", policy),
            ("ActionNames.member.1", "s3:GetObject"),
        ];
        let answer = iam(&engine, &[&asked, more].concat()).await;
        (
            element(&answer, "EvalDecision").to_owned(),
            answer.split_once("ResourceSpecificResults").map(|(all, _)| all.matches("<member>").count() - 1),
        )
    };
    let secure = [
        ("ContextEntries.member.1.ContextKeyName", "aws:SecureTransport"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "true"),
    ];
    let prefix = [
        ("ContextEntries.member.2.ContextKeyName", "s3:prefix"),
        ("ContextEntries.member.2.ContextKeyValues.member.1", "a"),
    ];
    assert_eq!(ask(&[]).await, ("implicitDeny".into(), Some(2)));
    assert_eq!(ask(&secure).await, ("explicitDeny".into(), Some(1)));
    assert_eq!(ask(&[secure, prefix].concat()).await, ("allowed".into(), Some(0)));
}

#[tokio::test]
async fn a_policy_of_ones_own_is_versioned_attached_and_deleted_last() {
    let engine = with_reader().await;
    let (one, other) = (READER, READER.replace("kinesis:", "firehose:"));
    iam(&engine, &[("Action", "CreatePolicy"), ("PolicyName", "own"), ("Path", "/team/"), ("PolicyDocument", one)])
        .await;
    let arn = "arn:aws:iam::000000000000:policy/team/own";
    let version =
        [("Action", "CreatePolicyVersion"), ("PolicyArn", arn), ("PolicyDocument", &other), ("SetAsDefault", "true")];
    assert_eq!(element(&iam(&engine, &version).await, "VersionId"), "v2");
    let got = iam(&engine, &[("Action", "GetPolicyVersion"), ("PolicyArn", arn), ("VersionId", "v2")]).await;
    assert!(element(&got, "Document").contains("firehose"), "{got}");
    iam(&engine, &[("Action", "AttachRolePolicy"), ("RoleName", "reader"), ("PolicyArn", arn)]).await;
    let listed = iam(&engine, &[("Action", "ListPolicies"), ("Scope", "Local"), ("OnlyAttached", "true")]).await;
    assert_eq!((element(&listed, "Arn"), element(&listed, "AttachmentCount")), (arn, "1"));
    let refused = |code: &'static str, fields: [(&'static str, &'static str); 2]| {
        let engine = &engine;
        async move {
            let fields: Vec<_> = fields.into_iter().chain([("PolicyArn", arn)]).collect();
            let answer = query(engine, &None, "2010-05-08", &fields).await;
            assert_eq!(element(text(&answer), "Code"), code);
        }
    };
    refused("DeleteConflict", [("Action", "DeletePolicy"), ("", "")]).await;
    refused("DeleteConflict", [("Action", "DeletePolicyVersion"), ("VersionId", "v2")]).await;
    refused("NoSuchEntity", [("Action", "GetPolicyVersion"), ("VersionId", "v7")]).await;
    iam(&engine, &[("Action", "DetachRolePolicy"), ("RoleName", "reader"), ("PolicyArn", arn)]).await;
    iam(&engine, &[("Action", "DeletePolicyVersion"), ("PolicyArn", arn), ("VersionId", "v1")]).await;
    iam(&engine, &[("Action", "DeletePolicy"), ("PolicyArn", arn)]).await;
    let aws = iam(&engine, &[("Action", "ListPolicies"), ("Scope", "AWS")]).await;
    assert!(aws.contains("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"), "{aws}");
}

#[tokio::test(start_paused = true)]
async fn what_a_resource_s_own_policy_says_counts_beside_the_role_s() {
    let engine = with_reader().await;
    engine.advance(Duration::from_secs(1)).await;
    let (session, root) = (assume(&engine, &[]).await, None);
    call(&engine, "PUT", "/lake", &root, &[], "").await;
    let statement = |effect: &str, who: &str, action: &str, at: &str| json!({ "Effect": effect, "Principal": { "AWS": who }, "Action": action, "Resource": format!("arn:aws:s3:::lake{at}") });
    let statements = [
        statement("Allow", READER_ARN, "s3:*Object", "/given/*"),
        statement("Allow", "arn:aws:iam::000000000000:role/other", "s3:PutObject", "/others/*"),
        statement("Deny", "*", "s3:PutObject", "/open/shut/*"),
        statement("Deny", "*", "s3:*Policy", ""),
    ];
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    assert_eq!(call(&engine, "PUT", "/lake?policy", &root, &[], &policy).await.status(), 204);
    let implicit = "because no identity-based policy allows the s3:PutObject action";
    let by_role = "with an explicit deny in an identity-based policy";
    let by_bucket = "with an explicit deny in a resource-based policy";
    for (who, method, path, status, why) in [
        (&session, "PUT", "/lake/given/a", 200, ""),
        (&session, "PUT", "/lake/others/a", 403, implicit),
        (&session, "PUT", "/lake/open/a", 200, ""),
        (&session, "PUT", "/lake/open/shut/a", 403, by_bucket),
        (&session, "DELETE", "/lake/given/a", 403, by_role),
        (&root, "PUT", "/lake/others/a", 200, ""),
        (&root, "PUT", "/lake/open/shut/a", 403, by_bucket),
        (&session, "GET", "/lake?policy", 403, by_bucket),
        (&root, "GET", "/lake?policy", 200, ""),
        (&root, "DELETE", "/lake?policy", 204, ""),
        (&root, "PUT", "/lake/open/shut/a", 200, ""),
    ] {
        let answer = call(&engine, method, path, who, &[], "").await;
        assert_eq!(answer.status(), status, "{method} {path}: {}", text(&answer));
        assert!(text(&answer).contains(why), "{method} {path}: {}", text(&answer));
    }
}
