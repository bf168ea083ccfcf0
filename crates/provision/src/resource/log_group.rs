//! A CloudWatch log group and the log streams that its writer does not create itself.

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// One of the values that CloudWatch Logs takes; `None` keeps for ever.
    pub retention_days: Option<u32>,
    /// Log streams made in advance: Firehose does not make its own.
    pub streams: Vec<String>,
}
