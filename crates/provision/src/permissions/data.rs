//! The subjects of commands that put, read and replay data: `put`, `tail`, `cat`, `logs`, `replay`, `invoke --from-stream`,
//! `up --ready data` and `down --drain`. Streams, and delivery streams that nothing feeds, are subjects already.

use super::subject::{Subject, key_arn, stream_key};
use crate::names::{Name, Names};
use crate::resource::delivery_stream::{DeliveryStream, shape};
use crate::resource::function;
use crate::spec::stack::{Entry, Stack};

pub(super) fn of_stack(stack: &Stack, names: &Names) -> Vec<Subject> {
    let keys = stack.streams.keys().filter_map(|stream| stream_key(stream, stack));
    let mut all: Vec<Subject> = keys.map(|key| Subject::new("data_key", &[("arn", &key_arn(key, names))])).collect();
    for (logical, entry) in &stack.functions {
        if let Some(managed) = entry.managed() {
            let name = Name::new("function", logical, &managed.physical);
            all.push(Subject::new("logged", &[("name", &function::log_group(&managed.desired.log, &name))]));
        }
    }
    for entry in stack.deliveries.values() {
        all.extend(match entry.managed() {
            Some(managed) => of_delivery(&managed.physical, &managed.desired, stack, names),
            None => existing(entry),
        });
    }
    all
}

/// The spec does not say whether a stream feeds it.
fn existing(entry: &Entry<DeliveryStream>) -> Vec<Subject> {
    let name = entry.physical().rsplit('/').next().unwrap_or_default();
    vec![Subject::new("existing_delivery", &[("name", name)])]
}

fn of_delivery(physical: &str, delivery: &DeliveryStream, stack: &Stack, names: &Names) -> Vec<Subject> {
    let group = delivery.log.as_ref().map(|log| shape::log_group(&log.group, physical));
    let mut all: Vec<Subject> = group.map(|group| Subject::new("logged", &[("name", &group)])).into_iter().collect();
    all.extend(delivery.transform.as_ref().map(|transform| {
        let arn = transform.function.arn(names);
        // arn:aws:lambda:REGION:ACCOUNT:function:NAME, and perhaps a qualifier already.
        let arn = match &transform.qualifier {
            Some(qualifier) if arn.split(':').count() == 7 => format!("{arn}:{qualifier}"),
            _ => arn,
        };
        Subject::new("transforming", &[("arn", &arn)])
    }));
    // `replay` writes with the key of the bucket where the delivery stream names none.
    let key = stack.bucket(&delivery.bucket.logical).and_then(|bucket| bucket.encryption.as_ref());
    all.extend(key.map(|key| Subject::new("data_key", &[("arn", &key_arn(key, names))])));
    all
}

/// The subjects of any stack.
pub(super) fn any_stack(names: &Names) -> Vec<Subject> {
    let mut all: Vec<Subject> =
        ["/aws/lambda/*", "/aws/kinesisfirehose/*"].map(|group| Subject::new("logged", &[("name", group)])).into();
    all.push(Subject::new("transforming", &[("arn", &names.arn("lambda", "function:*"))]));
    all
}
