//! A function's configuration in the one form in which desired and live are compared.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_facts::lambda::{DEFAULT_TIMEOUT_S, EPHEMERAL_STORAGE_MIB, MEMORY_MIB};
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder;
use aws_sdk_lambda::types::{self as sdk, FunctionConfiguration, LastUpdateStatus, State};

use super::{ACTIVE, Function, Level, Live, LogFormat, LogRef, Vpc};
use crate::names::{Name, Names, Tags};
use crate::resource::{Diff, Field};

/// The fields of a [`Diff`] that UpdateFunctionConfiguration changes.
pub const FIELDS: [&str; 12] = [
    "runtime",
    "handler",
    "memory",
    "timeout",
    "ephemeral_storage",
    "description",
    "environment",
    "layers",
    "vpc",
    "role",
    "log",
    "log.format",
];

/// One version of a function: what it runs, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    pub config: Config,
    pub architecture: String,
    /// Base64.
    pub code_sha256: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub runtime: String,
    pub handler: String,
    pub memory_mib: u32,
    pub timeout_s: u32,
    pub ephemeral_storage_mib: u32,
    pub description: String,
    pub environment: BTreeMap<String, String>,
    pub layers: Vec<String>,
    pub vpc: Option<Vpc>,
    /// ARN.
    pub role: String,
    pub log_group: String,
    pub log_format: LogFormat,
}

impl Function {
    pub(super) fn config(&self, name: &Name, names: &Names) -> Config {
        Config {
            runtime: self.runtime.clone(),
            handler: self.handler.clone(),
            memory_mib: self.memory_mib,
            timeout_s: self.timeout_s,
            ephemeral_storage_mib: self.ephemeral_storage_mib,
            description: self.description.clone(),
            environment: self.environment.clone(),
            layers: self.layers.clone(),
            vpc: self.vpc.as_ref().and_then(|vpc| Vpc::sorted(vpc.subnets.clone(), vpc.security_groups.clone())),
            role: self.role.arn(names),
            log_group: log_group(&self.log, name),
            log_format: self.log_format,
        }
    }
}

/// The group that a function logs to.
pub fn log_group(log: &LogRef, name: &Name) -> String {
    log.physical(|| default_log_group(name))
}

impl Vpc {
    /// Order means nothing, and no subnets mean no VPC.
    fn sorted(mut subnets: Vec<String>, mut security_groups: Vec<String>) -> Option<Vpc> {
        subnets.sort();
        security_groups.sort();
        (!subnets.is_empty()).then_some(Vpc { subnets, security_groups })
    }
}

impl Config {
    /// Values of the environment are compared, never told.
    pub fn differences(&self, want: &Config, diff: &mut Diff) {
        diff.compare("runtime", &self.runtime, &want.runtime);
        diff.compare("handler", &self.handler, &want.handler);
        diff.compare("memory", &mib(self.memory_mib), &mib(want.memory_mib));
        diff.compare("timeout", &seconds(self.timeout_s), &seconds(want.timeout_s));
        diff.compare("ephemeral_storage", &mib(self.ephemeral_storage_mib), &mib(want.ephemeral_storage_mib));
        diff.compare("description", &self.description, &want.description);
        if self.environment != want.environment {
            let (from, to) = changed_names(&self.environment, &want.environment);
            diff.push("environment", from, to, None);
        }
        diff.compare("layers", &listed(&self.layers), &listed(&want.layers));
        diff.compare("vpc", &vpc(&self.vpc), &vpc(&want.vpc));
        diff.compare("role", &self.role, &want.role);
        diff.compare("log", &self.log_group, &want.log_group);
        diff.compare("log.format", &self.log_format.to_string(), &want.log_format.to_string());
    }

