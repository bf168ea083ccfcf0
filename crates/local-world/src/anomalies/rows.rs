//! The table, by service.

use super::{Row, Words};

mod firehose;
mod iam;
mod kinesis;
mod lambda;
mod logs;
mod s3;

pub const ALL: &[&[Row]] = &[kinesis::ROWS, firehose::ROWS, lambda::ROWS, iam::ROWS, s3::ROWS, logs::ROWS];

/// A refusal with status 400, as most of the JSON services' are.
const fn refusal(code: &'static str, message: &'static str) -> Words {
    Words { code, status: 400, message }
}

/// Operations that change a role, which services see later.
const ROLE_CHANGES: &[&str] =
    &["iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:AttachRolePolicy"];
