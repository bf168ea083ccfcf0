//! CPU time from event bytes to response bytes, against the Python handler and the usual Rust one.

mod counting;
mod events;
#[path = "../../../crates/handler/src/main.rs"]
#[allow(dead_code)]
mod handler;
mod timing;

use std::env;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use firehose_transform::{Invocation, Outcome, Record, Reply, Runner};

use crate::timing::median_ms;

const OPERATIONS: [&str; 3] = ["square", "keep", "drop"];
const RECORDS: [(&str, usize); 3] = [("100 B", 100), ("1 KiB", 1024), ("10 KiB", 10 * 1024)];
const MIB: usize = 1024 * 1024;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ratios", folder] => ratios(Path::new(folder)),
        ["allocations"] => allocations(),
        ["spawn", binary] => spawn(binary),
        ["once", operation, record, times] => once(operation, number(record), number(times)),
        _ => panic!("ratios FOLDER | allocations | spawn BINARY | once OPERATION RECORD_BYTES TIMES"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn ratios(folder: &Path) {
    let sizes: &[(&str, usize)] = match env::var("BENCH_ALL") {
        Ok(_) => &[("1 MiB", MIB), ("3 MiB", 3 * MIB), ("6 MB", 6_290_432)],
        Err(_) => &[("3 MiB", 3 * MIB)],
    };
    println!(
        "| event | operation | record | Python ms | aws_lambda_events ms | this ms | x Python | x aws_lambda_events | MB/s of event |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (size, event_bytes) in sizes {
        for operation in OPERATIONS {
            for (name, record_bytes) in RECORDS {
                let event = events::event(record_bytes, *event_bytes);
                let file = folder.join(format!("{record_bytes}-{event_bytes}.json"));
                std::fs::write(&file, &event).expect("the folder can be written");
                // The machine's noise falls on all three alike: by turns, and the lowest median of each.
                let (mut python, mut peer, mut ours) = (f64::MAX, f64::MAX, f64::MAX);
                let mut answer = transform(operation);
                for _ in 0..3 {
                    python = python.min(told(Command::new("python3").arg(script()), operation, &file));
                    peer = peer.min(told(&mut Command::new(beside("peer")), operation, &file));
                    ours = ours.min(median_ms(41, || answer(&event)));
                }
                let rate = event.len() as f64 / ours / 1000.0;
                println!(
                    "| {size} | {operation} | {name} | {python:.2} | {peer:.2} | {ours:.3} | {:.1} | {:.1} | {rate:.0} |",
                    python / ours,
                    peer / ours
                );
            }
        }
    }
}

/// One event at a time, with buffers that are kept, as the loop over the Runtime API does.
fn transform(operation: &str) -> Box<dyn FnMut(&[u8])> {
    let (runner, invocation, mut reply) = (Runner::new().threads(1), invocation(), Reply::default());
    macro_rules! answering {
        ($transform:expr) => {
            Box::new(move |event: &[u8]| {
                runner.answer(event, &invocation, &mut reply, $transform).expect("it is an event");
                assert!(reply.failures.is_empty() || reply.response.len() > 6_000_000);
            })
        };
    }
    match operation {
        "square" => answering!(handler::square_values),
        "keep" => answering!(|_: &Record<'_>| Outcome::unchanged()),
        _ => answering!(|_: &Record<'_>| Outcome::dropped()),
    }
}

/// With a deadline, as in Lambda.
fn invocation() -> Invocation {
    let mut invocation = Invocation::default();
    invocation.deadline = Some(std::time::SystemTime::now() + Duration::from_secs(3600));
    invocation
}

fn script() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/transform.py"))
}

/// Another binary of this package.
fn beside(name: &str) -> PathBuf {
    env::current_exe().expect("it runs from a file").with_file_name(name)
}

/// The median that a peer prints.
fn told(peer: &mut Command, operation: &str, event: &Path) -> f64 {
    let output = peer.arg(operation).arg(event).arg("5").output().expect("the peer runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.trim().parse().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn allocations() {
    println!("| operation | record | allocations, first event | warm event | most heap beyond the event, bytes |");
    println!("|---|---|---|---|---|");
    for operation in OPERATIONS {
        for (name, record_bytes) in RECORDS {
            let event = events::event(record_bytes, 3 * MIB);
            let before = counting::now();
            let mut answer = transform(operation);
            answer(&event);
            let first = counting::now();
            answer(&event);
            let warm = counting::now();
            println!(
                "| {operation} | {name} | {} | {} | {} |",
                first.count - before.count,
                warm.count - first.count,
                warm.peak.saturating_sub(before.live)
            );
        }
    }
}

/// For callgrind.
fn once(operation: &str, record_bytes: usize, times: usize) {
    let event = events::event(record_bytes, MIB);
    let mut answer = transform(operation);
    for _ in 0..times {
        answer(&event);
    }
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
