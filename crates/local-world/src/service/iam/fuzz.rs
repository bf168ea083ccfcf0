//! A fuzz target: policies.

use super::document::{self, Kind};
use super::policy::Document;

/// A document that is taken can be read and asked.
#[test]
fn fuzz_policy() {
    fuzz::over("policy", |text| {
        let Ok(text) = std::str::from_utf8(text) else { return };
        let taken = [Kind::Inline, Kind::Managed, Kind::Trust].map(|kind| document::check(text, kind).is_ok());
        let Some(document) = Document::parse(text) else {
            return assert_eq!(taken, [false; 3]);
        };
        let _ = document.condition_keys().count();
        let _ = document.trust("lambda.amazonaws.com", &[]);
        let _ = document.action("s3:PutObject", "arn:aws:s3:::bucket/key", &[]);
    });
}
