//! A role, and the time from which its changes count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::query::{Xml, iso_time, percent_encode};
use crate::request::AwsError;
use crate::time::Millis;

use super::policies::Policy;
use super::policy::Document;
use super::tag;
use crate::table::Table;

/// A value that the rest of AWS sees only some time after it was written; until then the one before it holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settling<T> {
    pub value: T,
    since: Millis,
    before: Option<T>,
}

impl<T: Clone> Settling<T> {
    pub fn new(value: T, since: Millis) -> Settling<T> {
        Settling { value, since, before: None }
    }

    /// Another value; what counts at `now` counts until `delay` after `since`.
    pub fn set(&mut self, value: T, now: Millis, since: Millis, delay: Millis) {
        let before = self.seen(now, delay).cloned();
        *self = Settling { value, since, before };
    }

    /// The value that others see at `now`; `None` when it is too new for anything to be seen.
    pub fn seen(&self, now: Millis, delay: Millis) -> Option<&T> {
        if now >= self.since + delay { Some(&self.value) } else { self.before.as_ref() }
    }
}

/// One role. Kept under its name in lower case: names are unique whatever their case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub id: String,
    pub arn: String,
    pub path: String,
    pub created: Millis,
    pub description: Option<String>,
    pub max_session_s: u32,
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub trust: Settling<String>,
    /// Inline policies by name.
    pub inline: BTreeMap<String, Settling<String>>,
    /// Managed policies by ARN, and when each was attached.
    pub attached: BTreeMap<String, Settling<()>>,
}

impl Role {
    /// The documents that count at `now`.
    pub fn documents(&self, policies: &Table<Policy>, now: Millis, delay: Millis) -> impl Iterator<Item = Document> {
        let inline = self.inline.values().filter_map(move |text| Document::parse(text.seen(now, delay)?));
        let seen = move |(arn, since): (&String, &Settling<()>)| since.seen(now, delay).map(|()| arn.clone());
        inline.chain(
            self.attached
                .iter()
                .filter_map(seen)
                .filter_map(move |arn| super::policies::document(policies, &arn, now, delay)),
        )
    }

    /// The members that lists and CreateRole show.
    pub fn summary(&self, xml: &mut Xml) {
        xml.text("Path", &self.path);
        xml.text("RoleName", &self.name);
        xml.text("RoleId", &self.id);
        xml.text("Arn", &self.arn);
        xml.text("CreateDate", iso_time(self.created));
        xml.text("AssumeRolePolicyDocument", percent_encode(&self.trust.value));
        if let Some(description) = &self.description {
            xml.text("Description", description);
        }
    }

    /// Boundary and tags, which only CreateRole, GetRole and UpdateRole show.
    pub fn details(&self, xml: &mut Xml) {
        if let Some(boundary) = &self.boundary {
            xml.element("PermissionsBoundary", |xml| {
                xml.text("PermissionsBoundaryType", "Policy");
                xml.text("PermissionsBoundaryArn", boundary);
            });
        }
        if !self.tags.is_empty() {
            tag::show(xml, &self.tags);
        }
    }

    /// The role's policies go first: the service never cascades.
    pub fn deletable(&self) -> Result<(), AwsError> {
        let why = match (self.attached.is_empty(), self.inline.is_empty()) {
            (false, _) => "Cannot delete entity, must detach all policies first.",
            (true, false) => "Cannot delete entity, must delete policies first.",
            (true, true) => return Ok(()),
        };
        Err(AwsError::new("DeleteConflict", why).with_status(409))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_after_the_delay_and_until_then_what_was_before() {
        let mut trust = Settling::new("a", 1000);
        assert_eq!(trust.seen(1079, 80), None);
        assert_eq!(trust.seen(1080, 80), Some(&"a"));
        trust.set("b", 2000, 2000, 80);
        assert_eq!(trust.seen(2079, 80), Some(&"a"));
        assert_eq!(trust.seen(2080, 80), Some(&"b"));
    }
}
