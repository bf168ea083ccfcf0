//! An S3 bucket: found, or created where it is missing. It belongs to the stack: each environment that uses it claims it, and
//! the last one that leaves deletes it, if it is empty. Only a bucket that we made is ever changed. Every changing call names
//! the account it expects to own the bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_facts::s3::check_bucket_characters;
use aws_sdk_s3::types::Tagging;

use super::claims;
use super::shared::settle_created;
use super::{Diff, Field, Gone, Resource, Scanned, Unread, by_tags};
use crate::claims::{Claim, Claims, is_of_stack, on_bucket, owner, told};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::send::{self, About};
use crate::wait::{self, Polling};

mod calls;
mod lifecycle;
mod options;
mod section;
mod sweep;

pub use calls::all;
use calls::{delete_empty, head, sdk_tags};
use lifecycle::{expiry, rules, set_expiry};
use options::{Act, Options, acts};
pub use section::AccessLogs;
pub(crate) use section::{BucketFields, BucketName, DeleteData};
use sweep::{Swept, sweep};

const ABSENT: &str = "NoSuchBucket";
const DENIED: &str = "AccessDenied";
const RULES_NEEDED: &str = "these credentials need s3:GetLifecycleConfiguration on the bucket, to compare `expire`";
const OPTIONS_NEEDED: &str = "to compare what the spec sets, these credentials need s3:GetEncryptionConfiguration, s3:GetBucketVersioning, \
                              s3:GetBucketPolicy and s3:GetBucketLogging on the bucket";
const TAGS_NEEDED: &str = "whose bucket it is stands in its tags: these credentials need s3:GetBucketTagging on it; a bucket of \
                           somebody else's is referred to with `existing:`, and its tags are not read";
/// How long a bucket may take to be seen. <https://github.com/hashicorp/terraform-provider-aws/pull/33531>
const CLAIM_LIMIT: Duration = Duration::from_secs(120);

