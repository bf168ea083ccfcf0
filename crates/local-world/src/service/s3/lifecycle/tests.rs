//! Rules by themselves.

use serde_json::json;

use super::super::Description;
use super::super::version::Marker;
use super::*;

/// Ten in the morning of the first day.
const START: Millis = 10 * 3600 * 1000;

fn object(version: &str, day: Millis) -> Object {
    let tags = [("team".to_owned(), "data".to_owned())].into();
    Object {
        size: 100,
        last_modified: START + day * DAY_MS,
        version: Some(version.to_owned()),
        description: Description { tags, ..Description::default() },
        ..Object::default()
    }
}

fn marker(version: &str, day: Millis) -> Marker {
    Marker { version: Some(version.to_owned()), at: START + day * DAY_MS }
}

fn rule(filter: Value, members: Value) -> Value {
    let mut rule = json!({ "id": "r 1", "status": "Enabled", "filter": filter });
    rule.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    rule
}

#[test]
fn what_is_current_expires_at_the_midnight_after_its_days_where_the_filter_fits() {
    let after = |days: u32| json!({ "expiration": { "days": days } });
    let tag = |value: &str| json!({ "key": "team", "value": value });
    let on = json!({ "expiration": { "date": "1970-01-03T00:00:00Z" } });
    // (filter, action, hours after the first midnight at which it is first gone; none where it stays)
    let table = [
        (json!({}), after(1), Some(48)),
        (json!({}), after(3), Some(96)),
        (json!({}), on, Some(48)),
        (json!({ "prefix": "a/" }), after(1), Some(48)),
        (json!({ "prefix": "b/" }), after(1), None),
        (json!({ "tag": tag("data") }), after(1), Some(48)),
        (json!({ "tag": tag("other") }), after(1), None),
        (json!({ "object_size_greater_than": 99 }), after(1), Some(48)),
        (json!({ "object_size_greater_than": 100 }), after(1), None),
        (json!({ "object_size_less_than": 101 }), after(1), Some(48)),
        (json!({ "object_size_less_than": 100 }), after(1), None),
        (json!({ "and": { "prefix": "a/", "tags": [tag("data")], "object_size_less_than": 101 } }), after(1), Some(48)),
        (json!({ "and": { "prefix": "a/", "tags": [tag("data"), tag("x")] } }), after(1), None),
        (json!({}), json!({ "status": "Disabled", "expiration": { "days": 1 } }), None),
        (json!({}), json!({ "noncurrent_version_expiration": { "noncurrent_days": 1 } }), None),
    ];
    for (filter, action, hours) in table {
        let rules = rules(&json!([rule(filter.clone(), action.clone())]));
        let object = object("v", 0);
        let at = |now: Millis| of_key(&rules, now, "a/k", &[Shown::Object(&object)]);
        assert_eq!(told(&rules, "a/k", &object).is_some(), hours.is_some(), "{filter} {action}");
        let Some(hours) = hours else {
            assert_eq!(at(365 * DAY_MS), [], "{filter} {action}");
            continue;
        };
        let due = hours * 3600 * 1000;
        assert_eq!((at(due - 1), at(due)), (vec![], vec![Act::Delete]), "{filter} {action}");
    }
}

