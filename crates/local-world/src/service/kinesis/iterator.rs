//! Shard iterators: opaque to clients, a place in a shard's log and a moment to us.

use base64_simd::URL_SAFE_NO_PAD as BASE64;

use super::invalid;
use crate::request::AwsError;
use crate::time::Millis;

/// How long one may be used, in milliseconds.
const LIFETIME: Millis = 300_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iterator {
    /// `region/name` of the stream, and when it was created: another of the same name is another stream.
    pub stream: String,
    pub created: Millis,
    pub shard: u32,
    /// The ordinal of the next record to be read.
    pub ordinal: u64,
    pub issued: Millis,
}

impl Iterator {
    pub fn encode(&self) -> String {
        let Iterator { stream, created, shard, ordinal, issued } = self;
        BASE64.encode_to_string(format!("1 {created} {shard} {ordinal} {issued} {stream}"))
    }

    /// In quotes too, as AWS takes what a shell left them around. Fails when it is none, or when it is too old.
    pub fn decode(text: &str, now: Millis) -> Result<Iterator, AwsError> {
        let iterator = parse(text).ok_or_else(|| invalid("Invalid ShardIterator."))?;
        if now <= iterator.issued + LIFETIME {
            return Ok(iterator);
        }
        let message = format!(
            "Iterator expired. The iterator was created at time {} while right now it is {} which is further in the \
             future than the tolerated delay of {LIFETIME} milliseconds.",
            date(iterator.issued),
            date(now)
        );
        Err(AwsError::new("ExpiredIteratorException", message))
    }

    /// The `region/name` of the stream that an iterator, even an expired one, or a token of ListShards was given out for.
    pub fn stream_of(text: &str) -> Option<String> {
        let iterator = text.split_once('.').map_or(text, |(iterator, _)| iterator);
        parse(iterator).map(|iterator| iterator.stream)
    }
}

fn parse(text: &str) -> Option<Iterator> {
    let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let plain = String::from_utf8(BASE64.decode_to_vec(unquoted.unwrap_or(text)).ok()?).ok()?;
    let mut parts = plain.strip_prefix("1 ")?.splitn(5, ' ');
    let created = parts.next()?.parse().ok()?;
    let shard = parts.next()?.parse().ok()?;
    let ordinal = parts.next()?.parse().ok()?;
    let issued = parts.next()?.parse().ok()?;
    Some(Iterator { stream: parts.next()?.to_owned(), created, shard, ordinal, issued })
}

/// `Thu Jan 22 01:22:02 UTC 2015`
fn date(time: Millis) -> String {
    let time = i64::try_from(time).ok().and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    time.unwrap_or(jiff::Timestamp::MAX).strftime("%a %b %d %H:%M:%S UTC %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iterator() -> Iterator {
        Iterator { stream: "us-east-1/a".into(), created: 1, shard: 2, ordinal: 3, issued: 1_421_889_722_000 }
    }

    #[test]
    fn it_comes_back_for_five_minutes() {
        let text = iterator().encode();
        assert_eq!(Iterator::decode(&text, iterator().issued + 300_000), Ok(iterator()));
        assert_eq!(Iterator::decode(&format!("\"{text}\""), iterator().issued), Ok(iterator()));
        let error = Iterator::decode(&text, iterator().issued + 300_001).unwrap_err();
        assert_eq!(error.code, "ExpiredIteratorException");
        assert!(error.message.contains("created at time Thu Jan 22 01:22:02 UTC 2015 while"), "{error}");
        for text in [text.clone(), format!("\"{text}\""), format!("{text}.e30")] {
            assert_eq!(Iterator::stream_of(&text).as_deref(), Some("us-east-1/a"), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "x", "\"", "AAAA", "MSAxIDI"] {
            assert_eq!(Iterator::decode(text, 0).unwrap_err().message, "Invalid ShardIterator.", "{text}");
        }
    }
}
