//! Whether a text is a policy document that IAM takes, and in whose words it is refused otherwise. Pure.
//!
//! The order of the checks is the one that public reports show. What is not checked: dates in conditions, and principals.

use serde_json::{Map, Value};

use crate::request::AwsError;

/// The purpose of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A role's own, or one to simulate.
    Inline,
    /// A policy that can be attached.
    Managed,
    /// A trust policy: it says who may assume a role.
    Trust,
}

/// Fails with `MalformedPolicyDocument`.
pub fn check(text: &str, kind: Kind) -> Result<(), AwsError> {
    why_not(text, kind).map_or(Ok(()), |why| Err(AwsError::new("MalformedPolicyDocument", why)))
}

fn why_not(text: &str, kind: Kind) -> Option<String> {
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        return Some("This policy contains invalid Json".into());
    };
    let Some(statements) = statements(&document) else { return Some("Syntax errors in policy.".into()) };
    if kind == Kind::Managed && document["Version"] != "2012-10-17" {
        return Some("Policy document must be version 2012-10-17 or greater.".into());
    }
    match kind {
        Kind::Trust => of_trust(&statements),
        Kind::Inline | Kind::Managed => of_identity(&statements),
    }
}

/// The statements of a document whose members are those there are, and of their types.
fn statements(document: &Value) -> Option<Vec<&Map<String, Value>>> {
    let members = document.as_object()?;
    let known = |(name, value): (&String, &Value)| match name.as_str() {
        "Version" => matches!(value.as_str(), Some("2012-10-17" | "2008-10-17")),
        "Id" => value.is_string(),
        "Statement" => true,
        _ => false,
    };
    let statements = match members.get("Statement")? {
        Value::Array(statements) => statements.iter().collect(),
        one => vec![one],
    };
    let statements: Vec<_> = statements.into_iter().map(Value::as_object).collect::<Option<_>>()?;
    let well_formed = !statements.is_empty() && statements.iter().all(|statement| is_statement(statement));
    (members.iter().all(known) && well_formed).then_some(statements)
}

fn is_statement(statement: &Map<String, Value>) -> bool {
    let known = |(name, value): (&String, &Value)| match name.as_str() {
        "Sid" => value.is_string(),
        "Effect" => value.as_str().is_some_and(|effect| is_effect(&effect.to_ascii_lowercase())),
        "Action" | "NotAction" | "Resource" | "NotResource" => words(value).is_some(),
        "Principal" | "NotPrincipal" => value.is_string() || value.is_object(),
        "Condition" => value.as_object().is_some_and(|operators| operators.iter().all(is_condition)),
        _ => false,
    };
    let both = |one, other| statement.contains_key(one) && statement.contains_key(other);
    statement.contains_key("Effect")
        && statement.iter().all(known)
        && !both("Action", "NotAction")
        && !both("Resource", "NotResource")
        && !both("Principal", "NotPrincipal")
}

fn is_effect(in_lower_case: &str) -> bool {
    matches!(in_lower_case, "allow" | "deny")
}

fn is_condition((operator, keys): (&String, &Value)) -> bool {
    let is_scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let is_expected = |value: &Value| match value {
        Value::Array(values) => values.iter().all(is_scalar),
        one => is_scalar(one),
    };
    // Without any key the operator may be anything.
    keys.as_object().is_some_and(|keys| keys.values().all(is_expected) && (keys.is_empty() || is_operator(operator)))
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>, whatever the case.
fn is_operator(name: &str) -> bool {
    const COMPARED: [&str; 6] =
        ["equals", "notequals", "lessthan", "lessthanequals", "greaterthan", "greaterthanequals"];
    const TEXT: [&str; 6] = ["equals", "notequals", "equalsignorecase", "notequalsignorecase", "like", "notlike"];
    let name = name.to_ascii_lowercase();
    let quantified = name.strip_prefix("forallvalues:").or_else(|| name.strip_prefix("foranyvalue:"));
    let name = quantified.unwrap_or(&name);
    let name = name.strip_suffix("ifexists").unwrap_or(name);
    let is = |prefix: &str, rest: &[&str]| name.strip_prefix(prefix).is_some_and(|end| rest.contains(&end));
    matches!(name, "bool" | "binaryequals" | "null" | "ipaddress" | "notipaddress")
        || is("string", &TEXT)
        || is("numeric", &COMPARED)
        || is("date", &COMPARED)
        || is("arn", &["equals", "notequals", "like", "notlike"])
}

/// One text or several; what is null among them is not there.
fn words(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Array(values) => values.iter().filter(|value| !value.is_null()).map(Value::as_str).collect(),
        one => Some(vec![one.as_str()?]),
    }
}

/// The values of a member of a statement or of its negation.
fn listed<'a>(statement: &'a Map<String, Value>, member: &str, negated: &str) -> Vec<&'a str> {
    let value = statement.get(member).or_else(|| statement.get(negated));
    value.and_then(words).unwrap_or_default()
}

fn actions(statement: &Map<String, Value>) -> Vec<&str> {
    listed(statement, "Action", "NotAction")
}

