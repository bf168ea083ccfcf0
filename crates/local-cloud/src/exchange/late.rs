//! A call that meets one of AWS's anomalies, or brings one about.

use std::time::Duration;

use bytes::Bytes;

use super::{Content, refuse};
use crate::anomalies::Shown;
use crate::course::Met;
use crate::course::page::{self, Page};
use crate::drive::Engine;
use crate::rates;
use crate::request::{AwsError, Request};
use crate::wire::encode::{self, Format};
use crate::wire::{self, Route};

impl Engine {
    /// The answer as AWS would give it by now: an anomaly's, or that of the operation, which may begin some.
    pub(super) async fn answer_late(
        &self,
        route: Route,
        operation: &str,
        mut request: Request,
        slow: Duration,
    ) -> http::Response<Content> {
        if let Some(error) = self.too_often(operation, &request) {
            return refuse(route, &request, error).map(Content::from);
        }
        let read = match self.course().concern(operation) {
            true => Format::of(&request).read(request.body.clone()).ok(),
            false => None,
        };
        // A body that cannot be read is refused by its service.
        let Some(body) = read else { return self.answer(route, operation, request, slow).await };
        let mut asked = Request { body, ..request.clone() };
        let paged = |shown| self.course().at_any_time(shown, operation);
        if let Some(row) = paged(Shown::EmptyPages)
            && let Some(page) = Page::asked(operation, &mut asked)
        {
            let answer = self.answer(route, operation, asked, slow).await;
            if !page.is_empty() || !answer.status().is_success() {
                return answer;
            }
            self.course().count(row);
            return page.emptied(answer.map(whole)).map(Content::from);
        }
        if let Some(row) = paged(Shown::ShortPages)
            && let Some(shortened) = page::shortened(&asked)
        {
            self.course().count(row);
            (request, asked) = (shortened.clone(), shortened);
        }
        let met = self.course().meet(operation, &asked, self.now());
        match met {
            Met::Refused(error) => return refuse(route, &request, error).map(Content::from),
            Met::Stale(reply) => return encode::formatted(reply, Format::of(&request)).map(Content::from),
            Met::Nothing => {}
        }
        let mut pending = self.course().pending(operation, &asked);
        for change in &mut pending {
            for (read, question) in std::mem::take(&mut change.questions) {
                let answer = self.answer(wire::route(&question), read, question, Duration::ZERO).await;
                change.replies.push((read, answer.map(whole)));
            }
        }
        let answer = self.answer(route, operation, request, slow).await;
        if answer.status().is_success() {
            self.course().begin(pending, self.now());
        }
        answer
    }

    /// The refusal of a call that comes too often, where that is asked for.
    fn too_often(&self, operation: &str, request: &Request) -> Option<AwsError> {
        let mut rates = self.rates().filter(|_| rates::is_limited(operation))?;
        let body = Format::of(request).read(request.body.clone()).ok()?;
        rates.admit(operation, &Request { body, ..request.clone() }, self.now()).err()
    }
}

/// The body of an answer to a read. Reads are not answered with events that go on.
fn whole(content: Content) -> Bytes {
    match content {
        Content::Whole(whole) => whole.unwrap_or_default(),
        Content::Events(_) => Bytes::new(),
    }
}
