//! Answers of Lambda that were recorded on AWS, from LocalStack's tests.

use super::*;

const MISMATCH: &str = "The derived qualifier from the function name does not match the specified qualifier.";
const FUNCTIONS: &str = "/2015-03-31/functions";
const CONFIGURATION: &str = "/2015-03-31/functions/f/configuration";
const VERSIONS: &str = "/2015-03-31/functions/f/versions";
const ALIASES: &str = "/2015-03-31/functions/f/aliases";
const POLICY: &str = "/2015-03-31/functions/f/policy";
const TAGS: &str = "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f";
const EVENTS: &str = "/2019-09-25/functions/f/event-invoke-config";

/// The function, active, with version 1 and the alias `live`.
fn world_with_alias() -> World {
    let mut world = world_with_function();
    ok(&mut world, Method::POST, VERSIONS, json!({}));
    ok(&mut world, Method::POST, ALIASES, json!({ "Name": "live", "FunctionVersion": "1" }));
    world
}

fn ok(world: &mut World, method: Method, path: &str, body: Value) -> Value {
    lambda(world, READY + 100, method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn permission(principal: &str) -> Value {
    json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": principal })
}

/// Each call is refused with the status and a message that begins so.
fn refused<'a>(calls: impl IntoIterator<Item = (Method, &'a str, Value, u16, &'a str)>) {
    let mut world = world_with_alias();
    for (method, path, body, status, message) in calls {
        let error = lambda(&mut world, READY + 100, method, path, body.clone()).expect_err(path);
        assert_eq!(error.status, status, "{path} {body}: {error}");
        assert!(error.message.starts_with(message), "{path} {body}: {error}");
    }
}

#[test]
fn what_a_function_cannot_be_is_refused_in_the_words_of_aws() {
    let with = |member: &str, value: Value| {
        let mut definition = definition();
        definition["FunctionName"] = json!("g");
        definition[member] = value;
        definition
    };
    let long = "n".repeat(65);
    let too_long = format!(
        "1 validation error detected: Value '{long}' at 'functionName' failed to satisfy constraint: Member must have \
         length less than or equal to 64"
    );
    let many: Value = (0..51).map(|n| (format!("k{n}"), json!(""))).collect::<serde_json::Map<_, _>>().into();
    let too_many = "Number of tags exceeds resource tag limit.";
    let letters = "1 validation error detected: Value 'a!' at 'qualifier' failed to satisfy constraint: Member must \
                   satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";
    let scalars = "1 validation error detected: Value '[X86]' at 'architectures' failed to satisfy constraint: Member \
                   must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]";
    let no_bucket = "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket \
                     does not exist";
    let gone = ARN.replace("n:f", "n:gone");
    let queue = json!({ "DeadLetterConfig": { "TargetArn": "arn:aws:sqs:us-east-1:000000000000:q" } });
    let beyond = |member: &str, value: u32, most: u32| {
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have value \
             less than or equal to {most}"
        )
    };
    let layer = |name: u32, version: u32| format!("arn:aws:lambda:us-east-1:000000000000:layer:l{name}:{version}");
    let layers = |count: u32| (0..count).map(|name| layer(name, 1)).collect::<Value>();
    let reserved = || json!({ "ReservedConcurrentExecutions": 1 });
    refused([
        (Method::GET, "/2015-03-31/functions/f:1?Qualifier=2", Value::Null, 400, MISMATCH),
        (Method::GET, "/2015-03-31/functions/f?Qualifier=a!", Value::Null, 400, letters),
        (Method::POST, FUNCTIONS, with("FunctionName", json!(long)), 400, &too_long),
        (Method::POST, FUNCTIONS, with("Architectures", json!(["X86"])), 400, scalars),
        (Method::POST, FUNCTIONS, with("Tags", many.clone()), 400, too_many),
        (Method::POST, FUNCTIONS, with("Runtime", json!("cobol")), 400, "Value cobol at 'runtime' failed to satisfy"),
        (Method::POST, FUNCTIONS, with("Code", json!({ "S3Bucket": "none", "S3Key": "k" })), 400, no_bucket),
        (Method::POST, FUNCTIONS, with("PackageType", json!("Image")), 400, "PackageType is not supported"),
        (Method::POST, FUNCTIONS, with("MemorySize", json!(10_241)), 400, &beyond("memorySize", 10_241, 10_240)),
        (Method::POST, FUNCTIONS, with("Timeout", json!(901)), 400, &beyond("timeout", 901, 900)),
        (Method::POST, FUNCTIONS, with("Layers", layers(6)), 400, "Cannot reference more than 5 layers."),
        (Method::POST, FUNCTIONS, with("Layers", json!([layer(1, 1), layer(1, 2)])), 400, "Two different versions of"),
        (Method::GET, "/2015-03-31/functions?Marker=nonsense", Value::Null, 400, "Invalid Marker"),
        (Method::PUT, CONFIGURATION, queue, 400, "DeadLetterConfig is not supported by the built-in emulator"),
        (
            Method::PUT,
            "/2017-10-31/functions/gone/concurrency",
            reserved(),
            404,
            &format!("Function not found: {gone}:$LATEST"),
        ),
        (
            Method::PUT,
            "/2017-10-31/functions/f:1/concurrency",
            reserved(),
            400,
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation.",
        ),
        (
            Method::POST,
            &format!("{TAGS}:1"),
            json!({ "Tags": { "k": "v" } }),
            400,
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ),
        (Method::POST, TAGS, json!({ "Tags": {} }), 400, "An error occurred and the request cannot be processed."),
        (Method::POST, TAGS, json!({ "Tags": many }), 400, too_many),
        (Method::DELETE, TAGS, Value::Null, 400, "1 validation error detected: Value null at 'tagKeys'"),
    ]);
}

