//! Facts that a request gives about itself, as far as policies ask for them. Read before the world is: its lock is not held meanwhile.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::query::Form;
use crate::request::Request;

/// Members that carry data, which no policy asks for.
const DATA: [&str; 4] = ["Records", "Record", "Data", "logEvents"];

/// The facts in a request that policies ask for.
#[derive(Debug)]
pub enum Said {
    /// Members of a JSON body.
    Json(Value),
    /// Parameters of a form.
    Form(Form),
    /// All that is asked for stands in the head, or the body cannot be read.
    Nothing,
}

/// A call, and what of it had to be read from bytes.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The request, with its whole body.
    pub request: &'a Request,
    /// The operation, as `service:Operation`.
    pub operation: &'a str,
    /// The facts that were read from the request's body.
    pub said: &'a Said,
    /// Whether the body of a new bucket has tags, who knows S3's bytes has to say.
    pub new_bucket_has_tags: bool,
}

impl Said {
    /// Reads what policies ask for from a request for an operation.
    pub fn of(request: &Request, operation: &str) -> Said {
        match operation.split(':').next() {
            Some("iam" | "sts") => Form::parse(request).map_or(Said::Nothing, Said::Form),
            Some("s3") => Said::Nothing,
            _ if operation == "lambda:Invoke" => Said::Nothing,
            _ => members(&request.body).map_or(Said::Nothing, Said::Json),
        }
    }

    pub(crate) fn form(&self) -> Option<&Form> {
        match self {
            Said::Form(form) => Some(form),
            Said::Json(_) | Said::Nothing => None,
        }
    }

    /// A text of a JSON body.
    pub fn member(&self, name: &str) -> Option<&str> {
        match self {
            Said::Json(members) => members[name].as_str(),
            Said::Form(_) | Said::Nothing => None,
        }
    }
}

fn members(body: &[u8]) -> Option<Value> {
    let members: BTreeMap<Cow<str>, &RawValue> = serde_json::from_slice(body).ok()?;
    let asked_for = members.into_iter().filter(|(name, _)| !DATA.contains(&name.as_ref()));
    let read = asked_for.map(|(name, text)| Some((name.into_owned(), serde_json::from_str(text.get()).ok()?)));
    read.collect::<Option<_>>().map(Value::Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_policies_ask_for_is_read_and_data_is_not() {
        let body = br#"{"Stream\u004eame":"s","Records":[{"Data":"YQ=="}],"Tags":[{"Key":"a"}]}"#;
        let expected = serde_json::json!({ "StreamName": "s", "Tags": [{ "Key": "a" }] });
        assert_eq!(members(body), Some(expected));
        for body in [&b""[..], b"[]", b"{\"StreamName\":", br#"{"StreamName":[}"#] {
            assert_eq!(members(body), None, "{}", body.escape_ascii());
        }
    }
}
