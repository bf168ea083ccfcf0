//! Invocations: decided here, run by the driver, and what becomes of their results.

use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::json;

use crate::effect::Effect;
use crate::model::json::decode_base64;
use crate::request::{Answer, AwsError, FunctionImage, Input, InvokeOutcome, Reply, Token};
use crate::service::iam::{self, Caller};

use super::configuration::Configuration;
use super::function::{Alias, Function, pending};
use super::name::Reference;
use super::status::Phase;
use super::{Around, Call, Outcome, State, event, invalid, not_found};

/// Invocations under way at once, of all functions.
pub const ACCOUNT_CONCURRENCY: usize = 1000;
/// Invocations under way at once that functions wait for. They have processes beside the runner's bound, so they need one of their own.
const MOST_NESTED: usize = 64;
/// How much of the log's end a caller may ask for.
const LOG_TAIL_BYTES: usize = 4096;

/// The environment variable in which SDKs look for another endpoint than AWS.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// Has no divisor in common with a hundred: an alias's shares are spread over the invocations.
const STRIDE: u64 = 61;

/// One that is under way.
#[derive(Debug)]
pub struct Invocation {
    pub waiter: Waiter,
    function_key: String,
    /// Does a function wait for it?
    nested: bool,
    pub region: String,
    pub role: String,
    pub version: String,
    pub log_group: String,
    pub log_stream: String,
}

/// The recipient of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiter {
    /// A synchronous caller, with or without the log's tail.
    Caller {
        tail: bool,
    },
    /// The queue of events.
    Event {
        id: String,
    },
    Firehose,
}

/// Why an invocation cannot start. The codes are those of Firehose's error records, without `Lambda.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotInvoke {
    /// `ResourceNotFound`, `InvokeLimitExceeded`, ...
    pub code: &'static str,
    pub message: String,
}

/// The Invoke operation.
pub fn call(call: &mut Call) -> Outcome {
    let reference = call.reference()?;
    let payload = payload(&call.request.body)?;
    let client_context = client_context(call.request.header("x-amz-client-context"))?;
    let input = Input { payload, client_context, nested: false };
    let tail = match call.request.header("x-amz-log-type").unwrap_or("None") {
        "Tail" => true,
        "None" => false,
        other => return Err(invalid(format!("Unsupported log type: {other}"))),
    };
    match call.request.header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "DryRun" => {
            check(call.state, &reference)?;
            super::no_content()
        }
        "Event" => {
            runnable(call.state, &reference)?;
            if !event::has_room(&call.state.events, &input.payload) {
                return Err(too_many());
            }
            event::accept(call.state, &mut call.around, &call.request.id, &reference, input);
            Ok(Answer::Reply(Reply::empty().with_status(202)))
        }
        "RequestResponse" => {
            let input = Input { nested: nested(call)?, ..input };
            start(call.state, &mut call.around, &reference, input, Waiter::Caller { tail }).map(Answer::Pending)
        }
        other => Err(invalid(format!("Unsupported invocation type: {other}"))),
    }
}

/// Does a function that runs now make this call? Its credentials say so.
///
/// # Errors
/// `TooManyRequestsException` when so many functions wait for another that only an endless recursion explains it.
fn nested(call: &Call) -> Result<bool, AwsError> {
    let Ok(Caller::Session { role, name, .. }) = call.around.iam.caller(call.request) else { return Ok(false) };
    let of_caller = |running: &Invocation| running.role == role.arn && running.function_name() == name;
    if !call.state.under_way.values().any(of_caller) {
        return Ok(false);
    }
    match call.state.under_way.values().filter(|running| running.nested).count() {
        MOST_NESTED.. => Err(too_many()),
        _ => Ok(true),
    }
}

