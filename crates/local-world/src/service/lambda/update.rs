//! Updates of a function's code and configuration.

use serde::Deserialize;

use super::code::Source;
use super::configuration::{SettingsChange, last_modified};
use super::functions::{role_assumable, runtime_version};
use super::{Call, Outcome, reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateCode {
    #[serde(flatten)]
    source: Source,
    architectures: Option<Vec<String>>,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    dry_run: bool,
    revision_id: Option<String>,
}

pub fn code(call: &mut Call) -> Outcome {
    let input: UpdateCode = call.input()?;
    let function = call.function()?;
    function.at_rest()?;
    function.at_revision(input.revision_id.as_deref())?;
    let mut latest = function.latest.clone();
    let code = input.source.read(call.sent.take(), call.around.s3)?;
    latest.code_sha256 = code.sha256.clone();
    latest.code_size = code.zip.len();
    latest.last_modified = last_modified(call.around.turn.now);
    latest.settings.architectures = input.architectures.unwrap_or(latest.settings.architectures);
    if input.dry_run {
        return reply(200, &latest);
    }
    call.state.keep(code);
    let settles_at = call.settles_at();
    let function = call.function_mut()?;
    function.update(latest, settles_at);
    let shown = if input.publish { function.publish(None) } else { function.latest.clone() };
    reply(200, &shown)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateConfiguration {
    #[serde(flatten)]
    settings: SettingsChange,
    revision_id: Option<String>,
}

pub fn configuration(call: &mut Call) -> Outcome {
    let input: UpdateConfiguration = call.input()?;
    let function = call.function()?;
    function.at_rest()?;
    function.at_revision(input.revision_id.as_deref())?;
    let mut latest = function.latest.clone();
    if let Some(role) = &input.settings.role {
        role_assumable(call, role)?;
    }
    latest.settings = latest.settings.changed(input.settings)?;
    latest.runtime_version_config = runtime_version(&call.request.region, &latest.settings.runtime);
    latest.last_modified = last_modified(call.around.turn.now);
    let settles_at = call.settles_at();
    let function = call.function_mut()?;
    function.update(latest, settles_at);
    reply(200, &function.latest)
}