#[test]
fn what_an_alias_cannot_be_is_refused_in_the_words_of_aws() {
    let alias = |version: &str, weights: Value| {
        let routing = json!({ "AdditionalVersionWeights": weights });
        json!({ "Name": "a", "FunctionVersion": version, "RoutingConfig": routing })
    };
    let weights = "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to \
                   satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to \
                   1.0, Member must have value greater than or equal to 0.0, Member must not be null]";
    let number = "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy \
                  regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)";
    let same = "Invalid function version 1. Function version 1 is already included in routing configuration.";
    let queue =
        json!({ "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:sqs:us-east-1:000000000000:q" } } });
    refused([
        (
            Method::POST,
            ALIASES,
            alias("1", json!({ "2": 0.1, "3": 0.1 })),
            400,
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ),
        (Method::POST, ALIASES, alias("1", json!({ "2": 2.0 })), 400, weights),
        (Method::POST, ALIASES, alias("1", json!({ "1": 0.5 })), 400, same),
        (
            Method::POST,
            ALIASES,
            alias("$LATEST", json!({ "1": 0.5 })),
            400,
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ),
        (Method::POST, ALIASES, alias("1", json!({ "9": 0.5 })), 404, &format!("Function not found: {ARN}:9")),
        (Method::POST, ALIASES, json!({ "Name": "2024", "FunctionVersion": "1" }), 400, number),
        (Method::PUT, EVENTS, queue, 400, "DestinationConfig is not supported by the built-in emulator"),
        (
            Method::PUT,
            &format!("{EVENTS}?Qualifier=gone"),
            json!({ "MaximumRetryAttempts": 1 }),
            404,
            "The function doesn't exist.",
        ),
    ]);
}

#[test]
fn what_a_policy_cannot_be_is_refused_in_the_words_of_aws() {
    let gone = ARN.replace("n:f", "n:gone");
    refused([
        (
            Method::POST,
            &*format!("{POLICY}?Qualifier=$LATEST"),
            permission("*"),
            400,
            "We currently do not support adding policies for $LATEST.",
        ),
        (
            Method::POST,
            POLICY,
            permission("nobody.example.com"),
            400,
            "The provided principal was invalid. Please check the principal and try again.",
        ),
        (
            Method::POST,
            &format!("{POLICY}?Qualifier=gone"),
            permission("*"),
            404,
            &format!("Cannot find alias arn: {ARN}:gone"),
        ),
        (
            Method::POST,
            &format!("{POLICY}?Qualifier=42"),
            permission("*"),
            404,
            &format!("Function not found: {ARN}:42"),
        ),
        (Method::DELETE, &format!("{POLICY}/s"), Value::Null, 404, "No policy is associated with the given resource."),
        (
            Method::DELETE,
            "/2015-03-31/functions/gone/policy/s",
            Value::Null,
            404,
            &format!("No policy found for: {gone}"),
        ),
    ]);
}

