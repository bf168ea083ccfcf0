//! Where we are: on AWS, at an endpoint, or in this process. The only place that knows.

use std::path::PathBuf;
use std::sync::Arc;

use aws_config::SdkConfig;

use crate::names::Names;

/// What every operation on a resource is given. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    /// The AWS SDK's configuration: region, credentials, endpoint, HTTP client, retries. Clients are made from it where they
    /// are used: `aws_sdk_kinesis::Client::new(&cx.sdk)`.
    pub sdk: SdkConfig,
    pub names: Arc<Names>,
    pub options: Options,
    /// Told what is being waited for, each time that changes: "role to be assumable".
    pub waiting: Arc<dyn Fn(&str) + Send + Sync>,
}

/// What the command line says about how to do things.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Wait until what is being deleted is gone.
    pub wait_until_gone: bool,
    /// Delete the data under our prefixes with them.
    pub purge_data: bool,
    /// Where artifacts are built and kept: `.provision` beside the spec's repository root.
    pub work_dir: PathBuf,
}

impl Cx {
    /// Tells the user what is being waited for.
    pub fn wait_for(&self, what: &str) {
        (self.waiting)(what);
    }

    /// An S3 client: path style wherever the endpoint is not AWS's own.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let path_style = self.sdk.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(path_style).build();
        aws_sdk_s3::Client::from_conf(config)
    }
}
