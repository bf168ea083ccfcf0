//! The processors of a delivery stream: Lambda and the others.
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_Processor.html>

use aws_facts::firehose::{MAX_PARAMETER, MAX_PROCESSORS, MAX_TRANSFORM_S};
use local_cloud::delivery::query;

use super::fields::{DeaggregateFields, DecompressFields, DeliveryFields, JsonWord, Qualifier, TransformFields};
use crate::prefix::{PartitionKey, Prefix};
use crate::resource::delivery_stream::{Deaggregate, Decompress, Processors, Transform};
use crate::resource::function::Function;
use crate::section::Lower;
use crate::section::words::Key;
use crate::yaml::collection::Either;
use crate::yaml::scalar::{Int, LambdaBuffer, Text, Time};
use crate::yaml::shape::{At, Record, said};

pub(super) fn read_transform(lower: &mut Lower, transform: &At<Either<Key, TransformFields>>) -> Option<Transform> {
    let written = match &transform.value {
        Either::Word(key) => {
            TransformFields { function: Some(transform.map(|_| key.clone())), ..TransformFields::default() }
        }
        Either::Record(written) => written.clone(),
    };
    lower.need(&written, "function", written.function.is_some(), transform.at, "the key of a function");
    let key = written.function.as_ref()?;
    let function = lower.reference::<Function>(key)?;
    let ours = lower.desired::<Function>(&key.value.0);
    if let Some(ours) = ours.as_ref().filter(|ours| ours.timeout_s > MAX_TRANSFORM_S) {
        let what = format!("`{}` may take {} s", key.value.0, ours.timeout_s);
        lower.warn(key.at, what, format!("Firehose waits {MAX_TRANSFORM_S} s at most"));
    }
    let alias = ours.as_ref().and_then(|ours| ours.alias.as_ref());
    if let (Some(said), true) = (&written.qualifier, ours.is_some()) {
        let name = said.value.0.as_str();
        let is_version = name == "$LATEST" || name.chars().all(|c| c.is_ascii_digit());
        if !is_version && alias.is_none_or(|alias| alias != name) {
            let what = format!("the function `{}` has no alias `{name}`", key.value.0);
            let expected = match alias {
                Some(alias) => format!("its alias is `{alias}`"),
                None => format!("add `alias: {name}` to it"),
            };
            lower.error(said.at, what, expected);
        }
    }
    let qualifier = match &written.qualifier {
        Some(said) => Some(said.value.0.clone()).filter(|name| name != "$LATEST"),
        None => alias.cloned(),
    };
    Some(Transform {
        function,
        qualifier,
        retries: written.retries().0,
        buffer_size_mib_100: written.buffer_size().0,
        buffer_interval_s: written.buffer_interval().0,
    })
}

pub(super) fn read_processors(lower: &mut Lower, key: &At<String>, written: &DeliveryFields) -> Processors {
    if let Some(delimiter) = written.delimiter.as_ref().filter(|written| written.value.0.chars().all(|c| c == ' ')) {
        lower.error(delimiter.at, "a delimiter of spaces alone", "Firehose takes one that holds something else, too");
    }
    let processors = Processors {
        deaggregate: written.deaggregate.as_ref().and_then(|_| read_deaggregate(lower, written)),
        delimiter: written.delimiter.as_ref().map(|delimiter| delimiter.value.0.clone()),
        metadata_query: written.metadata.as_ref().map(|query| on_one_line(lower, query)),
        decompress: read_decompress(written),
    };
    check_partition_keys(lower, written);
    let messages = processors.decompress.is_some_and(|decompress| decompress.extract_messages);
    let all = [
        processors.deaggregate.is_some(),
        processors.delimiter.is_some(),
        processors.metadata_query.is_some(),
        processors.decompress.is_some(),
        messages,
        written.transform.is_some(),
    ];
    let count = all.into_iter().filter(|there| *there).count();
    if count > MAX_PROCESSORS {
        let what = format!("{count} processors are too many");
        lower.error(key.at, what, format!("at most {MAX_PROCESSORS}; `extract_messages` counts as one"));
    }
    processors
}

