//! No command prints a secret, in any form.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::{HANDLER, Trial};

const SPEC: &str = "version: 1
stack: trial
target: { region: us-east-1 }
secrets: [SALT]
functions:
  change:
    name: trial-change
    code: { dir: transform }
    runtime: python3.13
    handler: handler.handle
    environment: { TOKEN: \"${API_TOKEN}\", SALT: \"${SALT:-a}\", PLAIN: \"${PLAIN:-plain text}\" }
";

#[test]
fn values_of_secret_variables_reach_lambda_and_no_output() {
    let trial = Trial::new("pass");
    // The function's own log shows what it is given: its output is masked too.
    trial.write("transform/handler.py", &HANDLER.replace("BREAK", "import os; print('token', os.environ['TOKEN'])"));
    trial.write("provision.yaml", SPEC);
    trial.write("records.json", r#"{"n": 1}"#);
    let values = ["--set", "API_TOKEN=first'\"secret\\value", "--set", "SALT=grain of salt"];
    let mut said = String::new();
    for (arguments, expected) in [
        (&["validate"][..], "no errors"),
        (&["render"], "TOKEN: '***'"),
        (&["render", "--output", "json"], r#""SALT":"***""#),
        (&["plan", "--local"], "TOKEN"),
        (&["up", "--local", "-v", "--owner", "grain of salt"], "created function.change"),
        (&["plan", "--local", "--output", "json"], "\"same\""),
        (&["outputs", "--local", "--format", "dotenv"], "FUNCTION_CHANGE_NAME=trial-change"),
        (&["history", "--local"], "by ***"),
    ] {
        let ran = trial.expect(&[arguments, &values].concat(), 0, &[expected]);
        said.push_str(&(ran.out + &ran.err));
    }
    let listed = trial.expect(&["list", "--local"], 0, &["trial"]);
    said.push_str(&(listed.out + &listed.err));
    let invoked = trial.expect(&[&["invoke", "--records", "records.json"], &values[..]].concat(), 0, &["token ***"]);
    said.push_str(&(invoked.out + &invoked.err));
    for secret in ["first'", "secret\\value", "grain of salt", "secret\\\\value"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    assert!(said.contains("plain text"), "what is no secret is shown: {said}");
    // Another value is another function.
    let other = ["plan", "--local", "--set", "API_TOKEN=second secret", "--set", "SALT=grain of salt"];
    let ran = trial.expect(&other, 0, &["TOKEN (changed)"]);
    assert!(!ran.out.contains("second secret"), "{}", ran.out);
}

/// Answers every call as AWS does whom it does not know, and gives the key that the last was signed with.
pub fn nobody_is_known() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut part).expect("a request");
                request.extend_from_slice(&part[..read]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let scope = request.split("Credential=").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default();
            let _ = tell.send(scope.to_owned());
            let body = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>who?</Message></Error></ErrorResponse>";
            let length = body.len();
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    (address, told)
}

type Variables = Vec<(&'static str, &'static str)>;

#[test]
fn secrets_in_urls_are_not_shown() {
    let trial = Trial::new("pass");
    let secrets = ["hunter2", "t0ken", "fragm3nt", "wJalrXUtnFEMIK7MDENG", "sessi0n-t0ken-of-aws"];
    let environment = [
        ("AWS_ACCESS_KEY_ID", "AKIDENV"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENG"),
        ("AWS_SESSION_TOKEN", "sessi0n-t0ken-of-aws"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("NO_PROXY", "*"),
    ];
    let (address, _keys) = nobody_is_known();
    trial.write("pass.yaml", &SPEC.replace("plain text", "${AWS_SECRET_ACCESS_KEY}"));
    let flags = |endpoint: &str| vec!["plan".to_owned(), "-v".into(), "--endpoint".into(), endpoint.into()];
    let runs: Vec<(Vec<String>, Variables)> = vec![
        (flags(&format!("http://ana:hunter2@{address}/?token=t0ken#fragm3nt")), vec![]),
        (flags("http://ana:hunter2@127.0.0.1:1/"), vec![]),
        (flags("http://ana:hunter2@not a host/?token=t0ken"), vec![]),
        (flags("ana:hunter2@127.0.0.1:1"), vec![]),
        (vec!["plan".into(), "--entpoint=http://ana:hunter2@127.0.0.1:1".into()], vec![]),
        (vec!["plan".into()], vec![("AWS_ENDPOINT_URL", "http://ana:hunter2@127.0.0.1:1/?t0ken")]),
        (vec!["plan".into()], vec![("HTTPS_PROXY", "http://ana:hunter2@127.0.0.1:1"), ("NO_PROXY", "")]),
        (vec!["render".into(), "pass.yaml".into(), "--set".into(), "API_TOKEN=t0ken".into()], vec![]),
    ];
    for (arguments, more) in &runs {
        for output in ["human", "json"] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--output", output]).collect();
            let ran = trial.run_with(&arguments, &[&environment[..], more].concat());
            let told = format!("{arguments:?}: {}{}", ran.out, ran.err);
            assert!(!(ran.out + &ran.err).is_empty());
            for secret in secrets {
                assert!(!told.replace(&format!("{arguments:?}"), "").contains(secret), "{secret} in {told}");
            }
        }
    }
}
