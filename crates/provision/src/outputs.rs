//! The outputs of a stack: names, ARNs and prefixes. They follow from the spec, so they are known before
//! anything exists.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::names::Names;
use crate::resource::Resource;
use crate::section::Section;
use crate::spec::EachSection;
use crate::spec::stack::{Entry, Stack};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outputs {
    pub stack: String,
    pub env: Option<String>,
    pub account: String,
    pub region: String,
    pub resources: Vec<Output>,
}

/// One resource: its address and what is to be known of it, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Output {
    pub resource: String,
    #[serde(serialize_with = "map")]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub values: Vec<(&'static str, String)>,
}

fn map<S: serde::Serializer>(values: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(key, value)| (key, value)))
}

pub fn outputs(stack: &Stack, names: &Names) -> Outputs {
    let mut collected = Collected { names, resources: vec![] };
    stack.each_section(&mut collected);
    Outputs {
        stack: names.stack.clone(),
        env: names.env.clone(),
        account: names.account.clone(),
        region: names.region.clone(),
        resources: collected.resources,
    }
}

struct Collected<'n> {
    names: &'n Names,
    resources: Vec<Output>,
}

impl EachSection for Collected<'_> {
    fn section<K: Section + Resource>(&mut self, _: &'static str, entries: &BTreeMap<String, Entry<K>>) {
        let word = K::NOUN.split(' ').next_back().unwrap_or(K::NOUN);
        for (key, entry) in entries {
            let name = entry.physical();
            let arn = match entry {
                // It may be of another account.
                Entry::Existing(id) if id.starts_with("arn:") => id.clone(),
                _ => K::arn(name, self.names),
            };
            let more = entry.managed().map(|managed| managed.desired.outputs()).unwrap_or_default();
            let values = [("name", name.to_owned()), ("arn", arn)].into_iter().chain(more).collect();
            self.resources.push(Output { resource: format!("{word}.{key}"), values });
        }
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
