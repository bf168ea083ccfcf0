//! The keys of a spec, each once, with its type, bounds, default and description. The reader and the JSON Schema
//! are made of this. And the table of the kinds that have a section.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aws_facts::tags::MAX_VALUE_CHARS;

use super::Unplaced;
use crate::names::Tags;
use crate::resource::Resource;
use crate::resource::bucket::Bucket;
use crate::resource::delivery_stream::DeliveryStream;
use crate::resource::function::Function;
use crate::resource::stream::Stream;
use crate::section::words::{Account, IamPath, PolicyArn, Region, StackName, TagPrefix, VariableName};
use crate::section::{Entry, Lower, Rule, Section, Written};
use crate::yaml::collection::Map;
use crate::yaml::scalar::{Int, Text};
use crate::yaml::shape::{At, record, said};

/// Something that is done with each section of a checked spec, whatever its kind.
pub(crate) trait EachSection {
    fn section<K: Section + Resource>(&mut self, key: &'static str, entries: &BTreeMap<String, Entry<K>>);
}

/// Declares the spec, as it is written and as it is once it was checked, with these sections. A row is a section's key and its kind.
macro_rules! sections {
    ($($(#[doc = $doc:literal])* $section:ident: $kind:ty;)*) => {
        record! {
            /// A stack: streams, the deliveries that read them, the functions that transform and the buckets that receive.
            Spec {
                /// Version of the format: 1.
                version: Int<1, 1>;
                /// Name of the stack. With the environment it says whose a resource is.
                stack: StackName;
                /// Where the stack must be.
                target: TargetFields;
                /// Tags of every resource.
                tags: Map<Text<0, MAX_VALUE_CHARS>>;
                /// Prefix of the keys of provision's own tags, before a slash.
                tag_prefix: TagPrefix = crate::spec::TAG_PREFIX;
                /// Settings of all derived roles.
                iam: IamFields;
                /// Variables whose values are not shown, besides those that are known by their names (`API_KEY`, `DB_PASSWORD`).
                secrets: Vec<At<VariableName>>;
                /// How names and prefixes differ by environment: a pattern (`*` stands for anything) and its rule. A pattern
                /// without `*` goes first, then the first that fits, then `"*": { names: "${name}-${env}", prefixes: "${env}/${prefix}" }`.
                /// A name or prefix that contains `${env}` itself is taken as written.
                environments: Map<Rule>;
                /// Defaults of the entries of a section.
                defaults: Defaults;
                $($(#[doc = $doc])* $section: Map<Written<$kind>>;)*
            }
        }

        record! {
            /// Defaults of the entries of a section.
            Defaults {
                $($section: <$kind as Section>::Fields;)*
            }
        }

        /// A checked spec: names are physical, references are resolved, variables are
        /// filled in, paths are absolute. Whoever holds a [`Stack`] need not doubt it.
        #[derive(Debug, Clone, Default)]
        pub struct Stack {
            /// The spec's own path, as given.
            pub file: PathBuf,
            pub name: String,
            pub env: Option<String>,
            pub target: Target,
            /// On every resource that can carry tags. Without ours.
            pub tags: Tags,
            pub tag_prefix: String,
            pub iam: Iam,
            /// To be read again in its place, on which names depend.
            pub unplaced: Option<Arc<Unplaced>>,
            // By logical name.
            $(pub $section: BTreeMap<String, Entry<$kind>>,)*
        }

        impl Stack {
            /// Checks every section of `spec`, in the order of the table, and adds it.
            pub(super) fn read_sections(&mut self, spec: &Spec, lower: &mut Lower) {
                let defaults = spec.defaults.as_ref().map(|defaults| &defaults.value);
                $(lower.references.declare(spec.$section.as_ref());)*
                $(self.$section = lower.section(spec.$section.as_ref(), defaults.and_then(|d| d.$section.as_ref()));)*
            }

            pub(crate) fn each_section(&self, act: &mut impl EachSection) {
                $(act.section(stringify!($section), &self.$section);)*
            }

            /// The spec that says this stack.
            pub(super) fn written(&self) -> Spec {
                Spec {
                    $($section: written_section(&self.$section, &self.tags),)*
                    ..written_top(self)
                }
            }
        }
    };
}

// An entry may refer to entries of the sections above its own.
sections! {
    /// Kinesis data streams.
    streams: Stream;
    /// S3 buckets.
    buckets: Bucket;
    /// Lambda functions.
    functions: Function;
    /// Firehose delivery streams.
    deliveries: DeliveryStream;
}

/// Where the stack must be, if the spec says so.
#[derive(Debug, Clone, Default)]
pub struct Target {
    pub region: Option<String>,
    /// Any other account is refused.
    pub account: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Iam {
    /// `/`, or begins and ends with `/`.
    pub path: String,
    /// ARN of the permissions boundary of every derived role.
    pub boundary: Option<String>,
}

record! {
    /// Where the stack must be.
    TargetFields {
        /// AWS region; otherwise that of --region or of the AWS environment.
        region: Region;
        /// The only account that is not refused.
        account: Account;
    }
}

record! {
    /// Settings of all derived roles.
    IamFields {
        /// Outer path of the roles; `provision/STACK/REGION/ENV/` follows it.
        path: IamPath = "/";
        /// ARN of the policy that is their permissions boundary.
        boundary: PolicyArn;
    }
}

fn written_top(stack: &Stack) -> Spec {
    let Target { region, account } = stack.target.clone();
    let has_target = region.is_some() || account.is_some();
    let target = TargetFields {
        region: region.and_then(|region| said(Region(region))),
        account: account.and_then(|account| said(Account(account))),
        ..TargetFields::default()
    };
    let iam = IamFields {
        path: said(IamPath(stack.iam.path.clone())),
        boundary: stack.iam.boundary.clone().and_then(|arn| said(PolicyArn(arn))),
        ..IamFields::default()
    };
    let tags = stack.tags.iter().map(|(key, value)| (key.clone(), Text(value.clone())));
    Spec {
        version: said(Int(1)),
        stack: said(StackName(stack.name.clone())),
        target: said(target).filter(|_| has_target),
        tags: said(Map::of(tags)).filter(|_| !stack.tags.is_empty()),
        tag_prefix: said(TagPrefix(stack.tag_prefix.clone())),
        iam: said(iam),
        ..Spec::default()
    }
}

fn written_section<K: Section>(entries: &BTreeMap<String, Entry<K>>, inherited: &Tags) -> Option<At<Map<Written<K>>>> {
    let entries = entries.iter().map(|(key, entry)| (key.clone(), Written::of(entry, inherited)));
    said(Map::of(entries)).filter(|section| !section.value.pairs.is_empty())
}
