//! Data that several resources need in one survey. The first resource that needs it reads it for all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::claims::{self, Claims, owner, told};
use crate::names::{Name, Names};
use crate::prefix::{Place, of_objects, overlap};

/// Cheap to clone: clones share it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    claims: Arc<Mutex<HashMap<String, Reading>>>,
    /// The settings that the spec wants of buckets, by bucket: so that they are asked for in the round in which it is looked at.
    wanted: Arc<Mutex<HashMap<String, BTreeMap<String, String>>>>,
    /// The region's delivery streams, or why they could not be listed.
    pub delivery_streams: Arc<OnceCell<Result<Vec<String>, String>>>,
    pub readers: Arc<OnceCell<Readers>>,
}

/// The claims in one bucket.
pub type Reading = Arc<OnceCell<Arc<Claims>>>;

/// Delivery streams that are not this environment's, by the stream that they read.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    /// Names, by the stream's ARN.
    pub of: HashMap<String, Vec<String>>,
    /// The number of delivery streams that could not be read.
    pub unseen: usize,
}

impl Seen {
    pub fn claims(&self, bucket: &str) -> Reading {
        let mut buckets = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(bucket.to_owned()).or_default().clone()
    }

    /// The places of this environment in the buckets that were read.
    pub fn places(&self, names: &Names) -> Vec<Place> {
        let buckets = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = buckets.values().filter_map(|cell| cell.get().cloned());
        let mut places: Vec<Place> = claims
            .flat_map(|claims| claims.uses.iter().filter(|c| c.owner == owner(names)).cloned().collect::<Vec<_>>())
            .filter_map(|claim| claim.place)
            .collect();
        places.sort();
        places
    }

    /// Does data of this environment go with it, in the buckets that were read?
    pub fn data_goes(&self, names: &Names) -> bool {
        let buckets = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let mut claims = buckets.values().filter_map(|cell| cell.get());
        claims.any(|claims| claims.uses.iter().any(|claim| claim.data_goes && claim.owner == owner(names)))
    }

    /// The spec wants these settings of a bucket.
    pub fn want(&self, bucket: &str, settings: BTreeMap<String, String>) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.to_owned(), settings);
    }

    pub fn wanted(&self, bucket: &str) -> BTreeMap<String, String> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned().unwrap_or_default()
    }

    /// Other environments that want another value of a setting of bucket `name`, in sentences: what each `up` would change again.
    pub fn disagreements(&self, name: &Name, names: &Names) -> Vec<String> {
        let wanted = self.wanted(&name.physical);
        let Some(claims) = self.claims(&name.physical).get().filter(|_| !wanted.is_empty()).cloned() else {
            return vec![];
        };
        let others = claims.settings.iter().filter(|asked| asked.owner != owner(names));
        let told = others.filter_map(|asked| {
            let claims::Setting { option, value } = &asked.setting;
            let own = wanted.get(option).filter(|own| *own != value)?;
            let who = told(&asked.owner, names);
            Some(format!("{name}: {who} sets {option} to {value}, this environment to {own}: each `up` changes it"))
        });
        told.collect()
    }

    /// Claims of others that overlap `name`, in sentences.
    pub fn overlaps(&self, name: &Name, names: &Names) -> Vec<String> {
        let Some(place) = Place::parse(&name.physical) else { return vec![] };
        let Some(claims) = self.claims(&place.bucket).get().cloned() else { return vec![] };
        let others = claims.uses.iter().filter(|claim| claim.owner != owner(names));
        let met = others.filter_map(|claim| {
            let (other, whose) = (claim.place.as_ref()?, claim.told(names));
            let (mine, theirs) = (of_objects(&place.prefix), of_objects(&other.prefix));
            let text = || format!("{mine} overlaps {theirs} of delivery stream {} ({whose})", other.delivery);
            overlap(mine, theirs).then(text)
        });
        met.collect()
    }
}
