//! Reports failures in the delivery stream's log, if it has one.

use serde_json::{Value, json};

use crate::arn;
use crate::flow::failure::Failure;
use crate::flow::pipeline::Pipeline;
use crate::service::logs::Written;
use crate::time::Millis;
use crate::world::World;

/// One line in the log group that the destination names; none where it names none, or its role may not write there.
pub fn failure(world: &mut World, now: Millis, pipeline: &Pipeline, failure: &Failure) {
    let (job, store) = (&pipeline.job, &pipeline.job.config.store);
    let (true, Some(group), Some(stream)) =
        (store.logging.enabled, &store.logging.log_group_name, &store.logging.log_stream_name)
    else {
        return;
    };
    let resource = format!("log-group:{group}:log-stream:{stream}");
    let log = arn::regional("logs", &job.region, &world.settings.account, &resource);
    if !world.access(now).allows(&store.role_arn, "logs:PutLogEvents", &log) {
        return;
    }
    // S3's version is text, the others' a number: so they were seen.
    let version: Value =
        if failure.code.starts_with("S3.") { job.version.to_string().into() } else { job.version.into() };
    let mut line = json!({
        "deliveryStreamARN": job.arn,
        "destination": format!("arn:{}:s3:::{}", arn::partition(&job.region), store.bucket),
        "deliveryStreamVersionId": version,
        "message": failure.message,
        "errorCode": failure.code,
    });
    if let Some(lambda) = job.config.lambda.as_ref().filter(|_| failure.code.starts_with("Lambda.")) {
        line["processor"] = lambda.arn.as_str().into();
    }
    let written = Written { region: &job.region, group, stream, lines: &[line.to_string()] };
    world.logs.append(&world.settings.account, now, written, false);
}
