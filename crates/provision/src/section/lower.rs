//! From what was written to what is wanted: names become physical, references are resolved, defaults are filled in, and what
//! AWS would refuse is refused. Pure: goes on after a mistake, to find the others.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::entry::Moved;
use super::environment::Environment;
use super::words::Key;
use super::{Entry, Managed, Ref, References, Section, Written, tags};
use crate::names::Tags;
use crate::yaml::collection::Map;
use crate::yaml::diagnostic::{Mistake, Span};
use crate::yaml::shape::{At, Record, Scalar};

/// The context that entries of a spec are read in, with the mistakes found so far.
pub(crate) struct Lower<'m> {
    /// Absolute: what paths are relative to.
    pub folder: PathBuf,
    pub environment: Option<Environment>,
    pub tag_prefix: String,
    pub tags: BTreeMap<String, At<String>>,
    /// The stack's name, empty where it is missing.
    pub stack: String,
    /// Account and region.
    pub place: (String, String),
    /// Has a name been made of the place?
    pub names_by_place: bool,
    pub references: References,
    /// Descriptions of resources that entries share, by noun and name.
    pub shared: BTreeMap<(&'static str, String), String>,
    pub mistakes: &'m mut Vec<Mistake>,
}

impl Lower<'_> {
    pub(crate) fn error(&mut self, at: Span, what: impl Into<String>, expected: impl Into<String>) {
        self.mistakes.push(Mistake::error(at, what).expected(expected));
    }

    pub(crate) fn warn(&mut self, at: Span, what: impl Into<String>, why: impl Into<String>) {
        self.mistakes.push(Mistake::warning(at, what).expected(why));
    }

    /// Reports a key that must be there and is not, unless it was reported already.
    pub(crate) fn need(&mut self, record: &impl Record, key: &str, is_there: bool, at: Span, expected: &str) {
        if !is_there && !record.is_wrong(key) {
            self.error(at, format!("`{key}` is missing"), format!("needs `{key}`: {expected}"));
        }
    }

    /// The physical name of something that an entry names besides itself, in this environment.
    pub(crate) fn name(&mut self, name: &At<String>, max: usize) -> String {
        match &self.environment {
            Some(environment) => environment.name(name, max, self.mistakes),
            None => name.value.clone(),
        }
    }

    /// Reports an entry that describes a shared resource in another way than an entry before it.
    pub(crate) fn agree(&mut self, at: Span, noun: &'static str, name: &str, description: String) {
        let known = self.shared.entry((noun, name.to_owned())).or_insert_with(|| description.clone());
        if *known != description {
            let what = format!("another entry gives the {noun} `{name}` {known}");
            self.error(at, what, format!("{description} here: entries that share a {noun} must agree"));
        }
    }

    /// Checks the tags of the stack itself.
    pub(crate) fn check_tags(&mut self, at: Span) {
        tags::check(&self.tags, &self.tag_prefix, at, self.mistakes);
    }

    /// The entry that a field refers to. `None` where it is wrong, or there is none: that was reported.
    pub(crate) fn reference<K: Section>(&mut self, key: &At<Key>) -> Option<Ref<K>> {
        self.references.find::<K>(key, self.mistakes)
    }

    /// The desired resource of this key in a section that was read before, if it is one of ours.
    pub(crate) fn desired<K: Section>(&self, key: &str) -> Option<K> {
        self.references.desired::<K>(key).cloned()
    }

    /// All entries of a section. From now on others can refer to them.
    pub(crate) fn section<K: Section>(
        &mut self,
        section: Option<&At<Map<Written<K>>>>,
        defaults: Option<&At<K::Fields>>,
    ) -> BTreeMap<String, Entry<K>> {
        let mut entries = BTreeMap::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for (key, written) in section.iter().flat_map(|section| &section.value.pairs) {
            if let Err(what) = Key::parse(&key.value) {
                self.error(key.at, what, Key::expected());
            }
            let Some((entry, name_at)) = self.entry(key, &written.value, defaults) else { continue };
            if let Some(other) = names.insert(entry.physical().to_owned(), key.value.clone()) {
                let what = format!("`{}` is also the name of `{other}`", entry.physical());
                self.error(name_at, what, "one entry for one resource");
            }
            entries.insert(key.value.clone(), entry);
        }
        self.references.add(&entries);
        entries
    }

    fn entry<K: Section>(
        &mut self,
        key: &At<String>,
        written: &Written<K>,
        defaults: Option<&At<K::Fields>>,
    ) -> Option<(Entry<K>, Span)> {
        if let Some(existing) = &written.existing {
            self.refuse_managed(written);
            return Some((Entry::Existing(existing.value.clone()), existing.at));
        }
        if written.wrong.contains(&"existing") {
            return None;
        }
        let unnamed = written.name.is_none() && !written.wrong.contains(&"name") && !self.stack.is_empty();
        let generated = unnamed.then(|| At { value: K::generated_name(self, &key.value), at: key.at, varies: false });
        let name = written.name.as_ref().or(generated.as_ref());
        let tags = self.entry_tags(key, written);
        let fields = match defaults {
            Some(defaults) => written.fields.clone().or(&defaults.value),
            None => written.fields.clone(),
        };
        let physical = name.map(|name| self.physical::<K>(name));
        let desired = K::read(self, key, physical.as_deref().unwrap_or_default(), fields);
        let managed = Managed {
            physical: physical?,
            tags,
            protect: written.common.protect(),
            moved_from: written.common.moved.as_ref().and_then(|moved| self.moved(key, moved.at, &moved.value)),
            desired: desired?,
        };
        Some((Entry::Managed(managed), name?.at))
    }

    fn moved(&mut self, key: &At<String>, at: Span, moved: &Moved) -> Option<String> {
        self.need(moved, "from", moved.from.is_some(), at, "the key it had");
        let from = moved.from.as_ref()?;
        if from.value.0 == key.value {
            self.error(from.at, "it has this key still", "the key it had before");
        }
        Some(from.value.0.clone())
    }

    /// Reports fields of an `existing` entry: they cannot be set.
    fn refuse_managed<K: Section>(&mut self, written: &Written<K>) {
        if let Some(name) = &written.name {
            self.error(name.at, "both `name` and `existing`", "`name` for ours, `existing` for somebody else's");
        }
        for key in &written.managed_only {
            let what = format!("`{}` cannot be set on what is only referred to", key.value);
            self.error(key.at, what, "not beside `existing`");
        }
    }

    fn entry_tags<K: Section>(&mut self, key: &At<String>, written: &Written<K>) -> Tags {
        let own = tags::written(written.common.tags.as_ref());
        tags::check(&own, &self.tag_prefix, key.at, self.mistakes);
        let mut all = self.tags.clone();
        all.extend(own);
        tags::check_count(&all, key.at, self.mistakes);
        tags::values(&all)
    }

    /// Reports a name that AWS does not take.
    pub(crate) fn check_name<K: Section>(&mut self, at: Span, name: &str) {
        if let Err(why) = K::check_name(name) {
            self.error(at, format!("`{name}` cannot be the name of {}", K::NOUN), why);
        }
    }

    /// The name on AWS. Only a bucket is named alike in all environments.
    fn physical<K: Section>(&mut self, name: &At<String>) -> String {
        let physical = match &self.environment {
            Some(environment) if K::NAMED_BY_ENVIRONMENT => environment.name(name, K::NAME_MAX, self.mistakes),
            _ => name.value.clone(),
        };
        if physical.chars().count() > K::NAME_MAX {
            let what = format!("a name of {} characters is too long", physical.chars().count());
            self.error(name.at, what, format!("at most {} characters", K::NAME_MAX));
        } else {
            self.check_name::<K>(name.at, &physical);
        }
        physical
    }
}
