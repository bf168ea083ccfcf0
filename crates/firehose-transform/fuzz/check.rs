//! Rules for any bytes that come as an event.

use firehose_transform::{EventError, Invocation, MAX_RESPONSE_BYTES, Outcome, Record, Runner, batch};
use serde_json::Value;

/// An event is refused or answered in full, and serde_json reads the same out of it.
pub fn event(event: &[u8]) {
    let asked = |record: &Record<'_>| {
        let _ = (record.partition_key(), record.shard_id(), record.sequence_number(), record.subsequence_number());
        let _ = (record.arrived_at(), record.region(), record.source_stream_arn(), record.time_left());
        let _ = record.fields().map(|fields| fields.for_each(|field| drop(field.map(|field| field.number()))));
        let _ = record.fields().and_then(|fields| fields.map_numbers(Ok));
        Outcome::unchanged().with_partition_key("id", record.id())
    };
    let expected = reference(event);
    match batch(event, asked) {
        Ok(mut reply) => {
            assert!(reply.response.len() <= MAX_RESPONSE_BYTES);
            let response: Value = serde_json::from_slice(&reply.response).expect("the response is JSON");
            let answers = response["records"].as_array().expect("records is a list");
            assert_eq!(answers.len(), reply.records);
            if let Some(expected) = expected {
                assert_eq!(answers.iter().map(answered).collect::<Vec<_>>(), expected);
            }
            let first = reply.response.clone();
            let again = Runner::new().threads(1).answer(event, &Invocation::default(), &mut reply, asked);
            assert_eq!((again, reply.response), (Ok(()), first), "an answer over an older one");
        }
        Err(EventError::TooManyRecords { .. }) => {}
        Err(error) => assert!(expected.is_none(), "{error}"),
    }
}

/// Id and payload of each record. `None` for what is no event, and for what serde_json and the reader here may see differently:
/// the latter takes no keys with escapes, and refuses two lists of records.
fn reference(event: &[u8]) -> Option<Vec<(String, Option<Vec<u8>>)>> {
    let text = std::str::from_utf8(event)
        .ok()
        .filter(|text| !text.contains('\\') && text.matches("\"records\"").count() == 1)?;
    let event: Value = serde_json::from_str(text).ok()?;
    event
        .as_object()?
        .get("records")?
        .as_array()?
        .iter()
        .map(|record| {
            let data = record["data"].as_str().and_then(|data| base64_simd::STANDARD.decode_to_vec(data).ok());
            Some((record.as_object()?.get("recordId")?.as_str()?.to_owned(), data))
        })
        .collect()
}

fn answered(answer: &Value) -> (String, Option<Vec<u8>>) {
    let data =
        answer["data"].as_str().map(|data| base64_simd::STANDARD.decode_to_vec(data).expect("what is kept is base64"));
    (answer["recordId"].as_str().expect("an id is text").to_owned(), data)
}
