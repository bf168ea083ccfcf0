//! Names that must be unique and look random, made from what makes them unique: the world has no dice.

use md5::{Digest, Md5};

/// 32 hexadecimal digits that follow from these parts.
pub fn hex(parts: &[&str]) -> String {
    uuid::Uuid::from_bytes(digest(parts)).simple().to_string()
}

/// A UUID (of version 4, by its looks) that follows from these parts.
pub fn uuid(parts: &[&str]) -> String {
    uuid::Builder::from_random_bytes(digest(parts)).into_uuid().to_string()
}

fn digest(parts: &[&str]) -> [u8; 16] {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(part);
        digest.update([0]);
    }
    digest.finalize().into()
}