fn resources(statement: &Map<String, Value>) -> Vec<&str> {
    listed(statement, "Resource", "NotResource")
}

fn names_principal(statement: &Map<String, Value>) -> bool {
    statement.contains_key("Principal") || statement.contains_key("NotPrincipal")
}

fn of_trust(statements: &[&Map<String, Value>]) -> Option<String> {
    let all = |holds: fn(&Map<String, Value>) -> bool| statements.iter().all(|statement| holds(statement));
    let is_sts = |action: &&str| action.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"));
    let only_sts = statements.iter().all(|statement| actions(statement).iter().all(is_sts));
    let why = if !all(has_exact_effect) {
        LEGACY
    } else if !all(|statement| !statement.contains_key("Resource") && !statement.contains_key("NotResource")) {
        "Has prohibited field Resource"
    } else if !all(names_principal) {
        // Seen of buckets' policies, and of no role's.
        "Missing required field Principal"
    } else if !all(|statement| !actions(statement).is_empty()) {
        NO_ACTIONS
    } else if !only_sts {
        "AssumeRole policy may only specify STS AssumeRole actions."
    } else {
        return None;
    };
    Some(why.into())
}

const LEGACY: &str = "The policy failed legacy parsing";
const NO_ACTIONS: &str = "Policy statement must contain actions.";

fn has_exact_effect(statement: &Map<String, Value>) -> bool {
    matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"))
}

fn of_identity(statements: &[&Map<String, Value>]) -> Option<String> {
    let every = |listed: fn(&Map<String, Value>) -> Vec<&str>| statements.iter().flat_map(move |one| listed(one));
    let said = |why: &str| Some(why.to_owned());
    if statements.iter().any(|statement| names_principal(statement)) {
        return said("Policy document should not specify a principal.");
    }
    if !statements.iter().all(|statement| has_exact_effect(statement)) || every(resources).any(fails_legacy_parsing) {
        return said(LEGACY);
    }
    let sids = statements.iter().filter_map(|statement| statement.get("Sid")?.as_str());
    let mut sids: Vec<&str> = sids.filter(|sid| !sid.is_empty()).collect();
    let count = sids.len();
    sids.sort_unstable();
    sids.dedup();
    if sids.len() < count {
        return said("Statement IDs (SID) in a single policy must be unique.");
    }
    if statements.iter().any(|statement| actions(statement).is_empty()) {
        return said(NO_ACTIONS);
    }
    every(resources).find_map(wrong_resource).or_else(|| every(actions).find_map(wrong_action)).or_else(|| {
        let without = statements.iter().any(|statement| resources(statement).is_empty());
        without.then(|| "Policy statement must contain resources.".into())
    })
}

/// An ARN that breaks off before its resource, or has no service. One that breaks off at its service does not, as was seen.
fn fails_legacy_parsing(resource: &str) -> bool {
    let parts: Vec<&str> = resource.split(':').collect();
    parts[0] == "arn" && parts.len() > 3 && (parts.len() < 6 || parts[2].is_empty())
}

fn wrong_resource(resource: &str) -> Option<String> {
    if resource == "*" {
        return None;
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let (partition, service, region, account, path) = match parts[..] {
        ["arn", partition, service, region, account, path] => (partition, service, region, account, path),
        ["arn", partition, service] => (partition, service, "", "", "*"),
        ["arn", ..] => return Some("Resource vendor must be fully qualified and cannot contain regexes.".into()),
        _ => return Some(format!("Resource {resource} must be in ARN format or \"*\".")),
    };
    let known = partition.contains('*') || partition == "aws" || partition.starts_with("aws-");
    let placed = !region.is_empty() && region != "*";
    match service {
        _ if !known => Some(format!("Partition \"{partition}\" is not valid for resource \"{resource}\".")),
        "s3" if placed && account.is_empty() => {
            Some(format!("Resource {resource} can not contain region information."))
        }
        "iam" if placed => Some(format!("IAM resource {resource} cannot contain region information.")),
        "iam" if !is_iam_path(path) => {
            Some(format!("IAM resource path must either be \"*\" or start with {}.", IAM_PATHS.join(", ")))
        }
        _ => None,
    }
}

const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Whether a path is one of IAM. A path that begins with a wildcard may be, and `root` is.
fn is_iam_path(path: &str) -> bool {
    let fixed = path.split(['*', '?', '$']).next().unwrap_or_default();
    path == "root"
        || IAM_PATHS.iter().any(|known| fixed.starts_with(known) || known.starts_with(fixed) && fixed != path)
}

fn wrong_action(action: &str) -> Option<String> {
    let is_vendor = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '*' | '?');
    match action.split(':').collect::<Vec<_>>()[..] {
        ["*"] => None,
        [_] => Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".into()),
        [vendor, _] => (!vendor.chars().all(is_vendor)).then(|| format!("Vendor {vendor} is not valid")),
        _ => Some("Actions/Condition can contain only one colon.".into()),
    }
}

#[cfg(test)]
mod tests;
