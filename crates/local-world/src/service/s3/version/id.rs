//! The ids of versions: they follow from what they are of, and show that they were given out here.

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The bytes of an id that differ. An id is 32 characters of base64.
const NAMED_BYTES: usize = 16;
/// That follow from those, so that an id shows whether S3 could have given it out.
const PROOF_BYTES: usize = 8;

/// The id that follows from this text.
pub fn of(text: &str) -> String {
    let hash = Sha256::digest(text);
    let named = &hash[..NAMED_BYTES];
    URL_SAFE_NO_PAD.encode_to_string([named, &proof(named)].concat())
}

fn proof(named: &[u8]) -> [u8; PROOF_BYTES] {
    let hash = Sha256::digest(named);
    std::array::from_fn(|at| hash[at])
}

/// Could S3 have given out this id?
pub fn is_ours(id: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(id).unwrap_or_default();
    bytes.len() == NAMED_BYTES + PROOF_BYTES && bytes[NAMED_BYTES..] == proof(&bytes[..NAMED_BYTES])
}
