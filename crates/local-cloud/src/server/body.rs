//! A request's body, read whole: within its limit, and in time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

use crate::wire::limit::{self, Limit};

/// So much is believed of an announced length before any of it has come.
const MOST_RESERVED: usize = 16 << 20;

/// So much of a body that is too large is read and dropped, so that its sender comes to read the answer.
const MOST_DROPPED: usize = 64 << 20;

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum Unread {
    TooLarge(Box<Limit>),
    TooSlow,
    CutOff,
}

/// Copied piece by piece as it comes, so that the connection reads all of it into the same buffer.
pub async fn whole<B: Body<Data = Bytes> + Unpin>(
    head: &Parts,
    mut body: B,
    patience: Duration,
) -> Result<Bytes, Unread> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let small = body.size_hint().upper().is_some_and(|most| most <= limit::SMALLEST as u64);
    let limit = (!small).then(|| limit::of(head));
    let most = limit.as_ref().map_or(limit::SMALLEST, |limit| limit.bytes);
    let mut reader = Reader { body: &mut body, until: Instant::now() + patience, read: 0 };
    let mut whole = BytesMut::with_capacity(announced.min(most).min(MOST_RESERVED));
    let mut too_large = announced > most;
    while !too_large && let Some(piece) = reader.next().await? {
        too_large = reader.read > most;
        whole.extend_from_slice(&piece);
    }
    match limit.filter(|_| too_large) {
        None => Ok(whole.freeze()),
        Some(limit) => {
            drop(whole);
            let waits = head.headers.contains_key(http::header::EXPECT);
            while !waits && reader.read < MOST_DROPPED && reader.next().await.is_ok_and(|piece| piece.is_some()) {}
            Err(Unread::TooLarge(Box::new(limit)))
        }
    }
}

struct Reader<'a, B> {
    body: &'a mut B,
    until: Instant,
    read: usize,
}

impl<B: Body<Data = Bytes> + Unpin> Reader<'_, B> {
    /// The next piece of the body, `None` at its end.
    async fn next(&mut self) -> Result<Option<Bytes>, Unread> {
        loop {
            let deadline = self.until + Duration::from_secs(self.read as u64 / 1024);
            let frame = timeout_at(deadline, self.body.frame()).await.map_err(|_| Unread::TooSlow)?;
            let Some(frame) = frame else { return Ok(None) };
            if let Ok(piece) = frame.map_err(|_| Unread::CutOff)?.into_data() {
                self.read += piece.len();
                return Ok(Some(piece));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{StreamExt, stream};
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    type Piece = Result<Frame<Bytes>, std::io::Error>;

    /// Of a stream of a size that nobody announced: each piece after its pause.
    async fn read(pieces: Vec<(Duration, usize)>) -> Result<usize, Unread> {
        let (head, ()) = http::Request::post("/")
            .header("x-amz-target", "Kinesis_20131202.CreateStream")
            .body(())
            .expect("valid parts")
            .into_parts();
        let pieces = stream::iter(pieces).then(|(pause, bytes)| async move {
            tokio::time::sleep(pause).await; // of the paused clock
            Piece::Ok(Frame::data(Bytes::from(vec![b' '; bytes])))
        });
        whole(&head, StreamBody::new(Box::pin(pieces)), Duration::from_secs(20)).await.map(|whole| whole.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_up_to_its_limit_and_as_long_as_it_comes() {
        const MIB: usize = 1 << 20;
        let second = Duration::from_secs(1);
        for (what, pieces, expected) in [
            ("at the limit", vec![(second, MIB), (second, MIB)], "Ok(2097152)"),
            ("beyond it", vec![(second, MIB), (second, MIB), (second, 1)], "too large"),
            ("a byte each 15 s", vec![(15 * second, 1); 3], "Err(TooSlow)"),
            ("a KiB each second", vec![(second, 1024); 60], "Ok(61440)"),
            ("nothing for long", vec![(21 * second, 1)], "Err(TooSlow)"),
        ] {
            let found = match read(pieces).await {
                Err(Unread::TooLarge(limit)) if limit.bytes == 2 * MIB => "too large".to_owned(),
                other => format!("{other:?}"),
            };
            assert_eq!(found, expected, "{what}");
        }
    }
}
