//! Tags, of roles and policies alike.

use std::collections::BTreeMap;

use crate::service::query::{Form, Xml};

use super::Outcome;
use super::page::page;

pub type Tags = BTreeMap<String, String>;

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
