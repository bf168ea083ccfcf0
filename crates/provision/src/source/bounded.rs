//! Lines of a source of any length, in bounded memory.

use std::io::{self, BufRead, Read};

/// The largest record that Kinesis takes of any stream; a line may be one byte longer, so that a larger one is seen as such.
pub const MAX_BYTES: usize = aws_facts::kinesis::MAX_RECORD_KIB.max as usize * 1024;

/// One line without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Whole(Vec<u8>),
    /// More than [`MAX_BYTES`]: the number of bytes. The rest was passed over.
    TooLong(u64),
}

/// The next line, or `None` at the end.
pub fn line(source: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = vec![];
    let limit = MAX_BYTES as u64 + 2; // A line end of two bytes.
    source.by_ref().take(limit).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let mut bytes = line.len() as u64;
    if bytes == limit && line.last() != Some(&b'\n') {
        bytes += skip(source)?;
    }
    let ended = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
    line.truncate(ended.unwrap_or(line.len()));
    Ok(Some(if bytes > limit || line.len() > MAX_BYTES { Line::TooLong(bytes) } else { Line::Whole(line) }))
}

/// Passes over the rest of a line, and says how much that was.
fn skip(source: &mut impl BufRead) -> io::Result<u64> {
    let mut bytes = 0;
    loop {
        let available = source.fill_buf()?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        source.consume(taken);
        bytes += taken as u64;
        if end.is_some() || taken == 0 {
            return Ok(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Line> {
        let mut source = io::BufReader::with_capacity(7, text);
        std::iter::from_fn(|| line(&mut source).expect("a slice is read")).collect()
    }

    #[test]
    fn a_line_comes_without_its_end_and_the_last_one_needs_none() {
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(lines(b"a\r\n\nb\rc"), [whole("a"), whole(""), whole("b\rc")]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_is_read() {
        let longest = vec![b'x'; MAX_BYTES];
        let text = [&longest[..], b"\r\n", &longest[..], b"xyz\n", b"after"].concat();
        let read = lines(&text);
        assert_eq!(read.len(), 3);
        assert!(matches!(&read[0], Line::Whole(line) if line.len() == MAX_BYTES));
        assert_eq!(read[1], Line::TooLong(MAX_BYTES as u64 + 4));
        assert_eq!(read[2], Line::Whole(b"after".to_vec()));
    }
}
