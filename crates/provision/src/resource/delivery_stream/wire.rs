//! Shapes as the SDK has them: what is sent to make and to update one, and what Describe says.

use std::collections::BTreeMap;

use aws_facts::firehose::{DEFAULT_BUFFER_INTERVAL_S, DEFAULT_BUFFER_MIB};
use aws_sdk_firehose::types as sdk;
use sdk::{
    DeliveryStreamDescription, DeliveryStreamEncryptionStatus as Encryption, DeliveryStreamStatus, DeliveryStreamType,
    ProcessorParameterName, ProcessorType, S3BackupMode,
};

use super::shape::{Destination, LAMBDA, Parameters, Shape};
use super::{ACTIVE, Buffer, Compression, Live, SourceEncryption};
use crate::names::Tags;

/// The processors that we know, in the order in which Firehose runs them.
const STAGES: [ProcessorType; 6] = [
    ProcessorType::Decompression,
    ProcessorType::CloudWatchLogProcessing,
    ProcessorType::RecordDeAggregation,
    ProcessorType::Lambda,
    ProcessorType::MetadataExtraction,
    ProcessorType::AppendDelimiterToRecord,
];

pub fn source_type(shape: &Shape) -> DeliveryStreamType {
    match shape.source {
        Some(_) => DeliveryStreamType::KinesisStreamAsSource,
        None => DeliveryStreamType::DirectPut,
    }
}

pub fn source(shape: &Shape) -> Option<sdk::KinesisStreamSourceConfiguration> {
    let (stream, role) = shape.source.as_ref()?;
    let source = sdk::KinesisStreamSourceConfiguration::builder().kinesis_stream_arn(stream).role_arn(role);
    Some(source.build().expect("stream and role are set"))
}

pub fn source_encryption(encryption: &SourceEncryption) -> sdk::DeliveryStreamEncryptionConfigurationInput {
    let input = sdk::DeliveryStreamEncryptionConfigurationInput::builder();
    match encryption {
        SourceEncryption::Aws => input.key_type(sdk::KeyType::AwsOwnedCmk),
        SourceEncryption::Key(arn) => input.key_type(sdk::KeyType::CustomerManagedCmk).key_arn(arn),
    }
    .build()
    .expect("the type is set")
}

pub fn configuration(shape: &Shape) -> sdk::ExtendedS3DestinationConfiguration {
    let place = &shape.place;
    sdk::ExtendedS3DestinationConfiguration::builder()
        .role_arn(&shape.role)
        .bucket_arn(&place.bucket)
        .set_prefix(given(&place.prefix))
        .set_error_output_prefix(given(&place.error_prefix))
        .buffering_hints(buffering(place.buffer))
        .compression_format(compression(place.compression))
        .encryption_configuration(encryption(place))
        .cloud_watch_logging_options(logging(place))
        .processing_configuration(processing(shape))
        .set_dynamic_partitioning_configuration(partitioning(shape))
        .set_file_extension(given(&shape.file_extension))
        .set_custom_time_zone(given(&shape.time_zone))
        .s3_backup_mode(backup_mode(shape))
        .set_s3_backup_configuration(shape.backup.as_ref().map(|backup| backup_configuration(backup, &shape.role)))
        .build()
        .expect("role and bucket are set")
}

/// The whole destination: an empty string, a disabled option or `NoEncryption` takes back what is there.
pub fn update(shape: &Shape) -> sdk::ExtendedS3DestinationUpdate {
    let place = &shape.place;
    sdk::ExtendedS3DestinationUpdate::builder()
        .role_arn(&shape.role)
        .bucket_arn(&place.bucket)
        .prefix(&place.prefix)
        .error_output_prefix(&place.error_prefix)
        .buffering_hints(buffering(place.buffer))
        .compression_format(compression(place.compression))
        .encryption_configuration(encryption(place))
        .cloud_watch_logging_options(logging(place))
        .processing_configuration(processing(shape))
        .set_dynamic_partitioning_configuration(partitioning(shape))
        .file_extension(&shape.file_extension)
        .custom_time_zone(&shape.time_zone)
        .s3_backup_mode(backup_mode(shape))
        .set_s3_backup_update(shape.backup.as_ref().map(|backup| backup_update(backup, &shape.role)))
        .build()
}

