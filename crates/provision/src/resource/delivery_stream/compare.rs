//! How two shapes differ, in the spec's words.

use aws_facts::firehose::{DEFAULT_BUFFER_INTERVAL_S, DEFAULT_BUFFER_MIB};

use super::shape::{DECOMPRESSION, DELIMITER, Destination, LAMBDA, Parameters, Shape, last};
use super::{Buffer, Compression, SourceEncryption};
use crate::resource::{Diff, Field};

const BACKUP_STAYS: &str = "AWS cannot turn a backup off";
const DECOMPRESSION_IS_EARLY: &str = "AWS can turn decompression on later only if a function transforms";
const PARTITIONING_STAYS: &str = "dynamic partitioning can only be chosen when the delivery stream is created";
const SOURCE_STAYS: &str = "the source of a delivery stream cannot be changed";
const READER_STAYS: &str = "the role that reads the source cannot be changed";

/// Adds to `diff` what differs between what is there and what is wanted.
pub fn compare(live: &Shape, want: &Shape, diff: &mut Diff) {
    let source = |shape: &Shape| shape.source.as_ref().map_or("direct put".into(), |(stream, _)| stream.clone());
    diff.compare_immutable("from", &source(live), &source(want), SOURCE_STAYS);
    if let (Some((_, live)), Some((_, want))) = (&live.source, &want.source) {
        diff.compare_immutable("source_role", live, want, READER_STAYS);
    }
    diff.compare("role", &live.role, &want.role);
    diff.compare("source_encryption", key(&live.source_encryption), key(&want.source_encryption));
    compare_places("", &live.place, &want.place, diff);
    diff.compare("extension", &live.file_extension, &want.file_extension);
    diff.compare("time_zone", &live.time_zone, &want.time_zone);
    compare_processors(live, want, diff);
    match (live.partitioning, want.partitioning) {
        (Some(live), Some(want)) => diff.compare("partitioning.retry", &seconds(live), &seconds(want)),
        (live, want) => {
            diff.compare_immutable("partitioning", on(live.is_some()), on(want.is_some()), PARTITIONING_STAYS)
        }
    };
    match (&live.backup, &want.backup) {
        (Some(live), Some(want)) => compare_places("backup.", live, want, diff),
        (Some(_), None) => diff.push("backup", "on".into(), "off".into(), Some(BACKUP_STAYS)),
        (None, Some(_)) => diff.push("backup", "off".into(), "on".into(), None),
        (None, None) => {}
    }
}

/// The fields that a new one is created with.
pub fn summary(shape: &Shape) -> Vec<Field> {
    let source = shape.source.as_ref().map_or("direct put".into(), |(stream, _)| last(stream));
    let mut said = vec![Field::said("from", source)];
    if let Some((_, reader)) = shape.source.as_ref().filter(|(_, reader)| *reader != shape.role) {
        said.push(Field::said("source_role", last(reader)));
    }
    if shape.source.is_none() {
        let encryption = &shape.source_encryption;
        said.push(Field::known("source_encryption", key(encryption), encryption.is_none()));
    }
    said.extend(summary_of_place("", &shape.place));
    for (name, value, default) in [("extension", &shape.file_extension, ""), ("time_zone", &shape.time_zone, "UTC")] {
        let shown = if value.is_empty() { "none" } else { value };
        said.push(Field::known(name, shown, value == default));
    }
    said.extend(shape.processors.iter().map(|(kind, parameters)| Field::said(word(kind), shown(Some(parameters)))));
    said.extend(shape.partitioning.map(|retry_s| Field::said("partitioning.retry", seconds(retry_s))));
    if let Some(backup) = &shape.backup {
        said.extend(summary_of_place("backup.", backup));
    }
    said
}

fn compare_places(under: &str, live: &Destination, want: &Destination, diff: &mut Diff) {
    let mut compare = |field: &str, live: &str, want: &str| {
        diff.compare(&format!("{under}{field}"), live, want);
    };
    compare("bucket", &last(&live.bucket), &last(&want.bucket));
    compare("good", &live.prefix, &want.prefix);
    compare("bad", &live.error_prefix, &want.error_prefix);
    compare("buffer.size", &mib(live.buffer), &mib(want.buffer));
    compare("buffer.interval", &seconds(live.buffer.interval_s), &seconds(want.buffer.interval_s));
    compare("compression", compression(live.compression), compression(want.compression));
    compare("encryption", or_none(&live.encryption), or_none(&want.encryption));
    compare("logs", &logs(live), &logs(want));
}

