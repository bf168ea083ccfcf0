//! How changes of logs are written: frames of a head (a mark, the body's length and checksum, and a check of these) and a body,
//! all numbers of the body in as many bytes as they need. The body's checksum covers where the frame is, so that no bytes that
//! somebody put as a record, or that were once elsewhere, pass for a frame. A log's name is written once in a file, and then its
//! id. What follows from other numbers is not written: the sequence numbers of records that were put at the same time to the same
//! shard.

use std::sync::Arc;

use bytes::Bytes;

use crate::record::{Compact, LONGEST_KEY, Lengths, Numbering};
use crate::time::Millis;

/// Begins each frame, so that the next one can be found behind damaged bytes.
const MARK: [u8; 2] = [0x9d, 0x5a];
/// The mark, the body's length and its checksum of four bytes each, and two bytes that check these.
const HEAD: usize = 12;

/// Where frames are: in which file, and how many bytes from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub segment: u64,
    pub offset: u64,
}

impl Place {
    fn behind(self, bytes: usize) -> Place {
        Place { offset: self.offset + bytes as u64, ..self }
    }

    fn checksum(self, body: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.segment.to_le_bytes());
        hasher.update(&self.offset.to_le_bytes());
        hasher.update(body);
        hasher.finalize()
    }
}

/// One frame's content. The log is an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Name { id: u64, name: String },
    Append { id: u64, first: u64, numbering: Numbering, records: Vec<Compact> },
    Trim { id: u64, first: u64 },
    Remove { id: u64 },
    Lose { id: u64, next: u64 },
}

impl Frame {
    pub fn id(&self) -> u64 {
        match self {
            Frame::Name { id, .. }
            | Frame::Append { id, .. }
            | Frame::Trim { id, .. }
            | Frame::Remove { id }
            | Frame::Lose { id, .. } => *id,
        }
    }
}

/// Frames that are to be written from a place on.
#[derive(Debug)]
pub struct Frames<'a> {
    pub out: &'a mut Vec<u8>,
    pub start: Place,
}

impl Frames<'_> {
    pub fn name(&mut self, id: u64, name: &str) {
        self.framed(0, id, |out| out.extend_from_slice(name.as_bytes()));
    }

    /// A frame for each run of records that arrived at the same time.
    pub fn append(&mut self, id: u64, mut first: u64, numbering: Numbering, records: &[Compact]) {
        for run in records.chunk_by(|a, b| a.arrival() == b.arrival()) {
            self.framed(1, id, |out| {
                for value in [first, run[0].arrival(), numbering.created_s, u64::from(numbering.shard)] {
                    number(out, value);
                }
                for record in run {
                    let Lengths { key, data } = record.lengths();
                    number(out, key as u64);
                    number(out, data as u64);
                    out.extend_from_slice(record.bytes());
                }
            });
            first += run.len() as u64;
        }
    }

    pub fn trim(&mut self, id: u64, first: u64) {
        self.framed(2, id, |out| number(out, first));
    }

    pub fn remove(&mut self, id: u64) {
        self.framed(3, id, |_| {});
    }

    pub fn lose(&mut self, id: u64, next: u64) {
        self.framed(4, id, |out| number(out, next));
    }

    fn framed(&mut self, kind: u8, id: u64, rest: impl FnOnce(&mut Vec<u8>)) {
        self.wrap(|out| {
            out.push(kind);
            number(out, id);
            rest(out);
        });
    }

    /// Writes a head, and the body behind it.
    fn wrap(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        let out = &mut *self.out;
        let (at, place) = (out.len(), self.start.behind(out.len()));
        out.extend_from_slice(&[0; HEAD]);
        body(out);
        let (head, body) = out[at..].split_at_mut(HEAD);
        let length = u32::try_from(body.len()).expect("a request, and so what it puts, is far below 4 GiB");
        head[..2].copy_from_slice(&MARK);
        head[2..6].copy_from_slice(&length.to_le_bytes());
        head[6..10].copy_from_slice(&place.checksum(body).to_le_bytes());
        let check = check(&head[..10]);
        head[10..].copy_from_slice(&check);
    }
}

fn check(head: &[u8]) -> [u8; 2] {
    let [a, b, _, _] = crc32fast::hash(head).to_le_bytes();
    [a, b]
}

/// The first frame of what is left of a file from this place on, and its length. `None` where there is no whole one.
pub fn next(rest: &[u8], place: Place) -> Option<(Frame, usize)> {
    let (head, rest) = rest.split_first_chunk::<HEAD>()?;
    if head[..2] != MARK || head[10..] != check(&head[..10]) {
        return None;
    }
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
    let body = rest.get(..word(&head[2..6]) as usize)?;
    let frame = (place.checksum(body) == word(&head[6..10])).then(|| read(body))??;
    Some((frame, HEAD + body.len()))
}

/// How many bytes there are before the next whole frame, or to the end.
pub fn skipped(rest: &[u8], place: Place) -> usize {
    let marks = rest.windows(MARK.len()).enumerate().filter(|(_, window)| **window == MARK).map(|(at, _)| at);
    marks.into_iter().find(|at| next(&rest[*at..], place.behind(*at)).is_some()).unwrap_or(rest.len())
}

fn read(body: &[u8]) -> Option<Frame> {
    let (kind, mut rest) = body.split_first()?;
    let id = take_number(&mut rest)?;
    Some(match kind {
        0 => Frame::Name { id, name: std::str::from_utf8(rest).ok()?.to_owned() },
        1 => {
            let first = take_number(&mut rest)?;
            let (numbering, records) = read_records(rest, first)?;
            Frame::Append { id, first, numbering, records }
        }
        2 => Frame::Trim { id, first: take_number(&mut rest)? },
        3 => Frame::Remove { id },
        4 => Frame::Lose { id, next: take_number(&mut rest)? },
        _ => return None,
    })
}

/// The records share one piece of memory.
fn read_records(mut rest: &[u8], first: u64) -> Option<(Numbering, Vec<Compact>)> {
    let arrival: Millis = take_number(&mut rest)?;
    let created_s = take_number(&mut rest)?;
    let shard = u32::try_from(take_number(&mut rest)?).ok()?;
    // Each record takes more than a byte: the last one's ordinal is a number too.
    first.checked_add(rest.len() as u64)?;
    let whole = Arc::new(Bytes::copy_from_slice(rest));
    let mut records = vec![];
    while !rest.is_empty() {
        let key = usize::try_from(take_number(&mut rest)?).ok()?;
        let data = usize::try_from(take_number(&mut rest)?).ok()?;
        let start = whole.len() - rest.len();
        let (partition_key, after) = rest.split_at_checked(key)?;
        rest = after.get(data..)?;
        std::str::from_utf8(partition_key).ok().filter(|key| key.len() <= LONGEST_KEY)?;
        records.push(Compact::new(arrival, &whole, start, Lengths { key, data }));
    }
    Some((Numbering { created_s, shard }, records))
}

/// Seven bits a byte, the lowest first; all but the last have the highest bit set.
fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests;
