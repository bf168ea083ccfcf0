use super::*;

fn evaluated(prefix: &str, error_type: Option<&str>) -> String {
    let time: Zoned = "2026-07-13T14:05:09+00:00[UTC]".parse().unwrap();
    let partition_keys = PartitionKeys::from([
        (PartitionKey::FromLambda("customer".into()), "c1".into()),
        (PartitionKey::FromQuery("customer".into()), "q1".into()),
    ]);
    let random_string = &|place: usize| format!("{place:011}");
    let facts = Facts { time: &time, error_type, partition_keys: &partition_keys, random_string };
    Prefix::parse(prefix).unwrap().evaluate(facts)
}

#[test]
fn prefixes_are_evaluated_as_the_service_does() {
    let failed = Some("processing-failed");
    let table = [
        ("", None, "2026/07/13/14/"),
        ("legacy", None, "legacy2026/07/13/14/"),
        ("data/raw/good/", None, "data/raw/good/2026/07/13/14/"),
        ("myPrefix/!{timestamp:yyyy}/anyMonth/", None, "myPrefix/2026/anyMonth/"),
        ("y=!{timestamp:yyyy}/m=!{timestamp:MM}/", None, "y=2026/m=07/"),
        ("!{timestamp:'year='yyyy}/", None, "year=2026/"),
        ("c=!{partitionKeyFromLambda:customer}/", None, "c=c1/"),
        ("!{partitionKeyFromQuery:customer}/!{timestamp:yyyy}/", None, "q1/2026/"),
        ("myFirehoseFailures/!{firehose:error-output-type}/", failed, "myFirehoseFailures/processing-failed/"),
        ("", failed, "processing-failed/2026/07/13/14/"),
        ("bad/", failed, "bad/processing-failed/2026/07/13/14/"),
        ("!{firehose:random-string}/!{firehose:random-string}", None, "00000000000/00000000002"),
    ];
    for (prefix, error_type, expected) in table {
        assert_eq!(evaluated(prefix, error_type), expected, "{prefix}");
    }
}

/// Firehose's model allows 1,024 characters.
#[test]
fn long_prefixes_are_evaluated_too() {
    for (prefix, length) in [
        (format!("!{{timestamp:{}}}", "n-".repeat(505)), 1_010),
        (format!("!{{timestamp:{}}}", "'-'".repeat(337)), 337 + 336),
        (format!("!{{timestamp:{}}}", "Y".repeat(1_011)), 1_011),
        (format!("!{{timestamp:{}H}}", "p".repeat(1_010)), 1_010),
        ("!{timestamp:y}".repeat(73), 73 * 4),
        ("!{firehose:random-string}".repeat(40), 40 * RANDOM_STRING_LENGTH),
        ("!{partitionKeyFromQuery:customer}".repeat(31), 31 * 2),
        (format!("{}!{{timestamp:yy}}", "{".repeat(1_000)), 1_002),
    ] {
        assert_eq!(evaluated(&prefix, None).len(), length, "{prefix:.40}");
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    let form = |text: &str| Mistake::Form(text.into());
    let namespace = Mistake::Namespace { namespace: "time".into(), expression: "time:yyyy".into() };
    let table = [
        ("!{timestamp:yyyy", Mistake::Open),
        ("!{timestamp}", form("timestamp")),
        ("!{timestamp:}", form("timestamp:")),
        ("!{}", form("")),
        ("!{partitionKeyFromQuery:}", form("partitionKeyFromQuery:")),
        (&"!{".repeat(512), Mistake::Open),
        ("!{time:yyyy}", namespace),
        ("!{firehose:random}", Mistake::Value("firehose:random".into())),
        ("!{timestamp:yyyyb}", Mistake::Pattern(date::Mistake::Unknown('b'))),
    ];
    for (prefix, expected) in table {
        assert_eq!(Prefix::parse(prefix), Err(expected), "{prefix}");
    }
}

#[test]
fn what_an_expression_is_for_is_told_of_both_prefixes() {
    let (error_type, key) = ("!{firehose:error-output-type}", "!{partitionKeyFromLambda:k}");
    let table = [
        (error_type, vec![Misused::ErrorTypeInPrefix], vec![]),
        (key, vec![], vec![Misused::KeyInErrorPrefix, Misused::NoErrorType]),
        ("!{timestamp:yyyy}/", vec![], vec![Misused::NoErrorType]),
        ("plain/", vec![], vec![]),
    ];
    for (prefix, as_prefix, as_error_prefix) in table {
        let prefix = Prefix::parse(prefix).unwrap();
        let is = (prefix.misused(Role::Prefix), prefix.misused(Role::ErrorOutputPrefix));
        assert_eq!(is, (as_prefix, as_error_prefix), "{prefix:?}");
    }
}
