//! Tags of functions, by ARN.

use std::collections::BTreeMap;

use aws_facts::tags::MAX_TAGS;
use serde::Deserialize;
use serde_json::json;

use crate::request::AwsError;

use super::function::Function;
use super::name::Reference;
use super::{Call, Outcome, invalid, no_content, no_such, not_found, reply};

/// Other resources that Lambda can tag. None of them exist here.
const OTHERS: &[(&str, &str)] =
    &[(":event-source-mapping:", "Event source mapping"), (":capacity-provider:", "Capacity provider")];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    resource: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub fn list(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    reply(200, &json!({ "Tags": tagged(call, &input.resource)?.tags }))
}

pub fn tag(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    let function = tagged(call, &input.resource)?;
    if input.tags.is_empty() {
        return Err(invalid("An error occurred and the request cannot be processed."));
    }
    function.at_rest()?;
    let mut tags = function.tags.clone();
    tags.extend(input.tags);
    few_enough(&tags)?;
    function.tags = tags;
    function.latest.revision_id = function.next_revision();
    no_content()
}

/// A function has no more tags than AWS's resources do.
pub fn few_enough(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if tags.len() > MAX_TAGS { Err(invalid("Number of tags exceeds resource tag limit.")) } else { Ok(()) }
}

pub fn untag(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    let function = tagged(call, &input.resource)?;
    function.tags.retain(|key, _| !input.tag_keys.contains(key));
    function.latest.revision_id = function.next_revision();
    no_content()
}

fn tagged<'a>(call: &'a mut Call, arn: &str) -> Result<&'a mut Function, AwsError> {
    if let Some((_, kind)) = OTHERS.iter().find(|(mark, _)| arn.contains(mark)) {
        return Err(no_such(format!("{kind} not found: {arn}")));
    }
    let reference = Reference::parse(arn, &call.request.region, call.around.iam.account)?;
    if reference.qualifier.is_some() {
        return Err(invalid("Tags on function aliases and versions are not supported. Please specify a function ARN."));
    }
    call.state.functions.get_mut(&reference.key()).ok_or_else(|| not_found(arn))
}
