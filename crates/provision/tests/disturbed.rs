//! Each call of a command in turn meets what can happen to a call, alone and among AWS's anomalies, and random sets of faults and anomalies
//! befall whole lives: within the budget of retries nothing is noticed. What lasts longer is told, with the right exit code, and the next run converges.
//!
//! `DISTURBED=all` tries every call, a number so many of each story (four, if nothing is said) and of seeds; `DISTURBED=17-500`
//! and `DISTURBED=seed-3` are one try again. `scripts/stops` tries them all.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use crate::common::line::{Act, At};
use crate::common::story::{self, Command, Story, World};
use crate::common::{Bench, experiment};
use futures::FutureExt;
use local_cloud::Delays;
use provision::command::up::outcome;
use provision::exit::Exit;
use provision::interrupt::Interrupt;
use serde_json::json;

const ACTS: [(&str, Act); 7] = [
    ("throttle", Act::Fault("throttle")),
    ("500", Act::Fault("500")),
    ("503", Act::Fault("503")),
    ("reset-before", Act::ResetBefore),
    ("reset-after", Act::ResetAfter),
    ("timeout-before", Act::TimeOutBefore),
    ("timeout-after", Act::TimeOutAfter),
];

/// So much later the next command comes: earlier it may see the record's own tags as they were.
const NEXT: Duration = Duration::from_secs(5);
/// Seed of the anomalies and pauses.
const SEED: u64 = 14;

fn said() -> String {
    std::env::var("DISTURBED").unwrap_or_else(|_| "4".into())
}

/// All, so many of them, spread evenly, or the one that was named.
fn chosen<T: Clone>(all: Vec<(String, T)>) -> Vec<(String, T)> {
    let said = said();
    match said.parse::<usize>() {
        Ok(some) => (0..some).map(|n| all[(2 * n + 1) * all.len() / (2 * some)].clone()).collect(),
        Err(_) if said == "all" => all,
        Err(_) => all.into_iter().filter(|(name, _)| *name == said).collect(),
    }
}

/// Runs a try in a net: what it panics with is why it is wrong.
async fn caught(trial: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    match AssertUnwindSafe(Box::pin(trial)).catch_unwind().await {
        Ok(done) => done,
        Err(panic) => Err(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "it panicked".into())),
    }
}

fn tell(test: &str, tried: usize, failed: Vec<(String, String)>) {
    println!("{test}: {tried} tried, {} wrong", failed.len());
    let again = |(name, why): &(String, String)| {
        format!("{name}: {why}\n  DISTURBED={name} cargo test -p provision --test stacks -- --exact disturbed::{test}")
    };
    assert!(failed.is_empty(), "{}", failed.iter().map(again).collect::<Vec<_>>().join("\n"));
}

macro_rules! stories {
    ($($name:ident: $story:expr,)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            each_call_in_turn(stringify!($name), $story).await;
        })*
    };
}

stories! {
    each_call_of_an_up: story::up(None, experiment()),
    each_call_of_an_updating_up: story::up(Some(experiment()), story::updated()),
    each_call_of_a_replacing_up: story::up(Some(experiment()), story::replaced()),
    each_call_of_a_down: story::down(experiment(), true),
}

/// Every call, and among AWS's anomalies every one that changes something, meets each of the acts.
async fn each_call_in_turn(test: &str, story: Story) {
    let (sent, done) = story::whole(&story, None).await;
    let (sent_unkind, _) = story::whole(&story, Some(SEED)).await;
    let kind = (0..sent.len()).map(|call| (call, None));
    let changes = sent_unkind.iter().enumerate().filter(|(_, sent)| !sent.reads && sent.first);
    let calls = kind.chain(changes.map(|(call, _)| (call, Some(SEED))));
    let name = |call, unkind: Option<u64>, act| format!("{call}-{act}{}", unkind.map_or("", |_| "-unkind"));
    let all = calls
        .flat_map(|(call, unkind)| ACTS.map(|(act_name, act)| (name(call, unkind, act_name), (call, unkind, act))));
    let (mut failed, mut tried) = (vec![], 0);
    for (name, (call, unkind, act)) in chosen(all.collect()) {
        tried += 1;
        let plan = vec![(At::Number(call), act)];
        if let Err(why) = caught(survives(&story, &done, |bench| story::start(bench, unkind), plan)).await {
            failed.push((name, why));
        }
    }
    tell(test, tried, failed);
}

/// The command does what it does undisturbed.
async fn survives(
    story: &Story,
    done: &World,
    start: impl FnOnce(&mut Bench),
    plan: Vec<(At, Act)>,
) -> Result<(), String> {
    let mut bench = story.begin().await;
    start(&mut bench);
    bench.line.begin(plan);
    let summary = story::run_command(&bench, &story.command).await;
    bench.line.begin(vec![]);
    match summary.complete() {
        true => story::same(&story::world(&mut bench, story.command.spec()).await, done),
        false => Err(format!("{summary:?}: {:#?}", bench.failures())),
    }
}

/// Each anomaly alone, wherever a command can meet it.
#[tokio::test(start_paused = true)]
async fn each_anomaly_of_each_command() {
    let stories = [
        ("up", story::up(None, experiment())),
        ("update", story::up(Some(experiment()), story::updated())),
        ("replace", story::up(Some(experiment()), story::replaced())),
        ("down", story::down(experiment(), true)),
    ];
    let mut worlds = BTreeMap::new();
    let mut all = vec![];
    for (command, story) in stories {
        let done = story::whole(&story, None).await.1;
        worlds.insert(command, (story, done));
        all.extend(local_cloud::anomalies::rows().map(|row| (format!("{command}-{}", row.name), (command, row.name))));
    }
    let (mut failed, mut tried) = (vec![], 0);
    for (name, (command, row)) in chosen(all) {
        tried += 1;
        let (story, done) = &worlds[command];
        let start = |bench: &mut Bench| {
            story::start(bench, None);
            bench.engine.set_consistency(row.parse().expect("a row's name"));
        };
        if let Err(why) = caught(survives(story, done, start, vec![])).await {
            failed.push((name, why));
        }
    }
    tell("each_anomaly_of_each_command", tried, failed);
}

