//! The port of a process that has few file descriptors. A limit holds for a whole process, so the engine is in one of its own: this
//! test binary again, at one of the ignored tests.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::Settings;

const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// So long a peer may be silent in these tests.
const SHORT: Duration = Duration::from_millis(200);

/// More than the system's buffers hold.
const LARGE: usize = 20 << 20;

struct Served {
    child: Child,
    address: SocketAddr,
    limit: u64,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already gone is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one of the ignored tests under a limit, in the words of the shell's `ulimit`.
fn under(limit: &str, test: &str) -> Child {
    let this = std::env::current_exe().expect("a test binary has a path");
    let name = format!("{}::{test}", module_path!().split_once("::").expect("a module of this crate").1);
    Command::new("/bin/sh")
        .args(["-c", &format!("{limit} && exec \"$0\" \"$@\"")])
        .arg(this)
        .args([&name, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell")
}

fn serve_under(limit: &str) -> Served {
    let mut child = under(limit, "serve_until_killed");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let said = lines
        .map(|line| line.expect("text"))
        .find_map(|line| line.split_once("serving ").map(|(_, said)| said.to_owned()));
    let said = said.expect("it serves");
    let (address, limit) = said.split_once(' ').expect("address and limit");
    Served { child, address: address.parse().expect("an address"), limit: limit.parse().expect("a number") }
}

#[tokio::test]
#[ignore = "runs until it is killed: others start it as a process of its own"]
async fn serve_until_killed() {
    let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
    put(&engine, "/lake", Bytes::new()).await;
    put(&engine, "/lake/large", Bytes::from(vec![b'-'; LARGE])).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("serving {} {}", listener.local_addr().expect("it is bound"), descriptors::raise());
    // The program that started this one reads no more. That must not end it.
    engine.serve_with(SHORT, listener, std::future::pending()).await.expect("accepting goes on");
}

async fn put(engine: &Engine, path: &str, body: Bytes) {
    let request = http::Request::put(path).header("authorization", SIGNED).body(body).expect("valid parts");
    assert_eq!(engine.call(request).await.status(), 200);
}

/// The answer to a good request. On a machine so slow that its time is up before it is read it is sent again, as a client would.
async fn asked(address: SocketAddr) -> String {
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address).await.expect("the system's queue takes it");
        let head = b"GET /_local/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut answer = String::new();
        if stream.write_all(head).await.is_ok() && stream.read_to_string(&mut answer).await.is_ok() {
            return answer;
        }
    }
    panic!("five connections were reset");
}

#[tokio::test]
async fn silent_peers_do_not_keep_a_good_request_out() {
    for (limit, in_force) in [("ulimit -n 64", 64), ("ulimit -S -n 64 && ulimit -H -n 256", 256)] {
        let served = serve_under(limit);
        assert_eq!(served.limit, in_force, "{limit}: the soft limit is raised to the hard one");
        let begun = [
            "",
            "P",
            "PRI * HTTP/2.0\r\n",
            "POST / HTTP/1.1\r\nHost: localh",
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf",
            "GET /_local/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
            &format!("GET /lake/large HTTP/1.1\r\nHost: localhost\r\nAuthorization: {SIGNED}\r\n\r\n"),
        ];
        let mut silent: Vec<TcpStream> = vec![];
        for text in begun.iter().cycle().take(300) {
            let mut stream = TcpStream::connect(served.address).await.expect("the system's queue takes it");
            // It fails where the peer's time is up already.
            let _ = stream.write_all(text.as_bytes()).await;
            silent.push(stream);
        }
        for round in 0..3 {
            let answer = asked(served.address).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{limit}, round {round}: {answer}");
        }
        let (mut asked, mut answered) = (0, 0);
        for (at, mut stream) in silent.into_iter().enumerate() {
            // Each is closed or reset; one that asked for something has its answer first, unless this machine is so slow that its
            // time was up before it was read.
            let mut answer = vec![];
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8_lossy(&answer);
            let is_answer = ["200", "408"].iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status}")));
            asked += usize::from(at % begun.len() == 5);
            answered += usize::from(at % begun.len() == 5 && is_answer);
        }
        assert!(answered * 2 > asked, "{limit}: {answered} of {asked} were answered");
    }
}

