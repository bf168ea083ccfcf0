//! `provision-test`: an environment in a Rust test.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_kinesis::config::Credentials;
use provision_test::{Environment, Error};

use super::with::trial;

/// An example, too: any client of AWS reaches the environment so.
#[tokio::test]
async fn a_rust_test_gets_an_environment() {
    let trial = trial();
    let local = Environment::local("provision.yaml").program(env!("CARGO_BIN_EXE_provision")).folder(trial.path());
    let environment = local.start().expect("the stack comes up");
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(environment.variable("AWS_REGION").to_owned()))
        .endpoint_url(environment.variable("AWS_ENDPOINT_URL"))
        .credentials_provider(Credentials::new(
            environment.variable("AWS_ACCESS_KEY_ID"),
            environment.variable("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "environment",
        ))
        .build();
    let kinesis = aws_sdk_kinesis::Client::from_conf(config);
    let name = environment.variable("STREAM_EVENTS_NAME");
    let stream = kinesis.describe_stream_summary().stream_name(name).send().await.expect("the stream is there");
    assert_eq!(stream.stream_description_summary.expect("a summary").stream_name(), "trial-events");
    assert_eq!(environment.variables()["DELIVERY_RAW_GOOD"], "s3://trial-lake-eu/none/good/");
    environment.down().expect("it is deleted");
    assert!(kinesis.list_streams().send().await.is_err(), "the emulator is gone");
}

#[test]
fn an_environment_that_does_not_come_up_is_an_error() {
    let trial = trial();
    let local = Environment::local("nowhere.yaml").folder(trial.path());
    let ended = local.clone().program(env!("CARGO_BIN_EXE_provision")).start().map(|_| ());
    assert!(matches!(&ended, Err(Error::Ended(status)) if status.code() == Some(3)), "{ended:?}");
    let missing = local.program(trial.path().join("no-such-program")).start().map(|_| ());
    assert!(matches!(missing, Err(Error::Run(_))), "{missing:?}");
}
