//! The processors of a delivery stream, parsed.

use std::sync::Arc;

use aws_facts::bounds::Bounds;
use aws_facts::firehose::{MAX_PROCESSORS, TRANSFORM_BUFFER_MIB_100, TRANSFORM_INTERVAL_S, TRANSFORM_RETRIES};
use bytes::Bytes;

use super::buffer::Hints;
use super::prepare::split::Split;
use super::prepare::{Preparation, Unpack};
use super::query::{Query, Refused};
use super::refused::invalid;
use crate::flow::destination::{ProcessingConfiguration, Processor, QUERY};
use crate::model::json::decode_base64;
use crate::request::AwsError;

/// The transform: what is invoked, and its own buffer in front of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lambda {
    pub arn: String,
    pub role_arn: String,
    /// Invocations after the first.
    pub retries: u32,
    pub hints: Hints,
}

impl Lambda {
    /// `region/name` of the function.
    pub fn function(&self) -> String {
        let mut words = self.arn.split(':').skip(3);
        let (region, name) = (words.next().unwrap_or_default(), words.nth(2).unwrap_or_default());
        format!("{region}/{name}")
    }
}

/// Each in its place, in whatever order the processors were given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Steps {
    pub preparation: Preparation,
    pub lambda: Option<Lambda>,
    pub query: Option<Arc<Query>>,
    /// Empty where none is asked for.
    pub delimiter: Bytes,
}

/// Parses a configuration that is filled with its defaults. A disabled one does nothing.
pub fn parse(processing: Option<&ProcessingConfiguration>) -> Result<Steps, AwsError> {
    let Some(processing) = processing.filter(|processing| processing.enabled == Some(true)) else {
        return Ok(Steps::default());
    };
    if !(1..=MAX_PROCESSORS).contains(&processing.processors.len()) {
        return Err(invalid(
            "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled.",
        ));
    }
    let mut steps = Steps::default();
    let (mut decompress, mut extract) = (false, None);
    for processor in &processing.processors {
        match processor.r#type.as_str() {
            "Lambda" if steps.lambda.is_some() => return Err(invalid("Cannot have more than 1 Lambda processor")),
            "Lambda" => steps.lambda = Some(parse_lambda(processor)?),
            "AppendDelimiterToRecord" => steps.delimiter = delimiter(processor),
            "Decompression" => decompress = parse_decompression(processor)?,
            "CloudWatchLogProcessing" => extract = Some(parse_extraction(processor)?),
            "RecordDeAggregation" => steps.preparation.split = Some(parse_split(processor)?),
            "MetadataExtraction" => steps.query = Some(parse_query(processor)?),
            other => return Err(invalid(format!("Processor type {other} is not known"))),
        }
    }
    steps.preparation.unpack = match (decompress, extract) {
        (false, None) => None,
        (false, Some(_)) => {
            return Err(invalid("CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor"));
        }
        (true, Some(true)) => Some(Unpack::DecompressAndExtract),
        (true, Some(false) | None) => Some(Unpack::Decompress),
    };
    Ok(steps)
}

fn parse_decompression(processor: &Processor) -> Result<bool, AwsError> {
    match processor.parameter("CompressionFormat").unwrap_or("GZIP") {
        "GZIP" => Ok(true),
        _ => Err(invalid("CompressionFormat has to be GZIP")),
    }
}

fn parse_extraction(processor: &Processor) -> Result<bool, AwsError> {
    let value = processor.parameter("DataMessageExtraction").unwrap_or_default().to_lowercase();
    let message = "Invalid parameter value for DataMessageExtraction. Allowed values are True and False.";
    value.parse().map_err(|_| invalid(message))
}

fn parse_split(processor: &Processor) -> Result<Split, AwsError> {
    match (processor.parameter("SubRecordType"), processor.parameter("Delimiter")) {
        (Some("JSON"), None) => Ok(Split::Json),
        // The words are ours.
        (Some("JSON"), Some(_)) => Err(invalid("Delimiter can only be specified when SubRecordType is DELIMITED")),
        (Some("DELIMITED"), None) => Err(invalid("Delimiter should be present for DELIMITED")),
        (Some("DELIMITED"), Some(delimiter)) => {
            let delimiter = decode_base64(delimiter.as_bytes()).filter(|bytes| !bytes.is_empty());
            // The words are ours.
            let message = "Delimiter must be a base64 encoded string when SubRecordType is DELIMITED";
            delimiter.map(Split::Delimited).ok_or_else(|| invalid(message))
        }
        _ => Err(invalid("SubRecordType has to be one of JSON, DELIMITED")),
    }
}

