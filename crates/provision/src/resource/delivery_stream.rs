//! A Firehose delivery stream: Kinesis source or direct put, extended S3 destination.
//!
//! UpdateDestination merges what it is sent into what is there, so the whole destination is always sent, and what is to go
//! is sent as its reset. Desired and live are compared in one form, a [`Shape`], with AWS's defaults filled in on both sides.

use aws_facts::firehose::DELIVERY_STREAM_NAME;

use super::bucket::Bucket;
use super::function::Function;
use super::log_group::LogRef;
use super::role::{self, RoleRef};
use super::shared::{create_when_free, deleted_meanwhile, settle_created};
use super::stream::{self, Stream};
use super::{Diff, Field, Gone, Resource, Scanned, by_tags};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::prefix::{self, Place};
use crate::send::{self, found};
use crate::wait::{self, DELIVERY_STREAM_LIMIT, LAG_LIMIT, Polling};

mod compare;
mod section;
pub mod shape;
mod wire;

pub use crate::section::Ref;
pub(crate) use section::DeliveryFields;
pub use shape::Shape;

const ABSENT: &str = "ResourceNotFoundException";
const ACTIVE: &str = "ACTIVE";
const CREATING: &str = "CREATING";
const DELETING: &str = "DELETING";
/// Firehose could not retire its grant of a KMS key, for example. The delivery stream exists until it is deleted by force.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeleteDeliveryStream.html>
const DELETING_FAILED: &str = "DELETING_FAILED";
const FORCED_NEXT: &str = "run the command again; it force-deletes a delivery stream whose deletion failed";

/// Desired. References are to physical names; their logical names stand beside them where they are the spec's own.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryStream {
    /// `None`: direct put.
    pub source: Option<Ref>,
    pub bucket: Ref,
    /// Prefix of what was delivered, as written (expressions and all).
    pub good: String,
    /// ErrorOutputPrefix. `None` only where `good` has no expressions.
    pub bad: Option<String>,
    /// Write marker objects for the two prefixes?
    pub markers: bool,
    pub buffer: Buffer,
    pub compression: Compression,
    /// With its dot; empty: the compression's own.
    pub file_extension: String,
    /// IANA name.
    pub time_zone: String,
    /// ARN of a KMS key.
    pub encryption: Option<String>,
    pub transform: Option<Transform>,
    pub processors: Processors,
    /// Dynamic partitioning, with how long to retry (0 to 7200 s).
    pub partitioning: Option<Partitioning>,
    pub backup: Option<Backup>,
    /// CloudWatch logging of delivery errors.
    pub log: Option<LogRef>,
    pub role: RoleRef,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// 1 to 128.
    pub size_mib: u32,
    /// 0 to 900.
    pub interval_s: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zip,
    Snappy,
    HadoopSnappy,
}

/// The Lambda processor, all of whose parameters are always sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    pub function: Ref,
    /// Version or alias; `None` is `$LATEST`.
    pub qualifier: Option<String>,
    /// 0 to 300.
    pub retries: u32,
    /// In hundredths of a MiB, 20 to 300: AWS takes 0.2 to 3 MiB.
    pub buffer_size_mib_100: u32,
    /// 0 to 900.
    pub buffer_interval_s: u32,
}

/// The processors other than Lambda.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processors {
    pub deaggregate: Option<Deaggregate>,
    /// AppendDelimiterToRecord, with this delimiter.
    pub delimiter: Option<String>,
    /// MetadataExtraction: a JQ 1.6 query.
    pub metadata_query: Option<String>,
    pub decompress: Option<Decompress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deaggregate {
    Json,
    /// The delimiter itself (it is sent in base64).
    Delimited(String),
}

/// Decompression of CloudWatch Logs records (GZIP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decompress {
    /// CloudWatchLogProcessing: only the log messages.
    pub extract_messages: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitioning {
    pub retry_s: u32,
}

/// Backup of the source records.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    pub bucket: Ref,
    pub prefix: String,
    pub bad: Option<String>,
    pub buffer: Buffer,
    pub compression: Compression,
    pub encryption: Option<String>,
}

impl DeliveryStream {
    /// The places that it writes to: purpose, bucket and prefix.
    pub fn places(&self) -> Vec<(&'static str, &Ref, &str)> {
        let mut places = vec![("good", &self.bucket, self.good.as_str())];
        places.extend(self.bad.as_deref().map(|bad| ("bad", &self.bucket, bad)));
        if let Some(backup) = &self.backup {
            places.push(("backup", &backup.bucket, &backup.prefix));
            places.extend(backup.bad.as_deref().map(|bad| ("backup-bad", &backup.bucket, bad)));
        }
        places
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// As AWS says it: `ACTIVE`, `CREATING`, `CREATING_FAILED`.
    pub status: String,
    /// Why the creation failed, in AWS's words.
    pub failure: Option<String>,
    pub version_id: String,
    pub destination_id: String,
    /// Epoch seconds.
    pub created_s: i64,
    /// `None`: it delivers elsewhere than to S3, and can only be referred to or replaced.
    pub shape: Option<Shape>,
    name: String,
}

impl Live {
    /// Where it writes.
    pub fn places(&self) -> Vec<Place> {
        self.shape.iter().flat_map(|shape| shape.writes_to(&self.name)).collect()
    }
}

impl Resource for DeliveryStream {
    const KIND: &'static str = "delivery";
    const ABSENT: Option<&'static str> = Some(ABSENT);
    /// What it has buffered is lost with it.
    const HOLDS_DATA: bool = false;
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        DELIVERY_STREAM_NAME.admits(physical)
    }

