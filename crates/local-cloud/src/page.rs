//! The page at `/_local/`: the pipeline that exists, live, and what a person may do to it.
//!
//! It is one document without outside addresses. It reads [`watch`](Engine::watch), asks for records one by one, and steers the
//! engine through the same calls as programs do. [`guard`] says who may make them.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::drive::Engine;
use crate::request::Request;
use crate::world::watch::shown::Source;
use crate::world::watch::{journey, records};

mod document;
pub mod guard;
mod replay;

pub use document::DRAWING_STYLE;

/// Records that are given where nobody says how many.
const USUAL_RECORDS: usize = 50;
/// Records of an object that are given.
const RECORDS_OF_OBJECT: usize = 200;

/// The calls that only the page makes. `None`: it is another one.
pub async fn answer(engine: &Engine, request: &Request) -> Option<(u16, Value)> {
    Some(match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_local/records") => latest(engine, request).unwrap_or_else(no_source),
        ("GET", "/_local/record") => record(engine, request).unwrap_or_else(no_source),
        ("GET", "/_local/object") => object(engine, request),
        ("POST", "/_local/replay") => replay::replay(engine, request).await,
        _ => return None,
    })
}

/// The document itself, if that is what is asked for.
pub fn document(engine: &Engine, request: &Request) -> Option<http::Response<Bytes>> {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_local/") => Some(document::response(engine.page_token())),
        ("GET", "/_local") => Some(document::elsewhere("/_local/")),
        _ => None,
    }
}

/// How many frames of [`Engine::watch`] are asked for, if it is. All there are, unless `frames` says how many.
pub fn watched(request: &Request) -> Option<u64> {
    let asked = request.method == http::Method::GET && request.path == "/_local/watch";
    asked.then(|| number(request, "frames").unwrap_or(u64::MAX))
}

fn latest(engine: &Engine, request: &Request) -> Option<(u16, Value)> {
    let source = source(request)?;
    let shard = number(request, "shard").and_then(|shard| shard.try_into().ok());
    let most = number(request, "limit").map_or(USUAL_RECORDS, |limit| limit.min(records::MOST_RECORDS as u64) as usize);
    let latest = engine.look("records", |world| records::latest(world, &source, shard, most))?;
    let listed: Vec<records::Listed> = latest.into_iter().map(records::Listed::of).collect();
    Some((200, json!({ "records": listed })))
}

fn record(engine: &Engine, request: &Request) -> Option<(u16, Value)> {
    let source = source(request)?;
    let (shard, ordinal) = (number(request, "shard")?.try_into().ok()?, number(request, "ordinal")?);
    let found = engine.look("record", |world| journey::find(world, &source, shard, ordinal))?;
    Some((200, found.told()))
}

fn object(engine: &Engine, request: &Request) -> (u16, Value) {
    let named = |name| request.query(name).unwrap_or_default();
    let found = engine.look("object", |world| journey::object(world, named("bucket"), named("key")));
    match found {
        Some(contents) => (200, contents.told(RECORDS_OF_OBJECT)),
        None => {
            (404, json!({ "error": "the records of that object are not remembered; only those of recent objects are" }))
        }
    }
}

fn source(request: &Request) -> Option<Source> {
    let key = request.query("source")?.to_owned();
    match request.query("from")? {
        "stream" => Some(Source::Stream(key)),
        "delivery" => Some(Source::Delivery(key)),
        _ => None,
    }
}

fn number(request: &Request, name: &str) -> Option<u64> {
    request.query(name)?.parse().ok()
}

fn no_source() -> (u16, Value) {
    let why =
        "there is no such record; ask with ?from=stream&source=REGION/NAME (or from=delivery), and shard and ordinal";
    (404, json!({ "error": why }))
}
