//! Difficult batches for testing a transform: what Firehose may send, and a little more. Deterministic for a seed.

use aws_facts::lambda::MAX_EVENT_BYTES;
use bytes::Bytes;
use fastrand::Rng;

use crate::transform::event::{Data, Oddities, Record};
use crate::transform::subject::Subject;

/// One batch.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    /// Firehose does not send this today, so a failure is only a warning.
    pub beyond: bool,
    /// Made at random.
    pub random: bool,
    /// As from a source that is not a stream.
    pub direct: bool,
    pub odd: Oddities,
    pub records: Vec<Record>,
}

/// How a function receives its data, which decides how large a batch can be.
#[derive(Debug, Clone, Copy)]
pub struct Fed {
    pub from_streams: bool,
    pub direct: bool,
    pub buffer_bytes: usize,
}

impl From<&Subject<'_>> for Fed {
    fn from(subject: &Subject<'_>) -> Fed {
        Fed { from_streams: subject.from_streams, direct: subject.direct, buffer_bytes: subject.buffer_bytes }
    }
}

/// The cases that are always tried, and `random` more, which follow from the seed. `samples` are payloads that the transform
/// is made for; without any, objects of numbers are.
pub fn cases(fed: Fed, samples: &[Bytes], seed: u64, random: usize) -> Vec<Case> {
    let mut rng = Rng::with_seed(seed);
    let samples: Vec<Bytes> = match samples {
        [] => (0..8).map(|_| numbers(&mut rng, 3)).collect(),
        given => given.to_vec(),
    };
    let mut cases = fixed(fed, &samples, &mut rng);
    cases.extend((1..=random).map(|number| mixed(number, fed, &samples, &mut rng)));
    cases
}

impl Case {
    fn of(fed: Fed, name: &str, payloads: impl IntoIterator<Item = impl Into<Bytes>>) -> Case {
        let records = payloads.into_iter().enumerate().map(|(number, data)| Record::numbered(number, data)).collect();
        Case {
            name: name.to_owned(),
            beyond: false,
            random: false,
            direct: !fed.from_streams,
            odd: Oddities::default(),
            records,
        }
    }

    /// Firehose does not send this.
    fn beyond(self) -> Case {
        Case { beyond: true, ..self }
    }
}

fn fixed(fed: Fed, samples: &[Bytes], rng: &mut Rng) -> Vec<Case> {
    let of = |name: &str, payloads: Vec<Bytes>| Case::of(fed, name, payloads);
    let sample = |number: usize| samples[number % samples.len()].clone();
    let many = |count: usize| (0..count).map(sample).collect::<Vec<_>>();
    let mut cases = vec![
        of("one record", many(1)),
        Case { direct: false, beyond: !fed.from_streams, ..of("from a stream", many(3)) },
        Case { direct: true, beyond: !fed.direct, ..of("put directly, without stream metadata", many(3)) },
        of("a thousand records", many(1_000)),
        of("ten thousand tiny records", vec![Bytes::from_static(b"1"); 10_000]),
        of("the same record a hundred times", vec![sample(0); 100]),
        of("one large record", vec![object_of(fed.buffer_bytes.min(1_000 << 10), rng)]),
        of("a full buffer of small records", filled(fed.buffer_bytes, 1 << 10, rng)),
        of("a full buffer of large records", filled(fed.buffer_bytes, 256 << 10, rng)),
    ];
    for (name, payloads) in WORDS {
        let alone = payloads.iter().map(|payload| Bytes::from_static(payload));
        // Between good records, so that one bad record is seen to spoil its batch.
        cases.push(of(name, alone.flat_map(|payload| [sample(0), payload]).chain([sample(1)]).collect()));
    }
    cases.push(of("deep JSON", vec![sample(0), deep(b'[', b']'), deep_object(), sample(1)]));
    let digits = |count: usize| Bytes::from(format!("{{\"n\":{}}}", "9".repeat(count)));
    cases.push(of("numbers of many digits", vec![sample(0), digits(40), digits(400), digits(5_000), sample(1)]));
    cases.push(of("every byte", vec![sample(0), (0..=255).collect::<Vec<u8>>().into(), sample(1)]));
    let odd = Oddities { unknown_fields: true, ..Oddities::default() };
    cases.push(Case { odd, ..of("unknown fields", many(3)) });
    cases.push(with_ids(of("record IDs in another format", many(3)), |number| {
        format!(
            "shardId-00000000000{number}{}49546986683135544286507457936321625675700192471{number:012}",
            "0".repeat(30)
        )
    }));
    cases
        .push(with_ids(of("record IDs in Unicode, with quotes", many(3)), |n| format!("é\"\\\u{1F600}\n{n}")).beyond());
    let odd = Oddities { textual_subsequence: true, ..Oddities::default() };
    cases.push(Case { odd, direct: false, ..of("a subsequence number as a string", many(3)) }.beyond());
    cases.push(of("no records", vec![]).beyond());
    let mut spoilt = of("data that is not base64", many(3)).beyond();
    spoilt.records[1].data = Data::Verbatim("not base64!".into());
    cases.push(spoilt);
    cases.push(of("the largest event that Lambda accepts", filled(LARGEST_DATA, 64 << 10, rng)).beyond());
    cases
}