    fn refs(&self) -> Vec<Address> {
        let function = self.transform.as_ref().map(|transform| &transform.function);
        let refs = [
            self.source.as_ref().and_then(|source| source.address(Stream::KIND)),
            self.bucket.address(Bucket::KIND),
            self.backup.as_ref().and_then(|backup| backup.bucket.address(Bucket::KIND)),
            function.and_then(|function| function.address(Function::KIND)),
            self.role.address(),
        ];
        let mut refs: Vec<Address> = refs.into_iter().flatten().collect();
        refs.dedup();
        refs
    }

    /// Not the role, unless Firehose needs it to retire its grant of a KMS key: it can go at the same time.
    fn live_refs(live: &Live, purges: bool) -> Vec<(&'static str, String)> {
        let places = live.places().into_iter().filter(|_| purges);
        let uses = live.shape.iter().flat_map(Shape::uses);
        uses.chain(places.map(|place| (prefix::KIND, place.to_string()))).collect()
    }

    fn diff(&self, live: &Live, name: &Name, names: &Names) -> Diff {
        let mut diff = Diff::default();
        if let Some(why) = &live.failure {
            let failed = if live.status == DELETING_FAILED { "its deletion failed" } else { "its creation failed" };
            diff.push("status", format!("{}: {why}", live.status), ACTIVE.into(), Some(failed));
        } else {
            diff.compare("status", live.status.as_str(), ACTIVE);
        }
        match &live.shape {
            Some(shape) => compare::compare(shape, &self.shape(name, names), &mut diff),
            None => {
                diff.push("destination", "not S3".into(), "S3".into(), Some("the destination type cannot be changed"))
            }
        }
        diff
    }

    fn expected_wait_s(&self) -> u32 {
        40
    }

    fn summary(&self, name: &Name, names: &Names) -> Vec<Field> {
        compare::summary(&self.shape(name, names))
    }

    async fn list(cx: &Cx) -> Result<Scanned> {
        Ok(by_tags::<DeliveryStream>(cx, stream::delivery_streams(cx).await?).await)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        Ok(describe(cx, name).await?.filter(|live| live.status != DELETING))
    }

    async fn tags(cx: &Cx, name: &Name, _: Option<&Live>) -> Result<Option<Tags>> {
        let call = cx.firehose().list_tags_for_delivery_stream().delivery_stream_name(&name.physical).limit(50);
        let carried =
            found(send::ask(cx, name, format!("reading the tags of {name}"), || call.clone().send()).await, ABSENT)?;
        let carried = carried.map(|carried| carried.tags).unwrap_or_default();
        Ok(Some(carried.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect()))
    }

    async fn retag(cx: &Cx, name: &Name, _: &Live, set: &Tags, unset: &[String]) -> Result<()> {
        let (client, doing) = (cx.firehose(), format!("tagging {name}"));
        if !set.is_empty() {
            let call =
                client.tag_delivery_stream().delivery_stream_name(&name.physical).set_tags(Some(wire::tags(set)));
            send::change(cx, name, &doing, || call.clone().send()).await?;
        }
        if !unset.is_empty() {
            let call = client.untag_delivery_stream().delivery_stream_name(&name.physical);
            send::change(cx, name, doing, || call.clone().set_tag_keys(Some(unset.to_vec())).send()).await?;
        }
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let create = || self.create_call(cx, name, tags);
        let created = create_when_free::<DeliveryStream, _>(cx, name, create, gone(cx, name)).await?;
        settle_created(self, cx, name, tags, created, active(cx, name)).await
    }

    async fn update(&self, cx: &Cx, name: &Name, live: &Live, diff: &Diff) -> Result<()> {
        let mut live = match diff.has("status") {
            true => active(cx, name).await?,
            false => live.clone(),
        };
        if self.diff(&live, name, &cx.names).is_empty() {
            return Ok(());
        }
        if let Err(error) = self.update_call(cx, name, &live).await {
            if error.code() != Some("ConcurrentModificationException") {
                return Err(error);
            }
            // Somebody changed it since it was observed, or this very call did and its answer was lost: once more, where there is
            // something left to change, from what is there once that shows.
            let what = format!("the last change of {name} to show");
            let refused = live.version_id;
            live = wait::until(cx, &what, Polling::DELIVERY_STREAM, LAG_LIMIT, || async {
                Ok(Some(active(cx, name).await?).filter(|live| live.version_id != refused))
            })
            .await?;
            if !self.diff(&live, name, &cx.names).is_empty() {
                self.update_call(cx, name, &live).await?;
            }
        }
        self.check(cx, name).await
    }

    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        // Firehose does not delete what it is still creating.
        if live.status == CREATING {
            created(cx, name).await?;
        }
        let call = cx.firehose().delete_delivery_stream().delivery_stream_name(&name.physical);
        let call = call.set_allow_force_delete((live.status == DELETING_FAILED).then_some(true));
        match send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await? {
            None => Ok(Gone::Deleted),
            Some(_) if cx.options.wait_until_gone || cx.options.purges() => {
                gone(cx, name).await.map(|()| Gone::Deleted)
            }
            Some(_) => Ok(Gone::Deleting),
        }
    }
}

