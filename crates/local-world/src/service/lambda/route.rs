//! Which operation a method and path mean, and its input from path, query and body together.

use http::Method;
use serde_json::{Map, Value};

use crate::request::{AwsError, Request};

use super::{Operation, alias, concurrency, event, functions, invocation, permission, tag, update, version};

/// One operation. A `{Member}` of the path goes into the input under that name.
pub struct Route {
    pub name: &'static str,
    method: Method,
    path: &'static str,
    pub operation: Operation,
}

const fn route(name: &'static str, method: Method, path: &'static str, operation: Operation) -> Route {
    Route { name, method, path, operation }
}

const FUNCTIONS: &str = "/2015-03-31/functions";
const FUNCTION: &str = "/2015-03-31/functions/{FunctionName}";
const CONFIGURATION: &str = "/2015-03-31/functions/{FunctionName}/configuration";
const CODE: &str = "/2015-03-31/functions/{FunctionName}/code";
const VERSIONS: &str = "/2015-03-31/functions/{FunctionName}/versions";
const ALIASES: &str = "/2015-03-31/functions/{FunctionName}/aliases";
const ALIAS: &str = "/2015-03-31/functions/{FunctionName}/aliases/{Name}";
const INVOCATIONS: &str = "/2015-03-31/functions/{FunctionName}/invocations";
const POLICY: &str = "/2015-03-31/functions/{FunctionName}/policy";
const STATEMENT: &str = "/2015-03-31/functions/{FunctionName}/policy/{StatementId}";
const TAGS: &str = "/2017-03-31/tags/{Resource}";
const CONCURRENCY: &str = "/2017-10-31/functions/{FunctionName}/concurrency";
const READ_CONCURRENCY: &str = "/2019-09-30/functions/{FunctionName}/concurrency";
const EVENTS: &str = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
const LIST_EVENTS: &str = "/2019-09-25/functions/{FunctionName}/event-invoke-config/list";
const ACCOUNT: &str = "/2016-08-19/account-settings";
const EVENT_SOURCES: &str = "/2015-03-31/event-source-mappings";
const RUNTIME_MANAGEMENT: &str = "/2021-07-20/functions/{FunctionName}/runtime-management-config";
const RECURSION: &str = "/2024-08-31/functions/{FunctionName}/recursion-config";
const CODE_SIGNING: &str = "/2020-06-30/functions/{FunctionName}/code-signing-config";

static ROUTES: &[Route] = &[
    route("AddPermission", Method::POST, POLICY, permission::add),
    route("CreateAlias", Method::POST, ALIASES, alias::create),
    route("CreateFunction", Method::POST, FUNCTIONS, functions::create),
    route("DeleteAlias", Method::DELETE, ALIAS, alias::delete),
    route("DeleteFunction", Method::DELETE, FUNCTION, functions::delete),
    route("DeleteFunctionEventInvokeConfig", Method::DELETE, EVENTS, event::delete_config),
    route("GetAccountSettings", Method::GET, ACCOUNT, functions::account_settings),
    route("GetFunctionEventInvokeConfig", Method::GET, EVENTS, event::get_config),
    route("GetFunctionRecursionConfig", Method::GET, RECURSION, functions::get_recursion),
    route("GetRuntimeManagementConfig", Method::GET, RUNTIME_MANAGEMENT, functions::get_runtime_management),
    route("ListEventSourceMappings", Method::GET, EVENT_SOURCES, functions::list_event_sources),
    route("ListFunctionEventInvokeConfigs", Method::GET, LIST_EVENTS, event::list_configs),
    route("PutFunctionEventInvokeConfig", Method::PUT, EVENTS, event::put_config),
    route("UpdateFunctionEventInvokeConfig", Method::POST, EVENTS, event::update_config),
    route("DeleteFunctionConcurrency", Method::DELETE, CONCURRENCY, concurrency::delete),
    route("GetAlias", Method::GET, ALIAS, alias::get),
    route("GetFunction", Method::GET, FUNCTION, functions::get),
    route("GetFunctionCodeSigningConfig", Method::GET, CODE_SIGNING, functions::get_code_signing),
    route("GetFunctionConcurrency", Method::GET, READ_CONCURRENCY, concurrency::get),
    route("GetFunctionConfiguration", Method::GET, CONFIGURATION, functions::get_configuration),
    route("GetPolicy", Method::GET, POLICY, permission::get),
    route("Invoke", Method::POST, INVOCATIONS, invocation::call),
    route("ListAliases", Method::GET, ALIASES, alias::list),
    route("ListFunctions", Method::GET, FUNCTIONS, functions::list),
    route("ListTags", Method::GET, TAGS, tag::list),
    route("ListVersionsByFunction", Method::GET, VERSIONS, version::list),
    route("PublishVersion", Method::POST, VERSIONS, version::publish),
    route("PutFunctionConcurrency", Method::PUT, CONCURRENCY, concurrency::put),
    route("RemovePermission", Method::DELETE, STATEMENT, permission::remove),
    route("TagResource", Method::POST, TAGS, tag::tag),
    route("UntagResource", Method::DELETE, TAGS, tag::untag),
    route("UpdateAlias", Method::PUT, ALIAS, alias::update),
    route("UpdateFunctionCode", Method::PUT, CODE, update::code),
    route("UpdateFunctionConfiguration", Method::PUT, CONFIGURATION, update::configuration),
];