fn summary_of_place(under: &str, place: &Destination) -> Vec<Field> {
    let (bucket, buffer) = (last(&place.bucket), place.buffer);
    let fields = [
        ("good", format!("s3://{bucket}/{}", place.prefix), false),
        ("bad", format!("s3://{bucket}/{}", place.error_prefix), place.error_prefix.is_empty()),
        (
            "buffer",
            format!("{} or {}", mib(buffer), seconds(buffer.interval_s)),
            (buffer.size_mib, buffer.interval_s) == (DEFAULT_BUFFER_MIB, DEFAULT_BUFFER_INTERVAL_S),
        ),
        ("compression", compression(place.compression).into(), place.compression == Compression::None),
        ("encryption", or_none(&place.encryption).into(), place.encryption.is_none()),
        ("logs", logs(place), place.log.is_none()),
    ];
    fields.into_iter().map(|(name, value, default)| Field::known(format!("{under}{name}"), value, default)).collect()
}

/// Processors are a map: neither their order nor that of their parameters means anything.
fn compare_processors(live: &Shape, want: &Shape, diff: &mut Diff) {
    let mut kinds: Vec<&str> = live.processors.keys().chain(want.processors.keys()).map(String::as_str).collect();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        match (live.processors.get(kind), want.processors.get(kind)) {
            // AWS keeps this processor's delimiter to itself.
            (Some(live), Some(_)) if kind == DELIMITER && live.is_empty() => {}
            (Some(live), Some(want)) => compare_parameters(kind, live, want, diff),
            (there, want_it) => {
                let late = kind == DECOMPRESSION && there.is_none() && !live.processors.contains_key(LAMBDA);
                diff.push(word(kind), shown(there), shown(want_it), late.then_some(DECOMPRESSION_IS_EARLY));
            }
        }
    }
}

fn compare_parameters(kind: &str, live: &Parameters, want: &Parameters, diff: &mut Diff) {
    for (parameter, want) in want {
        let live = live.get(parameter).map_or("", String::as_str);
        diff.compare(&parameter_word(kind, parameter), unqualified(live), unqualified(want));
    }
}

/// An ARN of a function means its $LATEST with and without saying so.
fn unqualified(value: &str) -> &str {
    value.strip_suffix(":$LATEST").unwrap_or(value)
}

fn word(kind: &str) -> &str {
    match kind {
        LAMBDA => "transform",
        DELIMITER => "delimiter",
        "RecordDeAggregation" => "deaggregate",
        "MetadataExtraction" => "metadata",
        DECOMPRESSION => "decompress",
        "CloudWatchLogProcessing" => "decompress.extract_messages",
        other => other,
    }
}

fn parameter_word(kind: &str, parameter: &str) -> String {
    let what = match parameter {
        "LambdaArn" => "function",
        "NumberOfRetries" => "retries",
        "RoleArn" => "role",
        "BufferSizeInMBs" => "buffer_size",
        "BufferIntervalInSeconds" => "buffer_interval",
        _ if kind != LAMBDA => return word(kind).to_owned(),
        other => other,
    };
    format!("{}.{what}", word(kind))
}

fn shown(parameters: Option<&Parameters>) -> String {
    match parameters {
        None => "none".into(),
        Some(parameters) if parameters.is_empty() => "on".into(),
        Some(parameters) => match parameters.get("LambdaArn") {
            Some(function) => function.clone(),
            None => parameters.values().map(String::as_str).collect::<Vec<_>>().join(" "),
        },
    }
}

fn compression(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "none",
        Compression::Gzip => "gzip",
        Compression::Zip => "zip",
        Compression::Snappy => "snappy",
        Compression::HadoopSnappy => "hadoop-snappy",
    }
}

fn logs(place: &Destination) -> String {
    place.log.as_ref().map_or("none".into(), |(group, stream)| format!("{group}:{stream}"))
}

