//! Deliveries.

use serde_yaml::Value;

use super::{Object, log, one, role, text, word};
use crate::resource::delivery_stream::{Backup, Buffer, Deaggregate, DeliveryStream, Processors, Transform};
use crate::resource::function::LogRef;
use crate::spec::scalar::written_size;

pub(super) fn delivery(delivery: &DeliveryStream) -> Object {
    let mut object = Object::default();
    object.put_some("from", delivery.source.as_ref().map(|source| text(&source.logical)));
    object.put_some("transform", delivery.transform.as_ref().map(transform));
    object.put("bucket", text(&delivery.bucket.logical));
    object.put("good", text(&delivery.good));
    object.put_some("bad", delivery.bad.as_deref().map(text));
    object.put("markers", delivery.markers);
    object.put("buffer", buffer(delivery.buffer));
    object.put("compression", word(&delivery.compression));
    object.put("extension", text(&delivery.file_extension));
    object.put("time_zone", text(&delivery.time_zone));
    object.put_some("encryption", delivery.encryption.as_deref().map(text));
    processors(&mut object, &delivery.processors);
    object.put_some("partitioning", delivery.partitioning.map(|said| one("retry", format!("{}s", said.retry_s))));
    object.put_some("backup", delivery.backup.as_ref().map(backup));
    object.put_some(
        "logs",
        delivery.log.as_ref().map(|said| match said {
            LogRef::Derived { retention_days: None } => Value::from(true),
            said => log(said).into(),
        }),
    );
    object.put_some("role", role(&delivery.role));
    object
}

fn transform(transform: &Transform) -> Object {
    let mut object = one("function", text(&transform.function.logical));
    object.put("qualifier", text(transform.qualifier.as_deref().unwrap_or("$LATEST")));
    object.put("retries", transform.retries);
    object.put("buffer_size", written_size(transform.buffer_size_mib_100));
    object.put("buffer_interval", format!("{}s", transform.buffer_interval_s));
    object
}

fn buffer(buffer: Buffer) -> Object {
    let mut object = one("size", format!("{}MiB", buffer.size_mib));
    object.put("interval", format!("{}s", buffer.interval_s));
    object
}

fn processors(object: &mut Object, processors: &Processors) {
    object.put_some(
        "deaggregate",
        processors.deaggregate.as_ref().map(|said| match said {
            Deaggregate::Json => Value::from("json"),
            Deaggregate::Delimited(delimiter) => one("delimiter", text(delimiter)).into(),
        }),
    );
    object.put_some("delimiter", processors.delimiter.as_deref().map(text));
    object.put_some("metadata", processors.metadata_query.as_deref().map(text));
    object.put_some("decompress", processors.decompress.map(|said| one("extract_messages", said.extract_messages)));
}

fn backup(backup: &Backup) -> Object {
    let mut object = one("bucket", text(&backup.bucket.logical));
    object.put("prefix", text(&backup.prefix));
    object.put_some("bad", backup.bad.as_deref().map(text));
    object.put("buffer", buffer(backup.buffer));
    object.put("compression", word(&backup.compression));
    object.put_some("encryption", backup.encryption.as_deref().map(text));
    object
}
