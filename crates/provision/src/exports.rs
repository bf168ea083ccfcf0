//! Outputs as other programs read them: names and values as variables, and the formats of CI systems and shells. Pure. The names
//! are an interface: a change of one breaks somebody's pipeline.

use serde::Serialize;

use crate::names::hash;
use crate::outputs::Outputs;
use crate::secret;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON object
    Json,
    /// NAME=value without quotes, as docker and most CI systems read it
    Dotenv,
    /// The same, as GitLab reads a dotenv report
    Gitlab,
    /// For "$GITHUB_ENV" and "$GITHUB_OUTPUT"
    Github,
    /// export NAME='value', for eval
    Shell,
    /// The one value that --name names
    Raw,
}

/// Name and value, in order.
pub type Variables = Vec<(String, String)>;

/// Outputs with what follows from them.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exported {
    #[serde(flatten)]
    pub outputs: Outputs,
    /// A port that other programs can speak to, unless its URL has a secret in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(serialize_with = "map")]
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, String>"))]
    pub variables: Variables,
}

impl Exported {
    pub fn new(outputs: Outputs, endpoint: Option<&str>) -> Exported {
        let endpoint = shown(endpoint);
        Exported { variables: variables(&outputs, endpoint), endpoint: endpoint.map(str::to_owned), outputs }
    }
}

fn map<S: serde::Serializer>(variables: &Variables, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(variables.iter().map(|(name, value)| (name, value)))
}

/// The region, the endpoint if there is one, and `STREAM_EVENTS_ARN` and its like: kind, key and value in capitals, with `_` for
/// whatever is neither letter nor digit. Where two keys give the same name, all but the first get a hash of their address.
pub fn variables(outputs: &Outputs, endpoint: Option<&str>) -> Variables {
    let region = |name: &str| (name.to_owned(), outputs.region.clone());
    let mut variables = vec![region("AWS_REGION"), region("AWS_DEFAULT_REGION")];
    variables.extend(endpoint.map(|url| ("AWS_ENDPOINT_URL".to_owned(), url.to_owned())));
    for output in &outputs.resources {
        for (key, value) in &output.values {
            let name = name(&output.resource, key);
            let name = match variables.iter().any(|(taken, _)| *taken == name) {
                true => self::name(&format!("{}_{}", output.resource, hash(&output.resource)), key),
                false => name,
            };
            variables.push((name, value.clone()));
        }
    }
    variables
}

