//! Formats permissions as a policy, as Terraform, or as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use aws_facts::iam::{MAX_MANAGED_POLICY, policy_size};
use serde_json::{Value, json};

use super::{Need, Use};
use crate::resource::role::{Statement, document};

/// The service that a role is passed to.
pub const PASSED_TO: &str = "iam:PassedToService";
/// Columns of the table.
const WIDTH: usize = 78;

/// Actions that are allowed on the same resources.
#[derive(Default)]
struct Allowed<'a> {
    actions: BTreeSet<&'a str>,
    /// The only service that a role may be passed to.
    services: BTreeSet<&'a str>,
}

/// Groups actions on the same resources, to get as few statements as possible.
pub fn statements(needs: &[Need]) -> Vec<Statement> {
    let mut by_action: BTreeMap<(Option<&str>, &str), BTreeSet<&str>> = BTreeMap::new();
    for need in needs {
        by_action.entry((need.passed_to, need.action)).or_default().insert(&need.resource);
    }
    let mut by_resources: BTreeMap<(bool, BTreeSet<&str>), Allowed> = BTreeMap::new();
    for ((passed_to, action), resources) in by_action {
        let allowed = by_resources.entry((passed_to.is_some(), resources)).or_default();
        allowed.actions.insert(action);
        allowed.services.extend(passed_to);
    }
    let statement = |((_, resources), Allowed { actions, services }): ((bool, BTreeSet<&str>), Allowed)| Statement {
        effect: "Allow".into(),
        action: actions.into_iter().map(str::to_owned).collect(),
        resource: resources.into_iter().map(str::to_owned).collect(),
        condition: (!services.is_empty()).then(|| json!({"StringEquals": {PASSED_TO: services}})),
    };
    let mut all: Vec<Statement> = by_resources.into_iter().map(statement).collect();
    all.sort_by(|a, b| (&a.action, &a.resource).cmp(&(&b.action, &b.resource)));
    all
}

pub fn policy(needs: &[Need]) -> Value {
    document(&statements(needs))
}

/// Splits statements into few managed policies: each statement goes into the first policy that has room for it.
pub fn policies(statements: &[Statement]) -> Vec<Value> {
    let mut parts: Vec<Vec<Statement>> = vec![];
    for statement in statements.iter().cloned().flat_map(fitting) {
        let has_room = |part: &Vec<Statement>| fits(&[part.as_slice(), std::slice::from_ref(&statement)].concat());
        match parts.iter().position(has_room) {
            Some(at) => parts[at].push(statement),
            None => parts.push(vec![statement]),
        }
    }
    parts.iter().map(|part| document(part)).collect()
}

fn fits(statements: &[Statement]) -> bool {
    policy_size(&document(statements).to_string()) <= MAX_MANAGED_POLICY
}

/// Splits a statement with too many resources.
fn fitting(statement: Statement) -> Vec<Statement> {
    let about = |resource: Vec<String>| Statement { resource, ..statement.clone() };
    let mut parts: Vec<Statement> = vec![];
    for resource in &statement.resource {
        let whole = parts.last().map(|last| about([last.resource.as_slice(), std::slice::from_ref(resource)].concat()));
        match (whole.filter(|whole| fits(std::slice::from_ref(whole))), parts.last_mut()) {
            (Some(whole), Some(last)) => *last = whole,
            _ => parts.push(about(vec![resource.clone()])),
        }
    }
    parts
}

/// A data source of this name, for `policy = data.aws_iam_policy_document.NAME.json`.
pub fn terraform(name: &str, document: &Value) -> String {
    let mut out = format!("data \"aws_iam_policy_document\" \"{name}\" {{\n");
    let statements = document["Statement"].as_array().into_iter().flatten();
    for (at, statement) in statements.enumerate() {
        out.push_str(if at == 0 { "  statement {\n" } else { "\n  statement {\n" });
        list(&mut out, "actions", &statement["Action"]);
        if let Some(federated) = statement["Principal"]["Federated"].as_str() {
            let _ = writeln!(out, "    principals {{\n      type        = \"Federated\"");
            let _ = writeln!(out, "      identifiers = [{}]\n    }}", quoted(federated));
        }
        if !statement["Resource"].is_null() {
            list(&mut out, "resources", &statement["Resource"]);
        }
        for (test, keys) in statement["Condition"].as_object().into_iter().flatten() {
            for (variable, values) in keys.as_object().into_iter().flatten() {
                let values: Vec<String> = texts(values).map(quoted).collect();
                let _ = writeln!(out, "    condition {{\n      test     = \"{test}\"");
                let _ = writeln!(
                    out,
                    "      variable = {}\n      values   = [{}]\n    }}",
                    quoted(variable),
                    values.join(", ")
                );
            }
        }
        out.push_str("  }\n");
    }
    out + "}\n"
}

