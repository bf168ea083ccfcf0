//! A record's tags, written and read, and as anybody may have changed them.

use super::*;

fn names() -> Names {
    Names {
        stack: "demo".into(),
        env: None,
        account: "111122223333".into(),
        region: "us-east-1".into(),
        tag_prefix: "provision".into(),
        iam_path: "/".into(),
    }
}

#[test]
fn any_physical_name_survives_the_tag() {
    for name in ["lake/data/raw/good/", "lake/ü=ß (1)/", "a=b", ""] {
        let kept = escape(name);
        assert!(kept.chars().all(|c| c.is_ascii_alphanumeric() || "_.:/=+-@".contains(c)), "{kept}");
        assert_eq!(unescape(&kept), name);
    }
}

/// Tags as anybody may have changed them: `key=value` in each line, pages after an empty one.
#[test]
fn fuzz_record() {
    fuzz::over("record", |lines| {
        let text = String::from_utf8_lossy(lines);
        let pages = text.split("\n\n").map(|page| {
            let tags = page.lines().map(|line| line.replace(char::is_control, ""));
            tags.filter_map(|tag| tag.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))).collect()
        });
        let record = Record { pages: pages.collect(), taken: false };
        let (members, odd) = record.read(&names());
        assert!(members.len() <= record.pages.iter().map(Tags::len).sum());
        let told = members.into_values().chain(odd).collect::<String>();
        assert!(!told.contains(char::is_control), "{told:?}");
        let _ = (record.tags_hash(&names()), record.has_unknown_kinds(&names()));
        let text = text.replace(char::is_control, "");
        assert_eq!(unescape(&escape(&text)), text);
    });
}

#[test]
fn a_name_too_long_for_a_tag_goes_on_in_further_tags() {
    let place = format!("lake/{}!{{timestamp:yyyy}}/ by raw", "long=".repeat(200));
    let name = Name::new("prefix", "raw-good", &place);
    let short = Name::new("stream", "events", "events");
    let pages = Record::default().with(&names(), &[name.clone(), short], About::default());
    assert!(pages.iter().flat_map(Tags::values).all(|value| value.len() <= VALUE_MAX));
    let record = Record { pages, taken: false };
    assert_eq!(record.members(&names()).get(&name.address), Some(&place));
    assert_eq!(record.members(&names()).len(), 2);
    for length in [VALUE_MAX - 1, VALUE_MAX, VALUE_MAX + 1, 3] {
        let shorter = Name { physical: format!("lake/{} by raw", "a".repeat(length - 2)), ..name.clone() };
        let pages = record.with(&names(), std::slice::from_ref(&shorter), About::default());
        let members = Record { pages, taken: false }.members(&names());
        assert_eq!(members.get(&name.address), Some(&shorter.physical), "{length}");
    }
}

#[test]
fn what_makes_no_sense_is_told_in_a_line_each_and_is_no_member() {
    let tag = |key: &str, value: &str| (format!("provision/{key}"), value.to_owned());
    let pages = vec![Tags::from([
        tag("member/topic.news", "news"),
        tag("member/nonsense", "x"),
        tag("member/stream.a", "../../b"),
        tag("member/stream.b", ""),
        tag("member/bucket.c", "A"),
        tag("member/prefix.d", "lake/data/"),
        tag("member/stream.good", "good"),
        tag("pages", "99999"),
    ])];
    let record = Record { pages, taken: false };
    assert_eq!(record.members(&names()).into_values().collect::<Vec<_>>(), ["good"]);
    assert_eq!(record.oddities(&names()).len(), 7, "{:#?}", record.oddities(&names()));
    assert!(record.has_unknown_kinds(&names()));
    assert_eq!(unescape("a=1b=[31mb"), "a[31mb", "no escape sequences for a terminal");
}

#[test]
fn members_beyond_one_log_group_are_continued_in_the_next() {
    let name = |i: usize| Name { address: Address::new("stream", format!("s{i}")), physical: format!("p{i}") };
    let add: Vec<Name> = (0..100).map(name).collect();
    let pages = Record::default().with(&names(), &add, About::default());
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|page| page.len() <= 50));
    let record = Record { pages, taken: false };
    assert_eq!(record.members(&names()).len(), 100);
    let again = record.with(&names(), &add[..1], About::default());
    assert_eq!(again, record.pages, "a name that is written down stays where it is");
}
