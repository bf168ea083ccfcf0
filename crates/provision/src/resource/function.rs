//! A Lambda function: configuration and code are updated separately, and code only when its hash differs. An alias follows
//! the newest version.

use std::collections::BTreeMap;

use aws_facts::lambda::FUNCTION_NAME;

use super::log_group::{LogGroup, LogRef};
use super::role::{self, Role};
use super::shared::{Created, deleted_meanwhile, settle_created, tag_map};
use super::{Diff, Field, Gone, Resource, Scanned, by_tags};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::send::{self, found};
use crate::wait::{self, LAG_LIMIT, Polling, STATE_LIMIT};

mod config;
mod desired;
mod package;
mod section;

pub use crate::artifact::Architecture;
pub use config::{Config, Deployed, log_group};
pub use desired::*;
pub use package::{Package, Upload};

const ABSENT: &str = "ResourceNotFoundException";
const CONFLICT: &str = "ResourceConflictException";
const ACTIVE: &str = "Active";

#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// `Active`, or what it is instead: its state, or that of its last update.
    pub status: String,
    /// Why its creation failed: then it must be made anew.
    pub failure: Option<String>,
    /// `$LATEST`.
    pub deployed: Deployed,
    /// By name: the version, and whether that is the same as `$LATEST`.
    pub aliases: BTreeMap<String, Alias>,
    /// Is `$LATEST` known to differ from the newest version? Only looked at where versions are published without an alias.
    pub unpublished: bool,
    /// `None`: it has none, or the caller may not list them (`lambda:ListTags`), for then GetFunction leaves them out.
    pub tags: Option<Tags>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub version: String,
    pub current: bool,
}

