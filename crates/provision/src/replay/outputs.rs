//! The objects that replayed records make, as the delivery stream would store them. Pure.

use std::collections::BTreeMap;

use aws_facts::firehose::prefix::{Facts, PartitionKeys};
use bytes::Bytes;
use jiff::tz::TimeZone;
use local_cloud::delivery::{Compression as Format, object_name, random_string, uuid};
use serde::{Deserialize, Serialize};

use crate::prefix::Prefix;
use crate::resource::delivery_stream::{Compression, DeliveryStream};

/// The most bytes of one object, before it is compressed: the largest buffer of Firehose.
const MAX_BYTES: usize = 128 << 20;

/// A record that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its position in the error object.
    pub record: usize,
    pub data: Vec<u8>,
    pub partition_keys: PartitionKeys,
    /// In milliseconds since the epoch.
    pub arrived_ms: i64,
}

/// An object to store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub key: String,
    /// Compressed.
    #[serde(with = "base64")]
    pub body: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// ARN of the KMS key that the delivery stream encrypts its objects with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// How many records are in it.
    pub records: usize,
}

mod base64 {
    use base64_simd::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode_to_string(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let decoded = STANDARD.decode_to_vec(String::deserialize(deserializer)?);
        decoded.map(Bytes::from).map_err(serde::de::Error::custom)
    }
}

/// The objects of these records: one for each set of partition keys. Their names follow from the error object and its records.
pub fn objects(
    delivery: &DeliveryStream,
    name: &str,
    delimiter: &[u8],
    error_object: &str,
    outputs: Vec<Output>,
) -> Vec<Object> {
    let mut by_keys: BTreeMap<PartitionKeys, Vec<Vec<Output>>> = BTreeMap::new();
    for output in outputs {
        let groups = by_keys.entry(output.partition_keys.clone()).or_default();
        let held = |group: &Vec<Output>| group.iter().map(|one| one.data.len() + delimiter.len()).sum::<usize>();
        match groups.last_mut() {
            Some(group) if held(group) + output.data.len() <= MAX_BYTES => group.push(output),
            _ => groups.push(vec![output]),
        }
    }
    let groups =
        by_keys.into_iter().flat_map(|(keys, groups)| groups.into_iter().map(move |group| (keys.clone(), group)));
    groups.map(|(keys, group)| object(delivery, name, delimiter, error_object, &keys, &group)).collect()
}

fn object(
    delivery: &DeliveryStream,
    name: &str,
    delimiter: &[u8],
    error_object: &str,
    partition_keys: &PartitionKeys,
    group: &[Output],
) -> Object {
    let format = match delivery.compression {
        Compression::None => Format::Uncompressed,
        Compression::Gzip => Format::Gzip,
        Compression::Zip => Format::Zip,
        Compression::Snappy => Format::Snappy,
        Compression::HadoopSnappy => Format::HadoopSnappy,
    };
    let records = group.iter().map(|one| one.record.to_string()).collect::<Vec<_>>().join(",");
    let uuid = uuid(&[error_object, &records]);
    let oldest = group.iter().map(|one| one.arrived_ms).min().unwrap_or_default();
    let zone = TimeZone::get(&delivery.time_zone).unwrap_or(TimeZone::UTC);
    let time = jiff::Timestamp::from_millisecond(oldest).unwrap_or_default().to_zoned(zone);
    let prefix = Prefix::parse(&delivery.good).unwrap_or_default();
    let prefix =
        prefix.evaluate(Facts { time: &time, error_type: None, partition_keys, random_string: &random_string(&uuid) });
    let extension = match delivery.file_extension.as_str() {
        "" => format.extension(),
        own => own,
    };
    let key = prefix + &object_name(name, 1, &time, &uuid, extension);
    let body = group.iter().map(|one| one.data.as_slice()).collect::<Vec<_>>().join(delimiter);
    Object {
        key,
        body: format.compress(body, &uuid).into(),
        content_encoding: format.content_encoding().map(str::to_owned),
        kms_key: delivery.encryption.clone(),
        records: group.len(),
    }
}

#[cfg(test)]
mod tests {
    use aws_facts::firehose::prefix::PartitionKey;

    use super::*;
    use crate::prefix::Place;
    use crate::prefix::object_key::Keys;
    use crate::verify::fed::tests::delivery;

    fn output(record: usize, data: &str, key: &str) -> Output {
        let partition_keys = PartitionKeys::from([(PartitionKey::FromLambda("k".into()), key.to_owned())]);
        Output { record, data: data.into(), partition_keys, arrived_ms: 1_700_000_000_000 }
    }

    #[test]
    fn records_of_one_partition_are_joined_under_a_name_that_follows_from_them() {
        let mut delivery = delivery("    compression: gzip\n");
        delivery.encryption = Some("arn:aws:kms:us-east-1:000000000000:key/k".into());
        delivery.good = "x/!{partitionKeyFromLambda:k}/!{timestamp:yyyy}/!{firehose:random-string}/".into();
        let all = || vec![output(0, "a", "one"), output(2, "b", "two"), output(5, "c", "one")];
        let made = objects(&delivery, "d-here", b"\n", "bad/e", all());
        assert_eq!(made.iter().map(|object| object.records).collect::<Vec<_>>(), [2, 1]);
        assert!(made[0].key.starts_with("x/one/2023/") && made[0].key.ends_with(".gz"), "{}", made[0].key);
        let place = Place { bucket: "b".into(), prefix: delivery.good.clone(), delivery: "d-here".into() };
        assert!(made.iter().all(|object| Keys::of(&place).can_be(&object.key)), "{made:?}");
        assert!(made.iter().all(|object| object.kms_key == delivery.encryption));
        assert_eq!(objects(&delivery, "d-here", b"\n", "bad/e", all()), made);
        assert_ne!(objects(&delivery, "d-here", b"\n", "bad/f", all())[0].key, made[0].key);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*made[0].body), &mut text).unwrap();
        assert_eq!(text, "a\nc");
    }
}