/// Versions, filter, action, day, and the ids that go.
type Row<'a> = (&'a [Shown<'a>], Value, Value, Millis, &'a [&'a str]);

#[test]
fn versions_that_are_not_current_go_by_age_and_number_and_a_lone_marker_goes_too() {
    let [newest, second, third] = [object("3", 2), object("2", 1), object("1", 0)];
    let deleted = marker("4", 5);
    let all = [Shown::Object(&newest), Shown::Object(&second), Shown::Object(&third)];
    let under_marker = [Shown::Marker(&deleted), Shown::Object(&newest)];
    let lone = [Shown::Marker(&deleted)];
    let noncurrent = |days: u32, newer: Option<u32>| json!({ "noncurrent_version_expiration": { "noncurrent_days": days, "newer_noncurrent_versions": newer } });
    let cleared = || json!({ "expiration": { "expired_object_delete_marker": true } });
    let sized = json!({ "object_size_less_than": 1000 });
    let table: [Row; 10] = [
        (&all, json!({}), noncurrent(1, None), 2, &[]),
        (&all, json!({}), noncurrent(1, None), 3, &["1"]),
        (&all, json!({}), noncurrent(1, None), 4, &["2", "1"]),
        (&all, json!({}), noncurrent(1, Some(1)), 9, &["1"]),
        (&all, json!({}), noncurrent(1, Some(2)), 9, &[]),
        (&under_marker, json!({}), noncurrent(3, None), 9, &["3"]),
        (&under_marker, json!({}), cleared(), 9, &[]),
        (&lone, json!({}), cleared(), 6, &["4"]),
        (&lone, json!({}), json!({ "expiration": { "days": 2 } }), 8, &["4"]),
        (&lone, sized, json!({ "expiration": { "days": 2 } }), 8, &[]),
    ];
    for (versions, filter, action, day, expected) in table {
        let found = of_key(&rules(&json!([rule(filter, action.clone())])), day * DAY_MS, "k", versions);
        let expected: Vec<Act> = expected.iter().map(|id| Act::Remove(Some((*id).to_owned()))).collect();
        assert_eq!(found, expected, "{action} on day {day}");
    }
}

#[test]
fn uploads_are_given_up_and_the_first_of_several_times_is_told() {
    let abort = json!({ "abort_incomplete_multipart_upload": { "days_after_initiation": 2 } });
    let uploads = rules(&json!([rule(json!({ "prefix": "a/" }), abort)]));
    for (key, day, expected) in [("a/k", 2, false), ("a/k", 3, true), ("b/k", 9, false)] {
        assert_eq!(gives_up(&uploads, day * DAY_MS, key, START), expected, "{key} {day}");
    }
    let later = rule(json!({}), json!({ "id": "later", "expiration": { "days": 9 } }));
    let first = rules(&json!([later, rule(json!({}), json!({ "expiration": { "days": 1 } }))]));
    let expected = "expiry-date=\"Sat, 03 Jan 1970 00:00:00 GMT\", rule-id=\"r+1\"";
    assert_eq!(told(&first, "k", &object("v", 0)).as_deref(), Some(expected));
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let tag = json!({ "key": "a", "value": "b" });
    for (rule, code) in [
        (rule(json!({}), json!({ "expiration": { "days": 1 } })), None),
        (json!({ "status": "Enabled", "prefix": "", "expiration": { "days": 1 } }), None),
        (json!({ "status": "Enabled", "expiration": { "days": 1 } }), Some("MalformedXML")),
        (rule(json!({ "prefix": "a", "and": { "prefix": "b" } }), json!({})), Some("MalformedXML")),
        (rule(json!({ "prefix": "", "object_size_greater_than": 500 }), json!({})), Some("MalformedXML")),
        (rule(json!({}), json!({ "noncurrent_version_expiration": {} })), Some("MalformedXML")),
        (
            rule(json!({}), json!({ "expiration": { "expired_object_delete_marker": true, "days": 1 } })),
            Some("MalformedXML"),
        ),
        (rule(json!({}), json!({ "expiration": { "date": "2026-01-01T01:00:00Z" } })), Some("InvalidArgument")),
        (
            rule(json!({ "and": { "tags": [tag, tag] } }), json!({ "expiration": { "days": 1 } })),
            Some("InvalidRequest"),
        ),
        (rule(json!({}), json!({ "expiration": { "days": 0 } })), Some("InvalidArgument")),
        (
            rule(json!({}), json!({ "noncurrent_version_expiration": { "noncurrent_days": 0 } })),
            Some("InvalidArgument"),
        ),
        (rule(json!({}), json!({ "expiration": {} })), Some("MalformedXML")),
        (rule(json!({}), json!({ "expiration": { "days": 1, "date": "2026-01-01T00:00:00Z" } })), Some("MalformedXML")),
        (rule(json!({}), json!({ "status": "On", "expiration": { "days": 1 } })), Some("MalformedXML")),
        (rule(json!({}), json!({})), Some("InvalidRequest")),
        (rule(json!({}), json!({ "transitions": [{ "days": 30, "storage_class": "GLACIER" }] })), None),
        (
            rule(json!({}), json!({ "transitions": [{ "days": 30 }], "expiration": { "days": 30 } })),
            Some("InvalidArgument"),
        ),
        (rule(json!({}), json!({ "id": "n".repeat(256), "expiration": { "days": 1 } })), Some("InvalidArgument")),
        (
            rule(json!({ "tag": tag }), json!({ "abort_incomplete_multipart_upload": { "days_after_initiation": 1 } })),
            Some("InvalidRequest"),
        ),
        (
            rule(
                json!({ "object_size_less_than": 9 }),
                json!({ "expiration": { "expired_object_delete_marker": true } }),
            ),
            Some("InvalidRequest"),
        ),
    ] {
        assert_eq!(check(&json!([rule])).err().map(|error| error.code), code, "{rule}");
    }
    let one = rule(json!({}), json!({ "expiration": { "days": 1 } }));
    assert_eq!(check(&json!([one, one])).unwrap_err().code, "InvalidArgument");
    assert_eq!(check(&json!(vec![one; 1_001])).unwrap_err().code, "MalformedXML");
}
