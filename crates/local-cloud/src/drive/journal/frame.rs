//! How changes of logs are written: frames of length, checksum and body, all numbers of the body in as many bytes as they
//! need. A log's name is written once in a file, and then its id. What follows from other numbers is not written: the sequence
//! numbers of records that were put at the same time to the same shard.

use bytes::Bytes;

use crate::service::kinesis::log::Record;
use crate::service::kinesis::sequence::Sequence;
use crate::settings::Millis;

/// Length and checksum of a body, four bytes each.
const HEAD: usize = 8;

/// One frame's content. The log is an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Name { id: u64, name: String },
    Append { id: u64, first: u64, records: Vec<Record> },
    Trim { id: u64, first: u64 },
    Remove { id: u64 },
}

impl Frame {
    pub fn id(&self) -> u64 {
        match self {
            Frame::Name { id, .. } | Frame::Append { id, .. } | Frame::Trim { id, .. } | Frame::Remove { id } => *id,
        }
    }
}

pub fn name(out: &mut Vec<u8>, id: u64, name: &str) {
    framed(out, |out| {
        out.push(0);
        number(out, id);
        out.extend_from_slice(name.as_bytes());
    });
}

/// A frame for each run of records that arrived at the same time.
pub fn append(out: &mut Vec<u8>, id: u64, mut first: u64, records: &[Record]) {
    for run in records.chunk_by(|a, b| a.arrival == b.arrival) {
        let sequence = run[0].sequence;
        framed(out, |out| {
            out.push(1);
            for value in [id, first, run[0].arrival, sequence.created_s(), u64::from(sequence.shard())] {
                number(out, value);
            }
            for record in run {
                number(out, record.partition_key.len() as u64);
                number(out, record.data.len() as u64);
                out.extend_from_slice(record.partition_key.as_bytes());
                out.extend_from_slice(&record.data);
            }
        });
        first += run.len() as u64;
    }
}

pub fn trim(out: &mut Vec<u8>, id: u64, first: u64) {
    framed(out, |out| {
        out.push(2);
        number(out, id);
        number(out, first);
    });
}

pub fn remove(out: &mut Vec<u8>, id: u64) {
    framed(out, |out| {
        out.push(3);
        number(out, id);
    });
}

fn framed(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    body(out);
    let (head, body) = out[start..].split_at_mut(HEAD);
    let length = u32::try_from(body.len()).expect("a request, and so what it puts, is far below 4 GiB");
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
}

/// The first frame of what is left of a file, and its length. `None` where there is no whole one.
pub fn next(rest: &[u8]) -> Option<(Frame, usize)> {
    let (head, rest) = rest.split_first_chunk::<HEAD>()?;
    let (length, checksum) = head.split_at(4);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
    let body = rest.get(..word(length) as usize)?;
    let frame = (crc32fast::hash(body) == word(checksum)).then(|| read(body))??;
    Some((frame, HEAD + body.len()))
}

fn read(body: &[u8]) -> Option<Frame> {
    let (kind, mut rest) = body.split_first()?;
    let id = take_number(&mut rest)?;
    Some(match kind {
        0 => Frame::Name { id, name: std::str::from_utf8(rest).ok()?.to_owned() },
        1 => {
            let first = take_number(&mut rest)?;
            Frame::Append { id, first, records: read_records(rest, first)? }
        }
        2 => Frame::Trim { id, first: take_number(&mut rest)? },
        3 => Frame::Remove { id },
        _ => return None,
    })
}

/// The records share one piece of memory.
fn read_records(mut rest: &[u8], first: u64) -> Option<Vec<Record>> {
    let arrival: Millis = take_number(&mut rest)?;
    let created_s = take_number(&mut rest)?;
    let shard = u32::try_from(take_number(&mut rest)?).ok()?;
    // Each record takes more than a byte: the last one's ordinal is a number too.
    first.checked_add(rest.len() as u64)?;
    let whole = Bytes::copy_from_slice(rest);
    let mut records = vec![];
    while !rest.is_empty() {
        let key = usize::try_from(take_number(&mut rest)?).ok()?;
        let data = usize::try_from(take_number(&mut rest)?).ok()?;
        let (partition_key, after) = rest.split_at_checked(key)?;
        let (data, after) = after.split_at_checked(data)?;
        rest = after;
        let end = whole.len() - rest.len();
        records.push(Record {
            sequence: Sequence::of_record(created_s, shard, first + records.len() as u64, arrival / 1000),
            partition_key: std::str::from_utf8(partition_key).ok()?.into(),
            data: whole.slice(end - data.len()..end),
            arrival,
        });
    }
    Some(records)
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_what_is_cut_off_is_not(
            id in 0u64.., first in 0u64..1 << 40, arrivals in proptest::collection::vec(0u64..1 << 41, 1..5), cut in 1usize..20
        ) {
            let records: Vec<Record> = (first..).zip(&arrivals).map(|(ordinal, arrival)| Record {
                sequence: Sequence::of_record(1_700_000_000, 77, ordinal, arrival / 1000),
                partition_key: "ключ".into(),
                data: vec![7; (ordinal % 300) as usize].into(),
                arrival: *arrival,
            }).collect();
            let mut file = vec![];
            name(&mut file, id, "a/b");
            append(&mut file, id, first, &records);
            trim(&mut file, id, first);
            remove(&mut file, id);

            let (mut frames, mut at, mut read_back) = (vec![], 0, vec![]);
            while let Some((frame, length)) = next(&file[at..]) {
                at += length;
                match frame {
                    Frame::Append { records, .. } => read_back.extend(records),
                    other => frames.push(other),
                }
            }
            prop_assert_eq!(at, file.len());
            prop_assert_eq!(read_back, records);
            let others = [Frame::Name { id, name: "a/b".into() }, Frame::Trim { id, first }, Frame::Remove { id }];
            prop_assert_eq!(frames, others);

            let mut short = vec![];
            append(&mut short, id, first, &[Record { sequence: Sequence::start(1, 1), partition_key: "k".into(), data: Bytes::from_static(b"0123456789abcdef"), arrival: 1 }]);
            prop_assert_eq!(next(&short[..short.len() - cut]), None);
            let broken = short.len() - cut;
            short[broken] ^= 1;
            prop_assert_eq!(next(&short), None);
        }
    }

    /// The head is made to fit, so that what is behind it is reached.
    #[test]
    fn fuzz_journal() {
        fuzz::over("journal", |body| {
            let _ = next(body);
            let mut file = vec![];
            framed(&mut file, |out| out.extend_from_slice(body));
            let Some((frame, length)) = next(&file) else { return };
            assert_eq!(length, file.len());
            assert_eq!(next(&file[..length - 1]), None);
            if let Frame::Append { records, .. } = frame {
                assert!(
                    records.iter().map(|record| record.partition_key.len() + record.data.len()).sum::<usize>()
                        <= body.len()
                );
            }
        });
    }
}
