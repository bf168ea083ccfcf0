//! Data that several resources need in one survey. The first resource that needs it reads it for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::claims::{Claim, owner};
use crate::names::{Name, Names};
use crate::prefix::{Place, of_objects, overlap};

/// Cheap to clone: clones share it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    claims: Arc<Mutex<HashMap<String, Claims>>>,
    /// The region's delivery streams, or why they could not be listed.
    pub delivery_streams: Arc<OnceCell<Result<Vec<String>, String>>>,
    pub readers: Arc<OnceCell<Readers>>,
}

/// The claims in one bucket.
pub type Claims = Arc<OnceCell<Arc<Vec<Claim>>>>;

/// Delivery streams that are not this environment's, by the stream that they read.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    /// Names, by the stream's ARN.
    pub of: HashMap<String, Vec<String>>,
    /// The number of delivery streams that could not be read.
    pub unseen: usize,
}

impl Seen {
    pub fn claims(&self, bucket: &str) -> Claims {
        let mut buckets = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(bucket.to_owned()).or_default().clone()
    }

    /// The places of this environment in the buckets that were read.
    pub fn places(&self, names: &Names) -> Vec<Place> {
        let buckets = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = buckets.values().filter_map(|cell| cell.get().cloned());
        let mut places: Vec<Place> = claims
            .flat_map(|claims| claims.iter().filter(|c| c.owner == owner(names)).cloned().collect::<Vec<_>>())
            .filter_map(|claim| claim.place)
            .collect();
        places.sort();
        places
    }

    /// Does data of this environment go with it, in the buckets that were read?
    pub fn data_goes(&self, names: &Names) -> bool {
        let buckets = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let mut claims = buckets.values().filter_map(|cell| cell.get());
        claims.any(|claims| claims.iter().any(|claim| claim.data_goes && claim.owner == owner(names)))
    }

    /// Claims of others that overlap `name`, in sentences.
    pub fn overlaps(&self, name: &Name, names: &Names) -> Vec<String> {
        let Some(place) = Place::parse(&name.physical) else { return vec![] };
        let Some(claims) = self.claims(&place.bucket).get().cloned() else { return vec![] };
        let others = claims.iter().filter(|claim| claim.owner != owner(names));
        let met = others.filter_map(|claim| {
            let (other, whose) = (claim.place.as_ref()?, claim.told(names));
            let (mine, theirs) = (of_objects(&place.prefix), of_objects(&other.prefix));
            let text = || format!("{mine} overlaps {theirs} of delivery stream {} ({whose})", other.delivery);
            overlap(mine, theirs).then(text)
        });
        met.collect()
    }
}
