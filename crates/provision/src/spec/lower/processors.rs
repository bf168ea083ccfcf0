//! What happens to records on their way: the Lambda processor and the others.
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_Processor.html>

use local_cloud::delivery::query;

use super::super::collection::Either;
use super::super::grammar::{Delivery, Transform as Written};
use super::super::index::Index;
use super::super::scalar::Text;
use super::super::shape::At;
use super::super::words::Key;
use super::Lower;
use crate::prefix::{PartitionKey, Prefix};
use crate::resource::delivery_stream::{Deaggregate, Decompress, Processors, Transform};

const MOST_PROCESSORS: usize = 5;
/// Firehose waits for a function no longer.
const LONGEST_TRANSFORM_S: u32 = 300;

impl Lower<'_> {
    pub(super) fn transform(&mut self, transform: &At<Either<Key, Written>>, index: &Index) -> Option<Transform> {
        let written = match &transform.value {
            Either::Word(key) => Written { function: Some(transform.map(|_| key.clone())), ..Written::default() },
            Either::Record(written) => written.clone(),
        };
        self.need(&written, "function", written.function.is_some(), transform.at, "the key of a function");
        let key = written.function.as_ref()?;
        let function = index.function(key, self.mistakes)?;
        let ours = index.our_function(&key.value.0);
        if let Some(ours) = ours.filter(|ours| ours.timeout_s > LONGEST_TRANSFORM_S) {
            let what = format!("`{}` may take {} s", key.value.0, ours.timeout_s);
            self.warn(key.at, what, format!("Firehose waits {LONGEST_TRANSFORM_S} s at most"));
        }
        let alias = ours.and_then(|ours| ours.alias.as_ref());
        if let (Some(said), true) = (&written.qualifier, ours.is_some()) {
            let name = said.value.0.as_str();
            let is_version = name == "$LATEST" || name.chars().all(|c| c.is_ascii_digit());
            if !is_version && alias.is_none_or(|alias| alias != name) {
                let what = format!("the function `{}` has no alias `{name}`", key.value.0);
                let expected = match alias {
                    Some(alias) => format!("its alias is `{alias}`"),
                    None => format!("add `alias: {name}` to it"),
                };
                self.error(said.at, what, expected);
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

    pub(super) fn processors(&mut self, key: &At<String>, written: &Delivery) -> Processors {
        if let Some(delimiter) = written.delimiter.as_ref().filter(|written| written.value.0.chars().all(|c| c == ' '))
        {
            self.error(
                delimiter.at,
                "a delimiter of spaces alone",
                "Firehose takes one that holds something else, too",
            );
        }
        let processors = Processors {
            deaggregate: written.deaggregate.as_ref().and_then(|_| self.deaggregate(written)),
            delimiter: written.delimiter.as_ref().map(|delimiter| delimiter.value.0.clone()),
            metadata_query: written.metadata.as_ref().map(|query| self.on_one_line(query)),
            decompress: decompress(written),
        };
        self.partition_keys(written);
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
        if count > MOST_PROCESSORS {
            let what = format!("{count} processors are too many");
            self.error(key.at, what, format!("at most {MOST_PROCESSORS}; `extract_messages` counts as one"));
        }
        processors
    }

    /// Firehose's parameters have no line ends. To JQ they are blanks, but behind a `#`.
    fn on_one_line(&mut self, query: &At<Text<1, 5120>>) -> String {
        let text = query.value.0.trim();
        if text.contains('\n') && text.contains('#') {
            self.error(
                query.at,
                "a query of several lines with a `#`",
                "write it on one line: Firehose takes no line ends",
            );
        }
        text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }

    fn deaggregate(&mut self, written: &Delivery) -> Option<Deaggregate> {
        let said = written.deaggregate.as_ref()?;
        if matches!(written.partitioning.as_ref().map(|said| &said.value), None | Some(Either::Word(false))) {
            self.error(said.at, "records are taken apart only with dynamic partitioning", "add `partitioning: true`");
        }
        match &said.value {
            Either::Word(_) => Some(Deaggregate::Json),
            Either::Record(record) => {
                self.need(record, "delimiter", record.delimiter.is_some(), said.at, "what stands between records");
                Some(Deaggregate::Delimited(record.delimiter.as_ref()?.value.0.clone()))
            }
        }
    }

    /// Keys in `good` must come from somewhere, and those that a query yields must be in it.
    fn partition_keys(&mut self, written: &Delivery) {
        let Some(good) = &written.good else { return };
        let prefix = Prefix::parse(&good.value.0).unwrap_or_default();
        if prefix.partition_keys().any(|key| matches!(key, PartitionKey::FromQuery(_))) {
            self.need(written, "metadata", written.metadata.is_some(), good.at, "the query that yields the keys");
        }
        if prefix.partition_keys().any(|key| matches!(key, PartitionKey::FromLambda(_))) {
            self.need(written, "transform", written.transform.is_some(), good.at, "the function that yields the keys");
        }
        let Some(metadata) = &written.metadata else { return };
        for key in query::keys(&metadata.value.0).into_iter().filter(|key| !prefix.queries(key)) {
            let expected = format!("take it out, or add `!{{partitionKeyFromQuery:{key}}}/` to `good`");
            self.error(metadata.at, format!("`good` does not use the key `{key}`"), expected);
        }
    }
}

fn decompress(written: &Delivery) -> Option<Decompress> {
    match &written.decompress.as_ref()?.value {
        Either::Word(false) => None,
        Either::Word(true) => Some(Decompress { extract_messages: false }),
        Either::Record(record) => Some(Decompress { extract_messages: record.extract_messages() }),
    }
}
