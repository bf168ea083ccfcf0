//! A request's body, read whole: within its limit, in time, and as long as there is room for it beside all others.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use crate::wire::limit::{self, Limit};

/// So much is believed of an announced length before any of it has come.
const MOST_RESERVED: usize = 16 << 20;

/// So much of a body that is too large is read and dropped, so that its sender comes to read the answer.
const MOST_DROPPED: usize = 64 << 20;

/// So many bytes of all bodies under way are kept: of their first MiB each, and of all that follows.
const MOST_KEPT: usize = 1 << 30;

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum Unread {
    TooLarge(Box<Limit>),
    TooSlow,
    NoRoom,
    CutOff,
}

/// Bytes that are free. Large bodies leave the small ones theirs.
pub struct Rooms {
    small: Semaphore,
    large: Semaphore,
}

impl Default for Rooms {
    fn default() -> Rooms {
        Rooms { small: Semaphore::new(MOST_KEPT), large: Semaphore::new(MOST_KEPT) }
    }
}

/// A body, and the room that it takes as long as this is there.
#[derive(Debug)]
pub struct Whole<'a> {
    pub bytes: Bytes,
    _room: Taken<'a>,
}

/// The memory that a body has reserved.
#[derive(Debug, Default)]
struct Taken<'a> {
    small: Option<SemaphorePermit<'a>>,
    large: Option<SemaphorePermit<'a>>,
}

impl<'a> Taken<'a> {
    /// Waits for room for a piece behind the bytes that were read before.
    async fn more(&mut self, rooms: &'a Rooms, read: usize, piece: usize, patience: Duration) -> Result<(), Unread> {
        let (room, taken) = match read < limit::SMALLEST {
            true => (&rooms.small, &mut self.small),
            false => (&rooms.large, &mut self.large),
        };
        let piece = u32::try_from(piece).map_err(|_| Unread::NoRoom)?;
        let permit = timeout(patience, room.acquire_many(piece)).await.map_err(|_| Unread::NoRoom)?;
        let permit = permit.expect("the semaphore is never closed");
        match taken {
            Some(taken) => taken.merge(permit),
            None => *taken = Some(permit),
        }
        Ok(())
    }
}

/// Copied piece by piece as it comes, so that the connection reads all of it into the same buffer.
pub async fn whole<'a, B: Body<Data = Bytes> + Unpin>(
    head: &Parts,
    mut body: B,
    patience: Duration,
    rooms: &'a Rooms,
) -> Result<Whole<'a>, Unread> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let small = body.size_hint().upper().is_some_and(|most| most <= limit::SMALLEST as u64);
    let limit = (!small).then(|| limit::of(head));
    let most = limit.as_ref().map_or(limit::SMALLEST, |limit| limit.bytes);
    let mut reader = Reader { body: &mut body, until: Instant::now() + patience, read: 0 };
    let mut whole = BytesMut::with_capacity(announced.min(most).min(MOST_RESERVED));
    let mut too_large = announced > most;
    let mut taken = Taken::default();
    while !too_large && let Some(piece) = reader.next().await? {
        too_large = reader.read > most;
        taken.more(rooms, whole.len(), piece.len(), patience).await?;
        whole.extend_from_slice(&piece);
    }
    match limit.filter(|_| too_large) {
        None => Ok(Whole { bytes: whole.freeze(), _room: taken }),
        Some(limit) => {
            drop((whole, taken));
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

    /// Reads a stream of a size that nobody announced: each piece after its pause.
    async fn read(pieces: Vec<(Duration, usize)>) -> Result<usize, Unread> {
        read_in(&Rooms::default(), pieces).await.map(|whole| whole.bytes.len())
    }

    async fn read_in(rooms: &Rooms, pieces: Vec<(Duration, usize)>) -> Result<Whole<'_>, Unread> {
        let (head, ()) = http::Request::post("/")
            .header("x-amz-target", "Kinesis_20131202.CreateStream")
            .body(())
            .expect("valid parts")
            .into_parts();
        let pieces = stream::iter(pieces).then(|(pause, bytes)| async move {
            tokio::time::sleep(pause).await; // of the paused clock
            Piece::Ok(Frame::data(Bytes::from(vec![b' '; bytes])))
        });
        whole(&head, StreamBody::new(Box::pin(pieces)), Duration::from_secs(20), rooms).await
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_under_way_are_bounded_together_and_small_ones_come_in_all_the_same() {
        const MIB: usize = 1 << 20;
        let second = Duration::from_secs(1);
        let rooms = Rooms { small: Semaphore::new(3 * MIB), large: Semaphore::new(MIB) };
        let large = || vec![(second, MIB), (second, MIB)];
        let first = read_in(&rooms, large()).await.expect("there is room for one");
        assert!(matches!(read_in(&rooms, large()).await, Err(Unread::NoRoom)));
        assert!(read_in(&rooms, vec![(second, MIB)]).await.is_ok());
        drop(first);
        assert!(read_in(&rooms, large()).await.is_ok());
        assert_eq!((rooms.small.available_permits(), rooms.large.available_permits()), (3 * MIB, MIB));
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