/// One that has asked for nothing more answers pings, and one that asked for much takes nothing of it.
#[tokio::test]
async fn an_http2_connection_on_which_nothing_moves_ends() {
    let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
    put(&engine, "/lake", Bytes::new()).await;
    put(&engine, "/lake/large", Bytes::from(vec![b'-'; LARGE])).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let server = tokio::spawn(async move { engine.serve_with(SHORT, listener, std::future::pending()).await });
    for path in ["/_local/health", "/lake/large"] {
        let stream = TokioIo::new(TcpStream::connect(address).await.expect("the server listens"));
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("it speaks HTTP/2");
        let connection = tokio::spawn(connection);
        let request = http::Request::get(format!("http://localhost{path}")).header("authorization", SIGNED);
        let request = request.body(http_body_util::Empty::<Bytes>::new()).expect("valid parts");
        let answer = client.send_request(request).await.expect("it answers");
        assert_eq!(answer.status(), 200);
        // However it ends; the client and the answer are kept so long.
        let _ = connection.await.expect("no panic");
        drop((client, answer));
    }
    server.abort();
}

/// A signal to end is obeyed though a peer does not read what it asked for, and another's answer never comes.
#[tokio::test]
async fn serving_ends_while_peers_do_not() {
    let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move { engine.serve_with(SHORT, listener, async { drop(stopped.await) }).await });
    let mut peer = TcpStream::connect(address).await.expect("the server listens");
    // An answer that is made for as long as its peer sends something of its body.
    let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    peer.write_all(head).await.expect("the server reads");
    peer.write_all(&[b' '; 100_000]).await.expect("the server reads");
    assert!(asked(address).await.starts_with("HTTP/1.1 200"));
    stop.send(()).expect("the server still waits");
    server.await.expect("the server does not panic").expect("and ends well");
}

/// Takes every descriptor that is left, and gives some back when it is told to.
struct Hoard(Vec<File>);

impl Hoard {
    fn new() -> Hoard {
        Hoard(std::iter::from_fn(|| File::open("/dev/null").ok()).collect())
    }

    fn leave(&mut self, count: usize) {
        self.0.truncate(self.0.len() - count);
    }
}

#[test]
fn an_engine_without_descriptors_goes_on_when_there_are_some() {
    let output = under("ulimit -n 64", "run_out_and_recover").wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
#[ignore = "uses up the descriptors of its process: another starts it as a process of its own"]
async fn run_out_and_recover() {
    let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let serving = engine.clone();
    let server = tokio::spawn(async move { serving.serve_with(SHORT, listener, std::future::pending()).await });
    assert!(asked(address).await.starts_with("HTTP/1.1 200"));

    let mut hoard = Hoard::new();
    // Two for the peers: none is left to accept them with.
    hoard.leave(2);
    let peers = [TcpStream::connect(address).await, TcpStream::connect(address).await];
    let mut peers = peers.map(|peer| peer.expect("the system's queue takes it"));
    assert!(File::open("/dev/null").is_err_and(|error| descriptors::are_used_up(&error)));
    for peer in &mut peers {
        let head = b"GET /_local/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        peer.write_all(head).await.expect("the system's buffer takes it");
    }
    // The server has its turns meanwhile: it tries, and pauses.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let early = peers[0].try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(early, Err(io::ErrorKind::WouldBlock), "nobody has accepted it");
    assert!(!server.is_finished(), "accepting pauses, and does not end");
    hoard.leave(2);
    for mut peer in peers {
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.expect("the server answers and closes");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    server.abort();
}
