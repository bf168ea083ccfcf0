//! Claims tell who uses a bucket, and for what: empty objects under `.provision/`, one for each environment that uses a bucket of its
//! stack, and one for each place that a delivery stream of an environment writes to. The key says everything, so that one
//! list call tells all claims of a bucket; `LastModified` is when the claim was made. Beside a claim on a place, another object
//! says that its data is deleted with the environment; beside one on a bucket, others say which settings it asked for.
//!
//! A claim is the proof of ownership that S3's prefixes do not have: data is deleted only where a claim (or the delivery stream
//! itself, before it goes) says that this environment wrote it. And S3 deletes no bucket that holds an object, so that a
//! bucket with a claim in it outlives whoever else leaves it.

use std::collections::{BTreeSet, HashSet};

use crate::names::Names;
use crate::prefix::Place;

/// The prefix of all claims in a bucket. Query engines skip names that begin with a dot.
pub const ROOT: &str = ".provision/";

/// One environment's claim in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `account/region/stack/env`
    pub owner: String,
    /// `None`: it uses the bucket, and that is all.
    pub place: Option<Place>,
    /// Epoch seconds of S3's clock.
    pub since: i64,
    /// Is the data of the place deleted with the environment, as its spec said at `up`?
    pub data_goes: bool,
}

/// A setting of a bucket that somebody asks for: `versioning`, `true`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    pub option: String,
    pub value: String,
}

/// A setting, and the environment that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `account/region/stack/env`
    pub owner: String,
    pub setting: Setting,
}

/// All that environments say in a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    pub uses: Vec<Claim>,
    pub settings: Vec<Asked>,
}

impl Claims {
    /// Every environment that says something here.
    pub fn owners(&self) -> BTreeSet<&str> {
        let users = self.uses.iter().map(|claim| claim.owner.as_str());
        users.chain(self.settings.iter().map(|asked| asked.owner.as_str())).collect()
    }
}

/// From the objects under [`ROOT`]: their keys, and when each was written.
pub fn parse(bucket: &str, objects: &[(String, i64)]) -> Claims {
    let consents: HashSet<&str> = objects.iter().map(|(key, _)| key.as_str()).filter(|key| is_consent(key)).collect();
    let claim = |(key, since): &(String, i64)| {
        let mut claim = Claim::parse(bucket, key, *since)?;
        claim.data_goes = claim.place.as_ref().is_some_and(|place| {
            !consents.is_empty() && consents.contains(of_place(&claim.owner, CONSENT, place).as_str())
        });
        Some(claim)
    };
    Claims {
        uses: objects.iter().filter_map(claim).collect(),
        settings: objects.iter().filter_map(|(key, _)| asked(key)).collect(),
    }
}

fn asked(key: &str) -> Option<Asked> {
    let parts: Vec<&str> = key.strip_prefix(ROOT)?.splitn(5, '/').collect();
    let [account, region, stack, env, rest] = parts[..] else { return None };
    let (option, value) = rest.strip_prefix(SETTING)?.split_once('=')?;
    let setting = Setting { option: option.into(), value: value.into() };
    Some(Asked { owner: [account, region, stack, env].join("/"), setting })
}

fn is_consent(key: &str) -> bool {
    key.strip_prefix(ROOT).and_then(|rest| rest.splitn(5, '/').nth(4)).is_some_and(|rest| rest.starts_with(CONSENT))
}

impl Claim {
    pub fn parse(bucket: &str, key: &str, since: i64) -> Option<Claim> {
        let parts: Vec<&str> = key.strip_prefix(ROOT)?.splitn(5, '/').collect();
        let [account, region, stack, env, rest] = parts[..] else { return None };
        let owner = [account, region, stack, env].join("/");
        if rest == BUCKET {
            return Some(Claim { owner, place: None, since, data_goes: false });
        }
        let (delivery, prefix) = rest.strip_prefix(PLACE)?.split_once('/')?;
        let place = Place { bucket: bucket.into(), prefix: prefix.into(), delivery: delivery.into() };
        let sound = Place::parse(&place.to_string()).as_ref() == Some(&place);
        sound.then_some(Claim { owner, place: Some(place), since, data_goes: false })
    }

    /// The stack and the environment (`-` for the one without a name), if it is of this account and region.
    pub fn of_region(&self, names: &Names) -> Option<(&str, &str)> {
        let here = self.owner.strip_prefix(&names.account)?.strip_prefix('/')?.strip_prefix(&names.region)?;
        here.strip_prefix('/')?.split_once('/')
    }

    /// For people.
    pub fn told(&self, names: &Names) -> String {
        told(&self.owner, names)
    }
}

