//! What a caller may call a function: a name, a partial ARN or an ARN, each with or without a qualifier.

use crate::request::AwsError;
use crate::service::arn;

/// One function in one region, and perhaps one of its versions or aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub region: String,
    pub name: String,
    /// Of the function itself, without qualifier.
    pub arn: String,
    /// `$LATEST`, a version's number or an alias.
    pub qualifier: Option<String>,
}

impl Reference {
    /// Reads `name`, `account:function:name` or an ARN, with or without `:qualifier`, as a caller in `region` means it.
    pub fn parse(text: &str, region: &str, account: &str) -> Result<Reference, AwsError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (owner, rest) = match parts.as_slice() {
            ["arn", _, "lambda", other, _, "function", ..] if *other != region => {
                let message = format!("Functions from '{other}' are not reachable in this region ('{region}')");
                return Err(AwsError::new("ResourceNotFoundException", message).with_status(404));
            }
            ["arn", _, "lambda", _, owner, "function", rest @ ..] => (*owner, rest),
            [owner, "function", rest @ ..] if !rest.is_empty() => (*owner, rest),
            rest => (account, rest),
        };
        let name = rest.first().copied().unwrap_or_default();
        Ok(Reference {
            region: region.to_owned(),
            name: name.to_owned(),
            arn: arn::regional("lambda", region, owner, &format!("function:{name}")),
            qualifier: rest.get(1).map(|qualifier| (*qualifier).to_owned()),
        })
    }

    /// The same with the qualifier that came beside the name.
    pub fn or_qualifier(mut self, qualifier: Option<&str>) -> Reference {
        self.qualifier = qualifier.map(str::to_owned).or(self.qualifier);
        self
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_called_by_name_or_by_arn() {
        let account = "111122223333";
        for (text, name, qualifier) in [
            ("f", "f", None),
            ("f:live", "f", Some("live")),
            ("111122223333:function:f", "f", None),
            ("111122223333:function:f:3", "f", Some("3")),
            ("arn:aws:lambda:us-east-1:111122223333:function:f", "f", None),
            ("arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST", "f", Some("$LATEST")),
        ] {
            let reference = Reference::parse(text, "us-east-1", account).unwrap();
            assert_eq!((reference.name.as_str(), reference.qualifier.as_deref()), (name, qualifier), "{text}");
            assert_eq!(reference.arn, "arn:aws:lambda:us-east-1:111122223333:function:f");
        }
        let elsewhere = "arn:aws:lambda:eu-west-1:111122223333:function:f";
        let error = Reference::parse(elsewhere, "us-east-1", account).unwrap_err();
        assert_eq!(error.message, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
    }
}
