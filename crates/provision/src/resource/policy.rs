//! IAM policy documents: made, read, and compared by what they mean.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::names::Names;

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// `Allow` or `Deny`.
    pub effect: String,
    pub action: Vec<String>,
    pub resource: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Value>,
}

impl Statement {
    pub fn allow(actions: &[&str], resources: Vec<String>) -> Statement {
        let action = actions.iter().map(|action| action.to_string()).collect();
        Statement { effect: "Allow".into(), action, resource: resources, condition: None }
    }

    /// The use of a key through one service. An alias is no resource: it is a condition on the keys.
    pub fn use_of_key(actions: &[&str], key: &str, service: &str, names: &Names) -> Statement {
        let dns = if names.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let mut condition = json!({"StringEquals": {"kms:ViaService": format!("{service}.{}.{dns}", names.region)}});
        let alias = key.rsplit(':').next().filter(|key| key.starts_with("alias/"));
        let resource = match alias {
            Some(alias) => {
                condition["ForAnyValue:StringEquals"] = json!({"kms:ResourceAliases": alias});
                names.arn("kms", "key/*")
            }
            None if key.starts_with("arn:") => key.to_owned(),
            None => names.arn("kms", &format!("key/{key}")),
        };
        Statement { condition: Some(condition), ..Statement::allow(actions, vec![resource]) }
    }
}

pub fn document(statements: &[Statement]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The services that may assume a role, and under which conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// `firehose.amazonaws.com`, `lambda.amazonaws.com`: sorted, each once.
    pub services: Vec<&'static str>,
    /// Conditions of every statement. `Null`: none.
    pub conditions: Value,
}

impl Trust {
    /// One service, without conditions of the user's.
    pub fn of(service: &'static str) -> Trust {
        Trust { services: vec![service], conditions: Value::Null }
    }

    /// Firehose may assume it only on behalf of this account: it presents the account as the external id.
    /// <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html>
    pub fn document(&self, account: &str) -> Value {
        let statement = |service: &&str| {
            let mut statement =
                json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"});
            let mut conditions = match service.starts_with("firehose.") {
                true => json!({"StringEquals": {"sts:ExternalId": account}}),
                false => json!({}),
            };
            for (operator, keys) in self.conditions.as_object().into_iter().flatten() {
                for (key, value) in keys.as_object().into_iter().flatten() {
                    conditions[operator][key] = value.clone();
                }
            }
            if conditions != json!({}) {
                statement["Condition"] = conditions;
            }
            statement
        };
        let statements: Vec<Value> = self.services.iter().map(statement).collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

/// The form in which equal documents are equal: a list of one is its element, and the order of a list does not count.
pub fn canonical(document: &Value) -> Value {
    match document {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            items.sort_by_cached_key(Value::to_string);
            match items.len() {
                1 => items.remove(0),
                _ => Value::Array(items),
            }
        }
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), canonical(value))).collect(),
        scalar => scalar.clone(),
    }
}

/// For people, and for a line diff.
pub fn pretty(document: &Value) -> String {
    format!("{document:#}")
}

/// A document as IAM returns it, which is percent-encoded JSON, in canonical form.
pub fn decoded(text: &str) -> Result<Value> {
    let text = unescaped(text);
    serde_json::from_str(&text)
        .map(|document| canonical(&document))
        .map_err(|e| Error::new("reading a policy from IAM", e))
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_one_is_its_element_and_order_does_not_count() {
        let ours = document(&[Statement::allow(&["s3:PutObject", "s3:GetObject"], vec!["arn:a".into()])]);
        let theirs = json!({"Statement": {"Action": ["s3:GetObject", "s3:PutObject"], "Effect": "Allow", "Resource": "arn:a"},
                            "Version": "2012-10-17"});
        assert_eq!(canonical(&ours), canonical(&theirs));
        let other = document(&[Statement::allow(&["s3:GetObject"], vec!["arn:a".into()])]);
        assert_ne!(canonical(&ours), canonical(&other));
    }

    #[test]
    fn what_iam_returns_is_percent_encoded() {
        let read = decoded("%7B%22Action%22%3A%20%5B%22s3%3A%2A%22%5D%7D").unwrap();
        assert_eq!(read, json!({"Action": "s3:*"}));
        assert_eq!(unescaped("100% sure%"), "100% sure%");
    }

    #[test]
    fn firehose_is_trusted_only_on_behalf_of_the_account() {
        let condition = |trust: Trust| trust.document("111122223333")["Statement"][0]["Condition"].clone();
        let firehose = Trust::of("firehose.amazonaws.com");
        assert_eq!(condition(firehose.clone()), json!({"StringEquals": {"sts:ExternalId": "111122223333"}}));
        assert_eq!(condition(Trust::of("lambda.amazonaws.com")), Value::Null);
        let conditions =
            json!({"StringEquals": {"aws:SourceAccount": "111122223333"}, "ArnLike": {"aws:SourceArn": "arn:a*"}});
        let want = json!({"StringEquals": {"sts:ExternalId": "111122223333", "aws:SourceAccount": "111122223333"},
                          "ArnLike": {"aws:SourceArn": "arn:a*"}});
        assert_eq!(condition(Trust { conditions, ..firehose }), want);
    }

    #[test]
    fn a_role_of_two_services_trusts_each_in_a_statement_of_its_own() {
        let both = Trust { services: vec!["firehose.amazonaws.com", "lambda.amazonaws.com"], conditions: Value::Null };
        let document = both.document("111122223333");
        let services: Vec<&Value> =
            document["Statement"].as_array().unwrap().iter().map(|s| &s["Principal"]["Service"]).collect();
        assert_eq!(services, ["firehose.amazonaws.com", "lambda.amazonaws.com"]);
        assert_eq!(document["Statement"][1]["Condition"], Value::Null);
    }
}
