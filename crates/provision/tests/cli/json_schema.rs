//! Checks a value against a JSON Schema, as far as `schema/events.schema.json` uses it. A member that the schema does not describe is
//! an error here, so that the schema has everything.

use std::collections::BTreeSet;

use serde_json::Value;

pub struct Schema(pub Value);

/// The members that a schema has described.
type Known = BTreeSet<String>;

impl Schema {
    /// # Errors
    /// The place and the reason of the first mismatch.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.whole(&self.0, value, "").map(drop)
    }

    fn whole(&self, schema: &Value, value: &Value, at: &str) -> Result<Known, String> {
        let known = self.part(schema, value, at)?;
        let any = schema == &Value::Bool(true) || schema.as_object().is_some_and(|schema| !schema.contains_key("type"));
        match value.as_object().into_iter().flatten().find(|(name, _)| !known.contains(*name)) {
            Some((name, _)) if !any || !known.is_empty() => Err(format!("{at}: `{name}` is not described")),
            _ => Ok(known),
        }
    }

    /// One schema of several that may describe the same object.
    fn part(&self, schema: &Value, value: &Value, at: &str) -> Result<Known, String> {
        let mut known = Known::new();
        let Some(rules) = schema.as_object() else { return Ok(known) };
        for (rule, wanted) in rules {
            match rule.as_str() {
                "$ref" => known.extend(self.whole(self.definition(wanted), value, at)?),
                "type" => {
                    require(types(wanted).any(|name| is_of(value, name)), || format!("{at}: {value} is no {wanted}"))?
                }
                "const" => require(value == wanted, || format!("{at}: {value} is not {wanted}"))?,
                "enum" => require(list(wanted).contains(value), || format!("{at}: {value} is none of {wanted}"))?,
                "minimum" => require(!value.is_number() || value.as_f64() >= wanted.as_f64(), || {
                    format!("{at}: {value} is too small")
                })?,
                "maximum" => require(!value.is_number() || value.as_f64() <= wanted.as_f64(), || {
                    format!("{at}: {value} is too large")
                })?,
                "required" => {
                    for name in list(wanted) {
                        let there = value.get(name.as_str().unwrap_or_default()).is_some();
                        require(there, || format!("{at}: there is no {name}"))?;
                    }
                }
                "properties" => {
                    for (name, schema) in wanted.as_object().expect("properties are an object") {
                        let Some(member) = value.get(name) else { continue };
                        self.whole(schema, member, &format!("{at}/{name}"))?;
                        known.insert(name.clone());
                    }
                }
                "additionalProperties" if wanted == &Value::Bool(false) => {}
                "additionalProperties" => {
                    for (name, member) in value.as_object().into_iter().flatten() {
                        self.whole(wanted, member, &format!("{at}/{name}"))?;
                        known.insert(name.clone());
                    }
                }
                "items" => {
                    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.whole(wanted, item, &format!("{at}/{place}"))?;
                    }
                }
                "oneOf" | "anyOf" => known.extend(self.one_of(list(wanted), value, at)?),
                "$defs" | "$schema" | "title" | "description" | "format" | "default" => {}
                other => panic!("{at}: the rule {other} is not known here"),
            }
        }
        Ok(known)
    }

    fn one_of(&self, schemas: &[Value], value: &Value, at: &str) -> Result<Known, String> {
        let tried: Vec<_> = schemas.iter().map(|schema| self.part(schema, value, at)).collect();
        // The reason that lies deepest in the value belongs to the schema that fitted the longest.
        let depth = |reason: &String| reason.split(':').next().unwrap_or_default().matches('/').count();
        let reason = || tried.iter().filter_map(|tried| tried.as_ref().err().cloned()).max_by_key(depth);
        tried.iter().find_map(|tried| tried.as_ref().ok().cloned()).ok_or_else(|| reason().unwrap_or_default())
    }

    fn definition(&self, reference: &Value) -> &Value {
        let path = reference.as_str().and_then(|path| path.strip_prefix('#')).expect("a reference within the schema");
        self.0.pointer(path).unwrap_or_else(|| panic!("{path} is not there"))
    }
}

fn require(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn types(wanted: &Value) -> impl Iterator<Item = &str> {
    let one = wanted.as_str().into_iter();
    one.chain(wanted.as_array().into_iter().flatten().filter_map(Value::as_str))
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused() {
    let schema = Schema(serde_json::json!({
        "type": "object",
        "properties": { "v": { "const": 2 }, "many": { "type": "array", "items": { "$ref": "#/$defs/Small" } } },
        "required": ["v"],
        "oneOf": [{ "properties": { "a": { "type": ["string", "null"] } }, "required": ["a"] }],
        "$defs": { "Small": { "type": "integer", "minimum": 0 } },
    }));
    let checked = |text: &str| schema.check(&serde_json::from_str(text).expect("JSON"));
    assert_eq!(checked(r#"{"v":2,"a":null,"many":[1]}"#), Ok(()));
    for (text, why) in [
        (r#"{"v":1,"a":"b"}"#, "/v: 1 is not 2"),
        (r#"{"a":"b"}"#, ": there is no \"v\""),
        (r#"{"v":2}"#, ": there is no \"a\""),
        (r#"{"v":2,"a":1}"#, "/a: 1 is no [\"string\",\"null\"]"),
        (r#"{"v":2,"a":"b","c":1}"#, ": `c` is not described"),
        (r#"{"v":2,"a":"b","many":[-1]}"#, "/many/0: -1 is too small"),
    ] {
        assert_eq!(checked(text), Err(why.to_owned()), "{text}");
    }
}
