//! A Kinesis data stream. Everything but its name changes in place, one change at a time: after each it must be ACTIVE again.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_facts::kinesis::{MAX_RECORD_KIB, STREAM_NAME, STREAMS_CREATING_OR_DELETING};
use aws_sdk_kinesis::types::{EncryptionType, MetricsName, StreamDescriptionSummary};
use aws_sdk_kinesis::types::{StreamMode, StreamStatus};
use tokio::time::Instant;

use super::shared::{create_when_free, deleted_meanwhile, settle_created, tag_map};
use super::{Diff, Field, Gone, Resource, Scanned, by_tags, fields};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::section::Section;
use crate::send::{self, found};
use crate::source::samples::Samples;
use crate::wait::{self, LAG_LIMIT, Polling, STATE_LIMIT};

mod readers;
mod section;
mod step;

pub use readers::delivery_streams;
use step::{Step, mode, next_step, take};

const ABSENT: &str = "ResourceNotFoundException";
const IN_USE: &str = "ResourceInUseException";
/// How long a change may take to show that was refused because the stream is at one.
const REFUSAL_LAG: Duration = Duration::from_secs(10);

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub mode: Mode,
    /// 24 to 8760.
    pub retention_hours: u32,
    /// 1024 to 10240.
    pub max_record_kib: u32,
    /// A KMS key id, ARN or alias, for example `alias/aws/kinesis`.
    pub encryption: Option<String>,
    /// Shard-level metrics, as AWS names them: `IncomingBytes`, ... (`ALL` is written out.)
    pub metrics: BTreeSet<String>,
    /// AWS does not know them.
    pub samples: Option<Samples>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 1 to 10000 shards.
    Provisioned {
        shards: u32,
    },
    OnDemand,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// As AWS says it: `ACTIVE`, `CREATING`, `UPDATING`.
    pub status: String,
    pub on_demand: bool,
    pub shards: u32,
    pub retention_hours: u32,
    pub max_record_kib: u32,
    pub encryption: Option<String>,
    pub metrics: BTreeSet<String>,
    /// Its other readers, in sentences: only looked at where it may be deleted.
    pub readers: Vec<String>,
}

