//! The table, by service.

use super::Row;

mod firehose;
mod kinesis;
mod s3;

pub const ALL: &[&[Row]] = &[kinesis::ROWS, firehose::ROWS, s3::ROWS];
