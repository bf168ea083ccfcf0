use http::Method;
use serde_json::json;

use super::*;
use crate::request::{FunctionImage, InvokeOutcome};
use crate::settings::Settings;
use crate::time::Delays;
use crate::world::World;
use crate::world::tests::calls::{self, asked as ask, request};

mod recorded;

const ROLE: &str = "arn:aws:iam::000000000000:role/R";
const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
const READY: Millis = 10_000;

fn lambda(world: &mut World, now: Millis, method: Method, path: &str, body: Value) -> Result<Value, AwsError> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    calls::value(world, now, "lambda", &request(method, path, body))
}

fn iam(world: &mut World, parameters: &[(&str, &str)]) {
    calls::body(world, 0, "iam", &calls::form(parameters)).unwrap();
}

/// A role that Lambda may assume, and that may write to the function's own group.
fn world() -> World {
    let mut world = World::new(Settings { delays: Delays::FAST, ..Settings::default() });
    let trust =
        r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
    iam(&mut world, &[("Action", "CreateRole"), ("RoleName", "R"), ("AssumeRolePolicyDocument", trust)]);
    let own = r#"{"Statement":{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*"}}"#;
    let put = [("Action", "PutRolePolicy"), ("RoleName", "R"), ("PolicyName", "P"), ("PolicyDocument", own)];
    iam(&mut world, &put);
    world
}

fn zip_of(text: &str) -> String {
    calls::zip_of("bootstrap", text)
}

fn definition() -> Value {
    json!({
        "FunctionName": "f", "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": { "ZipFile": zip_of("one") }, "Tags": { "k": "v" }, "Environment": { "Variables": { "AA": "1" } },
    })
}

fn world_with_function() -> World {
    let mut world = world();
    lambda(&mut world, READY, Method::POST, "/2015-03-31/functions", definition()).unwrap();
    world
}

const F: &str = "/2015-03-31/functions/f";

/// Starts an invocation and gives what the driver was asked to run.
fn start(world: &mut World, now: Millis) -> (Token, FunctionImage) {
    let (answer, effects) = ask(world, now, "lambda", &request(Method::POST, &format!("{F}/invocations"), "{}"));
    let Answer::Pending(token) = answer.unwrap() else { panic!("a synchronous invocation waits") };
    let runs = effects.into_iter().find_map(|effect| match effect {
        Effect::Invoke { function, .. } => Some(*function),
        Effect::Retire { .. } | Effect::Work { .. } | Effect::Spent(_) => None,
    });
    (token, runs.expect("an invocation is an effect"))
}

/// An invocation on behalf of Firehose.
fn from_firehose(world: &mut World, now: Millis, arn: &str) -> Result<Token, CannotInvoke> {
    let mut turn = Turn::at(now);
    let (state, mut around) = world.functions(&mut turn);
    invoke(state, &mut around, arn, "{}".into())
}

