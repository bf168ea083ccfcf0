//! Constraints of the service models, as generated tables: a whole input is checked, and every violation is listed in
//! AWS's words.
//!
//! The tables are `constraints.json`, which `scripts/models.py` writes. The order of violations is that of the model's
//! members; AWS's own is not documented.

use serde_json::Value;

use crate::brief;
use crate::request::AwsError;

mod form;
mod model;
mod types;
mod unsupported;
mod words;

use form::Form;
#[cfg(not(test))]
use model::{Kind, MODELS, Service, Shape};
#[cfg(test)]
pub use model::{Kind, MODELS, Service, Shape};
#[cfg(test)]
pub use unsupported::refused_members;

/// AWS lists no more.
const MAX_VIOLATIONS: usize = 10;

/// Checks a JSON input against the model of `service` (`kinesis`, `firehose`, `logs`, `lambda`) and operation.
/// Unknown members are ignored, as AWS does, and so are operations without a table.
///
/// # Errors
/// `SerializationException` for the first value of a wrong JSON type, else `ValidationException` (CloudWatch Logs:
/// `InvalidParameterException`) with at most ten violations; then the refusal of what the engine does not act on.
pub fn input(service: &str, operation: &str, input: &Value) -> Result<(), AwsError> {
    let Some((tables, shape)) = model_of(service, operation) else { return Ok(()) };
    #[cfg(test)]
    if super::reading::is_heard() {
        return Ok(());
    }
    types::check(tables, shape, input)?;
    Violations::of(service, tables, shape, input)?;
    unsupported::check(service, input)
}

/// Checks the parameters of a query call against the model of `service` (`iam`, `sts`) and action.
///
/// # Errors
/// `ValidationError` with at most ten violations; then the refusal of what the engine does not act on.
pub fn query(service: &str, action: &str, parameters: &[(String, String)]) -> Result<(), AwsError> {
    let Some((tables, shape)) = model_of(service, action) else { return Ok(()) };
    #[cfg(test)]
    if super::reading::is_heard() {
        return Ok(());
    }
    let input = Form::new(tables, parameters).value(shape, "").unwrap_or_default();
    Violations::of(service, tables, shape, &input)?;
    unsupported::check(service, &input)
}

fn model_of(service: &str, operation: &str) -> Option<(&'static Service, &'static Shape)> {
    let tables = MODELS.get(service)?;
    Some((tables, tables.shape(tables.operations.get(operation)?)))
}

/// How a service says it.
struct Manner {
    code: &'static str,
    /// Does it repeat the value it refuses?
    echoes: bool,
    /// Does it list the values that it would have taken?
    lists: bool,
    /// Does it say of a list's items and a map's values that they must be there?
    wants: bool,
}

impl Manner {
    fn of(service: &str) -> Manner {
        let plain = Manner { code: "ValidationException", echoes: true, lists: true, wants: false };
        match service {
            "firehose" => Manner { echoes: false, ..plain },
            "lambda" => Manner { wants: true, ..plain },
            "logs" => Manner { code: "InvalidParameterException", ..plain },
            "iam" => Manner { code: "ValidationError", echoes: false, lists: false, wants: false },
            "sts" => Manner { code: "ValidationError", ..plain },
            _ => plain,
        }
    }

    fn repeats(&self, path: &Path) -> bool {
        // This one member CloudWatch Logs does not.
        self.echoes && path.0 != "logGroupIdentifier"
    }
}

struct Violations<'a> {
    tables: &'a Service,
    manner: Manner,
    out: Vec<String>,
}

/// `records.1.member.partitionKey`
struct Path(String);

impl Path {
    fn member(&self, name: &str) -> Path {
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let name: String = first.into_iter().chain(letters).collect();
        Path(if self.0.is_empty() { name } else { format!("{}.{name}", self.0) })
    }

    fn item(&self, at: impl std::fmt::Display) -> Path {
        Path(format!("{}.{at}.member", self.0))
    }
}

impl Violations<'_> {
    /// All that the input violates, as one error.
    fn of(service: &str, tables: &Service, shape: &Shape, input: &Value) -> Result<(), AwsError> {
        let mut found = Violations { tables, manner: Manner::of(service), out: vec![] };
        found.walk(shape, input, &Path(String::new()));
        found.into_result()
    }

    fn into_result(mut self) -> Result<(), AwsError> {
        self.out.truncate(MAX_VIOLATIONS);
        let count = self.out.len();
        let errors = if count == 1 { "error" } else { "errors" };
        match count {
            0 => Ok(()),
            _ => Err(AwsError::new(
                self.manner.code,
                format!("{count} validation {errors} detected: {}", self.out.join("; ")),
            )),
        }
    }

    fn walk(&mut self, shape: &Shape, value: &Value, path: &Path) {
        if self.out.len() >= MAX_VIOLATIONS {
            return;
        }
        for constraint in words::violated(shape, value, self.manner.lists) {
            self.refuse(shape, value, path, &constraint);
        }
        match (shape.kind, value) {
            (Kind::Structure, _) => self.walk_members(shape, value, path),
            (Kind::List, Value::Array(items)) => {
                let item = self.tables.of(&shape.member);
                self.walk_parts(
                    shape,
                    value,
                    path,
                    ("Member", item),
                    items.iter().zip(1..).map(|(item, at)| (at, item)),
                );
            }
            (Kind::Map, Value::Object(entries)) => {
                let (key, item) = (self.tables.of(&shape.key), self.tables.of(&shape.value));
                if entries.keys().any(|name| !words::violated(key, &Value::from(name.as_str()), true).is_empty()) {
                    self.refuse(shape, value, path, &words::of_all("Map keys", key, false));
                }
                self.walk_parts(shape, value, path, ("Map value", item), entries);
            }
            _ => {}
        }
    }

    /// Violations of scalars are told once, for the list or map that holds them.
    fn walk_parts<'v>(
        &mut self,
        shape: &Shape,
        whole: &Value,
        path: &Path,
        (said, part): (&str, &Shape),
        parts: impl IntoIterator<Item = (impl std::fmt::Display, &'v Value)>,
    ) {
        let mut wrong = false;
        for (at, value) in parts {
            match part.is_scalar() {
                true => wrong = wrong || !words::violated(part, value, true).is_empty(),
                false => self.walk(part, value, &path.item(at)),
            }
        }
        if wrong {
            self.refuse(shape, whole, path, &words::of_all(said, part, self.manner.wants));
        }
    }

    fn walk_members(&mut self, shape: &Shape, value: &Value, path: &Path) {
        for (name, member) in &shape.members {
            let path = path.member(name);
            match value.get(name).filter(|value| !value.is_null()) {
                Some(value) => self.walk(self.tables.shape(member), value, &path),
                None if shape.required.contains(name) => {
                    self.out.push(format!(
                        "Value null at '{}' failed to satisfy constraint: {}",
                        path.0,
                        words::NOT_NULL
                    ));
                }
                None => {}
            }
        }
    }

    fn refuse(&mut self, shape: &Shape, value: &Value, path: &Path, constraint: &str) {
        let echo = if self.manner.repeats(path) {
            format!(" '{}'", brief::value(words::echo(shape, value)))
        } else {
            String::new()
        };
        self.out.push(format!("Value{echo} at '{}' failed to satisfy constraint: {constraint}", path.0));
    }
}

#[cfg(test)]
mod tests;
