//! Lambda: functions, versions, aliases, and invocations under way.
//!
//! A function is Pending, and an update InProgress, for [`crate::time::Delays::function`]; until an update has settled,
//! invocations run what was there before. Layers, VPCs, tracing and SnapStart are kept and not acted on.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::changes::Changes;
use crate::effect::{Effect, Tokens, Turn};
use crate::model::{json, reading, validate};
use crate::request::{Answer, AwsError, Reply, Request, Token};
use crate::service::{iam, s3};
use crate::table::{Blobs, Table};
use crate::time::Millis;

use code::Sent;
use function::Function;
use name::Reference;

pub use code::MAX_ENTRIES;
pub(crate) use event::tried;
pub(crate) use invocation::{CannotInvoke, Invocation, Waiter, invoke};
#[cfg(test)]
pub(crate) use route::address;
pub use route::name as operation;
pub(crate) use route::percent_decode;

mod alias;
mod code;
mod concurrency;
mod configuration;
mod environment;
mod event;
mod function;
mod functions;
mod invocation;
mod layer;
mod name;
mod permission;
mod route;
mod runtime;
mod status;
mod tag;
mod unsupported;
mod update;
mod version;

/// Every region's functions, their code, and what runs.
#[derive(Debug)]
pub struct State {
    /// By `<region>/<name>`.
    pub functions: Table<Function>,
    /// Zips by the base64 of their SHA-256.
    code: Blobs,
    /// Invocations as events that are not done with, by the id of the request that asked for them.
    events: Table<event::Event>,
    under_way: HashMap<Token, invocation::Invocation>,
    /// Invocations in this run, for the shares of weighted aliases.
    started: u64,
}

impl Default for State {
    fn default() -> Self {
        State {
            functions: Table::new("lambda/functions"),
            code: Blobs::new("lambda/code"),
            events: Table::new("lambda/events"),
            under_way: HashMap::new(),
            started: 0,
        }
    }
}

/// The context of an operation.
struct Call<'a> {
    state: &'a mut State,
    around: Around<'a>,
    request: &'a Request,
    input: Value,
    /// The zip that came with the call.
    sent: Sent,
    /// Why the caller may not read the tags of [`Checked::shows_tags_of`].
    tags_refused: Option<AwsError>,
}

/// The parts of the world that Lambda needs.
pub struct Around<'a> {
    pub(crate) turn: &'a mut Turn,
    pub(crate) tokens: &'a mut Tokens,
    pub(crate) iam: iam::View<'a>,
    pub(crate) s3: &'a s3::State,
    /// How long a change takes to settle.
    pub delay: Millis,
    /// Where the engine is reached, once it serves a port.
    pub endpoint: Option<&'a str>,
}

/// A call that was read and checked.
pub struct Checked<'a> {
    route: &'static route::Route,
    request: &'a Request,
    input: Value,
    sent: Sent,
}

/// How inputs say which function.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(default)]
    function_name: String,
    qualifier: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    /// The marker that the previous page returned.
    marker: Option<String>,
    max_items: Option<usize>,
}

type Outcome = Result<Answer, AwsError>;
type Operation = fn(&mut Call) -> Outcome;

pub(crate) fn read(request: &Request) -> Result<Checked<'_>, AwsError> {
    let Some((route, captured)) = route::find(&request.method, &request.path) else {
        let unknown = || json::unsupported("Lambda", &format!("{} {}", request.method, request.path)).with_status(404);
        return Err(unsupported::refusal(&request.method, &request.path).unwrap_or_else(unknown));
    };
    unsupported::member(request)?;
    let mut input = route::input(route, captured, request)?;
    validate::input("lambda", route.name, &input)?;
    let sent = code::sent(route.name, &mut input)?;
    Ok(Checked { route, request, input, sent })
}

impl Checked<'_> {
    /// The function whose tags the answer shows, if the caller may read them.
    pub fn shows_tags_of(&self, account: &str) -> Option<String> {
        let name = self.input["FunctionName"].as_str().filter(|_| self.route.name == "GetFunction")?;
        Some(Reference::parse(name, &self.request.region, account).ok()?.arn)
    }

    pub(crate) fn run(
        self,
        state: &mut State,
        around: Around,
        tags_refused: Option<AwsError>,
    ) -> Result<Answer, AwsError> {
        let Checked { route, request, input, sent } = self;
        (route.operation)(&mut Call { state, around, request, input, sent, tags_refused })
    }
}