fn list(out: &mut String, name: &str, values: &Value) {
    let values: Vec<String> = texts(values).map(quoted).collect();
    let _ = match values.as_slice() {
        [one] => writeln!(out, "    {name:<9} = [{one}]"),
        all => writeln!(out, "    {name} = [\n      {},\n    ]", all.join(",\n      ")),
    };
}

/// Reads a string or a list of strings.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let (one, many) = (value.as_str(), value.as_array());
    one.into_iter().chain(many.into_iter().flatten().filter_map(Value::as_str))
}

/// Escapes `${`, which begins an expression in Terraform, as `$${`.
fn quoted(text: &str) -> String {
    format!("{text:?}").replace("${", "$${")
}

/// The actions that are allowed on each resource.
pub fn table(needs: &[Need]) -> String {
    let mut by_resource: BTreeMap<&str, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    for need in needs {
        let told = match need.passed_to {
            Some(service) => format!("{} to {service}", need.action),
            None => need.action.to_owned(),
        };
        by_resource.entry(&need.resource).or_default().entry(need.to.word()).or_default().insert(told);
    }
    let mut out = String::new();
    for (resource, uses) in by_resource {
        let _ = writeln!(out, "{resource}");
        for word in
            [Use::Read, Use::Create, Use::Update, Use::Delete, Use::Purge, Use::Verify, Use::Data, Use::List, Use::Scan]
                .map(Use::word)
        {
            let Some(actions) = uses.get(word) else { continue };
            for (at, line) in wrapped(actions).iter().enumerate() {
                let _ = writeln!(out, "  {:<6}  {line}", if at == 0 { word } else { "" });
            }
        }
    }
    out
}

fn wrapped(actions: &BTreeSet<String>) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for action in actions {
        match lines.last_mut() {
            Some(line) if line.len() + action.len() + 2 <= WIDTH - 10 => {
                line.push_str(", ");
                line.push_str(action);
            }
            _ => lines.push(action.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many streams, each with actions of its own, and one action on all of them.
    fn needs(streams: usize) -> Vec<Need> {
        let need = |action, n: usize| Need {
            action,
            resource: format!("arn:aws:kinesis:us-east-1:111122223333:stream/stream-{n:04}"),
            passed_to: None,
            to: Use::Read,
        };
        let all = (0..streams).map(|n| need("kinesis:DescribeStreamSummary", n));
        all.chain((0..streams / 2).map(|n| need("kinesis:ListTagsForStream", n))).collect()
    }

    #[test]
    fn a_policy_is_as_many_as_fit_and_they_allow_the_same() {
        for (streams, count) in [(1, 1), (40, 1), (100, 2), (1_000, 15)] {
            let needs = needs(streams);
            let policies = policies(&statements(&needs));
            assert_eq!(policies.len(), count, "{streams}");
            assert!(policies.iter().all(|policy| policy.to_string().len() <= MAX_MANAGED_POLICY));
            let allowed = |policies: &[Value]| -> BTreeSet<(String, String)> {
                let statements =
                    policies.iter().flat_map(|policy| policy["Statement"].as_array().into_iter().flatten());
                let pairs = statements.flat_map(|statement| {
                    let resources: Vec<&str> = texts(&statement["Resource"]).collect();
                    let of = |action: &str| -> Vec<(String, String)> {
                        resources.iter().map(|on| (action.to_owned(), (*on).to_owned())).collect()
                    };
                    texts(&statement["Action"]).flat_map(of).collect::<Vec<(String, String)>>()
                });
                pairs.collect()
            };
            assert_eq!(allowed(&policies), allowed(&[policy(&needs)]), "{streams}");
        }
    }
}
