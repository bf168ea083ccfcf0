//! References from one entry to another by key, with a suggestion for a wrong one.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;

use super::words::Key;
use super::{Entry, Section, Written};
use crate::names::Names;
use crate::yaml::collection::Map;
use crate::yaml::diagnostic::Mistake;
use crate::yaml::shape::At;

/// How many keys are compared with a wrong one: more would take long where many are wrong, and help nobody.
const CANDIDATES: usize = 100;

/// A reference to a resource of the kind `K`: by its physical name or, of somebody else's, possibly its ARN.
pub struct Ref<K> {
    /// In the spec.
    pub logical: String,
    /// Name on AWS, or an ARN for `existing:` entries written as one.
    pub id: String,
    /// Do we make it (then it is made first)?
    pub managed: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K> Ref<K> {
    pub fn new(logical: impl Into<String>, id: impl Into<String>, managed: bool) -> Ref<K> {
        Ref { logical: logical.into(), id: id.into(), managed, kind: PhantomData }
    }

    /// The physical name; of an ARN its last part.
    pub fn physical(&self) -> &str {
        self.id.rsplit(['/', ':']).next().unwrap_or(&self.id)
    }

    /// The key, to be written.
    pub(crate) fn key(&self) -> Option<At<Key>> {
        crate::yaml::shape::said(Key(self.logical.clone()))
    }
}

#[expect(private_bounds, reason = "only this crate resolves references")]
impl<K: Section> Ref<K> {
    pub(crate) fn arn(&self, names: &Names) -> String {
        match self.id.starts_with("arn:") {
            true => self.id.clone(),
            false => K::arn(&self.id, names),
        }
    }
}

// Not derived: that would ask the same of the kind.

impl<K> Clone for Ref<K> {
    fn clone(&self) -> Ref<K> {
        Ref::new(self.logical.clone(), self.id.clone(), self.managed)
    }
}

impl<K> PartialEq for Ref<K> {
    fn eq(&self, other: &Ref<K>) -> bool {
        (&self.logical, &self.id, self.managed) == (&other.logical, &other.id, other.managed)
    }
}

impl<K> Eq for Ref<K> {}

impl<K> fmt::Debug for Ref<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.managed { "ours" } else { "existing" };
        write!(f, "{} ({}, {whose})", self.logical, self.id)
    }
}

/// All entries of the spec. First every section says its keys, so that a wrong reference is told whatever the order; then each adds
/// what it was read as, so that the sections after it can refer to that.
#[derive(Default)]
pub(crate) struct References {
    known: Vec<Known>,
    /// By key, the places in `known`: a key may stand in several sections.
    places: HashMap<String, Vec<usize>>,
}

struct Known {
    section: TypeId,
    noun: &'static str,
    key: String,
    /// `None`: it is wrong itself, which was reported.
    /// Physical name or ARN, and whether it is one of ours.
    id: Option<(String, bool)>,
    /// The desired resource, if it is one of ours.
    desired: Option<Box<dyn Any>>,
}

impl References {
    pub(crate) fn declare<K: Section>(&mut self, section: Option<&At<Map<Written<K>>>>) {
        let Some(section) = section else { return };
        for key in section.value.pairs.iter().map(|(key, _)| &key.value).chain(&section.value.wrong) {
            self.places.entry(key.clone()).or_default().push(self.known.len());
            let (section, noun, key) = (TypeId::of::<K>(), K::NOUN, key.clone());
            self.known.push(Known { section, noun, key, id: None, desired: None });
        }
    }

    pub(super) fn add<K: Section>(&mut self, entries: &BTreeMap<String, Entry<K>>) {
        for known in self.known.iter_mut().filter(|known| known.section == TypeId::of::<K>()) {
            let Some(entry) = entries.get(&known.key) else { continue };
            let (id, managed) = match entry {
                Entry::Managed(managed) => (managed.physical.clone(), true),
                Entry::Existing(id) => (id.clone(), false),
            };
            known.id = Some((id, managed));
            known.desired = entry.managed().map(|managed| Box::new(managed.desired.clone()) as Box<dyn Any>);
        }
    }

    /// The entry of this key in the section of `K`. `None` where it is wrong, or there is none: that was reported.
    pub(super) fn find<K: Section>(&self, key: &At<Key>, mistakes: &mut Vec<Mistake>) -> Option<Ref<K>> {
        let wanted = key.value.0.as_str();
        if let Some(known) = self.named(wanted).find(|known| known.section == TypeId::of::<K>()) {
            return known.id.clone().map(|(id, managed)| Ref::new(&known.key, id, managed));
        }
        let mistake = match self.named(wanted).next() {
            Some(other) => Mistake::error(key.at, format!("`{wanted}` is {}", other.noun)),
            None => Mistake::error(key.at, format!("there is no `{wanted}`")),
        };
        let of_kind = self.known.iter().filter(|known| known.section == TypeId::of::<K>());
        let candidates: Vec<&str> = of_kind.take(CANDIDATES).map(|known| known.key.as_str()).collect();
        mistakes.push(mistake.expected(format!("the key of {}", K::NOUN)).nearest_or_all(wanted, &candidates));
        None
    }

    /// The desired resource of this key, if it is one of ours.
    pub(super) fn desired<K: Section>(&self, key: &str) -> Option<&K> {
        self.named(key).find_map(|known| known.desired.as_ref()?.downcast_ref::<K>())
    }

    fn named(&self, key: &str) -> impl Iterator<Item = &Known> {
        self.places.get(key).into_iter().flatten().map(|place| &self.known[*place])
    }
}
