//! Functions: created, read, listed, deleted.

use std::collections::BTreeMap;

use aws_facts::lambda::{FUNCTION_NAME, MAX_UNPACKED_BYTES, MAX_ZIP_BYTES};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arn;
use crate::effect::Effect;
use crate::model::json::page;
use crate::model::query::percent_encode;
use crate::request::AwsError;

use super::code::Source;
use super::configuration::{Configuration, Settings, SettingsChange, last_modified};
use super::function::Function;
use super::invocation::ACCOUNT_CONCURRENCY;
use super::status::Status;
use super::tag::few_enough;
use super::{Call, Outcome, Page, conflict, invalid, no_content, not_found, reply};

/// In one answer, whatever is asked for.
pub const MAX_LISTED: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    #[serde(default)]
    code: Source,
    #[serde(flatten)]
    settings: SettingsChange,
    #[serde(default)]
    publish: bool,
    tags: Option<BTreeMap<String, String>>,
}

pub fn create(call: &mut Call) -> Outcome {
    let input: Create = call.input()?;
    let reference = call.reference()?;
    if reference.name.len() > FUNCTION_NAME.max {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'functionName' failed to satisfy constraint: Member must have \
             length less than or equal to {}",
            reference.name, FUNCTION_NAME.max
        )));
    }
    if call.state.functions.contains(&reference.key()) {
        return Err(conflict(format!("Function already exist: {}", reference.name)));
    }
    let settings = Settings::default_of(&reference.name).changed(input.settings)?;
    let tags = input.tags.unwrap_or_default();
    few_enough(&tags)?;
    let code = input.code.read(call.sent.take(), call.around.s3)?;
    role_assumable(call, &settings.role)?;
    let latest = Configuration {
        function_name: reference.name.clone(),
        function_arn: reference.arn.clone(),
        version: "$LATEST".into(),
        runtime_version_config: runtime_version(&reference.region, &settings.runtime),
        settings,
        code_sha256: code.sha256.clone(),
        code_size: code.zip.len(),
        last_modified: last_modified(call.around.turn.now),
        revision_id: String::new(),
        status: Status::pending(),
        package_type: "Zip".into(),
    };
    let mut function = Function {
        name: reference.name.clone(),
        arn: reference.arn.clone(),
        created: call.around.turn.now,
        latest,
        before: None,
        settles_at: Some(call.settles_at()),
        versions: BTreeMap::new(),
        last_version: 0,
        published: None,
        aliases: BTreeMap::new(),
        policies: BTreeMap::new(),
        tags,
        reserved_concurrency: None,
        event_configs: Default::default(),
        revisions: 0,
    };
    function.latest.revision_id = function.next_revision();
    let mut shown = function.latest.clone();
    if input.publish {
        // The answer is about the function all the same, but for the number.
        shown.version = function.publish(None).version;
    }
    call.state.keep(code);
    call.state.functions.insert(reference.key(), function);
    reply(201, &shown)
}

/// Lambda assumes the role when a function is created, and when an update names one.
pub fn role_assumable(call: &Call, role: &str) -> Result<(), AwsError> {
    call.around
        .iam
        .assumable(role, "lambda.amazonaws.com")
        .map_err(|_| invalid("The role defined for the function cannot be assumed by Lambda."))
}

/// The runtime's build, named by a made-up hash.
pub fn runtime_version(region: &str, runtime: &str) -> Value {
    let hash = format!("{:x<64}", runtime.replace('.', ""));
    json!({ "RuntimeVersionArn": format!("arn:{}:lambda:{region}::runtime:{hash}", arn::partition(region)) })
}

