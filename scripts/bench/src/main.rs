//! The transform SDK against sonic-rs by hand, `aws_lambda_events` with serde_json, and Python: the same operations on the same events,
//! from event bytes to response bytes. See `measure`.

mod counting;
mod events;
#[path = "../../../crates/handler/src/main.rs"]
#[allow(dead_code)]
mod handler;
mod ours;
mod payloads;
mod sonic;
mod table;
mod timing;
mod types;
mod usual;

use std::env;
use std::io::Read;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

/// A shape of payloads, and the operations on it.
const ROWS: [(&str, &[&str]); 10] = [
    ("numbers 100 B", &["square", "keep", "copy", "drop"]),
    ("numbers 1 KiB", &["square", "keep", "copy", "drop"]),
    ("numbers 10 KiB", &["square", "keep", "copy", "drop"]),
    ("reordered numbers 100 B", &["keep"]),
    ("reordered numbers 1 KiB", &["keep", "drop"]),
    ("signed 1 KiB", &["square"]),
    ("logs 2 KiB", &["filter", "enrich", "typed", "value", "serde_json", "change", "keys", "upper"]),
    ("CDC 1 KiB", &["filter", "enrich", "typed", "value", "serde_json", "change", "keys"]),
    ("lines 400 B", &["upper", "copy"]),
    ("Protobuf 300 B", &["copy", "keep"]),
];

/// Answers an event into a buffer.
type Answering = Box<dyn FnMut(&[u8], &mut Vec<u8>)>;

const VARIANTS: [(&str, fn(&str, &str) -> Answering); 3] =
    [("usual", usual::answering), ("sonic", sonic::answering), ("ours", ours::answering)];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["times", filter @ ..] => table::times(filter),
        ["instructions", filter @ ..] => table::instructions(filter),
        ["allocations", filter @ ..] => table::allocations(filter),
        ["check"] => table::check(),
        ["spawn", binary] => spawn(binary),
        ["once", variant, operation, shape] => once(variant, operation, shape),
        _ => panic!("times|instructions|allocations [WORD...] | check | spawn BINARY | once VARIANT OPERATION SHAPE"),
    }
}

fn answering(variant: &str, operation: &str, shape: &str) -> Answering {
    let (_, make) = VARIANTS.iter().find(|(name, _)| *name == variant).expect("it is one of the variants");
    make(operation, shape)
}

/// For callgrind, which counts inside `measured`.
fn once(variant: &str, operation: &str, shape: &str) {
    let event = events::event(shape, table::MIB);
    let (mut answer, mut response) = (answering(variant, operation, shape), Vec::new());
    for _ in 0..3 {
        answer(&event, &mut response); // warm: buffers have their size
    }
    measured(&mut answer, &event, &mut response);
}

// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub fn measured(answer: &mut Answering, event: &[u8], response: &mut Vec<u8>) {
    answer(event, response);
}

/// The median of thirty starts, each until the Runtime API here is asked for an invocation.
fn spawn(binary: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let mut times: Vec<Duration> = (0..30)
        .map(|_| {
            let start = Instant::now();
            let mut child =
                Command::new(binary).env("AWS_LAMBDA_RUNTIME_API", &address).spawn().expect("the handler starts");
            let (mut stream, _) = listener.accept().expect("the handler connects");
            stream.read_exact(&mut [0]).expect("the handler asks");
            let time = start.elapsed();
            child.kill().and_then(|()| child.wait()).expect("it is our child");
            time
        })
        .collect();
    times.sort();
    println!("{:.2}", times[times.len() / 2].as_secs_f64() * 1000.0);
}