fn parse_query(processor: &Processor) -> Result<Arc<Query>, AwsError> {
    if processor.parameter("JsonParsingEngine") != Some("JQ-1.6") {
        return Err(invalid("MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6"));
    }
    // The words are ours, here and below.
    let query = processor.parameter(QUERY).filter(|query| !query.is_empty());
    let query = query.ok_or_else(|| invalid("MetadataExtractionQuery must be specified"))?;
    let why = if Query::defines(query) { ": this endpoint takes no definitions (def) in queries" } else { "" };
    processor.compiled.query(query).map_err(|refused| match refused {
        Refused::Text => invalid(format!("Invalid parameter value {query} for MetadataExtractionQuery{why}")),
        Refused::NoThread(error) => {
            let message = format!("compiling the query of a MetadataExtraction processor: {error}");
            AwsError::new("ServiceUnavailableException", message).with_status(503)
        }
    })
}

/// A newline unless another is named. People write `\\n` in JSON and YAML, which arrives as two characters.
fn delimiter(processor: &Processor) -> Bytes {
    let text = processor.parameter("Delimiter").unwrap_or("\n");
    text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").into()
}

fn parse_lambda(processor: &Processor) -> Result<Lambda, AwsError> {
    let given = |name| processor.parameter(name).unwrap_or_default();
    if given("LambdaArn").is_empty() {
        return Err(invalid("LambdaArn is required when Lambda processor is used."));
    }
    if given("BufferSizeInMBs").is_empty() || given("BufferIntervalInSeconds").is_empty() {
        return Err(invalid(
            "Both BufferSizeInMBs and BufferIntervalInSeconds are required to configure buffering for lambda processor.",
        ));
    }
    let number = |name, bounds: Bounds, per_unit: f64, what| {
        let [least, most] = [bounds.min, bounds.max].map(|bound| f64::from(bound) / per_unit);
        number(processor, name, (least, most, what))
    };
    let size = "BufferSizeInMBs for lambda processor";
    let size = number("BufferSizeInMBs", TRANSFORM_BUFFER_MIB_100, 100.0, size)?;
    let interval = "BufferIntervalInSeconds for lambda processor";
    let interval = number("BufferIntervalInSeconds", TRANSFORM_INTERVAL_S, 1.0, interval)?;
    Ok(Lambda {
        arn: given("LambdaArn").to_owned(),
        role_arn: given("RoleArn").to_owned(),
        retries: number("NumberOfRetries", TRANSFORM_RETRIES, 1.0, "Number of retries for lambda")? as u32,
        hints: Hints { size_bytes: (size * f64::from(1 << 20)) as usize, interval_ms: (interval * 1000.0) as u64 },
    })
}

