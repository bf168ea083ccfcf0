//! A section of the spec, for any kind that has one. A kind says its fields, how they become what is wanted and how that is
//! written again ([`Section`]); the rest is the same for all: names, references, tags, protection, `existing:`, schema.

mod entry;
mod environment;
mod lower;
mod references;
mod tags;
pub(crate) mod words;

pub(crate) use entry::Written;
pub use entry::{Entry, Managed};
pub(crate) use environment::{Rule, check_rules, environment};
pub(crate) use lower::Lower;
pub use references::Ref;
pub(crate) use references::References;
pub(crate) use tags::written as written_tags;

use crate::names::{Address, Names, shorten};
use crate::yaml::shape::{At, Record, Scalar, Shape};

/// A kind whose entries people write into a section of the spec. The value itself is what is wanted of one.
pub(crate) trait Section: Clone + 'static {
    /// The fields of an entry, besides those that every entry can have.
    type Fields: Record + Shape;
    /// Its name on AWS: the pattern of `name`.
    type Name: Scalar + Into<String>;
    /// Its name or ARN: the pattern of `existing`.
    type Id: Scalar + Into<String>;
    /// As an error names one: "a stream". Its last word begins the names of its outputs.
    const NOUN: &'static str;
    /// The longest name in characters. A longer one of an environment is shortened.
    const NAME_MAX: usize;
    /// Has it a name of its own in each environment? Only a bucket has not.
    const NAMED_BY_ENVIRONMENT: bool = true;

    /// The name of one that the spec gives none, before the environment's rule.
    fn generated_name(lower: &mut Lower, key: &str) -> String {
        shorten(&format!("{}-{key}", lower.stack), Self::NAME_MAX)
    }
    /// AWS's further rules for a name that fits the pattern.
    fn check_name(_name: &str) -> Result<(), &'static str> {
        Ok(())
    }
    /// Makes the desired resource of the fields, and reports mistakes. `name`: on AWS, empty if it was reported as missing.
    /// `None`: something indispensable is missing, which was reported.
    fn read(lower: &mut Lower, key: &At<String>, name: &str, fields: Self::Fields) -> Option<Self>;
    /// The inverse of `read`: fields that would be read as this, with every default filled in.
    fn fields(&self) -> Self::Fields;
    fn arn(name: &str, names: &Names) -> String;
    /// Outputs besides name and ARN.
    fn outputs(&self) -> Vec<(&'static str, String)> {
        vec![]
    }
    /// The resources that must exist before it, besides those that it refers to.
    fn after(&self, _key: &str) -> Vec<Address> {
        vec![]
    }
}
