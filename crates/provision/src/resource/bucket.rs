//! An S3 bucket: found, or created where it is missing. It belongs to the stack: each environment that uses it claims it, and
//! the last one that leaves deletes it, if it is empty. Only a bucket that we made is ever changed. Every changing call names
//! the account it expects to own the bucket.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_facts::s3::{MAX_RULE_ID, check_bucket_characters};
use aws_sdk_s3::types::{BucketLifecycleConfiguration, BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_s3::types::{ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, Tag, Tagging};

use super::claims;
use super::shared::{Created, settle_created};
use super::{Diff, Field, Gone, Resource, Scanned, Unread, by_tags};
use crate::claims::{Claim, on_bucket, owner};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::send::{self, About, found};
use crate::wait::{self, Polling};

mod section;

pub(crate) use section::{BucketFields, BucketName, DeleteData};

const ABSENT: &str = "NoSuchBucket";
const DENIED: &str = "AccessDenied";
const RULES_NEEDED: &str = "these credentials need s3:GetLifecycleConfiguration on the bucket, to compare `expire`";
const TAGS_NEEDED: &str = "whose bucket it is stands in its tags: these credentials need s3:GetBucketTagging on it; a bucket of \
                           somebody else's is referred to with `existing:`, and its tags are not read";
const NOT_EMPTY: &str = "BucketNotEmpty";
/// How long a bucket may take to be seen. <https://github.com/hashicorp/terraform-provider-aws/pull/33531>
const CLAIM_LIMIT: Duration = Duration::from_secs(120);
/// Our lifecycle rules are known by their ids; others' are kept.
const RULE_ID: &str = "provision-expire:";

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Create it where it is missing? Otherwise its absence is an error.
    pub create: bool,
    /// Objects under our prefixes expire after this many days. At least 1.
    pub expire_days: Option<u32>,
    /// Is the data of its prefixes deleted with the environment?
    pub delete_data: bool,
    /// The key prefixes that deliveries write to in this bucket: what the expiry is for.
    pub prefixes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// This environment's expiry rules: prefix and days; or why we may not look at them.
    pub expiry: Result<BTreeSet<(String, u32)>, String>,
    /// Has this environment claimed it?
    pub claimed: bool,
    /// The others that have.
    pub others: BTreeSet<String>,
}

