//! An answer on a connection. One that goes on keeps the connection until it ends, however little comes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::activity::Busy;
use crate::exchange::Content;

#[derive(Debug)]
pub struct Answered {
    content: Content,
    _busy: Option<Busy>,
}

impl Answered {
    pub fn of(response: http::Response<Content>, busy: Busy) -> http::Response<Answered> {
        response.map(|content| Answered { _busy: matches!(content, Content::Events(_)).then_some(busy), content })
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.content).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
