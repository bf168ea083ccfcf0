//! Lists whose first pages are empty, with a token that leads on, and lists whose pages are short.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use crate::request::Request;

/// The request of a list of IAM's, for one item a page.
pub fn shortened(request: &Request) -> Option<Request> {
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(&request.body).ok()?;
    let most = ("MaxItems".to_owned(), "1".to_owned());
    let form: Vec<_> = form.into_iter().filter(|(name, _)| *name != most.0).chain([most.clone()]).collect();
    Some(Request { body: Bytes::from(serde_urlencoded::to_string(form).ok()?), ..request.clone() })
}

/// So many pages are empty.
const EMPTY: u32 = 2;
/// Begins a token of an empty page; its number follows.
const TOKEN: &str = "empty/";

/// A list, and how its pages are asked for and told.
struct List {
    operation: &'static str,
    /// The member of the answer that has the page's items.
    items: &'static str,
    /// Leads to the next page, in the answer.
    next: &'static str,
    /// Only without this flag in the request.
    unless: Option<&'static str>,
}

const LISTS: &[List] = &[
    List { operation: "logs:FilterLogEvents", items: "events", next: "nextToken", unless: None },
    List { operation: "logs:GetLogEvents", items: "events", next: "nextBackwardToken", unless: Some("startFromHead") },
];

/// The page of a list that was asked for.
pub struct Page {
    list: &'static List,
    /// How many empty pages it was preceded by.
    turn: u32,
}

impl Page {
    /// The page that a request asks for, where it is one of the first. The request is made one for the first page that is not empty.
    pub fn asked(operation: &str, request: &mut Request) -> Option<Page> {
        let list = LISTS.iter().find(|list| list.operation == operation)?;
        let mut body: Value = serde_json::from_slice(&request.body).ok()?;
        if list.unless.is_some_and(|flag| body[flag] == true) {
            return None;
        }
        let turn = match body["nextToken"].as_str() {
            None => 0,
            Some(token) => token.strip_prefix(TOKEN)?.parse().ok()?,
        };
        body.as_object_mut()?.remove("nextToken");
        request.body = Bytes::from(body.to_string());
        Some(Page { list, turn })
    }

    /// Is it still an empty one?
    pub fn is_empty(&self) -> bool {
        self.turn < EMPTY
    }

    /// The answer of the page that is not empty, without what it holds.
    pub fn emptied(&self, answer: Response<Bytes>) -> Response<Bytes> {
        let Ok(mut page) = serde_json::from_slice::<Value>(answer.body()) else { return answer };
        page[self.list.items] = json!([]);
        page[self.list.next] = format!("{TOKEN}{}", self.turn + 1).into();
        answer.map(|_| Bytes::from(page.to_string()))
    }
}
