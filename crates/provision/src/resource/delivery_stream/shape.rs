//! The one form in which desired and live delivery streams are compared: ARNs, and every default filled in.

use std::collections::BTreeMap;

use super::{
    Backup, Buffer, Compression, Deaggregate, DeliveryStream, ErrorLog, LogRef, Ref, SourceEncryption, Transform,
};
use crate::names::{Name, Names};
use crate::prefix;
use crate::resource::Resource;
use crate::resource::bucket::Bucket;
use crate::resource::function::Function;
use crate::resource::role::Role;
use crate::resource::stream::Stream;

/// A processor's parameters, by AWS's names.
pub type Parameters = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// ARN of the stream, and of the role that reads it. `None`: direct put.
    pub source: Option<(String, String)>,
    /// Encryption of records that are put directly.
    pub source_encryption: Option<SourceEncryption>,
    /// ARN.
    pub role: String,
    pub place: Destination,
    /// Empty: the compression's own.
    pub file_extension: String,
    pub time_zone: String,
    /// By AWS's type names, each with all of its parameters.
    pub processors: BTreeMap<String, Parameters>,
    /// Retry duration in seconds, where dynamic partitioning is on.
    pub partitioning: Option<u32>,
    pub backup: Option<Destination>,
}

/// Where objects go: the destination, or the backup.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    pub bucket: String,
    pub prefix: String,
    /// Empty: AWS's own, under the prefix.
    pub error_prefix: String,
    pub buffer: Buffer,
    pub compression: Compression,
    /// ARN of a KMS key.
    pub encryption: Option<String>,
    /// Log group and stream for errors.
    pub log: Option<(String, String)>,
}

pub const LAMBDA: &str = "Lambda";
pub const DECOMPRESSION: &str = "Decompression";
pub const DELIMITER: &str = "AppendDelimiterToRecord";

impl DeliveryStream {
    pub fn shape(&self, name: &Name, names: &Names) -> Shape {
        let role = self.role.arn(names);
        let log = |stream: fn(&ErrorLog) -> &String| {
            self.log.as_ref().map(|log| (log_group(&log.group, &name.physical), stream(log).clone()))
        };
        let reader = self.source_role.as_ref().map_or(role.clone(), |reader| reader.arn(names));
        Shape {
            source: self.source.as_ref().map(|s| (s.arn(names), reader)),
            source_encryption: self.source_encryption.clone(),
            place: Destination {
                bucket: bucket_arn(&self.bucket, names),
                prefix: self.good.clone(),
                error_prefix: self.bad.clone().unwrap_or_default(),
                buffer: self.buffer,
                compression: self.compression,
                encryption: self.encryption.clone(),
                log: log(|log| &log.stream),
            },
            file_extension: self.file_extension.clone(),
            time_zone: self.time_zone.clone(),
            processors: self.processors(&role, names),
            partitioning: self.partitioning.map(|partitioning| partitioning.retry_s),
            backup: self.backup.as_ref().map(|backup| backup.place(names, log(|log| &log.backup_stream))),
            role,
        }
    }

    fn processors(&self, role: &str, names: &Names) -> BTreeMap<String, Parameters> {
        let is = &self.processors;
        let extract = is.decompress.filter(|decompress| decompress.extract_messages);
        let all = [
            (DECOMPRESSION, is.decompress.map(|_| parameters([("CompressionFormat", "GZIP")]))),
            ("CloudWatchLogProcessing", extract.map(|_| parameters([("DataMessageExtraction", "true")]))),
            ("RecordDeAggregation", is.deaggregate.as_ref().map(Deaggregate::parameters)),
            (LAMBDA, self.transform.as_ref().map(|transform| transform.parameters(role, names))),
            (
                "MetadataExtraction",
                is.metadata_query.as_ref().map(|query| {
                    parameters([("MetadataExtractionQuery", query.as_str()), ("JsonParsingEngine", "JQ-1.6")])
                }),
            ),
            (
                DELIMITER,
                is.delimiter.as_ref().map(|delimiter| parameters([("Delimiter", escaped(delimiter).as_str())])),
            ),
        ];
        all.into_iter().filter_map(|(kind, parameters)| Some((kind.to_owned(), parameters?))).collect()
    }
}

