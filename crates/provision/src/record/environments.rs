//! Every environment that has a record in the account and region.

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::{StreamExt, TryStreamExt};
use serde::Serialize;

use super::unescape;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Names, Tags};
use crate::plan::Members;
use crate::resource::Scanned;
use crate::scan;

/// The prefix of all records' names.
const RECORDS: &str = "/provision/";
/// AWS takes ten ListTagsForResource a second.
const AT_ONCE: usize = 5;

/// An environment, as its record describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    pub stack: String,
    pub env: Option<String>,
    /// The owner: the user of the last `up` that changed something.
    pub owner: Option<String>,
    /// Epoch seconds.
    pub created: i64,
    /// Epoch seconds. `None`: never.
    pub expires: Option<i64>,
    /// On the first page of the record.
    pub members: usize,
    /// Whether there is a record. Without one only the resources that a scan found are known.
    pub recorded: bool,
    /// Resources that a scan found and that are not in the record: `stream.events (name)`.
    pub unrecorded: Vec<String>,
}

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.env {
            Some(env) => write!(f, "stack {}, environment {env}", self.stack),
            None => write!(f, "stack {}", self.stack),
        }
    }
}

impl Environment {
    pub fn expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Ordered by stack and environment.
pub async fn all(cx: &Cx) -> Result<Vec<Environment>> {
    let client = cx.logs();
    let mut pages = client.describe_log_groups().log_group_name_prefix(RECORDS).into_paginator().items().send();
    let mut groups = vec![];
    while let Some(group) = pages.next().await {
        let group = group.map_err(|e| Error::aws("listing the records", e))?;
        groups.extend(group.log_group_name.map(|name| (name, group.creation_time.unwrap_or_default())));
    }
    let read = groups.into_iter().map(|(name, created_ms)| read(cx, name, created_ms / 1000));
    let found: Vec<Option<Environment>> = futures::stream::iter(read).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut found: Vec<Environment> = found.into_iter().flatten().collect();
    found.sort_by(|a, b| (&a.stack, &a.env).cmp(&(&b.stack, &b.env)));
    Ok(found)
}

/// Adds the resources that a scan found.
pub async fn with_unrecorded(
    cx: &Cx,
    mut all: Vec<Environment>,
    scanned: Option<&Scanned>,
) -> Result<Vec<Environment>> {
    for ((stack, env), found) in scanned.map(|scanned| scan::environments(scanned, &cx.names)).unwrap_or_default() {
        let names = Arc::new(Names { stack: stack.clone(), env: env.clone(), ..(*cx.names).clone() });
        let known = all.iter().position(|known| known.stack == stack && known.env == env);
        let members = match known {
            Some(_) => super::read(&Cx { names: names.clone(), ..cx.clone() }).await?.members(&names),
            None => Members::new(),
        };
        let recorded: HashSet<(&str, &str)> =
            members.iter().map(|(address, physical)| (address.kind, physical.as_str())).collect();
        let missing = found.iter().filter(|name| !recorded.contains(&(name.address.kind, name.physical.as_str())));
        let unrecorded: Vec<String> = missing.map(|name| format!("{} ({})", name.address, name.physical)).collect();
        match known {
            Some(index) => all[index].unrecorded = unrecorded,
            None => all.push(Environment { stack, env, unrecorded, ..Environment::default() }),
        }
    }
    all.sort_by(|a, b| (&a.stack, &a.env).cmp(&(&b.stack, &b.env)));
    Ok(all)
}

async fn read(cx: &Cx, group: String, created: i64) -> Result<Option<Environment>> {
    let asked = cx.logs().list_tags_for_resource().resource_arn(cx.names.log_group_arn(&group)).send().await;
    match asked.map_err(|e| Error::aws(format!("reading the record {group}"), e)) {
        Ok(answer) => {
            let tags = answer.tags.unwrap_or_default().into_iter().collect();
            Ok(environment(&group, &tags, &cx.names.tag_prefix, created))
        }
        Err(gone) if gone.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

/// `None` for what is not the first page of a record, by its name and its tags.
fn environment(group: &str, tags: &Tags, tag_prefix: &str, created: i64) -> Option<Environment> {
    let tag = |word: &str| tags.get(&format!("{tag_prefix}/{word}")).map(|value| unescape(value));
    let (stack, env) = group.strip_prefix(RECORDS)?.split_once('/')?;
    if tag("stack")? != stack || tag("env")? != env {
        return None;
    }
    let members = format!("{tag_prefix}/member/");
    Some(Environment {
        stack: stack.to_owned(),
        env: Some(env.to_owned()).filter(|env| env != "-"),
        owner: tag("owner"),
        created,
        expires: tag("expires").and_then(|at| at.parse().ok()),
        recorded: true,
        unrecorded: vec![],
        members: tags.keys().filter(|key| key.starts_with(&members)).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| (format!("provision/{key}"), value.to_string())).collect()
    }

    #[test]
    fn an_environment_is_told_by_the_name_and_the_tags_of_its_first_page() {
        let said = tags(&[
            ("stack", "demo"),
            ("env", "pr-42"),
            ("owner", "ana=20=b"),
            ("expires", "1700000000"),
            ("member/stream.events", "events"),
        ]);
        let found = environment("/provision/demo/pr-42", &said, "provision", 5).expect("it is one");
        assert_eq!(found.owner.as_deref(), Some("ana b"));
        assert_eq!((found.env.as_deref(), found.members, found.created), (Some("pr-42"), 1, 5));
        assert!(found.expired(1_700_000_000) && !found.expired(1_699_999_999));
        for other in ["/provision/demo/pr-42/1", "/provision/demo/pr-43", "/provision/demo", "/aws/lambda/demo/pr-42"] {
            assert_eq!(environment(other, &said, "provision", 5), None, "{other}");
        }
        let forever = environment("/provision/demo/-", &tags(&[("stack", "demo"), ("env", "-")]), "provision", 5);
        assert!(forever.is_some_and(|found| found.env.is_none() && !found.expired(i64::MAX)));
    }
}
