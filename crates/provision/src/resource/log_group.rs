//! A CloudWatch log group and the log streams that its writer does not create itself.

use aws_facts::logs::GROUP_NAME;
use futures::future::try_join_all;

use super::shared::{Created, settle_created, tag_map};
use super::{Diff, Field, Gone, Resource, Scanned, by_tags};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::send::{self, found};

pub(crate) mod section;

const ABSENT: &str = "ResourceNotFoundException";

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// One of the values that CloudWatch Logs takes; `None` keeps for ever.
    pub retention_days: Option<u32>,
    /// Log streams made in advance: Firehose does not make its own.
    pub streams: Vec<String>,
}

/// The log group something writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogRef {
    /// Ours.
    Derived {
        /// The name on AWS that the spec gives it: entries that give the same one share the group. `None`: the one of its only user.
        name: Option<String>,
        /// `None`: kept for ever.
        retention_days: Option<u32>,
    },
    /// Somebody else's, by name.
    Existing(String),
}

impl LogRef {
    /// The group of one user, kept for ever.
    pub const DEFAULT: LogRef = LogRef::Derived { name: None, retention_days: None };

    /// The name on AWS; `default` is the one of its only user.
    pub fn physical(&self, default: impl FnOnce() -> String) -> String {
        match self {
            LogRef::Derived { name: None, .. } => default(),
            LogRef::Derived { name: Some(name), .. } | LogRef::Existing(name) => name.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub retention_days: Option<u32>,
    /// The first log streams in alphabetical order, 50 at most. Read only for the groups of delivery streams: those of a
    /// function are many, and not ours to manage.
    pub streams: Vec<String>,
}

impl Resource for LogGroup {
    const KIND: &'static str = "log_group";
    const ABSENT: Option<&'static str> = Some(ABSENT);
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        GROUP_NAME.admits(physical)
    }

    /// Lambda makes the group of a function whose role lets it, also after `down`, and after the function of another tool.
    fn is_used_untagged(physical: &str) -> bool {
        physical.starts_with("/aws/lambda/")
    }

    fn refs(&self) -> Vec<Address> {
        Vec::new()
    }

    fn live_refs(_: &Live, _: bool) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn diff(&self, live: &Live, _: &Name, _: &Names) -> Diff {
        let mut diff = Diff::default();
        diff.compare("retention", &days(live.retention_days), &days(self.retention_days));
        let missing = self.missing(live);
        if !missing.is_empty() {
            diff.push("streams", live.streams.join(", "), self.streams.join(", "), None);
        }
        diff
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        let mut said = vec![Field::known("retention", days(self.retention_days), self.retention_days.is_none())];
        if !self.streams.is_empty() {
            said.push(Field::said("streams", self.streams.join(", ")));
        }
        said
    }

    /// Ours are named after functions and delivery streams, or as a spec says.
    async fn list(cx: &Cx) -> Result<Scanned> {
        let mut names = vec![];
        let mut groups = cx.logs().describe_log_groups().into_paginator().items().send();
        while let Some(group) = groups.next().await {
            names.extend(group.map_err(|error| Error::aws("listing the log groups", error))?.log_group_name);
        }
        names.retain(|name| may_be_ours(name));
        Ok(by_tags::<LogGroup>(cx, names).await)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let (groups, streams) = futures::join!(describe(cx, name), log_streams(cx, name));
        match groups? {
            Some(retention_days) => Ok(Some(Live { retention_days, streams: streams? })),
            None => Ok(None),
        }
    }

    async fn tags(cx: &Cx, name: &Name, _: Option<&Live>) -> Result<Option<Tags>> {
        let call = cx.logs().list_tags_for_resource().resource_arn(cx.names.log_group_arn(&name.physical));
        let carried =
            found(send::ask(cx, name, format!("reading the tags of {name}"), || call.clone().send()).await, ABSENT)?;
        Ok(Some(carried.and_then(|carried| carried.tags).unwrap_or_default().into_iter().collect()))
    }

    async fn retag(cx: &Cx, name: &Name, _: &Live, set: &Tags, unset: &[String]) -> Result<()> {
        let (client, arn, doing) = (cx.logs(), cx.names.log_group_arn(&name.physical), format!("tagging {name}"));
        if !set.is_empty() {
            let call = client.tag_resource().resource_arn(&arn).set_tags(Some(tag_map(set)));
            send::change(cx, name, &doing, || call.clone().send()).await?;
        }
        if !unset.is_empty() {
            let call = client.untag_resource().resource_arn(arn).set_tag_keys(Some(unset.to_vec()));
            send::change(cx, name, doing, || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let call = cx.logs().create_log_group().log_group_name(&name.physical).set_tags(Some(tag_map(tags)));
        let (created, live) = match send::create(cx, name, format!("creating {name}"), || call.clone().send()).await {
            // A group without retention and streams is what the call makes: not worth a look.
            Ok(_) => (Created::Now, Some(Live { retention_days: None, streams: Vec::new() })),
            Err(error) if error.says("ResourceAlreadyExistsException", "") => {
                cx.ledger.created(name);
                (Created::Already, LogGroup::observe(cx, name).await?)
            }
            Err(error) => return Err(error),
        };
        let live = live.unwrap_or(Live { retention_days: None, streams: Vec::new() });
        settle_created(self, cx, name, tags, created, async { Ok(live) }).await
    }

    async fn update(&self, cx: &Cx, name: &Name, live: &Live, diff: &Diff) -> Result<()> {
        let (client, doing) = (cx.logs(), format!("updating {name}"));
        if diff.has("retention") {
            match self.retention_days {
                Some(days) => {
                    let call =
                        client.put_retention_policy().log_group_name(&name.physical).retention_in_days(days as i32);
                    send::change(cx, name, &doing, || call.clone().send()).await?;
                }
                None => {
                    let call = client.delete_retention_policy().log_group_name(&name.physical);
                    send::change(cx, name, &doing, || call.clone().send()).await?;
                }
            }
        }
        try_join_all(self.missing(live).into_iter().map(|stream| create_log_stream(cx, name, &name.physical, stream)))
            .await?;
        Ok(())
    }

    async fn delete(cx: &Cx, name: &Name, _: &Live) -> Result<Gone> {
        let call = cx.logs().delete_log_group().log_group_name(&name.physical);
        send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await?;
        Ok(Gone::Deleted)
    }
}

/// The groups of other AWS services and our records are left out: the tags of each group take a call.
fn may_be_ours(group: &str) -> bool {
    let of_our_kinds = ["/aws/lambda/", "/aws/kinesisfirehose/"].iter().any(|prefix| group.starts_with(prefix));
    of_our_kinds || !["/aws/", "/provision/"].iter().any(|prefix| group.starts_with(prefix))
}

impl LogGroup {
    fn missing(&self, live: &Live) -> Vec<&String> {
        self.streams.iter().filter(|stream| !live.streams.contains(stream)).collect()
    }
}

/// The retention of the group, if it is there. AWS looks by prefix, so a longer name may come instead.
async fn describe(cx: &Cx, name: &Name) -> Result<Option<Option<u32>>> {
    // Groups come in alphabetical order, and the name itself is the first of those that it begins.
    let call = cx.logs().describe_log_groups().log_group_name_prefix(&name.physical).limit(1);
    let first = send::ask(cx, name, format!("reading {name}"), || call.clone().send())
        .await?
        .log_groups
        .unwrap_or_default()
        .pop();
    let group = first.filter(|group| group.log_group_name.as_deref() == Some(&name.physical));
    Ok(group.map(|group| group.retention_in_days.map(|days| days.max(0) as u32)))
}

async fn log_streams(cx: &Cx, name: &Name) -> Result<Vec<String>> {
    if name.physical.starts_with("/aws/lambda/") {
        return Ok(Vec::new());
    }
    let call = cx.logs().describe_log_streams().log_group_name(&name.physical);
    let streams = found(send::ask(cx, name, format!("reading {name}"), || call.clone().send()).await, ABSENT)?;
    let streams = streams.and_then(|answer| answer.log_streams).unwrap_or_default();
    Ok(streams.into_iter().filter_map(|stream| stream.log_stream_name).collect())
}

/// Creates a log stream in this group for `name`. One that exists is as good.
pub async fn create_log_stream(cx: &Cx, name: &Name, group: &str, stream: &str) -> Result<()> {
    let call = cx.logs().create_log_stream().log_group_name(group).log_stream_name(stream);
    found(
        send::change(cx, name, format!("creating log stream {stream} of {name}"), || call.clone().send()).await,
        "ResourceAlreadyExistsException",
    )?;
    Ok(())
}

fn days(days: Option<u32>) -> String {
    days.map_or("for ever".into(), |days| format!("{days}d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    #[test]
    fn retention_and_missing_streams_are_told_and_other_streams_left_alone() {
        let live = |retention_days, streams: &[&str]| Live {
            retention_days,
            streams: streams.iter().map(|s| s.to_string()).collect(),
        };
        let want = LogGroup { retention_days: Some(7), streams: vec!["DestinationDelivery".into()] };
        let table = [
            (live(Some(7), &["DestinationDelivery", "another"]), vec![]),
            (live(None, &["DestinationDelivery"]), vec![("retention", "for ever", "7d")]),
            (live(Some(7), &["another"]), vec![("streams", "another", "DestinationDelivery")]),
        ];
        for (live, expected) in table {
            let diff = want.diff(&live, &Name::new("log_group", "delivery-raw", "/aws/kinesisfirehose/raw"), &names());
            let told: Vec<_> =
                diff.changes.iter().map(|c| (c.field.as_str(), c.from.as_str(), c.to.as_str())).collect();
            assert_eq!(told, expected);
        }
    }
}
