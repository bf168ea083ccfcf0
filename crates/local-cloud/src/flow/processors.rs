//! The processors of a delivery stream, parsed.

use bytes::Bytes;

use super::buffer::Hints;
use super::config::{invalid, not_here};
use crate::request::AwsError;
use crate::service::firehose::destination::{ProcessingConfiguration, Processor};

/// The transform: what is invoked, and its own buffer in front of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lambda {
    pub arn: String,
    pub role_arn: String,
    /// Invocations after the first.
    pub retries: u32,
    pub hints: Hints,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Steps {
    pub lambda: Option<Lambda>,
    /// Empty where none is asked for.
    pub delimiter: Bytes,
}

/// Of a configuration that is filled with its defaults. A disabled one does nothing.
pub fn parse(processing: Option<&ProcessingConfiguration>) -> Result<Steps, AwsError> {
    let Some(processing) = processing.filter(|processing| processing.enabled == Some(true)) else {
        return Ok(Steps::default());
    };
    if !(1..=5).contains(&processing.processors.len()) {
        return Err(invalid(
            "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled.",
        ));
    }
    let mut steps = Steps::default();
    for processor in &processing.processors {
        match processor.r#type.as_str() {
            "Lambda" if steps.lambda.is_some() => return Err(invalid("Cannot have more than 1 Lambda processor")),
            "Lambda" => steps.lambda = Some(parse_lambda(processor)?),
            "AppendDelimiterToRecord" => steps.delimiter = delimiter(processor),
            other => return Err(not_here(&format!("A {other} processor"))),
        }
    }
    Ok(steps)
}

/// A newline unless another is named. People write `\\n` in JSON and YAML, which arrives as two characters.
fn delimiter(processor: &Processor) -> Bytes {
    let text = processor.parameter("Delimiter").unwrap_or("\n");
    text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").into()
}

fn parse_lambda(processor: &Processor) -> Result<Lambda, AwsError> {
    let given = |name| processor.parameter(name).unwrap_or_default();
    if given("LambdaArn").is_empty() {
        return Err(invalid("LambdaArn must be specified for a Lambda processor"));
    }
    let size = number(processor, "BufferSizeInMBs", 0.2, 3.0)?;
    let interval = number(processor, "BufferIntervalInSeconds", 0.0, 900.0)?;
    Ok(Lambda {
        arn: given("LambdaArn").to_owned(),
        role_arn: given("RoleArn").to_owned(),
        retries: number(processor, "NumberOfRetries", 0.0, 300.0)? as u32,
        hints: Hints { size_bytes: (size * f64::from(1 << 20)) as usize, interval_ms: (interval * 1000.0) as u64 },
    })
}

fn number(processor: &Processor, name: &str, least: f64, most: f64) -> Result<f64, AwsError> {
    let text = processor.parameter(name).unwrap_or_default();
    let value = text.parse::<f64>().ok().filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| {
        invalid(format!("Invalid parameter value {text} for {name}: it must be a number from {least} to {most}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let destination: crate::service::firehose::destination::Destination =
            serde_json::from_value(destination).unwrap();
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
            (vec![lambda("BufferSizeInMBs", "3.1")], Some("from 0.2 to 3")),
            (vec![lambda("NumberOfRetries", "many")], Some("from 0 to 300")),
            (vec![json!({ "Type": "Lambda" })], Some("LambdaArn must be specified")),
            (vec![json!({ "Type": "MetadataExtraction" })], Some("not supported by the local engine")),
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
