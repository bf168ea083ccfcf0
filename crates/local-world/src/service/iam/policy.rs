//! Policy documents: reading one, and what it says to an action or to a principal. Pure.
//!
//! A condition on a key of which the engine knows nothing counts as met in an Allow and as not met in a Deny, so that a
//! document is never stricter here than on AWS.

use serde_json::Value;

use super::condition::{self, Context};
use crate::glob::{glob, glob_ignoring_case};

/// The answer of a document to one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// A Deny matched: nothing else can allow it.
    Denied,
    /// No statement speaks of it.
    Silent,
}

/// A document that is a policy: an object with well-formed statements.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(Vec<Value>);

impl Document {
    /// Reads the JSON text; `None` when it is no policy document.
    pub fn parse(text: &str) -> Option<Document> {
        let document: Value = serde_json::from_str(text).ok()?;
        let statements = match document.get("Statement")? {
            Value::Array(statements) => statements.clone(),
            one @ Value::Object(_) => vec![one.clone()],
            _ => return None,
        };
        let well_formed = |s: &Value| {
            matches!(s["Effect"].as_str(), Some("Allow" | "Deny"))
                && (s.get("Action").is_some() || s.get("NotAction").is_some())
        };
        (!statements.is_empty() && statements.iter().all(well_formed)).then_some(Document(statements))
    }

    /// A document of statements that were made here.
    pub fn of(statements: impl Iterator<Item = Value>) -> Document {
        Document(statements.collect())
    }

    /// As they are written.
    pub fn statements(&self) -> &[Value] {
        &self.0
    }

    /// The answer of an identity policy to `action` on `resource` (an ARN).
    pub fn action(&self, action: &str, resource: &str, context: &Context) -> Verdict {
        self.verdict(context, |statement| {
            matches_member(statement, "Action", "NotAction", |pattern| glob_ignoring_case(pattern, action))
                && matches_member(statement, "Resource", "NotResource", |pattern| glob(pattern, resource))
        })
    }

    /// The answer of a trust policy to `service` (for example `lambda.amazonaws.com`) asking for `sts:AssumeRole`.
    pub fn trust(&self, service: &str, context: &Context) -> Verdict {
        self.verdict(context, |statement| {
            let principal = &statement["Principal"];
            matches_member(statement, "Action", "NotAction", |pattern| glob_ignoring_case(pattern, "sts:AssumeRole"))
                && (principal.as_str() == Some("*") || words(&principal["Service"]).any(|word| word == service))
        })
    }

    /// The answer of a trust policy to an account, a role or a session, by its number or ARN.
    pub fn trusts_aws(&self, principal: &str, context: &Context) -> Verdict {
        self.verdict(context, |statement| {
            let named = &statement["Principal"];
            matches_member(statement, "Action", "NotAction", |pattern| glob_ignoring_case(pattern, "sts:AssumeRole"))
                && (named.as_str() == Some("*") || words(&named["AWS"]).any(|word| word == "*" || word == principal))
        })
    }

    /// The answer of a resource policy to `action` on `resource` by a principal that goes by each of `names`: ARNs, an
    /// account's number, and `*` if statements about everybody include it.
    pub fn by(&self, names: &[&str], action: &str, resource: &str, context: &Context) -> Verdict {
        self.verdict(context, |statement| {
            speaks_of(statement, names)
                && matches_member(statement, "Action", "NotAction", |pattern| glob_ignoring_case(pattern, action))
                && matches_member(statement, "Resource", "NotResource", |pattern| glob(pattern, resource))
        })
    }

    /// The same to one of an account, which goes by `account`: what the account is denied he is; what it is allowed, his own policies
    /// have to give on.
    pub fn by_one_of(
        &self,
        account: &[&str],
        names: &[&str],
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Verdict {
        match self.by(&[account, names].concat(), action, resource, context) {
            Verdict::Denied => Verdict::Denied,
            Verdict::Allowed | Verdict::Silent => self.by(names, action, resource, context),
        }
    }

    /// The keys that its conditions ask for.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|statement| condition::keys(&statement["Condition"]))
    }

    fn verdict(&self, context: &Context, speaks: impl Fn(&Value) -> bool) -> Verdict {
        let applies = |effect: &str, unknown: bool| {
            let of_effect = self.0.iter().filter(|statement| statement["Effect"] == effect);
            of_effect.into_iter().any(|s| speaks(s) && condition::met(&s["Condition"], context, unknown))
        };
        match (applies("Deny", false), applies("Allow", true)) {
            (true, _) => Verdict::Denied,
            (false, true) => Verdict::Allowed,
            (false, false) => Verdict::Silent,
        }
    }
}