/// As data, in bytes: base64 makes four of three, and the records' members come on top.
const LARGEST_DATA: usize = MAX_EVENT_BYTES / 4 * 3 - (64 << 10);

/// Payloads that a transform may not expect.
const WORDS: &[(&str, &[&[u8]])] = &[
    ("empty data", &[b""]),
    ("blanks and newlines", &[b" ", b"\n", b"\r\n\t "]),
    ("text that is not JSON", &[b"hello, world", b"a,b,c", b"<a/>", b"'", b"\"", b"\0"]),
    ("JSON cut off", &[b"{\"a\":1", b"[1,", b"\"abc", b"{\"a\"", b"tru", b"\"\\u12"]),
    ("JSON that is not an object", &[b"null", b"true", b"1", b"-0", b"\"text\"", b"[]", b"[{\"a\":1}]"]),
    ("several JSON values in one record", &[b"{\"a\":1}{\"a\":2}", b"{\"a\":1}\n{\"a\":2}\n", b"1 2"]),
    (
        "objects of other values",
        &[b"{}", b"{\"a\":null}", b"{\"a\":\"1\"}", b"{\"a\":[1]}", b"{\"a\":{\"b\":1}}", b"{\"a\":true}"],
    ),
    (
        "bytes that are not UTF-8",
        &[b"\xff", b"\xc3", b"{\"a\":\"\xff\"}", b"\xed\xa0\x80", b"\x80abc", b"\xf0\x9f\x98"],
    ),
    (
        "Unicode",
        &[
            "{\"é\":1,\"\u{1F600}\":2}".as_bytes(),
            "\u{feff}{\"a\":1}".as_bytes(),
            b"{\"a\":\"\\ud800\"}",
            b"{\"\\u0000\":1}",
        ],
    ),
    (
        "duplicate and odd keys",
        &[b"{\"a\":1,\"a\":2}", b"{\"\":1}", b"{\"__proto__\":1,\"constructor\":2}", b"{\"a.b\":1,\"$c\":2}"],
    ),
    (
        "huge numbers",
        &[
            b"{\"n\":1e308}",
            b"{\"n\":1e400}",
            b"{\"n\":-1e400}",
            b"{\"n\":1e-400}",
            b"{\"n\":18446744073709551616}",
            b"{\"n\":-9223372036854775809}",
        ],
    ),
    (
        "numbers that are not valid JSON",
        &[b"{\"n\":NaN}", b"{\"n\":Infinity}", b"{\"n\":-Infinity}", b"{\"n\":01}", b"{\"n\":0x10}", b"{\"n\":+1}"],
    ),
    (
        "compressed data",
        &[
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV*\x04\x00",
            b"PK\x03\x04\x14\x00",
            b"\xf3\x89\x9a\xc2\x0a\x01",
        ],
    ),
];

fn with_ids(case: Case, id: impl Fn(usize) -> String) -> Case {
    let renamed = |(number, record)| Record { id: id(number), ..record };
    Case { records: case.records.into_iter().enumerate().map(renamed).collect(), ..case }
}

/// A batch of a little of everything.
fn mixed(number: usize, fed: Fed, samples: &[Bytes], rng: &mut Rng) -> Case {
    let count = match rng.u8(..10) {
        0 => 1,
        1..=7 => rng.usize(2..=40),
        _ => rng.usize(41..=600),
    };
    let payloads: Vec<Bytes> = (0..count).map(|_| payload(samples, rng)).collect();
    let direct = match (fed.from_streams, fed.direct) {
        (true, true) => rng.bool(),
        (from_streams, _) => !from_streams,
    };
    let odd = Oddities { unknown_fields: rng.u8(..4) == 0, ..Oddities::default() };
    Case { direct, odd, random: true, ..Case::of(fed, &format!("mixed {number}"), payloads) }
}

fn payload(samples: &[Bytes], rng: &mut Rng) -> Bytes {
    let sample = samples[rng.usize(..samples.len())].clone();
    match rng.u8(..10) {
        0..=3 => sample,
        4 => sample.slice(..rng.usize(..=sample.len())),
        5 | 6 => flipped(&sample, rng),
        7 => {
            let count = rng.usize(..20);
            numbers(rng, count)
        }
        8 => {
            let (_, words) = WORDS[rng.usize(..WORDS.len())];
            Bytes::from_static(words[rng.usize(..words.len())])
        }
        _ => (0..rng.usize(..200)).map(|_| rng.u8(..)).collect::<Vec<u8>>().into(),
    }
}

