//! The records of `samples:` in the spec.

use std::path::PathBuf;

use aws_facts::firehose::MAX_PARAMETER;
use serde_yaml::Value as Yaml;

use super::envelope::Envelope;
use super::template::{GENERATORS, Template};
use super::{Record, Records, input, key};
use crate::error::Result;
use crate::section::Lower;
use crate::yaml::scalar::{Text, choices};
use crate::yaml::shape::{At, Scalar, record, said};

/// Records for a stream, or for a delivery stream that records are put to directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    pub from: From,
    /// A jq expression that gives the partition key.
    pub key: Option<String>,
    pub envelope: Envelope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// Used in turn.
    Templates(Vec<Template>),
    File(PathBuf),
}

choices!(Envelope {
    "none" => Envelope::None,
    "cloudwatch-logs" => Envelope::CloudwatchLogs,
    "kpl" => Envelope::Kpl,
});

record! {
    /// Records that `put` and `verify` send where they are given none.
    SamplesFields {
        /// Texts with generators in double braces: counter, uuid, time, time_ms, sentence, `choice a|b|c`, `number 1..100`. They are used in
        /// turn.
        templates: Vec<At<TemplateText>>;
        /// A file of records instead, relative to the spec: one a line, or a .json file.
        file: Text<1, 4096>;
        /// A jq expression that gives the partition key. Default: the number of the record.
        key: Text<1, MAX_PARAMETER>;
        /// Put ten records together as CloudWatch Logs or the Kinesis Producer Library does.
        envelope: Envelope = "none";
    }
}

/// A template, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct TemplateText(Template);

impl Scalar for TemplateText {
    fn expected() -> String {
        format!("a text in which {GENERATORS} are replaced")
    }

    fn parse(text: &str) -> Result<TemplateText, String> {
        Template::parse(text).map(TemplateText)
    }

    fn write(&self) -> Yaml {
        Scalar::write(&Text::<0, 0>(self.0.to_string()))
    }

    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string" })
    }
}

pub(crate) fn read(lower: &mut Lower, written: &At<SamplesFields>) -> Option<Samples> {
    let fields = &written.value;
    let templates = fields.templates.as_ref().map(|templates| &templates.value);
    let from = match (templates, &fields.file) {
        (Some(templates), None) if !templates.is_empty() => {
            From::Templates(templates.iter().map(|template| template.value.0.clone()).collect())
        }
        (None, Some(file)) => From::File(lower.folder.join(&file.value.0)),
        // Each template has a mistake, which was reported.
        (Some(templates), None) if templates.is_empty() && !lower.mistakes.is_empty() => return None,
        _ => {
            lower.error(written.at, "samples are templates or a file", "either `templates` or `file`");
            return None;
        }
    };
    if let Some(key) = &fields.key
        && key::query("key", &key.value.0).is_err()
    {
        lower.error(key.at, "this is not a jq expression that can be used here", "a jq expression, such as .user.id");
        return None;
    }
    if let Some(key) = fields.key.as_ref().filter(|_| fields.envelope() != Envelope::None) {
        lower.error(key.at, "an envelope holds records of several keys", "either `key` or `envelope`");
        return None;
    }
    Some(Samples { from, key: fields.key.as_ref().map(|key| key.value.0.clone()), envelope: fields.envelope() })
}

pub(crate) fn written(samples: &Samples) -> Option<At<SamplesFields>> {
    let fields = SamplesFields {
        key: samples.key.clone().and_then(|key| said(Text(key))),
        envelope: said(samples.envelope),
        ..SamplesFields::default()
    };
    said(match &samples.from {
        From::Templates(templates) => {
            let templates = templates.iter().flat_map(|template| said(TemplateText(template.clone())));
            SamplesFields { templates: said(templates.collect()), ..fields }
        }
        From::File(file) => SamplesFields { file: said(Text(file.to_string_lossy().into_owned())), ..fields },
    })
}

impl Samples {
    /// The records one after another, before they are put into envelopes. Templates give as many as are wanted, a file its own.
    /// `seed`: another one gives other values of the generators. `began_ms`: the time of the first record.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn records(&self, seed: u64, began_ms: i64) -> Result<Records> {
        match &self.from {
            From::Templates(templates) => {
                let templates = templates.clone();
                let record = move |number: u64| {
                    let template = &templates[(number - 1) as usize % templates.len()];
                    Ok(Record::new(number, template.record(seed, number, began_ms)))
                };
                Ok(Box::new((1..).map(record)))
            }
            From::File(file) => input::open(std::slice::from_ref(file), input::Format::Auto),
        }
    }

    /// The first of them, in their envelopes, with values of the generators that no other call gives.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn first(&self, count: usize, account: &str, began_ms: i64) -> Result<Records> {
        let records = Box::new(self.records(fastrand::u64(..), began_ms)?.take(count));
        Ok(self.envelope.over(records, account.to_owned(), began_ms))
    }

    /// Whether there is no end of them.
    pub fn is_endless(&self) -> bool {
        matches!(self.from, From::Templates(_))
    }
}
