//! Tags, of roles and policies alike.

use std::collections::BTreeMap;

use aws_facts::tags::MAX_TAGS;

use crate::model::query::{Form, Xml};
use crate::request::AwsError;

use super::Outcome;
use super::page::page;

pub type Tags = BTreeMap<String, String>;

/// The tags that a call gives.
///
/// # Errors
/// With this code, when a key is there twice, in whatever case.
pub fn given(form: &Form, code: &'static str) -> Result<Vec<(String, String)>, AwsError> {
    let tags = form.pairs("Tags");
    let before = |at: usize| tags[..at].iter().any(|(key, _)| key.eq_ignore_ascii_case(&tags[at].0));
    if (0..tags.len()).any(before) {
        let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        return Err(AwsError::new(code, message));
    }
    Ok(tags)
}

/// `old` with what a call gives, if that is not too many. The words for too many are ours.
pub fn added(old: &Tags, form: &Form, same: fn(&str, &str) -> bool) -> Result<Tags, AwsError> {
    let mut tags = old.clone();
    for (key, value) in given(form, "InvalidInput")? {
        tags.retain(|old, _| !same(old, &key));
        tags.insert(key, value);
    }
    if tags.len() > MAX_TAGS {
        let message = format!("Cannot exceed quota for tags: {MAX_TAGS}");
        return Err(AwsError::new("LimitExceeded", message).with_status(409));
    }
    Ok(tags)
}

/// `<Tags>`, in the order of the keys.
pub fn show<'a>(xml: &mut Xml, tags: impl IntoIterator<Item = (&'a String, &'a String)>) {
    xml.members("Tags", tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

/// A page of them. A key may be longer than a marker; its place will do.
pub fn list(form: &Form, tags: &Tags) -> Outcome {
    let page = page(form, tags.iter().enumerate().map(|(at, tag)| (format!("{at:05}"), tag)))?;
    let mut xml = Xml::default();
    show(&mut xml, page.items.iter().copied());
    page.end(&mut xml);
    Ok(Some(xml))
}
