//! A Firehose delivery stream: Kinesis source or direct put, extended S3 destination.
//!
//! UpdateDestination merges what it is sent into what is there, so the whole destination is always sent, and what is to go
//! is sent as its reset. Desired and live are compared in one form, a [`Shape`], with AWS's defaults filled in on both sides.

use aws_facts::firehose::DELIVERY_STREAM_NAME;

use super::log_group::LogRef;
use super::role::{self, RoleRef};
use super::shared::{create_when_free, deleted_meanwhile, settle_created};
use super::stream;
use super::{Diff, Field, Gone, Resource, Scanned, by_tags};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::prefix::{self, Place};
use crate::send::{self, found};
use crate::wait::{self, DELIVERY_STREAM_LIMIT, LAG_LIMIT, Polling};

mod compare;
mod desired;
mod error_log;
mod section;
pub mod shape;
mod wire;

pub use crate::section::Ref;
pub use desired::*;
pub(crate) use section::DeliveryFields;
pub use shape::Shape;

const ABSENT: &str = "ResourceNotFoundException";
const ACTIVE: &str = "ACTIVE";
const CREATING: &str = "CREATING";
const DELETING: &str = "DELETING";
const ENABLING: &str = "ENABLING";
const DISABLING: &str = "DISABLING";
/// Firehose could not retire its grant of a KMS key, for example. The delivery stream exists until it is deleted by force.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeleteDeliveryStream.html>
const DELETING_FAILED: &str = "DELETING_FAILED";
const FORCED_NEXT: &str = "run the command again; it force-deletes a delivery stream whose deletion failed";

