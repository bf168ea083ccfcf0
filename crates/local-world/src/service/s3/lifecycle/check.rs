//! Which documents can be a bucket's lifecycle rules. Refusals as AWS was seen to answer them; where it was not, the words are
//! ours or from its guide:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>.

use aws_facts::s3::MAX_RULE_ID;
use serde::Deserialize;
use serde_json::Value;

use super::{DAY_MS, Rule};
use crate::request::AwsError;
use crate::service::s3::refusal;

const MAX_RULES: usize = 1_000;

/// May these be a bucket's rules?
pub fn check(document: &Value) -> Result<(), AwsError> {
    let all = Vec::<Rule>::deserialize(document).map_err(|_| refusal::malformed_xml())?;
    if all.len() > MAX_RULES {
        return Err(refusal::malformed_xml());
    }
    all.iter().try_for_each(Rule::check)?;
    let ids: Vec<&str> = all.iter().filter_map(|rule| rule.id.as_deref()).collect();
    match repeated(ids) {
        Some(id) => {
            let message = "Rule ID must be unique. Found same ID for more than one rule";
            Err(refusal::invalid_argument(message, "ID", id))
        }
        None => Ok(()),
    }
}

/// One that is there twice.
fn repeated(mut names: Vec<&str>) -> Option<&str> {
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

impl Rule {
    fn check(&self) -> Result<(), AwsError> {
        if !self.is_well_formed() {
            return Err(refusal::malformed_xml());
        }
        if let Some(id) = self.id.as_deref().filter(|id| id.chars().count() > MAX_RULE_ID) {
            let message = format!("ID length should not exceed allowed limit of {MAX_RULE_ID}");
            return Err(refusal::invalid_argument(&message, "ID", id));
        }
        if !self.acts() {
            return Err(refusal::invalid_request("At least one action needs to be specified in a rule"));
        }
        self.check_times()?;
        self.check_filter()
    }

    /// As the schema has it.
    fn is_well_formed(&self) -> bool {
        let one_question = self.filter.as_ref().is_none_or(|filter| {
            let questions = [
                filter.prefix.is_some(),
                filter.tag.is_some(),
                filter.object_size_greater_than.is_some(),
                filter.object_size_less_than.is_some(),
                filter.and.is_some(),
            ];
            questions.into_iter().filter(|there| *there).count() <= 1
        });
        let one_time = self.expiration.as_ref().is_none_or(|expiration| {
            let times = [
                expiration.days.is_some(),
                expiration.date.is_some(),
                expiration.expired_object_delete_marker.is_some(),
            ];
            times.into_iter().filter(|there| *there).count() == 1
        });
        ["Enabled", "Disabled"].contains(&self.status.as_str())
            && (self.filter.is_some() || self.prefix.is_some())
            && one_question
            && self.noncurrent_version_expiration.as_ref().is_none_or(|rule| rule.noncurrent_days.is_some())
            && one_time
    }

    fn acts(&self) -> bool {
        self.expiration.is_some()
            || self.noncurrent_version_expiration.is_some()
            || self.abort_incomplete_multipart_upload.is_some()
            || self.transitions.as_ref().is_some_and(|transitions| !transitions.is_empty())
            || self.noncurrent_version_transitions.as_ref().is_some_and(|transitions| !transitions.is_empty())
    }

    fn check_times(&self) -> Result<(), AwsError> {
        let expiration = self.expiration.as_ref();
        let days = expiration.and_then(|expiration| expiration.days);
        let noncurrent = self.noncurrent_version_expiration.as_ref().and_then(|noncurrent| noncurrent.noncurrent_days);
        let abort = self.abort_incomplete_multipart_upload.as_ref().and_then(|abort| abort.days_after_initiation);
        let all = [
            ("Days", "Expiration", days),
            ("NoncurrentDays", "NoncurrentVersionExpiration", noncurrent),
            ("DaysAfterInitiation", "AbortIncompleteMultipartUpload", abort),
        ];
        if let Some((member, action, _)) = all.iter().find(|(.., days)| *days == Some(0)) {
            let message = format!("'{member}' for {action} action must be a positive integer");
            return Err(refusal::invalid_argument(&message, member, "0"));
        }
        let date = expiration.and_then(|expiration| expiration.date);
        if let Some(date) = date.filter(|date| date.as_millisecond() % DAY_MS as i64 != 0) {
            return Err(refusal::invalid_argument("'Date' must be at midnight GMT", "Date", &date.to_string()));
        }
        let later = self.transitions.iter().flatten().filter_map(|transition| transition.days).max();
        if let Some((days, _)) = days.zip(later).filter(|(days, later)| days <= later) {
            let message = "'Days' in the Expiration action must be greater than 'Days' in the Transition action";
            return Err(refusal::invalid_argument(message, "Days", &days.to_string()));
        }
        Ok(())
    }

    /// Uploads and delete markers have neither tags nor a size.
    fn check_filter(&self) -> Result<(), AwsError> {
        let keys: Vec<&str> = self.tags().filter_map(|tag| tag.key.as_deref()).collect();
        let (tagged, sized) = (!keys.is_empty(), self.filters().any(super::Filter::asks_a_size));
        if repeated(keys).is_some() {
            return Err(refusal::invalid_request("Duplicate Tag Keys are not allowed."));
        }
        let clears =
            self.expiration.as_ref().is_some_and(|expiration| expiration.expired_object_delete_marker.is_some());
        let actions = [
            ("AbortIncompleteMultipartUpload", self.abort_incomplete_multipart_upload.is_some()),
            ("ExpiredObjectDeleteMarker", clears),
        ];
        let asked = [("Tags", tagged), ("ObjectSize", sized)].into_iter().find(|(_, there)| *there);
        match (actions.into_iter().find(|(_, there)| *there), asked) {
            (Some((action, _)), Some((what, _))) => {
                Err(refusal::invalid_request(format!("{action} cannot be specified with {what}.")))
            }
            _ => Ok(()),
        }
    }
}
