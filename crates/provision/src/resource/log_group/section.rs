//! The log group that something writes to, in a section.

use aws_facts::logs::{GROUP_NAME, RETENTION_DAYS};

use super::LogRef;
use crate::section::Lower;
use crate::yaml::scalar::{Days, Time, patterns};
use crate::yaml::shape::{At, said};

patterns! {
    LogGroupId[2048] = GROUP_NAME.pattern_with_arn("logs", "log-group:", r"(:\*)?"), "a log group's name or ARN";
    LogGroupName[usize::MAX] = GROUP_NAME.pattern(), "a log group's name: letters, digits and `./_#-`";
}

/// The fields of a log group that all sections have.
#[derive(Clone, Default)]
pub(crate) struct GroupFields {
    pub name: Option<At<LogGroupName>>,
    pub retention: Option<At<Retention>>,
    pub existing: Option<At<LogGroupId>>,
}

pub(crate) type Retention = Days<{ RETENTION_DAYS[0] }, { RETENTION_DAYS[RETENTION_DAYS.len() - 1] }>;

pub(crate) fn read(lower: &mut Lower, log: &GroupFields) -> LogRef {
    if let Some(existing) = &log.existing {
        let ours =
            [("name", log.name.as_ref().map(|name| name.at)), ("retention", log.retention.as_ref().map(|r| r.at))];
        for (key, at) in ours.into_iter().filter_map(|(key, at)| Some((key, at?))) {
            lower.error(at, format!("`{key}` cannot be set on what is only referred to"), "not beside `existing`");
        }
        let name = existing.value.0.split(":log-group:").last().unwrap_or_default();
        return LogRef::Existing(name.trim_end_matches(":*").to_owned());
    }
    let retention = log.retention.as_ref();
    if let Some(retention) = retention.filter(|retention| !RETENTION_DAYS.contains(&retention.value.0)) {
        let days = RETENTION_DAYS.map(|days| format!("{days}d")).join(", ");
        lower.error(retention.at, "CloudWatch Logs does not keep logs for this time", format!("one of {days}"));
    }
    let retention_days = retention.map(|retention| retention.value.0);
    let name = log.name.as_ref().map(|written| {
        let name = lower.name(&written.map(|name| name.0.clone()), GROUP_NAME.max);
        let kept = retention_days.map_or("no retention".into(), |days| format!("a retention of {days}d"));
        lower.agree(written.at, "log group", &name, kept);
        name
    });
    LogRef::Derived { name, retention_days }
}

/// As [`read`] reads it.
pub(crate) fn fields(log: &LogRef) -> GroupFields {
    match log {
        LogRef::Derived { name, retention_days } => GroupFields {
            name: name.as_ref().and_then(|name| said(LogGroupName(name.clone()))),
            retention: retention_days.and_then(|days| said(Time(days))),
            existing: None,
        },
        LogRef::Existing(name) => GroupFields { existing: said(LogGroupId(name.clone())), ..GroupFields::default() },
    }
}
