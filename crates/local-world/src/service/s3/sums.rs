//! Sums of a body, made beside the world before the turn that wants them: they take seconds of a large one.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::checksum::{Algorithm, Checksum};

/// The known sums of one body. A sum of another body, or by another algorithm, is made when it is asked for.
#[derive(Debug, Default)]
pub struct Sums {
    body: Bytes,
    md5: Option<String>,
    checksum: Option<Checksum>,
}

impl Sums {
    /// Its MD5, and its checksum where an algorithm is named.
    pub fn of(body: Bytes, algorithm: Option<Algorithm>) -> Sums {
        let sums = Sums::without_md5(body, algorithm);
        Sums { md5: Some(hex::encode(Md5::digest(&sums.body))), ..sums }
    }

    /// Its checksum alone, where an algorithm is named.
    pub fn without_md5(body: Bytes, algorithm: Option<Algorithm>) -> Sums {
        Sums { checksum: algorithm.map(|algorithm| algorithm.of(&body)), md5: None, body }
    }

    /// The body that the sums are of.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// In hex.
    pub fn md5(&self, body: &Bytes) -> String {
        let known = self.md5.as_ref().filter(|_| is_same(&self.body, body));
        known.cloned().unwrap_or_else(|| hex::encode(Md5::digest(body)))
    }

    /// The checksum of a body, known or made now.
    pub fn checksum(&self, algorithm: Algorithm, body: &Bytes) -> Checksum {
        let known = self.checksum.as_ref().filter(|sum| sum.algorithm == algorithm && is_same(&self.body, body));
        known.cloned().unwrap_or_else(|| algorithm.of(body))
    }
}

/// Are these the same bytes in the same place? As long as both are held, nobody else's are there.
pub fn is_same(one: &Bytes, other: &Bytes) -> bool {
    one.as_ptr() == other.as_ptr() && one.len() == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_one_body_is_not_said_of_another() {
        let (one, other) = (Bytes::from(b"one".to_vec()), Bytes::from(b"other".to_vec()));
        let sums = Sums::of(one.clone(), Some(Algorithm::Crc32));
        for body in [&one, &other, &one.slice(1..)] {
            assert_eq!(sums.md5(body), hex::encode(Md5::digest(body)));
            for algorithm in Algorithm::ALL {
                assert_eq!(sums.checksum(algorithm, body), algorithm.of(body), "{algorithm:?}");
            }
        }
        // A known sum is not computed again, so even a wrong one is given as it is.
        let marked = Sums { md5: Some("known".into()), ..sums };
        assert_eq!(marked.md5(&one), "known");
    }
}