impl Resource for Stream {
    const KIND: &'static str = "stream";
    const ABSENT: Option<&'static str> = Some(ABSENT);
    const HOLDS_DATA: bool = true;
    const AT_ONCE: Option<usize> = Some(STREAMS_CREATING_OR_DELETING);
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        STREAM_NAME.admits(physical)
    }

    fn refs(&self) -> Vec<Address> {
        Vec::new()
    }

    fn live_refs(_: &Live, _: bool) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn diff(&self, live: &Live, _: &Name, _: &Names) -> Diff {
        let mut diff = Diff::default();
        diff.compare("status", live.status.as_str(), "ACTIVE");
        diff.changes.extend(fields::diff(&live.as_wanted(self).fields(), &self.fields(), &[]).changes);
        diff
    }

    fn expected_wait_s(&self) -> u32 {
        15
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        fields::summary(&Stream { samples: None, ..self.clone() }.fields())
    }

    fn notes(live: &Live) -> Vec<String> {
        live.readers.clone()
    }

    async fn list(cx: &Cx) -> Result<Scanned> {
        let mut pages = cx.kinesis().list_streams().into_paginator().send();
        let mut names = vec![];
        while let Some(page) = pages.next().await {
            names.extend(page.map_err(|error| Error::aws("listing the streams", error))?.stream_names);
        }
        Ok(by_tags::<Stream>(cx, names).await)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        if !cx.options.deletes {
            return Ok(describe(cx, name).await?.filter(|live| live.status != StreamStatus::Deleting.as_str()));
        }
        let (live, consumers, _) =
            futures::join!(describe(cx, name), readers::consumers(cx, name), readers::candidates(cx));
        let Some(mut live) = live?.filter(|live| live.status != StreamStatus::Deleting.as_str()) else {
            return Ok(None);
        };
        match consumers {
            Ok(consumers) => live.readers.extend(
                consumers
                    .iter()
                    .map(|consumer| format!("registered consumer {consumer} reads it and is deleted with it")),
            ),
            Err(why) => live.readers.push(format!("other readers could not be listed: {why}")),
        }
        Ok(Some(live))
    }

    async fn inspect(cx: &Cx, name: &Name, live: &mut Live, known: &[Name]) -> Result<()> {
        match readers::candidates(cx).await {
            Ok(candidates) => {
                let others = readers::others(cx, candidates, known).await;
                live.readers.extend(readers::told(others, &cx.names.stream_arn(&name.physical)));
            }
            Err(why) => live.readers.push(format!("delivery streams that read it could not be listed: {why}")),
        }
        Ok(())
    }

    async fn tags(cx: &Cx, name: &Name, _: Option<&Live>) -> Result<Option<Tags>> {
        // The older of the two tag APIs: it takes names, and every emulator has it. A stream has 50 tags at most: one page.
        let call = cx.kinesis().list_tags_for_stream().stream_name(&name.physical).limit(50);
        let answer = send::ask(cx, name, format!("reading the tags of {name}"), || call.clone().send()).await;
        let tags = found(answer, ABSENT)?.map(|answer| answer.tags).unwrap_or_default();
        Ok(Some(tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect()))
    }

    async fn retag(cx: &Cx, name: &Name, _: &Live, set: &Tags, unset: &[String]) -> Result<()> {
        let (client, stream) = (cx.kinesis(), &name.physical);
        let doing = || format!("tagging {name}");
        if !set.is_empty() {
            let call = client.add_tags_to_stream().stream_name(stream).set_tags(Some(tag_map(set)));
            send::change(cx, name, doing(), || call.clone().send()).await?;
        }
        if !unset.is_empty() {
            let call = client.remove_tags_from_stream().stream_name(stream).set_tag_keys(Some(unset.to_vec()));
            send::change(cx, name, doing(), || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let create = || self.create_call(cx, name, tags);
        let created = create_when_free::<Stream, _>(cx, name, create, gone(cx, name)).await?;
        settle_created(self, cx, name, tags, created, active(cx, name)).await
    }

    async fn update(&self, cx: &Cx, name: &Name, live: &Live, diff: &Diff) -> Result<()> {
        let mut live = match diff.has("status") {
            true => active(cx, name).await?,
            false => live.clone(),
        };
        // Every change is read off the stream anew: what one change does to another (a mode to the shards) is seen.
        while let Some(step) = next_step(self, &live) {
            live = self.step(cx, name, &step).await?;
        }
        Ok(())
    }

    async fn delete(cx: &Cx, name: &Name, _: &Live) -> Result<Gone> {
        let call = cx.kinesis().delete_stream().stream_name(&name.physical).enforce_consumer_deletion(true);
        match send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await? {
            None => Ok(Gone::Deleted),
            Some(_) if cx.options.wait_until_gone => gone(cx, name).await.map(|()| Gone::Deleted),
            Some(_) => Ok(Gone::Deleting),
        }
    }
}

impl Stream {
    /// Where it was just deleted: another `up` may have been quicker.
    async fn create_call(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let mut call = cx.kinesis().create_stream().stream_name(&name.physical).stream_mode_details(mode(self.mode));
        if let Mode::Provisioned { shards } = self.mode {
            call = call.shard_count(shards as i32);
        }
        if self.max_record_kib != MAX_RECORD_KIB.min {
            call = call.max_record_size_in_kib(self.max_record_kib as i32);
        }
        let call = call.set_tags(Some(tag_map(tags)));
        send::create(cx, name, format!("creating {name}"), || call.clone().send()).await.map(drop)
    }

    /// Makes one change, and waits until it shows. A change that AWS took is never sent twice: shards may be changed ten times a
    /// day, the mode twice.
    async fn step(&self, cx: &Cx, name: &Name, step: &Step) -> Result<Live> {
        let is_due = |live: &Live| next_step(self, live).as_ref() == Some(step);
        let limit = Instant::now() + LAG_LIMIT;
        loop {
            let refusal = match take(cx, name, step).await {
                Ok(()) => None,
                // The refusal is due to an earlier change that AWS has not finished everywhere, or to this very one, whose answer was lost.
                Err(error) if error.says(IN_USE, "not ACTIVE") => Some(error),
                Err(error) => return Err(error),
            };
            let patience = if refusal.is_none() { LAG_LIMIT } else { REFUSAL_LAG };
            let what = format!("the change of {name} to show");
            let shows = wait::within(cx, &what, Polling::STREAM, patience, || async {
                Ok(Some(active(cx, name).await?).filter(|live| !is_due(live)))
            });
            match (shows.await?, refusal) {
                (Some(live), _) => return Ok(live),
                (None, Some(_)) if Instant::now() < limit => {}
                (None, Some(error)) => return Err(error),
                (None, None) => {
                    let (field, lag_s) = (step.field(), LAG_LIMIT.as_secs());
                    let why = format!("AWS accepted the change of {field} but does not show it after {lag_s} s");
                    return Err(Error::new(format!("updating {name}"), why).hint("run the command again"));
                }
            }
        }
    }
}

async fn describe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
    let call = cx.kinesis().describe_stream_summary().stream_name(&name.physical);
    let summary = found(send::ask(cx, name, format!("reading {name}"), || call.clone().send()).await, ABSENT)?;
    Ok(summary.and_then(|answer| answer.stream_description_summary).map(live))
}