fn key(encryption: &Option<SourceEncryption>) -> &str {
    match encryption {
        None => "none",
        Some(SourceEncryption::Aws) => "aws",
        Some(SourceEncryption::Key(arn)) => arn,
    }
}

fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("none")
}

fn mib(buffer: Buffer) -> String {
    format!("{}MiB", buffer.size_mib)
}

fn seconds(n: u32) -> String {
    format!("{n}s")
}

fn on(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there() -> Shape {
        Shape {
            source: Some(("arn:aws:kinesis:us-east-1:111122223333:stream/events".into(), "role".into())),
            source_encryption: None,
            role: "role".into(),
            place: Destination {
                bucket: "arn:aws:s3:::lake".into(),
                prefix: "good/".into(),
                error_prefix: "bad/".into(),
                buffer: Buffer { size_mib: 5, interval_s: 60 },
                compression: Compression::None,
                encryption: None,
                log: None,
            },
            file_extension: String::new(),
            time_zone: "UTC".into(),
            processors: Default::default(),
            partitioning: None,
            backup: None,
        }
    }

    fn with(kind: &str, parameters: &[(&str, &str)]) -> Shape {
        let parameters: Parameters = parameters.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        Shape { processors: [(kind.to_owned(), parameters)].into(), ..there() }
    }

    #[test]
    fn each_difference_is_told_in_the_specs_words_with_what_forces_a_replacement() {
        let f = "arn:aws:lambda:us-east-1:111122223333:function:f";
        let latest = &format!("{f}:$LATEST");
        let place = |change: fn(&mut Destination)| {
            let mut shape = there();
            change(&mut shape.place);
            shape
        };
        let read_by =
            |role: &str| Shape { source: there().source.map(|(stream, _)| (stream, role.to_owned())), ..there() };
        let backed_up = || Shape { backup: Some(there().place), ..there() };
        type Case = (Shape, Shape, &'static [(&'static str, Option<&'static str>)]);
        let table: Vec<Case> = vec![
            (there(), there(), &[]),
            (Shape { source: None, ..there() }, there(), &[("from", Some(SOURCE_STAYS))]),
            (read_by("other"), there(), &[("source_role", Some(READER_STAYS))]),
            (there(), Shape { role: "other".into(), ..there() }, &[("role", None)]),
            (
                there(),
                Shape { source_encryption: Some(SourceEncryption::Aws), ..there() },
                &[("source_encryption", None)],
            ),
            (there(), place(|p| p.error_prefix = String::new()), &[("bad", None)]),
            (there(), place(|p| p.buffer.interval_s = 0), &[("buffer.interval", None)]),
            (there(), place(|p| p.log = Some(("g".into(), "s".into()))), &[("logs", None)]),
            (there(), place(|p| p.compression = Compression::Gzip), &[("compression", None)]),
            (there(), Shape { partitioning: Some(300), ..there() }, &[("partitioning", Some(PARTITIONING_STAYS))]),
            (there(), backed_up(), &[("backup", None)]),
            (backed_up(), there(), &[("backup", Some(BACKUP_STAYS))]),
            (there(), with(LAMBDA, &[("LambdaArn", f)]), &[("transform", None)]),
            (with(LAMBDA, &[("LambdaArn", f)]), with(LAMBDA, &[("LambdaArn", latest)]), &[]),
            (
                with(LAMBDA, &[("NumberOfRetries", "3")]),
                with(LAMBDA, &[("NumberOfRetries", "0")]),
                &[("transform.retries", None)],
            ),
            (with(DELIMITER, &[]), with(DELIMITER, &[("Delimiter", "|")]), &[]),
            (with(DECOMPRESSION, &[("CompressionFormat", "GZIP")]), there(), &[("decompress", None)]),
            (there(), with(DECOMPRESSION, &[]), &[("decompress", Some(DECOMPRESSION_IS_EARLY))]),
            (with(LAMBDA, &[]), with(DECOMPRESSION, &[]), &[("decompress", None), ("transform", None)]),
        ];
        for (live, want, expected) in table {
            let mut diff = Diff::default();
            compare(&live, &want, &mut diff);
            let told: Vec<_> = diff.changes.iter().map(|change| (change.field.as_str(), change.replaces)).collect();
            assert_eq!(told, expected);
        }
    }
}
