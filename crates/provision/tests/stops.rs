//! Every command is stopped dead after each of its calls, before and after the call took effect; then the same command, the old
//! spec or a `down` follows, and leaves the world that it leaves where nothing was stopped. Then the same among AWS's anomalies, where
//! what follows knows nothing of what was just created: each call that changes something is stopped.
//!
//! `STOPS=all` tries every call, a number so many of each story (four, if nothing is said); `STOPS=17-after-same` and
//! `STOPS=17-after-same-unkind` are one try again. `scripts/stops` tries them all.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use crate::common::line::{Act, At, Sent};
use crate::common::story::{self, Command, Story, World};
use crate::common::{Bench, experiment};
use futures::FutureExt;

/// So much later the next command comes: earlier it may see the record's own tags as they were.
const NEXT: Duration = Duration::from_secs(5);
/// The seed of the anomalies and pauses.
const SEED: u64 = 14;

/// Each story is a test, so that they run beside each other.
macro_rules! stories {
    ($($name:ident: $story:expr,)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            tell(stringify!($name), $story).await;
        })*
    };
}

stories! {
    an_up: story::up(None, experiment()),
    an_updating_up: story::up(Some(experiment()), story::updated()),
    a_replacing_up: story::up(Some(experiment()), story::replaced()),
    a_down: story::down(experiment(), false),
    a_down_by_name: story::down(experiment(), true),
    an_up_of_everything: story::up(None, story::everything()),
    an_updating_up_of_everything: story::up(Some(story::everything()), story::everything_updated()),
    a_replacing_up_of_everything: story::up(Some(story::everything()), story::everything_replaced()),
    a_down_of_everything: story::down(story::everything(), true),
    an_up_with_two_pages: story::up(None, story::two_pages("5MiB")),
    an_updating_up_with_two_pages: story::up(Some(story::two_pages("5MiB")), story::two_pages("6MiB")),
    a_down_with_two_pages: story::down(story::two_pages("5MiB"), true),
    an_up_of_versions: story::up(None, story::published("256MiB")),
    an_updating_up_of_versions: story::up(Some(story::published("256MiB")), story::published("512MiB")),
    a_down_of_versions: story::down(story::published("256MiB"), true),
}

/// The command that follows a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Same,
    Old,
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Try {
    call: usize,
    before: bool,
    then: Then,
    unkind: bool,
}

impl std::fmt::Display for Try {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let when = if self.before { "before" } else { "after" };
        let unkind = if self.unkind { "-unkind" } else { "" };
        write!(f, "{}-{when}-{}{unkind}", self.call, format!("{:?}", self.then).to_lowercase())
    }
}

async fn tell(test: &str, story: Story) {
    let mut bench = story.begin().await;
    let old = story::world(&mut bench, story.before.as_deref()).await;
    let (sent, done) = story::whole(&story, None).await;
    let (sent_unkind, done_unkind) = story::whole(&story, Some(SEED)).await;
    story::same(&done_unkind, &done).unwrap_or_else(|why| panic!("among anomalies: {why}"));
    let tries = tries(&story, &sent, &sent_unkind);
    let (mut failed, all) = (vec![], tries.len());
    for one in tries {
        let trial = AssertUnwindSafe(Box::pin(stopped(&story, one, &old, &done))).catch_unwind().await;
        let why = match trial {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why,
            Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "it panicked".into()),
        };
        let what = if one.unkind { &sent_unkind[one.call].what } else { &sent[one.call].what };
        failed.push(format!(
            "{one} ({what}): {why}\n  STOPS={one} cargo test -p provision --test stacks -- --exact stops::{test}"
        ));
    }
    let calls = sent.len() - first(&sent);
    println!("{test}: {calls} calls from the first change on, {all} stops tried, {} wrong", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn first(sent: &[Sent]) -> usize {
    sent.iter().position(|sent| !sent.reads).expect("the command changes something")
}

/// Every call from the first that changes something on, stopped before and after, with all that may follow, and among anomalies
/// every one that changes something; or some of them, spread evenly.
fn tries(story: &Story, sent: &[Sent], sent_unkind: &[Sent]) -> Vec<Try> {
    let then: &[Then] = match (&story.before, &story.command) {
        (Some(_), Command::Up(_)) => &[Then::Same, Then::Old, Then::Down],
        (None, Command::Up(_)) => &[Then::Same, Then::Down],
        (_, Command::Down(_)) => &[Then::Same, Then::Old],
    };
    let of = |(call, unkind)| {
        let before = [true, false].into_iter();
        before.flat_map(move |before| then.iter().map(move |then| Try { call, before, then: *then, unkind }))
    };
    let kind = (first(sent)..sent.len()).map(|call| (call, false));
    let changes = sent_unkind.iter().enumerate().filter(|(_, sent)| !sent.reads && sent.first);
    let all: Vec<Try> = kind.chain(changes.map(|(call, _)| (call, true))).flat_map(of).collect();
    let said = std::env::var("STOPS").unwrap_or_else(|_| "4".into());
    match said.parse::<usize>() {
        Ok(some) => {
            let spread = (0..some).map(|n| all[(2 * n + 1) * all.len() / (2 * some)]);
            spread.collect()
        }
        Err(_) if said == "all" => all,
        Err(_) => all.into_iter().filter(|one| one.to_string() == said).collect(),
    }
}

async fn stopped(story: &Story, one: Try, old: &World, done: &World) -> Result<(), String> {
    let mut bench = story.begin().await;
    story::start(&mut bench, one.unkind.then_some(SEED));
    let act = if one.before { Act::StopBefore } else { Act::StopAfter };
    bench.line.begin(vec![(At::Number(one.call), act)]);
    if bench.line.or_stopped(story::run_command(&bench, &story.command)).await.is_some() {
        return Err("it was not stopped".into());
    }
    bench.line.begin(vec![]);
    if one.unkind {
        tokio::time::sleep(NEXT).await;
    }
    let follows = match (one.then, &story.command, &story.before) {
        (Then::Same, same, _) => same.clone(),
        (Then::Old, _, Some(old)) => Command::Up(old.clone()),
        // By the spec that was stopped, where its number is even; by name otherwise.
        (Then::Down, Command::Up(spec), _) => Command::Down(Some(spec.clone()).filter(|_| one.call.is_multiple_of(2))),
        (then, ..) => unreachable!("{then:?} does not follow this"),
    };
    let summary = story::run_anew(&mut bench, &follows).await;
    if !summary.complete() {
        return Err(format!("what followed failed: {summary:?}: {:#?}", bench.failures()));
    }
    let mut found = story::world(&mut bench, follows.spec()).await;
    match one.then {
        Then::Same => story::same(&found, done)?,
        Then::Old => {
            // The version that was published for the new spec stays.
            found.versions = old.versions.clone();
            story::same(&found, old)?;
        }
        Then::Down => {
            if crate::common::left(&bench) != serde_json::json!({}) {
                return Err(format!("left: {}", crate::common::left(&bench)));
            }
        }
    }
    nothing_more(&mut bench, &follows).await
}

/// The same command once more changes nothing, not even the record.
async fn nothing_more(bench: &mut Bench, command: &Command) -> Result<(), String> {
    story::forget(bench);
    bench.line.begin(vec![]);
    story::run_command(bench, command).await;
    let changes: Vec<String> = bench.line.sent().into_iter().filter(|sent| !sent.reads).map(|sent| sent.what).collect();
    if changes.is_empty() { Ok(()) } else { Err(format!("once more, it made {changes:?}")) }
}