async fn active(cx: &Cx, name: &Name) -> Result<Live> {
    wait::until(cx, &format!("{name} to be ACTIVE"), Polling::STREAM, STATE_LIMIT, || async {
        let live = describe(cx, name).await?.ok_or_else(|| deleted_meanwhile(name))?;
        Ok(Some(live).filter(|live| live.status == StreamStatus::Active.as_str()))
    })
    .await
}

/// A stream that another `up` has created since is not the one that was waited for.
async fn gone(cx: &Cx, name: &Name) -> Result<()> {
    wait::until(cx, &format!("{name} to be deleted"), Polling::STREAM, STATE_LIMIT, || async {
        Ok(describe(cx, name).await?.is_none_or(|live| live.status != StreamStatus::Deleting.as_str()).then_some(()))
    })
    .await
}

fn live(summary: StreamDescriptionSummary) -> Live {
    let on_demand = summary.stream_mode_details.is_some_and(|details| details.stream_mode == StreamMode::OnDemand);
    let metrics = summary.enhanced_monitoring.iter().flat_map(|metrics| metrics.shard_level_metrics());
    Live {
        status: summary.stream_status.as_str().to_owned(),
        on_demand,
        shards: summary.open_shard_count.max(0) as u32,
        retention_hours: summary.retention_period_hours.max(0) as u32,
        max_record_kib: summary.max_record_size_in_kib.map_or(MAX_RECORD_KIB.min, |kib| kib.max(0) as u32),
        encryption: summary.key_id.filter(|_| summary.encryption_type == Some(EncryptionType::Kms)),
        metrics: metrics.flat_map(written_out).map(str::to_owned).collect(),
        readers: vec![],
    }
}

/// `ALL` stands for every metric there is.
fn written_out(metric: &MetricsName) -> Vec<&str> {
    match metric {
        MetricsName::All => MetricsName::values().iter().copied().filter(|name| *name != "ALL").collect(),
        one => vec![one.as_str()],
    }
}

impl Live {
    /// In the words of what is wanted: the same key is written alike.
    fn as_wanted(&self, wanted: &Stream) -> Stream {
        let is_same_key = same_key(self.encryption.as_deref(), wanted.encryption.as_deref());
        Stream {
            mode: if self.on_demand { Mode::OnDemand } else { Mode::Provisioned { shards: self.shards } },
            retention_hours: self.retention_hours,
            max_record_kib: self.max_record_kib,
            encryption: if is_same_key { wanted.encryption.clone() } else { self.encryption.clone() },
            metrics: self.metrics.clone(),
            samples: wanted.samples.clone(),
        }
    }
}