/// A number within bounds, and how AWS calls it.
fn number(processor: &Processor, name: &str, bounds: (f64, f64, &str)) -> Result<f64, AwsError> {
    let (least, most, what) = bounds;
    let value = processor.parameter(name).and_then(|text| text.parse::<f64>().ok());
    value
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| invalid(format!("{what} must be between {least} and {most}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::destination::Destination;
    use serde_json::{Value, json};

    fn lambda(parameter: &str, value: &str) -> Value {
        let mut parameters = json!([{ "ParameterName": "LambdaArn", "ParameterValue": "f" }]);
        if !parameter.is_empty() {
            let more = json!({ "ParameterName": parameter, "ParameterValue": value });
            parameters.as_array_mut().unwrap().push(more);
        }
        json!({ "Type": "Lambda", "Parameters": parameters })
    }

    fn parsed(processors: Vec<Value>) -> Result<Steps, AwsError> {
        let destination =
            json!({ "RoleARN": "r", "ProcessingConfiguration": { "Enabled": true, "Processors": processors } });
        let destination: crate::flow::destination::Destination = serde_json::from_value(destination).unwrap();
        parse(destination.filled().processing_configuration.as_ref())
    }

    #[test]
    fn the_delimiter_is_the_one_that_is_named_and_a_newline_otherwise() {
        for (value, expected) in [(None, "\n"), (Some("||"), "||"), (Some("\\r\\n"), "\r\n")] {
            let parameters = value.map(|value| json!([{ "ParameterName": "Delimiter", "ParameterValue": value }]));
            let processor =
                json!({ "Type": "AppendDelimiterToRecord", "Parameters": parameters.unwrap_or_else(|| json!([])) });
            assert_eq!(parsed(vec![processor]).unwrap().delimiter, expected, "{value:?}");
        }
    }

    fn with(kind: &str, parameters: &[(&str, &str)]) -> Value {
        let parameter = |(name, value): &(&str, &str)| json!({ "ParameterName": name, "ParameterValue": value });
        json!({ "Type": kind, "Parameters": parameters.iter().map(parameter).collect::<Vec<_>>() })
    }

    fn delimited(delimiter: &str) -> [(&str, &str); 2] {
        [("SubRecordType", "DELIMITED"), ("Delimiter", delimiter)]
    }

    fn buffered<'a>(size: &'a str, interval: &'a str) -> [(&'a str, &'a str); 3] {
        [("LambdaArn", "f"), ("BufferSizeInMBs", size), ("BufferIntervalInSeconds", interval)]
    }

    fn queried<'a>(query: &'a str, engine: &'a str) -> [(&'a str, &'a str); 2] {
        [("MetadataExtractionQuery", query), ("JsonParsingEngine", engine)]
    }

    #[test]
    fn stages_stand_in_their_places_whatever_their_order() {
        let extract = with("CloudWatchLogProcessing", &[("DataMessageExtraction", "True")]);
        let steps = parsed(vec![lambda("", ""), extract, with("Decompression", &[])]).unwrap();
        assert_eq!(steps.preparation.unpack, Some(Unpack::DecompressAndExtract));
        assert!(steps.lambda.is_some());
        let keep = with("CloudWatchLogProcessing", &[("DataMessageExtraction", "false")]);
        let steps = parsed(vec![keep, with("Decompression", &[])]).unwrap();
        assert_eq!(steps.preparation.unpack, Some(Unpack::Decompress));
    }

    /// The world is held when a destination is parsed.
    #[test]
    fn a_query_that_was_compiled_is_not_compiled_again() {
        let query = with("MetadataExtraction", &queried("{k: .k}", "JQ-1.6"));
        let destination = json!({ "ProcessingConfiguration": { "Enabled": true, "Processors": [query] } });
        let destination: Destination = serde_json::from_value(destination).unwrap();
        destination.compile();
        let parsed = |destination: &Destination| {
            let processing = destination.clone().filled().processing_configuration;
            parse(processing.as_ref()).unwrap().query.unwrap()
        };
        let merged = Destination::default().merged(destination.clone());
        assert!(Arc::ptr_eq(&parsed(&destination), &parsed(&merged)));
    }

    #[test]
    fn processors_are_taken_or_refused_with_a_reason() {
        let delimiter = json!({ "Type": "AppendDelimiterToRecord" });
        // (processors, part of the message; none where they are possible)
        let table = [
            (vec![], Some("A maximum of 5 and a minimum of 1")),
            (vec![delimiter.clone(); 6], Some("A maximum of 5 and a minimum of 1")),
            (vec![delimiter.clone(); 2], None),
            (vec![lambda("", "")], None),
            (vec![lambda("", ""), lambda("", "")], Some("Cannot have more than 1 Lambda processor")),
            (
                vec![with("Lambda", &buffered("3.1", "60"))],
                Some("BufferSizeInMBs for lambda processor must be between 0.2 and 3."),
            ),
            (
                vec![lambda("BufferSizeInMBs", "1")],
                Some("Both BufferSizeInMBs and BufferIntervalInSeconds are required"),
            ),
            (vec![lambda("BufferIntervalInSeconds", "60")], Some("Both BufferSizeInMBs and")),
            (vec![lambda("NumberOfRetries", "many")], Some("Number of retries for lambda must be between 0 and 300.")),
            (vec![json!({ "Type": "Lambda" })], Some("LambdaArn is required when Lambda processor is used.")),
            (vec![with("Decompression", &[])], None),
            (vec![with("Decompression", &[("CompressionFormat", "ZIP")])], Some("CompressionFormat has to be GZIP")),
            (vec![with("CloudWatchLogProcessing", &[("DataMessageExtraction", "true")])], Some("only be enabled with")),
            (vec![with("CloudWatchLogProcessing", &[]), with("Decompression", &[])], Some("Allowed values are True")),
            (vec![with("RecordDeAggregation", &[("SubRecordType", "JSON")])], None),
            (vec![with("RecordDeAggregation", &[("SubRecordType", "CSV")])], Some("has to be one of JSON, DELIMITED")),
            (vec![with("RecordDeAggregation", &[("SubRecordType", "DELIMITED")])], Some("should be present")),
            (vec![with("RecordDeAggregation", &delimited("###"))], Some("must be a base64")),
            (vec![with("RecordDeAggregation", &delimited("IyMj"))], None),
            (
                vec![with("MetadataExtraction", &[("JsonParsingEngine", "JQ-1.6")])],
                Some("MetadataExtractionQuery must"),
            ),
            (vec![with("MetadataExtraction", &queried("{k: .k", "JQ-1.6"))], Some("Invalid parameter value {k: .k")),
            (vec![with("MetadataExtraction", &queried("{k: .k}", "JQ-1.7"))], Some("Engine has to be one of JQ-1.6")),
            (vec![with("MetadataExtraction", &queried("{k: .k}", "JQ-1.6"))], None),
        ];
        for (processors, expected) in table {
            match (parsed(processors.clone()), expected) {
                (Ok(_), None) => {}
                (Err(error), Some(part)) => assert!(error.message.contains(part), "{processors:?}: {error}"),
                (result, _) => panic!("{processors:?}: {result:?}"),
            }
        }
    }
}
