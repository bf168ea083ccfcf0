//! An IAM role with one inline policy: derived, one per delivery stream and per function, made of the statements that the
//! kinds say they need. Policies are compared as documents, not as text.

use aws_facts::iam::ROLE_NAME;
use aws_sdk_iam::types::Tag;
use futures::future::try_join_all;
use serde_json::Value;

use super::policy::{canonical, decoded, pretty};
use super::shared::{Created, answer, settle_created};
use super::{Diff, Field, Gone, Resource, Scanned, by_tags};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::send::{self, About, found};
use crate::wait::{self, LAG_LIMIT, Polling};

mod keys;
mod reference;
pub(crate) mod section;

pub use reference::{DerivedRole, RoleName, RoleRef};
pub(crate) use section::RoleFields;

pub use super::policy::{Statement, Trust, document};

const ABSENT: &str = "NoSuchEntity";
/// The name of the one inline policy that is ours.
const POLICY: &str = "provision";

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Begins and ends with `/`.
    pub path: String,
    /// The services that may assume it.
    pub trust: Trust,
    /// Statements of the inline policy.
    pub statements: Vec<Statement>,
    /// Streams and buckets that it uses and that may be encrypted with a key that the spec does not name.
    pub keys: Vec<KeyOf>,
    pub boundary: Option<String>,
}

/// Something of somebody else's that a role reads or writes, and that may be encrypted with a customer's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOf {
    /// A stream, by its ARN.
    Stream(String),
    /// A bucket by its name: its default encryption.
    Bucket(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub path: String,
    /// Both documents in canonical form.
    pub trust: Value,
    pub policy: Option<Value>,
    pub boundary: Option<String>,
    pub tags: Tags,
}

