//! An entry of a section: as it was written, and as it is once it was checked.

use aws_facts::tags::MAX_VALUE_CHARS;
use serde_json::Value as Json;
use serde_yaml::{Mapping, Value as Yaml};

use super::Section;
use super::words::Key;
use crate::names::Tags;
use crate::yaml::collection::Map;
use crate::yaml::diagnostic::Mistake;
use crate::yaml::scalar::Text;
use crate::yaml::schema;
use crate::yaml::shape::{At, Field, Record, Shape, known_pairs, record, said, take};
use crate::yaml::tree::Node;

/// One entry of a section: ours to manage, or somebody else's to refer to.
#[derive(Debug, Clone)]
pub enum Entry<T> {
    Managed(Managed<T>),
    /// A name or an ARN: read, never changed.
    Existing(String),
}

#[derive(Debug, Clone)]
pub struct Managed<T> {
    /// On AWS: the environment's rule and the shortening applied.
    pub physical: String,
    /// The stack's tags with the entry's own over them.
    pub tags: Tags,
    /// Neither replaced nor deleted.
    pub protect: bool,
    /// The logical name it had before.
    pub moved_from: Option<String>,
    pub desired: T,
}

impl<T> Entry<T> {
    /// The physical name; of an ARN its last part (after the last `/` or `:`).
    pub fn physical(&self) -> &str {
        match self {
            Entry::Managed(managed) => &managed.physical,
            Entry::Existing(id) if id.starts_with("arn:") => id.rsplit(['/', ':']).next().unwrap_or(id),
            Entry::Existing(id) => id,
        }
    }

    pub fn managed(&self) -> Option<&Managed<T>> {
        match self {
            Entry::Managed(managed) => Some(managed),
            Entry::Existing(_) => None,
        }
    }
}

record! {
    /// Fields that every entry can have.
    Common {
        /// Tags of this resource, over those of the stack.
        tags: Map<Text<0, MAX_VALUE_CHARS>>;
        /// Never replace or delete it.
        protect: bool = "false";
        /// It had another key in this spec before.
        moved: Moved;
    }
}

record! {
    /// It had another key in this spec before.
    Moved {
        /// The key it had.
        from: Key;
    }
}

const NAME: Word = (
    "name",
    "Name on AWS of a resource of this stack. Default: the stack's name and the key; of a bucket also account and region.",
);
const EXISTING: Word =
    ("existing", "Name or ARN of somebody else's: only referred to, never made, changed or deleted.");
type Word = (&'static str, &'static str);

/// An entry as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Written<K: Section> {
    pub name: Option<At<String>>,
    pub existing: Option<At<String>>,
    /// Those of the two that were written, but with a value that was reported as a mistake.
    pub wrong: Vec<&'static str>,
    pub common: Common,
    pub fields: K::Fields,
    /// Keys that only a resource of ours can have, where they stand.
    pub managed_only: Vec<At<String>>,
}

impl<K: Section> Written<K> {
    fn all_fields() -> Vec<Field> {
        let field = |(name, doc): Word, schema| Field { name, doc, default: None, schema };
        let id = vec![field(NAME, <K::Name as Shape>::schema), field(EXISTING, <K::Id as Shape>::schema)];
        [id, K::Fields::fields(), Common::fields()].into_iter().flatten().collect()
    }

    /// `inherited`: the tags of the stack.
    pub fn of(entry: &Entry<K>, inherited: &Tags) -> Written<K> {
        let mut written = Written {
            name: None,
            existing: None,
            wrong: vec![],
            common: Common::default(),
            fields: K::Fields::default(),
            managed_only: vec![],
        };
        match entry {
            Entry::Existing(id) => written.existing = said(id.clone()),
            Entry::Managed(managed) => {
                written.name = said(managed.physical.clone());
                written.fields = managed.desired.fields();
                let own = managed.tags.iter().filter(|(key, value)| inherited.get(*key) != Some(value));
                let own: Vec<_> = own.map(|(key, value)| (key.clone(), Text(value.clone()))).collect();
                let moved = |from: &String| Moved { from: said(Key(from.clone())), ..Moved::default() };
                written.common = Common {
                    tags: said(Map::of(own)).filter(|tags| !tags.value.pairs.is_empty()),
                    protect: said(managed.protect),
                    moved: managed.moved_from.as_ref().and_then(|from| said(moved(from))),
                    ..Common::default()
                };
            }
        }
        written
    }
}

impl<K: Section> Shape for Written<K> {
    fn read(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let pairs = known_pairs(node, &Self::all_fields(), mistakes)?;
        let managed_only = pairs.iter().filter(|pair| ![NAME.0, EXISTING.0].contains(&pair.key.as_str()));
        let mut wrong = vec![];
        let name = take::<K::Name>(pairs, NAME.0, mistakes, &mut wrong);
        let existing = take::<K::Id>(pairs, EXISTING.0, mistakes, &mut wrong);
        Some(Written {
            name: name.map(At::text),
            existing: existing.map(At::text),
            wrong,
            common: Common::take(pairs, mistakes),
            fields: K::Fields::take(pairs, mistakes),
            managed_only: managed_only
                .map(|pair| At { value: pair.key.clone(), at: pair.key_at, varies: false })
                .collect(),
        })
    }

    fn write(&self) -> Yaml {
        let mut mapping = Mapping::new();
        for (key, id) in [(NAME.0, &self.name), (EXISTING.0, &self.existing)] {
            if let Some(id) = id {
                mapping.insert(key.into(), Shape::write(&Text::<1, 2048>(id.value.clone())));
            }
        }
        self.fields.write_into(&mut mapping);
        self.common.write_into(&mut mapping);
        mapping.into()
    }

    fn schema() -> Json {
        schema::object(K::Fields::ABOUT, &Self::all_fields())
    }
}