/// The ARN of the function that a request is about, where it is about one. `stated`: the name in its body.
pub fn named(request: &Request, stated: Option<&str>, account: &str) -> Option<String> {
    let (_, captured) = route::find(&request.method, &request.path)?;
    let tagged = captured.get("Resource").and_then(Value::as_str).map(str::to_owned);
    tagged.or_else(|| {
        let name = captured.get("FunctionName").and_then(Value::as_str).or(stated)?;
        let reference = Reference::parse(name, &request.region, account).ok()?;
        Some(reference.and_qualifier(request.query("Qualifier")).ok()?.qualified())
    })
}

impl Call<'_> {
    /// The input as the operation's own type.
    fn input<T: DeserializeOwned>(&self) -> Result<T, AwsError> {
        reading::read(&self.input).map_err(|error| {
            AwsError::new("InvalidRequestContentException", format!("Could not parse request body into json: {error}"))
        })
    }

    /// Which function, and which of its versions, the call is about.
    fn reference(&self) -> Result<Reference, AwsError> {
        let named: Named = self.input()?;
        let reference = Reference::parse(&named.function_name, &self.request.region, self.around.iam.account)?;
        reference.and_qualifier(named.qualifier.as_deref())
    }

    fn function(&self) -> Result<&Function, AwsError> {
        let reference = self.reference()?;
        self.state.functions.get(&reference.key()).ok_or_else(|| not_found(&reference.arn))
    }

    fn function_mut(&mut self) -> Result<&mut Function, AwsError> {
        let reference = self.reference()?;
        self.state.functions.get_mut(&reference.key()).ok_or_else(|| not_found(&reference.arn))
    }

    /// When a change begun now has settled.
    fn settles_at(&self) -> Millis {
        self.around.turn.now + self.around.delay
    }
}

fn not_found(arn: &str) -> AwsError {
    no_such(format!("Function not found: {arn}"))
}

fn no_such(message: impl Into<String>) -> AwsError {
    AwsError::new("ResourceNotFoundException", message).with_status(404)
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterValueException", message)
}

fn conflict(message: impl Into<String>) -> AwsError {
    AwsError::new("ResourceConflictException", message).with_status(409)
}

fn reply(status: u16, output: &impl serde::Serialize) -> Outcome {
    Ok(Answer::Reply(Reply::json(output).with_status(status)))
}

fn no_content() -> Outcome {
    Ok(Answer::Reply(Reply::empty().with_status(204)))
}

/// Functions that have been Pending or InProgress for long enough settle.
pub fn tick(state: &mut State, around: &mut Around) {
    let now = around.turn.now;
    let due = |function: &Function| function.settles_at.is_some_and(|at| at <= now);
    let settling = state.functions.iter().filter(|(_, function)| due(function));
    let keys: Vec<String> = settling.map(|(key, _)| key.to_owned()).collect();
    for key in &keys {
        if let Some(function) = state.functions.get_mut(key) {
            function.settle();
            around.turn.effects.push(Effect::Retire { function_arn: function.arn.clone() });
        }
    }
    if !keys.is_empty() {
        state.forget_unused_code();
    }
    event::tick(state, around);
}

/// When [`tick`] next has something to do.
pub fn due(state: &State) -> Option<Millis> {
    let settles = state.functions.iter().filter_map(|(_, function)| function.settles_at).min();
    settles.into_iter().chain(event::due(state)).min()
}

impl State {
    /// How many invocations of each function are under way.
    pub(crate) fn running(&self) -> HashMap<&str, usize> {
        let mut running = HashMap::new();
        self.under_way.values().for_each(|invocation| *running.entry(invocation.function()).or_default() += 1);
        running
    }

    pub(crate) fn take_changes(&mut self, out: &mut Changes) {
        self.functions.take_changes(out);
        self.code.take_changes(out);
        self.events.take_changes(out);
    }

    pub(crate) fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        match table {
            t if t == self.functions.name() => self.functions.restore(key, value)?,
            t if t == self.code.name() => self.code.restore(key, value),
            t if t == self.events.name() => self.events.restore(key, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An invocation has ended.
    pub fn ended(&mut self, token: Token) -> Option<Invocation> {
        self.under_way.remove(&token)
    }

    /// The zip with that hash, which GetFunction says where to download.
    pub fn zip(&self, code_sha256: &str) -> Option<bytes::Bytes> {
        self.code.get(code_sha256)
    }

    /// Removes the zips that no version of any function runs any more.
    fn forget_unused_code(&mut self) {
        let used = |sha: &str| self.functions.iter().any(|(_, function)| function.runs(sha));
        let unused: Vec<String> = self.code.keys().into_iter().filter(|sha| !used(sha)).collect();
        unused.iter().for_each(|sha| {
            self.code.remove(sha);
        });
    }
}

#[cfg(test)]
mod tests;