fn name(resource: &str, key: &str) -> String {
    let name = format!("{resource}_{key}").to_uppercase();
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// An endpoint that may be shown; `None` where a secret stands in it.
fn shown(endpoint: Option<&str>) -> Option<&str> {
    endpoint.filter(|url| secret::shown_url(url) == *url)
}

/// The text of a format that consists of variables.
///
/// # Errors
/// The name of a value that the format cannot hold.
pub fn text(variables: &Variables, format: Format) -> Result<String, String> {
    let line = |(name, value): &(String, String)| match format {
        Format::Shell => Ok(format!("export {name}='{}'\n", value.replace('\'', "'\\''"))),
        Format::Github if value.contains(['\n', '\r']) => Ok(heredoc(name, value)),
        _ if value.contains(['\n', '\r']) => Err(name.clone()),
        _ => Ok(format!("{name}={value}\n")),
    };
    variables.iter().map(line).collect()
}

/// A value of several lines, as GitHub reads it from `$GITHUB_ENV`.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings>
fn heredoc(name: &str, value: &str) -> String {
    let end = format!("END_{}", hash(value));
    format!("{name}<<{end}\n{value}\n{end}\n")
}

/// The value of one variable, named `STREAM_EVENTS_ARN` or `stream.events.arn`.
pub fn raw<'v>(variables: &'v Variables, wanted: &str) -> Option<&'v str> {
    let as_variable = match wanted.rsplit_once('.') {
        Some((resource, key)) => name(resource, key),
        None => wanted.to_owned(),
    };
    variables.iter().find(|(name, _)| *name == as_variable).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::Output;

    fn outputs(resources: &[(&str, &[(&'static str, &str)])]) -> Outputs {
        let value = |(key, value): &(&'static str, &str)| (*key, (*value).to_owned());
        let resources = resources.iter().map(|(resource, values)| Output {
            resource: (*resource).to_owned(),
            values: values.iter().map(value).collect(),
        });
        Outputs {
            stack: "demo".into(),
            env: Some("pr-1".into()),
            account: "111122223333".into(),
            region: "eu-west-1".into(),
            resources: resources.collect(),
        }
    }

    /// `BLESS=1` does not help here: these names are promised.
    #[test]
    fn names_and_formats_are_as_they_were() {
        let outputs = outputs(&[
            ("stream.click-events", &[("name", "clicks"), ("arn", "arn:aws:kinesis:a:1:stream/clicks")]),
            ("delivery.raw", &[("good", "s3://lake/o'clock !{timestamp:yyyy}/")]),
        ]);
        let variables = variables(&outputs, Some("http://127.0.0.1:4566"));
        let plain = "AWS_REGION=eu-west-1\nAWS_DEFAULT_REGION=eu-west-1\nAWS_ENDPOINT_URL=http://127.0.0.1:4566\n\
                     STREAM_CLICK_EVENTS_NAME=clicks\nSTREAM_CLICK_EVENTS_ARN=arn:aws:kinesis:a:1:stream/clicks\n\
                     DELIVERY_RAW_GOOD=s3://lake/o'clock !{timestamp:yyyy}/\n";
        for format in [Format::Dotenv, Format::Gitlab, Format::Github] {
            assert_eq!(text(&variables, format).as_deref(), Ok(plain), "{format:?}");
        }
        let shell = "export AWS_REGION='eu-west-1'\nexport AWS_DEFAULT_REGION='eu-west-1'\n\
                     export AWS_ENDPOINT_URL='http://127.0.0.1:4566'\nexport STREAM_CLICK_EVENTS_NAME='clicks'\n\
                     export STREAM_CLICK_EVENTS_ARN='arn:aws:kinesis:a:1:stream/clicks'\n\
                     export DELIVERY_RAW_GOOD='s3://lake/o'\\''clock !{timestamp:yyyy}/'\n";
        assert_eq!(text(&variables, Format::Shell).as_deref(), Ok(shell));
        assert_eq!(raw(&variables, "STREAM_CLICK_EVENTS_NAME"), Some("clicks"));
        assert_eq!(raw(&variables, "stream.click-events.name"), Some("clicks"));
        assert_eq!(raw(&variables, "stream.other.name"), None);
    }

    #[test]
    fn two_keys_never_share_a_name() {
        let outputs = outputs(&[("stream.a-b", &[("name", "1")]), ("stream.a_b", &[("name", "2")])]);
        let variables = variables(&outputs, None);
        let names: Vec<&str> = variables[2..].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[0], "STREAM_A_B_NAME");
        assert!(names[1].starts_with("STREAM_A_B_") && names[1] != names[0], "{names:?}");
    }

    #[test]
    fn a_value_of_several_lines_is_quoted_or_refused() {
        let variables = vec![("A".to_owned(), "one\ntwo".to_owned())];
        assert_eq!(text(&variables, Format::Dotenv), Err("A".to_owned()));
        let github = text(&variables, Format::Github).expect("GitHub takes lines");
        let lines: Vec<&str> = github.lines().collect();
        assert_eq!((lines[0].strip_prefix("A<<"), lines[1], lines[2]), (Some(lines[3]), "one", "two"));
        assert_eq!(text(&variables, Format::Shell).as_deref(), Ok("export A='one\ntwo'\n"));
    }

    #[test]
    fn an_endpoint_with_a_secret_in_it_is_not_shown() {
        assert_eq!(shown(Some("https://aws.example/a")), Some("https://aws.example/a"));
        assert_eq!(shown(Some("https://ana:pass@aws.example")), None);
    }
}
