//! Where errors of delivery are logged.

use super::fields::{DeliveryLogFields, LogStreamName};
use crate::resource::delivery_stream::ErrorLog;
use crate::resource::log_group::LogRef;
use crate::resource::log_group::section::{self, GroupFields};
use crate::section::Lower;
use crate::yaml::collection::Either;
use crate::yaml::shape::{At, said};

type Written = At<Either<bool, DeliveryLogFields>>;

/// Errors are logged unless the spec says `false`, because an environment for tests is where they are looked for.
pub(super) fn read_log(lower: &mut Lower, logs: Option<&Written>, name: &str) -> Option<ErrorLog> {
    let log = match logs.map(|logs| &logs.value) {
        Some(Either::Word(false)) => return None,
        None | Some(Either::Word(true)) => &DeliveryLogFields::default(),
        Some(Either::Record(log)) => log,
    };
    let default = ErrorLog::of(section::read(lower, &log.group()), name);
    let stream = |written: &Option<At<LogStreamName>>, default| written.as_ref().map_or(default, |s| s.value.0.clone());
    Some(ErrorLog {
        stream: stream(&log.stream, default.stream),
        backup_stream: stream(&log.backup_stream, default.backup_stream),
        group: default.group,
    })
}

/// As [`read_log`] reads it.
pub(super) fn written_log(log: Option<&ErrorLog>) -> Option<Written> {
    let Some(log) = log else { return said(Either::Word(false)) };
    if *log == ErrorLog::of(LogRef::DEFAULT, "") {
        return said(Either::Word(true));
    }
    let GroupFields { name, retention, existing } = section::fields(&log.group);
    said(Either::Record(DeliveryLogFields {
        name,
        retention,
        existing,
        stream: said(LogStreamName(log.stream.clone())),
        backup_stream: said(LogStreamName(log.backup_stream.clone())),
        ..DeliveryLogFields::default()
    }))
}
