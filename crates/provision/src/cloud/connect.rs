//! The SDK's configuration for a target: on AWS, at an endpoint, or in this process.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::meta::region::ProvideRegion;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::ServiceConfigKey;

use super::{Calls, http, profile};
use crate::error::{Error, Result};

/// The target flags. Values they do not set come from the spec, or from the usual AWS environment and files.
#[derive(Debug, Clone, Default)]
pub struct Target {
    pub region: Option<String>,
    pub profile: Option<String>,
    pub endpoint: Option<String>,
    /// PEM file. `None`: `AWS_CA_BUNDLE`, else the system's roots alone.
    pub ca_bundle: Option<PathBuf>,
}

/// The SDK's configuration for a target on AWS or at an endpoint. Makes no call. The region is the flag's, else the spec's,
/// else that of the profile that a flag names, else the environment's; a flag that contradicts the spec is an error.
pub async fn connect(target: &Target, spec_region: Option<&str>) -> Result<SdkConfig> {
    let region = chosen_region(target.region.as_deref(), spec_region)?.map(|region| Region::new(region.to_owned()));
    let region = region.or(profile::region(target.profile.as_deref()).await?);
    let mut loader = loader();
    if let Some(region) = &region {
        loader = loader.region(region.clone());
    }
    if let Some(endpoint) = &target.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let bundle = target.ca_bundle.clone().or_else(|| std::env::var_os("AWS_CA_BUNDLE").map(PathBuf::from));
    let endpoint = target.endpoint.clone().or_else(|| std::env::var("AWS_ENDPOINT_URL").ok());
    let http = http::client(bundle.as_deref(), http::proxies(endpoint.as_deref()))?;
    loader = loader.http_client(http.clone());
    if let Some(name) = &target.profile {
        let region = match region {
            Some(region) => Some(region),
            None => aws_config::default_provider::region::default_provider().region().await,
        };
        loader = loader.profile_name(name).credentials_provider(profile::credentials(name, region, Some(http)));
    }
    let sdk = loader.load().await;
    sdk.endpoint_url().into_iter().for_each(crate::secret::keep_url);
    match sdk.region() {
        Some(_) => Ok(sdk),
        None => Err(Error::msg("no region is set")
            .hint("write target: { region: ... } into the spec, pass --region, or set AWS_REGION")),
    }
}

/// The SDK's configuration for a client of our own making (the engine in this process): it reads no file, asks no
/// credentials provider, and is given the endpoint that the client answers for.
pub fn within(http: SharedHttpClient, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .endpoint_url("http://127.0.0.1")
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "local",
            "local",
            None,
            None,
            "in this process",
        )))
        .retry_config(retries())
        .stalled_stream_protection(stalled())
        .http_client(http)
        .build()
}

/// The SDK's configuration for an engine of ours that serves a loopback port.
pub fn local_port(url: &str, region: &str) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().build_http();
    within(http, region).into_builder().endpoint_url(url).build()
}

/// The endpoint that is set for a service, if it is not AWS's own: one for all services, or `AWS_ENDPOINT_URL_<SERVICE>` and
/// its like in the profile. <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
pub fn endpoint(sdk: &SdkConfig, service_id: &'static str) -> Option<String> {
    let of_service = || {
        let key = ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        sdk.service_config()?.load_config(key.build().ok()?)
    };
    sdk.endpoint_url().map(str::to_owned).or_else(of_service)
}

/// The services whose calls go to an endpoint of their own.
pub fn own_endpoints(sdk: &SdkConfig) -> Vec<(&'static str, String)> {
    let services = ["Kinesis", "Firehose", "Lambda", "IAM", "CloudWatch Logs", "S3", "STS"];
    services.into_iter().filter_map(|service| Some((service, endpoint(sdk, service)?))).collect()
}

/// The caller's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    pub arn: String,
}

