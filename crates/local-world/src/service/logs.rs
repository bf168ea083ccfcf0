//! CloudWatch Logs: groups, streams, events.
//!
//! Events that are older than their group keeps them are not shown, and are removed by the next write to their stream.

use aws_facts::logs::GROUP_NAME;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arn;
use crate::changes::Changes;
use crate::model::{json, validate};
use crate::request::{Answer, AwsError, Reply, Request, Unwritten};
use crate::table::Table;
use crate::time::Millis;

use group::Group;
use stream::{Batch, Stream};

mod event;
mod filter;
mod group;
mod pattern;
mod stream;
mod tag;

/// Every region's groups and what is in them.
#[derive(Debug)]
pub struct State {
    /// By `<region>/<group>`.
    pub groups: Table<Group>,
    /// By `<region>/<group>:<stream>`: neither name holds a colon.
    streams: Table<Stream>,
    /// By `<region>/<group>:<stream>:<twenty digits>`, in the order written.
    batches: Table<Batch>,
}

impl Default for State {
    fn default() -> Self {
        State {
            groups: Table::new("logs/groups"),
            streams: Table::new("logs/streams"),
            batches: Table::new("logs/batches"),
        }
    }
}

/// The context of an operation.
struct Call<'a> {
    state: &'a mut State,
    /// As it came, and was checked against the service model.
    input: Value,
    region: &'a str,
    around: Around<'a>,
}

/// An operation's result; `Null` where it has none.
type Outcome = Result<Value, AwsError>;

/// A search that was begun in the world and goes on beside it.
type Search = Box<dyn FnOnce() -> Outcome + Send>;

enum Operation {
    Act(fn(&mut Call) -> Outcome),
    Search(fn(&mut Call) -> Result<Search, AwsError>),
}

use Operation::{Act, Search as Searches};

const OPERATIONS: &[(&str, Operation)] = &[
    ("CreateLogGroup", Act(group::create)),
    ("CreateLogStream", Act(stream::create)),
    ("DeleteLogGroup", Act(group::delete)),
    ("DeleteLogStream", Act(stream::delete)),
    ("DeleteRetentionPolicy", Act(group::delete_retention)),
    ("DescribeLogGroups", Act(group::describe)),
    ("DescribeLogStreams", Act(stream::describe)),
    ("FilterLogEvents", Searches(filter::filter)),
    ("GetLogEvents", Searches(event::get)),
    ("ListTagsForResource", Act(tag::list)),
    ("ListTagsLogGroup", Act(tag::list)),
    ("PutLogEvents", Act(event::put)),
    ("PutLogGroupDeletionProtection", Act(group::put_protection)),
    ("PutRetentionPolicy", Act(group::put_retention)),
    ("TagLogGroup", Act(tag::tag)),
    ("TagResource", Act(tag::tag)),
    ("UntagLogGroup", Act(tag::untag)),
    ("UntagResource", Act(tag::untag)),
];

/// A call that was read and checked.
pub type Checked<'a> = Box<dyn FnOnce(&mut State, Around) -> Result<Answer, AwsError> + Send + 'a>;

/// The parts of the world that a call needs.
pub struct Around<'a> {
    pub account: &'a str,
    pub now: Millis,
    /// Events that came in later are not found yet.
    pub found_until: Millis,
    /// Streams that were created later are not listed yet.
    pub streams_until: Millis,
}

pub fn read(request: &Request) -> Result<Checked<'_>, AwsError> {
    let name = json::operation(request);
    let operation = OPERATIONS.iter().find(|(known, _)| *known == name);
    let (_, operation) = operation.ok_or_else(|| json::unsupported("CloudWatch Logs", name))?;
    let input = json::value(&request.body)?;
    // Names of streams have the same bound.
    let most = GROUP_NAME.max;
    let too_long = |name| input[name].as_str().is_some_and(|name| name.len() > most);
    if too_long("logGroupName") || too_long("logStreamName") {
        let message = format!("Invalid LogGroup or LogStream, both must have length less than or equal to {most}.");
        return Err(AwsError::new("InvalidParameterException", message));
    }
    validate::input("logs", name, &input)?;
    Ok(Box::new(move |state, around| {
        let mut call = Call { state, input, region: &request.region, around };
        match operation {
            Act(act) => act(&mut call).map(json::output),
            Searches(begin) => {
                let search = begin(&mut call)?;
                Ok(Answer::Unwritten(Unwritten::new(move || search().map(|found| Reply::json(&found)))))
            }
        }
    }))
}

