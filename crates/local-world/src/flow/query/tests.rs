//! Results of queries, and their bounds.

use super::*;

/// Queries are evaluated beside this test, in processes that may die.
pub fn beside() {
    let module = module_path!().split_once("::").expect("a module of this crate").1;
    process::offer(&[&format!("{module}::be_an_evaluator"), "--exact", "--ignored", "--test-threads=1"]);
}

#[test]
#[ignore = "an evaluator: others start it as a process of its own"]
fn be_an_evaluator() {
    process::serve();
}

#[test]
fn keys_are_taken_from_records() {
    let record =
        r#"{"customer":"c1","type":{"device":"web"},"n":7,"f":1.5,"yes":true,"at":1565382027,"none":null,"list":[1]}"#;
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
        assert!(matches!(Query::parse(query), Err(Refused::Text)), "{query}");
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
        let levels = (MAX_PARAMETER - middle.len() - "{a:}".len()) / (open.len() + close.len());
        let text = format!("{{a:{}{middle}{}}}", open.repeat(levels), close.repeat(levels));
        keys(&text);
        // Some of these are no queries; none may end the process.
        if let Ok(query) = Query::parse(&text) {
            for record in ["{}", "[[[]]]"] {
                let _ = Extraction::of(&query).keys(record.as_bytes());
            }
        }
    }
    let long = format!("{{a:{}1}}", " ".repeat(MAX_PARAMETER));
    assert!(matches!(Query::parse(&long), Err(Refused::Text)) && keys(&long).is_empty());
}
