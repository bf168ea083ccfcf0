//! Finds the expected outputs in an object. Firehose joins records byte to byte, so that an object does not say where one ends. How
//! the outputs look says it: each is a line, or each is a JSON document, or else their lengths are tried, the longest first.
//! Bytes that belong to no output (other runs, other producers) are passed over. Pure.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

/// Lengths that are tried at a place where nothing else is found.
const MOST_LENGTHS: usize = 512;

/// The shape of all outputs that are expected from one delivery stream.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Put behind each record by the delivery stream.
    delimiter: Vec<u8>,
    lengths: BTreeSet<usize>,
    /// Pairs of first bytes: a bit for each.
    starts: Vec<u64>,
    /// Each output ends with a newline, or gets one, and has no other.
    lines: bool,
    /// Each output is one JSON object or list.
    json: bool,
    /// Outputs are compared by an identity, so that their lengths say nothing.
    by_identity: bool,
}

impl Shape {
    /// `delimiter` is what AppendDelimiterToRecord appends.
    pub fn new(delimiter: &[u8], by_identity: bool) -> Shape {
        Shape {
            delimiter: delimiter.to_vec(),
            lengths: BTreeSet::new(),
            starts: vec![0; 1 << 10],
            lines: true,
            json: true,
            by_identity,
        }
    }

    /// Takes note of an output.
    pub fn learn(&mut self, output: &[u8]) {
        if output.is_empty() {
            return;
        }
        self.lengths.insert(output.len());
        let start = start(output);
        self.starts[start / 64] |= 1 << (start % 64);
        if self.lines {
            let body = output.strip_suffix(b"\n");
            let ends = body.is_some() || self.delimiter == b"\n";
            self.lines = ends && !body.unwrap_or(output).contains(&b'\n');
        }
        // It is asked only where lines do not tell.
        if self.json && !self.lines {
            self.json = is_document(output);
        }
    }

    /// Walks through an object. `take` is asked of bytes that may be an output, and says whether they are; what belongs to none is
    /// given to `unknown`.
    pub fn walk<E>(
        &self,
        object: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<bool, E>,
        mut unknown: impl FnMut(&[u8]),
    ) -> Result<(), E> {
        let mut rest = object;
        while !rest.is_empty() {
            if let Some(after) = self.delimiters(rest) {
                rest = after;
                continue;
            }
            let piece = self.piece(rest);
            // With its newline, and without it.
            let bare = piece.strip_suffix(b"\n").unwrap_or(piece);
            if take(piece)? || bare.len() < piece.len() && take(bare)? {
                rest = &rest[piece.len()..];
                continue;
            }
            if self.by_identity {
                unknown(piece);
            } else {
                self.scan(piece, &mut take, &mut unknown)?;
            }
            rest = &rest[piece.len()..];
        }
        Ok(())
    }

    fn delimiters<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if !self.delimiter.is_empty() && !self.lines {
            return rest.strip_prefix(self.delimiter.as_slice());
        }
        (self.lines && self.delimiter == b"\n").then(|| rest.strip_prefix(b"\n")).flatten()
    }

    /// The bytes that are one output, as far as the shape says.
    fn piece<'a>(&self, rest: &'a [u8]) -> &'a [u8] {
        if self.lines {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            return &rest[..end];
        }
        if self.json
            && let Some(end) = document(rest)
        {
            return &rest[..end + usize::from(rest.get(end) == Some(&b'\n'))];
        }
        if !self.delimiter.is_empty()
            && let Some(end) = find(rest, &self.delimiter)
        {
            return &rest[..end];
        }
        rest
    }

    /// Tries all lengths at each place of a piece.
    fn scan<E>(
        &self,
        piece: &[u8],
        take: &mut impl FnMut(&[u8]) -> Result<bool, E>,
        unknown: &mut impl FnMut(&[u8]),
    ) -> Result<(), E> {
        let (mut from, mut at) = (0, 0);
        let lengths: Vec<usize> = self.lengths.iter().rev().take(MOST_LENGTHS).copied().collect();
        let shortest = lengths.last().copied().unwrap_or(usize::MAX);
        while at + shortest <= piece.len() {
            let rest = &piece[at..];
            let mut found = None;
            if self.can_start(rest) {
                for length in lengths.iter().copied().filter(|length| *length <= rest.len()) {
                    if take(&rest[..length])? {
                        found = Some(length);
                        break;
                    }
                }
            }
            match found {
                Some(length) => {
                    if from < at {
                        unknown(&piece[from..at]);
                    }
                    at += length;
                    from = at;
                }
                None => at += 1,
            }
        }
        if from < piece.len() && piece[from..] != *b"\n" {
            unknown(&piece[from..]);
        }
        Ok(())
    }

    fn can_start(&self, rest: &[u8]) -> bool {
        let is_set = |start: usize| self.starts[start / 64] >> (start % 64) & 1 == 1;
        let start = start(rest);
        // An output of one byte may stand before any other byte.
        is_set(start) || self.lengths.contains(&1) && is_set(start & 0xff00)
    }
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | bytes.get(1).map_or(0, |byte| usize::from(*byte))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn is_document(output: &[u8]) -> bool {
    document(output).is_some_and(|end| matches!(&output[end..], b"" | b"\n"))
}