impl DeliveryStream {
    /// Where it was just deleted: another `up` may have been quicker.
    async fn create_call(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let shape = self.shape(name, &cx.names);
        let mistake = async || role::mistake(cx, &self.role, "firehose.amazonaws.com").await;
        let call = cx.firehose().create_delivery_stream().delivery_stream_name(&name.physical);
        let call = call.delivery_stream_type(wire::source_type(&shape)).set_tags(Some(wire::tags(tags)));
        let call = call.set_kinesis_stream_source_configuration(wire::source(&shape));
        let call = call.extended_s3_destination_configuration(wire::configuration(&shape));
        let send = || call.clone().send();
        send::create_doubting(cx, name, format!("creating {name}"), mistake, send).await.map(drop)
    }

    async fn update_call(&self, cx: &Cx, name: &Name, live: &Live) -> Result<()> {
        let shape = self.shape(name, &cx.names);
        let mistake = async || role::mistake(cx, &self.role, "firehose.amazonaws.com").await;
        let call = cx.firehose().update_destination().delivery_stream_name(&name.physical);
        let call = call.current_delivery_stream_version_id(&live.version_id).destination_id(&live.destination_id);
        let call = call.extended_s3_destination_update(wire::update(&shape));
        send::change_doubting(cx, name, format!("updating {name}"), mistake, || call.clone().send()).await
    }

    /// AWS shows an update some time after it took it, and some never. Reads back until it shows, or names what did not change.
    async fn check(&self, cx: &Cx, name: &Name) -> Result<()> {
        let what = format!("the update of {name} to show");
        let shows = wait::within(cx, &what, Polling::DELIVERY_STREAM, LAG_LIMIT, || async {
            let diff = self.diff(&active(cx, name).await?, name, &cx.names);
            Ok(diff.is_empty().then_some(()))
        });
        if shows.await?.is_some() {
            return Ok(());
        }
        let left = self.diff(&active(cx, name).await?, name, &cx.names).changes;
        let left: Vec<String> = left.into_iter().map(|change| change.field).collect();
        Err(Error::new(format!("updating {name}"), format!("AWS did not apply {}", left.join(", ")))
            .hint("run the command again, or replace the delivery stream"))
    }
}

async fn describe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
    let call = cx.firehose().describe_delivery_stream().delivery_stream_name(&name.physical);
    let described = found(send::ask(cx, name, format!("reading {name}"), || call.clone().send()).await, ABSENT)?;
    Ok(described.and_then(|answer| answer.delivery_stream_description).map(wire::live))
}

/// Waits until it is created; a failed creation is an error.
async fn active(cx: &Cx, name: &Name) -> Result<Live> {
    let live = created(cx, name).await?;
    match (live.status.as_str(), &live.failure) {
        (ACTIVE, _) => Ok(live),
        (_, Some(why)) => Err(Error::new(format!("creating {name}"), why.clone())
            .hint("fix the cause and run the command again; it replaces a delivery stream that failed")),
        (status, None) => Err(Error::new(format!("creating {name}"), format!("it is {status}"))),
    }
}

/// Waits until it is not being created any more, however that ended.
async fn created(cx: &Cx, name: &Name) -> Result<Live> {
    wait::until(cx, &format!("{name} to be ACTIVE"), Polling::DELIVERY_STREAM, DELIVERY_STREAM_LIMIT, || async {
        match describe(cx, name).await? {
            Some(live) if live.status == CREATING => Ok(None),
            Some(live) => Ok(Some(live)),
            None => Err(deleted_meanwhile(name)),
        }
    })
    .await
}

/// Waits until Firehose does not have it any more. What exists anew, made by another `up`, is not what was waited for.
async fn gone(cx: &Cx, name: &Name) -> Result<()> {
    wait::until(cx, &format!("{name} to be deleted"), Polling::DELIVERY_STREAM, DELIVERY_STREAM_LIMIT, || async {
        match describe(cx, name).await? {
            Some(live) if live.status == DELETING => Ok(None),
            Some(Live { status, failure, .. }) if status == DELETING_FAILED => {
                Err(Error::new(format!("deleting {name}"), failure.unwrap_or(status)).hint(FORCED_NEXT))
            }
            _ => Ok(Some(())),
        }
    })
    .await
}

#[cfg(test)]
mod tests;
