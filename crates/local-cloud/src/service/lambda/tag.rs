//! Tags of functions, by ARN.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::request::AwsError;

use super::function::Function;
use super::name::Reference;
use super::{Call, Outcome, no_content, not_found, reply};

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
    function.at_rest()?;
    function.tags.extend(input.tags);
    no_content()
}

pub fn untag(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    tagged(call, &input.resource)?.tags.retain(|key, _| !input.tag_keys.contains(key));
    no_content()
}

fn tagged<'a>(call: &'a mut Call, arn: &str) -> Result<&'a mut Function, AwsError> {
    let reference = Reference::parse(arn, &call.request.region, &call.world.settings.account)?;
    call.world.lambda.functions.get_mut(&reference.key()).ok_or_else(|| not_found(arn))
}
