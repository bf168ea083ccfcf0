//! Published versions.

use serde::Deserialize;
use serde_json::json;

use super::{Call, Outcome, invalid, reply};

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

/// `$LATEST` first, then by number, in one page.
pub fn list(call: &mut Call) -> Outcome {
    let function = call.function()?;
    let versions: Vec<_> = std::iter::once(&function.latest).chain(function.versions.values()).collect();
    reply(200, &json!({ "Versions": versions }))
}
