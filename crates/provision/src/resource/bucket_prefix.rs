//! A place in a bucket that a delivery stream writes to: a claim that says whose it is and since when, and a zero-byte marker
//! where the prefix names a folder. The data at it stays, unless its removal was asked for; then exactly that goes which the
//! delivery stream can have written.

use futures::stream::{self, StreamExt};

use super::bucket::{self, Bucket};
use super::claims::{self, Marker};
use super::delivery_stream::{self, DeliveryStream};
use super::{Diff, Field, Found, Gone, Resource, Scanned};
use crate::claims::{Claim, consent, on_place, owner};
use crate::cloud::{Cx, Purge};
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::prefix::{self, Place, literal};

mod objects;
mod tally;

use objects::Looked;
use tally::{Judge, Tally};

const NO_BUCKET: &str = "NoSuchBucket";
/// So many buckets are asked for their claims at once.
const BUCKETS_AT_ONCE: usize = 5;

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPrefix {
    pub place: Place,
    /// Write a claim and, for a folder, the marker object?
    pub marker: bool,
    /// Is its data deleted with the environment? Needs a claim.
    pub delete_data: bool,
    /// Is the bucket one of this spec's own (then it is made first)? Its logical name.
    pub bucket_logical: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub bucket: String,
    pub proof: Option<Proof>,
    /// `None` where the prefix names no folder.
    pub marker: Option<Marker>,
    /// Did the spec say at `up` that the data is deleted with the environment?
    pub data_goes: bool,
    /// Is the data deleted with the place: because a flag says so, or because the whole environment goes and its data with it?
    pub purges: bool,
    /// Have others claimed the same folder?
    pub shared: bool,
    /// The objects there: only looked at where they may be deleted.
    pub tally: Tally,
}

/// Why it is known to be this environment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// There is a claim, as old as this (epoch seconds).
    Claim(i64),
    /// The delivery stream is ours, writes there, and is as old as this.
    Writer(i64),
    /// All that is left is a marker that we wrote and nobody claims. It proves nothing about data.
    Marker,
}

impl Proof {
    /// No older object is ours. `None`: no object is.
    fn since(self) -> Option<i64> {
        match self {
            Proof::Claim(since) | Proof::Writer(since) => Some(since),
            Proof::Marker => None,
        }
    }
}

impl Resource for BucketPrefix {
    const KIND: &'static str = prefix::KIND;
    const TAGS_COME_WITH_LIVE: bool = true;
    type Live = Live;

    fn is_name(physical: &str) -> bool {
        Place::parse(physical).is_some()
    }

    fn refs(&self) -> Vec<Address> {
        self.bucket_logical.iter().map(|bucket| Address::new(Bucket::KIND, bucket)).collect()
    }

    fn live_refs(live: &Live, _: bool) -> Vec<(&'static str, String)> {
        vec![(Bucket::KIND, live.bucket.clone())]
    }

    fn diff(&self, live: &Live, _: &Name, _: &Names) -> Diff {
        let mut diff = Diff::default();
        if self.marker && live.marker == Some(Marker::Absent) {
            diff.compare("marker", "none", "written");
        }
        diff.compare("data", fate(live.data_goes), fate(self.delete_data));
        diff
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        let marker = Field::known("marker", if self.marker { "written" } else { "none" }, self.marker);
        let data = self.delete_data.then(|| Field::said("data", fate(true)));
        [marker].into_iter().chain(data).collect()
    }

    fn is_but_a_name(&self) -> bool {
        !self.marker
    }

    /// The consent. Without it the claim stays until the environment is deleted, and tells whose data is there.
    async fn remains(&self, cx: &Cx, _: &Name) -> Result<Option<Live>> {
        let claims = claims::all(cx, &self.place.bucket).await?;
        let claim = claims.uses.iter().find(|claim| is_mine(claim, &self.place, &cx.names));
        Ok(claim.filter(|claim| claim.data_goes).map(|claim| Live {
            bucket: self.place.bucket.clone(),
            proof: Some(Proof::Claim(claim.since)),
            marker: None,
            data_goes: true,
            purges: false,
            shared: false,
            tally: Tally::default(),
        }))
    }

    fn proves(live: &Live) -> bool {
        live.proof.is_some()
    }

    fn keeps(live: &Live) -> Option<String> {
        (!live.purges).then(|| live.tally.kept()).flatten()
    }

