//! The tables: times, instructions and allocations of each operation on each shape, by variant.

use std::env;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use base64_simd::STANDARD;
use serde_json::Value;

use crate::timing::median_ms;
use crate::{ROWS, VARIANTS, answering, counting, events};

pub const MIB: usize = 1024 * 1024;

/// The rows whose shape and operation contain each of these words.
fn rows(words: &[&str]) -> Vec<(&'static str, &'static str)> {
    let all = ROWS.iter().flat_map(|(shape, operations)| operations.iter().map(move |operation| (*shape, *operation)));
    all.filter(|(shape, operation)| words.iter().all(|word| format!("{shape} {operation}").contains(word))).collect()
}

/// CPU time. The machine's noise falls on all variants alike: they run by turns, and the lowest median of each counts.
pub fn times(words: &[&str]) {
    let sizes: &[(&str, usize)] = match env::var("BENCH_ALL") {
        Ok(_) => &[("1 MiB", MIB), ("3 MiB", 3 * MIB), ("6 MB", 6_290_432)],
        Err(_) => &[("3 MiB", 3 * MIB)],
    };
    let file = env::temp_dir().join(format!("bench-event-{}.json", std::process::id()));
    println!(
        "| event | payloads | operation | Python ms | aws_lambda_events ms | sonic-rs ms | this ms | x Python | x aws_lambda_events | x sonic-rs | MB/s of event |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (size, event_bytes) in sizes {
        for (shape, operation) in rows(words) {
            let event = events::event(shape, *event_bytes);
            std::fs::write(&file, &event).expect("the folder can be written");
            let (mut python, mut lowest) = (f64::MAX, [f64::MAX; VARIANTS.len()]);
            for _ in 0..3 {
                python = python.min(python_ms(operation, &file));
                for (lowest, (variant, _)) in lowest.iter_mut().zip(VARIANTS) {
                    let (mut answer, mut response) = (answering(variant, operation, shape), Vec::new());
                    *lowest = lowest.min(median_ms(11, || answer(&event, &mut response)));
                }
            }
            let [usual, sonic, ours] = lowest;
            println!(
                "| {size} | {shape} | {operation} | {python:.2} | {usual:.2} | {sonic:.3} | {ours:.3} | {:.1} | {:.1} | {:.2} | {:.0} |",
                python / ours,
                usual / ours,
                sonic / ours,
                event.len() as f64 / ours / 1000.0
            );
        }
    }
    let _ = std::fs::remove_file(file);
}

/// The median that the script prints.
fn python_ms(operation: &str, event: &Path) -> f64 {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/transform.py");
    let output = Command::new("python3").arg(script).arg(operation).arg(event).arg("3").output().expect("Python runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.trim().parse().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Instructions of one warm event of 1 MiB, in millions, counted by callgrind. They hardly change with the machine's load.
pub fn instructions(words: &[&str]) {
    if let Err(error) = Command::new("valgrind").arg("--version").output()
        && error.kind() == ErrorKind::NotFound
    {
        println!("not counted: valgrind is not installed");
        return;
    }
    println!("| payloads | operation | aws_lambda_events | sonic-rs by hand | this | this / sonic-rs |");
    println!("|---|---|---|---|---|---|");
    for (shape, operation) in rows(words) {
        let [usual, sonic, ours] = VARIANTS.map(|(variant, _)| counted(variant, operation, shape) / 1e6);
        println!("| {shape} | {operation} | {usual:.2} | {sonic:.2} | {ours:.2} | {:.2} |", ours / sonic);
    }
}

fn counted(variant: &str, operation: &str, shape: &str) -> f64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=measured"]);
    valgrind.arg(env::current_exe().expect("it runs from a file")).args(["once", variant, operation, shape]);
    let output = valgrind.output().expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let count =
        said.lines().find_map(|line| line.split_once("Collected : ")).and_then(|(_, count)| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("{said}"))
}

pub fn allocations(words: &[&str]) {
    println!(
        "| payloads | operation | records | aws_lambda_events | sonic-rs by hand | this | this, most heap beyond the event, bytes |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (shape, operation) in rows(words) {
        let event = events::event(shape, 3 * MIB);
        let records = event.windows(11).filter(|window| *window == b"\"recordId\":").count();
        let [usual, sonic, ours] = VARIANTS.map(|(variant, _)| {
            let start = counting::now();
            let (mut answer, mut response) = (answering(variant, operation, shape), Vec::new());
            answer(&event, &mut response);
            let before = counting::now();
            answer(&event, &mut response);
            let after = counting::now();
            (after.count - before.count, after.peak.saturating_sub(start.live))
        });
        println!("| {shape} | {operation} | {records} | {} | {} | {} | {} |", usual.0, sonic.0, ours.0, ours.1);
    }
}

/// All variants answer alike.
pub fn check() {
    for (shape, operation) in rows(&[]) {
        let event = events::event(shape, 100_000);
        let [usual, sonic, ours] = VARIANTS.map(|(variant, _)| {
            let mut response = Vec::new();
            answering(variant, operation, shape)(&event, &mut response);
            answers(&response)
        });
        assert!(usual == ours, "{shape}, {operation}: the usual answer is another");
        assert!(sonic == ours, "{shape}, {operation}: the answer of sonic-rs is another");
        println!("{shape}, {operation}: {} answers are equal", ours.len());
    }
}

/// Results, payloads and partition keys. Payloads of JSON are compared as values.
fn answers(response: &[u8]) -> Vec<(Value, Value, Value)> {
    let response: Value = serde_json::from_slice(response).expect("a response is JSON");
    let answer = |record: &Value| {
        let data = STANDARD.decode_to_vec(record["data"].as_str().unwrap_or_default()).expect("data is base64");
        let data = serde_json::from_slice(&data).unwrap_or_else(|_| Value::from(data));
        let data = if record["result"] == "Dropped" { Value::Null } else { data };
        let keys = record["metadata"]["partitionKeys"].as_object().filter(|keys| !keys.is_empty());
        (record["result"].clone(), data, Value::from(keys.cloned().unwrap_or_default()))
    };
    response["records"].as_array().expect("records is a list").iter().map(answer).collect()
}
