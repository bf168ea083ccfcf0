use aws_sdk_firehose::primitives::DateTime;
use aws_sdk_firehose::types::{
    DeliveryStreamDescription, DeliveryStreamStatus, DeliveryStreamType, DestinationDescription, FailureDescription,
    HttpEndpointDestinationDescription,
};

use super::*;
use crate::cloud::tests::names;

fn described(status: DeliveryStreamStatus) -> aws_sdk_firehose::types::builders::DeliveryStreamDescriptionBuilder {
    let elsewhere = HttpEndpointDestinationDescription::builder().build();
    let destination = DestinationDescription::builder().destination_id("destinationId-000000000001");
    DeliveryStreamDescription::builder()
        .delivery_stream_name("raw")
        .delivery_stream_arn("arn:aws:firehose:us-east-1:111122223333:deliverystream/raw")
        .delivery_stream_status(status)
        .delivery_stream_type(DeliveryStreamType::DirectPut)
        .version_id("1")
        .create_timestamp(DateTime::from_secs(1))
        .has_more_destinations(false)
        .destinations(destination.http_endpoint_destination_description(elsewhere).build().unwrap())
}

fn want() -> DeliveryStream {
    DeliveryStream {
        source: None,
        bucket: Ref::new("lake", "lake", true),
        good: "good/".into(),
        bad: None,
        markers: true,
        buffer: Buffer { size_mib: 5, interval_s: 300 },
        compression: Compression::None,
        file_extension: String::new(),
        time_zone: "UTC".into(),
        encryption: None,
        transform: None,
        processors: Processors::default(),
        partitioning: None,
        backup: None,
        log: None,
        role: RoleRef::Existing("arn:aws:iam::111122223333:role/r".into()),
        source_role: None,
        source_encryption: None,
        samples: None,
    }
}

/// Audit A19: one that delivers elsewhere than to S3 can be referred to; under our name it is replaced.
#[test]
fn one_that_delivers_elsewhere_can_be_read() {
    let live = wire::live(described(DeliveryStreamStatus::Active).build().unwrap());
    assert_eq!((live.places(), live.status.as_str()), (vec![], ACTIVE));
    let diff = want().diff(&live, &Name::new("delivery", "raw", "raw"), &names());
    assert_eq!(diff.changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["destination"]);
    assert!(diff.replaces());
}

/// Audit A12: a deletion that failed is told with AWS's reason, and the next `up` replaces what is left.
#[test]
fn one_whose_deletion_failed_is_replaced_and_tells_why() {
    let why = FailureDescription::builder()
        .r#type(aws_sdk_firehose::types::DeliveryStreamFailureType::RetireKmsGrantFailed)
        .details("the grant cannot be retired");
    let failed = described(DeliveryStreamStatus::DeletingFailed).failure_description(why.build().unwrap());
    let diff = want().diff(&wire::live(failed.build().unwrap()), &Name::new("delivery", "raw", "raw"), &names());
    let status = &diff.changes[0];
    assert_eq!(status.from, "DELETING_FAILED: the grant cannot be retired");
    assert_eq!(status.replaces, Some("its deletion failed"));
}
