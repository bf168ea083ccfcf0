//! Where we are: on AWS, at an endpoint, or in this process. The only place that knows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::ProvideRegion;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::claims::Seen;
use crate::error::{Error, Result};
use crate::names::Names;

pub mod calls;
mod profile;

pub use calls::{Call, Calls};

/// What every operation on a resource is given. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    /// The AWS SDK's configuration: region, credentials, endpoint, HTTP client, retries. Clients come from the methods
    /// below, so that every call is recorded in `calls`.
    pub sdk: SdkConfig,
    pub names: Arc<Names>,
    pub options: Options,
    /// Told what is being waited for, each time that changes: "role to be assumable".
    pub waiting: Arc<dyn Fn(&str) + Send + Sync>,
    pub calls: Calls,
    /// What the survey has read of buckets' claims.
    pub claims: Seen,
}

/// What the command line says about how to do things.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Wait until what is being deleted is gone.
    pub wait_until_gone: bool,
    /// What data is deleted with the prefixes.
    pub purge_data: Purge,
    /// What is observed may be deleted: then more of it has to be known.
    pub deletes: bool,
    /// Who is told to have run this, in the record.
    pub owner: Option<String>,
    /// From when on the environment may be removed by anybody: so many seconds from now.
    pub ttl_s: Option<i64>,
    /// Where artifacts are built and kept: `.provision` beside the spec's repository root.
    pub work_dir: PathBuf,
    /// Functions run on this machine, so that its processor has to do.
    pub runs_here: bool,
}

/// What data a deletion takes with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Purge {
    #[default]
    #[value(hide = true)]
    Nothing,
    /// Exactly what this environment's delivery streams wrote
    Ours,
    /// Everything under its prefixes, except for what others have claimed
    EverythingUnderPrefix,
}

impl Purge {
    pub fn deletes(self) -> bool {
        self != Purge::Nothing
    }
}

/// A client that records its calls. The services' configurations share no trait.
macro_rules! client {
    ($cx:expr, $sdk:ident) => {
        $sdk::Client::from_conf($sdk::config::Builder::from(&$cx.sdk).interceptor($cx.calls.clone()).build())
    };
}

impl Cx {
    /// A context that waits silently, with default options.
    pub fn new(sdk: SdkConfig, names: Names) -> Cx {
        let names = Arc::new(names);
        Cx {
            sdk,
            names,
            options: Options::default(),
            waiting: Arc::new(|_| ()),
            calls: Calls::default(),
            claims: Seen::default(),
        }
    }

    /// Tells the user what is being waited for.
    pub fn wait_for(&self, what: &str) {
        (self.waiting)(what);
    }

    pub fn kinesis(&self) -> aws_sdk_kinesis::Client {
        client!(self, aws_sdk_kinesis)
    }

    pub fn firehose(&self) -> aws_sdk_firehose::Client {
        client!(self, aws_sdk_firehose)
    }

    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        client!(self, aws_sdk_lambda)
    }

    pub fn iam(&self) -> aws_sdk_iam::Client {
        client!(self, aws_sdk_iam)
    }

    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        client!(self, aws_sdk_cloudwatchlogs)
    }

    /// An S3 client: path style wherever the endpoint is not AWS's own.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let path_style = self.sdk.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(path_style);
        aws_sdk_s3::Client::from_conf(config.interceptor(self.calls.clone()).build())
    }
}

/// What the target flags say; what they leave out comes from the spec and the usual AWS environment and files.
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
    let http = bundle.map(|path| trusting(&path)).transpose()?;
    if let Some(http) = &http {
        loader = loader.http_client(http.clone());
    }
    if let Some(name) = &target.profile {
        let region = match region {
            Some(region) => Some(region),
            None => aws_config::default_provider::region::default_provider().region().await,
        };
        loader = loader.profile_name(name).credentials_provider(profile::credentials(name, region, http));
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
        .http_client(http)
        .build()
}

/// The SDK's configuration for an engine of ours that serves a loopback port.
pub fn local_port(url: &str, region: &str) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().build_http();
    within(http, region).into_builder().endpoint_url(url).build()
}

/// Who is calling.
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
    let identity = answer.map_err(|e| explain(Error::aws("asking AWS who is calling", e)))?;
    match (identity.account, identity.arn) {
        (Some(account), Some(arn)) => Ok(Caller { account, arn }),
        _ => Err(Error::msg("asking AWS who is calling: the answer names no account")),
    }
}

