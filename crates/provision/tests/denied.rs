//! A read that AWS refuses is never "nothing to change": it ends the plan, and says which action is missing.

use crate::common::{Bench, experiment, stack};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use local_cloud::Delays;
use provision::error::Error;
use provision::names::Names;
use provision::plan::{Permits, Plan};
use provision::run;
use provision::survey::Survey;

/// The read that is refused, the action that permits it, and in whose words. Each on the experiment's stack, which is there.
const READS: &[(&str, &str)] = &[
    ("kinesis:DescribeStreamSummary", "kinesis:DescribeStreamSummary"),
    ("firehose:DescribeDeliveryStream", "firehose:DescribeDeliveryStream"),
    ("iam:GetRole", "iam:GetRole"),
    ("iam:GetRolePolicy", "iam:GetRolePolicy"),
    ("lambda:GetFunction", "lambda:GetFunction"),
    ("lambda:ListAliases", "lambda:ListAliases"),
    ("logs:DescribeLogGroups", "logs:DescribeLogGroups"),
    ("logs:ListTagsForResource", "logs:ListTagsForResource"),
    ("s3:ListObjectsV2", "s3:ListBucket"),
    ("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
];

/// Those that `down` makes besides: whose everything is.
const TAGS: &[(&str, &str)] = &[
    ("kinesis:ListTagsForStream", "kinesis:ListTagsForStream"),
    ("firehose:ListTagsForDeliveryStream", "firehose:ListTagsForDeliveryStream"),
    ("s3:GetBucketTagging", "s3:GetBucketTagging"),
];

#[tokio::test(start_paused = true)]
async fn a_plan_needs_every_read_it_makes() {
    let stack = stack(&experiment());
    for (read, action) in READS {
        let bench = Bench::new(Delays::FAST).await;
        bench.up(&stack).await;
        bench.engine.inject(format!("{read}=AccessDenied").parse().expect(read));
        let told = told(run::decide_up(&bench.cx, &stack, Permits::default(), &bench.events()).await);
        let caller = "User: arn:aws:iam::000000000000:root is not authorized";
        assert!(told.contains(&format!("need {action}")) && told.contains(caller), "{read}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_down_needs_to_know_whose_everything_is() {
    let stack = stack(&experiment());
    for (read, action) in TAGS {
        let bench = Bench::new(Delays::FAST).await;
        bench.up(&stack).await;
        bench.engine.inject(format!("{read}=AccessDenied").parse().expect(read));
        let decided = run::decide_down(&bench.cx, Some(&stack), &bench.events()).await;
        let told = told(decided);
        assert!(told.contains(action), "{read}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_purge_needs_to_see_versions() {
    let text = experiment().replace(
        "deliveries:",
        "deliveries:\n  other: { name: other, bucket: lake, good: other/, bad: bad/, markers: false }",
    );
    let stack = stack(&text);
    let mut bench = Bench::new(Delays::FAST).await;
    bench.up(&stack).await;
    bench.cx.options.purge_data = provision::cloud::Purge::Ours;
    bench.engine.inject("s3:ListObjectVersions=AccessDenied".parse().expect("a rule"));
    let told = told(run::decide_down(&bench.cx, Some(&stack), &bench.events()).await);
    assert!(told.contains("s3:ListBucketVersions"), "{told}");
}

/// Where the tags are missing from the function, they are asked for: the refusal of that is told, and not taken for somebody else's
/// function.
#[tokio::test(start_paused = true)]
async fn a_function_without_its_tags_is_not_taken_for_somebody_elses() {
    let stack = stack(&experiment());
    let mut bench = Bench::new(Delays::FAST).await;
    bench.up(&stack).await;
    bench.cx.sdk =
        bench.cx.sdk.into_builder().http_client(SharedHttpClient::new(Untagged(bench.engine.http_client()))).build();
    bench.cx.clients = provision::cloud::Clients::default();
    let plan = bench.plan(&stack).await;
    assert!(plan.is_empty() && plan.refusals.is_empty(), "{plan:#?}");
    bench.engine.inject("lambda:ListTags=AccessDenied".parse().expect("a rule"));
    let told = told(run::decide_down(&bench.cx, Some(&stack), &bench.events()).await);
    assert!(told.contains("need lambda:ListTags"), "{told}");
}

/// The bucket of another stack, in which ours has prefixes.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_of_anothers_bucket_matters_only_where_it_is_needed() {
    let owner = stack("version: 1\nstack: owner\nbuckets: {lake: {name: shared-lake}}\n");
    let user = |bucket: &str| {
        let delivery = "deliveries: {d: {name: d, bucket: lake, good: g/, bad: b/}}";
        stack(&format!("version: 1\nstack: kinesis-test\nbuckets: {{lake: {bucket}}}\n{delivery}\n"))
    };
    for (bucket, rule, needs) in [
        ("{name: shared-lake}", "s3:GetBucketLifecycleConfiguration", None),
        ("{name: shared-lake, expire: 7d}", "s3:GetBucketLifecycleConfiguration", Some("s3:GetLifecycleConfiguration")),
        ("{name: shared-lake}", "s3:GetBucketTagging", Some("`existing:`")),
        ("{existing: shared-lake}", "s3:GetBucketTagging", None),
        ("{existing: shared-lake}", "s3:GetBucketLifecycleConfiguration", None),
    ] {
        let mut bench = Bench::new(Delays::FAST).await;
        let names = Names { stack: "owner".into(), ..(*bench.cx.names).clone() };
        let ours = std::mem::replace(&mut bench.cx.names, names.into());
        bench.up(&owner).await;
        bench.cx.names = ours;
        bench.engine.inject(format!("{rule}=AccessDenied").parse().expect(rule));
        let up = told(run::decide_up(&bench.cx, &user(bucket), Permits::default(), &bench.events()).await);
        assert!(needs.map_or(up.is_empty(), |needs| up.contains(needs)), "{bucket} {rule}: {up}");
        let down = run::decide_down(&bench.cx, Some(&user(bucket)), &bench.events()).await;
        assert!(needs == Some("`existing:`") || down.is_ok(), "{bucket} {rule}");
    }
}

/// Errors, or what a plan refuses, with hints.
fn told(decided: Result<(Survey, Plan), Vec<Error>>) -> String {
    let lines: Vec<String> = match decided {
        Ok((_, plan)) => plan.refusals.iter().map(|refusal| format!("{}; {}", refusal.why, refusal.hint)).collect(),
        Err(errors) => errors.iter().map(|e| format!("{e}; {}", e.what_next().unwrap_or_default())).collect(),
    };
    lines.join("\n")
}

/// GetFunction as it answers those who may not list tags.
#[derive(Debug, Clone)]
struct Untagged(SharedHttpClient);

impl HttpClient for Untagged {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(UntaggedConnector(self.0.http_connector(settings, parts)))
    }
}

#[derive(Debug, Clone)]
struct UntaggedConnector(SharedHttpConnector);

impl HttpConnector for UntaggedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.0.clone();
        HttpConnectorFuture::new(async move {
            let reads_function = request.method() == "GET" && request.uri().contains("/2015-03-31/functions/");
            let mut response = inner.call(request).await?;
            let body = response.body().bytes().and_then(|body| serde_json::from_slice(body).ok());
            if let (true, Some(serde_json::Value::Object(mut got))) = (reads_function, body)
                && got.remove("Tags").is_some()
            {
                let message = "User is not authorized to perform: lambda:ListTags";
                got.insert(
                    "TagsError".into(),
                    serde_json::json!({ "ErrorCode": "AccessDeniedException", "Message": message }),
                );
                let body = serde_json::to_vec(&got).expect("an object serialises");
                response.headers_mut().insert("content-length", body.len().to_string());
                *response.body_mut() = SdkBody::from(body);
            }
            Ok(response)
        })
    }
}
