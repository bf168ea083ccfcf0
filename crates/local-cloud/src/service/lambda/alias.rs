//! Aliases: names for versions.

use serde::Deserialize;
use serde_json::json;

use crate::request::AwsError;
use crate::service::json::page;

use super::function::{Alias, Function, Routing, same_revision};
use super::{Call, Outcome, conflict, no_content, no_such, not_found, reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: String,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<Routing>,
    revision_id: Option<String>,
}

pub fn create(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    let function = call.function_mut()?;
    let alias_arn = format!("{}:{}", function.arn, input.name);
    if function.aliases.contains_key(&input.name) {
        return Err(conflict(format!("Alias already exists: {alias_arn}")));
    }
    let function_version = input.function_version.unwrap_or_default();
    published(function, &function_version)?;
    let alias = Alias {
        alias_arn,
        name: input.name.clone(),
        function_version,
        description: input.description.unwrap_or_default(),
        routing_config: routing(input.routing_config),
        revision_id: function.next_revision(),
    };
    function.aliases.insert(input.name, alias.clone());
    reply(201, &alias)
}

pub fn get(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    let function = call.function()?;
    reply(200, function.aliases.get(&input.name).ok_or_else(|| no_alias(function, &input.name))?)
}

pub fn update(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    let function = call.function_mut()?;
    let unknown = || no_such(format!("Alias not found: {}:{}", function.arn, input.name));
    let old = function.aliases.get(&input.name).ok_or_else(unknown)?.clone();
    same_revision(&old.revision_id, input.revision_id.as_deref())?;
    let function_version = input.function_version.unwrap_or(old.function_version);
    published(function, &function_version)?;
    let alias = Alias {
        function_version,
        description: input.description.unwrap_or(old.description),
        routing_config: if input.routing_config.is_some() { routing(input.routing_config) } else { old.routing_config },
        revision_id: function.next_revision(),
        ..old
    };
    function.aliases.insert(input.name, alias.clone());
    reply(200, &alias)
}

pub fn delete(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    // An alias that is not there is as good as deleted.
    call.function_mut()?.aliases.remove(&input.name);
    no_content()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    function_version: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

/// By name; the marker is the last one's.
pub fn list(call: &mut Call) -> Outcome {
    let input: List = call.input()?;
    let of_version =
        |alias: &&Alias| input.function_version.as_ref().is_none_or(|version| alias.function_version == *version);
    let all = call.function()?.aliases.iter().filter(|(_, alias)| of_version(alias));
    let all = all.map(|(name, alias)| (name.as_str(), alias));
    let (shown, more) = page(all, input.marker.as_deref(), input.max_items.unwrap_or(50));
    let aliases: Vec<&Alias> = shown.iter().map(|(_, alias)| *alias).collect();
    let mut output = json!({ "Aliases": aliases });
    if let (Some((last, _)), true) = (shown.last(), more) {
        output["NextMarker"] = json!(last);
    }
    reply(200, &output)
}

/// No weights at all take an alias's routing away.
fn routing(routing: Option<Routing>) -> Option<Routing> {
    routing.filter(|routing| !routing.additional_version_weights.is_empty())
}

fn published(function: &Function, version: &str) -> Result<(), AwsError> {
    let there = version == "$LATEST" || version.parse().is_ok_and(|number| function.versions.contains_key(&number));
    if there { Ok(()) } else { Err(not_found(&format!("{}:{version}", function.arn))) }
}

fn no_alias(function: &Function, name: &str) -> AwsError {
    no_such(format!("Cannot find alias arn: {}:{name}", function.arn))
}
