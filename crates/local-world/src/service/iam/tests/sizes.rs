//! How large policies may be, and that those that may be there are asked in no time.

use super::super::policy::{Document, Verdict};
use super::*;
use crate::glob::glob;

fn of_size(size: usize) -> String {
    const RESOURCE: &str = "arn:aws:s3:::";
    let rest = size + "*".len() - POLICY.len() - RESOURCE.len();
    POLICY.replace(r#""*""#, &format!(r#""{RESOURCE}{}""#, "a".repeat(rest)))
}

#[test]
fn policies_have_quotas_that_white_space_does_not_count_for() {
    let mut world = world_with_role();
    let mut now = 2_000;
    let mut asked = |parameters: &[(&str, &str)]| {
        now += 1_000;
        ask(&mut world, now, parameters)
            .map_or_else(|error| format!("{}: {}", error.code, error.message), |_| "".into())
    };
    let (action, role) = (("Action", "PutRolePolicy"), ("RoleName", "R"));
    let mut inline = |name, text: &str| asked(&[action, role, ("PolicyName", name), ("PolicyDocument", text)]);
    let exceeded = "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role R";
    assert_eq!(inline("a", &of_size(10_000)), "");
    assert_eq!(inline("b", &of_size(241)), exceeded);
    assert_eq!(inline("b", &(of_size(240) + &" ".repeat(5_000))), "");
    assert_eq!(inline("a", &of_size(10_001)), exceeded);
    assert_eq!(inline("a", &of_size(9_999)), "", "in its own place");

    let action = ("Action", "CreatePolicy");
    let exceeded = "LimitExceeded: Cannot exceed quota for PolicySize: 6144";
    assert_eq!(asked(&[action, ("PolicyName", "m"), ("PolicyDocument", &of_size(6_145))]), exceeded);
    assert_eq!(asked(&[action, ("PolicyName", "m"), ("PolicyDocument", &of_size(6_144))]), "");
    let arn = ("PolicyArn", "arn:aws:iam::000000000000:policy/m");
    assert_eq!(asked(&[("Action", "CreatePolicyVersion"), arn, ("PolicyDocument", &of_size(6_145))]), exceeded);

    let trust = TRUST.replace("sts:AssumeRole", &format!("sts:{}", "a".repeat(2_048)));
    let exceeded = "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048";
    let create = [("Action", "CreateRole"), ("RoleName", "S"), ("AssumeRolePolicyDocument", &trust)];
    assert_eq!(asked(&create), exceeded);
    assert_eq!(asked(&[("Action", "UpdateAssumeRolePolicy"), role, ("PolicyDocument", &trust)]), exceeded);

    for n in 0..=10 {
        let (name, arn) = (format!("n{n}"), format!("arn:aws:iam::000000000000:policy/n{n}"));
        assert_eq!(asked(&[action, ("PolicyName", &name), ("PolicyDocument", POLICY)]), "");
        let attached = asked(&[("Action", "AttachRolePolicy"), role, ("PolicyArn", &arn)]);
        assert_eq!(attached, if n < 10 { "" } else { "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10" });
    }
}

/// The time of each is the product of both lengths at most; what goes back at every `*` would never end.
#[test]
fn wildcards_are_tried_once() {
    let key = format!("{}b", "a".repeat(1_023));
    for (pattern, expected) in [
        ("*a".repeat(5_000), false),
        ("*a".repeat(1_000) + "*", true),
        ("*a".repeat(500) + "*c", false),
        ("a*".repeat(500) + "b", true),
        (format!("*{}c", "a".repeat(512)), false),
        ("*".repeat(10_000), true),
        ("*?".repeat(1_024), true),
        ("*?".repeat(1_025), false),
    ] {
        assert_eq!(glob(&pattern, &key), expected, "{pattern:.20}");
        let conditions = serde_json::json!({ "StringLike": { "k": vec![&pattern; 100] }, "ArnLike": { "k": pattern } });
        assert_eq!(
            condition::met(&conditions, &[condition::fact("k", key.as_str())], false),
            expected,
            "{pattern:.20}"
        );
        let text = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"{pattern}","Resource":"{pattern}"}}]}}"#);
        let verdict = Document::parse(&text).expect("a policy").action(&key, &key, &[]);
        assert_eq!(verdict == Verdict::Allowed, expected, "{pattern:.20}");
    }
}