/// Starts an invocation on behalf of another service: pushes the effect, gives its token. `arn` may carry a version or
/// alias. The outcome comes to [`crate::world::delivery`].
pub fn invoke(state: &mut State, around: &mut Around, arn: &str, payload: Bytes) -> Result<Token, CannotInvoke> {
    let region = arn.split(':').nth(3).unwrap_or_default();
    let reference = Reference::parse(arn, region, around.iam.account);
    let started = reference.and_then(|reference| start(state, around, &reference, payload.into(), Waiter::Firehose));
    started.map_err(|error| {
        let code = match error.code {
            "ResourceNotFoundException" => "ResourceNotFound",
            "TooManyRequestsException" => "InvokeLimitExceeded",
            _ => "InvocationFailure",
        };
        CannotInvoke { code, message: error.message }
    })
}

/// Nothing at all is an empty object; anything else must be JSON.
fn payload(body: &Bytes) -> Result<Bytes, AwsError> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => Ok(body.clone()),
        Err(error) => Err(AwsError::new(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )),
    }
}

/// Base64 of a JSON object, which the function gets on one line of ASCII: it travels in a header.
fn client_context(header: Option<&str>) -> Result<Option<String>, AwsError> {
    let Some(header) = header else { return Ok(None) };
    let object = decode_base64(header.as_bytes())
        .and_then(|bytes| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes).ok());
    match object {
        Some(object) => Ok(Some(ascii(&json!(object).to_string()))),
        None => {
            let message = "Client context must be a valid Base64-encoded JSON object.";
            Err(AwsError::new("InvalidRequestContentException", message))
        }
    }
}

/// The same JSON, what is not ASCII escaped.
fn ascii(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, char| {
        match char.is_ascii() {
            true => out.push(char),
            false => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}")),
        }
        out
    })
}

/// The configuration that would run, if it can be invoked now.
fn check<'a>(state: &'a State, reference: &Reference) -> Result<&'a Configuration, AwsError> {
    let configuration = runnable(state, reference)?;
    if state.under_way.len() >= ACCOUNT_CONCURRENCY {
        return Err(too_many());
    }
    let running = state.under_way.values().filter(|running| running.function_key == reference.key()).count();
    let reserved = state.functions.get(&reference.key()).and_then(|function| function.reserved_concurrency);
    match reserved {
        Some(reserved) if running >= reserved as usize => Err(too_many()),
        Some(_) | None => Ok(configuration),
    }
}

fn too_many() -> AwsError {
    AwsError::new("TooManyRequestsException", "Rate Exceeded.").with_status(429)
}

/// The configuration that would run if there were room for it.
fn runnable<'a>(state: &'a State, reference: &Reference) -> Result<&'a Configuration, AwsError> {
    let unknown = || {
        let qualifier = reference.qualifier.as_deref().unwrap_or("$LATEST");
        not_found(&format!("{}:{qualifier}", reference.arn))
    };
    let function = state.functions.get(&reference.key()).ok_or_else(unknown)?;
    let configuration = chosen(state, function, reference.qualifier.as_deref()).ok_or_else(unknown)?;
    if configuration.status.state == Phase::Pending {
        return Err(pending());
    }
    if !state.code.contains(&configuration.code_sha256) {
        let message = "the function's code was lost, because the emulator's data folder was damaged: update the code";
        return Err(AwsError::new("ServiceException", message).with_status(500));
    }
    Ok(configuration)
}

/// The configuration that a qualifier runs now. An alias may send some invocations to another version, and during an update
/// `$LATEST` is still as it was.
fn chosen<'a>(state: &State, function: &'a Function, qualifier: Option<&str>) -> Option<&'a Configuration> {
    let elsewhere = qualifier.and_then(|name| function.aliases.get(name)).and_then(|alias| other(alias, state.started));
    let configuration = function.configuration(elsewhere.or(qualifier))?;
    Some(if configuration.version == "$LATEST" {
        function.before.as_ref().unwrap_or(configuration)
    } else {
        configuration
    })
}

