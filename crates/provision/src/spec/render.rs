//! The resolved spec as YAML: physical names, the environment applied, defaults filled in. It is a spec again, and means the
//! same without an environment.

use serde_yaml::Value;

use super::stack::Stack;
use crate::secret::Secrets;
use crate::yaml::shape::Shape;

/// `stack` as a spec, without these secrets.
pub fn render(stack: &Stack, secrets: &Secrets) -> String {
    let mut spec = stack.written().write();
    mask(&mut spec, secrets);
    serde_yaml::to_string(&spec).expect("a mapping of strings and numbers serialises")
}

/// `stack` as data, with its secrets, that does not depend on the folder in which it was read: where code is on this machine is left out.
pub fn data(stack: &Stack) -> serde_json::Value {
    let mut spec = serde_json::to_value(stack.written().write()).expect("a mapping of strings and numbers serialises");
    let functions = spec.get_mut("functions").and_then(serde_json::Value::as_object_mut);
    for function in functions.into_iter().flat_map(|functions| functions.values_mut()) {
        for place in ["crate", "zip", "dir"] {
            if let Some(path) = function.get_mut("code").and_then(|code| code.get_mut(place)) {
                *path = serde_json::Value::Null;
            }
        }
    }
    spec
}

/// Before it is written, because a text may be written in other characters than its own.
fn mask(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => *text = secrets.mask(text).into_owned(),
        Value::Sequence(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        Value::Mapping(members) => members.values_mut().for_each(|member| mask(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => {}
    }
}