impl Resource for Bucket {
    const KIND: &'static str = "bucket";
    const USES_WHAT_IS_FOUND: bool = true;
    const SHARED_BY_ENVIRONMENTS: bool = true;
    const HOLDS_DATA: bool = true;
    const ABSENT: Option<&'static str> = Some(ABSENT);
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        check_bucket_characters(physical).is_ok()
    }

    fn refs(&self) -> Vec<Address> {
        Vec::new()
    }

    fn live_refs(_: &Live, _: bool) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn diff(&self, live: &Live, _: &Name, _: &Names) -> Diff {
        let mut diff = Diff::default();
        if !live.claimed {
            diff.compare("claim", "none", "written");
        }
        if let Ok(expiry) = &live.expiry {
            diff.compare("expire", &rules(expiry), &rules(&self.expiry()));
        }
        diff
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        vec![Field::known("expire", rules(&self.expiry()), self.expire_days.is_none())]
    }

    /// The rules of somebody else's bucket matter only where the spec wants some.
    fn unread(&self, live: &Live) -> Option<Unread> {
        let why = live.expiry.as_ref().err()?.clone();
        Some(Unread { why, hint: RULES_NEEDED, even_if_others: self.expire_days.is_some() })
    }

    /// Refuses a missing bucket that is not to be created, before anything else is changed.
    async fn prepare(&mut self, cx: &Cx, name: &Name) -> Result<()> {
        if self.create || head(cx, name).await? {
            return Ok(());
        }
        Err(absent(name))
    }

    async fn list(cx: &Cx) -> Result<Scanned> {
        Ok(by_tags::<Bucket>(cx, all(cx).await?).await)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let (there, expiry, claims) = futures::join!(head(cx, name), expiry(cx, name), claims::all(cx, &name.physical));
        if !there? {
            return Ok(None);
        }
        let owner = owner(&cx.names);
        let (mine, others): (Vec<Claim>, Vec<Claim>) = claims?.iter().cloned().partition(|claim| claim.owner == owner);
        let claimed = mine.iter().any(|claim| claim.place.is_none());
        let others = others.iter().map(|claim| claim.told(&cx.names)).collect();
        Ok(Some(Live { expiry: expiry?, claimed, others }))
    }

    async fn tags(cx: &Cx, name: &Name, _: Option<&Live>) -> Result<Option<Tags>> {
        let call = cx.s3().get_bucket_tagging().bucket(&name.physical);
        match send::ask(cx, name, format!("reading the tags of {name}"), || call.clone().send()).await {
            Ok(carried) => Ok(Some(carried.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
            Err(error) if matches!(error.code(), Some("NoSuchTagSet" | ABSENT)) => Ok(Some(Tags::new())),
            Err(error) if error.code() == Some(DENIED) => Err(error.hint(TAGS_NEEDED)),
            Err(error) => Err(error),
        }
    }

    async fn retag(cx: &Cx, name: &Name, live: &Live, set: &Tags, unset: &[String]) -> Result<()> {
        let mut tags = Bucket::tags(cx, name, Some(live)).await?.unwrap_or_default();
        tags.retain(|key, _| !unset.contains(key));
        tags.extend(set.clone());
        let tagging = Tagging::builder().set_tag_set(Some(sdk_tags(&tags))).build().expect("the tags are set");
        let call = cx.s3().put_bucket_tagging().bucket(&name.physical).tagging(tagging);
        send::change(cx, name, format!("tagging {name}"), || {
            call.clone().expected_bucket_owner(&cx.names.account).send()
        })
        .await
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        if !self.create {
            return Err(absent(name));
        }
        let created = self.create_call(cx, name, tags).await?;
        let claimed = async {
            self.claim(cx, name, tags).await?;
            Ok(Live { expiry: Ok(BTreeSet::new()), claimed: true, others: BTreeSet::new() })
        };
        settle_created(self, cx, name, tags, created, claimed).await
    }

    async fn update(&self, cx: &Cx, name: &Name, live: &Live, _: &Diff) -> Result<()> {
        if !live.claimed {
            claims::make(cx, About::from(name), &on_bucket(&cx.names)).await?;
        }
        if live.expiry.as_ref().is_ok_and(|expiry| *expiry != self.expiry()) {
            set_expiry(cx, name, &self.expiry()).await?;
        }
        Ok(())
    }

    /// S3 deletes no bucket with a claim in it: of several that leave at once, the last one deletes it.
    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        if !live.others.is_empty() && live.expiry.as_ref().is_ok_and(|expiry| !expiry.is_empty()) {
            set_expiry(cx, name, &BTreeSet::new()).await?;
        }
        claims::remove(cx, &name.physical, &on_bucket(&cx.names)).await?;
        // Whoever was in it may have left between S3's refusal and the look at its claims: then it is deleted once more.
        for _ in 0..2 {
            let is_deleted = delete_empty(cx, name).await?
                // In a bucket with versions what was deleted is still there.
                || claims::sweep(cx, &name.physical).await? && delete_empty(cx, name).await?;
            if is_deleted {
                return Ok(Gone::Deleted);
            }
            let owner = owner(&cx.names);
            let mut others = claims::read(cx, &name.physical).await?;
            others.retain(|claim| claim.owner != owner);
            let told: BTreeSet<String> = others.iter().map(|claim| claim.told(&cx.names)).collect();
            if others.iter().any(|claim| claim.is_of_stack(&cx.names)) {
                return Ok(Gone::Left(used_by(&told)));
            }
            if !told.is_empty() {
                // Nobody else will delete it: it stays in the record until it can go.
                return Ok(Gone::Kept(used_by(&told)));
            }
        }
        Ok(Gone::Kept("it holds objects that this environment did not write".into()))
    }
}

impl Bucket {
    async fn create_call(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<Created> {
        let call = cx.s3().create_bucket().bucket(&name.physical);
        let with = |tags| call.clone().create_bucket_configuration(configuration(&cx.names.region, tags));
        let mut created = send::create(cx, name, format!("creating {name}"), || with(tags).send()).await;
        if created.as_ref().is_err_and(refuses_tags) {
            let plain = Tags::new();
            created = send::create(cx, name, format!("creating {name}"), || with(&plain).send()).await;
        }
        match created {
            Ok(_) => Ok(Created::Now),
            Err(error) if error.says("BucketAlreadyOwnedByYou", "") => Ok(Created::Already),
            Err(error) if error.says("BucketAlreadyExists", "") => {
                Err(error.hint("bucket names are unique across AWS: choose another"))
            }
            Err(error) => Err(error),
        }
    }

    /// A bucket that is not seen was created a moment ago, or the last one out deletes it at the same moment: to create it once
    /// more tells, and does no harm.
    async fn claim(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let what = format!("{name} to be seen after its creation");
        wait::until(cx, &what, Polling::CALLS, CLAIM_LIMIT, || async {
            match claims::make(cx, About::new("claim", &name.physical), &on_bucket(&cx.names)).await {
                Err(error) if error.code() == Some(ABSENT) => self.create_call(cx, name, tags).await.map(|_| None),
                made => made.map(Some),
            }
        })
        .await
    }

    fn expiry(&self) -> BTreeSet<(String, u32)> {
        self.expire_days.into_iter().flat_map(|days| self.prefixes.iter().map(move |p| (p.clone(), days))).collect()
    }
}

/// Does S3 create no bucket with tags here, or not for these credentials? Then the tags are set after it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html>
/// <https://github.com/hashicorp/terraform-provider-aws/issues/45684>
fn refuses_tags(error: &Error) -> bool {
    error.says(DENIED, "s3:TagResource") || error.says("UnsupportedArgument", "") || error.says("NotImplemented", "")
}

/// The names of the region's buckets.
pub async fn all(cx: &Cx) -> Result<Vec<String>> {
    let mut buckets = cx.s3().list_buckets().into_paginator().items().send();
    let mut names = vec![];
    while let Some(bucket) = buckets.next().await {
        let bucket = bucket.map_err(|error| Error::aws("listing the buckets", error))?;
        let elsewhere = bucket.bucket_region.is_some_and(|region| region != cx.names.region);
        names.extend(bucket.name.filter(|_| !elsewhere));
    }
    Ok(names)
}

/// `false` where it is not empty. Absence is success.
async fn delete_empty(cx: &Cx, name: &Name) -> Result<bool> {
    let call = cx.s3().delete_bucket().bucket(&name.physical).expected_bucket_owner(&cx.names.account);
    let deleted = send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await;
    found(deleted, NOT_EMPTY).map(|deleted| deleted.is_some())
}

/// In us-east-1 no location may be given, elsewhere it must be.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
fn configuration(region: &str, tags: &Tags) -> CreateBucketConfiguration {
    let location = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
    CreateBucketConfiguration::builder().set_location_constraint(location).set_tags(Some(sdk_tags(tags))).build()
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build().expect("key and value are set");
    tags.iter().map(tag).collect()
}

async fn head(cx: &Cx, name: &Name) -> Result<bool> {
    match cx.s3().head_bucket().bucket(&name.physical).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(false),
        Err(error) => {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let error = Error::aws(format!("reading {name}"), error);
            Err(match status {
                Some(403) => error.hint(format!(
                    "bucket {} belongs to another account, or these credentials cannot access it",
                    name.physical
                )),
                Some(301) => error.hint(format!("bucket {} is in another region", name.physical)),
                _ => error,
            })
        }
    }
}

