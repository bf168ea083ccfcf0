//! jq queries that take partition keys from records. jaq is close to the jq 1.6 that the service runs.
//!
//! Neither a query nor a record may end the engine or keep it busy. A query has at most [`MAX_PARAMETER`] characters and is parsed and
//! compiled on a stack that is deep enough for any of them. It is evaluated in a process of its own ([`process`]), which has little
//! memory and time: inside jaq nothing stops `"a" * 1e9`, a product of nested loops or a `fromjson` that nests without end. The time
//! of a batch is bounded too ([`extraction`]), and so is the number of processes ([`shelf`]; the driver lets few batches in at once).

mod bounds;
mod compiled;
mod extraction;
pub mod process;
mod shelf;
#[cfg(test)]
pub mod tests;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use std::{fmt, io};

use aws_facts::firehose::MAX_PARAMETER;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::Val;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::partition::Found;
use bounds::{Bounded, Steps, Undone, on_a_deep_stack};
pub use compiled::Compiled;
pub use extraction::Extraction;

/// The most keys that a query may give.
const MOST_KEYS: usize = 50;
/// The most bytes of keys and values. An object's key has 1,024 at most.
const MOST_BYTES: usize = 64 << 10;
/// How much of an error is told: jq repeats the values that it is about.
const MOST_TOLD: usize = 1_000;

/// Functions of jq that must not work here: they read this process's environment or end it.
const NOT_HERE: &str = r#"def env: {}; def halt: error("a query cannot halt"); def halt(f): halt;
    def halt_error: halt; def halt_error(f): halt; "#;

/// A compiled query.
pub struct Query {
    text: String,
    filter: Filter<Bounded>,
    /// The keys that it gives whatever the record, as far as its text says so.
    keys: Vec<String>,
}

/// Why a text gives no [`Query`].
#[derive(Debug)]
pub enum Refused {
    /// It is not a query, or one that could run for ever.
    Text,
    /// The system gives no thread to compile it on now. The text may be a query.
    NoThread(io::Error),
}

/// The result of evaluating a record.
#[derive(Debug, Serialize, Deserialize)]
struct Evaluated {
    found: Result<Found, String>,
    /// The processor time that it took.
    took: Duration,
}

impl PartialEq for Query {
    fn eq(&self, other: &Query) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Query").field(&self.text).finish()
    }
}

impl Query {
    /// # Errors
    /// See [`Refused`].
    pub fn parse(text: &str) -> Result<Query, Refused> {
        match on_a_deep_stack(|| Query::compile(text)) {
            Ok(query) => query.ok_or(Refused::Text),
            Err(Undone::Panicked) => Err(Refused::Text),
            Err(Undone::NoThread(error)) => Err(Refused::NoThread(error)),
        }
    }

    /// Wants a deep stack.
    fn compile(text: &str) -> Option<Query> {
        if text.chars().count() > MAX_PARAMETER || Query::defines(text) {
            return None;
        }
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).chain([bounds::step()]);
        let arena = Arena::default();
        let code = format!("{NOT_HERE}{}{text}", bounds::STEPPING);
        let modules = Loader::new(definitions).load(&arena, File { code: code.as_str(), path: () }).ok()?;
        let filter = Compiler::default().with_funs(functions).compile(modules).ok()?;
        Some(Query { text: text.to_owned(), filter, keys: named(text) })
    }

    /// Whether it has definitions of its own, which are not taken here.
    pub fn defines(text: &str) -> bool {
        bounds::defines(text)
    }

    /// The keys that it gives whatever the record, as far as its text says so.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// [`Query::evaluate`], with the time that it took. A panic is the record's affair.
    fn timed(&self, record: &[u8]) -> Evaluated {
        let time = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
        let start = time();
        let found = catch_unwind(AssertUnwindSafe(|| self.evaluate(record)));
        let found = found.unwrap_or_else(|_| Err("Evaluating the query failed".into()));
        Evaluated { found, took: time().saturating_sub(start) }
    }

    /// The keys and values that it finds in a record, or why there are none. A value that is `null`, empty, or not a scalar is none.
    /// Wants a deep stack, and does not say how long it takes.
    fn evaluate(&self, record: &[u8]) -> Result<Found, String> {
        let input: Val = serde_json::from_slice(record).map_err(|_| "Non JSON record provided")?;
        let steps = Steps::default();
        let context = Ctx::<Bounded>::new(steps.of(&self.filter.lut), Vars::new([]));
        match self.filter.id.run((context, input)).map(unwrap_valr).next() {
            Some(Ok(Val::Obj(keys))) if keys.len() <= MOST_KEYS => {
                let found: Found = keys.iter().filter_map(|(key, value)| Some((text(key)?, text(value)?))).collect();
                let bytes: usize = found.iter().map(|(key, value)| key.len() + value.len()).sum();
                if bytes <= MOST_BYTES {
                    Ok(found)
                } else {
                    Err(format!("The query gives more than {MOST_BYTES} bytes"))
                }
            }
            // The words are ours, here and below.
            Some(Ok(Val::Obj(_))) => Err(format!("The query gives more than {MOST_KEYS} keys")),
            Some(Ok(_)) | None => Err("The query does not give an object".into()),
            Some(Err(error)) => Err(error.to_string().chars().take(MOST_TOLD).collect()),
        }
    }
}

/// The keys that are written out in a query that is an object.
pub fn keys(query: &str) -> Vec<String> {
    if query.chars().count() > MAX_PARAMETER {
        return vec![];
    }
    on_a_deep_stack(|| named(query)).unwrap_or_default()
}

/// Wants a deep stack.
fn named(query: &str) -> Vec<String> {
    match load::parse(query, |parser| parser.term()) {
        Some(Term::Obj(entries)) => entries.iter().filter_map(|(key, _)| literal(key)).collect(),
        _ => vec![],
    }
}

fn literal(key: &Term<&str>) -> Option<String> {
    let Term::Str(None, parts) = key else { return None };
    let part = |part: &StrPart<&str, Term<&str>>| match part {
        StrPart::Str(text) => Some((*text).to_owned()),
        StrPart::Char(c) => Some(c.to_string()),
        StrPart::Term(_) => None,
    };
    parts.iter().map(part).collect()
}

fn text(value: &Val) -> Option<String> {
    match value {
        Val::TStr(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Val::Num(_) | Val::Bool(_) => Some(value.to_string()),
        Val::Null | Val::BStr(_) | Val::Arr(_) | Val::Obj(_) => None,
    }
}