/// An environment, for people: `stack demo, environment pr-1`, or `stack demo`, and where it is when that is elsewhere.
pub fn told(owner: &str, names: &Names) -> String {
    let parts: Vec<&str> = owner.split('/').collect();
    let [account, region, stack, env] = parts[..] else { return owner.to_owned() };
    let told = match env {
        "-" => format!("stack {stack}"),
        env => format!("stack {stack}, environment {env}"),
    };
    match (account == names.account, region == names.region) {
        (true, true) => told,
        (true, false) => format!("{told} in {region}"),
        (false, _) => format!("{told} in account {account}, {region}"),
    }
}

/// Is this owner an environment of this stack?
pub fn is_of_stack(of: &str, names: &Names) -> bool {
    of.rsplit_once('/').map(|(stack, _)| stack) == owner(names).rsplit_once('/').map(|(stack, _)| stack)
}

/// After the owner: the claim on the bucket, and what stands before the claims on places, before the consents to delete their data
/// and before the settings of the bucket.
const BUCKET: &str = "bucket";
const PLACE: &str = "delivery/";
const CONSENT: &str = "delete-data/";
const SETTING: &str = "setting/";

/// This environment, as it stands in the keys of its claims.
pub fn owner(names: &Names) -> String {
    let env = names.env.as_deref().unwrap_or("-");
    format!("{}/{}/{}/{env}", names.account, names.region, names.stack)
}

/// The key of this environment's claim on a bucket.
pub fn on_bucket(names: &Names) -> String {
    format!("{ROOT}{}/{BUCKET}", owner(names))
}

/// The key of this environment's claim on a place.
pub fn on_place(names: &Names, place: &Place) -> String {
    of_place(&owner(names), PLACE, place)
}

/// The key that says beside this environment's claim on a place that its data is deleted with the environment.
pub fn consent(names: &Names, place: &Place) -> String {
    of_place(&owner(names), CONSENT, place)
}

/// The key that says that this environment asks for a setting of the bucket.
pub fn on_setting(names: &Names, setting: &Setting) -> String {
    format!("{ROOT}{}/{SETTING}{}={}", owner(names), setting.option, setting.value)
}

fn of_place(owner: &str, what: &str, place: &Place) -> String {
    format!("{ROOT}{owner}/{what}{}/{}", place.delivery, place.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    #[test]
    fn a_claim_is_told_by_its_key() {
        let place =
            Place { bucket: "lake".into(), prefix: "data//year=!{timestamp:yyyy}/".into(), delivery: "raw".into() };
        let key = on_place(&names(), &place);
        assert_eq!(key, ".provision/111122223333/us-east-1/kinesis-test/-/delivery/raw/data//year=!{timestamp:yyyy}/");
        let claim = Claim { owner: owner(&names()), place: Some(place), since: 7, data_goes: false };
        assert_eq!(Claim::parse("lake", &key, 7), Some(claim.clone()));
        let bucket = Claim { place: None, ..claim };
        assert_eq!(Claim::parse("lake", &on_bucket(&names()), 7), Some(bucket.clone()));
        assert_eq!(bucket.told(&names()), "stack kinesis-test");
    }

    #[test]
    fn a_consent_counts_only_beside_the_claim_that_it_is_about() {
        let place = |delivery: &str| Place { bucket: "lake".into(), prefix: "data/".into(), delivery: delivery.into() };
        let (raw, other) = (place("raw"), place("other"));
        let pr_1 = Names { env: Some("pr-1".into()), ..names() };
        let keys = [
            on_bucket(&names()),
            on_place(&names(), &raw),
            consent(&names(), &raw),
            on_place(&names(), &other),
            on_place(&pr_1, &raw),
            consent(&pr_1, &other),
        ];
        let claims = parse("lake", &keys.map(|key| (key, 7)));
        let goes: Vec<bool> = claims.uses.iter().map(|claim| claim.data_goes).collect();
        assert_eq!(goes, [false, true, false, false]);
    }

    #[test]
    fn a_setting_is_told_by_its_key_and_is_no_claim() {
        let setting = |option: &str, value: &str| Setting { option: option.into(), value: value.into() };
        let key = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d";
        for setting in [setting("versioning", "true"), setting("encryption", key), setting("logs_of/lake", "a=b/")] {
            let claims = parse("lake", &[(on_setting(&names(), &setting), 7)]);
            assert_eq!(claims.uses, []);
            assert_eq!(claims.settings, [Asked { owner: owner(&names()), setting }]);
            assert_eq!(claims.owners(), BTreeSet::from([owner(&names()).as_str()]));
        }
    }

    #[test]
    fn what_is_no_claim_is_none() {
        for key in [
            "data/raw/",
            ".provision/",
            ".provision/1/us-east-1/s/-/",
            ".provision/1/us-east-1/s/-/buckets",
            ".provision/1/us-east-1/s/-/delivery/raw",
            ".provision/1/us-east-1/s/-/delivery//data/",
            ".provision/1/us-east-1/s/-/delivery/raw/!{nothing}/",
        ] {
            assert_eq!(Claim::parse("lake", key, 0), None, "{key}");
        }
    }
}
