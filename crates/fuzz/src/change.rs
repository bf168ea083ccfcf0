//! Random changes to an input.

use std::ops::Range;

use fastrand::Rng;

/// Numbers at which lengths and counts go wrong, and what nests.
const WORDS: [&[u8]; 16] = [
    b"0",
    b"-1",
    b"18446744073709551615",
    b"1e999",
    b"null",
    b"[[[[[[[[",
    b"{\"\":{\"\":",
    b"\"",
    b"\\",
    b"\\u0000",
    "é\u{1f600}".as_bytes(),
    b"\0",
    b"\r\n",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x80",
];

/// One step. What is inserted comes from the words above or from any file of the corpus.
pub fn apply(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(..=input.len());
    match random.u8(..7) {
        0 => change_byte(input, at, |_| random.u8(..)),
        1 => change_byte(input, at, |byte| byte ^ (1 << random.u8(..8))),
        2 => change_byte(input, at, |byte| byte.wrapping_add(random.u8(..3)).wrapping_sub(1)),
        3 => drop(input.drain(range(input.len(), random))),
        4 => {
            let part = input[range(input.len(), random)].to_vec();
            insert(input, at, &part);
        }
        5 => insert(input, at, WORDS[random.usize(..WORDS.len())]),
        _ => {
            let other = &corpus[random.usize(..corpus.len())];
            insert(input, at, &other[range(other.len(), random)]);
        }
    }
}

fn change_byte(input: &mut [u8], at: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte = change(*byte);
    }
}

fn insert(input: &mut Vec<u8>, at: usize, part: &[u8]) {
    input.splice(at..at, part.iter().copied());
}

/// Most are short, so that most of an input stays as it was.
fn range(length: usize, random: &mut Rng) -> Range<usize> {
    let from = random.usize(..=length);
    let most = if random.u8(..4) == 0 { length } else { 16 };
    from..length.min(from + random.usize(..=most))
}