#[tokio::test(start_paused = true)]
async fn random_sets_of_faults() {
    let all = (0..100u64).map(|seed| (format!("seed-{seed}"), seed)).collect();
    let (mut failed, mut tried) = (vec![], 0);
    for (name, seed) in chosen(all) {
        tried += 1;
        if let Err(why) = caught(life(seed)).await {
            failed.push((name, why));
        }
    }
    tell("random_sets_of_faults", tried, failed);
}

/// So often a command is run again that met too many faults.
const RUNS: usize = 12;
/// The words of the faults, in the services' and the SDK's. (What answers a HEAD has no words.)
const FAULTS: [&str; 8] = [
    "Internal",
    "ServiceException",
    "ServiceUnavailable",
    "Throttl",
    "SlowDown",
    "TooManyRequests",
    "no message (no code)",
    "a fault rule wants it so",
];

const NOT_BY_RULES: &str = "not by the rules alone";

/// The failure, if there was one.
async fn one_run(bench: &mut Bench, command: &Command) -> Result<(), String> {
    tokio::time::sleep(NEXT).await;
    story::forget(bench);
    let before = bench.failures().len();
    match story::try_command(bench, command).await {
        Ok(summary) if summary.complete() => Ok(()),
        Ok(summary) => match bench.failures().split_off(before) {
            failures
                if failures.iter().all(|failure| FAULTS.iter().any(|fault| format!("{failure:?}").contains(fault))) =>
            {
                Err(format!("{failures:#?}"))
            }
            failures => Err(format!("{NOT_BY_RULES}: {summary:?}: {failures:#?}")),
        },
        Err(errors) => Err(format!("{errors:#?}")),
    }
}

/// `up`, an updating and a replacing `up`, `down`, with some of the faults all the time, and every second time with anomalies.
async fn life(seed: u64) -> Result<(), String> {
    let mut bench = Bench::new(Delays::FAST).await;
    fastrand::seed(seed);
    if seed.is_multiple_of(2) {
        bench.engine.set_consistency(format!("aws,rate=0.3,seed={seed}").parse().expect("words"));
    }
    let faults =
        ["throttle,rate=0.1", "500,rate=0.06", "503,rate=0.06", "lost-reply,rate=0.08", "latency:300ms,rate=0.3"];
    for (n, fault) in faults.iter().enumerate().filter(|(n, _)| (seed + 1) >> n & 1 == 1) {
        bench.engine.inject(format!("*={fault},seed={}", seed * 10 + n as u64).parse().expect("a rule"));
    }
    let specs = [experiment(), story::updated(), story::replaced()];
    for command in specs.into_iter().map(Command::Up).chain([Command::Down(None)]) {
        let mut left = RUNS;
        while let Err(why) = one_run(&mut bench, &command).await {
            // More faults than a run has retries for: it says so, and the next one goes on.
            left -= 1;
            if left == 0 || why.starts_with(NOT_BY_RULES) || !FAULTS.iter().any(|fault| why.contains(fault)) {
                return Err(why);
            }
        }
    }
    bench.engine.heal();
    bench.engine.advance(Duration::from_secs(120)).await;
    match crate::common::left(&bench) {
        nothing if nothing == json!({}) => Ok(()),
        left => Err(format!("left: {left}")),
    }
}

/// Calls that fail for good, and whether something can be changed before.
#[tokio::test(start_paused = true)]
async fn what_lasts_is_told_with_the_right_exit_code_and_the_next_run_converges() {
    let operations = [
        "logs:CreateLogGroup",
        "kinesis:CreateStream",
        "iam:PutRolePolicy",
        "lambda:CreateFunction",
        "s3:PutObject",
        "firehose:CreateDeliveryStream",
    ];
    let story = story::up(None, experiment());
    let (_, done) = story::whole(&story, None).await;
    for operation in operations {
        for kind in ["500", "AccessDenied"] {
            let mut bench = story.begin().await;
            story::forget(&mut bench);
            bench.engine.inject(format!("{operation}={kind}").parse().expect("a rule"));
            let exit = match story::try_command(&bench, &story.command).await {
                Ok(summary) => {
                    let told = format!("{:#?}", bench.failures());
                    let words: &[&str] = if kind == "500" { &["Internal", "ServiceException"] } else { &[operation] };
                    assert!(words.iter().any(|word| told.contains(word)), "{operation}: {told}");
                    outcome(&summary, &Interrupt::listen("interrupted", || ()).expect("it may listen"))
                }
                Err(_) => Exit::Failed,
            };
            // The record is made before all else: where even that is refused, nothing was changed.
            let nothing = crate::common::left(&bench) == json!({});
            let expected = if nothing && kind == "AccessDenied" { Exit::Failed } else { Exit::FailedHalfWay };
            assert_eq!(exit, expected, "{operation}={kind}");
            bench.engine.heal();
            assert!(story::run_anew(&mut bench, &story.command).await.complete());
            story::same(&story::world(&mut bench, story.command.spec()).await, &done)
                .unwrap_or_else(|why| panic!("{why}"));
        }
    }
}
