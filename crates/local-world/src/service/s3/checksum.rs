//! Checksums of objects and parts: the five algorithms, and how those of parts become one.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>

use base64_simd::STANDARD;
use crc_fast::CrcAlgorithm;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::error;
use crate::request::AwsError;

/// An algorithm for checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// CRC-32, of ISO-HDLC.
    Crc32,
    /// CRC-32C, of iSCSI.
    Crc32c,
    /// CRC-64/NVME, which S3 takes when nobody names another.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

    /// As S3 writes it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// The algorithm of this name, in whatever case.
    pub fn named(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc, bytes).split_off(4),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi, bytes).split_off(4),
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme, bytes),
            Algorithm::Sha1 => Sha1::digest(bytes).to_vec(),
            Algorithm::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// The checksum of these bytes.
    pub fn of(self, bytes: &[u8]) -> Checksum {
        Checksum { algorithm: self, value: STANDARD.encode_to_string(self.digest(bytes)) }
    }
}

/// Eight bytes, of which those of 32 bits are the last four.
fn crc(algorithm: CrcAlgorithm, bytes: &[u8]) -> Vec<u8> {
    crc_fast::checksum(algorithm, bytes).to_be_bytes().to_vec()
}

/// A checksum and the algorithm that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Base64; of an object whose checksum is that of its parts' checksums, with `-` and their number.
    pub value: String,
}

impl Checksum {
    /// Whether it is the checksum of the parts' checksums.
    pub fn is_composite(&self) -> bool {
        self.value.contains('-')
    }

    /// The same, whether or not a client wrote the number of parts.
    pub fn is(&self, said: &Checksum) -> bool {
        let digest = |checksum: &Checksum| checksum.value.split('-').next().map(str::to_owned);
        self.algorithm == said.algorithm && (self.value == said.value || digest(self).as_ref() == Some(&said.value))
    }
}

/// The refusal of a body whose checksum by the algorithm of this name is not the one that was sent. S3 writes the name in
/// capitals for a body, and in small letters for an upload's object.
pub fn mismatch(name: &str) -> AwsError {
    error("BadDigest", 400, format!("The {name} you specified did not match the calculated checksum."))
}

/// How a multipart upload wants its object's checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Is it made of the parts' checksums, and not of the whole object?
    pub composite: bool,
}

impl Wanted {
    /// By the words of S3: an algorithm's name, and `COMPOSITE` or `FULL_OBJECT`. Without a type, CRC64NVME is of the whole
    /// object, and the others of the parts.
    pub fn of(algorithm: Algorithm, kind: Option<&str>) -> Result<Wanted, AwsError> {
        let (never_whole, always_whole) =
            (matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256), algorithm == Algorithm::Crc64Nvme);
        let composite = kind.map_or(!always_whole, |kind| kind == "COMPOSITE");
        if composite && always_whole || !composite && never_whole {
            let (kind, name) = (if composite { "COMPOSITE" } else { "FULL_OBJECT" }, algorithm.name().to_lowercase());
            let message = format!("The {kind} checksum type cannot be used with the {name} checksum algorithm.");
            return Err(error("InvalidRequest", 400, message));
        }
        Ok(Wanted { algorithm, composite })
    }

    /// Has a part the checksum that it must have?
    pub fn admits(self, part: Option<&Checksum>) -> Result<(), AwsError> {
        let found = part.map(|checksum| checksum.algorithm);
        if found == Some(self.algorithm) || found.is_none() && !self.composite {
            return Ok(());
        }
        let word = |algorithm: Option<Algorithm>| algorithm.map_or("null".into(), |a| a.name().to_lowercase());
        let message = format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            word(Some(self.algorithm)),
            word(found)
        );
        Err(error("InvalidRequest", 400, message))
    }

    /// The checksum of an object whose parts have these checksums.
    pub fn of_parts<'a>(self, parts: impl Iterator<Item = &'a Checksum>) -> Checksum {
        let digests: Vec<Vec<u8>> = parts.filter_map(|part| STANDARD.decode_to_vec(&part.value).ok()).collect();
        let of_digests = self.algorithm.of(&digests.concat());
        Checksum { value: format!("{}-{}", of_digests.value, digests.len()), ..of_digests }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catalogues of checksums give that of `123456789`.
    #[test]
    fn every_algorithm_gives_its_check_value() {
        for (name, hex) in [
            ("CRC32", "cbf43926"),
            ("CRC32C", "e3069283"),
            ("CRC64NVME", "ae8b14860a799888"),
            ("SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            ("SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let algorithm = Algorithm::named(name).expect(name);
            assert_eq!(hex::encode(algorithm.digest(b"123456789")), hex, "{name}");
        }
    }

    #[test]
    fn an_upload_takes_the_types_and_parts_that_its_algorithm_has() {
        let of = |name: &str, kind| {
            let wanted = Wanted::of(Algorithm::named(name).expect(name), kind);
            wanted.map(|wanted| wanted.composite).map_err(|error| error.message)
        };
        assert_eq!(of("CRC32", None), Ok(true));
        assert_eq!(of("crc32", Some("FULL_OBJECT")), Ok(false));
        assert_eq!(of("CRC64NVME", None), Ok(false));
        assert!(of("SHA256", Some("FULL_OBJECT")).is_err_and(|m| m.contains("FULL_OBJECT checksum type cannot")));
        assert!(of("CRC64NVME", Some("COMPOSITE")).is_err_and(|m| m.contains("with the crc64nvme checksum")));

        let wanted = Wanted { algorithm: Algorithm::Sha1, composite: true };
        assert_eq!(wanted.admits(Some(&Algorithm::Sha1.of(b"x"))), Ok(()));
        let refused = wanted.admits(None).expect_err("a part must say its checksum");
        assert!(refused.message.ends_with("expected checksum Type: sha1, actual checksum Type: null"), "{refused}");
    }
}
