//! The loopback port: HTTP/1.1 and HTTP/2 with prior knowledge on one socket.
//!
//! The resources that peers can hold are bounded: connections, the time without progress, the time for a body, and the bytes of
//! all bodies together. When the process has no more file descriptors, accepting pauses.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::drive::Engine;
use crate::exchange::{Content, LostReply};
use crate::host;

mod activity;
mod answered;
mod body;
mod descriptors;

use activity::{Activity, Seen};
use answered::Answered;
use body::{Rooms, Unread};

/// The head of a request comes within this time after the one before was answered, and an answer is taken further within this time,
/// or the connection ends. SDKs notice that a kept connection has ended, and open another. A body comes within this time, and a
/// second more for each KiB. What is under way when the engine is to end has so long too.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long accepting pauses where the process has no file descriptor left for a connection.
const PAUSE: Duration = Duration::from_millis(100);

impl Engine {
    /// Answers on the listener until `shutdown` is ready, then lets what is under way end, for 20 seconds at most. Raises the
    /// process's soft limit of file descriptors to what it may have.
    ///
    /// Requests whose `Host` is not a loopback name are refused, so that no web page can reach the engine by a name of its own.
    ///
    /// # Errors
    /// Where accepting fails for good. A single connection's failure ends that connection only.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        self.serve_with(PATIENCE, listener, shutdown).await
    }

    async fn serve_with(
        &self,
        patience: Duration,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        self.reached_at(listener.local_addr()?);
        let places = Arc::new(Semaphore::new(descriptors::most_connections(descriptors::raise())));
        let rooms = Arc::new(Rooms::default());
        let connections = GracefulShutdown::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            // A connection that finds no place waits in the system's queue.
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
                listener.accept().await.map(|(stream, _)| (stream, place))
            };
            tokio::select! {
                accepted = accepted => match accepted {
                    Ok((stream, place)) => self.attend(stream, place, patience, &rooms, &connections),
                    Err(error) if of_one_connection(&error) => {}
                    Err(error) if descriptors::are_used_up(&error) => {
                        tracing::warn!("accepting a connection, which pauses: {error}");
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(error) => return Err(error),
                },
                () = &mut shutdown => break,
            }
        }
        drop(listener);
        self.hang_up();
        if timeout(patience, connections.shutdown()).await.is_err() {
            tracing::warn!("ending without the answers that are still under way");
        }
        Ok(())
    }

    fn attend(
        &self,
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        patience: Duration,
        rooms: &Arc<Rooms>,
        connections: &GracefulShutdown,
    ) {
        let (engine, rooms) = (self.clone(), Arc::clone(rooms));
        let activity = Activity::new(patience);
        let asked = Arc::clone(&activity);
        let service = hyper::service::service_fn(move |request| {
            let (engine, rooms, busy) = (engine.clone(), Arc::clone(&rooms), asked.begin());
            async move { Ok::<_, LostReply>(Answered::of(answer(&engine, patience, &rooms, request).await?, busy)) }
        });
        // Without it every small answer on a kept connection waits for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(Seen { stream, activity: Arc::clone(&activity) });
        let connection = auto::Builder::new(TokioExecutor::new()).serve_connection(stream, service).into_owned();
        let watched = connections.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            tokio::select! {
                ended = watched => match ended {
                    Ok(()) => {}
                    Err(error) => tracing::debug!("a connection ended early: {error}"),
                },
                () = activity.ended() => tracing::debug!("a connection ended on which nothing moved"),
            }
        });
    }
}

/// A reply that is lost ends the connection without one.
async fn answer(
    engine: &Engine,
    patience: Duration,
    rooms: &Rooms,
    request: http::Request<Incoming>,
) -> Result<http::Response<Content>, LostReply> {
    if !host::is_loopback(&request) {
        return Ok(refusal(403, "this engine answers to loopback host names only"));
    }
    if host::is_from_elsewhere(request.headers()) {
        return Ok(refusal(403, "this engine answers to no web page of another site"));
    }
    let (parts, body) = request.into_parts();
    match body::whole(&parts, body, patience, rooms).await {
        Ok(whole) => engine.exchange(http::Request::from_parts(parts, whole.bytes)).await,
        Err(Unread::TooLarge(limit)) => Ok(engine.too_large(&limit)),
        Err(Unread::TooSlow) => Ok(refusal(408, "the request's body did not come in time")),
        Err(Unread::NoRoom) => Ok(refusal(503, "the bodies of all requests under way are too large together")),
        Err(Unread::CutOff) => Ok(refusal(400, "the request ended before its body did")),
    }
}

fn refusal(status: u16, why: &'static str) -> http::Response<Content> {
    let mut response = http::Response::new(Content::from(Bytes::from_static(why.as_bytes())));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("the statuses above are valid");
    response
}

fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests;