#[test]
fn a_function_is_shown_under_the_arn_it_was_asked_for_by_and_lists_show_less() {
    let mut world = world_with_alias();
    for (qualifier, version) in [("live", "1"), ("1", "1"), ("$LATEST", "$LATEST")] {
        let shown = ok(&mut world, Method::GET, &format!("{CONFIGURATION}?Qualifier={qualifier}"), Value::Null);
        assert_eq!((&shown["FunctionArn"], &shown["Version"]), (&json!(format!("{ARN}:{qualifier}")), &json!(version)));
    }
    let all = ok(&mut world, Method::GET, &format!("{FUNCTIONS}?FunctionVersion=ALL"), Value::Null);
    let versions = ok(&mut world, Method::GET, VERSIONS, Value::Null)["Versions"].clone();
    assert_eq!(all["Functions"], versions);
    assert_eq!(versions[0]["FunctionArn"], json!(format!("{ARN}:$LATEST")));
    assert_eq!((versions[0].get("State"), versions[1].get("LastUpdateStatus")), (None, None));
    let functions = ok(&mut world, Method::GET, FUNCTIONS, Value::Null)["Functions"].clone();
    assert_eq!((&functions[0]["FunctionArn"], functions.as_array().map(Vec::len)), (&json!(ARN), Some(1)));
}

#[test]
fn a_version_is_published_when_something_has_changed_even_the_description() {
    let mut world = world_with_alias();
    let again = ok(&mut world, Method::POST, VERSIONS, json!({ "Description": "other" }));
    assert_eq!(again["Version"], "1", "nothing has changed");
    ok(&mut world, Method::PUT, CONFIGURATION, json!({ "Description": "second" }));
    let publish = lambda(&mut world, READY + 200, Method::POST, VERSIONS, json!({})).unwrap();
    assert_eq!((&publish["Version"], &publish["Description"]), (&json!("2"), &json!("second")));

    // Published with the update, it is Pending as long as that is InProgress.
    let code = json!({ "ZipFile": zip_of("two"), "Publish": true });
    let updated = lambda(&mut world, READY + 300, Method::PUT, &format!("{F}/code"), code).unwrap();
    assert_eq!((&updated["Version"], &updated["State"]), (&json!("3"), &json!("Pending")));
    assert_eq!(updated.get("LastUpdateStatus"), None);
    let later = lambda(&mut world, READY + 400, Method::GET, &format!("{F}:3"), Value::Null).unwrap();
    assert_eq!(later["Configuration"]["State"], "Active");
    assert_eq!(later["Configuration"]["RevisionId"], updated["RevisionId"]);

    let mut made = definition();
    made["FunctionName"] = json!("g");
    made["Publish"] = json!(true);
    let made = lambda(&mut world, READY + 400, Method::POST, FUNCTIONS, made).unwrap();
    assert_eq!((&made["Version"], &made["FunctionArn"]), (&json!("1"), &json!(ARN.replace("n:f", "n:g"))));
}

#[test]
fn logging_in_json_has_levels_and_in_text_none() {
    let mut world = world_with_alias();
    let mut now = READY + 100;
    let mut logging = |config: Value| {
        now += 100;
        let shown = lambda(&mut world, now, Method::PUT, CONFIGURATION, json!({ "LoggingConfig": config })).unwrap();
        let level = |name: &str| shown["LoggingConfig"].get(name).and_then(Value::as_str).map(str::to_owned);
        (level("ApplicationLogLevel"), level("SystemLogLevel"))
    };
    let info = || Some("INFO".to_owned());
    assert_eq!(logging(json!({ "LogFormat": "JSON" })), (info(), info()));
    assert_eq!(logging(json!({ "ApplicationLogLevel": "DEBUG" })), (Some("DEBUG".into()), info()));
    assert_eq!(logging(json!({ "LogFormat": "Text" })), (None, None));
}