    pub fn summary(&self) -> Vec<Field> {
        vec![
            Field::said("runtime", self.runtime.as_str()),
            Field::said("handler", self.handler.as_str()),
            Field::known("memory", mib(self.memory_mib), self.memory_mib == MEMORY_MIB.min),
            Field::known("timeout", seconds(self.timeout_s), self.timeout_s == DEFAULT_TIMEOUT_S),
            Field::known(
                "ephemeral_storage",
                mib(self.ephemeral_storage_mib),
                self.ephemeral_storage_mib == EPHEMERAL_STORAGE_MIB.min,
            ),
            Field::known("environment", names(&self.environment), self.environment.is_empty()),
            Field::known("layers", listed(&self.layers), self.layers.is_empty()),
            Field::known("vpc", vpc(&self.vpc), self.vpc.is_none()),
            Field::said("log", self.log_group.as_str()),
            Field::known("log.format", self.log_format.to_string(), self.log_format == LogFormat::Text),
        ]
    }

    pub(super) fn create(&self, call: CreateFunctionFluentBuilder) -> CreateFunctionFluentBuilder {
        call.runtime(self.runtime.as_str().into())
            .handler(&self.handler)
            .role(&self.role)
            .memory_size(self.memory_mib as i32)
            .timeout(self.timeout_s as i32)
            .ephemeral_storage(self.storage())
            .description(&self.description)
            .environment(self.variables())
            .set_layers(Some(self.layers.clone()))
            .set_vpc_config(self.vpc.is_some().then(|| self.network()))
            .logging_config(self.logging())
    }

    /// The whole configuration: empty lists take back what is there.
    pub(super) fn update(
        &self,
        call: UpdateFunctionConfigurationFluentBuilder,
    ) -> UpdateFunctionConfigurationFluentBuilder {
        call.runtime(self.runtime.as_str().into())
            .handler(&self.handler)
            .role(&self.role)
            .memory_size(self.memory_mib as i32)
            .timeout(self.timeout_s as i32)
            .ephemeral_storage(self.storage())
            .description(&self.description)
            .environment(self.variables())
            .set_layers(Some(self.layers.clone()))
            .vpc_config(self.network())
            .logging_config(self.logging())
    }

    fn storage(&self) -> sdk::EphemeralStorage {
        sdk::EphemeralStorage::builder().size(self.ephemeral_storage_mib as i32).build().expect("the size is set")
    }

    fn variables(&self) -> sdk::Environment {
        let variables: HashMap<String, String> = self.environment.clone().into_iter().collect();
        sdk::Environment::builder().set_variables(Some(variables)).build()
    }

    fn network(&self) -> sdk::VpcConfig {
        let (subnets, groups) = self.vpc.clone().map(|vpc| (vpc.subnets, vpc.security_groups)).unwrap_or_default();
        sdk::VpcConfig::builder().set_subnet_ids(Some(subnets)).set_security_group_ids(Some(groups)).build()
    }

    fn logging(&self) -> sdk::LoggingConfig {
        let logging = sdk::LoggingConfig::builder().log_group(&self.log_group);
        match self.log_format {
            LogFormat::Text => logging.log_format(sdk::LogFormat::Text),
            LogFormat::Json { application, system } => logging
                .log_format(sdk::LogFormat::Json)
                .application_log_level(application.of_aws().as_str().into())
                .system_log_level(system.of_aws().as_str().into()),
        }
        .build()
    }
}

/// The answer of GetFunction, with AWS's defaults filled in.
pub(super) fn live(name: &Name, is: FunctionConfiguration, tags: Option<HashMap<String, String>>) -> Live {
    let failed = is.state == Some(State::Failed);
    Live {
        status: status(&is),
        failure: failed.then(|| is.state_reason.clone().unwrap_or_else(|| "no reason given".into())),
        aliases: BTreeMap::new(),
        unpublished: false,
        tags: tags.map(|tags| tags.into_iter().collect::<Tags>()),
        deployed: Deployed {
            architecture: is.architectures().first().map_or("x86_64", |a| a.as_str()).to_owned(),
            code_sha256: is.code_sha256.clone().unwrap_or_default(),
            config: config(name, is),
        },
    }
}

