//! The AWS Query protocol, as IAM and STS speak it: form parameters in, XML out.

use std::collections::HashMap;
use std::fmt::Write;

use crate::model::protocol::{self, Protocol};
use crate::request::{Answer, AwsError, Reply, Request};
use crate::time::Millis;

/// The parameters of one call.
#[derive(Debug)]
pub struct Form {
    parameters: Vec<(String, String)>,
    /// Where the first of each name is: a list asks for thousands of names.
    first: HashMap<String, usize>,
}

impl Form {
    /// Reads the form body; parameters of the query string count too.
    pub fn parse(request: &Request) -> Result<Form, AwsError> {
        let body: Vec<(String, String)> = serde_urlencoded::from_bytes(&request.body)
            .map_err(|error| AwsError::new("MalformedInput", format!("the form body cannot be read: {error}")))?;
        Ok(body.into_iter().chain(request.query.iter().cloned()).collect())
    }

    /// All of them, as they came.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        #[cfg(test)]
        crate::model::reading::asked(name);
        self.first.get(name).map(|at| self.parameters[*at].1.as_str())
    }

    /// A parameter that must be there; fails with `ValidationError`, which names the member as the model does.
    pub fn required(&self, name: &str) -> Result<&str, AwsError> {
        self.get(name).ok_or_else(|| {
            let member = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
            AwsError::new(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
                ),
            )
        })
    }

    /// A whole number, where the parameter is there.
    pub fn number(&self, name: &str) -> Result<Option<u32>, AwsError> {
        let parse = |text: &str| {
            text.parse().map_err(|_| AwsError::new("MalformedInput", format!("{name} is not a whole number: {text}")))
        };
        self.get(name).map(parse).transpose()
    }

    /// `<name>.member.1`, `<name>.member.2` and so on.
    pub fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|n| self.get(&format!("{name}.member.{n}"))).collect()
    }

    /// `<name>.member.1.Key` with `<name>.member.1.Value` and so on.
    pub fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let member = |n: usize, part: &str| self.get(&format!("{name}.member.{n}.{part}")).map(str::to_owned);
        (1..).map_while(|n| Some((member(n, "Key")?, member(n, "Value").unwrap_or_default()))).collect()
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(parameters: I) -> Form {
        let parameters: Vec<(String, String)> = parameters.into_iter().collect();
        // Backwards, so that the first of a name is what stays.
        let first = parameters.iter().enumerate().rev().map(|(at, (name, _))| (name.clone(), at)).collect();
        Form { parameters, first }
    }
}

/// Elements written one after the other.
#[derive(Debug, Default)]
pub struct Xml(String);

impl Xml {
    /// `<name>text</name>`, escaped.
    pub fn text(&mut self, name: &str, text: impl std::fmt::Display) {
        let escaped = escape(&text.to_string());
        write!(self.0, "<{name}>{escaped}</{name}>").expect("writing to a string cannot fail");
    }

    /// `<name>...</name>` around what `inside` writes.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        write!(self.0, "<{name}>").expect("writing to a string cannot fail");
        inside(self);
        write!(self.0, "</{name}>").expect("writing to a string cannot fail");
    }

    /// `<name><member>...</member>...</name>`.
    pub fn members<T>(&mut self, name: &str, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Xml, T)) {
        self.element(name, |xml| items.into_iter().for_each(|item| xml.element("member", |xml| each(xml, item))));
    }
}

/// A whole answer: `<ActionResponse>` with, unless `result` is `None`, `<ActionResult>`, and the request's id.
pub fn answer(service: &str, action: &str, id: &str, result: Option<Xml>) -> Answer {
    Answer::Reply(reply(service, action, id, result))
}

/// The reply of such an answer.
pub fn reply(service: &str, action: &str, id: &str, result: Option<Xml>) -> Reply {
    let mut xml = Xml::default();
    if let Some(Xml(inside)) = result {
        xml.element(&format!("{action}Result"), |xml| xml.0.push_str(&inside));
    }
    xml.element("ResponseMetadata", |xml| xml.text("RequestId", id));
    let body = format!("<{action}Response xmlns=\"{}\">{}</{action}Response>", namespace(service), xml.0);
    Reply { status: 200, headers: vec![], body: body.into() }
}

fn namespace(service: &str) -> &'static str {
    match protocol::of(service) {
        Some(Protocol::Query { namespace, .. }) => namespace,
        _ => "",
    }
}

/// As XML wants text.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Percent-encodes all but the unreserved characters of RFC 3986, as IAM does with policy documents.
pub fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => write!(out, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
        out
    })
}

/// `2026-01-02T03:04:05Z`.
pub fn iso_time(time: Millis) -> String {
    let time = jiff::Timestamp::from_millisecond(time as i64).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> Request {
        crate::world::tests::calls::request(http::Method::POST, "/", body.to_owned())
    }

    #[test]
    fn lists_and_pairs_are_read_in_their_order() {
        let form = Form::parse(&request("A.member.2=y&A.member.1=x+%26&T.member.1.Key=k&T.member.1.Value=v")).unwrap();
        assert_eq!(form.list("A"), ["x &", "y"]);
        assert_eq!(form.pairs("T"), [("k".to_owned(), "v".to_owned())]);
        assert_eq!(form.required("RoleName").unwrap_err().code, "ValidationError");
    }

    #[test]
    fn an_answer_carries_namespace_result_and_request_id() {
        let mut xml = Xml::default();
        xml.members("Names", ["a<b"], |xml, name| xml.text("Name", name));
        let Answer::Reply(reply) = answer("iam", "ListRoles", "id-1", Some(xml)) else { panic!("a reply") };
        assert_eq!(
            std::str::from_utf8(&reply.body).unwrap(),
            "<ListRolesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListRolesResult><Names><member>\
             <Name>a&lt;b</Name></member></Names></ListRolesResult><ResponseMetadata><RequestId>id-1</RequestId>\
             </ResponseMetadata></ListRolesResponse>"
        );
    }

    #[test]
    fn documents_are_encoded_as_rfc_3986_says() {
        assert_eq!(percent_encode("{\"a\": \"~é\"}"), "%7B%22a%22%3A%20%22~%C3%A9%22%7D");
    }
}
