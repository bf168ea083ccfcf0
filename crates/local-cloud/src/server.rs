//! The loopback port: HTTP/1.1 and HTTP/2 with prior knowledge on one socket.

use std::error::Error;
use std::future::Future;
use std::io;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::drive::{Content, Engine, LostReply};
use crate::wire::host;

/// No request may be larger: a function's zip as base64 and a large part of an upload fit.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

/// So much is believed of an announced length before any of it has come.
const MOST_RESERVED: usize = 16 * 1024 * 1024;

impl Engine {
    /// Answers on the listener until `shutdown` is ready, then lets what is under way end.
    ///
    /// Requests whose `Host` is not a loopback name are refused, so that no web page can reach the engine by a name of its own.
    ///
    /// # Errors
    /// Where accepting fails for good. A single connection's failure ends that connection only.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        self.reached_at(listener.local_addr()?);
        let connections = GracefulShutdown::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.attend(stream, &connections),
                    Err(error) if of_one_connection(&error) => {}
                    Err(error) => return Err(error),
                },
                () = &mut shutdown => break,
            }
        }
        drop(listener);
        self.hang_up();
        connections.shutdown().await;
        Ok(())
    }

    fn attend(&self, stream: TcpStream, connections: &GracefulShutdown) {
        let engine = self.clone();
        let service = hyper::service::service_fn(move |request| {
            let engine = engine.clone();
            async move { answer(&engine, request).await }
        });
        // Without it every small answer on a kept connection waits for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let server = auto::Builder::new(TokioExecutor::new());
        let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }
}

/// A reply that is lost ends the connection without one.
async fn answer(engine: &Engine, request: http::Request<Incoming>) -> Result<http::Response<Content>, LostReply> {
    if !host::is_loopback(&request) {
        return Ok(refusal(403, "this engine answers to loopback host names only"));
    }
    if host::is_from_elsewhere(request.headers()) {
        return Ok(refusal(403, "this engine answers to no web page of another site"));
    }
    let (parts, body) = request.into_parts();
    match whole(Limited::new(body, MAX_BODY_BYTES)).await {
        Ok(body) => engine.exchange(http::Request::from_parts(parts, body)).await,
        Err(error) if error.is::<LengthLimitError>() => Ok(refusal(413, "the request is larger than 256 MiB")),
        Err(_) => Ok(refusal(400, "the request ended before its body did")),
    }
}

/// Copied piece by piece as it comes, so that the connection reads all of it into the same buffer.
async fn whole(mut body: Limited<Incoming>) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = BytesMut::with_capacity(announced.min(MOST_RESERVED));
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame?.into_data() {
            whole.extend_from_slice(&piece);
        }
    }
    Ok(whole.freeze())
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