fn loader() -> aws_config::ConfigLoader {
    let app = AppName::new("provision").expect("letters only");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(180)) // a zip of 50 MB on a slow line
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12()).app_name(app).retry_config(retries()).timeout_config(timeouts)
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(8).with_max_backoff(Duration::from_secs(20))
}

pub fn chosen_region<'a>(flag: Option<&'a str>, spec: Option<&'a str>) -> Result<Option<&'a str>> {
    match (flag, spec) {
        (Some(flag), Some(spec)) if flag != spec => {
            Err(Error::msg(format!("--region {flag} contradicts the spec, whose target is {spec}"))
                .hint("leave out --region, or change target.region in the spec"))
        }
        (flag, spec) => Ok(flag.or(spec)),
    }
}

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// An HTTP client that trusts the certificates of a PEM file besides the system's.
fn trusting(bundle: &std::path::Path) -> Result<SharedHttpClient> {
    let doing = || format!("reading the CA bundle {}", bundle.display());
    let pem = std::fs::read(bundle).map_err(|e| Error::new(doing(), e))?;
    if !pem.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE) {
        return Err(
            Error::new(doing(), "it holds no certificate").hint("it wants a PEM file, with BEGIN CERTIFICATE in it")
        );
    }
    let store = tls::TrustStore::default().with_pem_certificate(pem);
    let context = tls::TlsContext::builder().with_trust_store(store).build().map_err(|e| Error::new(doing(), e))?;
    let provider = tls::Provider::Rustls(CryptoMode::AwsLc);
    Ok(aws_smithy_http_client::Builder::new().tls_provider(provider).tls_context(context).build_https())
}

fn explain(error: Error) -> Error {
    let said = error.to_string();
    let hint = match error.code() {
        Some("ExpiredToken" | "ExpiredTokenException") => {
            "the credentials have expired: sign in again (aws sso login, or aws login)"
        }
        Some("InvalidClientTokenId" | "UnrecognizedClientException") => {
            "AWS does not know these credentials: check AWS_ACCESS_KEY_ID or --profile"
        }
        Some("SignatureDoesNotMatch") => {
            "the secret does not fit the key: check AWS_SECRET_ACCESS_KEY and this machine's clock"
        }
        None if said.contains("credential") => {
            "no usable credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, pass --profile, sign in \
             with aws sso login or aws login, or add --local to need none"
        }
        None if said.contains("certificate") => {
            "if the endpoint's certificate is a private one, name its authority's PEM file with --ca-bundle or AWS_CA_BUNDLE"
        }
        Some(_) => "check which credentials these are, and what may be done with them",
        None => "check the network, --endpoint and --region",
    };
    error.hint(hint)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A context for what makes no call.
    pub(crate) fn nowhere() -> Cx {
        Cx::new(SdkConfig::builder().build(), names())
    }

    pub(crate) fn names() -> Names {
        Names {
            stack: "kinesis-test".into(),
            env: None,
            account: "111122223333".into(),
            region: "us-east-1".into(),
            tag_prefix: "provision".into(),
            iam_path: "/".into(),
        }
    }

    #[test]
    fn a_network_that_fails_is_not_told_as_missing_credentials() {
        let unreachable = explain(Error::new("asking AWS who is calling", "dispatch failure: dns error"));
        assert!(unreachable.what_next().is_some_and(|hint| hint.contains("network")), "{unreachable:?}");
        let nobody = explain(Error::new("asking AWS who is calling", "the credential provider was not enabled"));
        assert!(nobody.what_next().is_some_and(|hint| hint.contains("AWS_PROFILE")), "{nobody:?}");
        let private = explain(Error::new("asking AWS who is calling", "invalid peer certificate: UnknownIssuer"));
        assert!(private.what_next().is_some_and(|hint| hint.contains("--ca-bundle")), "{private:?}");
    }

    #[test]
    fn a_bundle_without_a_certificate_is_refused_by_name() {
        let error =
            trusting(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path()).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml: it holds no certificate"), "{error}");
    }

    #[test]
    fn the_flags_region_wins_over_nothing_and_may_not_contradict_the_spec() {
        let region = |flag, spec| chosen_region(flag, spec).map_err(|e| e.to_string());
        assert_eq!(region(Some("eu-west-1"), None), Ok(Some("eu-west-1")));
        assert_eq!(region(None, Some("eu-west-1")), Ok(Some("eu-west-1")));
        assert_eq!(region(None, None), Ok(None));
        assert_eq!(
            region(Some("us-east-1"), Some("eu-west-1")).unwrap_err(),
            "--region us-east-1 contradicts the spec, whose target is eu-west-1"
        );
    }
}
