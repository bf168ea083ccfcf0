//! Environments of the experiment at once, each in processes of its own as the jobs of a CI are, in an account that is as slow, as
//! strict and as unkind as AWS, with the policy that `provision permissions` prints: none fails. What each stage took, and what the
//! account's limits and delays alone add up to, is printed.
//!
//! `FLEET=20` is how many (six, if nothing is said), and `SEED=3` gives other waits and anomalies. `scripts/stops` runs it with twenty
//! and several seeds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::line::{Act, At, Line};
use crate::common::{Bench, experiment, stacks};
use crate::permissions::company::{ACCOUNT, session};
use aws_credential_types::provider::SharedCredentialsProvider;
use futures::future::join_all;
use local_cloud::{Delays, Settings};
use provision::args::Variables;
use provision::cloud::{self, Calls, Cx};
use provision::command::permissions::{self, PermissionsArgs};
use provision::event::{Event, Events, Reporter, Summary};
use provision::names::Names;
use provision::plan::Permits;
use provision::run::How;
use provision::spec::stack::Stack;
use provision::spec::{self, LoadOptions};
use serde_json::Value;
use tokio::time::Instant;

/// Streams of an account that may be CREATING or DELETING.
const IN_MOTION: usize = 5;
/// Calls a second of each operation of Firehose.
const RATE: usize = 5;
const DELIVERIES: usize = 2;
/// The rest of the conditions: round trips, roles that are not known yet, pauses between looks.
const SLACK: Duration = Duration::from_secs(30);
/// Longer than any anomaly lasts.
const SETTLED: Duration = Duration::from_secs(900);
/// The call after which a process is killed: it has changed something, and has not changed everything.
const KILLED_AT: usize = 45;

/// `FLEET=20`: what a run of twenty takes is seconds of processor time for each.
fn environments() -> usize {
    number("FLEET", 6) as usize
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |said| said.parse().expect("a number"))
}

/// An environment.
struct Job {
    env: String,
    stack: Stack,
    line: Line,
    dir: tempfile::TempDir,
}

#[derive(Debug, Clone, Copy)]
enum Command {
    Up,
    Down,
}

/// The output of a run.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Event>>>);

impl Reporter for Kept {
    fn event(&mut self, event: &Event) {
        self.0.lock().expect("no test panics while it holds this").push(event.clone());
    }
}

impl Kept {
    fn failures(&self) -> Vec<Event> {
        let events = self.0.lock().expect("no test panics while it holds this");
        let is_bad =
            |event: &&Event| matches!(event, Event::Failed { .. } | Event::RecordFailed { .. } | Event::Warned { .. });
        events.iter().filter(is_bad).cloned().collect()
    }
}

/// The account, with the role of the jobs.
struct Account {
    bench: Bench,
    credentials: SharedCredentialsProvider,
}

/// As `provision permissions stacks/kinesis-test.yaml --env 'pr-*' --account ...` prints it.
fn printed() -> Vec<String> {
    let args = PermissionsArgs {
        spec: Some(stacks().join("kinesis-test.yaml")),
        variables: Variables { env: Some("pr-*".into()), ..Variables::default() },
        region: None,
        account: Some(ACCOUNT.into()),
        purpose: Default::default(),
        format: Default::default(),
        trust: None,
    };
    let (text, _) = permissions::run(args).unwrap_or_else(|stop| panic!("{stop:?}"));
    // One policy, or a list of them.
    let printed: Value = serde_json::from_str(&text).expect("JSON");
    printed.as_array().map_or_else(|| vec![text], |parts| parts.iter().map(Value::to_string).collect())
}

impl Account {
    async fn open(seed: u64) -> Account {
        let settings = Settings {
            account: ACCOUNT.into(),
            delays: Delays::AWS,
            limits: true,
            enforce_iam: true,
            ..Settings::default()
        };
        let bench = Bench::with(settings).await;
        let seed = seed + number("SEED", 0);
        fastrand::seed(seed);
        let credentials = session(&bench, printed()).await;
        bench.engine.set_consistency(format!("aws,seed={seed}").parse().expect("words"));
        Account { bench, credentials }
    }

