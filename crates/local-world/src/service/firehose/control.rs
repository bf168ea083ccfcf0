//! Delivery streams are described and listed, and go.

use serde::Deserialize;
use serde_json::{Value, json};

use super::create::DESTINATION_ID;
use super::{DeliveryStream, Scope, State, Status};
use crate::model::json::{page, seconds};
use crate::request::AwsError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Named {
    delivery_stream_name: String,
}

pub fn delete_delivery_stream(state: &mut State, at: &Scope, input: Named) -> Result<Value, AwsError> {
    let name = &input.delivery_stream_name;
    if at.find(state, name)?.status == Status::Creating {
        let message = format!("Firehose {name} under account {} cannot be deleted in CREATING state", at.account);
        return Err(AwsError::new("ResourceInUseException", message));
    }
    let key = at.key(name);
    let until = at.now + at.delay;
    state.stop_pipelines(&key);
    if let Some(stream) = state.streams.get_mut(&key).filter(|stream| stream.status == Status::Active) {
        stream.status = Status::Deleting;
        stream.until = until;
    }
    Ok(json!({}))
}

pub fn describe_delivery_stream(state: &mut State, at: &Scope, input: Named) -> Result<Value, AwsError> {
    let stream = at.find(state, &input.delivery_stream_name)?;
    let mut description = json!({
        "DeliveryStreamName": stream.name,
        "DeliveryStreamARN": stream.arn,
        "DeliveryStreamStatus": stream.status,
        "DeliveryStreamType": stream_type(stream),
        "VersionId": stream.version.to_string(),
        "CreateTimestamp": seconds(stream.created),
        "Destinations": [{
            "DestinationId": DESTINATION_ID,
            "S3DestinationDescription": stream.destination.plain_view(),
            "ExtendedS3DestinationDescription": stream.destination.extended_view(),
        }],
        "HasMoreDestinations": false,
    });
    if let Some(updated) = stream.updated {
        description["LastUpdateTimestamp"] = seconds(updated).into();
    }
    match &stream.source {
        None => {
            description["DeliveryStreamEncryptionConfiguration"] = stream.encryption.view(at.now);
            if let Some(hint) = stream.throughput_hint {
                description["Source"] = json!({ "DirectPutSourceDescription": { "ThroughputHintInMBs": hint } });
            }
        }
        Some(source) => {
            description["Source"] = json!({ "KinesisStreamSourceDescription": {
                "KinesisStreamARN": source.stream_arn,
                "RoleARN": source.role_arn,
                "DeliveryStartTimestamp": seconds(stream.created),
            } });
        }
    }
    Ok(json!({ "DeliveryStreamDescription": description }))
}

fn stream_type(stream: &DeliveryStream) -> &'static str {
    if stream.source.is_some() { "KinesisStreamAsSource" } else { "DirectPut" }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListDeliveryStreams {
    limit: Option<usize>,
    delivery_stream_type: Option<String>,
    exclusive_start_delivery_stream_name: Option<String>,
}

pub fn list_delivery_streams(state: &mut State, at: &Scope, input: ListDeliveryStreams) -> Result<Value, AwsError> {
    let prefix = at.key("");
    let wanted = |stream: &DeliveryStream| input.delivery_stream_type.as_ref().is_none_or(|t| t == stream_type(stream));
    let streams = state.streams.with_prefix(&prefix).filter(|(_, stream)| wanted(stream));
    let names = streams.map(|(_, stream)| (stream.name.as_str(), ()));
    let start = input.exclusive_start_delivery_stream_name.as_deref();
    let (shown, more) = page(names, start, input.limit.unwrap_or(10));
    let names: Vec<&str> = shown.into_iter().map(|(name, ())| name).collect();
    Ok(json!({ "DeliveryStreamNames": names, "HasMoreDeliveryStreams": more }))
}
