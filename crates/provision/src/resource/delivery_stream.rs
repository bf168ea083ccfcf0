//! A Firehose delivery stream: Kinesis source or direct put, extended S3 destination.
//!
//! UpdateDestination merges what it is sent into what is there, so the whole destination is always sent, and what is to go
//! is sent as its reset. Desired and live are compared in one form, a [`Shape`], with AWS's defaults filled in on both sides.

use super::bucket::Bucket;
use super::function::{Function, LogRef};
use super::role::{self, RoleRef};
use super::shared::{answer, create_when_free, done, found, named, settle_created};
use super::stream::Stream;
use super::{Diff, Field, Gone, Resource};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::prefix::{self, Place};
use crate::wait::{self, STATE_LIMIT, Transient};

mod compare;
pub mod shape;
mod wire;

pub use shape::Shape;

const ABSENT: &str = "ResourceNotFoundException";
const ACTIVE: &str = "ACTIVE";
const CREATING: &str = "CREATING";
const DELETING: &str = "DELETING";

/// What Firehose answers while a role, or what it may do, is not known everywhere yet: the substrings that Terraform retries
/// on, too. <https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/firehose/delivery_stream.go>
const ROLE_UNKNOWN_YET: &[Transient] = &[
    Transient { code: "InvalidArgumentException", message: "is unable to assume role" },
    Transient { code: "InvalidArgumentException", message: "is not authorized to" },
    Transient { code: "InvalidArgumentException", message: "Access was denied" },
    Transient { code: "InvalidArgumentException", message: "Verify that the IAM role has access" },
];

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

/// A resource used: by its physical name or, of somebody else's, possibly its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// In the spec.
    pub logical: String,
    /// Name on AWS, or an ARN for `existing:` entries written as one.
    pub id: String,
    /// Do we make it (then it is made first)?
    pub managed: bool,
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

impl Ref {
    /// The ARN; `of` makes one from a name.
    pub fn arn(&self, of: impl Fn(&str) -> String) -> String {
        match self.id.starts_with("arn:") {
            true => self.id.clone(),
            false => of(&self.id),
        }
    }

    /// What must be made first, if it is one of ours.
    fn address(&self, kind: &'static str) -> Option<Address> {
        self.managed.then(|| Address::new(kind, &self.logical))
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
    pub shape: Shape,
    name: String,
}

impl Live {
    /// Where it writes.
    pub fn places(&self) -> Vec<Place> {
        self.shape.writes_to(&self.name)
    }
}

impl Resource for DeliveryStream {
    const KIND: &'static str = "delivery";
    /// What it has buffered is lost with it.
    const HOLDS_DATA: bool = false;
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        named(physical, 64, "_.-")
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
        live.shape.uses().into_iter().chain(places.map(|place| (prefix::KIND, place.to_string()))).collect()
    }

    fn diff(&self, live: &Live, name: &Name, names: &Names) -> Diff {
        let mut diff = Diff::default();
        if let Some(why) = &live.failure {
            diff.push("status", format!("{}: {why}", live.status), ACTIVE.into(), Some("its creation failed"));
        } else {
            diff.compare("status", live.status.as_str(), ACTIVE);
        }
        compare::compare(&live.shape, &self.shape(name, names), &mut diff);
        diff
    }

    fn expected_wait_s(&self) -> u32 {
        40
    }

    fn summary(&self, name: &Name, names: &Names) -> Vec<Field> {
        compare::summary(&self.shape(name, names))
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        Ok(describe(cx, name).await?.filter(|live| live.status != DELETING))
    }

    async fn tags(cx: &Cx, name: &Name, _: Option<&Live>) -> Result<Option<Tags>> {
        let call = cx.firehose().list_tags_for_delivery_stream().delivery_stream_name(&name.physical).limit(50);
        let carried = found(answer(format!("reading the tags of {name}"), call.send().await), ABSENT)?;
        let carried = carried.map(|carried| carried.tags).unwrap_or_default();
        Ok(Some(carried.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect()))
    }