/// A scalar or a list of strings.
fn words(value: &Value) -> impl Iterator<Item = &str> {
    let many = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value.as_str().into_iter().chain(many.iter().filter_map(Value::as_str))
}

/// Is one of these names among the statement's principals, or none among those that it leaves out?
fn speaks_of(statement: &Value, names: &[&str]) -> bool {
    let among = |principals: &Value| {
        let named = words(&principals["AWS"]).chain(principals.as_str());
        named.into_iter().any(|word| names.contains(&word))
    };
    match statement.get("NotPrincipal") {
        Some(left_out) => !among(left_out),
        None => among(&statement["Principal"]),
    }
}

fn matches_member(statement: &Value, member: &str, negated: &str, matches: impl Fn(&str) -> bool) -> bool {
    match statement.get(negated) {
        Some(patterns) => !words(patterns).any(matches),
        None => words(&statement[member]).any(matches),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_says_to_putting_an_object() {
        use Verdict::*;
        let put = r#""Action":"s3:PutObject""#;
        let object = r#""Resource":"arn:aws:s3:::lake/*""#;
        for (statements, expected) in [
            (format!(r#"{{"Effect":"Allow",{put},{object}}}"#), Allowed),
            (format!(r#"[{{"Effect":"Allow",{put},{object}}}]"#), Allowed),
            (format!(r#"{{"Effect":"Allow","Action":["s3:getobject","S3:PUT*"],{object}}}"#), Allowed),
            (format!(r#"{{"Effect":"Allow","Action":"s3:GetObject",{object}}}"#), Silent),
            (format!(r#"{{"Effect":"Allow",{put},"Resource":["arn:aws:s3:::lake","arn:aws:s3:::pool/*"]}}"#), Silent),
            (format!(r#"{{"Effect":"Allow","NotAction":"iam:*",{object}}}"#), Allowed),
            (format!(r#"{{"Effect":"Allow","NotAction":"s3:*",{object}}}"#), Silent),
            (format!(r#"{{"Effect":"Allow",{put},"NotResource":"arn:aws:s3:::lake/*"}}"#), Silent),
            (
                format!(r#"[{{"Effect":"Allow",{put},{object}}},{{"Effect":"Deny","Action":"*","Resource":"*"}}]"#),
                Denied,
            ),
            (format!(r#"{{"Effect":"Allow",{put},{object},"Condition":{{"Bool":{{"aws:Secure":"true"}}}}}}"#), Allowed),
            (
                format!(
                    r#"[{{"Effect":"Allow",{put},{object}}},
                        {{"Effect":"Deny",{put},{object},"Condition":{{"Bool":{{"aws:Secure":"false"}}}}}}]"#
                ),
                Allowed,
            ),
        ] {
            let document = Document::parse(&format!(r#"{{"Statement":{statements}}}"#)).expect(&statements);
            assert_eq!(document.action("s3:PutObject", "arn:aws:s3:::lake/a/b", &[]), expected, "{statements}");
        }
    }

    #[test]
    fn whom_a_trust_policy_trusts() {
        let context = ["sts:externalid", "aws:sourceaccount"].map(|key| condition::fact(key, "111122223333"));
        for (principal, condition, expected) in [
            (r#"{"Service":"firehose.amazonaws.com"}"#, "{}", true),
            (r#"{"Service":["lambda.amazonaws.com","firehose.amazonaws.com"]}"#, "{}", true),
            (r#"{"Service":"lambda.amazonaws.com"}"#, "{}", false),
            (r#"{"AWS":"111122223333"}"#, "{}", false),
            (r#"{"Service":"firehose.amazonaws.com"}"#, r#"{"StringEquals":{"sts:ExternalId":"111122223333"}}"#, true),
            (r#"{"Service":"firehose.amazonaws.com"}"#, r#"{"StringEquals":{"sts:ExternalId":"other"}}"#, false),
            (r#"{"Service":"firehose.amazonaws.com"}"#, r#"{"StringLike":{"aws:SourceAccount":["1111*"]}}"#, true),
            (r#"{"Service":"firehose.amazonaws.com"}"#, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:firehose:*"}}"#, true),
        ] {
            let text = format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole","Condition":{condition}}}}}"#
            );
            let verdict = Document::parse(&text).expect(&text).trust("firehose.amazonaws.com", &context);
            assert_eq!(verdict == Verdict::Allowed, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for text in ["", "{}", "[]", r#"{"Statement":[]}"#, r#"{"Statement":{"Effect":"May","Action":"*"}}"#] {
            assert_eq!(Document::parse(text), None, "{text}");
        }
    }
}
