//! The loopback port.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::support::*;

async fn raw(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the server answers and closes");
    answer
}

#[tokio::test]
async fn the_port_answers_to_loopback_names_and_to_no_web_page() {
    let engine = engine().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        engine.serve(listener, stopped).await
    });
    for (head, status) in [
        ("GET /_local/health HTTP/1.1\r\nHost: localhost:1", "200 OK"),
        ("GET /_local/health HTTP/1.1\r\nHost: evil.example", "403 Forbidden"),
        ("GET /lake HTTP/1.1\r\nHost: evil.example", "403 Forbidden"),
        ("GET /_local/health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost", "403 Forbidden"),
        ("GET /_local/nothing HTTP/1.1\r\nHost: localhost", "404 Not Found"),
        ("POST /_local/advance?ms=soon HTTP/1.1\r\nHost: localhost", "400 Bad Request"),
    ] {
        let answer = raw(address, &format!("{head}\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
    }
    let health = raw(address, "GET /_local/health HTTP/1.1\r\nHost: [::1]:1\r\nConnection: close\r\n\r\n").await;
    assert!(health.contains(r#""status":"ok""#) && health.contains(r#""account":"000000000000""#), "{health}");
    stop.send(()).expect("the server still waits");
    server.await.expect("the server does not panic").expect("and ends well");
}
