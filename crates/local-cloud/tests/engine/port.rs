//! The loopback port.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use local_cloud::Engine;

use super::support::*;

async fn raw(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the server answers and closes");
    answer
}

/// Asks the engine how it is, by the address that SDKs would take.
const CALLS_BACK: &str = "
import os, urllib.request
def handler(event, context):
    endpoint = os.environ['AWS_ENDPOINT_URL']
    health = urllib.request.urlopen(endpoint + '/_local/health').status if endpoint != 'mine' else None
    return [endpoint, health, context.invoked_function_arn]
";

/// Invokes a function that answers at once, as SDKs would.
const INVOKES: &str = "
import os, urllib.request
def handler(event, context):
    if event.get('inner'):
        return 'done'
    key, token = os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SESSION_TOKEN']
    credential = f'Credential={key}/20260101/us-east-1/lambda/aws4_request'
    headers = {'Authorization': f'AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0', 'X-Amz-Security-Token': token}
    path = '/2015-03-31/functions/f/invocations'
    call = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + path, b'{\"inner\": true}', headers)
    return urllib.request.urlopen(call).read().decode()
";

/// An engine on a port.
struct Served {
    address: std::net::SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn of(engine: &Engine) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = engine.clone();
        let server = tokio::spawn(async move { serving.serve(listener, async { drop(stopped.await) }).await });
        // It serves once it has answered.
        raw(address, "GET /_local/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        Served { address, stop, server }
    }

    async fn end(self, engine: Engine) {
        self.stop.send(()).expect("the server still waits");
        self.server.await.expect("the server does not panic").expect("and ends well");
        engine.close().await;
    }
}

#[tokio::test]
async fn functions_that_wait_for_functions_do_not_take_the_processes_that_these_need() {
    let engine = engine().await;
    let served = Served::of(&engine).await;
    let definition = json!({
        "FunctionName": "f", "Runtime": "python3.13", "Handler": "app.handler", "Timeout": 60,
        "Role": role(&engine, "lambda.amazonaws.com").await, "Code": { "ZipFile": zip_of("app.py", INVOKES) },
    });
    assert_eq!(lambda(&engine, "", definition).await.status(), 201);
    engine.advance(Duration::from_secs(1)).await;
    let outer = (0..12).map(|_| lambda(&engine, "/f/invocations", json!({})));
    for answer in futures::future::join_all(outer).await {
        assert_eq!(text(&answer), json!("\"done\"").to_string());
    }
    served.end(engine).await;
}

#[tokio::test]
async fn a_function_reaches_the_engine_that_runs_it_unless_it_says_where_else() {
    let engine = engine().await;
    let served = Served::of(&engine).await;
    let address = served.address;
    let role = role(&engine, "lambda.amazonaws.com").await;
    for (name, variables, expected) in [
        ("f", json!({}), json!([format!("http://{address}"), 200])),
        ("g", json!({ "AWS_ENDPOINT_URL": "mine" }), json!(["mine", null])),
    ] {
        let definition = json!({
            "FunctionName": name, "Runtime": "python3.13", "Handler": "app.handler", "Role": role,
            "Code": { "ZipFile": zip_of("app.py", CALLS_BACK) }, "Environment": { "Variables": variables },
        });
        assert_eq!(lambda(&engine, "", definition).await.status(), 201);
        engine.advance(Duration::from_secs(1)).await;
        let answer = lambda(&engine, &format!("/{name}/invocations?Qualifier=$LATEST"), json!({})).await;
        let mut answer: Value = serde_json::from_str(text(&answer)).expect("the function answers");
        let arn = answer.as_array_mut().and_then(Vec::pop);
        assert_eq!(answer, expected);
        assert_eq!(arn, Some(json!(format!("arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"))));
    }
    served.end(engine).await;
}

#[tokio::test]
async fn a_watcher_does_not_keep_the_port_from_closing() {
    let engine = engine().await;
    let served = Served::of(&engine).await;
    let mut stream = TcpStream::connect(served.address).await.expect("the server listens");
    let head = b"GET /_local/watch HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(head).await.expect("the server reads");
    let mut begun = vec![];
    while !begun.ends_with(b"\n\n\r\n") {
        assert_ne!(stream.read_buf(&mut begun).await.expect("it goes on"), 0);
    }
    assert!(String::from_utf8_lossy(&begun).contains("event: frame"));
    served.end(engine).await;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.expect("it ends");
    assert!(rest.ends_with("0\r\n\r\n"), "the answer is whole: {rest}");
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
        ("GET /_local/health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000", "403 Forbidden"),
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