impl Call<'_> {
    /// The input, which is taken, as the operation's own type.
    fn input<T: DeserializeOwned>(&mut self) -> Result<T, AwsError> {
        json::typed_value(self.input.take())
    }

    fn group_key(&self, group: &str) -> String {
        format!("{}/{group}", self.region)
    }

    fn stream_key(&self, group: &str, stream: &str) -> String {
        format!("{}/{group}:{stream}", self.region)
    }

    fn group(&self, group: &str) -> Result<&Group, AwsError> {
        self.state.groups.get(&self.group_key(group)).ok_or_else(no_group)
    }

    fn group_mut(&mut self, group: &str) -> Result<&mut Group, AwsError> {
        let key = self.group_key(group);
        self.state.groups.get_mut(&key).ok_or_else(no_group)
    }
}

fn no_group() -> AwsError {
    AwsError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

fn invalid_token() -> AwsError {
    AwsError::new("InvalidParameterException", "The specified nextToken is invalid.")
}

/// A token that is a number: how many were given before.
fn already_given(token: Option<&str>) -> Result<usize, AwsError> {
    token.map_or(Ok(0), |token| token.parse().map_err(|_| invalid_token()))
}

/// A group, by the one or the other.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupId {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
}

impl GroupId {
    fn name(&self) -> Result<&str, AwsError> {
        let refuse = |message| Err(AwsError::new("ValidationException", message));
        match (&self.log_group_name, &self.log_group_identifier) {
            (Some(name), None) => Ok(name),
            (None, Some(identifier)) => Ok(group_name(identifier)),
            (Some(_), Some(_)) => refuse("LogGroup name and LogGroup ARN are mutually exclusive parameters."),
            // The words are ours.
            (None, None) => refuse("Either LogGroup name or LogGroup ARN must be given."),
        }
    }
}

/// The group that a name, or an ARN with or without `:*`, stands for.
pub(crate) fn group_name(identifier: &str) -> &str {
    match identifier.split_once(":log-group:") {
        Some((_, rest)) => rest.split(':').next().unwrap_or(rest),
        None => identifier,
    }
}

/// Lines that a service writes, and the stream that they go to.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    pub region: &'a str,
    pub group: &'a str,
    pub stream: &'a str,
    pub lines: &'a [String],
}

impl State {
    /// Appends the lines of a service that may write to a group but not create one: without the group they are lost. With
    /// `create_stream` the stream is created if it does not exist.
    pub fn append(&mut self, account: &str, now: Millis, written: Written, create_stream: bool) {
        let Written { region, group, stream, lines } = written;
        if !self.groups.contains(&format!("{region}/{group}")) {
            return;
        }
        let key = format!("{region}/{group}:{stream}");
        if create_stream && !self.streams.contains(&key) {
            let arn = arn::regional("logs", region, account, &stream::path(group, stream));
            self.streams.insert(key.clone(), Stream::new(stream, arn, now));
        }
        let events = lines.iter().map(|line| (now, line.clone())).collect();
        self.write(&key, events, now);
    }

    /// Makes the group, where it is not there, for a service that may.
    pub fn create_group(&mut self, account: &str, region: &str, group: &str, now: Millis) {
        let key = format!("{region}/{group}");
        if !self.groups.contains(&key) {
            self.groups.insert(key, Group::new(group, region, account, now));
        }
    }

    pub fn take_changes(&mut self, out: &mut Changes) {
        self.groups.take_changes(out);
        self.streams.take_changes(out);
        self.batches.take_changes(out);
    }

    pub fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        match table {
            t if t == self.groups.name() => self.groups.restore(key, value)?,
            t if t == self.streams.name() => self.streams.restore(key, value)?,
            t if t == self.batches.name() => self.batches.restore(key, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
