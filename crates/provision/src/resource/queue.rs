//! An SQS queue.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

use super::shared::{named, tag_map};
use super::{Diff, Field, Gone, Resource, Scanned, by_tags, fields};
use crate::cloud::{Cx, client};
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::section::{Lower, Section};
use crate::send::{self, found};
use crate::yaml::scalar::{Seconds, Time, patterns};
use crate::yaml::shape::{At, record, said};

const ABSENT: &str = "AWS.SimpleQueueService.NonExistentQueue";

patterns! {
    QueueName[usize::MAX] = "[a-zA-Z0-9_-]+", "letters, digits, `_` and `-`";
    QueueId[2048] = "arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[a-zA-Z0-9_-]{1,80}|[a-zA-Z0-9_-]{1,80}", "a queue's name or ARN";
}

record! {
    /// An SQS queue.
    QueueFields {
        /// How long messages are kept.
        retention: Seconds<60, 1209600> = "345600s";
        /// How long a message is hidden once it was received.
        visibility_timeout: Seconds<0, 43200> = "30s";
    }
}

/// Desired, and live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub retention_s: u32,
    pub visibility_timeout_s: u32,
}

impl Section for Queue {
    type Fields = QueueFields;
    type Name = QueueName;
    type Id = QueueId;
    const NOUN: &'static str = "a queue";
    const NAME_MAX: usize = 80;

    fn read(_: &mut Lower, _: &At<String>, _: &str, fields: QueueFields) -> Option<Queue> {
        Some(Queue { retention_s: fields.retention().0, visibility_timeout_s: fields.visibility_timeout().0 })
    }

    fn fields(&self) -> QueueFields {
        QueueFields {
            retention: said(Time(self.retention_s)),
            visibility_timeout: said(Time(self.visibility_timeout_s)),
            ..QueueFields::default()
        }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.arn("sqs", name)
    }
}

impl Queue {
    fn attributes(&self) -> HashMap<QueueAttributeName, String> {
        HashMap::from([
            (QueueAttributeName::MessageRetentionPeriod, self.retention_s.to_string()),
            (QueueAttributeName::VisibilityTimeout, self.visibility_timeout_s.to_string()),
        ])
    }
}

fn url(cx: &Cx, name: &Name) -> String {
    format!("https://sqs.{}.amazonaws.com/{}/{}", cx.names.region, cx.names.account, name.physical)
}

impl Resource for Queue {
    const KIND: &'static str = "queue";
    const HOLDS_DATA: bool = true;
    const ABSENT: Option<&'static str> = Some(ABSENT);
    type Live = Queue;

    fn is_name(physical: &str) -> bool {
        named(physical, 80, "_-")
    }

    fn refs(&self) -> Vec<Address> {
        vec![]
    }

    fn live_refs(_: &Queue, _: bool) -> Vec<(&'static str, String)> {
        vec![]
    }

    fn diff(&self, live: &Queue, _: &Name, _: &Names) -> Diff {
        fields::diff(&live.fields(), &self.fields(), &[])
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        fields::summary(&self.fields())
    }

    async fn list(cx: &Cx) -> Result<Scanned> {
        let mut urls = client!(cx, aws_sdk_sqs).list_queues().into_paginator().items().send();
        let mut names = vec![];
        while let Some(url) = urls.next().await {
            let url = url.map_err(|error| Error::aws("listing the queues", error))?;
            names.extend(url.rsplit('/').next().map(str::to_owned));
        }
        Ok(by_tags::<Queue>(cx, names).await)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Queue>> {
        let call = client!(cx, aws_sdk_sqs).get_queue_attributes().queue_url(url(cx, name));
        let call = call.attribute_names(QueueAttributeName::All);
        let answer = found(send::ask(cx, name, format!("reading {name}"), || call.clone().send()).await, ABSENT)?;
        let Some(attributes) = answer.and_then(|answer| answer.attributes) else { return Ok(None) };
        let number = |name| attributes.get(&name).and_then(|value| value.parse().ok()).unwrap_or(0);
        Ok(Some(Queue {
            retention_s: number(QueueAttributeName::MessageRetentionPeriod),
            visibility_timeout_s: number(QueueAttributeName::VisibilityTimeout),
        }))
    }

    async fn tags(cx: &Cx, name: &Name, _: Option<&Queue>) -> Result<Option<Tags>> {
        let call = client!(cx, aws_sdk_sqs).list_queue_tags().queue_url(url(cx, name));
        let answer = send::ask(cx, name, format!("reading the tags of {name}"), || call.clone().send()).await;
        Ok(Some(found(answer, ABSENT)?.and_then(|answer| answer.tags).unwrap_or_default().into_iter().collect()))
    }

    async fn retag(cx: &Cx, name: &Name, _: &Queue, set: &Tags, unset: &[String]) -> Result<()> {
        let (client, doing) = (client!(cx, aws_sdk_sqs), format!("tagging {name}"));
        if !set.is_empty() {
            let call = client.tag_queue().queue_url(url(cx, name)).set_tags(Some(tag_map(set)));
            send::change(cx, name, &doing, || call.clone().send()).await?;
        }
        if !unset.is_empty() {
            let call = client.untag_queue().queue_url(url(cx, name)).set_tag_keys(Some(unset.to_vec()));
            send::change(cx, name, doing, || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let call = client!(cx, aws_sdk_sqs).create_queue().queue_name(&name.physical);
        let call = call.set_attributes(Some(self.attributes())).set_tags(Some(tag_map(tags)));
        send::create(cx, name, format!("creating {name}"), || call.clone().send()).await.map(drop)
    }

    async fn update(&self, cx: &Cx, name: &Name, _: &Queue, _: &Diff) -> Result<()> {
        let call = client!(cx, aws_sdk_sqs).set_queue_attributes().queue_url(url(cx, name));
        let call = call.set_attributes(Some(self.attributes()));
        send::change(cx, name, format!("updating {name}"), || call.clone().send()).await
    }

    async fn delete(cx: &Cx, name: &Name, _: &Queue) -> Result<Gone> {
        let call = client!(cx, aws_sdk_sqs).delete_queue().queue_url(url(cx, name));
        send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await?;
        Ok(Gone::Deleted)
    }
}