/// Where the JSON object or list ends that these bytes begin with.
fn document(bytes: &[u8]) -> Option<usize> {
    if !matches!(bytes.first(), Some(b'{' | b'[')) {
        return None;
    }
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    documents.next()?.ok()?;
    Some(documents.byte_offset())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use super::*;

    /// The outputs that are found in an object, and the rest.
    fn found(delimiter: &str, outputs: &[&str], object: &str) -> (Vec<String>, Vec<String>) {
        let mut shape = Shape::new(delimiter.as_bytes(), false);
        outputs.iter().for_each(|output| shape.learn(output.as_bytes()));
        let known: HashMap<&[u8], ()> = outputs.iter().map(|output| (output.as_bytes(), ())).collect();
        let (mut found, mut unknown) = (vec![], vec![]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let take = |piece: &[u8]| {
            let is = known.contains_key(piece);
            found.extend(is.then(|| text(piece)));
            Ok::<_, Infallible>(is)
        };
        shape.walk(object.as_bytes(), take, |piece| unknown.push(text(piece))).unwrap();
        (found, unknown)
    }

    #[test]
    fn outputs_are_found_however_they_are_joined() {
        // (delimiter, outputs, object, found, unknown)
        type Row<'a> = (&'a str, &'a [&'a str], &'a str, &'a [&'a str], &'a [&'a str]);
        let table: &[Row] = &[
            ("", &["{1}", "{12}", "{3}"], "{12}{other}\n{1}{3}", &["{12}", "{1}", "{3}"], &["{other}\n"]),
            ("", &["x", "xy"], "xyx", &["xy", "x"], &[]),
            ("", &["a\n", "b\n"], "a\nc\nb\na\n", &["a\n", "b\n", "a\n"], &["c\n"]),
            ("\n", &["a", "b"], "a\nb\n", &["a", "b"], &[]),
            ("\n", &["a\n", "b\n"], "a\n\nb\n\n", &["a\n", "b\n"], &[]),
            ("||", &["a", "ab"], "a||ab||c||", &["a", "ab"], &["c"]),
            (
                "",
                &[r#"{"n":1}"#, r#"{"n":10}"#],
                r#"{"n":10}{"m":[{}]}{"n":1}"#,
                &[r#"{"n":10}"#, r#"{"n":1}"#],
                &[r#"{"m":[{}]}"#],
            ),
            // Joined to a foreign record that does not end its line.
            ("", &["{\"n\":1}\n"], "foreign{\"n\":1}\n", &["{\"n\":1}\n"], &["foreign"]),
            ("", &["a\nb\n"], "a\nb\na\nb\n", &["a\nb\n", "a\nb\n"], &[]),
        ];
        for (delimiter, outputs, object, expected, rest) in table {
            let (found, unknown) = found(delimiter, outputs, object);
            assert_eq!((found, unknown), (strings(expected), strings(rest)), "{outputs:?} in {object:?}");
        }
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
}
