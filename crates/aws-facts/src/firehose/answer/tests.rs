use super::*;

const OK_B: &str = r#"{"recordId":"b","result":"Ok","data":"Qg=="}"#;

/// The result of checking an answer to records `a` and `b`: each verdict, then each breach and the place of its record.
fn told(payload: &str, failed: bool) -> (String, Vec<(Kind, Option<usize>)>) {
    let judged = judge(&["a", "b"], payload.as_bytes(), failed);
    let one = |verdict: &Verdict| match verdict {
        Verdict::Ok { data, partition_keys } => format!("{} {partition_keys:?}", String::from_utf8_lossy(data)),
        other => other.name().to_owned(),
    };
    let verdicts = judged.verdicts.iter().flatten().map(one).collect::<Vec<_>>().join(", ");
    (verdicts, judged.breaches.iter().map(|breach| (breach.kind, breach.record)).collect())
}

#[test]
fn answers_that_firehose_takes_become_verdicts() {
    let table = [
        (r#"{"recordId":"a","result":"Ok","data":""}"#, " {}, B {}"),
        (r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":null,"more":1}"#, "A {}, B {}"),
        (
            r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":{"partitionKeys":{"k":"v"}}}"#,
            r#"A {"k": "v"}, B {}"#,
        ),
        (r#"{"recordId":"a","result":"Dropped"}"#, "Dropped, B {}"),
        (r#"{"recordId":"a","result":"Dropped","data":"*"}"#, "Dropped, B {}"),
        (r#"{"recordId":"\u0061","result":"Dropp\u0065d"}"#, "Dropped, B {}"),
        (r#"{"recordId":"a","result":"Ok","data":"QUE=","result":"Dropped"}"#, "Dropped, B {}"),
        (r#"{"recordId":"a","result":"ProcessingFailed"}"#, "ProcessingFailed, B {}"),
    ];
    for (record, expected) in table {
        assert_eq!(told(&format!(r#"{{"records":[{record},{OK_B}]}}"#), false), (expected.into(), vec![]), "{record}");
    }
}

#[test]
fn a_record_that_is_forgotten_answered_twice_or_answered_without_data_fails_alone() {
    let table = [
        ("", "Lambda.MissingRecordId, B {}", vec![(Kind::RecordMissing, Some(0))]),
        (
            r#"{"recordId":"b","result":"Dropped"},"#,
            "Lambda.MissingRecordId, Lambda.DuplicatedRecordId",
            vec![(Kind::RecordDuplicated, Some(1)), (Kind::RecordMissing, Some(0))],
        ),
        (
            r#"{"recordId":"c","result":"Dropped"},"#,
            "Lambda.MissingRecordId, B {}",
            vec![(Kind::RecordUnknown, None), (Kind::RecordMissing, Some(0))],
        ),
        (
            r#"{"result":"Dropped"},"#,
            "Lambda.MissingRecordId, B {}",
            vec![(Kind::RecordUnknown, None), (Kind::RecordMissing, Some(0))],
        ),
        (
            r#"{"recordId":"a","result":"Ok","data":null},"#,
            "Lambda.InvalidReturnFormat, B {}",
            vec![(Kind::DataMissing, Some(0))],
        ),
        (r#"{"recordId":"a","result":"Ok"},"#, "Lambda.InvalidReturnFormat, B {}", vec![(Kind::DataMissing, Some(0))]),
    ];
    for (record, verdicts, breaches) in table {
        assert_eq!(told(&format!(r#"{{"records":[{record}{OK_B}]}}"#), false), (verdicts.into(), breaches), "{record}");
    }
}

#[test]
fn one_answer_in_the_wrong_form_fails_the_batch_and_names_its_record() {
    let table = [
        (r#""result":"OK","data":"QQ==""#, Kind::UnknownResult, "the result is \"OK\", not Ok"),
        (r#""result":1,"data":"QQ==""#, Kind::UnknownResult, "the result is a number, not Ok"),
        (r#""data":"QQ==""#, Kind::UnknownResult, "there is no `result`"),
        (r#""result":"Ok","data":{"a":1}"#, Kind::DataNotBase64, "`data` is an object, not a base64 string"),
        (r#""result":"Ok","data":"b'QQ=='""#, Kind::DataNotBase64, "`data` is not base64: b'QQ=='"),
        (r#""result":"Ok","data":"QQ""#, Kind::DataNotBase64, "`data` is not base64: QQ"),
        (r#""result":"Ok","data":"","metadata":[]"#, Kind::PartitionKeys, "`metadata` is a list"),
        (
            r#""result":"Ok","data":"","metadata":{"partitionKeys":"k"}"#,
            Kind::PartitionKeys,
            "`partitionKeys` is a string",
        ),
        (
            r#""result":"Ok","data":"","metadata":{"partitionKeys":{"year":2026}}"#,
            Kind::PartitionKeys,
            "partition key \"year\" is a number, not a string",
        ),
    ];
    for (fields, kind, what) in table {
        let judged =
            judge(&["b", "a"], format!(r#"{{"records":[{OK_B},{{"recordId":"a",{fields}}}]}}"#).as_bytes(), false);
        assert_eq!((&judged.verdicts, judged.breaches.len()), (&None, 1), "{fields}: {judged:?}");
        let breach = judged.fails_the_batch().expect("it fails the batch");
        assert_eq!((breach.kind, breach.record), (kind, Some(1)), "{fields}");
        assert!(breach.what.starts_with(what), "{fields}: {}", breach.what);
    }
}

#[test]
fn texts_of_the_response_are_told_in_short() {
    let long = "x".repeat(5_000);
    for (payload, failed) in [
        (format!(r#"{{"records":[{{"recordId":"a","result":"{long}"}}]}}"#), false),
        (format!(r#"{{"records":[{{"recordId":"{long}","result":"Dropped"}}]}}"#), false),
        (
            format!(
                r#"{{"records":[{{"recordId":"a","result":"Ok","data":"","metadata":{{"partitionKeys":{{"{long}":1}}}}}}]}}"#
            ),
            false,
        ),
        (format!(r#"{{"errorType":"E","errorMessage":"{long}"}}"#), true),
    ] {
        let judged = judge(&["a"], payload.as_bytes(), failed);
        let breach = judged.breaches.first().expect("it is wrong");
        assert!(breach.what.len() < 1_100 && breach.what.contains('…'), "{}", breach.what);
    }
}

#[test]
fn what_is_no_answer_fails_the_batch() {
    let table = [
        ("", "it is not JSON"),
        ("text", "it is not JSON"),
        ("null", "it is null, not an object"),
        ("[]", "it is a list, not an object"),
        ("{}", "it has no `records`"),
        (r#"{"records":{}}"#, "`records` is an object, not a list"),
        (r#"{"records":[1]}"#, "`records` contains a number"),
        (r#"{"records":[["a","Dropped"]]}"#, "`records` contains a list"),
        (r#"[[]]"#, "it is a list, not an object"),
        (&format!("{{\"records\":{}", "[".repeat(1_000_000)), "it is not JSON"),
        (r#"{"records":[{"recordId":1,"result":"Dropped"}]}"#, "a `recordId` of the response is a number"),
    ];
    for (payload, why) in table {
        let judged = judge(&["a"], payload.as_bytes(), false);
        let breach = judged.fails_the_batch().expect("it fails the batch");
        assert!(breach.kind == Kind::Unreadable && breach.what.contains(why), "{payload}: {}", breach.what);
    }
    let long = " ".repeat(MAX_RESPONSE_BYTES + 1);
    assert_eq!(told(&long, false).1, [(Kind::ResponseTooLarge, None)]);
}

#[test]
fn a_function_that_fails_is_told_in_its_own_words() {
    let table = [
        (r#"{"errorType":"KeyError","errorMessage":"'a'","stackTrace":[]}"#, Kind::FunctionFailed, "KeyError: 'a'"),
        (r#"{"errorType":"Sandbox.Timedout","errorMessage":"3 s"}"#, Kind::TimedOut, "Sandbox.Timedout: 3 s"),
        (r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"!"}"#, Kind::ResponseTooLarge, "Function.R"),
        ("gone", Kind::FunctionFailed, "gone"),
    ];
    for (document, kind, what) in table {
        let judged = judge(&["a"], document.as_bytes(), true);
        let breach = judged.fails_the_batch().expect("it fails the batch");
        assert_eq!(breach.kind, kind, "{document}");
        assert!(breach.what.starts_with(&format!("the function failed: {what}")), "{}", breach.what);
    }
}

#[test]
fn any_order_will_do_and_is_told() {
    let a = r#"{"recordId":"a","result":"Dropped"}"#;
    let judged = |records: &str| judge(&["a", "b"], format!(r#"{{"records":[{records}]}}"#).as_bytes(), false);
    let (sorted, reversed) = (judged(&format!("{a},{OK_B}")), judged(&format!("{OK_B},{a}")));
    assert_eq!((sorted.kept(), sorted.reordered, reversed.kept(), reversed.reordered), (true, false, true, true));
    assert_eq!(sorted.verdicts, reversed.verdicts);
}
