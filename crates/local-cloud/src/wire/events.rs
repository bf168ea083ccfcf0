//! Event streams: an answer that goes on. `application/vnd.amazon.eventstream`, messages with a length, headers and checksums.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;

use crate::request::{AwsError, Reply};

const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The head of an answer that goes on.
pub fn head() -> Reply {
    Reply { status: 200, headers: vec![("content-type", CONTENT_TYPE.to_owned())], ..Reply::default() }
}

/// The first message: the members of the answer that are no events, of which there are none.
pub fn initial_response(content_type: &'static str, nothing: Bytes) -> Bytes {
    event("initial-response", content_type, nothing)
}

/// An event of this type.
pub fn event(kind: &'static str, content_type: &'static str, payload: Bytes) -> Bytes {
    let headers = [(":message-type", "event"), (":event-type", kind), (":content-type", content_type)];
    written(&headers, payload)
}

/// An error after the answer has begun.
pub fn exception(error: &AwsError, content_type: &'static str, payload: Bytes) -> Bytes {
    let headers = [(":message-type", "exception"), (":exception-type", error.code), (":content-type", content_type)];
    written(&headers, payload)
}

fn written(headers: &[(&'static str, &'static str)], payload: Bytes) -> Bytes {
    let header =
        |(name, value): &(&'static str, &'static str)| Header::new(*name, HeaderValue::String((*value).into()));
    let message = Message::new_from_parts(headers.iter().map(header).collect(), payload);
    let mut out = vec![];
    write_message_to(&message, &mut out).expect("what we say is far below the bounds of a message");
    out.into()
}