/// Asks STS who we are. Needs no permission, so its failure means credentials or the network.
pub async fn account(sdk: &SdkConfig, calls: &Calls) -> Result<Caller> {
    // The first call of all: where nothing answers, nobody should wait for eight attempts to hear it.
    let config = aws_sdk_sts::config::Builder::from(sdk).retry_config(retries().with_max_attempts(3));
    let config = config.interceptor(calls.clone()).build();
    let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
    let identity = answer.map_err(|e| explain(Error::aws("reading the caller's identity from AWS", e)))?;
    match (identity.account, identity.arn) {
        (Some(account), Some(arn)) => Ok(Caller { account, arn }),
        _ => Err(Error::msg("reading the caller's identity from AWS: the response has no account")),
    }
}

fn loader() -> aws_config::ConfigLoader {
    let app = AppName::new("provision").expect("letters only");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(180)) // a zip of 50 MB on a slow line
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .app_name(app)
        .retry_config(retries())
        .stalled_stream_protection(stalled())
        .timeout_config(timeouts)
}

/// A request that waits for its turn ([`super::pace`]) looks like an upload that has stalled.
fn stalled() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().upload_enabled(false).build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(8).with_max_backoff(Duration::from_secs(20))
}

pub fn chosen_region<'a>(flag: Option<&'a str>, spec: Option<&'a str>) -> Result<Option<&'a str>> {
    match (flag, spec) {
        (Some(flag), Some(spec)) if flag != spec => {
            Err(Error::msg(format!("--region {flag} differs from the region in the spec, {spec}"))
                .hint("leave out --region, or change target.region in the spec"))
        }
        (flag, spec) => Ok(flag.or(spec)),
    }
}

fn explain(error: Error) -> Error {
    let said = error.to_string();
    let hint = match error.code() {
        Some("ExpiredToken" | "ExpiredTokenException") => {
            "the credentials have expired: sign in again (aws sso login, or aws login)"
        }
        Some("InvalidClientTokenId" | "UnrecognizedClientException") => {
            "AWS does not recognize these credentials: check AWS_ACCESS_KEY_ID or --profile"
        }
        Some("SignatureDoesNotMatch") => {
            "the secret key does not match the access key: check AWS_SECRET_ACCESS_KEY and this machine's clock"
        }
        None if said.contains("credential") => {
            "no usable credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, pass --profile, sign in \
             with aws sso login or aws login, or add --local to need none"
        }
        None if said.contains("certificate") => {
            "if the endpoint uses a private certificate, pass the PEM file of its authority with --ca-bundle or AWS_CA_BUNDLE"
        }
        Some(_) => "check which credentials are in use and what they are allowed to do",
        None => "check the network, --endpoint and --region",
    };
    error.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_fails_is_not_told_as_missing_credentials() {
        let unreachable = explain(Error::new("reading the caller's identity from AWS", "dispatch failure: dns error"));
        assert!(unreachable.what_next().is_some_and(|hint| hint.contains("network")), "{unreachable:?}");
        let nobody =
            explain(Error::new("reading the caller's identity from AWS", "the credential provider was not enabled"));
        assert!(nobody.what_next().is_some_and(|hint| hint.contains("AWS_PROFILE")), "{nobody:?}");
        let private =
            explain(Error::new("reading the caller's identity from AWS", "invalid peer certificate: UnknownIssuer"));
        assert!(private.what_next().is_some_and(|hint| hint.contains("--ca-bundle")), "{private:?}");
    }

    #[test]
    fn the_flags_region_wins_over_nothing_and_may_not_contradict_the_spec() {
        let region = |flag, spec| chosen_region(flag, spec).map_err(|e| e.to_string());
        assert_eq!(region(Some("eu-west-1"), None), Ok(Some("eu-west-1")));
        assert_eq!(region(None, Some("eu-west-1")), Ok(Some("eu-west-1")));
        assert_eq!(region(None, None), Ok(None));
        assert_eq!(
            region(Some("us-east-1"), Some("eu-west-1")).unwrap_err(),
            "--region us-east-1 differs from the region in the spec, eu-west-1"
        );
    }
}
