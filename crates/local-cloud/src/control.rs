//! The engine's own calls, under `/_local/`: health, and for tests the clock, the buffers, what goes wrong and what exists.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::anomalies::Consistency;
use crate::anomalies::choice::NoChoice;
use crate::drive::{Engine, Pace};
use crate::faults::{NoRule, Rule};
use crate::page::{self, guard};
use crate::request::{Reply, Request};
use crate::settings::Settings;
use crate::time::LATEST;
use crate::wire::encode;

/// Answers a request under `/_local/`:
///
/// - `GET health`: status, account, data folder, and damage that was found at start;
/// - `GET dump`: all resources, as JSON; `GET held`: how long turns of the world were; `POST reset`: deletes everything;
/// - `GET clock`, `POST advance?ms=N`, `POST speed?factor=N`, `POST pause`, `POST resume`: the world's clock;
/// - `GET faults`, `POST faults?rule=R&rule=S` (adds rules), `DELETE faults`, `DELETE faults?rule=R`: calls that go wrong
///   ([`crate::faults`]);
/// - `GET consistency`, `POST consistency?rows=aws` (adds rows), `DELETE consistency`: what AWS answers for a while after a change
///   ([`crate::anomalies`]);
/// - `GET backlog?stream=N&region=R`: records that a delivery stream has not delivered yet;
/// - `POST flush?stream=N&stream=M&region=R`: delivers them now, of all delivery streams of the region without `stream`;
/// - `GET code?sha256=S`: the zip of a function's code, which GetFunction gives the address of;
/// - `GET ` and nothing more: the page ([`page`]), and for it `GET watch?frames=N` (server-sent events, four a second at most; without
///   `frames` they go on), `GET records?from=stream&source=REGION/NAME` (the latest; `shard`, `limit`), `GET record?...&shard=N&ordinal=N`
///   (where one is and has been), `GET object?bucket=B&key=K` (the records of a recent object) and
///   `POST replay?delivery=REGION/NAME&shard=N&ordinal=N` (puts the original of a failed record into its source again).
///
/// The engine's own page is the only web page that may call, and it needs a token to change something ([`guard`]).
pub async fn answer(engine: &Engine, request: &Request) -> http::Response<Bytes> {
    if let Err(why) = guard::check(request, engine.page_token()) {
        return written(403, &json!({ "error": why }));
    }
    if let Some(zip) = code(engine, request) {
        return encode::finish(Reply { status: 200, headers: vec![], body: zip }, "application/zip");
    }
    if let Some(page) = page::document(engine, request) {
        return page;
    }
    let answered = page::answer(engine, request).await;
    let (status, body) = match answered {
        Some(answered) => answered,
        None => perform(engine, request).await,
    };
    written(status, &body)
}

/// The events of `watch`, if that is what is asked for and may be given.
pub fn watch(engine: &Engine, request: &Request) -> Option<mpsc::Receiver<Bytes>> {
    let frames = page::watched(request)?;
    guard::check(request, engine.page_token()).ok()?;
    engine.watch(frames)
}

fn written(status: u16, body: &Value) -> http::Response<Bytes> {
    let headers =
        vec![("x-content-type-options", "nosniff".into()), ("cross-origin-resource-policy", "same-origin".into())];
    let reply = Reply { headers, ..Reply::json(body).with_status(status) };
    encode::finish(reply, "application/json")
}

/// A function's zip, which GetFunction says to be at `code?sha256=S`.
fn code(engine: &Engine, request: &Request) -> Option<Bytes> {
    let sha256 = request.query("sha256").filter(|_| request.path == "/_local/code")?;
    engine.look("code", |world| world.lambda.zip(sha256))
}

async fn perform(engine: &Engine, request: &Request) -> (u16, Value) {
    let name = request.path.trim_start_matches("/_local/");
    let stream = request.query("stream");
    match (request.method.as_str(), name) {
        ("GET", "health") => (200, health(engine)),
        ("GET", "dump") => (200, engine.dump()),
        ("GET", "held") => (200, engine.held()),
        ("GET", "backlog") => match stream {
            Some(stream) => {
                let region = region_of(request);
                let (records, given_up) = (engine.backlog(&region, stream), engine.given_up(&region, stream));
                (200, json!({ "records": records, "given_up": given_up }))
            }
            None => (400, json!({ "error": "backlog wants ?stream=NAME" })),
        },
        ("POST", "flush") => {
            let named = request.query.iter().filter(|(key, _)| key == "stream");
            let names: Vec<String> = named.map(|(_, name)| name.clone()).collect();
            engine.flush(&region_of(request), &names);
            engine.idle().await;
            (200, clock(engine))
        }
        ("POST", "advance") => match way(engine, request.query("ms").unwrap_or_default()) {
            Ok(by) => {
                engine.advance(by).await;
                (200, clock(engine))
            }
            Err(error) => (400, json!({ "error": error })),
        },
        ("GET", "clock") => (200, clock(engine)),
        ("POST", "pause") => at_pace(engine, |pace| Pace { paused: true, ..pace }),
        ("POST", "resume") => at_pace(engine, |pace| Pace { paused: false, ..pace }),
        ("POST", "speed") => {
            match request.query("factor").and_then(|text| text.parse().ok()).filter(|f| (1..=MAX_SPEED).contains(f)) {
                Some(speed) => at_pace(engine, |pace| Pace { speed, ..pace }),
                None => (400, json!({ "error": format!("speed wants ?factor=N, from 1 to {MAX_SPEED}") })),
            }
        }
        ("GET", "faults") => (200, faults(engine)),
        ("POST", "faults") => inject(engine, request),
        ("DELETE", "faults") => {
            match request.query("rule") {
                None => engine.heal(),
                Some(rule) if engine.heal_rule(rule) => {}
                Some(rule) => return (404, json!({ "error": format!("there is no rule {rule:?}") })),
            }
            (200, faults(engine))
        }
        ("GET", "watch") => (503, json!({ "error": "too many are watching already" })),
        ("GET", "consistency") => (200, consistency(engine)),
        ("POST", "consistency") => choose(engine, request),
        ("DELETE", "consistency") => {
            engine.set_consistency(Consistency::default());
            (200, consistency(engine))
        }
        ("POST", "reset") => match engine.reset().await {
            Ok(()) => (200, clock(engine)),
            Err(error) => (500, json!({ "error": error.to_string() })),
        },
        (method, _) => (404, json!({ "error": format!("there is no {method} /_local/{name}") })),
    }
}

