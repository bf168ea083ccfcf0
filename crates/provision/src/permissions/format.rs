//! Needs as a policy, as Terraform, and as a table for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use super::{Need, Use};
use crate::resource::role::{Statement, document};

/// A managed policy has at most so many characters, white space aside; all inline policies of a role together.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub const MANAGED_MAX: usize = 6_144;
pub const INLINE_MAX: usize = 10_240;
/// The service that a role is passed to.
pub const PASSED_TO: &str = "iam:PassedToService";
/// Columns of the table.
const WIDTH: usize = 78;

/// What may be done with the same resources.
#[derive(Default)]
struct Allowed<'a> {
    actions: BTreeSet<&'a str>,
    /// To which alone a role may be passed.
    services: BTreeSet<&'a str>,
}

/// As few statements as say it: actions on the same resources are one.
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

/// Of a text or a list of them.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let (one, many) = (value.as_str(), value.as_array());
    one.into_iter().chain(many.into_iter().flatten().filter_map(Value::as_str))
}

/// `${` begins an expression there, and `$${` is what it looks like.
fn quoted(text: &str) -> String {
    format!("{text:?}").replace("${", "$${")
}

/// What may be done with each resource.
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
        for word in [Use::Read, Use::Create, Use::Update, Use::Delete, Use::Purge, Use::Verify, Use::List, Use::Scan]
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
