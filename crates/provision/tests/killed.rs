//! The real binary, killed: nothing of its functions is left.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Calls the test, starts a child of its own that does too, and never answers.
const HANDLER: &str = "import socket, subprocess, sys, time
CHILD = 'import socket, sys, time; s = socket.create_connection((\"127.0.0.1\", int(sys.argv[1]))); time.sleep(600)'

def handle(event, context):
    call = socket.create_connection(('127.0.0.1', event['port']))
    subprocess.Popen([sys.executable, '-c', CHILD, str(event['port'])], stdout=sys.stdout)
    time.sleep(600)
";

fn request(host: &str, method: &str, path: &str, service: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).expect("the engine listens");
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {signed}\r\nContent-Length: {length}\r\n{headers}"
    );
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).expect("the engine reads");
    stream
}

fn ask(host: &str, path: &str, service: &str, headers: &str, body: &str) {
    let mut answer = String::new();
    request(host, "POST", path, service, headers, body).read_to_string(&mut answer).expect("the engine answers");
    assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file("app.py", zip::write::SimpleFileOptions::default()).expect("a new archive");
    zip.write_all(HANDLER.as_bytes()).expect("in memory");
    zip.finish().expect("in memory").into_inner()
}

#[test]
fn a_killed_engine_leaves_no_process_and_no_file() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let mut engine = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["local", "serve", "--port", "0", "--memory", "--delays", "none"])
        .env("TMPDIR", temporary.path())
        .env("AWS_SECRET_ACCESS_KEY", "of nobody's business")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut line = String::new();
    BufReader::new(engine.stdout.as_mut().expect("piped")).read_line(&mut line).expect("it says where it listens");
    let host = line.trim().strip_prefix("listening on http://").expect("an address");

    let trust =
        r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
    let trust: String = trust.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("Version=2010-05-08&Action=CreateRole&RoleName=r&AssumeRolePolicyDocument={trust}");
    ask(host, "/", "iam", "Content-Type: application/x-www-form-urlencoded\r\n", &form);
    let code = base64_simd::STANDARD.encode_to_string(zip());
    let definition = format!(
        r#"{{"FunctionName":"f","Runtime":"python3.13","Handler":"app.handle","Timeout":900,
            "Role":"arn:aws:iam::000000000000:role/r","Code":{{"ZipFile":"{code}"}}}}"#
    );
    ask(host, "/2015-03-31/functions", "lambda", "", &definition);
    ask(host, "/_local/advance?ms=1000", "local", "", "");

    let called = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let event = format!(r#"{{"port":{}}}"#, called.local_addr().expect("it is bound").port());
    let _waits = request(host, "POST", "/2015-03-31/functions/f/invocations", "lambda", "", &event);
    let calls = [called.accept().expect("the function calls").0, called.accept().expect("its child calls").0];
    assert_eq!(std::fs::read_dir(temporary.path()).expect("it is there").count(), 1, "the code is unpacked");

    engine.kill().expect("it runs");
    engine.wait().expect("it was killed");
    for mut call in calls {
        call.set_read_timeout(Some(Duration::from_secs(60))).expect("a time");
        // The end of the connection is the end of the process, however the system tells it.
        assert!(matches!(call.read(&mut [0]), Ok(0)), "the process goes on");
    }
    // The supervisor holds the engine's standard error: at its end, it is gone too.
    engine.stderr.take().expect("piped").read_to_end(&mut vec![]).expect("a pipe");
    assert_eq!(std::fs::read_dir(temporary.path()).expect("it is there").count(), 0, "nothing is left");
}