/// The alias's additional version, in its share of every hundred invocations.
fn other(alias: &Alias, started: u64) -> Option<&str> {
    let (version, weight) = alias.routing_config.as_ref()?.additional_version_weights.first_key_value()?;
    ((started * STRIDE % 100) < (weight * 100.0) as u64).then_some(version)
}

pub fn start(
    state: &mut State,
    around: &mut Around,
    reference: &Reference,
    input: Input,
    waiter: Waiter,
) -> Result<Token, AwsError> {
    let configuration = check(state, reference)?;
    let function = Box::new(image(state, around, configuration, reference));
    let invocation = Invocation {
        waiter,
        function_key: reference.key(),
        nested: input.nested,
        region: reference.region.clone(),
        role: configuration.settings.role.clone(),
        version: configuration.version.clone(),
        log_group: function.log_group.clone(),
        log_stream: function.log_stream.clone(),
    };
    let token = around.tokens.fresh();
    state.started += 1;
    state.under_way.insert(token, invocation);
    around.turn.effects.push(Effect::Invoke { token, function, input });
    Ok(token)
}

fn image(state: &State, around: &Around, configuration: &Configuration, reference: &Reference) -> FunctionImage {
    let settings = &configuration.settings;
    let revision = revision(configuration);
    let day =
        jiff::Timestamp::from_millisecond(around.turn.now as i64).unwrap_or(jiff::Timestamp::MAX).strftime("%Y/%m/%d");
    let mut environment = settings.environment.clone().unwrap_or_default().variables;
    // Where the function's own calls go, unless it says so itself: not to AWS.
    if let Some(endpoint) = around.endpoint.filter(|_| !environment.contains_key(ENDPOINT)) {
        environment.insert(ENDPOINT.into(), endpoint.to_owned());
    }
    if let Some(role) = around.iam.find(&settings.role) {
        let name = configuration.function_name.clone();
        let session = iam::issue(role, iam::Session { name, ..iam::Session::default() });
        environment.insert("AWS_ACCESS_KEY_ID".into(), session.access_key);
        environment.insert("AWS_SECRET_ACCESS_KEY".into(), session.secret);
        environment.insert("AWS_SESSION_TOKEN".into(), session.token);
    }
    FunctionImage {
        arn: configuration.function_arn.clone(),
        invoked_arn: reference.qualified(),
        name: configuration.function_name.clone(),
        version: configuration.version.clone(),
        runtime: settings.runtime.clone(),
        handler: settings.handler.clone(),
        code: state.code.get(&configuration.code_sha256).unwrap_or_default(),
        code_sha256: configuration.code_sha256.clone(),
        environment,
        layers: settings.layers.iter().map(|layer| layer.arn.clone()).collect(),
        timeout_s: settings.timeout,
        memory_mib: settings.memory_size,
        region: reference.region.clone(),
        log_group: settings.logging_config.log_group.clone(),
        log_stream: format!("{day}/[{}]{revision}", configuration.version),
        revision,
    }
}

/// The same for the same code and settings, whatever state the function is in: 32 hexadecimal digits.
fn revision(configuration: &Configuration) -> String {
    let identity = json!([configuration.code_sha256, configuration.settings]).to_string();
    hex::encode(Md5::digest(identity))
}

impl Invocation {
    /// `region/name` of the function.
    pub fn function(&self) -> &str {
        &self.function_key
    }

    fn function_name(&self) -> &str {
        self.function_key.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// The answer for the caller, with or without the end of the log.
    pub fn reply(&self, outcome: InvokeOutcome, tail: bool) -> Reply {
        let mut headers = vec![("X-Amz-Executed-Version", self.version.clone())];
        headers.extend(outcome.function_error.map(|error| ("X-Amz-Function-Error", error)));
        if tail {
            let log = outcome.log.join("\n");
            let end = &log.as_bytes()[log.len().saturating_sub(LOG_TAIL_BYTES)..];
            headers.push(("X-Amz-Log-Result", base64_simd::STANDARD.encode_to_string(end)));
        }
        Reply { status: 200, headers, body: outcome.payload }
    }
}