/// A few bytes are others.
fn flipped(sample: &Bytes, rng: &mut Rng) -> Bytes {
    let mut bytes = sample.to_vec();
    for _ in 0..rng.usize(1..=3) {
        if let Some(last) = bytes.len().checked_sub(1) {
            bytes[rng.usize(..=last)] = rng.u8(..);
        }
    }
    bytes.into()
}

/// `{"a1":17,"b2":-3.25}`
fn numbers(rng: &mut Rng, count: usize) -> Bytes {
    let pairs: Vec<String> =
        (0..count).map(|place| format!("\"{}{place}\":{}", rng.lowercase(), number(rng))).collect();
    format!("{{{}}}", pairs.join(",")).into()
}

fn number(rng: &mut Rng) -> String {
    match rng.u8(..10) {
        0 => format!("{:.2}", rng.f64() * 1e4),
        1 => format!("-{}", rng.u32(..100_000)),
        _ => rng.u32(..100_000).to_string(),
    }
}

/// Objects of numbers that fill a buffer of so many bytes, each of about `size` bytes.
fn filled(buffer: usize, size: usize, rng: &mut Rng) -> Vec<Bytes> {
    let size = size.min(buffer);
    // Large events hold a few hundred bytes a record besides the data.
    let count = (buffer / size).min(MAX_EVENT_BYTES / (size / 3 * 4 + 500)).max(1);
    let one = object_of(size, rng);
    vec![one; count]
}

fn object_of(bytes: usize, rng: &mut Rng) -> Bytes {
    let mut text = String::from("{\"a\":1");
    let mut place = 0_usize;
    while text.len() + 24 < bytes {
        text += &format!(",\"k{place}\":{}", rng.u32(10_000..100_000));
        place += 1;
    }
    text.push('}');
    text.into()
}

const DEPTH: usize = 20_000;

fn deep(open: u8, close: u8) -> Bytes {
    [vec![open; DEPTH], vec![close; DEPTH]].concat().into()
}

fn deep_object() -> Bytes {
    format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH)).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::transform::event::{Source, event};

    const FED: Fed = Fed { from_streams: true, direct: false, buffer_bytes: 3 << 20 };

    fn source(direct: bool) -> Source {
        let stream_arn = (!direct).then(|| "arn:aws:kinesis:us-east-1:000000000000:stream/s".into());
        Source { delivery_stream_arn: "d".into(), stream_arn, region: "us-east-1".into() }
    }

    #[test]
    fn every_event_is_one_that_lambda_takes_and_no_id_stands_twice() {
        for case in cases(FED, &[], 7, 20) {
            let bytes = event(&source(case.direct), &case.records, case.odd).len();
            assert!(bytes <= MAX_EVENT_BYTES, "{}: {bytes}", case.name);
            let ids: HashSet<_> = case.records.iter().map(|record| &record.id).collect();
            assert_eq!(ids.len(), case.records.len(), "{}", case.name);
        }
    }

    #[test]
    fn the_largest_event_is_nearly_as_large_as_lambda_takes_and_a_buffer_is_nearly_full() {
        let all = cases(FED, &[], 7, 0);
        let found = |name: &str| all.iter().find(|case| case.name == name).expect("it is always tried");
        let largest = found("the largest event that Lambda accepts");
        assert!(event(&source(false), &largest.records, largest.odd).len() > MAX_EVENT_BYTES / 100 * 95);
        for name in ["a full buffer of small records", "a full buffer of large records"] {
            let data: usize = found(name).records.iter().map(|record| record.bytes().len()).sum();
            assert!(data <= FED.buffer_bytes && data > FED.buffer_bytes / 10 * 9, "{name}: {data}");
        }
    }

    #[test]
    fn a_seed_is_the_same_cases_and_another_is_others() {
        let of = |seed| cases(FED, &[], seed, 20).into_iter().map(|case| case.records).collect::<Vec<_>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn what_firehose_does_not_send_to_this_function_is_marked() {
        let beyond = |fed| {
            let cases = cases(fed, &[], 7, 20).into_iter();
            cases.filter(|case| case.beyond && case.name.contains("stream")).map(|case| case.name).collect::<Vec<_>>()
        };
        assert_eq!(beyond(FED), ["put directly, without stream metadata"]);
        assert_eq!(beyond(Fed { from_streams: false, direct: true, ..FED }), ["from a stream"]);
        assert!(beyond(Fed { direct: true, ..FED }).is_empty());
        let direct = cases(Fed { from_streams: false, direct: true, ..FED }, &[], 7, 20);
        assert!(direct.iter().all(|case| case.direct || case.beyond));
    }

    #[test]
    fn samples_are_what_the_good_records_are() {
        let sample = Bytes::from_static(b"a;b;c");
        let all = cases(FED, std::slice::from_ref(&sample), 7, 20);
        let has = |case: &&Case| case.records.iter().any(|record| record.bytes() == b"a;b;c");
        assert!(all.iter().filter(has).count() > all.len() / 2);
        assert!(all.iter().any(|case| case.name.starts_with("mixed") && has(&case)));
    }
}