pub fn tags(tags: &Tags) -> Vec<sdk::Tag> {
    let tag = |(key, value)| sdk::Tag::builder().key(key).value(value).build().expect("the key is set");
    tags.iter().map(tag).collect()
}

pub fn live(description: DeliveryStreamDescription) -> Live {
    let destination = description.destinations.into_iter().next();
    let (destination_id, s3) = destination.map(|d| (d.destination_id, d.extended_s3_destination_description)).unzip();
    let source = description.source.and_then(|source| source.kinesis_stream_source_description);
    let source = source.and_then(|source| source.kinesis_stream_arn.zip(source.role_arn));
    let encryption = description.delivery_stream_encryption_configuration;
    let mut status = description.delivery_stream_status.as_str().to_owned();
    // It takes records meanwhile, and does not encrypt them yet, or still.
    if let (ACTIVE, Some(Encryption::Enabling | Encryption::Disabling)) =
        (status.as_str(), encryption_status(&encryption))
    {
        status = encryption_status(&encryption).map(|status| status.as_str().to_owned()).unwrap_or_default();
    }
    Live {
        status,
        missing_log_streams: vec![],
        encryption_failure: encryption.as_ref().and_then(|e| e.failure_description.as_ref()).map(|f| f.details.clone()),
        failure: matches!(
            description.delivery_stream_status,
            DeliveryStreamStatus::CreatingFailed | DeliveryStreamStatus::DeletingFailed
        )
        .then(|| description.failure_description.map_or("no reason given".into(), |failure| failure.details)),
        version_id: description.version_id,
        destination_id: destination_id.unwrap_or_default(),
        created_s: description.create_timestamp.map_or(0, |at| at.secs()),
        name: description.delivery_stream_name,
        shape: s3.flatten().map(|s3| shape(source, live_source_encryption(encryption), s3)),
    }
}

fn encryption_status(encryption: &Option<sdk::DeliveryStreamEncryptionConfiguration>) -> Option<&Encryption> {
    encryption.as_ref()?.status.as_ref()
}

/// The key that it encrypts with, or begins to. Where enabling failed it encrypts nothing, and it can be tried again.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeliveryStreamEncryptionConfiguration.html>
fn live_source_encryption(encryption: Option<sdk::DeliveryStreamEncryptionConfiguration>) -> Option<SourceEncryption> {
    let is_on = matches!(
        encryption_status(&encryption)?,
        Encryption::Enabled | Encryption::Enabling | Encryption::DisablingFailed
    );
    let encryption = encryption.filter(|_| is_on)?;
    Some(match encryption.key_arn.filter(|_| encryption.key_type != Some(sdk::KeyType::AwsOwnedCmk)) {
        Some(arn) => SourceEncryption::Key(arn),
        None => SourceEncryption::Aws,
    })
}

