//! Published versions.

use serde::Deserialize;
use serde_json::json;

use super::functions::MAX_LISTED;
use super::{Call, Outcome, Page, invalid, reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publish {
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

pub fn publish(call: &mut Call) -> Outcome {
    let input: Publish = call.input()?;
    let function = call.function_mut()?;
    function.at_rest()?;
    function.at_revision(input.revision_id.as_deref())?;
    let current = &function.latest.code_sha256;
    if let Some(expected) = input.code_sha256.filter(|expected| expected != current) {
        return Err(invalid(format!(
            "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with \
             the CodeSHA256 in $LATEST."
        )));
    }
    reply(201, &function.publish(input.description))
}

/// `$LATEST` first, then by number. The marker is the last one's number.
pub fn list(call: &mut Call) -> Outcome {
    let input: Page = call.input()?;
    let after = input.marker.map(|marker| marker.parse().map_err(|_| invalid("Invalid Marker"))).transpose()?;
    let function = call.function()?;
    let all = std::iter::once(&0).chain(function.versions.keys()).zip(function.listed());
    let mut rest = all.filter(|(number, _)| after.is_none_or(|after| **number > after));
    let shown: Vec<_> = rest.by_ref().take(input.max_items.unwrap_or(MAX_LISTED).min(MAX_LISTED)).collect();
    let versions: Vec<_> = shown.iter().map(|(_, version)| version).collect();
    let mut output = json!({ "Versions": versions });
    if let (Some((last, _)), true) = (shown.last(), rest.next().is_some()) {
        output["NextMarker"] = json!(last.to_string());
    }
    reply(200, &output)
}