/// The name of the operation that a method and path mean.
pub fn name(method: &Method, path: &str) -> Option<&'static str> {
    find(method, path).map(|(route, _)| route.name)
}

/// The method and path of an operation.
#[cfg(test)]
pub fn address(name: &str) -> Option<(Method, &'static str)> {
    ROUTES.iter().find(|route| route.name == name).map(|route| (route.method.clone(), route.path))
}

/// The operation, and the members its path holds. A trailing slash makes no difference.
pub fn find(method: &Method, path: &str) -> Option<(&'static Route, Map<String, Value>)> {
    let of_method = ROUTES.iter().filter(|route| route.method == *method);
    of_method.into_iter().find_map(|route| Some((route, captured(route.path, path)?)))
}

fn captured(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut members = Map::new();
    let mut parts = path.strip_suffix('/').unwrap_or(path).split('/');
    for expected in pattern.split('/') {
        let part = parts.next()?;
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                members.insert(name.to_owned(), percent_decode(part).into());
            }
            None if expected == part => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(members)
}

/// Path, query and body as one input, as the service model has it. An invocation's body is its payload.
pub fn input(route: &Route, mut members: Map<String, Value>, request: &Request) -> Result<Value, AwsError> {
    if route.name != "Invoke" && !request.body.is_empty() {
        let body: Map<String, Value> = serde_json::from_slice(&request.body).map_err(|error| {
            AwsError::new("InvalidRequestContentException", format!("Could not parse request body into json: {error}"))
        })?;
        members.extend(body.into_iter().filter(|(_, value)| !value.is_null()));
    }
    for (name, value) in &request.query {
        match name.as_str() {
            "tagKeys" => {
                let keys = members.entry("TagKeys").or_insert(Value::Array(vec![]));
                keys.as_array_mut().into_iter().for_each(|keys| keys.push(value.clone().into()));
            }
            "MaxItems" => {
                members.insert(name.clone(), value.parse::<u32>().map_or(value.clone().into(), Value::from));
            }
            _ => {
                members.insert(name.clone(), value.clone().into());
            }
        }
    }
    Ok(Value::Object(members))
}

pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_and_without_a_trailing_slash() {
        for (method, path, name, member, value) in [
            (Method::POST, "/2015-03-31/functions/", "CreateFunction", "", ""),
            (Method::GET, "/2015-03-31/functions/f%3Alive", "GetFunction", "FunctionName", "f:live"),
            (Method::PUT, "/2015-03-31/functions/f/code/", "UpdateFunctionCode", "FunctionName", "f"),
            (Method::DELETE, "/2015-03-31/functions/f/aliases/live", "DeleteAlias", "Name", "live"),
            (Method::GET, "/2017-03-31/tags/arn%3Aaws%3Alambda", "ListTags", "Resource", "arn:aws:lambda"),
        ] {
            let (route, members) = find(&method, path).expect(path);
            assert_eq!(route.name, name);
            assert_eq!(members.get(member).and_then(Value::as_str).unwrap_or_default(), value);
        }
        assert!(find(&Method::PATCH, FUNCTIONS).is_none());
        assert!(find(&Method::GET, "/2015-03-31/functions/f/nothing/here").is_none());
    }
}
