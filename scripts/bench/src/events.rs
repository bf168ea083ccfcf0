//! Events as Firehose sends them, with full Kinesis metadata: flat objects of numbers, nine in ten whole, one with two decimals.

use base64_simd::STANDARD;

pub fn event(record_bytes: usize, event_bytes: usize) -> Vec<u8> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut event = String::from(concat!(
        r#"{"invocationId":"3e9c6e4d-0000-4000-8000-000000000000","#,
        r#""sourceKinesisStreamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/example","#,
        r#""deliveryStreamArn":"arn:aws:firehose:us-east-1:111122223333:deliverystream/example","region":"us-east-1","records":["#,
    ));
    for number in 0.. {
        let data = STANDARD.encode_to_string(payload(record_bytes, &mut random));
        let record = format!(
            r#"{{"recordId":"4963663381770264610296474667678053835672139701653{number:06}0000000","approximateArrivalTimestamp":{arrived},"data":"{data}","kinesisRecordMetadata":{{"sequenceNumber":"49636633817702646102964746676780538356721397016536{number:06}","subsequenceNumber":0,"partitionKey":"{key:032x}","shardId":"shardId-000000000000","approximateArrivalTimestamp":{arrived}}}}}"#,
            arrived = 1_700_000_000_123_u64 + number,
            key = random.below(u64::MAX),
        );
        if number > 0 && event.len() + record.len() + 3 > event_bytes {
            break;
        }
        event += if number > 0 { "," } else { "" };
        event += &record;
    }
    event += "]}";
    event.into_bytes()
}

fn payload(bytes: usize, random: &mut Random) -> String {
    let mut text = String::from("{");
    for field in 0.. {
        let number = match random.below(10) {
            0 => format!("{}.{:02}", random.below(1000), random.below(100)),
            _ => random.below(100_000).to_string(),
        };
        let field = format!("\"f{field}\":{number}");
        if text.len() + field.len() + 2 > bytes {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text += &field;
    }
    text + "}"
}

/// Xorshift: the same events in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