fn shape(
    source: Option<(String, String)>,
    source_encryption: Option<SourceEncryption>,
    s3: sdk::ExtendedS3DestinationDescription,
) -> Shape {
    let backup = s3.s3_backup_description.filter(|_| s3.s3_backup_mode == Some(S3BackupMode::Enabled));
    let partitioning = s3.dynamic_partitioning_configuration.filter(|dp| dp.enabled == Some(true));
    let retry_s =
        |dp: sdk::DynamicPartitioningConfiguration| dp.retry_options.and_then(|retry| retry.duration_in_seconds);
    Shape {
        source,
        source_encryption,
        processors: live_processors(s3.processing_configuration.as_ref(), &s3.role_arn),
        role: s3.role_arn,
        place: Destination {
            bucket: s3.bucket_arn,
            prefix: s3.prefix.unwrap_or_default(),
            error_prefix: s3.error_output_prefix.unwrap_or_default(),
            buffer: live_buffer(s3.buffering_hints.as_ref()),
            compression: live_compression(&s3.compression_format),
            encryption: live_encryption(s3.encryption_configuration),
            log: live_log(s3.cloud_watch_logging_options),
        },
        file_extension: s3.file_extension.unwrap_or_default(),
        time_zone: s3.custom_time_zone.filter(|zone| !zone.is_empty()).unwrap_or_else(|| "UTC".into()),
        partitioning: partitioning.map(|dp| retry_s(dp).map_or(300, unsigned)),
        backup: backup.map(|backup| Destination {
            bucket: backup.bucket_arn,
            prefix: backup.prefix.unwrap_or_default(),
            error_prefix: backup.error_output_prefix.unwrap_or_default(),
            buffer: live_buffer(backup.buffering_hints.as_ref()),
            compression: live_compression(&backup.compression_format),
            encryption: live_encryption(backup.encryption_configuration),
            log: live_log(backup.cloud_watch_logging_options),
        }),
    }
}

fn backup_configuration(backup: &Destination, role: &str) -> sdk::S3DestinationConfiguration {
    sdk::S3DestinationConfiguration::builder()
        .role_arn(role)
        .bucket_arn(&backup.bucket)
        .set_prefix(given(&backup.prefix))
        .set_error_output_prefix(given(&backup.error_prefix))
        .buffering_hints(buffering(backup.buffer))
        .compression_format(compression(backup.compression))
        .encryption_configuration(encryption(backup))
        .cloud_watch_logging_options(logging(backup))
        .build()
        .expect("role and bucket are set")
}

fn backup_update(backup: &Destination, role: &str) -> sdk::S3DestinationUpdate {
    sdk::S3DestinationUpdate::builder()
        .role_arn(role)
        .bucket_arn(&backup.bucket)
        .prefix(&backup.prefix)
        .error_output_prefix(&backup.error_prefix)
        .buffering_hints(buffering(backup.buffer))
        .compression_format(compression(backup.compression))
        .encryption_configuration(encryption(backup))
        .cloud_watch_logging_options(logging(backup))
        .build()
}

fn backup_mode(shape: &Shape) -> S3BackupMode {
    if shape.backup.is_some() { S3BackupMode::Enabled } else { S3BackupMode::Disabled }
}

fn partitioning(shape: &Shape) -> Option<sdk::DynamicPartitioningConfiguration> {
    let retry = sdk::RetryOptions::builder().duration_in_seconds(shape.partitioning? as i32).build();
    Some(sdk::DynamicPartitioningConfiguration::builder().enabled(true).retry_options(retry).build())
}

fn processing(shape: &Shape) -> sdk::ProcessingConfiguration {
    let wanted = |stage: &ProcessorType| shape.processors.get(stage.as_str()).map(|p| processor(stage.clone(), p));
    let processors: Vec<sdk::Processor> = STAGES.iter().filter_map(wanted).collect();
    sdk::ProcessingConfiguration::builder().enabled(!processors.is_empty()).set_processors(Some(processors)).build()
}

fn processor(stage: ProcessorType, parameters: &Parameters) -> sdk::Processor {
    let parameter = |(name, value): (&String, &String)| {
        let parameter = sdk::ProcessorParameter::builder().parameter_name(ProcessorParameterName::from(name.as_str()));
        parameter.parameter_value(value).build().expect("name and value are set")
    };
    let parameters = parameters.iter().map(parameter).collect();
    sdk::Processor::builder().r#type(stage).set_parameters(Some(parameters)).build().expect("the type is set")
}

