use super::*;

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).expect("valid parts").into_parts().0
}

/// Method, path, headers, bytes, status and code.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], usize, u16, &'a str);

#[test]
fn every_operation_has_a_bound_and_an_error_by_its_head_alone() {
    const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
    const EVENT: &[(&str, &str)] = &[("x-amz-invocation-type", "Event")];
    let target = |name: &'static str| [("x-amz-target", name)];
    let table: &[Case] = &[
        ("POST", "/", &target("Kinesis_20131202.PutRecords"), 16 * MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/", &target("Kinesis_20131202.PutRecord"), 15 * MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/", &target("Kinesis_20131202.CreateStream"), 2 * MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/", &target("Firehose_20150804.PutRecordBatch"), 6 * MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/", &target("Firehose_20150804.PutRecord"), 3 * MIB / 2, 413, "RequestEntityTooLargeException"),
        ("POST", "/", &target("Logs_20140328.PutLogEvents"), 7 * MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/", &target("Nobody.Knows"), 2 * MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/2015-03-31/functions", &[], 70_167_211, 413, "RequestEntityTooLargeException"),
        ("PUT", "/2015-03-31/functions/f/code", &[], 70_167_211, 413, "RequestEntityTooLargeException"),
        ("POST", "/2015-03-31/functions/f/aliases", &[], 2 * MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/2015-03-31/functions/f/invocations", &[], 6_291_456, 413, "RequestTooLargeException"),
        ("POST", "/2015-03-31/functions/f/invocations", EVENT, MIB, 413, "RequestEntityTooLargeException"),
        ("POST", "/", FORM, 4 * MIB, 413, "RequestEntityTooLarge"),
        ("PUT", "/lake/a", &[], 256 * MIB, 400, "EntityTooLarge"),
        ("PUT", "/lake/a?partNumber=1&uploadId=u", &[], 256 * MIB, 400, "EntityTooLarge"),
        ("PUT", "/a", &[("host", "lake.localhost")], 256 * MIB, 400, "EntityTooLarge"),
        ("PUT", "/lake/a?tagging", &[], 2 * MIB, 400, "MaxMessageLengthExceeded"),
        ("PUT", "/lake?lifecycle", &[], 8 * MIB, 400, "MaxMessageLengthExceeded"),
        ("POST", "/lake?delete", &[], 8 * MIB, 400, "MaxMessageLengthExceeded"),
        ("POST", "/lake/a?uploadId=u", &[], 8 * MIB, 400, "MaxMessageLengthExceeded"),
        ("GET", "/", &[], 2 * MIB, 400, "MaxMessageLengthExceeded"),
        ("POST", "/_local/reset", &[], 2 * MIB, 413, "MaxMessageLengthExceeded"),
    ];
    for (method, path, headers, bytes, status, code) in table {
        let limit = of(&head(method, path, headers));
        let error = limit.refusal();
        assert_eq!((limit.bytes, error.status, error.code), (*bytes, *status, *code), "{method} {path} {headers:?}");
        assert!(limit.bytes >= SMALLEST, "{method} {path}");
    }
}

#[test]
fn the_largest_legal_requests_fit() {
    let key = "\\ud83d\\ude00".repeat(256);
    let base64 = |bytes: usize| bytes.div_ceil(3) * 4;
    let record = format!(r#"{{"Data":"","ExplicitHashKey":"{}","PartitionKey":"{key}"}},"#, "9".repeat(39)).len();
    let event = r#"{"timestamp":1700000000000,"message":""},"#.len();
    for (what, target, bytes) in [
        ("500 records of 10 MiB together", "Kinesis_20131202.PutRecords", base64(10 * MIB) + 500 * (record + 2) + 200),
        ("one record of 10 MiB", "Kinesis_20131202.PutRecord", base64(10 * MIB) + record + 200),
        ("500 records of 4 MiB together", "Firehose_20150804.PutRecordBatch", base64(4 * MIB) + 500 * 20 + 200),
        ("one record of 1,000 KiB", "Firehose_20150804.PutRecord", base64(1_024_000) + 200),
        ("one event of 1 MiB, all escaped", "Logs_20140328.PutLogEvents", 6 * (MIB - 26) + event + 1200),
        ("10,000 events, all escaped", "Logs_20140328.PutLogEvents", 6 * (MIB - 260_000) + 10_000 * event + 1200),
    ] {
        let limit = of(&head("POST", "/", &[("x-amz-target", target)])).bytes;
        assert!(bytes <= limit, "{what}: {bytes} bytes of {limit}");
    }
}
