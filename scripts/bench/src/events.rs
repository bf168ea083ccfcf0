//! Events as Firehose sends them, with the full metadata of a Kinesis stream.

use base64_simd::STANDARD;

use crate::payloads::{self, Random};

/// An event with payloads of this shape, of at most this many bytes. After the word `reordered` the keys of its records have another order.
pub fn event(shape: &str, event_bytes: usize) -> Vec<u8> {
    let mut random = Random::new();
    let mut event = String::from(concat!(
        r#"{"invocationId":"3e9c6e4d-0000-4000-8000-000000000000","#,
        r#""sourceKinesisStreamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/example","#,
        r#""deliveryStreamArn":"arn:aws:firehose:us-east-1:111122223333:deliverystream/example","region":"us-east-1","records":["#,
    ));
    let (reordered, shape) = shape.strip_prefix("reordered ").map_or((false, shape), |shape| (true, shape));
    for number in 0.. {
        let data = STANDARD.encode_to_string(payloads::payload(shape, &mut random));
        let id = format!(r#""recordId":"4963663381770264610296474667678053835672139701653{number:06}0000000""#);
        let arrived = format!(r#""approximateArrivalTimestamp":{}"#, 1_700_000_000_123_u64 + number);
        let data = format!(r#""data":"{data}""#);
        let kinesis = format!(
            r#""kinesisRecordMetadata":{{"sequenceNumber":"49636633817702646102964746676780538356721397016536{number:06}","subsequenceNumber":0,"partitionKey":"{key:032x}","shardId":"shardId-000000000000",{arrived}}}"#,
            key = random.below(u64::MAX),
        );
        let members = if reordered { [data, kinesis, id, arrived] } else { [id, arrived, data, kinesis] };
        let record = format!("{{{}}}", members.join(","));
        if number > 0 && event.len() + record.len() + 3 > event_bytes {
            break;
        }
        event += if number > 0 { "," } else { "" };
        event += &record;
    }
    event += "]}";
    event.into_bytes()
}
