//! A function: what it is now, its versions and aliases, and how it moves from one state to the next.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::request::AwsError;
use crate::time::Millis;

use super::configuration::{ApplyOn, Configuration, OptimizationStatus, Settings};
use super::conflict;
use super::permission::Policy;
use super::status::{Phase, Status, UpdatePhase};

/// One function of one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    pub arn: String,
    pub created: Millis,
    /// `$LATEST`.
    pub latest: Configuration,
    /// `$LATEST` as it was before the update in progress. It runs until the update has settled.
    pub before: Option<Configuration>,
    /// When the state that does not last ends.
    pub settles_at: Option<Millis>,
    pub versions: BTreeMap<u32, Configuration>,
    /// The highest number ever given: none is given twice.
    pub last_version: u32,
    /// Code and settings of `$LATEST` when the newest version was made of it.
    #[serde(default)]
    pub published: Option<(String, Settings)>,
    pub aliases: BTreeMap<String, Alias>,
    /// Resource policies: of the function itself under the empty name, of a qualifier under its own.
    pub policies: BTreeMap<String, Policy>,
    pub tags: BTreeMap<String, String>,
    pub reserved_concurrency: Option<u32>,
    #[serde(default)]
    pub event_configs: super::event::EventConfigs,
    pub revisions: u64,
}

/// A name for a version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Alias {
    pub alias_arn: String,
    pub name: String,
    pub function_version: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_config: Option<Routing>,
    pub revision_id: String,
}

/// A second version that takes part of an alias's invocations: its share is from 0 to 1.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Routing {
    #[serde(default)]
    pub additional_version_weights: BTreeMap<String, f64>,
}

impl Function {
    /// The configuration of `$LATEST`, a version's number or an alias.
    pub fn configuration(&self, qualifier: Option<&str>) -> Option<&Configuration> {
        match qualifier {
            None | Some("$LATEST") => Some(&self.latest),
            Some(qualifier) => {
                let version = self.aliases.get(qualifier).map_or(qualifier, |alias| &alias.function_version);
                match version {
                    "$LATEST" => Some(&self.latest),
                    number => self.versions.get(&number.parse().ok()?),
                }
            }
        }
    }

    /// As lists of versions show them: `$LATEST`, by that name, then by number.
    pub fn listed(&self) -> Vec<Value> {
        let latest = Configuration { function_arn: format!("{}:$LATEST", self.arn), ..self.latest.clone() };
        std::iter::once(&latest).chain(self.versions.values()).map(Configuration::listed).collect()
    }

    /// Does any version run the code with this hash?
    pub fn runs(&self, code_sha256: &str) -> bool {
        let current = [Some(&self.latest), self.before.as_ref()];
        current.into_iter().flatten().chain(self.versions.values()).any(|version| version.code_sha256 == code_sha256)
    }

    /// Only a function at rest may be changed.
    pub fn at_rest(&self) -> Result<(), AwsError> {
        let status = &self.latest.status;
        match (status.state, status.last_update_status) {
            (Phase::Pending, _) => Err(pending()),
            (Phase::Active, Some(UpdatePhase::InProgress)) => Err(conflict(format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {}",
                self.arn
            ))),
            (Phase::Active, Some(UpdatePhase::Successful) | None) => Ok(()),
        }
    }

    /// The caller's optimistic lock: nothing given locks nothing.
    pub fn at_revision(&self, expected: Option<&str>) -> Result<(), AwsError> {
        same_revision(&self.latest.revision_id, expected, "GetFunction/GetAlias")
    }

    /// `$LATEST` becomes this; what was before runs on until the update has settled.
    pub fn update(&mut self, mut latest: Configuration, settles_at: Millis) {
        latest.status = Status::updating();
        latest.revision_id = self.next_revision();
        self.before = Some(std::mem::replace(&mut self.latest, latest));
        self.settles_at = Some(settles_at);
    }

    /// The state that does not last has ended.
    pub fn settle(&mut self) {
        self.settles_at = None;
        self.before = None;
        self.latest.status = Status::active();
        self.latest.revision_id = self.next_revision();
        self.versions.values_mut().for_each(|version| version.status = Status::active());
    }

    /// A UUID that this function never had.
    pub fn next_revision(&mut self) -> String {
        self.revisions += 1;
        let digest = Md5::digest(format!("{} {} {}", self.arn, self.created, self.revisions));
        uuid::Builder::from_md5_bytes(digest.into()).into_uuid().to_string()
    }

    /// `$LATEST` under the next number; or the newest version, where nothing of `$LATEST` has changed since.
    pub fn publish(&mut self, description: Option<String>) -> Configuration {
        let now = (self.latest.code_sha256.clone(), self.latest.settings.clone());
        if let Some(newest) = self.versions.get(&self.last_version).filter(|_| self.published.as_ref() == Some(&now)) {
            return newest.clone();
        }
        self.published = Some(now);
        self.last_version += 1;
        let mut version = self.latest.clone();
        version.version = self.last_version.to_string();
        version.function_arn = format!("{}:{}", self.arn, self.last_version);
        version.settings.description = description.unwrap_or(version.settings.description);
        version.revision_id = self.next_revision();
        if version.settings.snap_start.apply_on == ApplyOn::PublishedVersions {
            version.settings.snap_start.optimization_status = OptimizationStatus::On;
        }
        if self.settles_at.is_some() {
            version.status = Status::pending();
        }
        self.versions.insert(self.last_version, version.clone());
        self.latest.revision_id = self.next_revision();
        version
    }

    /// Deletes the policy and the settings for events of a version or alias.
    pub fn forget(&mut self, qualifier: &str) {
        self.policies.remove(qualifier);
        self.event_configs.remove(qualifier);
    }
}

pub fn pending() -> AwsError {
    conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    )
}

/// `told_by` is the operation that tells the current one.
pub fn same_revision(current: &str, expected: Option<&str>, told_by: &str) -> Result<(), AwsError> {
    if expected.is_none_or(|expected| expected == current) {
        return Ok(());
    }
    let message = format!(
        "The Revision Id provided does not match the latest Revision Id. Call the {told_by} API to retrieve the latest \
         Revision Id"
    );
    Err(AwsError::new("PreconditionFailedException", message).with_status(412))
}
