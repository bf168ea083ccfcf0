//! A test: nothing in S3's inputs is accepted and then overlooked. Each member of each operation is read by the code of that
//! operation, refused, or in the table below. `scripts/models.py` writes where each is in a request (`inputs.json`).
//!
//! The code of an operation is every function whose signature names its input's type, and the macros that these call. Members inside
//! of bodies are the library's: it refuses elements that it does not know, and documents are kept whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::refusal;
use crate::request::Request;
use crate::target::Target;

/// Members that nothing happens without, and why; of one operation as `Operation.Member`.
const HARMLESS: &[(&str, &str)] = &[
    ("BypassGovernanceRetention", "without Object Lock nothing is retained"),
    ("ChecksumAlgorithm", "it announces a checksum, which is compared whether or not it was announced"),
    ("ConfirmRemoveSelfBucketAccess", "whoever puts a policy that shuts him out is not refused here"),
    ("CopyObject.AnnotationDirective", "objects here have no annotations"),
    ("DeleteObject.MFA", NO_MFA_DELETE),
    ("DeleteObjects.MFA", NO_MFA_DELETE),
    ("OptionalObjectAttributes", "it asks for restorations, and nothing here is ever restored"),
    ("RequestPayer", "there is one account, which owns every bucket and pays for itself"),
];

const NO_MFA_DELETE: &str = "no deletion needs it, because buckets here cannot be told to want it";

/// Members that other code looks at, or the library, and where.
const LOOKED_AT_ELSEWHERE: &[(&str, &str)] = &[
    ("ContentLength", "the server reads a body by it; incoming::for_s3s sets that of the body without its coding"),
    ("CopyObject.IfMatch", COPY_CONDITIONS),
    ("CopyObject.IfNoneMatch", COPY_CONDITIONS),
    ("GrantFullControl", GRANTS),
    ("GrantRead", GRANTS),
    ("GrantReadACP", GRANTS),
    ("GrantWrite", GRANTS),
    ("GrantWriteACP", GRANTS),
];

const COPY_CONDITIONS: &str = "read by convert::precondition_headers";
const GRANTS: &str = "refused by refusal::refuse_grants";

/// Each function or macro of the sources: its name, what stands before its body, and the body.
struct Item {
    name: String,
    signature: String,
    body: String,
}

fn items(text: &str) -> Vec<Item> {
    let mut found = vec![];
    for word in ["fn ", "macro_rules! "] {
        for (at, _) in text.match_indices(word) {
            let rest = &text[at + word.len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(open) = rest.find('{') else { continue };
            let mut depth = 0;
            let end = rest[open..].char_indices().find(|(_, c)| {
                depth += i32::from(*c == '{') - i32::from(*c == '}');
                depth == 0
            });
            let end = end.map_or(rest.len(), |(end, _)| open + end);
            found.push(Item { name, signature: rest[..open].to_owned(), body: rest[open..end].to_owned() });
        }
    }
    found
}

fn sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders =
        ["wire/s3", "exchange/s3"].map(|folder| fs::read_dir(root.join(folder)).expect("the sources are there"));
    let files = folders.into_iter().flatten().map(|entry| entry.expect("the sources can be listed").path());
    let files = files.filter(|file| file.extension().is_some_and(|end| end == "rs") && !file.ends_with("inputs.rs"));
    let read = |file| {
        let text = fs::read_to_string(file).expect("a source is text");
        text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
    };
    files.chain([root.join("exchange/s3.rs")]).map(read).collect::<Vec<_>>().join("\n")
}

/// Names of members that code reads (`.name`), without underscores.
fn members(code: &str) -> BTreeSet<String> {
    let name = |rest: &str| -> String {
        let letters = rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_');
        letters.filter(|c| *c != '_').collect()
    };
    code.split('.').skip(1).map(name).collect()
}

/// Whether every operation refuses a request in which this header or parameter is `1`: it is not here, or `1` makes no sense.
fn is_refused(location: &str, name: &str) -> bool {
    let name = if name.ends_with('-') { format!("{name}x") } else { name.to_owned() };
    let (mut headers, mut query) = (HeaderMap::new(), vec![]);
    match location {
        "querystring" => query.push((name, "1".to_owned())),
        _ => drop(headers.insert(HeaderName::try_from(name).expect("a name"), HeaderValue::from_static("1"))),
    }
    let request = Request {
        method: Method::PUT,
        path: "/lake/k".into(),
        query,
        headers,
        body: Default::default(),
        region: "us-east-1".into(),
        signed_for: None,
        access_key: None,
        id: "id".into(),
    };
    refusal::admit(&Target::of(&request), &request, "000000000000", |_| Some("us-east-1".into())).is_err()
}

#[test]
fn every_member_of_every_input_is_read_refused_or_harmless() {
    let inputs: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("inputs.json")).expect("checked in");
    let sources = sources();
    let items = items(&sources);
    let (mut overlooked, mut needed) = (vec![], BTreeSet::new());
    for (operation, places) in &inputs {
        let named = |item: &&Item| item.signature.contains(&format!("{operation}Input"));
        let mut code: String = items.iter().filter(named).map(|item| item.body.as_str()).collect();
        assert!(!code.is_empty(), "no code has the input of {operation}");
        let called: Vec<&Item> = items.iter().filter(|item| code.contains(&format!("{}!(", item.name))).collect();
        called.iter().for_each(|item| code += &item.body);
        let read = members(&code);
        for (member, place) in places {
            let (location, name) = place.split_once(' ').unwrap_or((place, ""));
            let is_named = !name.is_empty() && code.contains(&format!("\"{}\"", name.to_lowercase()));
            if read.contains(&member.to_lowercase()) || is_named || (!name.is_empty() && is_refused(location, name)) {
                continue;
            }
            let full = format!("{operation}.{member}");
            let mut rows = HARMLESS.iter().chain(LOOKED_AT_ELSEWHERE);
            match rows.find(|(known, _)| *known == member || *known == full) {
                Some((known, _)) => drop(needed.insert(*known)),
                None => overlooked.push(format!("{full} ({place})")),
            }
        }
    }
    assert!(overlooked.is_empty(), "nobody reads these:\n{}", overlooked.join("\n"));
    let rows = HARMLESS.iter().chain(LOOKED_AT_ELSEWHERE).map(|(known, _)| *known);
    let stale: Vec<_> = rows.filter(|known| !needed.contains(known)).collect();
    assert!(stale.is_empty(), "these rows are needed no more: {stale:?}");
}
