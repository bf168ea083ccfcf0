//! Lists all resources, for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::World;

/// All resources: names by region for the regional services, role names, and for S3 keys and sizes by bucket.
pub fn dump(world: &World) -> Value {
    json!({
        "firehose": by_region(world.firehose.keys()),
        "iam": world.iam.roles.iter().map(|(_, role)| role.name.as_str()).collect::<Vec<_>>(),
        "kinesis": by_region(world.kinesis.streams.iter().map(|(key, _)| key)),
        "lambda": by_region(world.lambda.functions.iter().map(|(key, _)| key)),
        "logs": by_region(world.logs.groups.iter().map(|(key, _)| key)),
        "s3": world.s3.dump(),
    })
}

/// Groups names by region. A key is `region/name`.
fn by_region<'a>(keys: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut regions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (region, name) in keys.filter_map(|key| key.split_once('/')) {
        regions.entry(region).or_default().push(name);
    }
    regions
}
