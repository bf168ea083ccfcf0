//! Which files there are before the last one, and how much is in each, so that one that is gone is missed.

use std::io;
use std::path::{Path, PathBuf};

use super::super::disk::Disk;

/// A file that is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    pub number: u64,
    pub bytes: u64,
    pub records: u64,
}

pub fn path_in(folder: &Path) -> PathBuf {
    folder.join("index")
}

pub fn write(disk: &Disk, folder: &Path, files: impl Iterator<Item = Full>) -> io::Result<()> {
    disk.replace(&path_in(folder), &encode(files))
}

/// Reads the index. `Err` says in a word why it cannot be read.
pub fn read(folder: &Path) -> io::Result<Result<Vec<Full>, &'static str>> {
    match std::fs::read(path_in(folder)) {
        Ok(bytes) => Ok(decode(&bytes).ok_or("it cannot be read")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err("it is missing")),
        Err(error) => Err(error),
    }
}

fn encode(files: impl Iterator<Item = Full>) -> Vec<u8> {
    let mut out = vec![0; 4];
    for Full { number, bytes, records } in files {
        [number, bytes, records].iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }
    let check = crc32fast::hash(&out[4..]);
    out[..4].copy_from_slice(&check.to_le_bytes());
    out
}

fn decode(bytes: &[u8]) -> Option<Vec<Full>> {
    let (check, files) = bytes.split_first_chunk()?;
    let (files, rest) = files.as_chunks::<24>();
    if !rest.is_empty() || u32::from_le_bytes(*check) != crc32fast::hash(files.as_flattened()) {
        return None;
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
    let file = |file: &[u8; 24]| Full {
        number: number(&file[..8]),
        bytes: number(&file[8..16]),
        records: number(&file[16..]),
    };
    Some(files.iter().map(file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_noticed() {
        let files = [1, 2].map(|n| Full { number: n, bytes: n << 40, records: n * 1_000 });
        let mut whole = encode(files.into_iter());
        assert_eq!(decode(&whole).as_deref(), Some(&files[..]));
        assert_eq!(decode(&whole[..28]), None, "cut off");
        whole[9] ^= 4;
        assert_eq!(decode(&whole), None);
    }
}
