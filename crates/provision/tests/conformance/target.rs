//! Where the questions go.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures::FutureExt;
use local_cloud::{Engine, Settings};
use provision::cloud::{self, Calls, Cx, Target};
use provision::names::Names;
use tokio::runtime::Builder;

use super::patience::{Patient, record};

/// For states and permissions to settle.
const PATIENCE: Duration = Duration::from_secs(180);

pub struct Aws {
    pub cx: Cx,
    /// A name that nobody else has.
    pub run: String,
    _engine: Option<Engine>,
}

/// The clock in between: in this process nothing needs to be waited for, unless a function's own process runs.
pub enum Clock {
    Paused,
    Real,
}

/// Runs the test, and then cleans up after it, however it ended.
pub fn on_aws(clock: Clock, test: impl AsyncFnOnce(&Aws), clean_up: impl AsyncFnOnce(&Aws)) {
    let elsewhere = std::env::var("CONFORMANCE").is_ok_and(|target| target == "environment");
    let paused = !elsewhere && matches!(clock, Clock::Paused);
    let runtime = Builder::new_current_thread().enable_all().start_paused(paused).build().expect("a runtime starts");
    let ended = runtime.block_on(async {
        let aws = if elsewhere { Aws::of_the_environment().await } else { Aws::in_this_process().await };
        let ended = AssertUnwindSafe(test(&aws)).catch_unwind().await;
        clean_up(&aws).await;
        record(&aws.cx.calls, &aws.run);
        ended
    });
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

impl Aws {
    async fn in_this_process() -> Aws {
        let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
        let sdk = cloud::within(engine.http_client(), "eu-central-1");
        Aws { _engine: Some(engine), ..Aws::at(sdk).await }
    }

    async fn of_the_environment() -> Aws {
        let sdk = cloud::connect(&Target::default(), None).await.unwrap_or_else(|error| panic!("{error}"));
        let patient = SharedHttpClient::new(Patient(sdk.http_client().expect("a target has a client")));
        Aws::at(sdk.into_builder().http_client(patient).build()).await
    }

    async fn at(sdk: aws_config::SdkConfig) -> Aws {
        let caller = cloud::account(&sdk, &Calls::default()).await.unwrap_or_else(|error| panic!("{error}"));
        let names = std::env::var("CONFORMANCE_NAMES").unwrap_or_else(|_| "conformance".into());
        let run = format!("{names}-{:012x}", uuid::Uuid::new_v4().as_u128() >> 80);
        let names = Names {
            stack: run.clone(),
            env: None,
            account: caller.account,
            region: sdk.region().expect("a target has a region").to_string(),
            tag_prefix: "provision".into(),
            iam_path: "/".into(),
        };
        Aws { cx: Cx::new(sdk, names), run, _engine: None }
    }

    pub fn absent(&self) -> String {
        format!("{}-absent", self.run)
    }

    /// A role that Firehose and Lambda may assume, and with which they may do all that is done here.
    pub async fn role(&self) -> String {
        let trust = document(
            r#""Action":"sts:AssumeRole","Principal":{"Service":["firehose.amazonaws.com","lambda.amazonaws.com"]}"#,
        );
        let role = self.cx.iam().create_role().role_name(&self.run).assume_role_policy_document(trust).send().await;
        let everything = document(r#""Action":["s3:*","logs:*","kinesis:*","lambda:*"],"Resource":"*""#);
        let put = self.cx.iam().put_role_policy().role_name(&self.run).policy_name("all").policy_document(everything);
        put.send().await.expect("the role takes a policy");
        role.expect("a role is made").role.expect("the answer has it").arn
    }

    pub async fn remove_role(&self) {
        let _ = self.cx.iam().delete_role_policy().role_name(&self.run).policy_name("all").send().await;
        let _ = self.cx.iam().delete_role().role_name(&self.run).send().await;
    }

    pub async fn bucket(&self) {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let region = self.cx.names.region.as_str();
        let here = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region));
        let here = (region != "us-east-1").then(|| here.build());
        let create = self.cx.s3().create_bucket().bucket(&self.run).set_create_bucket_configuration(here);
        create.send().await.expect("a bucket is made");
    }

    pub async fn remove_bucket(&self) {
        let s3 = self.cx.s3();
        let versions = s3.list_object_versions().bucket(&self.run).send().await.ok();
        for version in versions.as_ref().map(|found| found.versions()).unwrap_or_default() {
            let delete = s3.delete_object().bucket(&self.run).set_key(version.key.clone());
            let _ = delete.set_version_id(version.version_id.clone()).send().await;
        }
        for marker in versions.as_ref().map(|found| found.delete_markers()).unwrap_or_default() {
            let delete = s3.delete_object().bucket(&self.run).set_key(marker.key.clone());
            let _ = delete.set_version_id(marker.version_id.clone()).send().await;
        }
        let _ = s3.delete_bucket().bucket(&self.run).send().await;
    }
}

pub fn document(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{statement}}}]}}"#)
}

/// Asks until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            match ask().await {
                Some(answer) => return answer,
                None => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// In these words services refuse a role that they do not know yet, or do not know what it may do.
const NOT_YET: &[&str] = &[
    "assume",
    "security token included in the request",
    "not authorized to perform",
    "Access was denied",
    "Verify that the IAM role",
    "execution role does not have permissions",
    "KMS key is invalid for CreateGrant",
    "throttled by EC2",
];

/// The answer to a call, once it is no longer refused because its role has not settled.
pub fn settled<T, E: std::fmt::Debug>(result: Result<T, E>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(error) if NOT_YET.iter().any(|text| format!("{error:?}").contains(text)) => None,
        Err(error) => panic!("{error:?}"),
    }
}