/// Firehose's parameters have no line ends. To JQ they are blanks, but behind a `#`.
fn on_one_line(lower: &mut Lower, query: &At<Text<1, MAX_PARAMETER>>) -> String {
    let text = query.value.0.trim();
    if text.contains('\n') && text.contains('#') {
        lower.error(
            query.at,
            "a query of several lines with a `#`",
            "write it on one line: Firehose takes no line ends",
        );
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn read_deaggregate(lower: &mut Lower, written: &DeliveryFields) -> Option<Deaggregate> {
    let said = written.deaggregate.as_ref()?;
    if matches!(written.partitioning.as_ref().map(|said| &said.value), None | Some(Either::Word(false))) {
        lower.error(said.at, "records are taken apart only with dynamic partitioning", "add `partitioning: true`");
    }
    match &said.value {
        Either::Word(_) => Some(Deaggregate::Json),
        Either::Record(record) => {
            lower.need(record, "delimiter", record.delimiter.is_some(), said.at, "what stands between records");
            Some(Deaggregate::Delimited(record.delimiter.as_ref()?.value.0.clone()))
        }
    }
}

/// Keys in `good` must come from somewhere, and those that a query yields must be in it.
fn check_partition_keys(lower: &mut Lower, written: &DeliveryFields) {
    if written.is_wrong("good") {
        return;
    }
    let prefix = Prefix::parse(&written.good().0).unwrap_or_default();
    let good_at = written.good.as_ref().map(|good| good.at).unwrap_or_default();
    if prefix.partition_keys().any(|key| matches!(key, PartitionKey::FromQuery(_))) {
        lower.need(written, "metadata", written.metadata.is_some(), good_at, "the query that yields the keys");
    }
    if prefix.partition_keys().any(|key| matches!(key, PartitionKey::FromLambda(_))) {
        lower.need(written, "transform", written.transform.is_some(), good_at, "the function that yields the keys");
    }
    let Some(metadata) = &written.metadata else { return };
    for key in query::keys(&metadata.value.0).into_iter().filter(|key| !prefix.queries(key)) {
        let expected = format!("take it out, or add `!{{partitionKeyFromQuery:{key}}}/` to `good`");
        lower.error(metadata.at, format!("`good` does not use the key `{key}`"), expected);
    }
}

fn read_decompress(written: &DeliveryFields) -> Option<Decompress> {
    match &written.decompress.as_ref()?.value {
        Either::Word(false) => None,
        Either::Word(true) => Some(Decompress { extract_messages: false }),
        Either::Record(record) => Some(Decompress { extract_messages: record.extract_messages() }),
    }
}

/// As [`read_transform`] reads it.
pub(super) fn written(transform: &Transform) -> TransformFields {
    let qualifier = transform.qualifier.clone().unwrap_or_else(|| "$LATEST".into());
    TransformFields {
        function: transform.function.key(),
        qualifier: said(Qualifier(qualifier)),
        retries: said(Int(transform.retries)),
        buffer_size: said(LambdaBuffer(transform.buffer_size_mib_100)),
        buffer_interval: said(Time(transform.buffer_interval_s)),
        ..TransformFields::default()
    }
}

/// As [`read_processors`] reads them.
pub(super) fn fields(processors: &Processors) -> DeliveryFields {
    let deaggregate = processors.deaggregate.as_ref().map(|deaggregate| match deaggregate {
        Deaggregate::Json => Either::Word(JsonWord),
        Deaggregate::Delimited(delimiter) => {
            let delimiter = said(Text(delimiter.clone()));
            Either::Record(DeaggregateFields { delimiter, ..DeaggregateFields::default() })
        }
    });
    let decompress = processors.decompress.map(|decompress| {
        let extract_messages = said(decompress.extract_messages);
        Either::Record(DecompressFields { extract_messages, ..DecompressFields::default() })
    });
    DeliveryFields {
        deaggregate: deaggregate.and_then(said),
        delimiter: processors.delimiter.as_ref().and_then(|delimiter| said(Text(delimiter.clone()))),
        metadata: processors.metadata_query.as_ref().and_then(|query| said(Text(query.clone()))),
        decompress: decompress.and_then(said),
        ..DeliveryFields::default()
    }
}
