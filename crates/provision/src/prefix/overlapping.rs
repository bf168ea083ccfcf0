//! Finds overlapping prefixes.

use super::{literal, overlap};

/// A writer and its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer<'a> {
    pub bucket: &'a str,
    pub prefix: &'a str,
    pub delivery: &'a str,
}

/// For each of `writers`, by index, another delivery's that overlaps it and begins no later, if there is one. Takes about
/// `n log n`: only prefixes that begin alike can overlap.
pub fn overlapping(writers: &[Writer]) -> Vec<(usize, usize)> {
    let key = |index: usize| (writers[index].bucket, literal(writers[index].prefix), index);
    let mut order: Vec<usize> = (0..writers.len()).collect();
    order.sort_by_key(|index| key(*index));
    let mut around: Vec<usize> = vec![];
    let mut found = vec![];
    for index in order {
        let (bucket, begins, _) = key(index);
        // Those that are left are the ones whose text this one begins with.
        while around.last().is_some_and(|other| !(key(*other).0 == bucket && begins.starts_with(key(*other).1))) {
            around.pop();
        }
        let clash = around.iter().find(|other| {
            let other = &writers[**other];
            other.delivery != writers[index].delivery && overlap(other.prefix, writers[index].prefix)
        });
        match clash {
            // It is told, and stands for this one from now on.
            Some(other) => found.push((index, *other)),
            None => around.push(index),
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(writers: &[(&str, &str, &str)]) -> Vec<(usize, usize)> {
        let writers: Vec<Writer> =
            writers.iter().map(|(bucket, prefix, delivery)| Writer { bucket, prefix, delivery }).collect();
        overlapping(&writers)
    }

    #[test]
    fn only_different_deliveries_in_one_bucket_overlap() {
        type Case = (&'static [(&'static str, &'static str, &'static str)], &'static [(usize, usize)]);
        let table: [Case; 6] = [
            (&[("lake", "data/", "a"), ("lake", "data/", "b")], &[(1, 0)]),
            (&[("lake", "data/b/", "a"), ("lake", "data/", "b")], &[(0, 1)]),
            (&[("lake", "data/", "a"), ("pond", "data/", "b")], &[]),
            (&[("lake", "data/", "a"), ("lake", "data/bad/", "a")], &[]),
            (&[("lake", "a/", "a"), ("lake", "b/", "b"), ("lake", "a/c/", "c")], &[(2, 0)]),
            (&[("lake", "l/!{timestamp:yyyy}/", "a"), ("lake", "l/errors/", "b")], &[]),
        ];
        for (writers, expected) in table {
            assert_eq!(found(writers), expected, "{writers:?}");
        }
    }

    #[test]
    fn thousands_are_compared_only_with_those_that_begin_alike() {
        let names: Vec<(String, String)> = (0..20_000).map(|n| (format!("data/{n}/"), format!("d{n}"))).collect();
        let writers: Vec<Writer> =
            names.iter().map(|(prefix, delivery)| Writer { bucket: "lake", prefix, delivery }).collect();
        assert_eq!(overlapping(&writers), []);
    }
}
