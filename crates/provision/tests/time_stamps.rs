//! `validate` and the engine's CreateDeliveryStream judge time stamps alike, and as Java does.

use std::path::Path;

use aws_sdk_firehose::error::ProvideErrorMetadata;
use aws_sdk_firehose::types::ExtendedS3DestinationConfiguration;
use local_cloud::Delays;
use provision::cloud::Cx;
use provision::spec::{self, LoadOptions};

use crate::common::Bench;

/// Java's result for each pattern: see `aws-facts`.
const JAVA: &str = include_str!("../../aws-facts/tests/java/patterns.tsv");

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
    "Principal":{"Service":"firehose.amazonaws.com"}}}"#;

/// The letters that the engine refuses to evaluate in UTC: its value depends on the version of Java, or does not always fit into its
/// padding.
const NOT_HERE: [&str; 12] = [
    "F",
    "pH",
    "pHH",
    "pyyyy",
    "pppEEEE",
    "ppz",
    "pppppVV",
    "pppppppppVV",
    "pppppppppppppppppppVV",
    "ppY",
    "[pHH]MM",
    "[pHH",
];

fn prefix(pattern: &str) -> String {
    format!("!{{timestamp:{pattern}}}/")
}

/// The warnings and the errors of `validate`.
fn validated(pattern: &str) -> Result<String, String> {
    let good = serde_json::to_string(&prefix(pattern)).expect("a text is JSON, which is YAML");
    let spec = format!(
        "version: 1\nstack: demo\nbuckets:\n  lake: {{ name: demo-lake }}\ndeliveries:\n  raw:\n    name: raw\n    \
         bucket: lake\n    good: {good}\n    bad: \"bad/!{{firehose:error-output-type}}/\"\n"
    );
    let loaded = spec::read(Path::new("/specs/demo.yaml"), &spec, &LoadOptions::default());
    loaded.map(|loaded| loaded.warnings.to_string()).map_err(|wrong| wrong.to_string())
}

/// The engine's error, if it refuses.
async fn created(cx: &Cx, role: &str, name: &str, pattern: &str) -> Result<(), String> {
    let to = ExtendedS3DestinationConfiguration::builder().role_arn(role).bucket_arn("arn:aws:s3:::demo-lake");
    let to = to.prefix(prefix(pattern)).error_output_prefix("bad/!{firehose:error-output-type}/");
    let create = cx.firehose().create_delivery_stream().delivery_stream_name(name);
    let create = create.extended_s3_destination_configuration(to.build().expect("nothing is missing"));
    let refused = create.send().await.err().map(|error| error.into_service_error());
    refused.map_or(Ok(()), |error| Err(error.message().unwrap_or_default().to_owned()))
}

#[tokio::test(start_paused = true)]
async fn validate_and_the_engine_take_the_time_stamps_that_java_takes() {
    let bench = Bench::new(Delays::NONE).await;
    let role = bench.cx.iam().create_role().role_name("writes").assume_role_policy_document(TRUST).send().await;
    let role = role.expect("a role is made").role.expect("the answer has it").arn;
    let (mut patterns, mut not_here) = (0, vec![]);
    for (n, line) in JAVA.lines().enumerate() {
        let (pattern, expected) = line.split_once('\t').expect("a pattern and what Java makes of it");
        let (validated, created) = (validated(pattern), created(&bench.cx, &role, &format!("d{n}"), pattern).await);
        assert_eq!(validated.is_err(), expected == "REFUSED", "{pattern}: {validated:?}");
        match created {
            Err(said) if said.contains("not supported by the built-in emulator") => {
                assert!(validated.is_ok(), "{pattern}: {said}");
                not_here.push(pattern);
            }
            Err(said) => {
                assert!(said.contains("Invalid conversion character used"), "{pattern}: {said}");
                assert!(validated.is_err(), "{pattern}: {said}");
            }
            Ok(()) => assert!(validated.is_ok(), "{pattern}: {validated:?}"),
        }
        if let Ok(warnings) = validated {
            assert_eq!(warnings.contains("the year of the week"), pattern.contains('Y'), "{pattern}: {warnings}");
            let told = warnings.contains("the built-in emulator does not evaluate");
            assert_eq!(told, not_here.last() == Some(&pattern), "{pattern}: {warnings}");
        }
        patterns += 1;
    }
    assert!(patterns >= 51, "{patterns}");
    assert_eq!(not_here, NOT_HERE);
}
