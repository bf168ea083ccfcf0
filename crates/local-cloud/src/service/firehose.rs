//! Amazon Data Firehose: the control plane. Its data plane is [`crate::world::delivery`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::encryption::Encryption;
pub use self::state::State;
use self::state::backup_lane;
use crate::effect::Turn;
use crate::flow::config::Config;
use crate::flow::destination::Destination;
use crate::flow::job::{Job, Source};
use crate::flow::pump::Pump;
use crate::model::json;
use crate::request::{AwsError, Request};
use crate::time::Millis;
use crate::world::World;
use crate::world::services::Call;

mod control;
mod create;
mod encryption;
mod meter;
mod put;
mod state;
mod tags;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Creating,
    Active,
    Deleting,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct DeliveryStream {
    name: String,
    arn: String,
    region: String,
    status: Status,
    /// When a status that does not last ends.
    until: Millis,
    version: u64,
    created: Millis,
    updated: Option<Millis>,
    source: Option<Source>,
    /// MB a second that are expected of one that is put to directly: a note, which decides nothing.
    #[serde(default)]
    throughput_hint: Option<u64>,
    destination: Destination,
    /// Of one that is put to directly.
    encryption: Encryption,
    tags: BTreeMap<String, Option<String>>,
}

impl DeliveryStream {
    fn key(&self) -> String {
        format!("{}/{}", self.region, self.name)
    }

    /// What the data plane needs: the way to the destination, and that to the backup where there is one. Fails where the
    /// destination is not possible.
    fn jobs(&self) -> Result<Vec<Job>, AwsError> {
        let job = |lane: String, config: Config| Job {
            stream: self.key(),
            lane,
            name: self.name.clone(),
            arn: self.arn.clone(),
            region: self.region.clone(),
            version: self.version,
            source: self.source.clone(),
            config,
        };
        let mut jobs = vec![job(self.key(), Config::parse(&self.destination)?)];
        jobs.extend(Config::parse_backup(&self.destination)?.map(|config| job(backup_lane(&self.key()), config)));
        Ok(jobs)
    }
}

pub fn read(request: &Request) -> Result<Call<'_>, AwsError> {
    let operation = json::operation(request);
    macro_rules! run {
        ($input:expr, $function:path) => {{
            let input = $input?;
            Box::new(move |world, turn| {
                let account = world.settings.account.clone();
                let at = Scope { region: request.region.clone(), account, now: turn.now };
                $function(world, &at, input).map(json::answer)
            })
        }};
        ($function:path) => {
            run!(json::checked("firehose", operation, &request.body), $function)
        };
    }
    Ok(match operation {
        "PutRecord" => run!(json::typed(&request.body), put::put_record),
        "PutRecordBatch" => run!(json::typed(&request.body), put::put_record_batch),
        "CreateDeliveryStream" => run!(create::create_delivery_stream),
        "DeleteDeliveryStream" => run!(control::delete_delivery_stream),
        "DescribeDeliveryStream" => run!(control::describe_delivery_stream),
        "ListDeliveryStreams" => run!(control::list_delivery_streams),
        "UpdateDestination" => run!(create::update_destination),
        "StartDeliveryStreamEncryption" => run!(encryption::start),
        "StopDeliveryStreamEncryption" => run!(encryption::stop),
        "TagDeliveryStream" => run!(tags::tag),
        "UntagDeliveryStream" => run!(tags::untag),
        "ListTagsForDeliveryStream" => run!(tags::list),
        other => return Err(json::unsupported("Firehose", other)),
    })
}

/// Statuses whose time has come pass into what follows.
pub fn tick(world: &mut World, turn: &mut Turn) {
    world.firehose.pass(turn.now);
}

pub fn due(world: &World) -> Option<Millis> {
    let passing = world.firehose.streams.iter().filter(|(_, stream)| stream.status != Status::Active);
    passing.map(|(_, stream)| stream.until).min()
}

/// How many delivery streams read a stream: each calls once a second.
pub fn readers(state: &State, stream: &str) -> u64 {
    let theirs = |pump: &&Pump| pump.job.source.as_ref().is_some_and(|source| source.stream_key == stream);
    state.pumps.values().filter(theirs).count() as u64
}

/// Where and when a call happens.
#[derive(Debug, Clone)]
struct Scope {
    region: String,
    account: String,
    now: Millis,
}

impl Scope {
    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.region)
    }

    fn find<'a>(&self, state: &'a State, name: &str) -> Result<&'a DeliveryStream, AwsError> {
        state.streams.get(&self.key(name)).ok_or_else(|| {
            let message = format!("Firehose {name} not found under account {}.", self.account);
            AwsError::new("ResourceNotFoundException", message)
        })
    }
}