/// `?region=`, or the region signed for.
fn region_of(request: &Request) -> String {
    request.query("region").unwrap_or(&request.region).to_owned()
}

/// World seconds per second of the wall.
pub const MAX_SPEED: u32 = 100_000;

/// How far the clock is to move, which is no further than there are dates.
fn way(engine: &Engine, ms: &str) -> Result<Duration, String> {
    if ms.is_empty() || !ms.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("advance wants ?ms=MILLISECONDS, a whole number".into());
    }
    let left = LATEST - engine.now();
    let by = ms.parse().ok().filter(|ms| *ms <= left).map(Duration::from_millis);
    by.ok_or_else(|| {
        format!("the world's clock goes to the beginning of the year 9000: advance takes {left} ms at most now")
    })
}

fn clock(engine: &Engine) -> Value {
    let Pace { speed, paused } = engine.pace();
    json!({ "now_ms": engine.now(), "speed": speed, "paused": paused })
}

fn at_pace(engine: &Engine, change: impl FnOnce(Pace) -> Pace) -> (u16, Value) {
    engine.set_pace(change(engine.pace()));
    (200, clock(engine))
}

fn faults(engine: &Engine) -> Value {
    let rules = engine.faults();
    let rules = rules
        .into_iter()
        .map(|(rule, matched, injected)| json!({ "rule": rule, "matched": matched, "injected": injected }));
    json!({ "faults": rules.collect::<Vec<_>>() })
}

/// All of the rules, or none where one is wrong.
fn inject(engine: &Engine, request: &Request) -> (u16, Value) {
    let texts = request.query.iter().filter(|(key, _)| key == "rule").map(|(_, text)| text);
    let rules: Result<Vec<Rule>, NoRule> = texts.map(|text| text.parse()).collect();
    match rules {
        Ok(rules) if rules.is_empty() => (400, json!({ "error": "faults wants ?rule=OPERATION=KIND" })),
        Ok(rules) => {
            rules.into_iter().for_each(|rule| engine.inject(rule));
            (200, faults(engine))
        }
        Err(error) => (400, json!({ "error": error.to_string() })),
    }
}

fn consistency(engine: &Engine) -> Value {
    let counts = engine.anomalies().into_iter();
    let counts = counts.map(|count| json!({ "row": count.row.name, "begun": count.begun, "shown": count.shown }));
    json!({ "consistency": counts.collect::<Vec<_>>() })
}

/// These rows beside those that are on, or none where one is wrong.
fn choose(engine: &Engine, request: &Request) -> (u16, Value) {
    let named = request.query.iter().filter(|(key, _)| key == "rows").map(|(_, text)| text);
    let chosen: Result<Vec<Consistency>, NoChoice> = named.map(|text| text.parse()).collect();
    match chosen {
        Ok(chosen) if chosen.is_empty() => (400, json!({ "error": "consistency wants ?rows=aws or ?rows=NAME,NAME" })),
        Ok(chosen) => {
            engine.set_consistency(chosen.into_iter().fold(engine.consistency(), Consistency::and));
            (200, consistency(engine))
        }
        Err(error) => (400, json!({ "error": error.to_string() })),
    }
}

fn health(engine: &Engine) -> Value {
    json!({
        "status": "ok",
        "account": engine.look("health", |world| world.settings.account.clone()),
        "data_dir": engine.look("health", |world| world.settings.data_dir.clone()),
        "now_ms": engine.now(),
        "damage": engine.damage(),
        "refuses_changes": engine.stalled(),
        "settings": settings(engine),
    })
}

/// How kind it is: what a run against it has proven depends on that.
fn settings(engine: &Engine) -> Value {
    let Settings { delays, limits, enforce_iam, .. } = engine.look("health", |world| world.settings.clone());
    let Pace { speed, .. } = engine.pace();
    json!({
        "delays_ms": {
            "stream": delays.stream,
            "delivery_stream": delays.delivery_stream,
            "function": delays.function,
            "role": delays.role,
        },
        "speed": speed,
        "limits": limits,
        "enforce_iam": enforce_iam,
        "consistency": engine.consistency().names().collect::<Vec<_>>(),
        "faults": engine.faults().len(),
    })
}
