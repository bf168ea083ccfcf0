//! YAML to a checked [`stack::Stack`], and what is wrong with it otherwise.
//!
//! Text → tree with places ([`tree`]) → variables filled in ([`interpolate`]) → typed records ([`grammar`]) → `lower`.
//! Each step reports what it finds and goes on, so that one run names all mistakes.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod find;
mod grammar;
mod lower;
mod render;
mod rules;
mod schema;
pub mod stack;
pub mod starter;

pub use crate::yaml::diagnostic::Diagnostics;
pub use find::find;
pub use render::{data, render};
pub use schema::schema;

pub(crate) use grammar::EachSection;

use crate::secret::{Secrets, is_secret_name};
use crate::section::words::VariableName;
use crate::yaml::diagnostic::Mistake;
use crate::yaml::shape::{At, Shape};
use crate::yaml::tree::Node;
use crate::yaml::{interpolate, tree};
use stack::Stack;

/// Before the slash of the tags that say whose a resource is, where a spec does not choose it.
pub const TAG_PREFIX: &str = "provision";

/// The environment and the variables that a spec is read with.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The environment; its name is `${env}`.
    pub env: Option<String>,
    /// Variables, over those of `variables`. Each must stand in the spec.
    pub set: Vec<(String, String)>,
    /// The environment of the process.
    pub variables: BTreeMap<String, String>,
    /// `${account}` and `${region}`, where they are known.
    pub place: Option<Place>,
}

/// Where a stack is: what `${account}` and `${region}` stand for, and what names of buckets are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub account: String,
    pub region: String,
}

impl Place {
    /// Stands for the place while it is not known, as far as `target` in the spec does not say it: names made of it are as long as
    /// real ones.
    fn assumed(spec: &Node) -> Place {
        let written = |key| interpolate::scalar(spec, &["target", key]).filter(|text| !text.contains("${"));
        let or = |key, assumed: &str| written(key).unwrap_or(assumed).to_owned();
        Place { account: or("account", "000000000000"), region: or("region", "us-east-1") }
    }
}

/// A spec that was read before its place was known, to be read again.
#[derive(Clone)]
pub struct Unplaced {
    path: PathBuf,
    text: String,
    options: LoadOptions,
}

/// The variables may be secret.
impl fmt::Debug for Unplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

impl Stack {
    /// The stack in this account and region.
    ///
    /// # Errors
    /// As [`load`]: a name may be too long with this region in it.
    pub fn at(self, account: &str, region: &str) -> Result<Stack, Diagnostics> {
        let Some(Unplaced { path, text, options }) = self.unplaced.as_deref().cloned() else { return Ok(self) };
        let place = Place { account: account.to_owned(), region: region.to_owned() };
        Ok(read(&path, &text, &LoadOptions { place: Some(place), ..options })?.stack)
    }
}

/// A spec without mistakes, and what may surprise in it.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub stack: Stack,
    pub warnings: Diagnostics,
    /// Values of secret variables, which the stack holds as they are.
    pub secrets: Secrets,
}

/// Reads the spec at `path`.
///
/// # Errors
/// All mistakes of the file; or one, if it cannot be read or is not YAML.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, Diagnostics> {
    let file = path.display().to_string();
    let outside = |what: String| Diagnostics::new(&file, "", vec![Mistake::outside(what)]);
    let bytes = read_bounded(path).map_err(|e| outside(format!("the spec cannot be read: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        outside(format!("the spec is not UTF-8: see line {line}"))
    })?;
    read(path, &text, options)
}

/// The most bytes of a spec. Nobody writes as many; it may be a pipe, and one without an end.
const MAX_BYTES: u64 = 16 << 20;

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes"))),
        false => Ok(bytes),
    }
}

/// The spec `text` that stands at `path`.
///
/// # Errors
/// As [`load`].
pub fn read(path: &Path, text: &str, options: &LoadOptions) -> Result<Loaded, Diagnostics> {
    let file = path.display().to_string();
    let (mut mistakes, mut secrets) = (Vec::new(), Secrets::default());
    let stack = understand(path, text, options, &mut mistakes, &mut secrets);
    let (errors, warnings) = Diagnostics::split(&file, text, mistakes);
    let (errors, warnings) = (errors.without(&secrets), warnings.without(&secrets));
    match stack {
        Some(stack) if errors.is_empty() => Ok(Loaded { stack, warnings, secrets }),
        _ => Err(errors),
    }
}

fn understand(
    path: &Path,
    text: &str,
    options: &LoadOptions,
    mistakes: &mut Vec<Mistake>,
    secrets: &mut Secrets,
) -> Option<Stack> {
    let mut tree = tree::parse(text, mistakes).map_err(|mistake| mistakes.push(mistake)).ok()?;
    let place = options.place.clone().unwrap_or_else(|| Place::assumed(&tree));
    let lookup = |name: &str| {
        let set = || options.set.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        match name {
            "env" => options.env.clone(),
            "account" => set().or_else(|| Some(place.account.clone())),
            "region" => set().or_else(|| Some(place.region.clone())),
            name => set().or_else(|| options.variables.get(name).cloned()),
        }
    };
    let marked = interpolate::marked(&tree);
    let filled = interpolate::fill_tree(&mut tree, &lookup, mistakes);
    for (name, value) in &filled {
        if is_secret_name(name) || marked.contains(name) {
            secrets.add(value);
        }
    }
    let used: HashSet<&str> = filled.iter().map(|(name, _)| name.as_str()).collect();
    let known = || used.iter().copied().filter(|used| *used != "env");
    for (name, _) in options.set.iter().filter(|(name, _)| !used.contains(name.as_str())) {
        let mistake = Mistake::outside(format!("--set {name}: the spec has no `${{{name}}}`"));
        mistakes.push(mistake.nearest(name, known()));
    }
    let spec = grammar::Spec::read(&tree, mistakes)?;
    for At { value: VariableName(name), at, .. } in spec.secrets.iter().flat_map(|secrets| &secrets.value) {
        if !used.contains(name.as_str()) {
            let mistake = Mistake::error(*at, format!("the spec has no `${{{name}}}`"));
            mistakes.push(mistake.expected("the name of a variable").nearest(name, known()));
        }
    }
    let asks_for_place = ["account", "region"].iter().any(|name| used.contains(name));
    let (mut stack, names_by_place) = lower::lower(path, &spec, options.env.as_deref(), &place, mistakes)?;
    if options.place.is_none() && (asks_for_place || names_by_place) {
        let unplaced = Unplaced { path: path.to_owned(), text: text.to_owned(), options: options.clone() };
        stack.unplaced = Some(Arc::new(unplaced));
    }
    Some(stack)
}
