//! The log group that something writes to, in a section.

use aws_facts::logs::{GROUP_NAME, RETENTION_DAYS};

use super::LogRef;
use crate::section::Lower;
use crate::yaml::scalar::{Days, Time, patterns};
use crate::yaml::shape::{At, record, said};

patterns! {
    LogGroupId[2048] = GROUP_NAME.pattern_with_arn("logs", "log-group:", r"(:\*)?"), "a log group's name or ARN";
}

record! {
    /// A log group: derived, or somebody else's.
    LogFields {
        /// One of the times that CloudWatch Logs takes. Default: kept for ever.
        retention: Days<{ RETENTION_DAYS[0] }, { RETENTION_DAYS[RETENTION_DAYS.len() - 1] }>;
        /// Name or ARN of somebody else's log group.
        existing: LogGroupId;
    }
}

pub(crate) fn read(lower: &mut Lower, log: &At<LogFields>) -> LogRef {
    if let Some(existing) = &log.value.existing {
        if let Some(retention) = &log.value.retention {
            lower.error(retention.at, "`retention` cannot be set on what is only referred to", "not beside `existing`");
        }
        let name = existing.value.0.split(":log-group:").last().unwrap_or_default();
        return LogRef::Existing(name.trim_end_matches(":*").to_owned());
    }
    let retention = log.value.retention.as_ref();
    if let Some(retention) = retention.filter(|retention| !RETENTION_DAYS.contains(&retention.value.0)) {
        let days = RETENTION_DAYS.map(|days| format!("{days}d")).join(", ");
        lower.error(retention.at, "CloudWatch Logs does not keep logs for this time", format!("one of {days}"));
    }
    LogRef::Derived { retention_days: retention.map(|retention| retention.value.0) }
}

/// As [`read`] reads it.
pub(crate) fn fields(log: &LogRef) -> LogFields {
    match log {
        LogRef::Derived { retention_days } => {
            LogFields { retention: retention_days.and_then(|days| said(Time(days))), ..LogFields::default() }
        }
        LogRef::Existing(name) => LogFields { existing: said(LogGroupId(name.clone())), ..LogFields::default() },
    }
}
