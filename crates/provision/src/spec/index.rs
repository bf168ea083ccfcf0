//! What can be referred to, and what a wrong reference might have meant.

use std::collections::{BTreeMap, HashMap};

use super::collection::Map;
use super::diagnostic::Mistake;
use super::entry::{Entry as Written, Kind};
use super::grammar::{Bucket, Delivery, Function, Spec, Stream};
use super::shape::At;
use super::stack::Entry;
use super::words::Key;
use crate::resource::delivery_stream::Ref;
use crate::resource::{bucket, function, stream};

/// How many keys are compared with a wrong one: more would take long where many are wrong, and help nobody.
const CANDIDATES: usize = 100;

/// All entries of the spec.
pub(super) struct Index {
    known: Vec<Known>,
    /// By key, the places in `known`: a key may stand in several sections.
    places: HashMap<String, Vec<usize>>,
    /// The functions of our own.
    functions: BTreeMap<String, function::Function>,
}

struct Known {
    noun: &'static str,
    key: String,
    /// `None`: it is wrong itself, which was reported.
    id: Option<Ref>,
}

impl Index {
    pub(super) fn new(
        spec: &Spec,
        streams: &BTreeMap<String, Entry<stream::Stream>>,
        buckets: &BTreeMap<String, Entry<bucket::Bucket>>,
        functions: &BTreeMap<String, Entry<function::Function>>,
    ) -> Index {
        let mut index = Index { known: Vec::new(), places: HashMap::new(), functions: BTreeMap::new() };
        index.add(spec.streams.as_ref(), |key| streams.get(key).map(|entry| reference(key, entry)));
        index.add(spec.buckets.as_ref(), |key| buckets.get(key).map(|entry| reference(key, entry)));
        index.add(spec.functions.as_ref(), |key| functions.get(key).map(|entry| reference(key, entry)));
        index.add::<Delivery>(spec.deliveries.as_ref(), |_| None);
        let ours = functions.iter().filter_map(|(key, entry)| Some((key.clone(), entry.managed()?.desired.clone())));
        index.functions = ours.collect();
        for (place, known) in index.known.iter().enumerate() {
            index.places.entry(known.key.clone()).or_default().push(place);
        }
        index
    }

    fn add<T: Kind>(&mut self, section: Option<&At<Map<Written<T>>>>, id: impl Fn(&str) -> Option<Ref>) {
        let Some(section) = section else { return };
        let keys = section.value.pairs.iter().map(|(key, _)| &key.value).chain(&section.value.wrong);
        self.known.extend(keys.map(|key| Known { noun: T::NOUN, key: key.clone(), id: id(key) }));
    }

    pub(super) fn stream(&self, key: &At<Key>, mistakes: &mut Vec<Mistake>) -> Option<Ref> {
        self.find::<Stream>(key, mistakes)
    }

    pub(super) fn bucket(&self, key: &At<Key>, mistakes: &mut Vec<Mistake>) -> Option<Ref> {
        self.find::<Bucket>(key, mistakes)
    }

    pub(super) fn function(&self, key: &At<Key>, mistakes: &mut Vec<Mistake>) -> Option<Ref> {
        self.find::<Function>(key, mistakes)
    }

    /// A function of our own.
    pub(super) fn our_function(&self, key: &str) -> Option<&function::Function> {
        self.functions.get(key)
    }

    fn find<T: Kind>(&self, key: &At<Key>, mistakes: &mut Vec<Mistake>) -> Option<Ref> {
        let (noun, wanted) = (T::NOUN, key.value.0.as_str());
        let named = || self.places.get(wanted).into_iter().flatten().map(|place| &self.known[*place]);
        if let Some(known) = named().find(|known| known.noun == noun) {
            return known.id.clone();
        }
        let mistake = match named().next() {
            Some(other) => Mistake::error(key.at, format!("`{wanted}` is {}", other.noun)),
            None => Mistake::error(key.at, format!("there is no `{wanted}`")),
        };
        let of_kind = self.known.iter().filter(|known| known.noun == noun);
        let candidates: Vec<&str> = of_kind.take(CANDIDATES).map(|known| known.key.as_str()).collect();
        mistakes.push(mistake.expected(format!("the key of {noun}")).nearest_or_all(wanted, &candidates));
        None
    }
}

fn reference<D>(key: &str, entry: &Entry<D>) -> Ref {
    let (id, managed) = match entry {
        Entry::Managed(managed) => (managed.physical.clone(), true),
        Entry::Existing(id) => (id.clone(), false),
    };
    Ref { logical: key.to_owned(), id, managed }
}
