//! jq queries that take partition keys from records. jaq is close to the jq 1.6 that the service runs.

mod bounds;

use std::collections::BTreeMap;
use std::fmt;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::Val;

use super::failure::Failure;
use bounds::{Bounded, Steps};

/// The most keys that a query may give.
const MOST_KEYS: usize = 50;

/// What jq can do on a machine of one's own, and must not here: read this process's environment, end it.
const NOT_HERE: &str = r#"def env: {}; def halt: error("a query cannot halt"); def halt(f): halt;
    def halt_error: halt; def halt_error(f): halt; "#;

/// A compiled query.
pub struct Query {
    text: String,
    filter: Filter<Bounded>,
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
    /// `None` when it is not a query, or one that could run for ever.
    pub fn parse(text: &str) -> Option<Query> {
        if Query::defines(text) {
            return None;
        }
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).chain([bounds::step()]);
        let arena = Arena::default();
        let code = format!("{NOT_HERE}{}{text}", bounds::STEPPING);
        let modules = Loader::new(definitions).load(&arena, File { code: code.as_str(), path: () }).ok()?;
        let filter = Compiler::default().with_funs(functions).compile(modules).ok()?;
        Some(Query { text: text.to_owned(), filter })
    }

    /// Whether it has definitions of its own, which are not taken here.
    pub fn defines(text: &str) -> bool {
        bounds::defines(text)
    }

    /// The keys that it gives whatever the record, as far as its text says so.
    pub fn keys(&self) -> Vec<String> {
        keys(&self.text)
    }

    /// The keys and values that it finds in a record. A value that is `null`, empty, or not a scalar is none.
    pub fn extract(&self, data: &[u8]) -> Result<BTreeMap<String, String>, Failure> {
        let input: Val = serde_json::from_slice(data).map_err(|_| failed("Non JSON record provided".into()))?;
        let steps = Steps::default();
        let context = Ctx::<Bounded>::new(steps.of(&self.filter.lut), Vars::new([]));
        match self.filter.id.run((context, input)).map(unwrap_valr).next() {
            Some(Ok(Val::Obj(keys))) if keys.len() <= MOST_KEYS => {
                Ok(keys.iter().filter_map(|(key, value)| Some((text(key)?, text(value)?))).collect())
            }
            // The words are ours, here and below.
            Some(Ok(Val::Obj(_))) => Err(failed(format!("The query gives more than {MOST_KEYS} keys"))),
            Some(Ok(_)) | None => Err(failed("The query does not give an object".into())),
            Some(Err(error)) => Err(failed(error.to_string())),
        }
    }
}

/// Of a query that is an object, the keys that are written out.
pub fn keys(query: &str) -> Vec<String> {
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

fn failed(message: String) -> Failure {
    Failure::new("DynamicPartitioning.MetadataExtractionFailed", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_from_records() {
        let record = r#"{"customer":"c1","type":{"device":"web"},"n":7,"f":1.5,"yes":true,"at":1565382027,"none":null,"list":[1]}"#;
        // (query, keys found)
        let table = [
            ("{customer: .customer, device: .type.device}", "customer=c1 device=web"),
            ("{customer, n, f, yes}", "customer=c1 f=1.5 n=7 yes=true"),
            (r#"{year: .at| strftime("%Y"), month: (.at|strftime("%m"))}"#, "month=08 year=2019"),
            ("{a: .nothing, b: .none, c: .list}", ""),
            (r#"{a: (.customer | ascii_upcase | sub("C"; "k")), b: ("\(.n)-x")}"#, "a=k1 b=7-x"),
            ("{a: (env | tostring), b: (env.PATH // 1)}", "a={} b=1"),
            ("{a: (last(range(5)) | tostring), b: ([.list | recurse(.[]?)] | length)}", "a=4 b=2"),
            ("{a: ([limit(3; repeat(1))] | length), b: (1 | until(. > 50; . * 2)), c: .def}", "a=3 b=64"),
            ("{a: ([limit(infinite; repeat(1)?)] | length)}", "a=1000"),
            (r#"{a: (if .n > 5 then "big" else "small" end), b: (.list | length | tostring)}"#, "a=big b=1"),
        ];
        for (query, expected) in table {
            let keys = Query::parse(query).expect(query).extract(record.as_bytes()).expect(query);
            let told: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            assert_eq!(told.join(" "), expected, "{query}");
        }
    }

    #[test]
    fn the_keys_of_a_query_are_those_that_its_text_names() {
        for (query, expected) in [
            ("{a: .x, b: (.y | {c: .})}", "a b"),
            (r#"{customer, "n m": .n, "\u0061": 1}"#, "customer n m a"),
            (r#"{(.x): 1, "\(.y)": 2, $__loc__, b: 3}"#, "b"),
            (".x", ""),
            ("{a: 1", ""),
        ] {
            assert_eq!(keys(query).join(" "), expected, "{query}");
        }
    }

    #[test]
    fn a_record_or_a_query_may_fail() {
        let many: String = (0..51).map(|n| format!("k{n}: 1,")).collect();
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let table = [
            ("{a: .a}", "not json"),
            ("{a: .a}", r#"{"a":1}{"a":2}"#),
            ("{a: .a}", deep.as_str()),
            ("{a: .a.b}", r#"{"a":"text"}"#),
            (".a", r#"{"a":"text"}"#),
            ("empty", "{}"),
            ("halt", "{}"),
            ("{a: halt_error(3)}", "{}"),
            ("{a: [repeat(1)]}", "{}"),
            ("{a: last(0 | recurse(. + 1))}", "{}"),
            ("{a: (0 | until(false; . + 1))}", "{}"),
            ("{a: [0 | while(true; . + 1)]}", "{}"),
            ("{a: last(range(infinite))}", "{}"),
            ("{a: last(range(0; 1; 0))}", "{}"),
            ("{a: ([1] | [combinations(infinite)])}", "{}"),
            (&format!("{{{many}}}"), "{}"),
        ];
        for (query, record) in table {
            let failure = Query::parse(query).expect(query).extract(record.as_bytes()).unwrap_err();
            assert_eq!(failure.code, "DynamicPartitioning.MetadataExtractionFailed", "{query} of {record:.20}");
        }
        for query in [
            "{",
            "{a: nothing_of_that_name}",
            "",
            "def f: f; {a: f}",
            "{a: (def f(g): f(g); f(1))}",
            "{a: (def#\nf: f; f)}",
        ] {
            assert_eq!(Query::parse(query), None, "{query}");
        }
    }
}
