//! The policy of the commands that put, read and replay data: that it is enough, and that nothing of it can be left out.

use std::path::PathBuf;

use aws_sdk_s3::primitives::ByteStream;
use provision::command::cat::{CatArgs, cat};
use provision::command::logs::{LogsArgs, logs};
use provision::command::put::{PutArgs, put};
use provision::command::ready;
use provision::command::replay::{ReplayArgs, replay};
use provision::command::tail::{TailArgs, tail};
use provision::error::Result;
use provision::exit::Exit;
use provision::permissions::format::statements;
use provision::permissions::{Need, Purpose, needs, of_stack};
use provision::replay::manifest::{Manifest, Pending};
use provision::replay::outputs::Object;
use provision::report::Output;
use provision::session::{Place, Session};
use provision::spec::stack::Stack;

use super::company::{allowed_as, bench, names};
use crate::common::{Bench, NAME_END, stack};

const SPEC: &str = r#"
version: 1
stack: data
streams: { events: { name: data-events, shards: 1, samples: { templates: ['{"a": 1}'] } } }
buckets: { lake: { name: data-lake } }
functions:
  square:
    name: data-square
    code: { dir: python-transform }
    runtime: python3.13
    handler: transform.lambda_handler
    alias: live
deliveries:
  raw: { name: data-raw, from: events, bucket: lake, good: raw/, bad: raw-failed/, transform: square, logs: true }
  direct:
    name: data-direct
    bucket: lake
    good: direct/
    bad: direct-failed/
    samples: { templates: ['{"a": 1}'] }
"#;

const SINCE: i64 = 3_600;
const ERROR: &str =
    r#"{"rawData":"eyJhIjoxfQ==","errorCode":"Lambda.FunctionError","errorMessage":"it crashed","attemptsMade":4}"#;

/// Stores what a delivery stream has delivered, two records that failed, and what a replay of one of them had begun to write when it
/// was killed.
async fn store(bench: &Bench, delivery: &str) {
    let error_object = format!("{delivery}-failed/2026/07/13/14/data-{delivery}{NAME_END}");
    let mut manifest = Manifest::new(&error_object);
    let begun = Object {
        key: format!("{delivery}/begun"),
        body: "{}".into(),
        content_encoding: None,
        kms_key: None,
        records: 1,
    };
    manifest.pending = Some(Pending { records: [0].into(), objects: vec![begun] });
    for (key, body) in [
        (format!("{delivery}/2026/07/13/14/data-{delivery}{NAME_END}"), b"{\"a\":1}\n".to_vec()),
        (format!("{error_object}.replayed"), manifest.text()),
        (error_object, [ERROR, ERROR].join("\n").into()),
    ] {
        let put = bench.cx.s3().put_object().bucket("data-lake").key(key).body(ByteStream::from(body));
        put.send().await.expect("it is stored");
    }
}

/// Puts into both, shows everything, and replays what failed.
async fn commands(bench: &Bench, session: &Session) -> Result<()> {
    let events = bench.events();
    let done = |exit: Exit| assert_eq!(exit, Exit::Done);
    for delivery in [None, Some("direct".to_owned())] {
        done(put(session, &PutArgs { delivery, count: Some(3), ..PutArgs::default() }, &[], &events).await?);
    }
    for delivery in [None, Some("raw".to_owned())] {
        let args = TailArgs { delivery, since: SINCE, ..TailArgs::default() };
        done(tail(session, &args, Output::Human, &events).await?);
    }
    let objects = ["raw/2026", "raw-failed/2026", "direct/2026", "direct-failed/2026"].map(PathBuf::from);
    done(cat(session, &CatArgs::default(), &objects, Output::Human, &events).await?);
    done(logs(session, &LogsArgs { since: SINCE, ..LogsArgs::default() }, Output::Human, &events).await?);
    for delivery in ["raw", "direct"] {
        let args = ReplayArgs { delivery: Some(delivery.into()), ..ReplayArgs::default() };
        done(replay(session, &args, &events).await?);
    }
    Ok(())
}

fn of_data(stack: &Stack) -> Vec<Need> {
    needs(&of_stack(stack, &names(stack)), &names(stack), Purpose::Data)
}

/// Plays the commands as a new role that has these permissions.
async fn session(bench: &Bench, stack: &Stack, role: &str, given: &[Need]) -> Session {
    for delivery in ["raw", "direct"] {
        store(bench, delivery).await;
    }
    let cx = allowed_as(bench, role, &statements(given)).await;
    Session { cx, place: Place::Within(bench.engine.clone()), stack: Some(stack.clone()) }
}

/// Functions are processes, which work by the clock of this machine. The emulator's clock is advanced only at the end: far ahead of
/// this machine's, the SDK takes each refusal for one of its own clock and repeats the call.
#[tokio::test(flavor = "multi_thread")]
async fn data_can_be_put_read_and_replayed_with_each_permission_only() {
    let stack = stack(SPEC);
    let (bench, all) = (bench(&stack).await, of_data(&stack));
    bench.up(&stack).await;
    let whole = session(&bench, &stack, "with-all", &all).await;
    commands(&bench, &whole).await.unwrap_or_else(|error| panic!("{error:?}"));
    for (number, left_out) in all.iter().enumerate() {
        let rest: Vec<Need> = all.iter().filter(|need| *need != left_out).cloned().collect();
        let session = self::session(&bench, &stack, &format!("without-{number}"), &rest).await;
        let error = commands(&bench, &session).await.expect_err(&format!("nothing fails without {left_out:?}"));
        let denied = format!("not authorized to perform: {} on resource", left_out.action);
        assert!(error.to_string().contains(&denied), "{left_out:?}: {error}");
    }
    store(&bench, "raw").await;
    let again = ReplayArgs { delivery: Some("raw".into()), through_source: true, ..ReplayArgs::default() };
    assert_eq!(replay(&whole, &again, &bench.events()).await.expect("it is allowed"), Exit::Done);
    ready::data(&whole, &stack, &bench.events()).await.expect("it is allowed");
}

#[test]
fn what_is_encrypted_needs_its_keys() {
    let key = |last: char| format!("arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-0000-0000-00000000000{last}");
    let text = format!(
        "version: 1\nstack: keys\nstreams: {{ events: {{ shards: 1, encryption: \"{}\" }} }}\nbuckets:\n  lake: {{ name: keys-lake, encryption: \"{}\" }}\n\
         deliveries:\n  raw: {{ from: events, bucket: lake, good: raw/, bad: bad/, encryption: \"{}\" }}\n",
        key('1'),
        key('2'),
        key('3')
    );
    let of_kms: Vec<(&str, String)> = of_data(&stack(&text))
        .into_iter()
        .filter(|need| need.action.starts_with("kms:"))
        .map(|need| (need.action, need.resource))
        .collect();
    // `replay` encrypts what it writes with the delivery stream's key, or else with the bucket's.
    let expected = [
        ("kms:Decrypt", key('1')),
        ("kms:Decrypt", key('2')),
        ("kms:Decrypt", key('3')),
        ("kms:GenerateDataKey", key('1')),
        ("kms:GenerateDataKey", key('2')),
        ("kms:GenerateDataKey", key('3')),
    ];
    assert_eq!(of_kms, expected);
}
