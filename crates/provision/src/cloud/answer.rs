//! The response to each attempt of a call: AWS's error, the duration, and the request ID.

use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::request_id::RequestId;
use serde_json::Value;
use tokio::time::Instant;

use crate::error::chain;

/// The answer to one attempt of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When the attempt began: before it waited for its place among the calls that AWS's rates let through.
    pub started: Instant,
    /// `None` while it is under way.
    pub ended: Option<Instant>,
    /// `None` where nothing was answered: then `message` says why.
    pub status: Option<u16>,
    /// AWS's error code.
    pub code: Option<String>,
    /// AWS's error message.
    pub message: Option<String>,
    /// AWS's name for the request.
    pub request_id: Option<String>,
}

impl Answer {
    pub fn under_way() -> Answer {
        Answer { started: Instant::now(), ended: None, status: None, code: None, message: None, request_id: None }
    }

    /// The attempt has ended: with a response, or with the reason why there is none.
    pub fn end(&mut self, context: &FinalizerInterceptorContextRef<'_>) {
        self.ended = Some(Instant::now());
        let response = context.response();
        self.status = response.map(|response| response.status().as_u16());
        self.request_id = response.and_then(|response| response.request_id()).map(str::to_owned);
        match response.filter(|response| !response.status().is_success()) {
            Some(response) => (self.code, self.message) = refusal(response),
            // There may be an error all the same: no response, or one that breaks off.
            None => self.message = context.output_or_error().and_then(Result::err).map(|error| chain(error)),
        }
    }
}

/// Code and message of an error. A reply to HEAD has neither.
fn refusal(response: &HttpResponse) -> (Option<String>, Option<String>) {
    let header = response.headers().get("x-amzn-errortype").map(short);
    let body = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let (code, message) = match serde_json::from_str::<Value>(&body) {
        Ok(json) => {
            let text = |names: &[&str]| names.iter().find_map(|name| Some(json.get(name)?.as_str()?.to_owned()));
            (text(&["__type", "code"]).map(|code| short(&code)), text(&["message", "Message"]))
        }
        Err(_) => (element(&body, "Code"), element(&body, "Message")),
    };
    (header.or(code), message)
}

/// `com.amazonaws.kinesis#LimitExceededException:http://...` without what stands around the code.
fn short(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).to_owned()
}

/// The text of the first such element of an XML document.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&'static str, &'static str)], body: &'static str) -> HttpResponse {
        let mut response = HttpResponse::new(400.try_into().expect("a status"), body.into());
        for (name, value) in headers {
            response.headers_mut().insert(*name, *value);
        }
        response
    }

    #[test]
    fn an_error_is_read_in_the_words_of_each_protocol() {
        let url = "ResourceInUseException:http://internal.amazon.com/coral/";
        let none: [(&str, &str); 0] = [];
        for (headers, body, code, message) in [
            (
                &none[..],
                r#"{"__type":"com.amazonaws.kinesis#ThrottlingException","message":"Rate exceeded"}"#,
                Some("ThrottlingException"),
                Some("Rate exceeded"),
            ),
            (&[("x-amzn-errortype", url)], r#"{"Message":"in use"}"#, Some("ResourceInUseException"), Some("in use")),
            (
                &none,
                "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>role &quot;a&quot; &amp;amp;</Message></Error></ErrorResponse>",
                Some("NoSuchEntity"),
                Some("role \"a\" &amp;"),
            ),
            (&none, "", None, None),
            (&none, "<html>502</html>", None, None),
        ] {
            let wanted = (code.map(str::to_owned), message.map(str::to_owned));
            assert_eq!(refusal(&response(headers, body)), wanted, "{body}");
        }
    }
}
