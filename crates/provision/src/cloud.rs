//! The connection to AWS, to an endpoint, or to the emulator in this process. No other module knows which of them it is.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::job::Job;
use crate::ledger::Ledger;
use crate::names::Names;
use crate::seen::Seen;
use crate::waits::{Doing, Task, Waits};

mod answer;
pub mod calls;
mod connect;
mod http;
pub mod identity;
pub mod pace;
mod profile;

pub use answer::Answer;
pub use calls::{Call, Calls};
pub use connect::{Caller, Target, account, chosen_region, connect, local_port, own_endpoints, within};
use identity::Identity;
use pace::Paced;

/// The context of every operation on a resource. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    /// The AWS SDK's configuration: region, credentials, endpoint, HTTP client, retries. Clients come from the methods
    /// below, so that every call is recorded in `calls`.
    pub sdk: SdkConfig,
    pub names: Arc<Names>,
    pub options: Options,
    /// Told what is being waited for ("role to be assumable") and worked on, each time that changes.
    pub waiting: Arc<dyn Fn(Doing<'_>) + Send + Sync>,
    pub calls: Calls,
    pub waits: Waits,
    /// Results of the survey that several resources need.
    pub seen: Seen,
    /// Resources that this run created or changed so far.
    pub ledger: Ledger,
    /// Whether the account in `names` is the caller's.
    pub identity: Identity,
    pub clients: Clients,
}

/// One client for each service, made when it is first needed. Clones share them.
#[derive(Clone, Default)]
pub struct Clients(Arc<Mutex<HashMap<TypeId, Box<dyn Any + Send + Sync>>>>);

impl Clients {
    /// The client of this type.
    pub fn get<C: Clone + Send + Sync + 'static>(&self, make: impl FnOnce() -> C) -> C {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let client = made.entry(TypeId::of::<C>()).or_insert_with(|| Box::new(make()));
        client.downcast_ref::<C>().expect("it stands under its own type").clone()
    }
}

/// Options of the command line.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Wait until what is being deleted is gone.
    pub wait_until_gone: bool,
    /// Which data is deleted together with the prefixes.
    pub purge_data: Purge,
    /// The survey confirms the account of the credentials, in parallel with its reads.
    pub confirms_late: bool,
    /// Find what is ours by the services' own lists too: a record may be lost or wrong.
    pub scan: bool,
    /// Whether the observed resources may be deleted, which requires reading more of them.
    pub deletes: bool,
    /// The whole environment is being deleted, and with it the data of which its spec said so at `up`.
    pub takes_down: bool,
    /// There is such data.
    pub data_goes: bool,
    /// The owner to write into the record.
    pub owner: Option<String>,
    /// Where this runs, for others that want to change the same environment.
    pub job: Job,
    /// Seconds from now until the environment expires.
    pub ttl_s: Option<i64>,
    /// The folder for build artifacts: `.provision` in the root of the spec's repository.
    pub work_dir: PathBuf,
    /// Functions run on this machine, so that its processor has to do.
    pub runs_here: bool,
}

impl Options {
    /// Is data deleted in this run? Then whoever writes it is gone first.
    pub fn purges(&self) -> bool {
        self.purge_data.deletes() || self.data_goes
    }
}

/// The data that a deletion includes.
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

/// The client of a service by its SDK crate, which records its calls: `client!(cx, aws_sdk_sqs)`. A macro, because the services'
/// configurations share no trait.
macro_rules! client {
    ($cx:expr, $sdk:ident) => {
        $cx.clients.get(|| {
            let config = $sdk::config::Builder::from(&$cx.sdk).interceptor($cx.calls.clone());
            $sdk::Client::from_conf(config.build())
        })
    };
}
// A new kind's; the clients of those that there are have methods, because tests and commands use them too.
#[cfg_attr(not(test), expect(unused_imports))]
pub(crate) use client;

impl Cx {
    /// A context that waits silently, with default options.
    pub fn new(sdk: SdkConfig, names: Names) -> Cx {
        Cx::counting(sdk, names, Calls::default())
    }

    /// The same, with a record of calls that some are in already. Its clients share one HTTP client, which keeps to AWS's rates.
    pub fn counting(sdk: SdkConfig, names: Names, calls: Calls) -> Cx {
        if sdk.endpoint_url().is_none() {
            calls.keep_to_rates();
        }
        let sdk = match sdk.http_client() {
            Some(client) => {
                let client = SharedHttpClient::new(Paced { client, pace: calls.pace.clone() });
                sdk.into_builder().http_client(client).build()
            }
            None => sdk,
        };
        Cx {
            sdk,
            names: Arc::new(names),
            options: Options::default(),
            waiting: Arc::new(|_| ()),
            calls,
            waits: Waits::default(),
            seen: Seen::default(),
            ledger: Ledger::default(),
            identity: Identity::default(),
            clients: Clients::default(),
        }
    }

    /// Reports to the user what is being waited for.
    pub fn wait_for(&self, what: &str) {
        (self.waiting)(Doing::Waiting(what));
    }

    /// Reports to the user how far some work on this machine is.
    pub fn work_on(&self, task: Task<'_>) {
        (self.waiting)(Doing::Task(task));
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
        self.clients.get(|| {
            let path_style = connect::endpoint(&self.sdk, "S3").is_some();
            let config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(path_style);
            aws_sdk_s3::Client::from_conf(config.interceptor(self.calls.clone()).build())
        })
    }
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
}