impl Resource for Role {
    const KIND: &'static str = "role";
    const TAGS_COME_WITH_LIVE: bool = true;
    const ABSENT: Option<&'static str> = Some(ABSENT);
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>
    const LINGERS: bool = true;
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        ROLE_NAME.admits(physical)
    }

    fn refs(&self) -> Vec<Address> {
        Vec::new()
    }

    fn live_refs(_: &Live, _: bool) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn diff(&self, live: &Live, _: &Name, names: &Names) -> Diff {
        let mut diff = Diff::default();
        diff.compare_immutable("path", &live.path, &self.path, "a role's path cannot be changed");
        diff.compare("trust", &pretty(&live.trust), &pretty(&canonical(&self.trust.document(&names.account))));
        diff.compare("policy", &shown(&live.policy), &shown(&self.policy()));
        let none = "none".to_owned();
        diff.compare("boundary", live.boundary.as_ref().unwrap_or(&none), self.boundary.as_ref().unwrap_or(&none));
        diff
    }

    fn expected_wait_s(&self) -> u32 {
        10
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        let actions: Vec<_> = self.statements.iter().flat_map(|s| s.action.iter().map(String::as_str)).collect();
        let mut said = vec![
            Field::said("path", self.path.as_str()),
            Field::said("trust", self.trust.services.join(", ")),
            Field::said("policy", actions.join(", ")),
        ];
        said.extend(self.boundary.as_ref().map(|arn| Field::said("boundary", arn)));
        said
    }

    /// Those whose path says that they are of a stack in this region.
    async fn list(cx: &Cx) -> Result<Scanned> {
        let mut roles = cx.iam().list_roles().path_prefix(&cx.names.iam_path).into_paginator().items().send();
        let mut names = vec![];
        while let Some(role) = roles.next().await {
            let role = role.map_err(|error| Error::aws("listing the roles", error))?;
            let path: Vec<&str> = role.path.trim_end_matches('/').rsplit('/').collect();
            if matches!(path[..], [_, region, _, "provision", ..] if region == cx.names.region) {
                names.push(role.role_name);
            }
        }
        Ok(by_tags::<Role>(cx, names).await)
    }

    async fn prepare(&mut self, cx: &Cx, _: &Name) -> Result<()> {
        let keys = self.keys.iter().map(|of| keys::statement(cx, of));
        self.statements.extend(try_join_all(keys).await?.into_iter().flatten());
        self.keys.clear();
        Ok(())
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let client = cx.iam();
        let role = client.get_role().role_name(&name.physical).send();
        let policy = client.get_role_policy().role_name(&name.physical).policy_name(POLICY).send();
        let (role, policy) = futures::join!(role, policy);
        let doing = format!("reading {name}");
        let policy = found(answer(&doing, policy), ABSENT)?;
        let Some(role) = found(answer(&doing, role), ABSENT)?.and_then(|answer| answer.role) else {
            return Ok(None);
        };
        let policy = policy.map(|policy| decoded(&policy.policy_document)).transpose()?;
        Ok(Some(Live { policy, ..live(role)? }))
    }

    async fn tags(cx: &Cx, name: &Name, live: Option<&Live>) -> Result<Option<Tags>> {
        match live {
            Some(live) => Ok(Some(live.tags.clone())),
            None => Ok(Some(Role::observe(cx, name).await?.map(|live| live.tags).unwrap_or_default())),
        }
    }

    async fn retag(cx: &Cx, name: &Name, _: &Live, set: &Tags, unset: &[String]) -> Result<()> {
        let (client, doing) = (cx.iam(), format!("tagging {name}"));
        if !set.is_empty() {
            let call = client.tag_role().role_name(&name.physical).set_tags(Some(sdk_tags(set)));
            send::change(cx, name, &doing, || call.clone().send()).await?;
        }
        if !unset.is_empty() {
            let call = client.untag_role().role_name(&name.physical).set_tag_keys(Some(unset.to_vec()));
            send::change(cx, name, doing, || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let call = cx.iam().create_role().role_name(&name.physical).path(&self.path);
        let call = call.assume_role_policy_document(self.trust.document(&cx.names.account).to_string());
        let call = call.set_permissions_boundary(self.boundary.clone()).set_tags(Some(sdk_tags(tags)));
        let (created, live) = match send::create(cx, name, format!("creating {name}"), || call.clone().send()).await {
            Ok(made) => (Created::Now, made.role.map(live).transpose()?),
            Err(error) if error.says("EntityAlreadyExists", "") => {
                // Since a moment ago, if the answer to an attempt of ours was lost: a read may not see it yet.
                cx.ledger.created(name);
                let what = format!("{name} to be seen");
                let seen = wait::within(cx, &what, Polling::CALLS, LAG_LIMIT, || Role::observe(cx, name)).await?;
                (Created::Already, seen)
            }
            Err(error) => return Err(error),
        };
        let live = live.ok_or_else(|| Error::new(format!("creating {name}"), "it appeared and disappeared again"))?;
        settle_created(self, cx, name, tags, created, async { Ok(live) }).await
    }

    async fn update(&self, cx: &Cx, name: &Name, _: &Live, diff: &Diff) -> Result<()> {
        if diff.has("trust") {
            let trust = self.trust.document(&cx.names.account).to_string();
            let call = cx.iam().update_assume_role_policy().role_name(&name.physical).policy_document(trust);
            send::change(cx, name, format!("updating the trust of {name}"), || call.clone().send()).await?;
        }
        if diff.has("policy") {
            self.put_policy(cx, name).await?;
        }
        if diff.has("boundary") {
            self.put_boundary(cx, name).await?;
        }
        Ok(())
    }

    async fn delete(cx: &Cx, name: &Name, _: &Live) -> Result<Gone> {
        delete_policy(cx, name).await?;
        let call = cx.iam().delete_role().role_name(&name.physical);
        let others = async || {
            conflict(cx, name)
                .await
                .unwrap_or_else(|why| Some(format!("what is attached to it could not be read: {why}")))
        };
        let send = || call.clone().send();
        match send::delete_doubting(cx, name, format!("deleting {name}"), ABSENT, others, send).await {
            Ok(_) => Ok(Gone::Deleted),
            Err(error) if error.code() == Some("DeleteConflict") => {
                Ok(Gone::Kept(error.what_next().unwrap_or("it has attachments").to_owned()))
            }
            Err(error) => Err(error),
        }
    }
}

impl Role {
    /// In canonical form. No policy at all where nothing is allowed: IAM takes none that is empty.
    fn policy(&self) -> Option<Value> {
        (!self.statements.is_empty()).then(|| canonical(&document(&self.statements)))
    }

    async fn put_policy(&self, cx: &Cx, name: &Name) -> Result<()> {
        if self.statements.is_empty() {
            return delete_policy(cx, name).await;
        }
        let call = cx.iam().put_role_policy().role_name(&name.physical).policy_name(POLICY);
        let call = call.policy_document(document(&self.statements).to_string());
        send::change(cx, name, format!("updating the policy of {name}"), || call.clone().send()).await
    }

    async fn put_boundary(&self, cx: &Cx, name: &Name) -> Result<()> {
        let (client, doing) = (cx.iam(), format!("updating the permissions boundary of {name}"));
        match &self.boundary {
            Some(arn) => {
                let call = client.put_role_permissions_boundary().role_name(&name.physical).permissions_boundary(arn);
                send::change(cx, name, doing, || call.clone().send()).await
            }
            None => {
                let call = client.delete_role_permissions_boundary().role_name(&name.physical);
                send::change(cx, name, doing, || call.clone().send()).await
            }
        }
    }
}

/// The answer of CreateRole and GetRole. The inline policy takes another call.
fn live(role: aws_sdk_iam::types::Role) -> Result<Live> {
    Ok(Live {
        trust: decoded(role.assume_role_policy_document().unwrap_or("null"))?,
        policy: None,
        boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
        tags: role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect(),
        path: role.path,
    })
}

async fn delete_policy(cx: &Cx, name: &Name) -> Result<()> {
    let call = cx.iam().delete_role_policy().role_name(&name.physical).policy_name(POLICY);
    found(send::change(cx, name, format!("deleting the policy of {name}"), || call.clone().send()).await, ABSENT)?;
    Ok(())
}

/// Why IAM does not delete the role: what others put on it. `None` where there is nothing of the kind: IAM lags behind then.
async fn conflict(cx: &Cx, name: &Name) -> Result<Option<String>> {
    let (client, doing) = (cx.iam(), format!("reading what is attached to {name}"));
    let attached = client.list_attached_role_policies().role_name(&name.physical).send();
    let inline = client.list_role_policies().role_name(&name.physical).send();
    let profiles = client.list_instance_profiles_for_role().role_name(&name.physical).send();
    let (attached, inline, profiles) = futures::join!(attached, inline, profiles);
    let attached = answer(&doing, attached)?.attached_policies.unwrap_or_default();
    let mut policies: Vec<String> = attached.into_iter().filter_map(|policy| policy.policy_name).collect();
    // Ours was just deleted, and may still be listed.
    policies.extend(answer(&doing, inline)?.policy_names.into_iter().filter(|policy| policy != POLICY));
    let profiles: Vec<String> =
        answer(doing, profiles)?.instance_profiles.into_iter().map(|profile| profile.instance_profile_name).collect();
    Ok(match (policies.is_empty(), profiles.is_empty()) {
        (true, true) => None,
        (false, _) => Some(format!("it has policies that provision did not attach: {}", policies.join(", "))),
        (true, false) => {
            Some(format!("it is in instance profiles that provision did not create: {}", profiles.join(", ")))
        }
    })
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build().expect("key and value are set");
    tags.iter().map(tag).collect()
}

fn shown(policy: &Option<Value>) -> String {
    policy.as_ref().map_or("none".into(), pretty)
}

/// Why a service does not take a role, where that can be seen and no time heals it: the role is not there, or its trust policy
/// does not name the service. Whoever may not look sees no mistake; somebody else's role is not looked at, because with existing
/// roles not one IAM call is made.
pub async fn mistake(cx: &Cx, role: &RoleRef, service: &str) -> Option<String> {
    let RoleRef::Derived(role) = role else { return None };
    let name = role.physical(&cx.names);
    let call = cx.iam().get_role().role_name(&name);
    let asked = send::ask(cx, About::new(Role::KIND, &name), "looking at a role", || call.clone().send());
    let role = match found(asked.await, ABSENT) {
        Ok(found) => found.and_then(|answer| answer.role),
        Err(_) => return None,
    };
    let Some(role) = role else {
        return Some(format!("role {name} no longer exists: run the command again"));
    };
    let trusts = decoded(role.assume_role_policy_document()?).ok()?;
    match trusts.to_string().contains(service) {
        true => None,
        false => Some(format!("the trust policy of role {name} does not allow {service} to assume it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    fn want() -> Role {
        Role {
            path: "/provision/kinesis-test/us-east-1/-/".into(),
            trust: Trust::of("lambda.amazonaws.com"),
            statements: vec![Statement::allow(&["logs:PutLogEvents"], vec!["arn:a".into()])],
            keys: vec![],
            boundary: None,
        }
    }

    fn there() -> Live {
        Live {
            path: want().path,
            trust: canonical(&want().trust.document("111122223333")),
            policy: want().policy(),
            boundary: None,
            tags: Tags::new(),
        }
    }

    #[test]
    fn documents_and_boundary_change_in_place_and_the_path_replaces() {
        let other = || Some(canonical(&document(&[Statement::allow(&["s3:*"], vec!["*".into()])])));
        let table: Vec<(Role, Live, Option<&str>, bool)> = vec![
            (want(), there(), None, false),
            (want(), Live { policy: other(), ..there() }, Some("policy"), false),
            (want(), Live { policy: None, ..there() }, Some("policy"), false),
            (Role { statements: vec![], ..want() }, there(), Some("policy"), false),
            (Role { statements: vec![], ..want() }, Live { policy: None, ..there() }, None, false),
            (Role { trust: Trust::of("firehose.amazonaws.com"), ..want() }, there(), Some("trust"), false),
            (Role { boundary: Some("arn:b".into()), ..want() }, there(), Some("boundary"), false),
            (want(), Live { boundary: Some("arn:b".into()), ..there() }, Some("boundary"), false),
            (want(), Live { path: "/".into(), ..there() }, Some("path"), true),
        ];
        for (want, live, field, replaces) in table {
            let diff = want.diff(&live, &Name::new("role", "function-square", "r"), &names());
            assert_eq!(diff.changes.iter().map(|c| c.field.as_str()).next(), field);
            assert_eq!((diff.changes.len(), diff.replaces()), (usize::from(field.is_some()), replaces));
        }
    }
}
