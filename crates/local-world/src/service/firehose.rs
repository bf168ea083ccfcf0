//! Amazon Data Firehose: the control plane. Its data plane is [`crate::world::delivery`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::encryption::Encryption;
pub use self::state::State;
use self::state::backup_lane;
use crate::flow::config::Config;
use crate::flow::destination::Destination;
use crate::flow::job::{Job, Source};
use crate::flow::pipeline::Pipeline;
use crate::model::json;
use crate::request::{Answer, AwsError, Request};
use crate::service::{iam, kinesis};
use crate::settings::Settings;
use crate::time::Millis;

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
    /// Server-side encryption, which only direct put has.
    encryption: Encryption,
    tags: BTreeMap<String, Option<String>>,
}

impl DeliveryStream {
    fn key(&self) -> String {
        format!("{}/{}", self.region, self.name)
    }

    /// The jobs of the data plane: one for the destination, and one for the backup if there is one. Fails if the destination is
    /// not possible.
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

/// A call that was read and checked.
pub type Call<'a> = Box<dyn FnOnce(&mut State, Around) -> Result<Answer, AwsError> + Send + 'a>;

/// The parts of the world that a call needs.
pub struct Around<'a> {
    pub settings: &'a Settings,
    pub now: Millis,
    pub kinesis: &'a kinesis::State,
    pub iam: iam::View<'a>,
    /// Whether a role, that of this ARN, may do something to a resource: [`crate::world::access`].
    pub allows: &'a dyn Fn(&str, &str, &str) -> bool,
}

pub fn read(request: &Request) -> Result<Call<'_>, AwsError> {
    let operation = json::operation(request);
    macro_rules! run {
        ($input:expr, $function:path) => {{
            let input = $input?;
            Box::new(move |state, around| {
                $function(state, &Scope::of(around, &request.region), input).map(json::answer)
            })
        }};
        ($function:path) => {
            run!(json::checked("firehose", operation, &request.body), $function)
        };
    }
    Ok(match operation {
        "PutRecord" => run!(json::typed(&request.body), put::put_record),
        "PutRecordBatch" => run!(json::typed(&request.body), put::put_record_batch),
        "CreateDeliveryStream" => {
            run!(
                json::checked("firehose", operation, &request.body).inspect(create::CreateDeliveryStream::compile),
                create::create_delivery_stream
            )
        }
        "DeleteDeliveryStream" => run!(control::delete_delivery_stream),
        "DescribeDeliveryStream" => run!(control::describe_delivery_stream),
        "ListDeliveryStreams" => run!(control::list_delivery_streams),
        "UpdateDestination" => {
            run!(
                json::checked("firehose", operation, &request.body).inspect(create::UpdateDestination::compile),
                create::update_destination
            )
        }
        "StartDeliveryStreamEncryption" => run!(encryption::start),
        "StopDeliveryStreamEncryption" => run!(encryption::stop),
        "TagDeliveryStream" => run!(tags::tag),
        "UntagDeliveryStream" => run!(tags::untag),
        "ListTagsForDeliveryStream" => run!(tags::list),
        other => return Err(json::unsupported("Firehose", other)),
    })
}

/// How many delivery streams read a stream: each calls once a second.
pub fn readers(state: &State, stream: &str) -> u64 {
    let theirs = |pipeline: &&Pipeline| pipeline.job.source.as_ref().is_some_and(|source| source.stream_key == stream);
    state.pipelines.values().filter(theirs).count() as u64
}

/// Where and when a call happens, and what it may ask.
struct Scope<'a> {
    region: &'a str,
    account: &'a str,
    now: Millis,
    /// How long a status lasts that does not last.
    delay: Millis,
    /// Does a delivery stream take only so much in a second?
    limits: bool,
    kinesis: &'a kinesis::State,
    iam: iam::View<'a>,
    allows: &'a dyn Fn(&str, &str, &str) -> bool,
}

impl<'a> Scope<'a> {
    fn of(around: Around<'a>, region: &'a str) -> Scope<'a> {
        let Around { settings, now, kinesis, iam, allows } = around;
        let (account, delay, limits) = (&settings.account, settings.delays.delivery_stream, settings.limits);
        Scope { region, account, now, delay, limits, kinesis, iam, allows }
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.region)
    }

    fn find<'s>(&self, state: &'s State, name: &str) -> Result<&'s DeliveryStream, AwsError> {
        state.streams.get(&self.key(name)).ok_or_else(|| {
            // As seen: <https://github.com/turbot/steampipe-plugin-aws/issues/759>.
            let message = format!("Firehose {name} under account {} not found.", self.account);
            AwsError::new("ResourceNotFoundException", message)
        })
    }
}
