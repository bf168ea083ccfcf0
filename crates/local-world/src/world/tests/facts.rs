//! The facts that are stated by hand say what the service models say.

use std::collections::BTreeSet;

use aws_facts::bounds::{Bounds, NameRule};
use aws_facts::{firehose, iam, kinesis, lambda, logs, tags};

use regex_lite::Regex;

use crate::model::validate::{MODELS, Shape};

fn shape(name: &str) -> &'static Shape {
    let (service, name) = name.split_once('.').expect("service and shape");
    MODELS[service].shape(name)
}

fn bound(number: Option<&serde_json::Number>) -> Option<u64> {
    number.and_then(serde_json::Number::as_u64)
}

#[test]
fn numbers_have_the_bounds_of_the_service_models() {
    for (facts, name) in [
        (kinesis::MAX_RECORD_KIB, "kinesis.MaxRecordSizeInKiB"),
        (firehose::BUFFER_MIB, "firehose.SizeInMBs"),
        (firehose::BUFFER_INTERVAL_S, "firehose.IntervalInSeconds"),
        (firehose::PARTITION_RETRY_S, "firehose.RetryDurationInSeconds"),
    ] {
        let (Bounds { min, max }, shape) = (facts, shape(name));
        let expected = (bound(shape.min.as_ref()), bound(shape.max.as_ref()));
        assert_eq!((Some(u64::from(min)), Some(u64::from(max))), expected, "{name}");
    }
    // The models admit more, for kinds of functions that are not covered.
    for (facts, name) in [
        (lambda::MEMORY_MIB, "lambda.MemorySize"),
        (lambda::TIMEOUT_S, "lambda.Timeout"),
        (lambda::EPHEMERAL_STORAGE_MIB, "lambda.EphemeralStorageSize"),
    ] {
        let shape = shape(name);
        assert_eq!(bound(shape.min.as_ref()), Some(u64::from(facts.min)), "{name}");
        assert!(bound(shape.max.as_ref()) >= Some(u64::from(facts.max)), "{name}");
    }
}

#[test]
fn texts_and_lists_have_the_greatest_lengths_of_the_service_models() {
    for (most, name) in [
        (firehose::MAX_PREFIX_WRITTEN, "firehose.Prefix"),
        (firehose::MAX_PARAMETER, "firehose.ProcessorParameterValue"),
        (firehose::MAX_EXTENSION, "firehose.FileExtension"),
        (firehose::MAX_ZONE_NAME, "firehose.CustomTimeZone"),
        (lambda::MAX_ALIAS, "lambda.Alias"),
        (lambda::MAX_DESCRIPTION, "lambda.Description"),
        (lambda::MAX_HANDLER, "lambda.Handler"),
        (lambda::MAX_SUBNETS, "lambda.SubnetIds"),
        (lambda::MAX_SECURITY_GROUPS, "lambda.SecurityGroupIds"),
        (tags::MAX_KEY_CHARS, "kinesis.TagKey"),
        (tags::MAX_KEY_CHARS, "firehose.TagKey"),
        (tags::MAX_KEY_CHARS, "lambda.TagKey"),
        (tags::MAX_KEY_CHARS, "iam.tagKeyType"),
        (tags::MAX_KEY_CHARS, "logs.TagKey"),
        (tags::MAX_VALUE_CHARS, "kinesis.TagValue"),
        (tags::MAX_VALUE_CHARS, "firehose.TagValue"),
        (tags::MAX_VALUE_CHARS, "lambda.TagValue"),
        (tags::MAX_VALUE_CHARS, "iam.tagValueType"),
        (tags::MAX_VALUE_CHARS, "logs.TagValue"),
        (tags::MAX_TAGS, "firehose.TagDeliveryStreamInputTagList"),
        (tags::MAX_TAGS, "iam.tagListType"),
        (tags::MAX_TAGS, "logs.Tags"),
    ] {
        assert_eq!(bound(shape(name).max.as_ref()), Some(most as u64), "{name}");
    }
    assert_eq!(shape("lambda.EnvironmentVariableName").pattern.as_deref(), Some(lambda::VARIABLE_NAME));
    let metrics: BTreeSet<&str> = shape("kinesis.MetricsName").values.iter().map(String::as_str).collect();
    assert_eq!(metrics, kinesis::SHARD_METRICS.into_iter().chain(["ALL"]).collect());
}

#[test]
fn names_may_have_the_characters_and_lengths_of_the_service_models() {
    for (rule, name) in [
        (kinesis::STREAM_NAME, "kinesis.StreamName"),
        (firehose::DELIVERY_STREAM_NAME, "firehose.DeliveryStreamName"),
        (iam::ROLE_NAME, "iam.roleNameType"),
        (logs::GROUP_NAME, "logs.LogGroupName"),
    ] {
        let (NameRule { max, .. }, shape) = (rule, shape(name));
        assert_eq!((bound(shape.min.as_ref()), bound(shape.max.as_ref())), (Some(1), Some(max as u64)), "{name}");
        for c in (0..128).map(char::from) {
            let text = c.to_string();
            assert_eq!(rule.admits(&text), shape.matches(&text), "{name}: {c:?}");
        }
    }
    for (pattern, head, name) in [
        (lambda::SUBNET_ID, "subnet-", "lambda.SubnetId"),
        (lambda::SECURITY_GROUP_ID, "sg-", "lambda.SecurityGroupId"),
    ] {
        let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
        for text in (0..128).map(|c: u8| format!("{head}{}", char::from(c))) {
            assert_eq!(pattern.is_match(&text), shape(name).matches(&text), "{name}: {text:?}");
        }
    }
    // Its shape also admits ARNs.
    for c in (0..128).map(char::from) {
        let text = c.to_string();
        assert_eq!(lambda::FUNCTION_NAME.admits(&text), shape("lambda.FunctionName").matches(&text), "{c:?}");
    }
}
