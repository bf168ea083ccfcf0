//! Reads PutRecords bodies as SDKs write them, in less time than serde. It gives up on everything else and on every mistake; serde
//! then reads the body from its start.

use std::borrow::Cow;

use super::{Entry, PutRecordsInput};

/// `None` if the body is unusual.
pub(super) fn read(body: &[u8]) -> Option<PutRecordsInput<'_>> {
    let mut scan = Scan { text: simdutf8::basic::from_utf8(body).ok()?, at: 0 };
    let mut input = PutRecordsInput::default();
    scan.object(|scan, name| match name {
        "StreamName" => set(&mut input.stream_name, scan.text()?.to_owned()),
        "StreamARN" => set(&mut input.stream_arn, scan.text()?.to_owned()),
        "Records" => set(&mut input.records, scan.entries()?),
        _ => None,
    })?;
    scan.peek().is_none().then_some(input)
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn entries(&mut self) -> Option<Vec<Entry<'a>>> {
        self.expect(b'[')?;
        let mut entries = vec![];
        loop {
            let mut entry = Entry::default();
            self.object(|scan, name| match name {
                "Data" => set(&mut entry.data, Cow::Borrowed(scan.base64()?)),
                "PartitionKey" => set(&mut entry.partition_key, Cow::Borrowed(scan.text()?)),
                "ExplicitHashKey" => set(&mut entry.explicit_hash_key, Cow::Borrowed(scan.text()?)),
                _ => None,
            })?;
            entries.push(entry);
            if !self.eat(b',') {
                return self.expect(b']').map(|()| entries);
            }
        }
    }

    #[inline]
    fn object(&mut self, mut member: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        loop {
            let name = self.text()?;
            self.expect(b':')?;
            member(self, name)?;
            if !self.eat(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// A string without escapes.
    #[inline]
    fn text(&mut self) -> Option<&'a str> {
        self.base64().filter(|text| !text.bytes().any(|byte| byte < b' '))
    }

    /// Like `text`, for base64, which has no control characters: whoever decodes it finds them.
    #[inline]
    fn base64(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let rest = &self.text.as_bytes()[self.at..];
        let length = memchr::memchr2(b'"', b'\\', rest).filter(|end| rest[*end] == b'"')?;
        let text = &self.text[self.at..self.at + length];
        self.at += length + 1;
        Some(text)
    }

    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }
}

/// `None` if the member was there before.
fn set<T>(member: &mut Option<T>, value: T) -> Option<()> {
    member.replace(value).is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_bodies_are_read_here_and_others_are_not() {
        let usual = r#" {"Records": [{"Data": "YQ==", "PartitionKey": "ключ"},{"ExplicitHashKey":"1","Data":""}], "StreamName":"s"} "#;
        assert!(read(usual.as_bytes()).is_some());
        for unusual in [
            "",
            "{}",
            "[]",
            r#"{"StreamName":"s"} x"#,
            r#"{"StreamName":"s","StreamName":"s"}"#,
            r#"{"StreamName":null}"#,
            r#"{"StreamName":"\u0073"}"#,
            r#"{"Records":[]}"#,
            r#"{"Records":[{"Data":"Y\/=="}]}"#,
            "{\"StreamName\":\"\t\"}",
            r#"{"DryRun":true}"#,
        ] {
            assert!(read(unusual.as_bytes()).is_none(), "{unusual}");
        }
    }

    proptest! {
        #[test]
        fn a_body_is_read_as_serde_reads_it(
            body in r#"\{("(StreamName|StreamARN|DryRun)":("[a-zé\\]{0,3}"|null|true), ?){0,2}"Records": ?\[(\{("(Data|PartitionKey|ExplicitHashKey)":"[a-z0-9=\\]{0,3}",?){0,3}\},?){0,3}\]\}? ?"#
        ) {
            if let Some(input) = read(body.as_bytes()) {
                let expected: PutRecordsInput = crate::model::json::read(body.as_bytes()).expect(&body);
                prop_assert_eq!(format!("{input:?}"), format!("{expected:?}"));
            }
        }
    }
}
