#![no_main]

#[path = "../value.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|payload: &[u8]| check::value(payload));
