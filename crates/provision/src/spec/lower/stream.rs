//! Streams.

use super::super::grammar::Stream;
use super::super::shape::{At, Record, Scalar};
use super::super::words::{Metric, StreamMode};
use super::Lower;
use crate::resource::stream;

impl Lower<'_> {
    pub(super) fn stream(&mut self, key: &At<String>, written: Stream) -> Option<stream::Stream> {
        let retention_hours = written.retention().0;
        let max_record_kib = written.max_record_size().0;
        let encryption = Some(written.encryption().0).filter(|id| id != "none");
        let metrics = written.metrics.iter().flat_map(|metrics| &metrics.value).flat_map(|metric| names(metric.value));
        let metrics = metrics.collect();
        let mode = self.mode(key, &written)?;
        Some(stream::Stream { mode, retention_hours, max_record_kib, encryption, metrics })
    }

    fn mode(&mut self, key: &At<String>, written: &Stream) -> Option<stream::Mode> {
        if written.is_wrong("mode") {
            return None;
        }
        match (written.mode(), &written.shards) {
            (StreamMode::OnDemand, None) => Some(stream::Mode::OnDemand),
            (StreamMode::OnDemand, Some(shards)) => {
                self.error(shards.at, "a stream on demand has as many shards as AWS gives it", "not with on-demand");
                None
            }
            (StreamMode::Provisioned, Some(shards)) => Some(stream::Mode::Provisioned { shards: shards.value.0 }),
            (StreamMode::Provisioned, None) => {
                self.need(written, "shards", false, key.at, "a number, or `mode: on-demand`");
                None
            }
        }
    }
}

/// `ALL` is all the others.
fn names(metric: Metric) -> Vec<String> {
    match metric {
        Metric::One(name) => vec![name.to_owned()],
        Metric::All => {
            let all = Metric::choices().into_iter().filter(|name| *name != "ALL");
            all.map(str::to_owned).collect()
        }
    }
}