#[test]
fn a_policy_has_a_revision_and_an_order_of_its_own() {
    let mut world = world_with_alias();
    let add = |world: &mut World, qualifier: &str, id: &str, revision: Option<&Value>| {
        let mut input = permission("s3.amazonaws.com");
        input["StatementId"] = json!(id);
        input["RevisionId"] = revision.cloned().unwrap_or_default();
        lambda(world, READY + 100, Method::POST, &format!("{POLICY}{qualifier}"), input)
    };
    let alias = ok(&mut world, Method::GET, &format!("{ALIASES}/live"), Value::Null);
    let wrong = add(&mut world, "?Qualifier=live", "z", Some(&json!("wrong"))).unwrap_err();
    assert!(wrong.message.contains("Call the GetPolicy API"), "{wrong}");
    add(&mut world, "?Qualifier=live", "z", Some(&alias["RevisionId"])).unwrap();
    add(&mut world, "", "z", None).unwrap();
    let policy = ok(&mut world, Method::GET, POLICY, Value::Null);
    add(&mut world, "", "a", Some(&policy["RevisionId"])).unwrap();
    let policy = ok(&mut world, Method::GET, POLICY, Value::Null);
    let document: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    let ids = document["Statement"].as_array().unwrap().iter().map(|statement| statement["Sid"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["z", "a"]);

    // The alias's policy goes with the alias.
    ok(&mut world, Method::DELETE, &format!("{ALIASES}/live"), Value::Null);
    ok(&mut world, Method::POST, ALIASES, json!({ "Name": "live", "FunctionVersion": "1" }));
    let gone = lambda(&mut world, READY, Method::GET, &format!("{POLICY}?Qualifier=live"), Value::Null);
    assert_eq!(gone.unwrap_err().status, 404);
}

#[test]
fn a_statement_says_who_and_under_which_conditions() {
    let mut world = world_with_alias();
    let mut input = permission("000000000000");
    input["EventSourceToken"] = json!("token");
    input["FunctionUrlAuthType"] = json!("NONE");
    input["InvokedViaFunctionUrl"] = json!(true);
    let answer = ok(&mut world, Method::POST, POLICY, input);
    let statement: Value = serde_json::from_str(answer["Statement"].as_str().unwrap()).unwrap();
    assert_eq!(statement["Principal"], json!({ "AWS": "arn:aws:iam::000000000000:root" }));
    let expected = json!({
        "StringEquals": { "lambda:EventSourceToken": "token", "lambda:FunctionUrlAuthType": "NONE" },
        "Bool": { "lambda:InvokedViaFunctionUrl": "true" },
    });
    assert_eq!(statement["Condition"], expected);
}

/// Not one after the other: half and half shows within a few.
#[test]
fn an_aliass_shares_are_spread_over_its_invocations() {
    let mut world = world_with_alias();
    ok(&mut world, Method::PUT, CONFIGURATION, json!({ "Description": "second" }));
    lambda(&mut world, READY + 200, Method::POST, VERSIONS, json!({})).unwrap();
    for (weight, invocations, second) in [(0.5, 20, 8..=12), (0.25, 100, 25..=25)] {
        let routing = json!({ "RoutingConfig": { "AdditionalVersionWeights": { "2": weight } } });
        ok(&mut world, Method::PUT, &format!("{ALIASES}/live"), routing);
        let live = request(Method::POST, &format!("{F}:live/invocations"), "{}");
        let mut invoked = || {
            let effects = ask(&mut world, READY + 300, "lambda", &live).1;
            let versions = effects.into_iter().filter_map(|effect| match effect {
                Effect::Invoke { function, .. } => Some(function.version),
                _ => None,
            });
            versions.last().expect("an invocation is an effect")
        };
        let hits = (0..invocations).filter(|_| invoked() == "2").count();
        assert!(second.contains(&hits), "{weight}: {hits} of {invocations}");
    }
}