/// The same KMS key, whether written as an ARN or as what comes after its account.
fn same_key(a: Option<&str>, b: Option<&str>) -> bool {
    fn short(key: &str) -> &str {
        let resource = key.rsplit(':').next().unwrap_or(key);
        resource.strip_prefix("key/").unwrap_or(resource)
    }
    a.map(short) == b.map(short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    fn want() -> Stream {
        Stream {
            mode: Mode::Provisioned { shards: 1 },
            retention_hours: 24,
            max_record_kib: 1024,
            encryption: None,
            metrics: BTreeSet::new(),
            samples: None,
        }
    }

    fn there() -> Live {
        Live {
            status: "ACTIVE".into(),
            on_demand: false,
            shards: 1,
            retention_hours: 24,
            max_record_kib: 1024,
            encryption: None,
            metrics: BTreeSet::new(),
            readers: vec![],
        }
    }

    #[test]
    fn each_field_that_differs_is_told_in_the_specs_words_and_changed_by_one_call() {
        let one = || BTreeSet::from(["IncomingBytes".to_owned()]);
        let alias = || Some("alias/aws/kinesis".to_owned());
        type Case = (Stream, Live, &'static [(&'static str, &'static str, &'static str)], Option<Step>);
        let table: Vec<Case> = vec![
            (want(), there(), &[], None),
            (
                Stream { mode: Mode::Provisioned { shards: 5 }, ..want() },
                there(),
                &[("shards", "1", "5")],
                Some(Step::Shards(2)),
            ),
            (
                Stream { mode: Mode::OnDemand, ..want() },
                there(),
                &[("mode", "provisioned", "on-demand"), ("shards", "1", "none")],
                Some(Step::Mode(Mode::OnDemand)),
            ),
            (Stream { mode: Mode::OnDemand, ..want() }, Live { on_demand: true, shards: 4, ..there() }, &[], None),
            (
                want(),
                Live { on_demand: true, shards: 4, ..there() },
                &[("mode", "on-demand", "provisioned"), ("shards", "none", "1")],
                Some(Step::Mode(Mode::Provisioned { shards: 1 })),
            ),
            (
                Stream { retention_hours: 48, ..want() },
                there(),
                &[("retention", "24h", "48h")],
                Some(Step::Lengthen(48)),
            ),
            (want(), Live { retention_hours: 48, ..there() }, &[("retention", "48h", "24h")], Some(Step::Shorten(24))),
            (
                Stream { max_record_kib: 2048, ..want() },
                there(),
                &[("max_record_size", "1MiB", "2MiB")],
                Some(Step::MaxRecord(2048)),
            ),
            (
                Stream { encryption: alias(), ..want() },
                there(),
                &[("encryption", "none", "alias/aws/kinesis")],
                Some(Step::Encrypt("alias/aws/kinesis".into())),
            ),
            (
                want(),
                Live { encryption: alias(), ..there() },
                &[("encryption", "alias/aws/kinesis", "none")],
                Some(Step::Decrypt("alias/aws/kinesis".into())),
            ),
            (
                Stream { encryption: alias(), ..want() },
                Live { encryption: Some("arn:aws:kms:us-east-1:111122223333:alias/aws/kinesis".into()), ..there() },
                &[],
                None,
            ),
            (
                Stream { metrics: one(), ..want() },
                there(),
                &[("metrics", "none", "IncomingBytes")],
                Some(Step::Measure(one())),
            ),
            (
                want(),
                Live { metrics: one(), ..there() },
                &[("metrics", "IncomingBytes", "none")],
                Some(Step::Ignore(one())),
            ),
            (want(), Live { status: "CREATING".into(), ..there() }, &[("status", "CREATING", "ACTIVE")], None),
        ];
        for (want, live, changes, step) in table {
            let diff = want.diff(&live, &Name::new("stream", "events", "events"), &names());
            let told: Vec<_> =
                diff.changes.iter().map(|c| (c.field.as_str(), c.from.as_str(), c.to.as_str())).collect();
            assert_eq!(told, changes);
            assert!(!diff.replaces());
            assert_eq!(next_step(&want, &live), step);
        }
    }
}
