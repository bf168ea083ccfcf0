//! Log streams, and what is written to them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arn;
use crate::request::AwsError;
use crate::time::Millis;

use super::{Call, GroupId, Outcome, State, already_given};

/// One stream; its events are in batches of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    pub log_stream_name: String,
    pub creation_time: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_event_timestamp: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_timestamp: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ingestion_time: Option<Millis>,
    pub arn: String,
    /// Batches written so far.
    pub upload_sequence_token: String,
    pub stored_bytes: u64,
}

impl Stream {
    pub fn new(name: &str, arn: String, now: Millis) -> Stream {
        Stream {
            log_stream_name: name.to_owned(),
            creation_time: now,
            first_event_timestamp: None,
            last_event_timestamp: None,
            last_ingestion_time: None,
            arn,
            upload_sequence_token: number(0),
            stored_bytes: 0,
        }
    }

    /// As DescribeLogStreams shows it: without a token where nothing was written.
    fn description(&self) -> Value {
        let mut description = serde_json::to_value(self).expect("our own rows serialise");
        if self.last_ingestion_time.is_none() {
            description.as_object_mut().expect("a struct is an object").remove("uploadSequenceToken");
        }
        description
    }
}

/// Events written together: each its time and message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Batch {
    pub ingestion_time: Millis,
    /// Shared with searches that go on beside the world.
    #[serde(with = "shared")]
    pub events: Arc<Vec<(Millis, String)>>,
}

/// As the value itself.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        T::serialize(value, to)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

/// `log-group:<group>:log-stream:<stream>`, the end of a stream's ARN.
pub fn path(group: &str, stream: &str) -> String {
    format!("log-group:{group}:log-stream:{stream}")
}

/// Sorts as its value does.
fn number(n: u64) -> String {
    format!("{n:020}")
}

impl State {
    /// Appends to a stream; what is written to one that is not there is lost.
    pub fn write(&mut self, stream_key: &str, events: Vec<(Millis, String)>, now: Millis) {
        let Some(stream) = self.streams.get_mut(stream_key) else { return };
        let times = events.iter().map(|(time, _)| *time);
        stream.first_event_timestamp = stream.first_event_timestamp.into_iter().chain(times.clone()).min();
        stream.last_event_timestamp = stream.last_event_timestamp.into_iter().chain(times).max();
        stream.last_ingestion_time = Some(now);
        let written: u64 = stream.upload_sequence_token.parse().unwrap_or_default();
        stream.upload_sequence_token = number(written + 1);
        self.batches.insert(
            format!("{stream_key}:{}", number(written)),
            Batch { ingestion_time: now, events: Arc::new(events) },
        );
        self.forget_old(stream_key, now);
    }

    /// From when on the stream's group keeps events; `None` where it keeps them all.
    pub fn kept_from(&self, stream_key: &str, now: Millis) -> Option<Millis> {
        let (group, _) = stream_key.split_once(':')?;
        let days = self.groups.get(group)?.retention_in_days?;
        Some(now.saturating_sub(Millis::from(days) * 86_400_000))
    }

    fn forget_old(&mut self, stream_key: &str, now: Millis) {
        let Some(from) = self.kept_from(stream_key, now) else { return };
        let prefix = format!("{stream_key}:");
        let old = |batch: &Batch| batch.events.iter().all(|(time, _)| *time < from);
        let batches = self.batches.with_prefix(&prefix).take_while(|(_, batch)| old(batch));
        let gone: Vec<String> = batches.map(|(key, _)| key.to_owned()).collect();
        gone.iter().for_each(|key| drop(self.batches.remove(key)));
    }

    /// Streams whose key begins so, and their events.
    pub fn remove_streams(&mut self, prefix: &str) {
        let streams: Vec<String> = self.streams.with_prefix(prefix).map(|(key, _)| key.to_owned()).collect();
        let batches: Vec<String> = self.batches.with_prefix(prefix).map(|(key, _)| key.to_owned()).collect();
        streams.iter().for_each(|key| {
            self.streams.remove(key);
        });
        batches.iter().for_each(|key| {
            self.batches.remove(key);
        });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
    log_stream_name: String,
}

pub fn create(call: &mut Call) -> Outcome {
    let Named { log_group_name: group, log_stream_name: name } = call.input()?;
    call.group(&group)?;
    let key = call.stream_key(&group, &name);
    if call.state.streams.contains(&key) {
        return Err(AwsError::new("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    let arn = arn::regional("logs", call.region, call.around.account, &path(&group, &name));
    call.state.streams.insert(key, Stream::new(&name, arn, call.around.now));
    Ok(Value::Null)
}

pub fn delete(call: &mut Call) -> Outcome {
    let Named { log_group_name: group, log_stream_name: name } = call.input()?;
    call.group(&group)?;
    let key = call.stream_key(&group, &name);
    call.state.streams.remove(&key).ok_or_else(no_stream)?;
    call.state.remove_streams(&format!("{key}:"));
    Ok(Value::Null)
}

pub fn no_stream() -> AwsError {
    AwsError::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    #[serde(flatten)]
    group: GroupId,
    #[serde(default)]
    log_stream_name_prefix: String,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<usize>,
}

/// The token is how many were given before.
pub fn describe(call: &mut Call) -> Outcome {
    let input: Describe = call.input()?;
    let group = input.group.name()?;
    call.group(group)?;
    let prefix = call.stream_key(group, &input.log_stream_name_prefix);
    let by_time = input.order_by.as_deref() == Some("LastEventTime");
    if by_time && !input.log_stream_name_prefix.is_empty() {
        let message = "Cannot order by LastEventTime with a logStreamNamePrefix.";
        return Err(AwsError::new("InvalidParameterException", message));
    }
    let streams = call.state.streams.with_prefix(&prefix).map(|(_, stream)| stream);
    let mut streams: Vec<&Stream> =
        streams.filter(|stream| stream.creation_time <= call.around.streams_until).collect();
    if by_time {
        streams.sort_by_key(|stream| stream.last_event_timestamp);
    }
    if input.descending {
        streams.reverse();
    }
    let from = already_given(input.next_token.as_deref())?.min(streams.len());
    let to = (from + input.limit.unwrap_or(50)).min(streams.len());
    let shown: Vec<Value> = streams[from..to].iter().map(|stream| stream.description()).collect();
    let mut output = json!({ "logStreams": shown });
    if to < streams.len() {
        output["nextToken"] = to.to_string().into();
    }
    Ok(output)
}
