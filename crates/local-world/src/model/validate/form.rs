//! The parameters of a query call (`Tags.member.1.Key=k`) as the JSON that the same input would be.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::model::{Kind, Service, Shape};

pub struct Form<'a> {
    tables: &'a Service,
    parameters: HashMap<&'a str, &'a str>,
}

impl<'a> Form<'a> {
    /// The first of two parameters of one name counts.
    pub fn new(tables: &'a Service, parameters: &'a [(String, String)]) -> Form<'a> {
        let parameters = parameters.iter().rev().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Form { tables, parameters }
    }

    /// The value under a name; without a name, the whole input. A text that is not of the kind of its shape stays text.
    pub fn value(&self, shape: &Shape, name: &str) -> Option<Value> {
        match shape.kind {
            Kind::Structure => self.members(shape, name),
            Kind::List => self.items(shape, name),
            Kind::Number => {
                let text = self.text(name)?;
                Some(text.parse::<i64>().map_or_else(|_| text.into(), Value::from))
            }
            Kind::String | Kind::Boolean | Kind::Timestamp | Kind::Blob => Some(self.text(name)?.into()),
            // No input of these services holds one.
            Kind::Map => None,
        }
    }

    fn members(&self, shape: &Shape, name: &str) -> Option<Value> {
        let within = if name.is_empty() { String::new() } else { format!("{name}.") };
        let member = |(member, shape): &(String, String)| {
            let value = self.value(self.tables.shape(shape), &format!("{within}{member}"))?;
            Some((member.clone(), value))
        };
        let members: Map<String, Value> = shape.members.iter().filter_map(member).collect();
        (!members.is_empty()).then_some(Value::Object(members))
    }

    /// A list without items is a parameter of its name.
    fn items(&self, shape: &Shape, name: &str) -> Option<Value> {
        let item = self.tables.of(&shape.member);
        let items: Vec<Value> = (1..).map_while(|at| self.value(item, &format!("{name}.member.{at}"))).collect();
        (!items.is_empty() || self.text(name).is_some()).then_some(Value::Array(items))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).copied()
    }
}
