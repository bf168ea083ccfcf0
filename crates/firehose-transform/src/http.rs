//! As much of HTTP/1.1 as the Runtime API needs: one kept-alive connection, one exchange at a time, no time-outs.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A response with its whole body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

pub(crate) struct Client {
    address: String,
    connection: Option<TcpStream>,
    /// The buffer of the last answer. An event has up to six megabytes, and the next will too.
    spare: Vec<u8>,
}

impl Client {
    /// `address` is `host:port`. Connects when first asked.
    pub(crate) fn new(address: String) -> Client {
        Client { address, connection: None, spare: Vec::new() }
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.exchange("GET", path, &[], &[])
    }

    pub(crate) fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        self.exchange("POST", path, headers, body)
    }

    /// Lets the next answer be read into the same memory.
    pub(crate) fn recycle(&mut self, answer: Answer) {
        self.spare = answer.body;
    }

    /// A kept connection may have been closed while the transform ran; such a request is sent once more on a new one.
    fn exchange(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let head = head(&self.address, method, path, headers, body.len());
        if let Some(kept) = self.connection.take()
            && let Ok(answer) = self.send(kept, &head, body)
        {
            return Ok(answer);
        }
        let fresh = TcpStream::connect(&self.address)?;
        fresh.set_nodelay(true)?;
        self.send(fresh, &head, body)
    }

    fn send(&mut self, mut connection: TcpStream, head: &str, body: &[u8]) -> io::Result<Answer> {
        connection.write_all(head.as_bytes())?;
        connection.write_all(body)?;
        let (answer, keep) = read_answer(&mut connection, std::mem::take(&mut self.spare))?;
        self.connection = keep.then_some(connection);
        Ok(answer)
    }
}

fn head(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body_len: usize) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {body_len}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// Reads one answer into the buffer. Also says whether the connection can be used again.
fn read_answer(from: &mut impl Read, mut buffer: Vec<u8>) -> io::Result<(Answer, bool)> {
    buffer.clear();
    let (mut answer, head_len) = loop {
        read_more(from, &mut buffer)?;
        if let Some(parsed) = parse_head(&buffer)? {
            break parsed;
        }
    };
    buffer.drain(..head_len);
    let closes = answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let chunked = answer.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let length = answer.header("content-length").map(|value| value.parse().map_err(broken)).transpose()?;
    answer.body = match (chunked, length) {
        (true, _) => read_chunks(from, buffer)?,
        (false, Some(length)) => read_length(from, buffer, length)?,
        (false, None) => read_to_end(from, buffer)?,
    };
    Ok((answer, !closes && (chunked || length.is_some())))
}

/// `None` while the head is incomplete.
fn parse_head(buffer: &[u8]) -> io::Result<Option<(Answer, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head_len) = response.parse(buffer).map_err(broken)? else {
        return Ok(None);
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let answer = Answer {
        status: response.code.unwrap_or_default(),
        headers: response.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect(),
        body: Vec::new(),
    };
    Ok(Some((answer, head_len)))
}

fn read_length(from: &mut impl Read, mut body: Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    let have = body.len();
    body.reserve_exact(length.saturating_sub(have));
    body.resize(length, 0);
    if have < length {
        from.read_exact(&mut body[have..])?;
    }
    Ok(body)
}

fn read_to_end(from: &mut impl Read, mut body: Vec<u8>) -> io::Result<Vec<u8>> {
    from.read_to_end(&mut body)?;
    Ok(body)
}

/// In place: each chunk moves down over the sizes before it.
fn read_chunks(from: &mut impl Read, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    let (mut end, mut at) = (0, 0);
    loop {
        match httparse::parse_chunk_size(&buffer[at..]).map_err(|_| broken("a chunk without a size"))? {
            httparse::Status::Complete((size_len, size)) => {
                let start = at + size_len;
                let size = usize::try_from(size).map_err(broken)?;
                while buffer.len() < start + size + CHUNK_END {
                    read_more(from, &mut buffer)?;
                }
                buffer.copy_within(start..start + size, end);
                end += size;
                at = start + size + CHUNK_END;
                if size == 0 {
                    buffer.truncate(end);
                    return Ok(buffer);
                }
            }
            httparse::Status::Partial => read_more(from, &mut buffer)?,
        }
    }
}

const CHUNK_END: usize = "\r\n".len();

fn read_more(from: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<()> {
    let have = buffer.len();
    buffer.resize(have + 64 * 1024, 0);
    let read = loop {
        match from.read(&mut buffer[have..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    buffer.truncate(have + read);
    if read == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed before the answer ended"));
    }
    Ok(())
}

fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time: every boundary is a place where the peer may pause.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    #[test]
    fn a_body_is_read_however_it_is_framed() {
        let table = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true),
            ("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", "", true),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "hi", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello", true),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", false),
        ];
        for (wire, body, keeps) in table {
            let (answer, keep) = read_answer(&mut Trickle(wire.as_bytes()), b"what was before".to_vec()).expect(wire);
            assert_eq!((answer.body.as_slice(), keep), (body.as_bytes(), keeps), "{wire}");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        for wire in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhe",
        ] {
            let error = read_answer(&mut wire.as_bytes(), Vec::new()).expect_err(wire);
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{wire}");
        }
    }
}