#[test]
fn a_function_is_pending_and_then_active_under_another_revision() {
    let mut world = world_with_function();
    assert_eq!(world.due(), Some(READY + 40));
    let pending = lambda(&mut world, READY + 39, Method::GET, F, Value::Null).unwrap();
    let configuration = &pending["Configuration"];
    assert_eq!((&configuration["State"], configuration.get("LastUpdateStatus")), (&json!("Pending"), None));
    assert_eq!(pending["Tags"], json!({ "k": "v" }));
    let refused = lambda(&mut world, READY + 39, Method::PUT, &format!("{F}/configuration"), json!({ "Timeout": 9 }));
    assert!(refused.unwrap_err().message.ends_with("in the following state: Pending"));
    let active = lambda(&mut world, READY + 40, Method::GET, &format!("{F}/configuration/"), Value::Null).unwrap();
    assert_eq!((&active["State"], &active["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    assert_ne!(active["RevisionId"], configuration["RevisionId"]);
    for (member, value) in [("Timeout", json!(3)), ("MemorySize", json!(128)), ("Architectures", json!(["x86_64"]))] {
        assert_eq!(active[member], value);
    }
    assert_eq!(active["LoggingConfig"], json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/f" }));
    assert_eq!(world.due(), None);
}

#[test]
fn an_update_is_in_progress_while_the_old_code_runs() {
    let mut world = world_with_function();
    let (token, old) = start(&mut world, READY + 100);
    let code = format!("{F}/code");
    let update = json!({ "ZipFile": zip_of("two") });
    let updating = lambda(&mut world, READY + 100, Method::PUT, &code, update.clone()).unwrap();
    assert_eq!((&updating["State"], &updating["LastUpdateStatus"]), (&json!("Active"), &json!("InProgress")));
    let refused = lambda(&mut world, READY + 100, Method::PUT, &code, update).unwrap_err();
    let busy = format!("The operation cannot be performed at this time. An update is in progress for resource: {ARN}");
    assert_eq!((refused.status, refused.message), (409, busy));
    assert_eq!(start(&mut world, READY + 100).1.code_sha256, old.code_sha256);
    let new = start(&mut world, READY + 140).1;
    assert_eq!(json!(new.code_sha256), updating["CodeSha256"]);
    assert_ne!(new.revision, old.revision);
    assert_eq!(world.lambda.code.keys().len(), 1, "the old zip is forgotten");
    assert!(world.resolve(&mut Turn::at(READY + 150), token, outcome()).is_some());
}

#[test]
fn a_version_is_published_once_per_change_and_an_alias_names_it() {
    let mut world = world_with_function();
    let now = READY + 100;
    let versions = format!("{F}/versions");
    for _ in 0..2 {
        let version = lambda(&mut world, now, Method::POST, &versions, json!({ "Description": "d" })).unwrap();
        assert_eq!(version["FunctionArn"], format!("{ARN}:1"));
    }
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    lambda(&mut world, now, Method::POST, &format!("{F}/aliases"), alias.clone()).unwrap();
    let again = lambda(&mut world, now, Method::POST, &format!("{F}/aliases"), alias).unwrap_err();
    assert_eq!((again.status, again.message), (409, format!("Alias already exists: {ARN}:live")));
    lambda(&mut world, now, Method::PUT, &format!("{F}/configuration"), json!({ "Timeout": 9 })).unwrap();
    let second = lambda(&mut world, now + 50, Method::POST, &versions, Value::Null).unwrap();
    assert_eq!((&second["Version"], &second["Timeout"]), (&json!("2"), &json!(9)));
    let live = lambda(&mut world, now + 50, Method::GET, &format!("{F}?Qualifier=live"), Value::Null).unwrap();
    assert_eq!(live["Configuration"]["Version"], "1");
    let held = lambda(&mut world, now + 50, Method::DELETE, &format!("{F}?Qualifier=1"), Value::Null).unwrap_err();
    assert_eq!(held.code, "ResourceConflictException");
}

#[test]
fn versions_and_aliases_are_listed_page_by_page() {
    let mut world = world_with_function();
    let now = READY + 1_000;
    lambda(&mut world, now, Method::POST, &format!("{F}/versions"), json!({})).unwrap();
    for name in ["a", "b", "c"] {
        let alias = json!({ "Name": name, "FunctionVersion": "1" });
        lambda(&mut world, now, Method::POST, &format!("{F}/aliases"), alias).unwrap();
    }
    for (list, members, member, expected) in
        [("versions", "Versions", "Version", &["$LATEST", "1"][..]), ("aliases", "Aliases", "Name", &["a", "b", "c"])]
    {
        let mut path = format!("{F}/{list}?MaxItems=1");
        let mut found = vec![];
        loop {
            let page = lambda(&mut world, now, Method::GET, &path, Value::Null).unwrap();
            found.extend(page[members].as_array().unwrap().iter().map(|shown| shown[member].clone()));
            let Some(marker) = page["NextMarker"].as_str() else { break };
            path = format!("{F}/{list}?MaxItems=1&Marker={marker}");
        }
        assert_eq!(found, expected, "{list}");
    }
}

#[test]
fn what_is_refused_and_how() {
    let changed = |member: &str, value: Value| {
        let mut definition = definition();
        definition["FunctionName"] = json!("g");
        definition[member] = value;
        definition
    };
    let functions = "/2015-03-31/functions";
    for (now, method, path, body, status, message) in [
        (READY, Method::POST, functions, definition(), 409, "Function already exist: f".to_owned()),
        (
            79,
            Method::POST,
            functions,
            changed("Tags", json!({})),
            400,
            "The role defined for the function cannot be assumed by Lambda.".to_owned(),
        ),
        (
            READY,
            Method::POST,
            functions,
            changed("Code", json!({ "ZipFile": "bm8gemlw" })),
            400,
            "Could not unzip uploaded file. Please check your file, then try to upload again.".to_owned(),
        ),
        (
            READY,
            Method::POST,
            functions,
            changed("Runtime", json!("provided.al2")),
            400,
            "The runtime parameter of provided.al2 is no longer supported for creating or updating AWS Lambda functions. \
             We recommend you use a supported runtime while creating or updating functions."
                .to_owned(),
        ),
        (READY, Method::GET, "/2015-03-31/functions/g", Value::Null, 404, format!("Function not found: {}", ARN.replace("n:f", "n:g"))),
        (
            READY,
            Method::POST,
            "/2015-03-31/functions/g/invocations",
            json!({}),
            404,
            format!("Function not found: {}:$LATEST", ARN.replace("n:f", "n:g")),
        ),
        (
            READY + 100,
            Method::PUT,
            "/2015-03-31/functions/f/configuration",
            json!({ "RevisionId": "other" }),
            412,
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id"
                .to_owned(),
        ),
        (
            READY,
            Method::GET,
            "/2015-03-31/functions/f/policy",
            Value::Null,
            404,
            "The resource you requested does not exist.".to_owned(),
        ),
    ] {
        let mut world = world_with_function();
        if now < READY {
            world.lambda = State::default();
        }
        let error = lambda(&mut world, now, method, path, body).unwrap_err();
        assert_eq!((error.status, error.message), (status, message), "{path}");
    }
}

#[test]
fn what_is_missing_is_named_as_each_operation_names_it() {
    let mut world = world_with_function();
    let (gone, events) =
        ("/2019-09-25/functions/gone/event-invoke-config", "/2019-09-25/functions/f/event-invoke-config");
    let (list, retries) = (format!("{gone}/list"), json!({ "MaximumRetryAttempts": 1 }));
    let (unknown, none) = ("The function doesn't exist.".to_owned(), "doesn't have an EventInvokeConfig");
    let nothing = "You must specify at least one of error handling or destination setting.".to_owned();
    let alias = "/2015-03-31/functions/f/aliases/a";
    for (method, path, body, expected) in [
        (Method::PUT, gone, retries.clone(), unknown.clone()),
        (Method::POST, gone, retries.clone(), unknown.clone()),
        (Method::GET, list.as_str(), Value::Null, unknown),
        (
            Method::GET,
            gone,
            Value::Null,
            format!("The function {}:$LATEST {none}", ARN.replace(":function:f", ":function:gone")),
        ),
        (Method::DELETE, events, Value::Null, format!("The function {ARN}:$LATEST {none}")),
        (Method::PUT, events, json!({}), nothing),
        (Method::GET, alias, Value::Null, format!("Cannot find alias arn: {ARN}:a")),
        (Method::PUT, alias, json!({}), format!("Alias not found: {ARN}:a")),
    ] {
        let error = lambda(&mut world, READY, method.clone(), path, body).unwrap_err();
        assert_eq!(error.message, expected, "{method} {path}");
    }
}

fn outcome() -> InvokeOutcome {
    let log = vec!["START".to_owned(), "hello".to_owned()];
    InvokeOutcome { payload: "7".into(), function_error: Some("Unhandled".into()), log, duration_ms: 1.0 }
}

#[test]
fn the_waiting_caller_gets_payload_error_and_log_tail() {
    let mut world = world_with_function();
    let mut request = request(Method::POST, &format!("{F}/invocations"), "{}");
    request.headers.insert("x-amz-log-type", "Tail".parse().unwrap());
    let Answer::Pending(token) = ask(&mut world, READY + 50, "lambda", &request).0.unwrap() else { panic!("waits") };
    let Some(Ok(Answer::Reply(reply))) = world.resolve(&mut Turn::at(READY + 60), token, outcome()) else {
        panic!("the caller waits for it")
    };
    let tail = base64_simd::STANDARD.encode_to_string("START\nhello");
    assert_eq!((reply.status, &reply.body[..]), (200, &b"7"[..]));
    for header in [
        ("X-Amz-Executed-Version", "$LATEST"),
        ("X-Amz-Function-Error", "Unhandled"),
        ("X-Amz-Log-Result", tail.as_str()),
    ] {
        assert!(reply.headers.contains(&(header.0, header.1.to_owned())), "{header:?}");
    }
    assert!(world.resolve(&mut Turn::at(READY + 70), token, outcome()).is_none(), "a result counts once");
}

#[test]
fn a_late_invocation_writes_to_its_group_and_never_brings_it_back() {
    let mut world = world_with_function();
    let logged = |world: &mut World| {
        let mut request = request(Method::POST, "/", json!({ "logGroupName": "/aws/lambda/f" }).to_string());
        request.headers.insert("x-amz-target", "Logs_20140328.FilterLogEvents".parse().unwrap());
        match ask(world, READY + 200, "logs", &request).0? {
            Answer::Reply(reply) => Ok(serde_json::from_slice::<Value>(&reply.body).unwrap()),
            Answer::Unwritten(_) | Answer::Pending(_) | Answer::Events(_) => panic!("logs answer at once"),
        }
    };
    let (token, _) = start(&mut world, READY + 50);
    world.resolve(&mut Turn::at(READY + 60), token, outcome());
    assert_eq!(logged(&mut world).map_err(|error: AwsError| error.code), Err("ResourceNotFoundException"));
    world.logs.create_group("000000000000", "us-east-1", "/aws/lambda/f", READY + 70);
    let (token, _) = start(&mut world, READY + 80);
    world.resolve(&mut Turn::at(READY + 90), token, outcome());
    let events = logged(&mut world).unwrap();
    let messages: Vec<&Value> = events["events"].as_array().unwrap().iter().map(|event| &event["message"]).collect();
    assert_eq!(messages, ["START", "hello"]);
}

#[test]
fn reserved_concurrency_is_a_limit() {
    let mut world = world_with_function();
    let concurrency = "/2017-10-31/functions/f/concurrency";
    let one = json!({ "ReservedConcurrentExecutions": 1 });
    lambda(&mut world, READY + 50, Method::PUT, concurrency, one).unwrap();
    let (token, _) = start(&mut world, READY + 50);
    let cannot = from_firehose(&mut world, READY + 50, ARN).unwrap_err();
    assert_eq!(cannot.code, "InvokeLimitExceeded");
    world.resolve(&mut Turn::at(READY + 60), token, outcome());
    assert!(from_firehose(&mut world, READY + 70, &format!("{ARN}:$LATEST")).is_ok());
}

/// The tokens of invocations that begin when the world is ticked.
fn begun(world: &mut World, now: Millis) -> Vec<Token> {
    let mut turn = Turn::at(now);
    world.tick(&mut turn);
    let invoked = turn.effects.iter().filter_map(|effect| match effect {
        Effect::Invoke { token, .. } => Some(*token),
        Effect::Retire { .. } | Effect::Work { .. } | Effect::Spent(_) => None,
    });
    invoked.collect()
}

#[test]
fn an_event_is_tried_three_times_with_pauses_between_and_then_given_up() {
    let mut world = world_with_function();
    let mut asked = request(Method::POST, &format!("{F}/invocations"), "{}");
    asked.headers.insert("x-amz-invocation-type", "Event".parse().unwrap());
    let (answer, effects) = ask(&mut world, READY + 50, "lambda", &asked);
    assert!(matches!(answer.unwrap(), Answer::Reply(reply) if reply.status == 202));
    let first = effects.iter().find_map(|effect| match effect {
        Effect::Invoke { token, .. } => Some(*token),
        Effect::Retire { .. } | Effect::Work { .. } | Effect::Spent(_) => None,
    });
    let mut running = first.expect("the first try begins at once");
    let mut at = READY + 50;
    for pause in [60_000, 120_000] {
        assert!(world.resolve(&mut Turn::at(at), running, outcome()).is_none());
        assert_eq!(begun(&mut world, at + pause - 1), [0; 0]);
        at += pause;
        running = begun(&mut world, at)[0];
    }
    world.resolve(&mut Turn::at(at), running, outcome());
    assert_eq!((world.due(), world.lambda.events.len()), (None, 0));
}

#[test]
fn an_event_that_is_throttled_waits_and_one_without_retries_is_tried_once() {
    let mut world = world_with_function();
    let concurrency = "/2017-10-31/functions/f/concurrency";
    lambda(&mut world, READY + 50, Method::PUT, concurrency, json!({ "ReservedConcurrentExecutions": 1 })).unwrap();
    let config = "/2019-09-25/functions/f/event-invoke-config";
    let put = lambda(&mut world, READY + 50, Method::PUT, config, json!({ "MaximumRetryAttempts": 0 })).unwrap();
    assert_eq!((&put["FunctionArn"], &put["MaximumRetryAttempts"]), (&json!(format!("{ARN}:$LATEST")), &json!(0)));
    let (first, _) = start(&mut world, READY + 50);
    let mut asked = request(Method::POST, &format!("{F}/invocations"), "{}");
    asked.headers.insert("x-amz-invocation-type", "Event".parse().unwrap());
    assert_eq!(ask(&mut world, READY + 60, "lambda", &asked).1.len(), 0);
    world.resolve(&mut Turn::at(READY + 70), first, outcome());
    let tried = begun(&mut world, READY + 1060)[0];
    world.resolve(&mut Turn::at(READY + 1070), tried, outcome());
    assert_eq!(world.lambda.events.len(), 0);
    let absent = lambda(&mut world, READY + 1080, Method::DELETE, &format!("{config}?Qualifier=live"), Value::Null);
    assert_eq!(absent.unwrap_err().code, "ResourceNotFoundException");
}

/// A payload may be a mebibyte, and there are hundreds of them.
#[test]
fn an_event_that_is_throttled_is_not_journalled_again() {
    let mut world = world_with_function();
    let concurrency = "/2017-10-31/functions/f/concurrency";
    lambda(&mut world, READY + 50, Method::PUT, concurrency, json!({ "ReservedConcurrentExecutions": 0 })).unwrap();
    let mut asked = request(Method::POST, &format!("{F}/invocations"), "{}");
    asked.headers.insert("x-amz-invocation-type", "Event".parse().unwrap());
    assert!(ask(&mut world, READY + 60, "lambda", &asked).0.is_ok());
    let events = |world: &mut World| {
        let rows = world.take_changes(true);
        rows.into_iter().filter(|change| change.table == "lambda/events").count()
    };
    assert_eq!(events(&mut world), 1);
    assert_eq!((begun(&mut world, READY + 1060).len(), events(&mut world)), (0, 0));
    lambda(&mut world, READY + 1070, Method::PUT, concurrency, json!({ "ReservedConcurrentExecutions": 1 })).unwrap();
    assert_eq!((begun(&mut world, READY + 2060).len(), events(&mut world)), (1, 0));
}

#[test]
fn what_is_reserved_leaves_a_hundred_and_shows_in_the_accounts_settings() {
    let mut world = world_with_function();
    let reserve = |world: &mut World, count: u32| {
        let input = json!({ "ReservedConcurrentExecutions": count });
        lambda(world, READY + 50, Method::PUT, "/2017-10-31/functions/f/concurrency", input).map_err(|error| error.code)
    };
    assert_eq!(reserve(&mut world, 901).unwrap_err(), "InvalidParameterValueException");
    reserve(&mut world, 900).unwrap();
    let settings = lambda(&mut world, READY + 50, Method::GET, "/2016-08-19/account-settings/", Value::Null).unwrap();
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 100);
    assert_eq!(settings["AccountUsage"]["FunctionCount"], 1);
}

#[test]
fn deleting_retires_the_processes_and_forgets_the_code() {
    let mut world = world_with_function();
    let (answer, effects) = ask(&mut world, READY + 50, "lambda", &request(Method::DELETE, F, ""));
    assert!(matches!(answer.unwrap(), Answer::Reply(reply) if reply.status == 204));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Retire { function_arn } if function_arn == ARN)));
    assert!(world.lambda.functions.is_empty() && world.lambda.code.keys().is_empty());
}

