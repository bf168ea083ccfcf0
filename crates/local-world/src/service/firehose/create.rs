//! Delivery streams are made, and their destination changed: both are checked the same way.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::encryption::{Encryption, Key};
use super::state::check_active;
use super::tags::{self, Tag};
use super::{DeliveryStream, Scope, State, Status};
use crate::arn;
use crate::flow::PRINCIPAL;
use crate::flow::config::Config;
use crate::flow::destination::Destination;
use crate::flow::job::{Job, Source};
use crate::flow::refused::{invalid, not_here};
use crate::request::AwsError;
use crate::service::kinesis::logs::Logs;

/// The only one that a delivery stream has.
pub const DESTINATION_ID: &str = "destinationId-000000000001";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateDeliveryStream {
    delivery_stream_name: String,
    delivery_stream_type: Option<String>,
    kinesis_stream_source_configuration: Option<KinesisSource>,
    direct_put_source_configuration: Option<DirectPutSource>,
    delivery_stream_encryption_configuration_input: Option<Key>,
    #[serde(rename = "S3DestinationConfiguration")]
    s3: Option<Destination>,
    #[serde(rename = "ExtendedS3DestinationConfiguration")]
    extended_s3: Option<Destination>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct KinesisSource {
    #[serde(rename = "KinesisStreamARN")]
    stream_arn: String,
    #[serde(rename = "RoleARN")]
    role_arn: String,
}

#[derive(Debug, Deserialize)]
struct DirectPutSource {
    #[serde(rename = "ThroughputHintInMBs")]
    throughput_hint: u64,
}

impl CreateDeliveryStream {
    pub fn compile(&self) {
        self.extended_s3.iter().for_each(Destination::compile);
    }
}

pub fn create_delivery_stream(state: &mut State, at: &Scope, input: CreateDeliveryStream) -> Result<Value, AwsError> {
    let name = input.delivery_stream_name;
    let key = at.key(&name);
    if state.streams.contains(&key) {
        let message = format!("Firehose {name} under accountId {} already exists", at.account);
        return Err(AwsError::new("ResourceInUseException", message));
    }
    refuse_others(&input.others, "Configuration")?;
    let destination = one_of(input.s3, input.extended_s3, "Configuration")?
        .ok_or_else(|| invalid("Exactly one destination configuration is supported for a Firehose"))?;
    let kind = input.delivery_stream_type.as_deref().unwrap_or("DirectPut");
    let source = source(at, kind, input.kinesis_stream_source_configuration)?;
    if source.is_some() && input.direct_put_source_configuration.is_some() {
        // The words are ours, after those of the other source.
        return Err(invalid("DirectPutSourceConfig is only applicable for DirectPut stream type."));
    }
    let encryption = Encryption::initial(input.delivery_stream_encryption_configuration_input, kind)?;
    let arn = arn::regional("firehose", at.region, at.account, &format!("deliverystream/{name}"));
    let stream = DeliveryStream {
        arn: arn.clone(),
        name,
        region: at.region.to_owned(),
        status: Status::Creating,
        until: at.now + at.delay,
        version: 1,
        created: at.now,
        updated: None,
        source,
        throughput_hint: input.direct_put_source_configuration.map(|source| source.throughput_hint),
        destination: destination.filled(),
        encryption,
        tags: tags::added(BTreeMap::new(), input.tags)?,
    };
    let jobs = stream.jobs()?;
    check_prefixes(at, &jobs)?;
    check_roles(at, &jobs)?;
    jobs.iter().for_each(|job| start_at_the_end(state, at, job));
    state.streams.insert(&key, stream);
    state.start_pipelines(jobs);
    Ok(json!({ "DeliveryStreamARN": arn }))
}

/// Destinations and sources that the service has and this engine has not.
fn refuse_others(others: &Map<String, Value>, suffix: &str) -> Result<(), AwsError> {
    let elsewhere = |member: &str| {
        member.ends_with(&format!("Destination{suffix}")) || member.ends_with(&format!("Source{suffix}"))
    };
    let found = others.iter().find(|(member, value)| elsewhere(member) && !value.is_null());
    found.map_or(Ok(()), |(member, _)| Err(not_here(member)))
}

fn one_of(
    s3: Option<Destination>,
    extended: Option<Destination>,
    suffix: &str,
) -> Result<Option<Destination>, AwsError> {
    if s3.is_some() && extended.is_some() {
        return Err(invalid(format!(
            "Exactly one of S3Destination{suffix} or ExtendedS3Destination{suffix} must be specified."
        )));
    }
    Ok(s3.map(Destination::plain).or(extended))
}

fn source(at: &Scope, kind: &str, asked: Option<KinesisSource>) -> Result<Option<Source>, AwsError> {
    match (kind, asked) {
        ("DirectPut", None) => Ok(None),
        ("KinesisStreamAsSource", Some(asked)) => kinesis_source(at, asked).map(Some),
        ("DirectPut", Some(_)) => {
            Err(invalid("KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type."))
        }
        ("KinesisStreamAsSource", None) => {
            Err(invalid("KinesisSourceStreamConfig is mandatory for KinesisStreamAsSource stream type."))
        }
        (other, _) => Err(not_here(&format!("DeliveryStreamType {other}"))),
    }
}

fn kinesis_source(at: &Scope, asked: KinesisSource) -> Result<Source, AwsError> {
    let (stream_arn, role_arn) = (asked.stream_arn, asked.role_arn);
    check_role(at, &role_arn)?;
    if !(at.allows)(&role_arn, "kinesis:DescribeStream", &stream_arn) {
        return Err(invalid(format!(
            "Role {role_arn} is not authorized to perform: kinesis:DescribeStream on resource {stream_arn}."
        )));
    }
    let name = stream_arn.rsplit_once(":stream/").map_or("", |(_, name)| name);
    let stream_key = at.key(name);
    let stream = at.kinesis.streams.get(&stream_key).filter(|stream| stream.arn == stream_arn);
    let stream = stream.ok_or_else(|| invalid(format!("Kinesis stream {stream_arn} not found.")))?;
    Ok(Source { stream_created: stream.created, stream_arn, stream_key, role_arn })
}

fn check_prefixes(at: &Scope, jobs: &[Job]) -> Result<(), AwsError> {
    jobs.iter().try_for_each(|job| job.config.store.check_evaluated(at.now))
}

fn check_roles(at: &Scope, jobs: &[Job]) -> Result<(), AwsError> {
    for Config { store, lambda, .. } in jobs.iter().map(|job| &job.config) {
        check_role(at, &store.role_arn)?;
        lambda.as_ref().map_or(Ok(()), |lambda| check_role(at, &lambda.role_arn))?;
    }
    Ok(())
}

fn check_role(at: &Scope, role: &str) -> Result<(), AwsError> {
    at.iam
        .assumable(role, PRINCIPAL)
        .map_err(|_| invalid(format!("Firehose is unable to assume role {role}. Please check the role provided.")))
}

/// Starts reading at the end: only records that come from now on are delivered.
fn start_at_the_end(state: &mut State, at: &Scope, job: &Job) {
    let logs: Vec<(u32, u64)> = match &job.source {
        Some(source) => {
            let logs = at.kinesis.logs(&source.stream_key);
            logs.into_iter().flat_map(Logs::iter).map(|(shard, log)| (shard, log.next())).collect()
        }
        None => state.log(&job.stream).map(|log| (0, log.next())).into_iter().collect(),
    };
    for (shard, next) in logs {
        state.start(&job.lane, shard, next);
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateDestination {
    delivery_stream_name: String,
    current_delivery_stream_version_id: String,
    destination_id: String,
    #[serde(rename = "S3DestinationUpdate")]
    s3: Option<Destination>,
    #[serde(rename = "ExtendedS3DestinationUpdate")]
    extended_s3: Option<Destination>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl UpdateDestination {
    pub fn compile(&self) {
        self.extended_s3.iter().for_each(Destination::compile);
    }
}

pub fn update_destination(state: &mut State, at: &Scope, input: UpdateDestination) -> Result<Value, AwsError> {
    let name = &input.delivery_stream_name;
    let mut stream = at.find(state, name)?.clone();
    check_update(&stream, &input)?;
    refuse_others(&input.others, "Update")?;
    let update = one_of(input.s3, input.extended_s3, "Update")?
        .ok_or_else(|| invalid("At least one destination or source configuration update must be provided"))?;
    let merged = stream.destination.clone().merged(update).filled();
    if merged == stream.destination {
        return Ok(json!({}));
    }
    check_immutable(&stream.destination, &merged)?;
    stream.destination = merged;
    stream.version += 1;
    stream.updated = Some(at.now);
    let jobs = stream.jobs()?;
    check_prefixes(at, &jobs)?;
    check_roles(at, &jobs)?;
    let new = |job: &&Job| !state.pipelines.contains_key(&job.lane);
    let new: Vec<Job> = jobs.iter().filter(new).cloned().collect();
    new.iter().for_each(|job| start_at_the_end(state, at, job));
    state.streams.insert(at.key(name), stream);
    state.start_pipelines(jobs);
    Ok(json!({}))
}

fn check_update(stream: &DeliveryStream, input: &UpdateDestination) -> Result<(), AwsError> {
    check_active(stream)?;
    let (name, current, given) = (&stream.name, stream.version, &input.current_delivery_stream_version_id);
    if *given != current.to_string() {
        let message = format!(
            "Cannot update firehose: {name} since the current version id: {current} and specified version id: {given} \
             do not match"
        );
        return Err(AwsError::new("ConcurrentModificationException", message));
    }
    if input.destination_id != DESTINATION_ID {
        return Err(invalid(format!("Destination Id {} not found", input.destination_id)));
    }
    Ok(())
}

fn check_immutable(old: &Destination, new: &Destination) -> Result<(), AwsError> {
    if old.is_backed_up() && !new.is_backed_up() {
        return Err(invalid("Disabling S3 backup is not currently supported."));
    }
    if new.decompresses() && !old.decompresses() && !old.processes("Lambda") {
        let message =
            "Enabling source decompression is not supported for existing stream with no Lambda function attached.";
        return Err(invalid(message));
    }
    let partitioned = |destination: &Destination| {
        destination.dynamic_partitioning_configuration.as_ref().is_some_and(|partitioning| partitioning.enabled)
    };
    if partitioned(old) != partitioned(new) {
        return Err(invalid("Dynamic Partitioning can be enabled or disabled only when a delivery stream is created."));
    }
    Ok(())
}
