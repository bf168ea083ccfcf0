//! The section `streams`.

use aws_facts::kinesis::{MAX_RECORD_KIB, RETENTION_HOURS, SHARDS, STREAM_NAME};

use super::{Mode, Stream};
use crate::names::Names;
use crate::section::{Lower, Section};
use crate::source::samples::{self, SamplesFields};
use crate::yaml::scalar::{Hours, Int, Kib, choices, patterns};
use crate::yaml::shape::{At, Record, Scalar, record, said};

patterns! {
    StreamName[usize::MAX] = STREAM_NAME.pattern(), "letters, digits, `_`, `.` and `-`";
    StreamId[2048] = STREAM_NAME.pattern_with_arn("kinesis", "stream/", ""), "a stream's name or ARN";
    StreamKey[2048] = "none|alias/[a-zA-Z0-9/_-]+|(mrk-)?[0-9a-f-]{32,36}|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+",
        "`none`, or the alias, id or ARN of a KMS key";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamMode {
    Provisioned,
    OnDemand,
}

choices!(StreamMode {
    "provisioned" => StreamMode::Provisioned,
    "on-demand" => StreamMode::OnDemand,
});

/// A shard-level metric, as AWS names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    One(&'static str),
    All,
}

choices!(Metric {
    "IncomingBytes" => Metric::One("IncomingBytes"),
    "IncomingRecords" => Metric::One("IncomingRecords"),
    "OutgoingBytes" => Metric::One("OutgoingBytes"),
    "OutgoingRecords" => Metric::One("OutgoingRecords"),
    "WriteProvisionedThroughputExceeded" => Metric::One("WriteProvisionedThroughputExceeded"),
    "ReadProvisionedThroughputExceeded" => Metric::One("ReadProvisionedThroughputExceeded"),
    "IteratorAgeMilliseconds" => Metric::One("IteratorAgeMilliseconds"),
    "ALL" => Metric::All,
});

record! {
    /// A Kinesis data stream.
    StreamFields {
        /// A fixed number of shards, or as many as AWS finds necessary.
        mode: StreamMode = "provisioned";
        /// Number of shards: needed when provisioned, not allowed on demand.
        shards: Int<{ SHARDS.min }, { SHARDS.max }>;
        /// How long records can be read.
        retention: Hours<{ RETENTION_HOURS.min }, { RETENTION_HOURS.max }> = "24h";
        /// The largest record.
        max_record_size: Kib<{ MAX_RECORD_KIB.min }, { MAX_RECORD_KIB.max }> = "1MiB";
        /// Alias, id or ARN of a KMS key (`alias/aws/kinesis`), or `none`.
        encryption: StreamKey = "none";
        /// Shard-level metrics. They cost.
        metrics: Vec<At<Metric>>;
        /// Records that `put` and `verify` send where they are given none.
        samples: SamplesFields;
    }
}

impl Section for Stream {
    type Fields = StreamFields;
    type Name = StreamName;
    type Id = StreamId;
    const NOUN: &'static str = "a stream";
    const NAME_MAX: usize = STREAM_NAME.max;

    fn read(lower: &mut Lower, key: &At<String>, _: &str, fields: StreamFields) -> Option<Stream> {
        let metrics = fields.metrics.iter().flat_map(|metrics| &metrics.value).flat_map(|metric| names(metric.value));
        Some(Stream {
            retention_hours: fields.retention().0,
            max_record_kib: fields.max_record_size().0,
            encryption: Some(fields.encryption().0).filter(|id| id != "none"),
            metrics: metrics.collect(),
            samples: fields.samples.as_ref().and_then(|written| samples::read(lower, written)),
            mode: read_mode(lower, key, &fields)?,
        })
    }

    fn fields(&self) -> StreamFields {
        let (mode, shards) = match self.mode {
            Mode::Provisioned { shards } => (StreamMode::Provisioned, said(Int(shards))),
            Mode::OnDemand => (StreamMode::OnDemand, None),
        };
        let metrics = self.metrics.iter().filter_map(|name| said(Metric::parse(name).ok()?));
        StreamFields {
            mode: said(mode),
            shards,
            retention: said(crate::yaml::scalar::Time(self.retention_hours)),
            max_record_size: said(crate::yaml::scalar::Size(self.max_record_kib)),
            encryption: said(StreamKey(self.encryption.clone().unwrap_or_else(|| "none".into()))),
            metrics: said(metrics.collect()),
            samples: self.samples.as_ref().and_then(samples::written),
            ..StreamFields::default()
        }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.stream_arn(name)
    }
}

fn read_mode(lower: &mut Lower, key: &At<String>, fields: &StreamFields) -> Option<Mode> {
    if fields.is_wrong("mode") {
        return None;
    }
    match (fields.mode(), &fields.shards) {
        (StreamMode::OnDemand, None) => Some(Mode::OnDemand),
        (StreamMode::OnDemand, Some(shards)) => {
            lower.error(shards.at, "a stream on demand has as many shards as AWS gives it", "not with on-demand");
            None
        }
        (StreamMode::Provisioned, Some(shards)) => Some(Mode::Provisioned { shards: shards.value.0 }),
        (StreamMode::Provisioned, None) => {
            lower.need(fields, "shards", false, key.at, "a number, or `mode: on-demand`");
            None
        }
    }
}

/// `ALL` is all the others.
fn names(metric: Metric) -> Vec<String> {
    match metric {
        Metric::One(name) => vec![name.to_owned()],
        Metric::All => {
            let all = Metric::choices().into_iter().filter(|name| *name != "ALL");
            all.map(str::to_owned).collect()
        }
    }
}
