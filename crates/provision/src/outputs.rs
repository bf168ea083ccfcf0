//! What a stack offers to whoever uses it: names, ARNs and prefixes. They follow from the spec, so they are known before
//! anything exists.

use serde::Serialize;

use crate::names::Names;
use crate::spec::stack::{Entry, Stack};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outputs {
    pub stack: String,
    pub env: Option<String>,
    pub account: String,
    pub region: String,
    pub resources: Vec<Output>,
}

/// One resource: its address and what is to be known of it, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    pub resource: String,
    #[serde(serialize_with = "map")]
    pub values: Vec<(&'static str, String)>,
}

fn map<S: serde::Serializer>(values: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(key, value)| (key, value)))
}

pub fn outputs(stack: &Stack, names: &Names) -> Outputs {
    let mut resources = vec![];
    let mut add = |section: &str, logical: &str, values: Vec<(&'static str, String)>| {
        resources.push(Output { resource: format!("{section}.{logical}"), values });
    };
    for (logical, entry) in &stack.streams {
        let name = entry.physical();
        add("stream", logical, vec![("name", name.into()), ("arn", arn(entry, names.stream_arn(name)))]);
    }
    for (logical, entry) in &stack.buckets {
        let name = entry.physical();
        add("bucket", logical, vec![("name", name.into()), ("arn", names.bucket_arn(name))]);
    }
    for (logical, entry) in &stack.functions {
        let name = entry.physical();
        add("function", logical, vec![("name", name.into()), ("arn", arn(entry, names.function_arn(name)))]);
    }
    for (logical, entry) in &stack.deliveries {
        let name = entry.physical();
        let mut values = vec![("name", name.into()), ("arn", arn(entry, names.delivery_stream_arn(name)))];
        if let Some(delivery) = entry.managed().map(|managed| &managed.desired) {
            let bucket = delivery.bucket.id.rsplit(':').next().unwrap_or_default();
            values.push(("good", format!("s3://{bucket}/{}", delivery.good)));
            values.extend(delivery.bad.as_ref().map(|bad| ("bad", format!("s3://{bucket}/{bad}"))));
        }
        add("delivery", logical, values);
    }
    Outputs {
        stack: names.stack.clone(),
        env: names.env.clone(),
        account: names.account.clone(),
        region: names.region.clone(),
        resources,
    }
}

/// An existing entry may be written as an ARN, of another account even.
fn arn<T>(entry: &Entry<T>, ours: String) -> String {
    match entry {
        Entry::Existing(id) if id.starts_with("arn:") => id.clone(),
        _ => ours,
    }
}

impl Outputs {
    /// For people: an address, then its values, indented.
    pub fn human(&self) -> String {
        let mut text = String::new();
        for output in &self.resources {
            text.push_str(&format!("{}\n", output.resource));
            for (key, value) in &output.values {
                text.push_str(&format!("  {key:<5} {value}\n"));
            }
        }
        text
    }
}
