//! Records that the Kinesis Producer Library put together.
//! <https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md>

use bytes::Bytes;
use md5::{Digest, Md5};
use prost::Message;

use crate::record::{AGGREGATED, Key};

const DIGEST: usize = 16;

#[derive(Clone, PartialEq, Message)]
struct Aggregated {
    #[prost(string, repeated, tag = "1")]
    partition_keys: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<UserRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct UserRecord {
    #[prost(uint64, required, tag = "1")]
    partition_key: u64,
    #[prost(bytes = "bytes", required, tag = "3")]
    data: Bytes,
}

/// Partition key and data of each user record, or `None`: then the record is an ordinary one. Copies no data.
pub fn user_records(data: &Bytes) -> Option<Vec<(Key, Bytes)>> {
    if !data.starts_with(&AGGREGATED) || data.len() < AGGREGATED.len() + DIGEST {
        return None;
    }
    let message = data.slice(AGGREGATED.len()..data.len() - DIGEST);
    if *Md5::digest(&message) != data[data.len() - DIGEST..] {
        return None;
    }
    let aggregated = Aggregated::decode(message).ok()?;
    let keys: Vec<Key> = aggregated.partition_keys.into_iter().map(Key::from).collect();
    let key = |record: &UserRecord| keys.get(usize::try_from(record.partition_key).ok()?).cloned();
    aggregated.records.iter().map(|record| Some((key(record)?, record.data.clone()))).collect()
}

/// User records put together as the library does it: pairs of a partition key and data.
pub fn aggregate<D: AsRef<[u8]>>(records: &[(&str, D)]) -> Vec<u8> {
    let partition_keys = records.iter().map(|(key, _)| (*key).to_owned()).collect();
    let records = (0..).zip(records);
    let records = records
        .map(|(partition_key, (_, data))| UserRecord { partition_key, data: Bytes::copy_from_slice(data.as_ref()) });
    sealed(&Aggregated { partition_keys, records: records.collect() }.encode_to_vec())
}

/// A message between what marks it and its digest.
pub fn sealed(message: &[u8]) -> Vec<u8> {
    [&AGGREGATED[..], message, &Md5::digest(message)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_records_come_out_as_they_went_in() {
        let data = Bytes::from(aggregate(&[("k", "one"), ("ключ", ""), ("k", "three")]));
        let out = user_records(&data).unwrap();
        let told: Vec<(&str, &[u8])> = out.iter().map(|(key, data)| (&**key, &**data)).collect();
        assert_eq!(told, [("k", &b"one"[..]), ("ключ", b""), ("k", b"three")]);
        assert_eq!(user_records(&aggregate::<&str>(&[]).into()), Some(vec![]));
    }

    /// Written by hand from the format's description: with an explicit hash key, a tag, and a partition key used twice.
    #[test]
    fn members_that_are_of_no_use_are_skipped() {
        let message =
            b"\x0a\x01a\x12\x017\x1a\x07\x08\x00\x10\x00\x1a\x01x\x1a\x0c\x08\x00\x1a\x01y\x22\x05\x0a\x01t\x12\x00";
        let data = [&AGGREGATED[..], message, &Md5::digest(message)].concat();
        let out = user_records(&data.into()).unwrap();
        assert_eq!(out, [("a".into(), Bytes::from("x")), ("a".into(), Bytes::from("y"))]);
    }

    #[test]
    fn what_only_looks_so_is_an_ordinary_record() {
        let good = aggregate(&[("k", "one")]);
        let edited = |edit: fn(&mut Vec<u8>)| {
            let mut data = good.clone();
            edit(&mut data);
            user_records(&data.into())
        };
        assert!(edited(|_| ()).is_some());
        assert_eq!(edited(|data| data[0] = 0), None, "another magic number");
        assert_eq!(edited(|data| *data.last_mut().unwrap() ^= 1), None, "another digest");
        assert_eq!(edited(|data| data.truncate(12)), None, "too short");
        let signed = |message: &[u8]| [&AGGREGATED[..], message, &Md5::digest(message)].concat();
        assert_eq!(user_records(&signed(b"\x1a\xff").into()), None, "no message");
        assert_eq!(user_records(&signed(&b"\x2b".repeat(300_000)).into()), None, "groups without end");
        assert_eq!(
            user_records(&signed(&b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\x7f".repeat(9)).into()),
            None,
            "no such length"
        );
        assert_eq!(
            user_records(&signed(b"\x1a\x05\x08\x07\x1a\x01x").into()),
            None,
            "a partition key that is not there"
        );
    }
}
