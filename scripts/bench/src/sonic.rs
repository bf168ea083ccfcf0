//! The operations by hand: sonic-rs for the event and the payloads, base64-simd, one buffer for the payload and one for the response.

use base64_simd::STANDARD;
use serde::{Deserialize, Serialize};
use sonic_rs::{JsonValueMutTrait, JsonValueTrait, LazyValue, Value};

use crate::Answering;
use crate::types::{Change, ChangeKeys, Log, LogKeys};

#[derive(Deserialize)]
struct Event<'a> {
    region: &'a str,
    #[serde(borrow)]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    record_id: &'a str,
    data: &'a str,
}

/// The operation's result for a payload.
enum Made {
    /// The payload as it came, with these partition keys.
    Original(Vec<(&'static str, String)>),
    /// The text that was written into the buffer.
    Written,
    Dropped,
}

type Operation = fn(&Record<'_>, &str, &[u8], &mut Vec<u8>) -> Made;

pub fn answering(operation: &str, shape: &str) -> Answering {
    let logs = shape.starts_with("logs");
    let decoded: Operation = match (operation, logs) {
        ("square", _) => square,
        ("keep", _) => {
            return Box::new(|event, response| {
                answer::<false>(event, response, |_, _, _, _| Made::Original(Vec::new()))
            });
        }
        ("drop", _) => return Box::new(|event, response| answer::<false>(event, response, |_, _, _, _| Made::Dropped)),
        ("copy", _) => |_, _, payload, out| {
            out.extend_from_slice(payload);
            Made::Written
        },
        ("upper", _) => |_, _, payload, out| {
            out.extend_from_slice(std::str::from_utf8(payload).expect("it is text").to_uppercase().as_bytes());
            Made::Written
        },
        ("filter", true) => |_, _, payload, _| filter(payload, "level", "DEBUG"),
        ("filter", false) => |_, _, payload, _| filter(payload, "op", "d"),
        ("enrich", _) => enrich,
        ("typed", true) => |_, _, payload, out| typed::<Log<'_>>(payload, out),
        ("typed", false) => |_, _, payload, out| typed::<Change<'_>>(payload, out),
        ("value" | "serde_json" | "change", true) => |_, _, payload, out| value(payload, "level", out),
        ("value" | "serde_json" | "change", false) => |_, _, payload, out| value(payload, "op", out),
        ("keys", true) => |_, _, payload, _| {
            let keys: LogKeys<'_> = sonic_rs::from_slice(payload).expect("it is a log");
            Made::Original(vec![("service", keys.service.into_owned()), ("level", keys.level.into_owned())])
        },
        ("keys", false) => |_, _, payload, _| {
            let keys: ChangeKeys<'_> = sonic_rs::from_slice(payload).expect("it is a change");
            Made::Original(vec![("table", keys.source.table.into_owned()), ("op", keys.op.into_owned())])
        },
        _ => panic!("there is no operation {operation}"),
    };
    Box::new(move |event, response| answer::<true>(event, response, decoded))
}

fn answer<const DECODED: bool>(event: &[u8], response: &mut Vec<u8>, operation: Operation) {
    thread_local! {
        static BUFFERS: std::cell::RefCell<(Vec<u8>, Vec<u8>)> = const { std::cell::RefCell::new((Vec::new(), Vec::new())) };
    }
    let event: Event<'_> = sonic_rs::from_slice(event).expect("it is an event");
    response.clear();
    response.extend_from_slice(br#"{"records":["#);
    BUFFERS.with_borrow_mut(|(payload, out)| {
        for (number, record) in event.records.iter().enumerate() {
            payload.clear();
            out.clear();
            if DECODED {
                STANDARD.decode_append(record.data, payload).expect("it is base64");
            }
            let made = operation(record, event.region, payload, out);
            response.extend_from_slice(if number > 0 { br#",{"recordId":""# } else { br#"{"recordId":""# });
            response.extend_from_slice(record.record_id.as_bytes());
            match made {
                Made::Dropped => response.extend_from_slice(br#"","result":"Dropped"}"#),
                Made::Written => {
                    response.extend_from_slice(br#"","result":"Ok","data":""#);
                    STANDARD.encode_append(&*out, response);
                    response.extend_from_slice(br#""}"#);
                }
                Made::Original(keys) => {
                    if !DECODED {
                        STANDARD.check(record.data.as_bytes()).expect("it is base64");
                    }
                    response.extend_from_slice(br#"","result":"Ok","data":""#);
                    response.extend_from_slice(record.data.as_bytes());
                    if keys.is_empty() {
                        response.extend_from_slice(br#""}"#);
                        continue;
                    }
                    response.extend_from_slice(br#"","metadata":{"partitionKeys":{"#);
                    for (number, (key, value)) in keys.iter().enumerate() {
                        response.extend_from_slice(if number > 0 { br#",""# } else { br#"""# });
                        response.extend_from_slice(key.as_bytes());
                        response.extend_from_slice(br#"":"#);
                        sonic_rs::to_writer(&mut *response, value).expect("text is JSON");
                    }
                    response.extend_from_slice(b"}}}");
                }
            }
        }
    });
    response.extend_from_slice(b"]}");
}

fn square(_: &Record<'_>, _: &str, payload: &[u8], out: &mut Vec<u8>) -> Made {
    out.push(b'{');
    for field in sonic_rs::to_object_iter(payload) {
        let (key, number) = field.expect("it is JSON");
        if out.len() > 1 {
            out.push(b',');
        }
        sonic_rs::to_writer(&mut *out, &*key).expect("text is JSON");
        out.push(b':');
        match number.as_i64() {
            Some(integer) => sonic_rs::to_writer(&mut *out, &(integer * integer)),
            None => number.as_f64().map_or(Ok(()), |float| sonic_rs::to_writer(&mut *out, &(float * float))),
        }
        .expect("numbers are JSON");
    }
    out.push(b'}');
    Made::Written
}

fn filter(payload: &[u8], key: &str, dropped: &str) -> Made {
    let field = sonic_rs::get_from_slice(payload, [key]).expect("it is there");
    if field.as_str() == Some(dropped) { Made::Dropped } else { Made::Original(Vec::new()) }
}

/// Checks that it is an object, and writes before its last brace.
fn enrich(_: &Record<'_>, region: &str, payload: &[u8], out: &mut Vec<u8>) -> Made {
    let object: LazyValue<'_> = sonic_rs::from_slice(payload).expect("it is JSON");
    assert!(object.is_object());
    let text = object.as_raw_str().as_bytes();
    out.extend_from_slice(&text[..text.len() - 1]);
    out.extend_from_slice(br#","region":"#);
    sonic_rs::to_writer(&mut *out, region).expect("text is JSON");
    out.extend_from_slice(br#","schema":2}"#);
    Made::Written
}

fn typed<'p, T: Serialize + Deserialize<'p>>(payload: &'p [u8], out: &mut Vec<u8>) -> Made {
    let value: T = sonic_rs::from_slice(payload).expect("it is of this type");
    sonic_rs::to_writer(out, &value).expect("it is JSON");
    Made::Written
}

fn value(payload: &[u8], key: &str, out: &mut Vec<u8>) -> Made {
    let mut value: Value = sonic_rs::from_slice(payload).expect("it is JSON");
    value.as_object_mut().expect("it is an object").insert(&key, "changed");
    sonic_rs::to_writer(out, &value).expect("it is JSON");
    Made::Written
}