impl Deaggregate {
    fn parameters(&self) -> Parameters {
        match self {
            Deaggregate::Json => parameters([("SubRecordType", "JSON")]),
            Deaggregate::Delimited(delimiter) => {
                let delimiter = base64_simd::STANDARD.encode_to_string(delimiter);
                parameters([("SubRecordType", "DELIMITED"), ("Delimiter", delimiter.as_str())])
            }
        }
    }
}

impl Transform {
    /// The ARN that Firehose invokes: always with a version or alias, as the console writes it.
    pub fn arn(&self, names: &Names) -> String {
        let arn = self.function.arn(names);
        // arn:aws:lambda:REGION:ACCOUNT:function:NAME, and perhaps a qualifier already.
        match arn.split(':').count() {
            7 => format!("{arn}:{}", self.qualifier.as_deref().unwrap_or("$LATEST")),
            _ => arn,
        }
    }

    fn parameters(&self, role: &str, names: &Names) -> Parameters {
        let size_mib = f64::from(self.buffer_size_mib_100) / 100.0;
        parameters([
            ("LambdaArn", self.arn(names).as_str()),
            ("NumberOfRetries", &self.retries.to_string()),
            ("RoleArn", role),
            ("BufferSizeInMBs", &size_mib.to_string()),
            ("BufferIntervalInSeconds", &self.buffer_interval_s.to_string()),
        ])
    }
}

impl Backup {
    fn place(&self, names: &Names, log: Option<(String, String)>) -> Destination {
        Destination {
            bucket: bucket_arn(&self.bucket, names),
            prefix: self.prefix.clone(),
            error_prefix: self.bad.clone().unwrap_or_default(),
            buffer: self.buffer,
            compression: self.compression,
            encryption: self.encryption.clone(),
            log,
        }
    }
}

/// The group that a delivery stream logs to.
pub fn log_group(log: &LogRef, delivery_stream: &str) -> String {
    log.physical(|| format!("/aws/kinesisfirehose/{delivery_stream}"))
}

impl Shape {
    /// The resources it uses, by kind and physical name: these outlive it.
    pub fn uses(&self) -> Vec<(&'static str, String)> {
        let mut uses = Vec::new();
        uses.extend(self.source.iter().map(|(stream, _)| (Stream::KIND, last(stream))));
        if let Some(arn) = self.processors.get(LAMBDA).and_then(|parameters| parameters.get("LambdaArn")) {
            uses.extend(arn.split(':').nth(6).map(|function| (Function::KIND, function.to_owned())));
        }
        uses.extend(self.destinations().map(|destination| (Bucket::KIND, last(&destination.bucket))));
        if self.destinations().any(|destination| destination.encryption.is_some()) {
            uses.push((Role::KIND, last(&self.role)));
        }
        uses.sort();
        uses.dedup();
        uses
    }

    /// Where the delivery stream of this name writes: what was delivered and what failed, each once.
    pub fn writes_to(&self, delivery: &str) -> Vec<prefix::Place> {
        let mut places: Vec<prefix::Place> = self
            .destinations()
            .flat_map(|destination| {
                let error = Some(&destination.error_prefix).filter(|prefix| !prefix.is_empty());
                [Some(&destination.prefix), error].into_iter().flatten().map(|prefix| prefix::Place {
                    bucket: last(&destination.bucket),
                    prefix: prefix.clone(),
                    delivery: delivery.to_owned(),
                })
            })
            .collect();
        places.sort();
        places.dedup();
        places
    }

    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        std::iter::once(&self.place).chain(&self.backup)
    }
}

/// The name at the end of an ARN.
pub fn last(arn: &str) -> String {
    arn.rsplit(['/', ':']).next().unwrap_or(arn).to_owned()
}

fn bucket_arn(bucket: &Ref<Bucket>, names: &Names) -> String {
    bucket.arn(names)
}

/// A processor's parameter has no line ends and is more than blanks, says the model (`^(?!\s*$).+`): a newline is
/// written `\n`, as the console and other tools do.
fn escaped(delimiter: &str) -> String {
    delimiter.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}

fn parameters<const N: usize>(all: [(&str, &str); N]) -> Parameters {
    all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
