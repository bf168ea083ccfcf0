//! Which objects at a place are its delivery stream's work, and what the others are. Pure.

use std::collections::BTreeMap;

use crate::claims::{Claim, ROOT};
use crate::names::plural;
use crate::prefix::Place;
use crate::prefix::object_key::{Keys, writer};

/// Keys that are named of what stays.
const EXAMPLES: usize = 3;

/// How an object is treated when data is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its delivery stream wrote it, or everything is to go.
    Ours,
    /// The delivery stream's name, and older than the claim.
    Older,
    /// Another delivery stream's work.
    Of(String),
    /// Nobody's that we know: it was put there.
    Unknown,
    /// A marker, a claim, or what another place of this environment answers for.
    Ignored,
}

/// All that it takes to judge an object by its key and time.
#[derive(Debug)]
pub struct Judge {
    pub place: Place,
    keys: Keys,
    since: i64,
    everything: bool,
    /// Other places of this environment.
    siblings: Vec<(Keys, Place)>,
    /// Places of others: which keys, since when, and for the whole prefix under ours the text that it begins with.
    others: Vec<(Keys, i64, Place)>,
}

impl Judge {
    pub fn new(place: &Place, since: i64, claims: &[Claim], owner: &str, everything: bool) -> Judge {
        let places = |own: bool| {
            let claims = claims.iter().filter(move |claim| (claim.owner == owner) == own);
            claims.filter_map(|claim| Some((claim.place.clone()?, claim.since)))
        };
        // Where others have claimed the folder too, or one around it, an object without anybody's name may be theirs.
        let is_shared = |folder: &str| {
            places(false).any(|(other, _)| other.folder().is_some_and(|other| folder.starts_with(other)))
        };
        Judge {
            place: place.clone(),
            keys: Keys::of(place),
            since,
            everything: everything && place.folder().is_some_and(|folder| !is_shared(folder)),
            siblings: places(true)
                .filter(|(other, _)| other != place)
                .map(|(other, _)| (Keys::of(&other), other))
                .collect(),
            others: places(false).map(|(other, since)| (Keys::of(&other), since, other)).collect(),
        }
    }

    /// `modified` in epoch seconds; `None` for what has no content of its own (a delete marker, an unfinished upload).
    pub fn fate(&self, key: &str, modified: Option<i64>, empty: bool) -> Fate {
        if key.starts_with(ROOT) || empty && self.place.folder() == Some(key) {
            return Fate::Ignored;
        }
        let at = modified.unwrap_or(i64::MAX);
        let is_marker = |other: &Place| empty && other.folder() == Some(key);
        // The other has the same name in another region or account: nobody can tell which of the two wrote the object.
        if let Some((_, _, other)) =
            self.others.iter().find(|(keys, since, other)| at >= *since && keys.can_be(key) || is_marker(other))
        {
            return Fate::Of(other.delivery.clone());
        }
        match self.keys.can_be(key) {
            true if at >= self.since => return Fate::Ours,
            true if !self.everything => return Fate::Older,
            _ => {}
        }
        if self.siblings.iter().any(|(keys, other)| keys.can_be(key) || is_marker(other)) {
            return Fate::Ignored;
        }
        if self.everything && !self.is_anothers_folder(key) {
            return Fate::Ours;
        }
        writer(key).map_or(Fate::Unknown, |name| Fate::Of(name.to_owned()))
    }

    /// Does somebody else claim a folder inside this place, and does the key lie in it?
    fn is_anothers_folder(&self, key: &str) -> bool {
        let inside = |other: &Place| {
            let folder = other.folder()?;
            (folder.starts_with(self.place.folder()?) && key.starts_with(folder)).then_some(())
        };
        self.others.iter().any(|(_, _, other)| inside(other).is_some())
    }
}

/// Objects, counted by their fates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The part of the prefix that was looked at.
    pub under: String,
    pub ours: usize,
    pub older: usize,
    /// By delivery stream.
    pub others: BTreeMap<String, usize>,
    pub unknown: usize,
    /// Keys of what stays and is nobody's.
    pub examples: Vec<String>,
    /// There are more, which were not looked at.
    pub more: bool,
}

impl Tally {
    pub fn add(&mut self, key: &str, fate: &Fate) {
        match fate {
            Fate::Ours => self.ours += 1,
            Fate::Older => self.older += 1,
            Fate::Of(name) => *self.others.entry(name.clone()).or_default() += 1,
            Fate::Unknown => {
                self.unknown += 1;
                if self.examples.len() < EXAMPLES {
                    self.examples.push(key.to_owned());
                }
            }
            Fate::Ignored => {}
        }
    }

    /// Why the place stays when no data is to be deleted. `None` where there is none of ours.
    pub fn kept(&self) -> Option<String> {
        let count = match (self.ours, self.more) {
            (0, false) => return None,
            (0, true) if self.under.is_empty() => "more objects exist in the bucket than were examined".to_owned(),
            (0, true) => format!("more objects exist under {} than were examined", self.under),
            (ours, more) => format!("{}{}", plural(ours, "object"), if more { " or more" } else { "" }),
        };
        Some(format!("{count}; data is deleted only by `down --purge-data`"))
    }

    /// Says which data is deleted with the place, because its bucket's `delete_data` says so. `None` where there is none.
    pub fn goes(&self) -> Option<String> {
        let more = if self.more { " or more" } else { "" };
        (self.ours > 0 || self.more).then(|| {
            format!("{}{more} deleted with it, as `delete_data: with-stack` says", plural(self.ours, "object"))
        })
    }

