//! jq queries that take partition keys from records. jaq is close to the jq 1.6 that the service runs.
//!
//! Neither a query nor a record may end the engine or keep it busy. A query has at most [`MOST_CHARS`] characters and is parsed and
//! compiled on a stack that is deep enough for any of them. It is evaluated in a process of its own ([`process`]), which has little
//! memory and time: inside jaq nothing stops `"a" * 1e9`, a product of nested loops or a `fromjson` that nests without end.

mod bounds;
mod extraction;
pub mod process;

use std::fmt;
use std::sync::Mutex;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::Val;

use super::partition::Found;
use bounds::{Bounded, Steps, on_a_deep_stack};
pub use extraction::Extraction;
use process::Evaluator;

/// Of a processor's parameter. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessorParameter.html>
const MOST_CHARS: usize = 5_120;
/// The most keys that a query may give.
const MOST_KEYS: usize = 50;
/// The most bytes of keys and values. An object's key has 1,024 at most.
const MOST_BYTES: usize = 64 << 10;
/// How much of an error is told: jq repeats the values that it is about.
const MOST_TOLD: usize = 1_000;

/// What jq can do on a machine of one's own, and must not here: read this process's environment, end it.
const NOT_HERE: &str = r#"def env: {}; def halt: error("a query cannot halt"); def halt(f): halt;
    def halt_error: halt; def halt_error(f): halt; "#;

/// A compiled query.
pub struct Query {
    text: String,
    filter: Filter<Bounded>,
    /// Evaluators that wait for the next batch.
    idle: Mutex<Vec<Evaluator>>,
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
        on_a_deep_stack(|| Query::compile(text)).flatten()
    }

    /// Wants a deep stack.
    fn compile(text: &str) -> Option<Query> {
        if text.chars().count() > MOST_CHARS || Query::defines(text) {
            return None;
        }
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).chain([bounds::step()]);
        let arena = Arena::default();
        let code = format!("{NOT_HERE}{}{text}", bounds::STEPPING);
        let modules = Loader::new(definitions).load(&arena, File { code: code.as_str(), path: () }).ok()?;
        let filter = Compiler::default().with_funs(functions).compile(modules).ok()?;
        Some(Query { text: text.to_owned(), filter, idle: Mutex::default() })
    }

    /// Whether it has definitions of its own, which are not taken here.
    pub fn defines(text: &str) -> bool {
        bounds::defines(text)
    }

    /// The keys that it gives whatever the record, as far as its text says so.
    pub fn keys(&self) -> Vec<String> {
        keys(&self.text)
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

/// Of a query that is an object, the keys that are written out.
pub fn keys(query: &str) -> Vec<String> {
    if query.chars().count() > MOST_CHARS {
        return vec![];
    }
    let keys = on_a_deep_stack(|| match load::parse(query, |parser| parser.term()) {
        Some(Term::Obj(entries)) => entries.iter().filter_map(|(key, _)| literal(key)).collect(),
        _ => vec![],
    });
    keys.unwrap_or_default()
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
            let query_of = Query::parse(query).expect(query);
            let keys = Extraction::of(&query_of).keys(record.as_bytes()).expect(query);
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
            let query_of = Query::parse(query).expect(query);
            let failure = Extraction::of(&query_of).keys(record.as_bytes()).unwrap_err();
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

    /// As long as Firehose takes them, of each kind of nesting that there is: on a thread whose own stack is as small as a worker's.
    #[test]
    fn no_query_is_too_deep() {
        // (what begins a level, what is in the middle, what ends a level)
        let table = [
            ("[", "1", "]"),
            ("(", "1", ")"),
            ("{a:", "1", "}"),
            ("{(", "1", "):1}"),
            ("\"\\(", "1", ")\""),
            (".[", "1", "]"),
            (".[:", "1", "]"),
            ("map(", ".", ")"),
            ("first(", ".", ")"),
            ("path(", ".", ")"),
            ("-", "1", ""),
            ("try ", "1", ""),
            ("1|", ".", ""),
            ("1,", ".", ""),
            ("1+", "1", ""),
            ("1//", "1", ""),
            (".=", "1", ""),
            (".|=", "1", ""),
            ("1 as $x|", "1", ""),
            ("1 as [$x", ",$y]|1", ""),
            ("label $x|", "1", ""),
            ("if 1 then ", "1", " end"),
            ("if ", "1", " then 1 end"),
            ("reduce 1 as $x(1;", "1", ")"),
            ("foreach ", "1", " as $x(1;1)"),
            (". as [", "$x", "]"),
            (".a", "", ""),
            ("..|", "1", ""),
            (".[]|", "1", ""),
            ("", "1", "?"),
            ("", "1", "[]"),
            ("# \\\n", "1", ""),
        ];
        for (open, middle, close) in table {
            let levels = (MOST_CHARS - middle.len() - "{a:}".len()) / (open.len() + close.len());
            let text = format!("{{a:{}{middle}{}}}", open.repeat(levels), close.repeat(levels));
            keys(&text);
            // Some of these are no queries; none may end the process.
            if let Some(query) = Query::parse(&text) {
                for record in ["{}", "[[[]]]"] {
                    let _ = Extraction::of(&query).keys(record.as_bytes());
                }
            }
        }
        let long = format!("{{a:{}1}}", " ".repeat(MOST_CHARS));
        assert_eq!((Query::parse(&long), keys(&long)), (None, vec![]));
    }
}