#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// As AWS says it: `ACTIVE`, `CREATING`, `CREATING_FAILED`; or that of its encryption while that changes: `ENABLING`.
    pub status: String,
    /// Why the creation failed, in AWS's words.
    pub failure: Option<String>,
    pub version_id: String,
    pub destination_id: String,
    /// Epoch seconds.
    pub created_s: i64,
    /// `None`: it delivers elsewhere than to S3, and can only be referred to or replaced.
    pub shape: Option<Shape>,
    /// Log streams in somebody else's log group that it is wanted to log to, and that do not exist.
    pub missing_log_streams: Vec<String>,
    /// Why records that are put directly could not be encrypted, in AWS's words.
    pub encryption_failure: Option<String>,
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
    /// Records that it has buffered are lost with it.
    const HOLDS_DATA: bool = false;
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        DELIVERY_STREAM_NAME.admits(physical)
    }

    fn refs(&self) -> Vec<Address> {
        let function = self.transform.as_ref().map(|transform| &transform.function);
        let refs = [
            self.source.as_ref().and_then(Ref::address),
            self.bucket.address(),
            self.backup.as_ref().and_then(|backup| backup.bucket.address()),
            function.and_then(|function| function.address()),
            self.role.address(),
            self.source_role.as_ref().and_then(RoleRef::address),
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
        if !live.missing_log_streams.is_empty() {
            diff.push("log_streams", "missing".into(), live.missing_log_streams.join(", "), None);
        }
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

    async fn look_further(&self, cx: &Cx, name: &Name, live: &mut Live) -> Result<()> {
        live.missing_log_streams = error_log::missing(cx, name, &self.log_streams(name, &cx.names)).await?;
        Ok(())
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
        error_log::create(cx, name, &self.log_streams(name, &cx.names)).await?;
        let create = || self.create_call(cx, name, tags);
        let created = create_when_free::<DeliveryStream, _>(cx, name, create, gone(cx, name)).await?;
        settle_created(self, cx, name, tags, created, active(cx, name)).await
    }

    async fn update(&self, cx: &Cx, name: &Name, live: &Live, diff: &Diff) -> Result<()> {
        let before = live.shape.clone();
        let mut live = match diff.has("status") {
            true => active(cx, name).await?,
            false => live.clone(),
        };
        if diff.has("log_streams") {
            error_log::create(cx, name, &self.log_streams(name, &cx.names)).await?;
            live.missing_log_streams.clear();
        }
        let mut diff = self.diff(&live, name, &cx.names);
        if diff.has("source_encryption") {
            self.encrypt(cx, name).await?;
            live = active(cx, name).await?;
            diff = self.diff(&live, name, &cx.names);
        }
        if diff.changes.iter().all(|change| change.field == "source_encryption") {
            return self.check(cx, name).await;
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
        self.check(cx, name).await?;
        error_log::remove_unused(cx, name, before.as_ref(), Some(&self.shape(name, &cx.names))).await
    }

    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        // Firehose does not delete what it is still creating.
        if live.status == CREATING {
            created(cx, name).await?;
        }
        let call = cx.firehose().delete_delivery_stream().delivery_stream_name(&name.physical);
        let call = call.set_allow_force_delete((live.status == DELETING_FAILED).then_some(true));
        let deleted = send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await?;
        error_log::remove_unused(cx, name, live.shape.as_ref(), None).await?;
        match deleted {
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
        let mistake = async || self.mistake(cx).await;
        let call = cx.firehose().create_delivery_stream().delivery_stream_name(&name.physical);
        let call = call.delivery_stream_type(wire::source_type(&shape)).set_tags(Some(wire::tags(tags)));
        let call = call.set_kinesis_stream_source_configuration(wire::source(&shape));
        let call = call.extended_s3_destination_configuration(wire::configuration(&shape));
        let encryption = shape.source_encryption.as_ref().map(wire::source_encryption);
        let call = call.set_delivery_stream_encryption_configuration_input(encryption);
        let send = || call.clone().send();
        send::create_doubting(cx, name, format!("creating {name}"), mistake, send).await.map(drop)
    }

    async fn update_call(&self, cx: &Cx, name: &Name, live: &Live) -> Result<()> {
        let shape = self.shape(name, &cx.names);
        let mistake = async || self.mistake(cx).await;
        let call = cx.firehose().update_destination().delivery_stream_name(&name.physical);
        let call = call.current_delivery_stream_version_id(&live.version_id).destination_id(&live.destination_id);
        let call = call.extended_s3_destination_update(wire::update(&shape));
        send::change_doubting(cx, name, format!("updating {name}"), mistake, || call.clone().send()).await
    }

    /// The mistake in a role of ours that it runs as or reads with.
    async fn mistake(&self, cx: &Cx) -> Option<String> {
        for role in [Some(&self.role), self.source_role.as_ref()].into_iter().flatten() {
            if let Some(mistake) = role::mistake(cx, role, "firehose.amazonaws.com").await {
                return Some(mistake);
            }
        }
        None
    }

    /// Starts or stops the encryption of records that are put directly.
    async fn encrypt(&self, cx: &Cx, name: &Name) -> Result<()> {
        let doing = format!("updating the encryption of {name}");
        match &self.source_encryption {
            Some(encryption) => {
                let call = cx.firehose().start_delivery_stream_encryption().delivery_stream_name(&name.physical);
                let input = wire::source_encryption(encryption);
                let call = call.delivery_stream_encryption_configuration_input(input);
                send::change(cx, name, doing, || call.clone().send()).await
            }
            None => {
                let call = cx.firehose().stop_delivery_stream_encryption().delivery_stream_name(&name.physical);
                send::change(cx, name, doing, || call.clone().send()).await
            }
        }
    }

    /// The log streams that it logs to in somebody else's group. Those in a group of ours come with the group.
    fn log_streams(&self, name: &Name, names: &Names) -> Vec<(String, String)> {
        let existing = self.log.as_ref().is_some_and(|log| matches!(log.group, LogRef::Existing(_)));
        let shape = existing.then(|| self.shape(name, names));
        shape.iter().flat_map(Shape::destinations).filter_map(|place| place.log.clone()).collect()
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
        let live = active(cx, name).await?;
        let left = self.diff(&live, name, &cx.names).changes;
        let left: Vec<String> = left.into_iter().map(|change| change.field).collect();
        let why = live.encryption_failure.map(|why| format!(": {why}")).unwrap_or_default();
        Err(Error::new(format!("updating {name}"), format!("AWS did not apply {}{why}", left.join(", ")))
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
            Some(live) if [CREATING, ENABLING, DISABLING].contains(&live.status.as_str()) => Ok(None),
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
