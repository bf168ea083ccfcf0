//! Fuzz targets as tests on the stable toolchain: a check runs over each file of its corpus, and over random changes to them.
//!
//! An ordinary test makes the same few changes each time. With `FUZZ_SECONDS` it makes new ones until the time is up; that is
//! what `scripts/fuzz` sets.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

mod change;

/// The changed inputs of an ordinary test.
const CHANGED: usize = 200;
/// No input is larger, whatever was inserted.
const MAX_BYTES: usize = 16 << 10;
/// Far more than any input needs, on a busy machine and without optimisation too.
const MAX_TIME: Duration = Duration::from_secs(20);

/// Runs `check` over the corpus of `target` and over changes to it.
///
/// # Panics
/// When `check` does, or takes unreasonably long; the input is written to the standard error then.
pub fn over(target: &str, check: impl Fn(&[u8])) {
    let corpus = corpus(target);
    corpus.iter().for_each(|input| run(input, &check));
    let seconds: Option<u64> =
        env::var("FUZZ_SECONDS").ok().map(|seconds| seconds.parse().expect("a number of seconds"));
    let mut random = fastrand::Rng::with_seed(if seconds.is_some() { fastrand::u64(..) } else { 1 });
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut count = 0;
    while end.map_or(count < CHANGED, |end| Instant::now() < end) {
        let mut input = corpus[random.usize(..corpus.len())].clone();
        for _ in 0..random.usize(1..6) {
            change::apply(&mut input, &corpus, &mut random);
        }
        input.truncate(MAX_BYTES);
        run(&input, &check);
        count += 1;
    }
    eprintln!("{target}: {} files and {count} changes to them", corpus.len());
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("it is readable").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.iter().map(|file| fs::read(file).expect("it is readable")).collect()
}

fn run(input: &[u8], check: impl Fn(&[u8])) {
    let told = Told(input);
    let start = Instant::now();
    check(input);
    assert!(start.elapsed() < MAX_TIME, "it took {:?}", start.elapsed());
    drop(told);
}

/// Writes the input when the check panics. As text with escapes, for `printf '%b'`.
struct Told<'a>(&'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the input: {}", self.0.escape_ascii());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn the_corpus_comes_first_and_then_changes_to_it() {
        let seen = RefCell::new(vec![]);
        over("answer", |input| seen.borrow_mut().push(input.to_vec()));
        let (seen, corpus) = (seen.into_inner(), corpus("answer"));
        assert_eq!(seen[..corpus.len()], corpus[..]);
        assert!(seen[corpus.len()..].iter().filter(|input| !corpus.contains(input)).count() > 100);
    }

    #[test]
    fn a_check_that_panics_fails() {
        assert!(catch_unwind(AssertUnwindSafe(|| over("answer", |input| assert!(input.is_empty())))).is_err());
    }
}