impl Resource for Function {
    const KIND: &'static str = "function";
    const ABSENT: Option<&'static str> = Some(ABSENT);
    const TAGS_COME_WITH_LIVE: bool = true;
    /// Its environment is encrypted with a grant for the role's id, which a new role of that name does not have.
    /// <https://github.com/hashicorp/terraform-provider-aws/issues/6352>
    const RENEWED_WITH: Option<&'static str> = Some(Role::KIND);
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        FUNCTION_NAME.admits(physical)
    }

    fn refs(&self) -> Vec<Address> {
        self.role.address().into_iter().collect()
    }

    /// The log group, where the role is somebody else's and may make it anew: a function that goes first writes no more. The role,
    /// where there are network interfaces: Lambda removes them with it.
    fn live_refs(live: &Live, _: bool) -> Vec<(&'static str, String)> {
        let Config { role, log_group, vpc, .. } = &live.deployed.config;
        let mut refs = Vec::new();
        if !role.contains("/provision/") {
            refs.push((LogGroup::KIND, log_group.clone()));
        }
        if vpc.is_some() {
            refs.push((Role::KIND, role.rsplit('/').next().unwrap_or_default().to_owned()));
        }
        refs
    }

    fn notes(live: &Live) -> Vec<String> {
        let interfaces = "Lambda removes its network interfaces up to 20 minutes later, with its role: until then its subnets and \
                          security groups cannot be deleted, and where the role is gone before, delete what is left of them by hand";
        live.deployed.config.vpc.iter().map(|_| interfaces.to_owned()).collect()
    }

    fn diff(&self, live: &Live, name: &Name, names: &Names) -> Diff {
        let mut diff = Diff::default();
        match &live.failure {
            Some(why) => diff.push("status", format!("Failed: {why}"), ACTIVE.into(), Some("its creation failed")),
            None => {
                diff.compare("status", live.status.as_str(), ACTIVE);
            }
        }
        live.deployed.config.differences(&self.config(name, names), &mut diff);
        diff.compare("architecture", live.deployed.architecture.as_str(), self.architecture.name());
        if let Code::Ready(package) = &self.code
            && package.sha256 != live.deployed.code_sha256
        {
            diff.push("code", short(&live.deployed.code_sha256), package.to_string(), None);
        }
        if let Some(alias) = &self.alias {
            match live.aliases.get(alias) {
                None => diff.push("alias", "none".into(), alias.clone(), None),
                Some(Alias { version, current: false }) => {
                    diff.push("alias", format!("{alias} -> {version}"), format!("{alias} -> a new version"), None);
                }
                Some(Alias { current: true, .. }) => {}
            }
        }
        if self.publish && live.unpublished {
            diff.push("version", "older than the function".into(), "a new version".into(), None);
        }
        diff
    }

    fn expected_wait_s(&self) -> u32 {
        10
    }

    fn summary(&self, name: &Name, names: &Names) -> Vec<Field> {
        let mut said = vec![Field::said("architecture", self.architecture.name())];
        if let Code::Ready(package) = &self.code {
            said.push(Field::said("code", package.to_string()));
        }
        said.extend(self.config(name, names).summary());
        said.extend(self.alias.as_ref().map(|alias| Field::said("alias", alias)));
        said
    }

    async fn prepare(&mut self, cx: &Cx, _: &Name) -> Result<()> {
        self.code = Code::Ready(package::prepare(self, cx).await?);
        Ok(())
    }

    async fn list(cx: &Cx) -> Result<Scanned> {
        let mut functions = cx.lambda().list_functions().into_paginator().items().send();
        let mut names = vec![];
        while let Some(function) = functions.next().await {
            names.extend(function.map_err(|error| Error::aws("listing the functions", error))?.function_name);
        }
        Ok(by_tags::<Function>(cx, names).await)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let (live, aliases) = futures::join!(describe(cx, name, None), aliases(cx, name));
        let (Some(mut live), versions) = (live?, aliases?) else {
            return Ok(None);
        };
        for (alias, version) in versions {
            let target = describe(cx, name, Some(&alias)).await?;
            let current = target.is_some_and(|target| target.deployed == live.deployed);
            live.aliases.insert(alias, Alias { version, current });
        }
        Ok(Some(live))
    }

    /// An `up` that was stopped after it had changed the function leaves it without a version: nothing else tells.
    async fn look_further(&self, cx: &Cx, name: &Name, live: &mut Live) -> Result<()> {
        if self.publish && self.alias.is_none() {
            live.unpublished = match newest_version(cx, name).await? {
                Some(version) => describe(cx, name, Some(&version)).await?.is_none_or(|v| v.deployed != live.deployed),
                None => true,
            };
        }
        Ok(())
    }

    async fn tags(cx: &Cx, name: &Name, live: Option<&Live>) -> Result<Option<Tags>> {
        match live.and_then(|live| live.tags.clone()) {
            Some(tags) => Ok(Some(tags)),
            None => listed_tags(cx, name).await.map(Some),
        }
    }

    async fn retag(cx: &Cx, name: &Name, _: &Live, set: &Tags, unset: &[String]) -> Result<()> {
        let (client, arn) = (cx.lambda(), cx.names.function_arn(&name.physical));
        let doing = format!("tagging {name}");
        if !set.is_empty() {
            let call = client.tag_resource().resource(&arn).set_tags(Some(tag_map(set)));
            send::change(cx, name, &doing, || call.clone().send()).await?;
        }
        if !unset.is_empty() {
            let call = client.untag_resource().resource(arn).set_tag_keys(Some(unset.to_vec()));
            send::change(cx, name, doing, || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let created = match self.create_call(cx, name, tags).await {
            Ok(()) => Created::Now,
            Err(error) if error.says(CONFLICT, "already exist") => {
                cx.ledger.created(name);
                Created::Already
            }
            Err(error) => return Err(error),
        };
        settle_created(self, cx, name, tags, created, ready(cx, name)).await
    }

    async fn update(&self, cx: &Cx, name: &Name, live: &Live, diff: &Diff) -> Result<()> {
        if diff.has("status") {
            ready(cx, name).await?;
        }
        if config::FIELDS.iter().any(|field| diff.has(field)) {
            self.update_config(cx, name).await?;
            self.updated(cx, name, &config::FIELDS).await?;
        }
        if diff.has("code") || diff.has("architecture") {
            self.update_code(cx, name).await?;
            self.updated(cx, name, &["code", "architecture"]).await?;
        }
        if self.publishes() {
            let version = publish(cx, name).await?;
            if let Some(alias) = &self.alias {
                point(cx, name, alias, &version, live.aliases.contains_key(alias)).await?;
            }
        }
        Ok(())
    }

    async fn delete(cx: &Cx, name: &Name, _: &Live) -> Result<Gone> {
        let call = cx.lambda().delete_function().function_name(&name.physical);
        send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await?;
        Ok(Gone::Deleted)
    }
}

impl Function {
    fn publishes(&self) -> bool {
        self.publish || self.alias.is_some()
    }

    fn package(&self) -> Result<&Package> {
        match &self.code {
            Code::Ready(package) => Ok(package),
            Code::Crate { .. } | Code::Zip { .. } | Code::Dir { .. } | Code::S3 { .. } => {
                Err(Error::msg("the function's code was not prepared"))
            }
        }
    }

    async fn create_call(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let (config, package) = (self.config(name, &cx.names), self.package()?);
        let mistake = async || role::mistake(cx, &self.role, "lambda.amazonaws.com").await;
        let call = cx.lambda().create_function().function_name(&name.physical).code(package.function_code());
        let call = config.create(call).architectures(self.architecture.name().into()).publish(self.publishes());
        let call = call.set_tags(Some(tag_map(tags)));
        let send = || call.clone().send();
        send::create_doubting(cx, name, format!("creating {name}"), mistake, send).await.map(drop)
    }

    async fn update_config(&self, cx: &Cx, name: &Name) -> Result<()> {
        let config = self.config(name, &cx.names);
        let mistake = async || role::mistake(cx, &self.role, "lambda.amazonaws.com").await;
        let call = config.update(cx.lambda().update_function_configuration().function_name(&name.physical));
        let doing = format!("updating the configuration of {name}");
        send::change_doubting(cx, name, doing, mistake, || call.clone().send()).await
    }

    async fn update_code(&self, cx: &Cx, name: &Name) -> Result<()> {
        let call = self.package()?.update(cx.lambda().update_function_code().function_name(&name.physical));
        let call = call.architectures(self.architecture.name().into());
        send::change(cx, name, format!("updating the code of {name}"), || call.clone().send()).await
    }

    /// Waits until the function runs what it was last given. Lambda may show what there was before for a while.
    async fn updated(&self, cx: &Cx, name: &Name, fields: &[&str]) -> Result<()> {
        let what = format!("the update of {name} to show");
        let shows = wait::within(cx, &what, Polling::FUNCTION, LAG_LIMIT, || async {
            let diff = self.diff(&ready(cx, name).await?, name, &cx.names);
            Ok((!fields.iter().any(|field| diff.has(field))).then_some(()))
        });
        match shows.await? {
            Some(()) => Ok(()),
            None => {
                let why = format!("AWS accepted the update but does not show it after {} s", LAG_LIMIT.as_secs());
                Err(Error::new(format!("updating {name}"), why).hint("run the command again"))
            }
        }
    }
}

/// The function, or what a qualifier of it stands for; without its aliases.
async fn describe(cx: &Cx, name: &Name, qualifier: Option<&str>) -> Result<Option<Live>> {
    let call = cx.lambda().get_function().function_name(&name.physical).set_qualifier(qualifier.map(str::to_owned));
    let described = found(send::ask(cx, name, format!("reading {name}"), || call.clone().send()).await, ABSENT)?;
    Ok(described.and_then(|got| Some(config::live(name, got.configuration?, got.tags))))
}

async fn listed_tags(cx: &Cx, name: &Name) -> Result<Tags> {
    let call = cx.lambda().list_tags().resource(cx.names.function_arn(&name.physical));
    let listed =
        found(send::ask(cx, name, format!("reading the tags of {name}"), || call.clone().send()).await, ABSENT)?;
    Ok(listed.and_then(|listed| listed.tags).unwrap_or_default().into_iter().collect())
}

async fn aliases(cx: &Cx, name: &Name) -> Result<Vec<(String, String)>> {
    let call = cx.lambda().list_aliases().function_name(&name.physical);
    let listed =
        found(send::ask(cx, name, format!("reading the aliases of {name}"), || call.clone().send()).await, ABSENT)?;
    let aliases = listed.and_then(|listed| listed.aliases).unwrap_or_default();
    Ok(aliases.into_iter().filter_map(|alias| alias.name.zip(alias.function_version)).collect())
}

/// The highest number that was published.
async fn newest_version(cx: &Cx, name: &Name) -> Result<Option<String>> {
    let mut versions =
        cx.lambda().list_versions_by_function().function_name(&name.physical).into_paginator().items().send();
    let mut newest: Option<u64> = None;
    while let Some(version) = versions.next().await {
        let version = version.map_err(|error| Error::aws(format!("reading the versions of {name}"), error));
        let Some(version) = found(version, ABSENT)? else { break };
        newest = newest.max(version.version.and_then(|number| number.parse().ok()));
    }
    Ok(newest.map(|number| number.to_string()))
}

/// Waits until it runs its newest code and configuration. Aliases are not read.
async fn ready(cx: &Cx, name: &Name) -> Result<Live> {
    wait::until(cx, &format!("{name} to be Active"), Polling::FUNCTION, STATE_LIMIT, || async {
        let live = describe(cx, name, None).await?;
        let live = live.ok_or_else(|| deleted_meanwhile(name))?;
        match &live.failure {
            Some(why) => Err(Error::new(format!("waiting for {name}"), why.clone())),
            None if live.status.starts_with("Failed") => Err(Error::new(format!("updating {name}"), live.status)),
            None => Ok((live.status == ACTIVE).then_some(live)),
        }
    })
    .await
}

/// A version of what is there now: a new one only if something changed since the last.
async fn publish(cx: &Cx, name: &Name) -> Result<String> {
    let doing = format!("publishing a version of {name}");
    let call = cx.lambda().publish_version().function_name(&name.physical);
    let published = send::ask(cx, name, &doing, || call.clone().send()).await?;
    published.version.ok_or_else(|| Error::new(&doing, "the answer names no version"))
}

async fn point(cx: &Cx, name: &Name, alias: &str, version: &str, there: bool) -> Result<()> {
    let (client, doing) = (cx.lambda(), format!("pointing alias {alias} of {name} at version {version}"));
    if !there {
        let call = client.create_alias().function_name(&name.physical).name(alias).function_version(version);
        match send::change(cx, name, &doing, || call.clone().send()).await {
            Err(error) if error.code() == Some(CONFLICT) => {}
            other => return other,
        }
    }
    let call = client.update_alias().function_name(&name.physical).name(alias).function_version(version);
    send::change(cx, name, doing, || call.clone().send()).await
}

fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}