    async fn retag(cx: &Cx, name: &Name, _: &Live, set: &Tags, unset: &[String]) -> Result<()> {
        let (client, doing) = (cx.firehose(), format!("tagging {name}"));
        if !set.is_empty() {
            let call =
                client.tag_delivery_stream().delivery_stream_name(&name.physical).set_tags(Some(wire::tags(set)));
            done(&doing, call.send().await)?;
        }
        if !unset.is_empty() {
            let call = client.untag_delivery_stream().delivery_stream_name(&name.physical);
            done(doing, call.set_tag_keys(Some(unset.to_vec())).send().await)?;
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
            // Somebody changed it since it was observed: once more, from what is there now.
            live = active(cx, name).await?;
            self.update_call(cx, name, &live).await?;
        }
        self.check(cx, name).await
    }

    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        // Firehose does not delete what it is still creating.
        if live.status == CREATING {
            created(cx, name).await?;
        }
        let call = cx.firehose().delete_delivery_stream().delivery_stream_name(&name.physical);
        match found(done(format!("deleting {name}"), call.send().await), ABSENT)? {
            None => Ok(Gone::Deleted),
            Some(()) if cx.options.wait_until_gone || cx.options.purge_data.deletes() => {
                gone(cx, name).await.map(|()| Gone::Deleted)
            }
            Some(()) => Ok(Gone::Deleting),
        }
    }
}

impl DeliveryStream {
    /// Where it was just deleted: another `up` may have been quicker.
    async fn create_call(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let shape = self.shape(name, &cx.names);
        let what = format!("role {} to be known to Firehose", short_role(&shape.role));
        let mistake = async || role::mistake(cx, &self.role, "firehose.amazonaws.com").await;
        wait::settle_doubting(cx, &what, ROLE_UNKNOWN_YET, mistake, || async {
            let call = cx.firehose().create_delivery_stream().delivery_stream_name(&name.physical);
            let call = call.delivery_stream_type(wire::source_type(&shape)).set_tags(Some(wire::tags(tags)));
            let call = call.set_kinesis_stream_source_configuration(wire::source(&shape));
            let call = call.extended_s3_destination_configuration(wire::configuration(&shape));
            done(format!("creating {name}"), call.send().await)
        })
        .await
    }

    async fn update_call(&self, cx: &Cx, name: &Name, live: &Live) -> Result<()> {
        let shape = self.shape(name, &cx.names);
        let what = format!("role {} to be known to Firehose", short_role(&shape.role));
        let mistake = async || role::mistake(cx, &self.role, "firehose.amazonaws.com").await;
        wait::settle_doubting(cx, &what, ROLE_UNKNOWN_YET, mistake, || async {
            let call = cx.firehose().update_destination().delivery_stream_name(&name.physical);
            let call = call.current_delivery_stream_version_id(&live.version_id).destination_id(&live.destination_id);
            let call = call.extended_s3_destination_update(wire::update(&shape));
            done(format!("updating {name}"), call.send().await)
        })
        .await
    }

    /// AWS takes some updates and does not do them. Reads back and names what did not change.
    async fn check(&self, cx: &Cx, name: &Name) -> Result<()> {
        let live = active(cx, name).await?;
        let left: Vec<String> =
            self.diff(&live, name, &cx.names).changes.into_iter().map(|change| change.field).collect();
        match left.is_empty() {
            true => Ok(()),
            false => Err(Error::new(format!("updating {name}"), format!("AWS did not take over {}", left.join(", ")))
                .hint("run the same command again, or replace the delivery stream")),
        }
    }
}

async fn describe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
    let call = cx.firehose().describe_delivery_stream().delivery_stream_name(&name.physical);
    let described = found(answer(format!("reading {name}"), call.send().await), ABSENT)?;
    described.and_then(|answer| answer.delivery_stream_description).map(|d| wire::live(name, d)).transpose()
}

/// Waits until it is created; a failed creation is an error.
async fn active(cx: &Cx, name: &Name) -> Result<Live> {
    let live = created(cx, name).await?;
    match (live.status.as_str(), &live.failure) {
        (ACTIVE, _) => Ok(live),
        (_, Some(why)) => Err(Error::new(format!("creating {name}"), why.clone())
            .hint("mend the cause and run the same command again: it replaces what failed")),
        (status, None) => Err(Error::new(format!("creating {name}"), format!("it is {status}"))),
    }
}

/// Waits until it is not being created any more, however that ended.
async fn created(cx: &Cx, name: &Name) -> Result<Live> {
    wait::until(cx, &format!("{name} to be ACTIVE"), STATE_LIMIT, || async {
        match describe(cx, name).await? {
            Some(live) if live.status == CREATING => Ok(None),
            Some(live) => Ok(Some(live)),
            None => Err(Error::new(format!("waiting for {name}"), "it was deleted meanwhile")),
        }
    })
    .await
}

/// What is there anew, made by another `up`, is not what was waited for.
async fn gone(cx: &Cx, name: &Name) -> Result<()> {
    wait::until(cx, &format!("{name} to be gone"), STATE_LIMIT, || async {
        Ok(describe(cx, name).await?.is_none_or(|live| live.status != DELETING).then_some(()))
    })
    .await
}

fn short_role(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
