//! An S3 destination, close to the wire: one type for what is asked for, what is kept, what an update says and what
//! describe shows. Which destinations are possible is [`crate::flow::config`]'s to say.

use aws_facts::firehose::MAX_PROCESSORS;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query::Compiled;

mod defaults;

/// Extended S3; the deprecated S3 destination and a backup have a part of these members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Destination {
    #[serde(rename = "RoleARN")]
    pub role_arn: String,
    #[serde(rename = "BucketARN")]
    pub bucket_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_output_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffering_hints: Option<BufferingHints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression_format: Option<String>,
    /// `NoEncryptionConfig` or `KMSEncryptionConfig`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logging_options: Option<CloudWatchLoggingOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing_configuration: Option<ProcessingConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_backup_mode: Option<String>,
    #[serde(rename = "S3BackupDescription", alias = "S3BackupConfiguration", alias = "S3BackupUpdate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_backup: Option<Box<Destination>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_format_conversion_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_partitioning_configuration: Option<DynamicPartitioningConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_time_zone: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferingHints {
    #[serde(rename = "SizeInMBs")]
    pub size_in_mbs: Option<u64>,
    #[serde(rename = "IntervalInSeconds")]
    pub interval_in_seconds: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CloudWatchLoggingOptions {
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_stream_name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProcessingConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    pub processors: Vec<Processor>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Processor {
    pub r#type: String,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// The compiled query of a MetadataExtraction processor.
    #[serde(skip)]
    pub compiled: Compiled,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    pub parameter_name: String,
    pub parameter_value: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DynamicPartitioningConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_options: Option<Value>,
    pub enabled: bool,
}

/// Members of the extended destination that the plain one does not have.
const EXTENDED_ONLY: [&str; 7] = [
    "ProcessingConfiguration",
    "S3BackupMode",
    "S3BackupDescription",
    "DataFormatConversionConfiguration",
    "DynamicPartitioningConfiguration",
    "FileExtension",
    "CustomTimeZone",
];

/// The parameter of a MetadataExtraction processor that has its query.
pub const QUERY: &str = "MetadataExtractionQuery";

impl Processor {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|parameter| parameter.parameter_name == name);
        found.map(|parameter| parameter.parameter_value.as_str())
    }
}

impl ProcessingConfiguration {
    /// A delimiter's parameters count, but never show.
    fn hide_delimiters(&mut self) {
        let delimiters = self.processors.iter_mut().filter(|processor| processor.r#type == "AppendDelimiterToRecord");
        delimiters.for_each(|processor| processor.parameters.clear());
    }
}

impl Destination {
    /// Compiles queries now, because that takes time. A query that cannot be compiled is refused when the destination is
    /// parsed.
    pub fn compile(&self) {
        let processors = self.processing_configuration.iter().flat_map(|processing| &processing.processors);
        for processor in processors.take(MAX_PROCESSORS) {
            if let Some(query) = processor.parameter(QUERY) {
                let _ = processor.compiled.query(query);
            }
        }
    }

    /// Do the source records go to a backup?
    pub fn is_backed_up(&self) -> bool {
        self.s3_backup_mode.as_deref() == Some("Enabled")
    }