    fn job(&self, n: usize) -> Job {
        let env = format!("pr-{n}");
        let options = LoadOptions { env: Some(env.clone()), ..LoadOptions::default() };
        let loaded = spec::read(&stacks().join("test.yaml"), &experiment(), &options);
        let stack = loaded.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))).stack;
        Job { env, stack, line: Line::default(), dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A new process of the job, that knows nothing of those before, and takes this for AWS.
    async fn process(&self, job: &Job) -> Result<Cx, String> {
        let http = job.line.clone().to(&self.bench.engine);
        let mut sdk = cloud::within(http, "us-east-1").into_builder().credentials_provider(self.credentials.clone());
        sdk.set_endpoint_url(None);
        let (sdk, calls) = (sdk.build(), Calls::default());
        let caller = cloud::account(&sdk, &calls).await.map_err(|error| error.to_string())?;
        let names = Names {
            stack: job.stack.name.clone(),
            env: job.stack.env.clone(),
            account: caller.account,
            region: "us-east-1".into(),
            tag_prefix: job.stack.tag_prefix.clone(),
            iam_path: job.stack.iam.path.clone(),
        };
        let mut cx = Cx::counting(sdk, names, calls);
        cx.options.work_dir = job.dir.path().to_owned();
        Ok(cx)
    }

    async fn run(&self, job: &Job, command: Command) -> Result<Summary, String> {
        let kept = Kept::default();
        let (events, cx) = (Events::to(kept.clone()), self.process(job).await?);
        let done = match command {
            Command::Up => {
                let how = How { at_once: 10, ..How::new("up") };
                crate::common::up(&cx, &job.stack, Permits::default(), &how, &events).await
            }
            Command::Down => {
                let how = How { at_once: 10, ..How::new("down") };
                crate::common::down(&cx, Some(&job.stack), &how, &events).await
            }
        };
        match done {
            Ok(summary) if summary.complete() && !summary.renewed && summary.kept == 0 => Ok(summary),
            Ok(summary) => Err(format!("{summary:?}: {:#?}", kept.failures())),
            Err(errors) => Err(format!("{errors:#?}")),
        }
    }

    /// All at once: nothing fails, and nothing takes much longer than the account makes it.
    async fn stage(&self, name: &str, account_takes: Duration, runs: impl IntoIterator<Item = (&Job, Command)>) {
        let began = Instant::now();
        let runs = runs.into_iter().map(async |(job, command)| (&job.env, self.run(job, command).await));
        let done = join_all(runs).await;
        let (took, takes) = (began.elapsed().as_secs_f64(), account_takes.as_secs_f64());
        let failed: Vec<String> =
            done.iter().filter_map(|(env, done)| Some(format!("{env}: {}", done.as_ref().err()?))).collect();
        println!(
            "{name}: {} of {} failed; {took:.1} s, of which limits and delays are {takes:.1} s",
            failed.len(),
            done.len()
        );
        assert!(failed.is_empty(), "{name}: {}", failed.join("\n"));
        assert!(took < 2.0 * takes + SLACK.as_secs_f64(), "{name}: it took {took:.1} s");
    }

    /// Everything that exists, except for the jobs' role.
    fn left(&self) -> serde_json::Value {
        let mut left = crate::common::left(&self.bench);
        left.as_object_mut().expect("it is one").retain(|key, _| !key.starts_with("iam"));
        left
    }
}

/// The time in which the account's rates allow so many surveys: each reads its delivery streams.
fn surveys(environments: usize) -> Duration {
    let reads = environments * DELIVERIES;
    Duration::from_secs(1) * reads.saturating_sub(RATE) as u32 / RATE as u32
}

/// The time in which so many streams can come or go, of which five may at once.
fn streams(count: usize) -> Duration {
    Duration::from_millis(Delays::AWS.stream) * count.div_ceil(IN_MOTION) as u32
}

fn deliveries() -> Duration {
    Duration::from_millis(Delays::AWS.delivery_stream)
}

#[tokio::test(start_paused = true)]
async fn all_come_up_stay_and_go_at_once() {
    let account = Account::open(0).await;
    let count = environments();
    let jobs: Vec<Job> = (0..count).map(|n| account.job(n)).collect();
    let all = |command| jobs.iter().map(move |job| (job, command));
    account.stage("up", surveys(count) + streams(count) + deliveries(), all(Command::Up)).await;
    account.stage("up", surveys(count), all(Command::Up)).await;
    // Nobody waits for the last five streams to be gone.
    account.stage("down", surveys(count) + streams(count.saturating_sub(IN_MOTION)), all(Command::Down)).await;
    tokio::time::sleep(SETTLED).await;
    assert_eq!(account.left(), serde_json::json!({}));
}

#[tokio::test(start_paused = true)]
async fn one_half_goes_while_the_other_comes_and_some_are_killed() {
    let account = Account::open(1).await;
    let count = environments();
    let jobs: Vec<Job> = (0..count).map(|n| account.job(n)).collect();
    let (leaving, coming) = jobs.split_at(count / 2);
    let of = |jobs, command| <[Job]>::iter(jobs).map(move |job| (job, command));
    let comes = |count| surveys(count) + streams(count) + deliveries();
    account.stage("one half up", comes(leaving.len()), of(leaving, Command::Up)).await;

    let (dying, ended) = ([(&leaving[0], Command::Down), (&coming[0], Command::Up)], Instant::now());
    let killed = dying.map(|(job, command)| {
        job.line.begin(vec![(At::Number(KILLED_AT), Act::StopAfter)]);
        job.line.or_stopped(account.run(job, command))
    });
    let others = of(&leaving[1..], Command::Down).chain(of(&coming[1..], Command::Up));
    let (killed, ()) =
        futures::join!(join_all(killed), account.stage("that half down, the other up", comes(count), others));
    assert!(killed.iter().all(Option::is_none), "{killed:?} in {:?}", ended.elapsed());
    account.stage("the killed again", comes(2), dying).await;
    account.stage("the other half up", surveys(coming.len()), of(coming, Command::Up)).await;
    account
        .stage(
            "the other half down",
            surveys(coming.len()) + streams(coming.len().saturating_sub(IN_MOTION)),
            of(coming, Command::Down),
        )
        .await;
    tokio::time::sleep(SETTLED).await;
    assert_eq!(account.left(), serde_json::json!({}));
}
