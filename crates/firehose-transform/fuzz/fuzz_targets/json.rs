#![no_main]

#[path = "../json.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|payload: &[u8]| check::json(payload));
