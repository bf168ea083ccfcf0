//! Whether a connection still serves anything. One on which nothing moves for a while ends, whatever the reason: its peer asks for
//! nothing, does not finish what it asks, or does not read its answer. That a peer answers pings says nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

/// A write of at most this size may consist only of acknowledgements of a peer's pings and settings.
const IDLE_BYTES: usize = 64;

/// The activity of a connection.
#[derive(Debug)]
pub struct Activity {
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Answers that are made.
    busy: usize,
    /// When something last moved.
    last: Instant,
}

impl Activity {
    pub fn new(patience: Duration) -> Arc<Activity> {
        Arc::new(Activity { patience, state: Mutex::new(State { busy: 0, last: Instant::now() }) })
    }

    /// An answer is made from now on until what this gives is dropped.
    pub fn begin(self: &Arc<Self>) -> Busy {
        self.change(1);
        Busy(Arc::clone(self))
    }

    /// Waits until nothing has moved for as long as there is patience.
    pub async fn ended(&self) {
        loop {
            let now = Instant::now();
            let until = match *self.state() {
                State { busy: 0, last } => last + self.patience,
                State { .. } => now + self.patience,
            };
            if until <= now {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn change(&self, by: isize) {
        let mut state = self.state();
        state.busy = state.busy.saturating_add_signed(by);
        state.last = Instant::now();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(bytes)) if *bytes > IDLE_BYTES) {
            self.change(0);
        }
    }
}

/// An answer that is made.
#[derive(Debug)]
pub struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(-1);
    }
}

/// A stream whose writes are seen.
pub struct Seen {
    pub stream: TcpStream,
    pub activity: Arc<Activity>,
}

impl AsyncRead for Seen {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Seen {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.activity.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.activity.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_when_nothing_moves_and_no_answer_is_made() {
        let activity = Activity::new(Duration::from_secs(20));
        let begun = Instant::now();
        let ended = async {
            activity.ended().await;
            begun.elapsed().as_secs()
        };
        let course = async {
            let sleep = |seconds| tokio::time::sleep(Duration::from_secs(seconds)); // of the paused clock
            sleep(15).await;
            let busy = activity.begin();
            sleep(100).await;
            drop(busy);
            sleep(19).await;
            activity.wrote(&Poll::Ready(Ok(1_000)));
            sleep(19).await;
            // An acknowledgement, and a peer that takes nothing more.
            activity.wrote(&Poll::Ready(Ok(17)));
            activity.wrote(&Poll::Pending);
        };
        assert_eq!(tokio::join!(ended, course).0, 15 + 100 + 19 + 20);
    }
}
