//! Data as a page shows it, and where records come from.

use base64_simd::STANDARD as BASE64;
use serde::Serialize;

use crate::flow::job::Job;

/// Bytes as text where they are UTF-8, and in base64 otherwise, up to a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// How many there are.
    size: usize,
    /// There are more than are shown.
    cut: bool,
}

impl Shown {
    /// The first `most` bytes of them.
    pub fn of(bytes: &[u8], most: usize) -> Shown {
        let (size, cut) = (bytes.len(), bytes.len() > most);
        let bytes = &bytes[..size.min(most)];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            // The limit may lie inside of a character.
            Err(error) if cut && error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
            Err(_) => None,
        };
        let base64 = text.is_none().then(|| BASE64.encode_to_string(bytes));
        Shown { text: text.map(str::to_owned), base64, size, cut }
    }
}

/// The log that records are put to: of a stream, or of a delivery stream that is put to directly. Both are `region/name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", content = "source", rename_all = "lowercase")]
pub enum Source {
    /// A data stream.
    Stream(String),
    /// A delivery stream.
    Delivery(String),
}

impl Source {
    pub(crate) fn of(job: &Job) -> Source {
        match &job.source {
            Some(source) => Source::Stream(source.stream_key.clone()),
            None => Source::Delivery(job.stream.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_text_where_they_are_text() {
        let shown = |bytes: &[u8]| {
            let shown = Shown::of(bytes, 5);
            (shown.text, shown.base64, shown.cut)
        };
        assert_eq!(shown(b"abc"), (Some("abc".into()), None, false));
        assert_eq!(shown(b"abcdef"), (Some("abcde".into()), None, true));
        assert_eq!(shown("abcdé".as_bytes()), (Some("abcd".into()), None, true), "inside of a character");
        assert_eq!(shown(&[255, 254]), (None, Some("//4=".into()), false));
    }
}