/// Desired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Create it where it is missing? Otherwise its absence is an error.
    pub create: bool,
    /// Objects under our prefixes expire after this many days. At least 1.
    pub expire_days: Option<u32>,
    /// Is the data of its prefixes deleted with the environment?
    pub delete_data: bool,
    /// ARN of the KMS key that objects are encrypted with. `None`: S3's own keys.
    pub encryption: Option<String>,
    /// Are older versions of objects kept?
    pub versioning: bool,
    /// Is every request refused that does not come by TLS?
    pub tls_only: bool,
    /// Where S3 writes who accessed it.
    pub access_logs: Option<AccessLogs>,
    /// Buckets of this stack that write their access logs here, and their prefixes.
    pub logs_of: BTreeMap<String, String>,
    /// The key prefixes that deliveries write to in this bucket: what the expiry is for.
    pub prefixes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// This environment's expiry rules: prefix and days; or why we may not look at them.
    pub expiry: Result<BTreeSet<(String, u32)>, String>,
    pub options: Options,
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
        self.access_logs.iter().filter_map(|logs| logs.bucket.address()).collect()
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
        options::diff(&self.values(), &live.options, &mut diff);
        diff
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        let expire = Field::known("expire", rules(&self.expiry()), self.expire_days.is_none());
        let options = self.values().into_iter().map(|(option, value)| Field::said(option, value));
        [expire].into_iter().chain(options).collect()
    }

    /// The rules of somebody else's bucket matter only where the spec wants some. Options are read only there.
    fn unread(&self, live: &Live) -> Option<Unread> {
        if let Err(why) = &live.options.set {
            return Some(Unread { why: why.clone(), hint: OPTIONS_NEEDED, even_if_others: true });
        }
        let why = live.expiry.as_ref().err()?.clone();
        Some(Unread { why, hint: RULES_NEEDED, even_if_others: self.expire_days.is_some() })
    }

    /// Whoever made it decides about it.
    fn if_found(&self, live: &Live) -> Option<String> {
        let mut diff = Diff::default();
        if self.expire_days.is_some() && live.expiry.as_ref().is_ok_and(|expiry| *expiry != self.expiry()) {
            diff.compare("expire", "never", "set");
        }
        options::diff(&self.values(), &live.options, &mut diff);
        let fields: Vec<&str> = diff.changes.iter().map(|change| change.field.as_str()).collect();
        (!fields.is_empty())
            .then(|| format!("this stack did not create it and does not change it; not set: {}", fields.join(", ")))
    }

    /// Refuses a missing bucket that is not to be created, before anything else is changed.
    async fn prepare(&mut self, cx: &Cx, name: &Name) -> Result<()> {
        cx.seen.want(&name.physical, self.values());
        if self.create || head(cx, name).await? {
            return Ok(());
        }
        Err(absent(name))
    }

    async fn list(cx: &Cx) -> Result<Scanned> {
        Ok(by_tags::<Bucket>(cx, all(cx).await?).await)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let wanted = cx.seen.wanted(&name.physical);
        let (there, expiry, set, claims) = futures::join!(
            head(cx, name),
            expiry(cx, name),
            // Boxed, as their calls make a large future.
            Box::pin(options::calls::read(cx, name, &wanted)),
            claims::all(cx, &name.physical)
        );
        if !there? {
            return Ok(None);
        }
        let (claims, owner) = (claims?, owner(&cx.names));
        let is_mine = |claim: &Claim| claim.owner == owner && claim.place.is_none();
        let options = Options::of(set?, &claims, &cx.names);
        let others = others(&claims, &cx.names).iter().map(|other| told(other, &cx.names)).collect();
        Ok(Some(Live { expiry: expiry?, options, claimed: claims.uses.iter().any(is_mine), others }))
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
        let created = calls::create(cx, name, tags).await?;
        let claimed = async {
            self.claim(cx, name, tags).await?;
            Ok(Live { expiry: Ok(BTreeSet::new()), options: Options::none(), claimed: true, others: BTreeSet::new() })
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
        Box::pin(options::calls::apply(cx, name, &acts(&self.values(), &live.options))).await
    }

    /// S3 deletes no bucket with a claim in it: of several that leave at once, the last one deletes it.
    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        if !live.others.is_empty() && live.expiry.as_ref().is_ok_and(|expiry| !expiry.is_empty()) {
            set_expiry(cx, name, &BTreeSet::new()).await?;
        }
        // The bucket stays: the last environment that asked for an option takes it back.
        let mut acts = acts(&BTreeMap::new(), &live.options);
        acts.retain(|act| !live.others.is_empty() || matches!(act, Act::Forget(_)));
        Box::pin(options::calls::apply(cx, name, &acts)).await?;
        claims::remove(cx, &name.physical, &on_bucket(&cx.names)).await?;
        // Whoever was in it may have left between S3's refusal and the look at its claims: then it is deleted once more.
        let mut stays = None;
        for _ in 0..2 {
            if delete_empty(cx, name).await? {
                return Ok(Gone::Deleted);
            }
            // In a bucket with versions what was deleted is still there.
            match sweep(cx, &name.physical).await? {
                Swept::Holds(key) => stays = key,
                Swept::Empty if delete_empty(cx, name).await? => return Ok(Gone::Deleted),
                Swept::Empty => {}
            }
            let others = others(&claims::read(cx, &name.physical).await?, &cx.names);
            let told: BTreeSet<String> = others.iter().map(|other| told(other, &cx.names)).collect();
            if others.iter().any(|other| is_of_stack(other, &cx.names)) {
                return Ok(Gone::Left(used_by(&told)));
            }
            if !told.is_empty() {
                // Nobody else will delete it: it stays in the record until it can go.
                return Ok(Gone::Kept(used_by(&told)));
            }
        }
        let such = stays.map(|key| format!(", such as {key}")).unwrap_or_default();
        Ok(Gone::Kept(format!("it holds objects, or versions of objects, that this environment did not write{such}")))
    }
}

impl Bucket {
    /// A bucket that is not seen was created a moment ago, or the last one out deletes it at the same moment: to create it once
    /// more tells, and does no harm.
    async fn claim(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let what = format!("{name} to be seen after its creation");
        wait::until(cx, &what, Polling::CALLS, CLAIM_LIMIT, || async {
            match claims::make(cx, About::new("claim", &name.physical), &on_bucket(&cx.names)).await {
                Err(error) if error.code() == Some(ABSENT) => calls::create(cx, name, tags).await.map(|_| None),
                made => made.map(Some),
            }
        })
        .await
    }

    fn expiry(&self) -> BTreeSet<(String, u32)> {
        self.expire_days.into_iter().flat_map(|days| self.prefixes.iter().map(move |p| (p.clone(), days))).collect()
    }
}

/// The other environments that say something in the bucket.
fn others(claims: &Claims, names: &Names) -> BTreeSet<String> {
    let owner = owner(names);
    claims.owners().into_iter().filter(|other| *other != owner).map(str::to_owned).collect()
}

fn used_by(others: &BTreeSet<String>) -> String {
    format!(
        "{} still {} it",
        others.iter().cloned().collect::<Vec<_>>().join("; "),
        if others.len() == 1 { "uses" } else { "use" }
    )
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
        let want = |expire_days| {
            let prefixes = vec!["a/".into(), "b/".into()];
            Bucket { create: true, expire_days, prefixes, ..Bucket::default() }
        };
        let claimed = |expiry| Live { expiry, options: Options::none(), claimed: true, others: BTreeSet::new() };
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
}
