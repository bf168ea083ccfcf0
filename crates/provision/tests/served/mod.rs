//! `provision local serve` as a process, spoken to over its port, with one function in Python.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub struct Served {
    engine: Child,
    host: String,
    /// Its folder for temporary files.
    pub temporary: TempDir,
}

impl Served {
    /// An engine with the function `f`.
    pub fn start(handler: &str, timeout_s: u32) -> Served {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let mut engine = Command::new(env!("CARGO_BIN_EXE_provision"))
            .args(["local", "serve", "--port", "0", "--memory", "--delays", "none"])
            .env("TMPDIR", temporary.path())
            .env("AWS_SECRET_ACCESS_KEY", "nobodys-business")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        BufReader::new(engine.stdout.as_mut().expect("piped")).read_line(&mut line).expect("it says where it listens");
        let host = line.trim().strip_prefix("listening on http://").expect("an address").to_owned();
        let served = Served { engine, host, temporary };
        let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
        let trust: String = trust.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let form = format!("Version=2010-05-08&Action=CreateRole&RoleName=r&AssumeRolePolicyDocument={trust}");
        served.ask("POST", "/", "iam", "Content-Type: application/x-www-form-urlencoded\r\n", &form);
        served.create(handler, timeout_s);
        served
    }

    /// Makes the function `f`.
    pub fn create(&self, handler: &str, timeout_s: u32) {
        let code = base64_simd::STANDARD.encode_to_string(zip(handler));
        let definition = format!(
            r#"{{"FunctionName":"f","Runtime":"python3.13","Handler":"app.handle","Timeout":{timeout_s},
                "Role":"arn:aws:iam::000000000000:role/r","Code":{{"ZipFile":"{code}"}}}}"#
        );
        self.ask("POST", "/2015-03-31/functions", "lambda", "", &definition);
        self.ask("POST", "/_local/advance?ms=1000", "local", "", "");
    }

    /// Sends an invocation; the answer is in the stream.
    pub fn begin(&self, event: &str) -> TcpStream {
        self.request("POST", "/2015-03-31/functions/f/invocations", "lambda", "", event)
    }

    /// The whole answer to an invocation.
    pub fn invoke(&self, event: &str) -> String {
        self.ask("POST", "/2015-03-31/functions/f/invocations", "lambda", "", event)
    }

    /// The whole answer, which is a success.
    pub fn ask(&self, method: &str, path: &str, service: &str, headers: &str, body: &str) -> String {
        let mut answer = String::new();
        let mut stream = self.request(method, path, service, headers, body);
        stream.read_to_string(&mut answer).expect("the engine answers");
        assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
        answer
    }

    fn request(&self, method: &str, path: &str, service: &str, headers: &str, body: &str) -> TcpStream {
        let host = &self.host;
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

    /// As `kill -9`. Returns when its supervisor is gone too, which holds the engine's standard error.
    pub fn kill(&mut self) {
        self.engine.kill().expect("it runs");
        self.engine.wait().expect("it was killed");
        self.engine.stderr.take().expect("piped").read_to_end(&mut vec![]).expect("a pipe");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A test that failed has left it running; one that passed has killed it.
        let _ = self.engine.kill();
        let _ = self.engine.wait();
    }
}

fn zip(handler: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file("app.py", zip::write::SimpleFileOptions::default()).expect("a new archive");
    zip.write_all(handler.as_bytes()).expect("in memory");
    zip.finish().expect("in memory").into_inner()
}