fn config(name: &Name, is: FunctionConfiguration) -> Config {
    let layers = is.layers.unwrap_or_default();
    let vpc = is.vpc_config.map(|vpc| (vpc.subnet_ids.unwrap_or_default(), vpc.security_group_ids.unwrap_or_default()));
    let environment = is.environment.and_then(|environment| environment.variables).unwrap_or_default();
    let logging = is.logging_config;
    Config {
        runtime: is.runtime.map(|runtime| runtime.as_str().to_owned()).unwrap_or_default(),
        handler: is.handler.unwrap_or_default(),
        memory_mib: is.memory_size.map_or(MEMORY_MIB.min, unsigned),
        timeout_s: is.timeout.map_or(DEFAULT_TIMEOUT_S, unsigned),
        ephemeral_storage_mib: is.ephemeral_storage.map_or(EPHEMERAL_STORAGE_MIB.min, |storage| unsigned(storage.size)),
        description: is.description.unwrap_or_default(),
        environment: environment.into_iter().collect(),
        layers: layers.into_iter().filter_map(|layer| layer.arn).collect(),
        vpc: vpc.and_then(|(subnets, groups)| Vpc::sorted(subnets, groups)),
        role: is.role.unwrap_or_default(),
        log_format: logging.as_ref().map_or(LogFormat::Text, log_format),
        log_group: logging.and_then(|logging| logging.log_group).unwrap_or_else(|| default_log_group(name)),
    }
}

fn log_format(logging: &sdk::LoggingConfig) -> LogFormat {
    match &logging.log_format {
        Some(sdk::LogFormat::Json) => LogFormat::Json {
            application: logging.application_log_level.as_ref().map_or(Level::Info, |level| Level::of(level.as_str())),
            system: logging.system_log_level.as_ref().map_or(Level::Info, |level| Level::of(level.as_str())),
        },
        _ => LogFormat::Text,
    }
}

impl Level {
    /// As AWS spells it.
    fn of_aws(self) -> String {
        format!("{self:?}").to_uppercase()
    }

    /// AWS's default for one that is not known here.
    fn of(text: &str) -> Level {
        let all = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
        all.into_iter().find(|level| level.of_aws() == text).unwrap_or(Level::Info)
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogFormat::Text => f.write_str("text"),
            LogFormat::Json { application, system } => {
                write!(f, "json, {} and system {}", application.of_aws(), system.of_aws())
            }
        }
    }
}

/// Idle functions are Inactive: the next invocation wakes them, so that is as good as Active.
fn status(is: &FunctionConfiguration) -> String {
    match (&is.state, &is.last_update_status) {
        (_, Some(LastUpdateStatus::InProgress)) => "updating".into(),
        (_, Some(LastUpdateStatus::Failed)) => {
            format!("Failed: {}", is.last_update_status_reason().unwrap_or("no reason given"))
        }
        (None | Some(State::Active | State::Inactive), _) => ACTIVE.into(),
        (Some(state), _) => state.as_str().to_owned(),
    }
}

fn default_log_group(name: &Name) -> String {
    format!("/aws/lambda/{}", name.physical)
}

/// The names on both sides; those whose value alone differs are marked.
fn changed_names(live: &BTreeMap<String, String>, want: &BTreeMap<String, String>) -> (String, String) {
    let mark = |(name, value): (&String, &String)| match live.get(name) {
        Some(other) if other != value => format!("{name} (changed)"),
        _ => name.clone(),
    };
    let to: Vec<String> = want.iter().map(mark).collect();
    (names(live), listed(&to))
}

fn names(environment: &BTreeMap<String, String>) -> String {
    listed(&environment.keys().cloned().collect::<Vec<_>>())
}

fn listed(items: &[String]) -> String {
    if items.is_empty() { "none".into() } else { items.join(", ") }
}

fn vpc(vpc: &Option<Vpc>) -> String {
    vpc.as_ref().map_or("none".into(), |vpc| format!("{} with {}", listed(&vpc.subnets), listed(&vpc.security_groups)))
}

fn mib(n: u32) -> String {
    format!("{n}MiB")
}

fn seconds(n: u32) -> String {
    format!("{n}s")
}

/// AWS's bounds keep these above zero.
fn unsigned(n: i32) -> u32 {
    n.max(0) as u32
}
