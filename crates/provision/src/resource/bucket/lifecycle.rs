//! Expiry: the lifecycle rules of this environment in a bucket of ours. Those of others are kept.

use std::collections::BTreeSet;

use aws_sdk_s3::types::LifecycleRuleFilter;
use aws_sdk_s3::types::{BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule};

use aws_facts::s3::MAX_RULE_ID;

use super::{ABSENT, DENIED};
use crate::cloud::Cx;
use crate::error::Result;
use crate::names::{Name, Names};
use crate::send::{self, found};

/// Our lifecycle rules are known by their ids; others' are kept.
const RULE_ID: &str = "provision-expire:";

async fn lifecycle(cx: &Cx, name: &Name) -> Result<Vec<LifecycleRule>> {
    let call = cx.s3().get_bucket_lifecycle_configuration().bucket(&name.physical);
    let rules = send::ask(cx, name, format!("reading the lifecycle rules of {name}"), || call.clone().send()).await;
    let rules = found(rules, "NoSuchLifecycleConfiguration")?;
    Ok(rules.and_then(|rules| rules.rules).unwrap_or_default())
}

/// Sets this environment's expiry rules, and keeps all others.
pub async fn set_expiry(cx: &Cx, name: &Name, expiry: &BTreeSet<(String, u32)>) -> Result<()> {
    let client = cx.s3();
    let others = lifecycle(cx, name).await?.into_iter().filter(|rule| !is_ours(rule, &cx.names));
    let rules: Vec<LifecycleRule> = others.chain(expiry.iter().map(|one| rule(one, &cx.names))).collect();
    if rules.is_empty() {
        let call = client.delete_bucket_lifecycle().bucket(&name.physical);
        return send::change(cx, name, format!("updating {name}"), || {
            call.clone().expected_bucket_owner(&cx.names.account).send()
        })
        .await;
    }
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().expect("the rules are set");
    let call = client.put_bucket_lifecycle_configuration().bucket(&name.physical).lifecycle_configuration(rules);
    send::change(cx, name, format!("updating {name}"), || call.clone().expected_bucket_owner(&cx.names.account).send())
        .await
}

/// Our expiry rules, or why they may not be read.
pub async fn expiry(cx: &Cx, name: &Name) -> Result<Result<BTreeSet<(String, u32)>, String>> {
    match lifecycle(cx, name).await {
        Ok(rules) => Ok(Ok(rules.iter().filter(|rule| is_ours(rule, &cx.names)).filter_map(parse).collect())),
        Err(error) if error.code() == Some(DENIED) => Ok(Err(error.to_string())),
        Err(error) if error.code() == Some(ABSENT) => Ok(Ok(BTreeSet::new())),
        Err(error) => Err(error),
    }
}

/// This environment's: others of the stack have theirs in the same bucket.
fn is_ours(rule: &LifecycleRule, names: &Names) -> bool {
    rule.id().is_some_and(|id| id.starts_with(&rule_id(names)))
}

fn rule_id(names: &Names) -> String {
    format!("{RULE_ID}{}/{}:", names.stack, names.env.as_deref().unwrap_or("-"))
}

fn parse(rule: &LifecycleRule) -> Option<(String, u32)> {
    let days = rule.expiration()?.days()?.try_into().ok()?;
    Some((rule.filter()?.prefix()?.to_owned(), days))
}

fn rule((prefix, days): &(String, u32), names: &Names) -> LifecycleRule {
    LifecycleRule::builder()
        .id(crate::names::shorten(&format!("{}{prefix}", rule_id(names)), MAX_RULE_ID))
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
        .expiration(LifecycleExpiration::builder().days(*days as i32).build())
        .build()
        .expect("the status is set")
}

/// For people.
pub fn rules(rules: &BTreeSet<(String, u32)>) -> String {
    match rules.is_empty() {
        true => "never".into(),
        false => rules.iter().map(|(prefix, days)| format!("{prefix} after {days}d")).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    #[test]
    fn a_rule_that_we_write_is_one_that_we_read() {
        let pr_1 = Names { env: Some("pr-1".into()), ..names() };
        let ours = rule(&("data/".into(), 7), &pr_1);
        assert!(is_ours(&ours, &pr_1));
        assert!(!is_ours(&ours, &names()), "another environment's");
        assert!(!is_ours(&ours, &Names { env: Some("pr".into()), ..names() }), "a name that begins alike");
        assert_eq!(parse(&ours), Some(("data/".into(), 7)));
    }
}
