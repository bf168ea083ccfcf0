//! Aliases: names for versions.

use serde::Deserialize;
use serde_json::json;

use crate::model::json::page;
use crate::request::AwsError;

use super::function::{Alias, Function, Routing, same_revision};
use super::{Call, Outcome, Page, conflict, invalid, no_content, no_such, not_found, reply};

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
    let reference = call.reference()?;
    let function_version = input.function_version.unwrap_or_default();
    let function = call.function_mut().map_err(|_| not_found(&format!("{}:{function_version}", reference.arn)))?;
    let alias_arn = format!("{}:{}", function.arn, input.name);
    if function.aliases.contains_key(&input.name) {
        return Err(conflict(format!("Alias already exists: {alias_arn}")));
    }
    let routing_config = routing(function, &function_version, input.routing_config)?;
    let alias = Alias {
        alias_arn,
        name: input.name.clone(),
        function_version,
        description: input.description.unwrap_or_default(),
        routing_config,
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
    same_revision(&old.revision_id, input.revision_id.as_deref(), "GetFunction/GetAlias")?;
    let function_version = input.function_version.unwrap_or(old.function_version);
    let routing_config = routing(function, &function_version, input.routing_config.or(old.routing_config.clone()))?;
    let alias = Alias {
        function_version,
        description: input.description.unwrap_or(old.description),
        routing_config,
        revision_id: function.next_revision(),
        ..old
    };
    function.aliases.insert(input.name, alias.clone());
    reply(200, &alias)
}

pub fn delete(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    let function = call.function_mut()?;
    // An alias that is not there is as good as deleted.
    if function.aliases.remove(&input.name).is_some() {
        function.forget(&input.name);
    }
    no_content()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    function_version: Option<String>,
    #[serde(flatten)]
    page: Page,
}

/// By name; the marker is the last one's.
pub fn list(call: &mut Call) -> Outcome {
    let input: List = call.input()?;
    let of_version =
        |alias: &&Alias| input.function_version.as_ref().is_none_or(|version| alias.function_version == *version);
    let all = call.function()?.aliases.iter().filter(|(_, alias)| of_version(alias));
    let all = all.map(|(name, alias)| (name.as_str(), alias));
    let (shown, more) = page(all, input.page.marker.as_deref(), input.page.max_items.unwrap_or(50));
    let aliases: Vec<&Alias> = shown.iter().map(|(_, alias)| *alias).collect();
    let mut output = json!({ "Aliases": aliases });
    if let (Some((last, _)), true) = (shown.last(), more) {
        output["NextMarker"] = json!(last);
    }
    reply(200, &output)
}

/// An alias's routing beside the version it names, where that can be; no weights at all are none.
fn routing(function: &Function, version: &str, routing: Option<Routing>) -> Result<Option<Routing>, AwsError> {
    published(function, version)?;
    let Some(routing) = routing.filter(|routing| !routing.additional_version_weights.is_empty()) else {
        return Ok(None);
    };
    let others = &routing.additional_version_weights;
    if others.len() > 1 {
        return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    if version == "$LATEST" {
        return Err(invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
    }
    for other in others.keys() {
        if other == version {
            return Err(invalid(format!(
                "Invalid function version {version}. Function version {version} is already included in routing \
                 configuration."
            )));
        }
        published(function, other)?;
    }
    Ok(Some(routing))
}

fn published(function: &Function, version: &str) -> Result<(), AwsError> {
    let there = version == "$LATEST" || version.parse().is_ok_and(|number| function.versions.contains_key(&number));
    if there { Ok(()) } else { Err(not_found(&format!("{}:{version}", function.arn))) }
}

pub fn no_alias(function: &Function, name: &str) -> AwsError {
    no_such(format!("Cannot find alias arn: {}:{name}", function.arn))
}