async fn lifecycle(cx: &Cx, name: &Name) -> Result<Vec<LifecycleRule>> {
    let call = cx.s3().get_bucket_lifecycle_configuration().bucket(&name.physical);
    let rules = send::ask(cx, name, format!("reading the lifecycle rules of {name}"), || call.clone().send()).await;
    let rules = found(rules, "NoSuchLifecycleConfiguration")?;
    Ok(rules.and_then(|rules| rules.rules).unwrap_or_default())
}

/// Sets this environment's expiry rules, and keeps all others.
async fn set_expiry(cx: &Cx, name: &Name, expiry: &BTreeSet<(String, u32)>) -> Result<()> {
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

fn used_by(others: &BTreeSet<String>) -> String {
    format!(
        "{} still {} it",
        others.iter().cloned().collect::<Vec<_>>().join("; "),
        if others.len() == 1 { "uses" } else { "use" }
    )
}

/// Our expiry rules, or why they may not be read.
async fn expiry(cx: &Cx, name: &Name) -> Result<Result<BTreeSet<(String, u32)>, String>> {
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

fn rules(rules: &BTreeSet<(String, u32)>) -> String {
    match rules.is_empty() {
        true => "never".into(),
        false => rules.iter().map(|(prefix, days)| format!("{prefix} after {days}d")).collect::<Vec<_>>().join(", "),
    }
}

fn absent(name: &Name) -> Error {
    Error::new(format!("reading {name}"), format!("bucket {} does not exist", name.physical))
        .hint("create it, or set `create: if-missing`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    #[test]
    fn expiry_is_compared_by_prefix_and_days_and_only_where_it_could_be_read() {
        let want = |expire_days| Bucket {
            create: true,
            expire_days,
            delete_data: false,
            prefixes: vec!["a/".into(), "b/".into()],
        };
        let claimed = |expiry| Live { expiry, claimed: true, others: BTreeSet::new() };
        let live = |rules: &[(&str, u32)]| claimed(Ok(rules.iter().map(|(p, d)| (p.to_string(), *d)).collect()));
        let table = [
            (want(None), live(&[]), None),
            (want(Some(3)), live(&[("a/", 3), ("b/", 3)]), None),
            (want(Some(3)), claimed(Err("AccessDenied".into())), None),
            (want(Some(3)), live(&[("a/", 3)]), Some(("a/ after 3d", "a/ after 3d, b/ after 3d"))),
            (want(None), live(&[("a/", 3)]), Some(("a/ after 3d", "never"))),
        ];
        for (want, live, expected) in table {
            let diff = want.diff(&live, &Name::new("bucket", "lake", "lake"), &names());
            let told = diff.changes.first().map(|change| (change.from.as_str(), change.to.as_str()));
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_rule_that_we_write_is_one_that_we_read() {
        let pr_1 = Names { env: Some("pr-1".into()), ..names() };
        let ours = rule(&("data/".into(), 7), &pr_1);
        assert!(is_ours(&ours, &pr_1));
        assert!(!is_ours(&ours, &names()), "another environment's");
        assert!(!is_ours(&ours, &Names { env: Some("pr".into()), ..names() }), "a name that begins alike");
        assert_eq!(parse(&ours), Some(("data/".into(), 7)));
    }

    #[test]
    fn a_location_is_given_everywhere_but_in_us_east_1() {
        assert_eq!(configuration("us-east-1", &Tags::new()).location_constraint(), None);
        let elsewhere = configuration("eu-west-1", &Tags::new());
        assert_eq!(elsewhere.location_constraint().map(|l| l.as_str()), Some("eu-west-1"));
    }
}
