//! The forms in which a caller can name a function: a name, a partial ARN or an ARN, each with or without a qualifier.

use crate::arn;
use crate::request::AwsError;

use super::{invalid, no_such};

/// One function in one region, and perhaps one of its versions or aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub region: String,
    pub name: String,
    /// The ARN of the function itself, without qualifier.
    pub arn: String,
    /// `$LATEST`, a version's number or an alias.
    pub qualifier: Option<String>,
}

impl Reference {
    /// Reads an ARN or an end of one, `function:name` or `name` too, with or without `:qualifier`, as a caller in `region`
    /// means it.
    pub fn parse(text: &str, region: &str, account: &str) -> Result<Reference, AwsError> {
        let parts: Vec<&str> = text.split(':').collect();
        let rest = match parts.as_slice() {
            ["arn", _, "lambda", rest @ ..] => rest,
            rest => rest,
        };
        let is_account = |part: &str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (there, rest) = match rest {
            [there, owner, _, ..] if is_account(owner) => (Some(*there), &rest[1..]),
            rest => (None, rest),
        };
        let (owner, rest) = leading(rest, is_account);
        let (_, rest) = leading(rest, |part| part == "function");
        if let Some(there) = there.filter(|there| *there != region) {
            return Err(no_such(format!("Functions from '{there}' are not reachable in this region ('{region}')")));
        }
        if let Some(owner) = owner.filter(|owner| *owner != account) {
            // The words are ours: AWS has none here.
            let message = format!("the functions of account {owner} are not this account's ({account})");
            return Err(AwsError::new("AccessDeniedException", message).with_status(403));
        }
        let name = rest.first().copied().unwrap_or_default();
        Ok(Reference {
            region: region.to_owned(),
            name: name.to_owned(),
            arn: arn::regional("lambda", region, account, &format!("function:{name}")),
            qualifier: rest.get(1).map(|qualifier| (*qualifier).to_owned()),
        })
    }

    /// The same with the qualifier that came beside the name, which has none or the same.
    pub fn and_qualifier(mut self, beside: Option<&str>) -> Result<Reference, AwsError> {
        if self.qualifier.as_deref().zip(beside).is_some_and(|(own, beside)| own != beside) {
            return Err(invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        self.qualifier = beside.map(str::to_owned).or(self.qualifier);
        Ok(self)
    }

    /// Where the function is kept.
    pub fn key(&self) -> String {
        format!("{}/{}", self.region, self.name)
    }

    /// The ARN with the qualifier, where there is one.
    pub fn qualified(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn),
            None => self.arn.clone(),
        }
    }
}

/// The first part, where it is of a kind and something follows, and what follows.
fn leading<'a, 'b>(parts: &'b [&'a str], is_one: impl Fn(&str) -> bool) -> (Option<&'a str>, &'b [&'a str]) {
    match parts {
        [first, rest @ ..] if !rest.is_empty() && is_one(first) => (Some(first), rest),
        rest => (None, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_called_by_name_or_by_arn() {
        let account = "111122223333";
        for (text, name, qualifier) in [
            ("f", "f", None),
            ("f:live", "f", Some("live")),
            ("function:f", "f", None),
            ("f-1:live", "f-1", Some("live")),
            ("111122223333:function:f", "f", None),
            ("us-east-1:111122223333:function:f", "f", None),
            ("111122223333:function:f:3", "f", Some("3")),
            ("arn:aws:lambda:us-east-1:111122223333:function:f", "f", None),
            ("arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST", "f", Some("$LATEST")),
        ] {
            let reference = Reference::parse(text, "us-east-1", account).unwrap();
            assert_eq!((reference.name.as_str(), reference.qualifier.as_deref()), (name, qualifier), "{text}");
            assert_eq!(reference.arn, format!("arn:aws:lambda:us-east-1:111122223333:function:{name}"));
        }
        let elsewhere = "arn:aws:lambda:eu-west-1:111122223333:function:f";
        let error = Reference::parse(elsewhere, "us-east-1", account).unwrap_err();
        assert_eq!(error.message, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
        let whole = |text| Reference::parse(text, "us-east-1", account);
        assert_eq!(whole("444455556666:function:f").unwrap_err().code, "AccessDeniedException");
        assert_eq!(whole("arn:aws:lambda:us-east-1:111122223333:function").unwrap().name, "function");
        let beside = |own, beside| whole(own).unwrap().and_qualifier(beside).map(|reference| reference.qualifier);
        assert_eq!(beside("f", Some("1")), Ok(Some("1".into())));
        assert_eq!(beside("f:1", Some("1")), Ok(Some("1".into())));
        assert_eq!(beside("f:1", None), Ok(Some("1".into())));
        assert!(beside("f:1", Some("2")).is_err());
    }
}