/// Processors that are disabled do nothing: they count as absent.
fn live_processors(processing: Option<&sdk::ProcessingConfiguration>, role: &str) -> BTreeMap<String, Parameters> {
    let enabled = processing.filter(|processing| processing.enabled == Some(true));
    let processors = enabled.into_iter().flat_map(|processing| processing.processors());
    processors.map(|processor| (processor.r#type.as_str().to_owned(), live_parameters(processor, role))).collect()
}

fn live_parameters(processor: &sdk::Processor, role: &str) -> Parameters {
    let given = processor.parameters().iter();
    let given = given.map(|p| (p.parameter_name.as_str().to_owned(), normal(p.parameter_value())));
    let defaults: &[(&str, &str)] = match processor.r#type.as_str() {
        LAMBDA => {
            &[("NumberOfRetries", "3"), ("RoleArn", role), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "60")]
        }
        "Decompression" => &[("CompressionFormat", "GZIP")],
        _ => &[],
    };
    let mut parameters: Parameters =
        defaults.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    parameters.extend(given);
    parameters
}

/// `1.0` is `1`, and `True` is `true`.
fn normal(value: &str) -> String {
    match (value.parse::<f64>(), value) {
        (Ok(number), _) if number.is_finite() => number.to_string(),
        (_, "True" | "False") => value.to_lowercase(),
        _ => value.to_owned(),
    }
}

fn buffering(buffer: Buffer) -> sdk::BufferingHints {
    let hints = sdk::BufferingHints::builder().size_in_mbs(buffer.size_mib as i32);
    hints.interval_in_seconds(buffer.interval_s as i32).build()
}

fn live_buffer(hints: Option<&sdk::BufferingHints>) -> Buffer {
    Buffer {
        size_mib: hints.and_then(|hints| hints.size_in_mbs).map_or(DEFAULT_BUFFER_MIB, unsigned),
        interval_s: hints.and_then(|hints| hints.interval_in_seconds).map_or(DEFAULT_BUFFER_INTERVAL_S, unsigned),
    }
}

fn compression(compression: Compression) -> sdk::CompressionFormat {
    match compression {
        Compression::None => sdk::CompressionFormat::Uncompressed,
        Compression::Gzip => sdk::CompressionFormat::Gzip,
        Compression::Zip => sdk::CompressionFormat::Zip,
        Compression::Snappy => sdk::CompressionFormat::Snappy,
        Compression::HadoopSnappy => sdk::CompressionFormat::HadoopSnappy,
    }
}

fn live_compression(format: &sdk::CompressionFormat) -> Compression {
    match format {
        sdk::CompressionFormat::Gzip => Compression::Gzip,
        sdk::CompressionFormat::Zip => Compression::Zip,
        sdk::CompressionFormat::Snappy => Compression::Snappy,
        sdk::CompressionFormat::HadoopSnappy => Compression::HadoopSnappy,
        _ => Compression::None,
    }
}

fn encryption(place: &Destination) -> sdk::EncryptionConfiguration {
    let encryption = sdk::EncryptionConfiguration::builder();
    match &place.encryption {
        Some(key) => {
            let kms = sdk::KmsEncryptionConfig::builder().awskms_key_arn(key).build().expect("the key is set");
            encryption.kms_encryption_config(kms).build()
        }
        None => encryption.no_encryption_config(sdk::NoEncryptionConfig::NoEncryption).build(),
    }
}

fn live_encryption(encryption: Option<sdk::EncryptionConfiguration>) -> Option<String> {
    Some(encryption?.kms_encryption_config?.awskms_key_arn)
}

fn logging(place: &Destination) -> sdk::CloudWatchLoggingOptions {
    let (group, stream) = place.log.clone().unzip();
    let options = sdk::CloudWatchLoggingOptions::builder().enabled(place.log.is_some());
    options.set_log_group_name(group).set_log_stream_name(stream).build()
}

fn live_log(options: Option<sdk::CloudWatchLoggingOptions>) -> Option<(String, String)> {
    let options = options.filter(|options| options.enabled == Some(true))?;
    options.log_group_name.zip(options.log_stream_name)
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// AWS's bounds keep these above zero.
fn unsigned(n: i32) -> u32 {
    n.max(0) as u32
}