pub fn get(call: &mut Call) -> Outcome {
    let configuration = wanted(call)?;
    let function = call.function()?;
    // On AWS it is a presigned address of a bucket of Lambda's; here the engine itself has the zip.
    let host = call.request.header("host").unwrap_or("127.0.0.1");
    let location = format!("http://{host}/_local/code?sha256={}", percent_encode(&configuration.code_sha256));
    let mut output = json!({
        "Configuration": configuration,
        "Code": { "RepositoryType": "S3", "Location": location },
    });
    // Only who may list tags is given them.
    match &call.tags_refused {
        Some(AwsError { code, message, .. }) => {
            output["TagsError"] = json!({ "ErrorCode": code, "Message": message });
        }
        None if !function.tags.is_empty() => output["Tags"] = json!(function.tags),
        None => {}
    }
    if let Some(reserved) = function.reserved_concurrency {
        output["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    reply(200, &output)
}

pub fn get_configuration(call: &mut Call) -> Outcome {
    reply(200, &wanted(call)?)
}

/// Under the ARN that it was asked for by.
fn wanted(call: &Call) -> Result<Configuration, AwsError> {
    let reference = call.reference()?;
    let function = call.state.functions.get(&reference.key());
    let configuration = function.and_then(|function| function.configuration(reference.qualifier.as_deref()));
    let configuration = configuration.ok_or_else(|| not_found(&reference.qualified()))?;
    Ok(Configuration { function_arn: reference.qualified(), ..configuration.clone() })
}

/// Limits as they are by default, and what of them is used.
pub fn account_settings(call: &mut Call) -> Outcome {
    let prefix = format!("{}/", call.request.region);
    let functions = call.state.functions.with_prefix(&prefix).map(|(_, function)| function);
    let (mut count, mut bytes, mut reserved) = (0, 0, 0);
    for function in functions {
        count += 1;
        bytes +=
            std::iter::once(&function.latest).chain(function.versions.values()).map(|c| c.code_size).sum::<usize>();
        reserved += function.reserved_concurrency.unwrap_or(0) as usize;
    }
    reply(
        200,
        &json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800u64,
                "CodeSizeUnzipped": MAX_UNPACKED_BYTES,
                "CodeSizeZipped": MAX_ZIP_BYTES,
                "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
                "UnreservedConcurrentExecutions": ACCOUNT_CONCURRENCY.saturating_sub(reserved),
            },
            "AccountUsage": { "TotalCodeSize": bytes, "FunctionCount": count },
        }),
    )
}

/// No function here has one.
pub fn get_code_signing(call: &mut Call) -> Outcome {
    reply(200, &json!({ "FunctionName": call.function()?.name }))
}

/// Runtimes are this machine's: nobody updates them.
pub fn get_runtime_management(call: &mut Call) -> Outcome {
    let configuration = wanted(call)?;
    reply(200, &json!({ "UpdateRuntimeOn": "Auto", "FunctionArn": configuration.function_arn }))
}

pub fn get_recursion(call: &mut Call) -> Outcome {
    call.function()?;
    reply(200, &json!({ "RecursiveLoop": "Terminate" }))
}

/// Pollers of streams cannot be made here, so there are none.
pub fn list_event_sources(_: &mut Call) -> Outcome {
    reply(200, &json!({ "EventSourceMappings": [] }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    function_version: Option<String>,
    #[serde(flatten)]
    page: Page,
}

/// The marker is the last function's key; with `FunctionVersion=ALL` versions are listed beside their function.
pub fn list(call: &mut Call) -> Outcome {
    let input: List = call.input()?;
    let prefix = format!("{}/", call.request.region);
    let functions = call.state.functions.with_prefix(&prefix);
    if input.page.marker.as_ref().is_some_and(|marker| !marker.starts_with(&prefix)) {
        return Err(invalid("Invalid Marker"));
    }
    let (page, more) =
        page(functions, input.page.marker.as_deref(), input.page.max_items.unwrap_or(MAX_LISTED).min(MAX_LISTED));
    let all = input.function_version.as_deref() == Some("ALL");
    let shown = page.iter().flat_map(|(_, function)| match all {
        true => function.listed(),
        false => vec![function.latest.listed()],
    });
    let mut output = json!({ "Functions": shown.collect::<Vec<_>>() });
    if let Some((key, _)) = page.last().filter(|_| more) {
        output["NextMarker"] = json!(key);
    }
    reply(200, &output)
}

/// The whole function, or one published version.
pub fn delete(call: &mut Call) -> Outcome {
    let reference = call.reference()?;
    match reference.qualifier.as_deref() {
        None => {
            call.function()?;
            call.state.functions.remove(&reference.key());
        }
        Some("$LATEST") => return Err(invalid("$LATEST version cannot be deleted without deleting the function.")),
        Some(version) => delete_version(call.function_mut()?, version)?,
    }
    call.around.turn.effects.push(Effect::Retire { function_arn: reference.qualified() });
    call.state.forget_unused_code();
    no_content()
}

fn delete_version(function: &mut Function, version: &str) -> Result<(), AwsError> {
    let aliases = function.aliases.values().filter(|alias| alias.function_version == version);
    let aliases: Vec<&str> = aliases.map(|alias| alias.name.as_str()).collect();
    if !aliases.is_empty() {
        return Err(conflict(format!(
            "Unable to delete version because the following aliases reference it: {aliases:?}"
        )));
    }
    let number = version.parse().map_err(|_| invalid(format!("{version} is not a version of the function")))?;
    // A version that is not there is as good as deleted.
    if function.versions.remove(&number).is_some() {
        function.forget(version);
    }
    Ok(())
}
