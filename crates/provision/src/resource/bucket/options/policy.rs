//! Our statements in a bucket's policy, known by their Sids; those of others are kept. Pure.

use serde_json::{Map, Value, json};

use super::{LOGS_OF, TLS_ONLY, Values};
use crate::error::{Error, Result};
use crate::names::{Names, hash};
use crate::resource::policy::canonical;

/// Shown for a statement of ours that somebody changed.
const CHANGED: &str = "changed";

/// The Sid by which the statement of an option is known.
pub fn sid(option: &str) -> Option<String> {
    match option.strip_prefix(LOGS_OF) {
        Some(source) => Some(format!("ProvisionLogsOf{}", hash(source))),
        None => (option == TLS_ONLY).then(|| "ProvisionTlsOnly".to_owned()),
    }
}

/// The statement that sets an option in the policy of a bucket.
pub fn statement(option: &str, value: &str, bucket: &str, names: &Names) -> Option<Value> {
    let sid = sid(option)?;
    let arn = names.bucket_arn(bucket);
    Some(match option.strip_prefix(LOGS_OF) {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html#grant-log-delivery-permissions-general
        Some(source) => json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": { "Service": "logging.s3.amazonaws.com" },
            "Action": "s3:PutObject",
            "Resource": format!("{arn}/{value}*"),
            "Condition": {
                "ArnLike": { "aws:SourceArn": names.bucket_arn(source) },
                "StringEquals": { "aws:SourceAccount": names.account },
            },
        }),
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html#transit
        None => json!({
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn.clone(), format!("{arn}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }),
    })
}

/// Which of the wanted options the policy sets.
pub fn values(policy: &Map<String, Value>, wanted: &Values, bucket: &str, names: &Names) -> Values {
    let statements = statements(policy);
    let value = |(option, value): (&String, &String)| {
        let sid = sid(option)?;
        let there = statements.iter().find(|statement| statement["Sid"] == sid.as_str())?;
        let same = statement(option, value, bucket, names).map(|ours| canonical(&ours)) == Some(canonical(there));
        let shown = if same { value } else { CHANGED };
        Some((option.clone(), shown.to_owned()))
    };
    wanted.iter().filter_map(value).collect()
}

/// The policy with these statements in the place of those of the same Sids. `None` where no statement is left.
pub fn with(mut policy: Map<String, Value>, changes: &[(String, Option<Value>)]) -> Option<Value> {
    let is_ours = |statement: &Value| changes.iter().any(|(sid, _)| statement["Sid"] == sid.as_str());
    let mut all = statements(&policy);
    all.retain(|statement| !is_ours(statement));
    all.extend(changes.iter().filter_map(|(_, statement)| statement.clone()));
    if all.is_empty() {
        return None;
    }
    policy.entry("Version").or_insert_with(|| "2012-10-17".into());
    policy.insert("Statement".into(), all.into());
    Some(policy.into())
}

/// A policy as S3 gives it.
pub fn parse(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| Error::new("reading the policy of a bucket", error))
}

/// One may stand without a list.
fn statements(policy: &Map<String, Value>) -> Vec<Value> {
    match policy.get("Statement") {
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
        None => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::super::ON;
    use super::*;
    use crate::cloud::tests::names;

    const THEIRS: &str = r#"{"Version":"2008-10-17","Id":"theirs","Statement":{"Sid":"Theirs","Effect":"Deny","Principal":"*",
        "Action":"s3:PutObject","Resource":"arn:aws:s3:::lake/secret"}}"#;

    #[test]
    fn our_statements_come_and_go_and_those_of_others_stay() {
        let logs = format!("{LOGS_OF}lake");
        let wanted = Values::from([(TLS_ONLY.to_owned(), ON.to_owned()), (logs.clone(), "from-lake/".to_owned())]);
        let ours = |option: &str, value: &str| (sid(option).unwrap(), statement(option, value, "logs", &names()));
        let changes = [ours(TLS_ONLY, ON), ours(&logs, "from-lake/")];
        let gone = changes.clone().map(|(sid, _)| (sid, None));
        for before in [Map::new(), parse(THEIRS).unwrap()] {
            assert_eq!(values(&before, &wanted, "logs", &names()), Values::new());
            let with_ours = with(before.clone(), &changes).unwrap().as_object().unwrap().clone();
            assert_eq!(values(&with_ours, &wanted, "logs", &names()), wanted);
            assert_eq!(with(with_ours.clone(), &changes).unwrap(), Value::from(with_ours.clone()), "twice is once");
            let after = with(with_ours, &gone);
            assert_eq!(
                after.as_ref().map(canonical),
                Some(canonical(&before.clone().into())).filter(|_| !before.is_empty())
            );
        }
    }

    #[test]
    fn a_statement_of_ours_that_somebody_changed_is_not_as_wanted() {
        let wanted = Values::from([(TLS_ONLY.to_owned(), ON.to_owned())]);
        let mut ours = statement(TLS_ONLY, ON, "lake", &names()).unwrap();
        ours["Effect"] = "Allow".into();
        let policy = with(Map::new(), &[(sid(TLS_ONLY).unwrap(), Some(ours))]).unwrap();
        let found = values(policy.as_object().unwrap(), &wanted, "lake", &names());
        assert_eq!(found, Values::from([(TLS_ONLY.to_owned(), CHANGED.to_owned())]));
    }
}
