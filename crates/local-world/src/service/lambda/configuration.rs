//! A function's configuration: the shape that every Lambda answer shows, which is also how it is kept.

use aws_facts::lambda::{DEFAULT_TIMEOUT_S, EPHEMERAL_STORAGE_MIB, MEMORY_MIB, TIMEOUT_S};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::request::AwsError;
use crate::time::Millis;

use super::environment::Environment;
use super::layer::{self, Layer};
use super::status::Status;
use super::{invalid, runtime};

/// `FunctionConfiguration` of the service model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    pub function_name: String,
    pub function_arn: String,
    pub version: String,
    #[serde(flatten)]
    pub settings: Settings,
    pub code_sha256: String,
    pub code_size: usize,
    pub last_modified: String,
    pub revision_id: String,
    #[serde(flatten)]
    pub status: Status,
    pub package_type: String,
    pub runtime_version_config: Value,
}

/// Members that lists leave out.
const NOT_LISTED: &[&str] = &[
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
    "State",
    "StateReason",
    "StateReasonCode",
];

impl Configuration {
    /// As lists show it.
    pub fn listed(&self) -> Value {
        let mut shown = json!(self);
        if let Some(members) = shown.as_object_mut() {
            members.retain(|name, _| !NOT_LISTED.contains(&name.as_str()));
        }
        shown
    }
}

/// The settings that a caller decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Settings {
    pub role: String,
    pub runtime: String,
    pub handler: String,
    pub description: String,
    pub timeout: u32,
    pub memory_size: u32,
    pub architectures: Vec<String>,
    pub ephemeral_storage: Value,
    pub tracing_config: Value,
    #[serde(default)]
    pub snap_start: SnapStart,
    pub logging_config: LoggingConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_config: Option<Value>,
    #[serde(rename = "KMSKeyArn", skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SnapStart {
    pub apply_on: ApplyOn,
    pub optimization_status: OptimizationStatus,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyOn {
    #[default]
    None,
    PublishedVersions,
}

/// On of a published version that has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OptimizationStatus {
    #[default]
    Off,
    On,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoggingConfig {
    pub log_format: String,
    pub log_group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_log_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_log_level: Option<String>,
}

/// The settings that a create or an update gives. An update leaves the others as they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SettingsChange {
    pub role: Option<String>,
    pub runtime: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    architectures: Option<Vec<String>>,
    ephemeral_storage: Option<Value>,
    tracing_config: Option<Value>,
    snap_start: Option<SnapStart>,
    logging_config: Option<LoggingConfigChange>,
    environment: Option<Environment>,
    layers: Option<Vec<String>>,
    vpc_config: Option<Value>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingConfigChange {
    log_format: Option<String>,
    log_group: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
}

impl Settings {
    /// AWS's defaults, and the default log group of the function.
    pub fn default_of(function_name: &str) -> Settings {
        Settings {
            role: String::new(),
            runtime: String::new(),
            handler: String::new(),
            description: String::new(),
            timeout: DEFAULT_TIMEOUT_S,
            memory_size: MEMORY_MIB.min,
            architectures: vec!["x86_64".into()],
            ephemeral_storage: json!({ "Size": EPHEMERAL_STORAGE_MIB.min }),
            tracing_config: json!({ "Mode": "PassThrough" }),
            snap_start: SnapStart::default(),
            logging_config: LoggingConfig {
                log_format: "Text".into(),
                log_group: format!("/aws/lambda/{function_name}"),
                application_log_level: None,
                system_log_level: None,
            },
            environment: None,
            layers: vec![],
            vpc_config: None,
            kms_key_arn: None,
        }
    }

    /// These settings after the change; fails where Lambda refuses what it says.
    pub fn changed(&self, change: SettingsChange) -> Result<Settings, AwsError> {
        let old = self.clone();
        let settings = Settings {
            role: change.role.unwrap_or(old.role),
            runtime: change.runtime.unwrap_or(old.runtime),
            handler: change.handler.unwrap_or(old.handler),
            description: change.description.unwrap_or(old.description),
            timeout: change.timeout.unwrap_or(old.timeout),
            memory_size: change.memory_size.unwrap_or(old.memory_size),
            architectures: change.architectures.unwrap_or(old.architectures),
            ephemeral_storage: change.ephemeral_storage.unwrap_or(old.ephemeral_storage),
            tracing_config: change.tracing_config.unwrap_or(old.tracing_config),
            snap_start: change.snap_start.unwrap_or(old.snap_start),
            logging_config: old.logging_config.changed(change.logging_config),
            environment: change.environment.or(old.environment),
            layers: change.layers.map_or(old.layers, |arns| arns.into_iter().map(Layer::new).collect()),
            vpc_config: change.vpc_config.or(old.vpc_config),
            kms_key_arn: change.kms_key_arn.or(old.kms_key_arn).filter(|arn| !arn.is_empty()),
        };
        settings.acceptable()?;
        Ok(settings)
    }

    fn acceptable(&self) -> Result<(), AwsError> {
        let ephemeral = self.ephemeral_storage["Size"].as_u64().unwrap_or_default();
        let bounds = [
            ("timeout", u64::from(self.timeout), TIMEOUT_S),
            ("memorySize", u64::from(self.memory_size), MEMORY_MIB),
            ("ephemeralStorage.size", ephemeral, EPHEMERAL_STORAGE_MIB),
        ];
        if let Some((member, value, bounds)) = bounds.iter().find(|(_, value, bounds)| *value > u64::from(bounds.max)) {
            let most = bounds.max;
            return Err(invalid(format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
                 have value less than or equal to {most}"
            )));
        }
        layer::acceptable(&self.layers)?;
        if self.runtime.is_empty() || self.handler.is_empty() {
            return Err(invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        }
        runtime::acceptable(&self.runtime)?;
        self.environment.as_ref().map_or(Ok(()), Environment::acceptable)
    }
}

impl LoggingConfig {
    fn changed(self, change: Option<LoggingConfigChange>) -> LoggingConfig {
        let Some(change) = change else { return self };
        let log_format = change.log_format.unwrap_or(self.log_format);
        // Only lines in JSON have a level to choose by.
        let level = |new: Option<String>, old: Option<String>| match log_format.as_str() {
            "JSON" => Some(new.or(old).unwrap_or_else(|| "INFO".into())),
            _ => None,
        };
        LoggingConfig {
            application_log_level: level(change.application_log_level, self.application_log_level),
            system_log_level: level(change.system_log_level, self.system_log_level),
            log_group: change.log_group.unwrap_or(self.log_group),
            log_format,
        }
    }
}

/// `2025-01-02T03:04:05.678+0000`.
pub fn last_modified(now: Millis) -> String {
    let time = jiff::Timestamp::from_millisecond(now as i64).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}
