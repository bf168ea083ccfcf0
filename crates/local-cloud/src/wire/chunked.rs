//! `aws-chunked` bodies: chunks with their signatures between, checksums as trailers behind.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

use bytes::{Buf, Bytes, BytesMut};

/// The body is not what `aws-chunked` says it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// A trailer's name and value.
pub type Trailer = (String, String);

/// The bytes between the chunk headers, and the trailers behind them.
pub fn decode(mut body: Bytes) -> Result<(Bytes, Vec<Trailer>), Malformed> {
    let mut out = BytesMut::with_capacity(body.len());
    loop {
        match chunk(&mut body)? {
            (data, _) if data.is_empty() => return Ok((out.freeze(), trailers(&body)?)),
            (data, _) => out.extend_from_slice(&data),
        }
    }
}

/// The chunks, the empty one at the end too, each with its signature, which is empty where there is none.
pub fn signed(mut body: Bytes) -> Result<Vec<(Bytes, String)>, Malformed> {
    let mut chunks = vec![];
    loop {
        chunks.push(chunk(&mut body)?);
        if chunks.last().is_some_and(|(data, _)| data.is_empty()) {
            return Ok(chunks);
        }
    }
}

/// The next chunk and its signature, which are taken. Of the empty one at the end, the line alone.
fn chunk(body: &mut Bytes) -> Result<(Bytes, String), Malformed> {
    let line = line(body)?;
    let size = chunk_size(&line)?;
    let signature = std::str::from_utf8(&line).ok().and_then(|line| line.split_once(";chunk-signature="));
    let signature = signature.map(|(_, signature)| signature.to_owned()).unwrap_or_default();
    if size == 0 {
        return Ok((Bytes::new(), signature));
    }
    if body.len() < size + 2 || &body[size..size + 2] != b"\r\n" {
        return Err(Malformed);
    }
    let data = body.split_to(size);
    body.advance(2);
    Ok((data, signature))
}

/// `name:value` in each line.
fn trailers(rest: &[u8]) -> Result<Vec<Trailer>, Malformed> {
    let text = std::str::from_utf8(rest).map_err(|_| Malformed)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.trim().into(), value.trim().into()));
    lines.map(|line| pair(line).ok_or(Malformed)).collect()
}

/// Up to CRLF, which is taken too.
fn line(body: &mut Bytes) -> Result<Bytes, Malformed> {
    let end = body.windows(2).position(|pair| pair == b"\r\n").ok_or(Malformed)?;
    let line = body.split_to(end);
    body.advance(2);
    Ok(line)
}

/// `1000;chunk-signature=...`, in hex.
fn chunk_size(line: &[u8]) -> Result<usize, Malformed> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = std::str::from_utf8(digits).map_err(|_| Malformed)?;
    usize::from_str_radix(digits, 16).ok().filter(|size| *size <= isize::MAX as usize / 2).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_with_and_without_signatures_and_trailers() {
        for (body, expected) in [
            ("5\r\nhello\r\n0\r\n\r\n", Ok("hello")),
            ("5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0;chunk-signature=cd\r\n\r\n", Ok("hello world")),
            ("A\r\n0\r\n\r\n12345\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", Ok("0\r\n\r\n12345")),
            ("0\r\n\r\n", Ok("")),
            ("0\r\nx-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:ab\r\n\r\n", Ok("")),
            ("5\r\nhell\r\n0\r\n\r\n", Err(Malformed)),
            ("6\r\nhello\r\n", Err(Malformed)),
            ("hello", Err(Malformed)),
            ("g\r\nhello\r\n0\r\n\r\n", Err(Malformed)),
            ("ffffffffffffffff\r\nhello\r\n", Err(Malformed)),
            ("", Err(Malformed)),
        ] {
            let decoded = decode(Bytes::from_static(body.as_bytes()));
            let decoded = decoded.map(|(bytes, _)| bytes);
            assert_eq!(decoded, expected.map(|text| Bytes::from_static(text.as_bytes())), "{body:?}");
        }
        let (_, trailers) = decode(Bytes::from_static(b"0\r\na: b\r\nc:d:e\r\n\r\n")).expect("it is whole");
        assert_eq!(trailers, [("a".into(), "b".into()), ("c".into(), "d:e".into())]);
    }
}