#[test]
fn a_restored_world_runs_the_same_code() {
    let mut world = world_with_function();
    let (_, before) = start(&mut world, READY + 50);
    let mut restored = World::new(Settings::default());
    for change in world.take_changes(true) {
        restored.restore(change.table, &change.key, &change.value.expect("nothing was removed")).unwrap();
    }
    let (_, after) = start(&mut restored, READY + 50);
    assert_eq!(after, before);
}

#[test]
fn a_client_context_is_passed_on_in_ascii_and_refused_when_it_is_not_json() {
    let mut world = world_with_function();
    let mut invoke = |context: &str| {
        let mut request = request(Method::POST, "/2015-03-31/functions/f/invocations", "{}");
        let context = base64_simd::STANDARD.encode_to_string(context);
        request.headers.insert("x-amz-client-context", context.parse().unwrap());
        let (answer, effects) = ask(&mut world, READY + 100, "lambda", &request);
        let inputs = effects.into_iter().filter_map(|effect| match effect {
            Effect::Invoke { input, .. } => Some(input.client_context),
            Effect::Retire { .. } | Effect::Work { .. } | Effect::Spent(_) => None,
        });
        answer.map(|_| inputs.collect::<Vec<_>>()).map_err(|error| error.code)
    };
    assert_eq!(invoke(r#"{ "env": "ü" }"#), Ok(vec![Some(r#"{"env":"\u00fc"}"#.into())]));
    assert_eq!(invoke("[]"), Err("InvalidRequestContentException"));
}