    /// Says what to do about data that nothing proves to be ours.
    pub fn unproven(&self, bucket: &str) -> Option<String> {
        (self.ours > 0).then(|| {
            format!(
                "{} with its delivery stream's name left under s3://{bucket}/{}: the delivery stream is gone and nobody \
                 claimed the prefix (markers: false), so that nothing proves whose data it is; delete it by hand",
                plural(self.ours, "object"),
                self.under
            )
        })
    }

    /// The objects that stay after a purge, and why. Empty where none does.
    pub fn staying(&self) -> String {
        let mut parts: Vec<String> =
            self.others.iter().map(|(name, n)| format!("{n} of delivery stream {name}")).collect();
        if self.older > 0 {
            parts.push(format!("{} from before this environment", self.older));
        }
        if self.unknown > 0 {
            let more = if self.unknown > self.examples.len() { ", ..." } else { "" };
            parts.push(format!(
                "{} not written by a delivery stream ({}{more})",
                self.unknown,
                self.examples.join(", ")
            ));
        }
        match parts.is_empty() {
            true => String::new(),
            false => {
                let all = self.others.values().sum::<usize>() + self.older + self.unknown;
                format!("{} under {}: {}", plural(all, "object"), self.under, parts.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: &str = "-1-2026-07-13-14-05-09-046b6c7f-0b7c-4a5e-9e3a-0123456789ab";

    fn place(prefix: &str, delivery: &str) -> Place {
        Place { bucket: "lake".into(), prefix: prefix.into(), delivery: delivery.into() }
    }

    fn claim(owner: &str, prefix: &str, delivery: &str) -> Claim {
        Claim { owner: owner.into(), place: Some(place(prefix, delivery)), since: 100, data_goes: false }
    }

    #[test]
    fn each_neighbours_object_is_told_from_ours() {
        let claims =
            [claim("us", "data/", "raw"), claim("us", "data/", "processed"), claim("them", "data/b/", "their")];
        let hour = "data/2026/07/13/14/";
        let of = |name: &str| Fate::Of(name.into());
        let table = [
            (format!("{hour}raw{END}"), 100, Fate::Ours, Fate::Ours),
            (format!("{hour}raw{END}"), 99, Fate::Older, Fate::Ours),
            (format!("{hour}processed{END}"), 100, Fate::Ignored, Fate::Ignored),
            (format!("{hour}their{END}"), 100, of("their"), Fate::Ours),
            (format!("data/b/2026/07/13/14/their{END}"), 100, of("their"), of("their")),
            ("data/b/precious".into(), 100, Fate::Unknown, Fate::Unknown),
            ("data/precious".into(), 100, Fate::Unknown, Fate::Ours),
            (".provision/1/r/s/-/bucket".into(), 100, Fate::Ignored, Fate::Ignored),
        ];
        for (key, modified, only_ours, everything) in table {
            let judged = |everything| {
                let judge = Judge::new(&place("data/", "raw"), 100, &claims, "us", everything);
                judge.fate(&key, Some(modified), false)
            };
            assert_eq!((judged(false), judged(true)), (only_ours, everything), "{key} {modified}");
        }
        let judge = Judge::new(&place("data/", "raw"), 100, &claims, "us", true);
        assert_eq!(judge.fate("data/", Some(100), true), Fate::Ignored);
        assert_eq!(judge.fate("data/b/", Some(100), true), of("their"), "their marker");
    }

    #[test]
    fn everything_is_only_our_own_where_others_claim_the_folder_too() {
        for theirs in ["data/", "data/!{timestamp:yyyy}/"] {
            let judge = Judge::new(&place("data/", "raw"), 100, &[claim("them", theirs, "twin")], "us", true);
            assert_eq!(judge.fate("data/precious", Some(100), false), Fate::Unknown, "{theirs}");
        }
    }

    #[test]
    fn of_the_same_name_in_another_region_nobody_deletes() {
        let claims = [claim("elsewhere", "data/", "raw")];
        let judge = Judge::new(&place("data/", "raw"), 0, &claims, "us", false);
        let key = format!("data/2026/07/13/14/raw{END}");
        assert_eq!(judge.fate(&key, Some(100), false), Fate::Of("raw".into()));
        assert_eq!(judge.fate(&key, Some(99), false), Fate::Ours, "the other was not there yet");
    }

    #[test]
    fn a_bucket_without_a_prefix_is_never_emptied() {
        let judge = Judge::new(&place("", "raw"), 0, &[], "us", true);
        assert_eq!(judge.fate("precious", Some(1), false), Fate::Unknown);
        assert_eq!(judge.fate(&format!("2026/07/13/14/raw{END}"), Some(1), false), Fate::Ours);
    }

    #[test]
    fn what_stays_is_counted_named_and_explained() {
        let mut tally = Tally { under: "data/".into(), ..Tally::default() };
        for (key, fate) in [
            ("data/a", Fate::Of("other".into())),
            ("data/b", Fate::Older),
            ("data/c", Fate::Unknown),
            ("data/d", Fate::Ours),
        ] {
            tally.add(key, &fate);
        }
        assert_eq!(
            tally.staying(),
            "3 objects under data/: 1 of delivery stream other, 1 from before this environment, 1 not written by \
             a delivery stream (data/c)"
        );
        assert_eq!(tally.kept().unwrap(), "1 object; data is deleted only by `down --purge-data`");
        assert_eq!(Tally::default().staying(), "");
    }
}
