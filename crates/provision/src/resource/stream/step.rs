//! From what a stream is to what it should be, one call at a time.

use std::collections::BTreeSet;

use aws_sdk_kinesis::types::{EncryptionType, MetricsName, ScalingType, StreamMode, StreamModeDetails};

use super::{Live, Mode, Stream, same_key};
use crate::cloud::Cx;
use crate::error::Result;
use crate::names::Name;
use crate::send;

/// One changing call.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Mode(Mode),
    Shards(u32),
    Lengthen(u32),
    Shorten(u32),
    MaxRecord(u32),
    Encrypt(String),
    /// Stop encrypting with this key.
    Decrypt(String),
    Measure(BTreeSet<String>),
    Ignore(BTreeSet<String>),
}

impl Step {
    /// In the spec's words.
    pub fn field(&self) -> &'static str {
        match self {
            Step::Mode(_) => "mode",
            Step::Shards(_) => "shards",
            Step::Lengthen(_) | Step::Shorten(_) => "retention",
            Step::MaxRecord(_) => "max_record_size",
            Step::Encrypt(_) | Step::Decrypt(_) => "encryption",
            Step::Measure(_) | Step::Ignore(_) => "metrics",
        }
    }
}

/// The next change towards what is desired; none when there.
pub fn next_step(want: &Stream, live: &Live) -> Option<Step> {
    match want.mode {
        Mode::OnDemand if !live.on_demand => return Some(Step::Mode(want.mode)),
        Mode::Provisioned { .. } if live.on_demand => return Some(Step::Mode(want.mode)),
        Mode::Provisioned { shards } if shards != live.shards => {
            return Some(Step::Shards(next_shard_count(live.shards, shards)));
        }
        Mode::OnDemand | Mode::Provisioned { .. } => {}
    }
    if want.retention_hours > live.retention_hours {
        return Some(Step::Lengthen(want.retention_hours));
    }
    if want.retention_hours < live.retention_hours {
        return Some(Step::Shorten(want.retention_hours));
    }
    if want.max_record_kib != live.max_record_kib {
        return Some(Step::MaxRecord(want.max_record_kib));
    }
    if !same_key(live.encryption.as_deref(), want.encryption.as_deref()) {
        return match (&want.encryption, &live.encryption) {
            (Some(key), _) => Some(Step::Encrypt(key.clone())),
            (None, Some(key)) => Some(Step::Decrypt(key.clone())),
            (None, None) => None,
        };
    }
    let missing: BTreeSet<String> = want.metrics.difference(&live.metrics).cloned().collect();
    let extra: BTreeSet<String> = live.metrics.difference(&want.metrics).cloned().collect();
    match (missing.is_empty(), extra.is_empty()) {
        (false, _) => Some(Step::Measure(missing)),
        (true, false) => Some(Step::Ignore(extra)),
        (true, true) => None,
    }
}

/// AWS at most doubles and at most halves the shards in one call.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html>
fn next_shard_count(live: u32, want: u32) -> u32 {
    want.clamp(live.div_ceil(2), live.saturating_mul(2))
}

/// Asks for the change. A refusal because the stream is at another change stays an error: what comes next depends on how that ends.
pub async fn take(cx: &Cx, name: &Name, step: &Step) -> Result<()> {
    let (client, stream) = (cx.kinesis(), &name.physical);
    let arn = cx.names.stream_arn(stream);
    let doing = format!("updating {name}");
    match step {
        Step::Mode(to) => {
            let call = client.update_stream_mode().stream_arn(arn).stream_mode_details(mode(*to));
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::Shards(to) => {
            let call = client.update_shard_count().stream_name(stream).target_shard_count(*to as i32);
            let call = call.scaling_type(ScalingType::UniformScaling);
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::Lengthen(to) => {
            let call = client.increase_stream_retention_period().stream_name(stream).retention_period_hours(*to as i32);
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::Shorten(to) => {
            let call = client.decrease_stream_retention_period().stream_name(stream).retention_period_hours(*to as i32);
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::MaxRecord(to) => {
            let call = client.update_max_record_size().stream_arn(arn).max_record_size_in_kib(*to as i32);
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::Encrypt(key) => {
            let call =
                client.start_stream_encryption().stream_name(stream).key_id(key).encryption_type(EncryptionType::Kms);
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::Decrypt(key) => {
            let call =
                client.stop_stream_encryption().stream_name(stream).key_id(key).encryption_type(EncryptionType::Kms);
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::Measure(which) => {
            let call =
                client.enable_enhanced_monitoring().stream_name(stream).set_shard_level_metrics(Some(metrics(which)));
            send::change(cx, name, doing, || call.clone().send()).await
        }
        Step::Ignore(which) => {
            let call =
                client.disable_enhanced_monitoring().stream_name(stream).set_shard_level_metrics(Some(metrics(which)));
            send::change(cx, name, doing, || call.clone().send()).await
        }
    }
}

pub fn mode(mode: Mode) -> StreamModeDetails {
    let mode = match mode {
        Mode::Provisioned { .. } => StreamMode::Provisioned,
        Mode::OnDemand => StreamMode::OnDemand,
    };
    StreamModeDetails::builder().stream_mode(mode).build().expect("the mode is set")
}

fn metrics(names: &BTreeSet<String>) -> Vec<MetricsName> {
    names.iter().map(|name| MetricsName::from(name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_at_most_double_and_at_most_halve_at_once() {
        let path = |mut live, want| {
            let mut path = vec![];
            while live != want {
                live = next_shard_count(live, want);
                path.push(live);
            }
            path
        };
        assert_eq!(path(1, 10), [2, 4, 8, 10]);
        assert_eq!(path(10, 1), [5, 3, 2, 1]);
        assert_eq!(path(3, 4), [4]);
    }
}
