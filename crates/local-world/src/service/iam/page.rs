//! Lists page by page: `MaxItems`, `Marker` and `IsTruncated`, of every list alike.

use base64_simd::URL_SAFE_NO_PAD as BASE64;

use crate::model::query::{Form, Xml};
use crate::request::AwsError;

/// Items in one page, unless the call says otherwise.
const MOST_ITEMS: usize = 100;

/// Some of a list's items, and where the next page begins.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    next: Option<String>,
}

/// The page that a call asks for, of items with their keys, in the keys' order. The marker is the last key that was
/// given, so that what is deleted between two pages makes a client skip nothing.
///
/// # Errors
/// `ValidationError` for a marker that is none; its words are ours.
pub fn page<T>(form: &Form, items: impl IntoIterator<Item = (String, T)>) -> Result<Page<T>, AwsError> {
    let after = form.get("Marker").map(key).transpose()?;
    let most = form.number("MaxItems")?.map_or(MOST_ITEMS, |most| most as usize);
    let wanted = |(key, _): &(String, T)| after.as_ref().is_none_or(|after| key > after);
    let mut items: Vec<(String, T)> = items.into_iter().filter(wanted).collect();
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| more).map(|(key, _)| BASE64.encode_to_string(key));
    Ok(Page { items: items.into_iter().map(|(_, item)| item).collect(), next })
}

fn key(marker: &str) -> Result<String, AwsError> {
    let key = BASE64.decode_to_vec(marker).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| AwsError::new("ValidationError", format!("Marker {marker} is not of a page before.")))
}

impl<T> Page<T> {
    /// Writes the elements that tell a client whether there are more pages.
    pub fn end(&self, xml: &mut Xml) {
        xml.text("IsTruncated", self.next.is_some());
        if let Some(marker) = &self.next {
            xml.text("Marker", marker);
        }
    }
}