    /// Is there such a processor, and is it enabled?
    pub fn processes(&self, kind: &str) -> bool {
        let processing = self.processing_configuration.as_ref().filter(|processing| processing.enabled == Some(true));
        processing.is_some_and(|processing| processing.processors.iter().any(|processor| processor.r#type == kind))
    }

    /// Does it take only what CloudWatch Logs sends?
    pub fn decompresses(&self) -> bool {
        self.processes("Decompression")
    }

    /// Without the members that the deprecated destination does not have: they are not looked at in it.
    pub fn plain(self) -> Destination {
        Destination {
            role_arn: self.role_arn,
            bucket_arn: self.bucket_arn,
            prefix: self.prefix,
            error_output_prefix: self.error_output_prefix,
            buffering_hints: self.buffering_hints,
            compression_format: self.compression_format,
            encryption_configuration: self.encryption_configuration,
            cloud_watch_logging_options: self.cloud_watch_logging_options,
            ..Destination::default()
        }
    }

    /// The key that objects are encrypted with, where one is named.
    pub fn kms_key(&self) -> Option<&str> {
        self.encryption_configuration.as_ref()?.pointer("/KMSEncryptionConfig/AWSKMSKeyARN")?.as_str()
    }

    /// This with what an update says: member by member, but a list of processors as a whole.
    pub fn merged(mut self, update: Destination) -> Destination {
        let inherited = self.processing_configuration.as_ref().and_then(|processing| processing.enabled);
        let processing = update
            .processing_configuration
            .map(|new| ProcessingConfiguration { enabled: new.enabled.or(inherited), processors: new.processors });
        let backup = match (self.s3_backup.take(), update.s3_backup) {
            (Some(old), Some(new)) => Some(Box::new(old.merged(*new))),
            (old, new) => new.or(old),
        };
        Destination {
            role_arn: non_empty(update.role_arn, self.role_arn),
            bucket_arn: non_empty(update.bucket_arn, self.bucket_arn),
            prefix: update.prefix.or(self.prefix),
            error_output_prefix: update.error_output_prefix.or(self.error_output_prefix),
            buffering_hints: update.buffering_hints.or(self.buffering_hints),
            compression_format: update.compression_format.or(self.compression_format),
            encryption_configuration: update.encryption_configuration.or(self.encryption_configuration),
            cloud_watch_logging_options: update.cloud_watch_logging_options.or(self.cloud_watch_logging_options),
            processing_configuration: processing.or(self.processing_configuration),
            s3_backup_mode: update.s3_backup_mode.or(self.s3_backup_mode),
            s3_backup: backup,
            data_format_conversion_configuration: update
                .data_format_conversion_configuration
                .or(self.data_format_conversion_configuration),
            dynamic_partitioning_configuration: update
                .dynamic_partitioning_configuration
                .or(self.dynamic_partitioning_configuration),
            file_extension: update.file_extension.or(self.file_extension),
            custom_time_zone: update.custom_time_zone.or(self.custom_time_zone),
        }
    }

    /// As describe shows it: the extended view.
    pub fn extended_view(&self) -> Value {
        let mut shown = self.clone();
        shown.processing_configuration.iter_mut().for_each(ProcessingConfiguration::hide_delimiters);
        let mut view = serde_json::to_value(&shown).expect("our own rows serialise");
        if let Some(backup) = &self.s3_backup {
            view["S3BackupDescription"] = backup.plain_view();
        }
        view
    }

    /// As describe shows it: the plain view, which is there whichever way the destination was made.
    pub fn plain_view(&self) -> Value {
        let mut view = serde_json::to_value(self).expect("our own rows serialise");
        if let Some(members) = view.as_object_mut() {
            members.retain(|member, _| !EXTENDED_ONLY.contains(&member.as_str()));
        }
        view
    }
}

fn non_empty(new: String, old: String) -> String {
    if new.is_empty() { old } else { new }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn destination(value: Value) -> Destination {
        serde_json::from_value(value).unwrap()
    }

    fn minimal() -> Destination {
        destination(json!({ "RoleARN": "role", "BucketARN": "arn:aws:s3:::b" })).filled()
    }

    #[test]
    fn the_defaults_show() {
        let plain = json!({
            "RoleARN": "role",
            "BucketARN": "arn:aws:s3:::b",
            "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 300 },
            "CompressionFormat": "UNCOMPRESSED",
            "EncryptionConfiguration": { "NoEncryptionConfig": "NoEncryption" },
            "CloudWatchLoggingOptions": { "Enabled": false },
        });
        assert_eq!(minimal().plain_view(), plain);
        let mut extended = plain;
        extended["S3BackupMode"] = json!("Disabled");
        assert_eq!(minimal().extended_view(), extended);
    }

    #[test]
    fn all_five_parameters_of_a_lambda_processor_show() {
        let lambda = json!({ "ProcessingConfiguration": { "Enabled": true, "Processors": [{
            "Type": "Lambda", "Parameters": [
                { "ParameterName": "NumberOfRetries", "ParameterValue": "5" },
                { "ParameterName": "LambdaArn", "ParameterValue": "f" },
            ] }] } });
        let filled = minimal().merged(destination(lambda)).filled();
        let shown: Vec<String> = filled.processing_configuration.unwrap().processors[0]
            .parameters
            .iter()
            .map(|p| format!("{}={}", p.parameter_name, p.parameter_value))
            .collect();
        let expected =
            ["LambdaArn=f", "NumberOfRetries=5", "RoleArn=role", "BufferSizeInMBs=1", "BufferIntervalInSeconds=60"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_update_merges() {
        let processors = json!({ "Enabled": true, "Processors": [{ "Type": "AppendDelimiterToRecord" }] });
        let base = json!({ "Prefix": "a/", "ProcessingConfiguration": processors });
        let delimiter = json!({ "Enabled": true, "Processors": [{ "Type": "AppendDelimiterToRecord",
            "Parameters": [{ "ParameterName": "Delimiter", "ParameterValue": "|" }] }] });
        // (update, member, its value after)
        let table = [
            (json!({}), "/Prefix", json!("a/")),
            (json!({ "Prefix": "" }), "/Prefix", json!("")),
            (json!({ "BufferingHints": { "SizeInMBs": 1 } }), "/BufferingHints/IntervalInSeconds", json!(300)),
            (json!({}), "/ProcessingConfiguration/Processors/0/Type", json!("AppendDelimiterToRecord")),
            (
                json!({ "ProcessingConfiguration": {} }),
                "/ProcessingConfiguration",
                json!({ "Enabled": true, "Processors": [] }),
            ),
            (
                json!({ "ProcessingConfiguration": { "Enabled": false } }),
                "/ProcessingConfiguration/Enabled",
                json!(false),
            ),
            (
                json!({ "ProcessingConfiguration": delimiter }),
                "/ProcessingConfiguration/Processors/0/Parameters",
                json!([]),
            ),
            (json!({ "RoleARN": "other" }), "/BucketARN", json!("arn:aws:s3:::b")),
        ];
        for (update, member, expected) in table {
            let merged = minimal().merged(destination(base.clone())).merged(destination(update.clone())).filled();
            assert_eq!(merged.extended_view().pointer(member), Some(&expected), "{update}");
        }
    }
}