    fn notes(live: &Live) -> Vec<String> {
        let unproven = live.proof.is_none().then(|| live.tally.unproven(&live.bucket)).flatten();
        let goes = (live.purges && live.data_goes).then(|| live.tally.goes()).flatten();
        unproven.into_iter().chain(goes).collect()
    }

    /// By the claims in all buckets. They tell of the buckets too, which may be used by several environments.
    async fn list(cx: &Cx) -> Result<Scanned> {
        let read = async |bucket: String| (claims::read(cx, &bucket).await, bucket);
        let buckets = bucket::all(cx).await?.into_iter().map(read);
        let read: Vec<_> = stream::iter(buckets).buffer_unordered(BUCKETS_AT_ONCE).collect().await;
        let mut scanned = Scanned::default();
        for (claims, bucket) in read {
            match claims {
                Ok(claims) => {
                    scanned.found.extend(claims.uses.iter().filter_map(|claim| found(claim, &bucket, &cx.names)))
                }
                Err(error) => scanned.unread.push(error.to_string()),
            }
        }
        Ok(scanned)
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let place = place(name)?;
        let is_mine = |claim: &&Claim| is_mine(claim, &place, &cx.names);
        // Without a claim nothing is there for an `up`. Of thousands of places in a bucket most see its claims read already.
        let known = cx.seen.claims(&place.bucket);
        if !cx.options.deletes && known.get().is_some_and(|claims| !claims.uses.iter().any(|claim| is_mine(&claim))) {
            return Ok(None);
        }
        let forced = cx.options.purge_data.deletes();
        let entries =
            async { if cx.options.deletes { objects::look(cx, &place, forced).await } else { Ok(Looked::default()) } };
        let (claims, marker, mut looked) =
            futures::try_join!(claims::all(cx, &place.bucket), marker(cx, &place), entries)?;
        let mine = claims.uses.iter().find(is_mine);
        let data_goes = mine.is_some_and(|claim| claim.data_goes);
        let purges = forced || data_goes && cx.options.takes_down;
        if purges && !forced {
            // A purge deletes every version: now that it is known to come, they are counted too.
            looked = objects::look(cx, &place, true).await?;
        }
        let shared = place.folder().is_some()
            && claims
                .uses
                .iter()
                .filter(|claim| Some(*claim) != mine)
                .any(|claim| claim.place.as_ref().is_some_and(|other| other.folder() == place.folder()));
        let ours_alone = marker == Some(Marker::Ours) && !shared;
        let proof = match mine {
            Some(claim) => Some(Proof::Claim(claim.since)),
            None if !cx.options.deletes => None,
            None => match writer(cx, &place, name).await? {
                None => ours_alone.then_some(Proof::Marker),
                writer => writer,
            },
        };
        // Without proof, what looks like the delivery stream's work is counted, told and left alone.
        let since = proof.map_or(Some(i64::MIN), Proof::since).unwrap_or(i64::MAX);
        let tally = looked.tally(&judge(cx, &place, since).await?);
        // Where a delivery stream wrote nothing and nothing is marked, there is nothing. A deletion that was stopped leaves the marker.
        let made = matches!(proof, Some(Proof::Claim(_) | Proof::Marker)) || proof.is_some() && ours_alone;
        let is_there = made || tally.ours > 0 || proof.is_some() && tally.more;
        let bucket = place.bucket.clone();
        Ok(is_there.then_some(Live { bucket, proof, marker, data_goes, purges, shared, tally }))
    }

    async fn tags(_: &Cx, _: &Name, _: Option<&Live>) -> Result<Option<Tags>> {
        Ok(None)
    }

    async fn retag(_: &Cx, _: &Name, _: &Live, _: &Tags, _: &[String]) -> Result<()> {
        Ok(())
    }

    /// A marker whose claim is not there yet is still known to be ours: [`Proof::Marker`].
    async fn create(&self, cx: &Cx, name: &Name, _: &Tags) -> Result<()> {
        let (bucket, key) = (&self.place.bucket, on_place(&cx.names, &self.place));
        let claim = claims::make(cx, claims::of(bucket), &key);
        let marker = async {
            let Some(folder) = self.place.folder() else { return Ok(()) };
            claims::mark(cx, bucket, folder, format!("writing the marker of {name}")).await
        };
        futures::try_join!(claim, marker)?;
        // A consent without a claim would keep the bucket.
        match self.delete_data {
            true => claims::make(cx, claims::of(bucket), &consent(&cx.names, &self.place)).await,
            false => Ok(()),
        }
    }

