//! Firehose does not know yet what was just made.

use super::super::{About, Row, Shown};

pub const ROWS: &[Row] = &[Row {
    name: "firehose-absent",
    about: About::DeliveryStream,
    after: &["firehose:CreateDeliveryStream"],
    absent: None,
    at: &["firehose:DescribeDeliveryStream"],
    shown: Shown::Stale,
    lasts: (1_000, 5_000),
    settled: false,
    source: "[?] https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/firehose/delivery_stream.go \
             (its status function takes not found as not yet)",
}];