    async fn update(&self, cx: &Cx, name: &Name, live: &Live, _: &Diff) -> Result<()> {
        if live.data_goes && !self.delete_data {
            claims::remove(cx, &live.bucket, &consent(&cx.names, &self.place)).await?;
        }
        match self.marker {
            true => self.create(cx, name, &Tags::new()).await,
            false => Ok(()),
        }
    }

    /// A marker that is left alone by an interruption is still known to be ours: [`Proof::Marker`].
    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        let place = place(name)?;
        let mut gone = Gone::Deleted;
        if let (true, Some(since)) = (live.purges, live.proof.and_then(Proof::since)) {
            let judge = judge(cx, &place, since).await?;
            gone = objects::purge(cx, &judge, name).await?.map_or(gone, Gone::DeletedWith);
        }
        if live.data_goes {
            claims::remove(cx, &place.bucket, &consent(&cx.names, &place)).await?;
        }
        let key = on_place(&cx.names, &place);
        let claim = claims::remove(cx, &place.bucket, &key);
        let folder = place.folder().filter(|_| live.marker == Some(Marker::Ours));
        match folder {
            None => claim.await?,
            Some(folder) if !live.shared && cx.options.deletes => {
                futures::try_join!(claim, claims::remove(cx, &place.bucket, folder))?;
            }
            // The last one out takes the marker along. An `up` may be claiming the folder for another place at this moment.
            Some(folder) => {
                claim.await?;
                let left = claims::read(cx, &place.bucket).await?;
                if !left
                    .uses
                    .iter()
                    .filter_map(|claim| claim.place.as_ref())
                    .any(|other| other.folder() == Some(folder))
                {
                    claims::remove(cx, &place.bucket, folder).await?;
                }
            }
        }
        Ok(gone)
    }
}

/// Has this environment claimed the place with it?
fn is_mine(claim: &Claim, place: &Place, names: &Names) -> bool {
    claim.owner == owner(names) && claim.place.as_ref() == Some(place)
}

/// In words: what becomes of the data when the environment is deleted.
fn fate(goes: bool) -> &'static str {
    if goes { "deleted with the environment" } else { "kept" }
}

/// Judges the objects at the place by their keys and times.
async fn judge(cx: &Cx, place: &Place, since: i64) -> Result<Judge> {
    let claims = claims::all(cx, &place.bucket).await?;
    let everything = cx.options.purge_data == Purge::EverythingUnderPrefix;
    Ok(Judge::new(place, since, &claims.uses, &owner(&cx.names), everything))
}

async fn marker(cx: &Cx, place: &Place) -> Result<Option<Marker>> {
    match place.folder() {
        Some(folder) => claims::marker(cx, &place.bucket, folder, None).await.map(Some),
        None => Ok(None),
    }
}

/// The delivery stream, where it is ours and writes there.
async fn writer(cx: &Cx, place: &Place, name: &Name) -> Result<Option<Proof>> {
    let stream = Name::new(DeliveryStream::KIND, &name.address.logical, &place.delivery);
    let (live, tags) =
        futures::try_join!(DeliveryStream::observe(cx, &stream), DeliveryStream::tags(cx, &stream, None))?;
    let owned = tags.is_some_and(|tags| cx.names.owns(&tags));
    let writes = |live: &delivery_stream::Live| owned && live.places().contains(place);
    Ok(live.filter(writes).map(|live| Proof::Writer(live.created_s)))
}

fn place(name: &Name) -> Result<Place> {
    let wrong =
        || Error::msg(format!("{} is not the name of a prefix: bucket/prefix by delivery-stream", name.physical));
    Place::parse(&name.physical).ok_or_else(wrong)
}

/// The resource that a claim of this account and region stands for.
fn found(claim: &Claim, bucket: &str, names: &Names) -> Option<Found> {
    let (stack, env) = claim.of_region(names)?;
    let tags = Tags::from([(names.tag_key("stack"), stack.to_owned()), (names.tag_key("env"), env.to_owned())]);
    Some(match &claim.place {
        Some(place) => Found { kind: BucketPrefix::KIND, physical: place.to_string(), tags },
        None => Found { kind: Bucket::KIND, physical: bucket.to_owned(), tags },
    })
}

/// The prefix under which the objects of a place are listed.
fn listed(place: &Place) -> &str {
    literal(&place.prefix)
}
