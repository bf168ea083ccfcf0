//! One run at a time changes an environment: runs that race, an `up` beside a `down` at every stage, a holder that is paused, a newer
//! run of the same pull request, and a wait that is too long. All of it among AWS's anomalies too.
//!
//! A holder that is killed is in `tests/stops.rs`, and all interleavings of the decisions are beside `record/lease/decide`.

use std::time::Duration;

use crate::common::line::{Act, At, Line};
use crate::common::story::{self, Command};
use crate::common::{self, Bench, Done, experiment, stack};
use local_cloud::Delays;
use provision::cloud::{self, Cx};
use provision::command::status;
use provision::event::Event;
use provision::job::{Job, Series};
use provision::plan::Permits;
use provision::run::{Ended, How, What, decide_up};
use serde_json::json;
use tokio::time::{Instant, sleep};

const SMALL: &str = "version: 1\nstack: kinesis-test\nstreams: { events: { name: events, shards: 1 } }\n";

/// Another process, that knows nothing of the first.
fn process(bench: &Bench, series: Option<u64>) -> (Cx, Line) {
    let line = Line::default();
    let http = line.clone().to(&bench.engine);
    let cx = Cx::new(cloud::within(http, "us-east-1"), (*bench.cx.names).clone());
    let series = series.map(|number| Series { name: "pr-1".into(), number });
    let job = Job { user: Some("ana".into()), host: Some("runner-3".into()), url: None, series };
    let options = provision::cloud::Options { job, ..bench.cx.options.clone() };
    (Cx { options, ..cx }, line)
}

async fn run(bench: &Bench, cx: &Cx, command: &Command, how: &How) -> Done {
    match command {
        Command::Up(text) => common::up(cx, &stack(text), Permits::default(), how, &bench.events()).await,
        Command::Down(text) => common::down(cx, text.as_deref().map(stack).as_ref(), how, &bench.events()).await,
    }
}

fn how(command: &Command) -> How {
    How::new(if matches!(command, Command::Up(_)) { "up" } else { "down" })
}

async fn new(unkind: Option<usize>) -> Bench {
    let bench = Bench::new(Delays::FAST).await;
    if let Some(seed) = unkind {
        bench.engine.set_consistency(format!("aws,seed={seed}").parse().expect("words"));
    }
    bench
}

/// The second begins when the first is about to send this call, which takes until the second has sent some of its own, or is done.
/// One of the second's takes long too.
async fn race(bench: &Bench, first: &Command, second: &Command, call: usize) -> [Done; 2] {
    let ((one, line), (other, other_line)) = (process(bench, None), process(bench, None));
    line.begin(vec![(At::Number(call), Act::StopBefore)]);
    other_line.begin(vec![(At::Number(call % 23 + 1), Act::StopBefore)]);
    let (first_how, second_how) = (how(first), how(second));
    let mut first = Box::pin(run(bench, &one, first, &first_how));
    let mut second = Box::pin(run(bench, &other, second, &second_how));
    if let Some(done) = line.or_stopped(&mut first).await {
        other_line.begin(vec![]);
        return [done, second.await];
    }
    let slow = tokio::select! {
        biased;
        slow = other_line.or_stopped(&mut second) => Ok(slow),
        done = &mut first => Err(done),
    };
    line.go_on();
    match slow {
        Ok(Some(second)) => [first.await, second],
        Ok(None) => {
            let go_on = async {
                sleep(Duration::from_millis(700)).await;
                other_line.go_on();
            };
            let (first, second, ()) = futures::join!(first, second, go_on);
            [first, second]
        }
        Err(first) => {
            other_line.go_on();
            [first, second.await]
        }
    }
}

/// The last call of a first `up`, about.
const CALLS: usize = 60;

/// Every so many calls, or each with `LEASE=1`; each without anomalies, and with those of a seed.
fn calls() -> impl Iterator<Item = (usize, Option<usize>)> {
    let every = std::env::var("LEASE").map_or(7, |every| every.parse().expect("a number"));
    (0..CALLS).step_by(every).flat_map(|call| [(call, None), (call, Some(call))])
}

#[tokio::test(start_paused = true)]
async fn ups_that_race_end_as_if_one_came_after_the_other() {
    for (call, unkind) in calls() {
        let (first, second) = (Command::Up(experiment()), Command::Up(story::updated()));
        let mut bench = new(unkind).await;
        let done = race(&bench, &first, &second, call).await;
        for done in &done {
            assert!(done.as_ref().is_ok_and(|summary| summary.complete()), "{call}: {done:?}: {:#?}", bench.failures());
        }
        bench.engine.advance(Duration::from_secs(120)).await;
        story::forget(&mut bench);
        let plans = [bench.plan(&stack(&experiment())).await, bench.plan(&stack(&story::updated())).await];
        assert!(plans.iter().any(|plan| plan.is_empty()), "{call}: {plans:#?}");
        let lives = crate::common::left(&bench);
        bench.down(None).await;
        bench.engine.advance(Duration::from_secs(120)).await;
        assert_eq!(common::left(&bench), json!({}), "{call}: all was in the record of {lives}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_down_beside_an_up_stops_it_and_leaves_nothing() {
    let mut stopped = 0;
    for (call, unkind) in calls() {
        let (up, down) = (Command::Up(experiment()), Command::Down(None));
        let mut bench = new(unkind).await;
        let [up, down] = race(&bench, &up, &down, call).await;
        let (up, down) = (up.expect("it begins"), down.expect("it begins"));
        assert!(up.failed == 0 && (up.complete() || up.stopped), "{call}: {up:?}: {:#?}", bench.failures());
        assert!(down.complete() && !down.renewed, "{call}: {down:?}: {:#?}", bench.failures());
        stopped += usize::from(up.stopped);
        bench.engine.advance(Duration::from_secs(120)).await;
        if up.complete() {
            // The `down` came first, and saw nothing; or it came last.
            story::forget(&mut bench);
            bench.down(None).await;
            bench.engine.advance(Duration::from_secs(120)).await;
        }
        assert_eq!(common::left(&bench), json!({}), "{call} {unkind:?}: {up:?} {down:?}");
    }
    assert!(stopped > 0, "no `up` was stopped");
}

#[tokio::test(start_paused = true)]
async fn an_up_beside_a_down_comes_after_it() {
    for (call, unkind) in calls() {
        let mut bench = new(unkind).await;
        bench.up(&stack(&experiment())).await;
        story::forget(&mut bench);
        let ((one, line), (other, _)) = (process(&bench, None), process(&bench, None));
        line.begin(vec![(At::Number(call), Act::StopBefore)]);
        let (down, up) = (Command::Down(None), Command::Up(experiment()));
        let (down_how, up_how) = (how(&down), how(&up));
        let (down, up) = {
            let mut down = Box::pin(run(&bench, &one, &down, &down_how));
            if line.or_stopped(&mut down).await.is_some() {
                break;
            }
            line.go_on();
            futures::join!(down, run(&bench, &other, &up, &up_how))
        };
        let (down, up) = (down.expect("it begins"), up.expect("it begins"));
        assert!(down.complete() && up.complete(), "{call}: {down:?} {up:?} {:#?}", bench.failures());
        bench.engine.advance(Duration::from_secs(120)).await;
        let left = common::left(&bench);
        story::forget(&mut bench);
        let plan = bench.plan(&stack(&experiment())).await;
        // Where the `up` saw everything before the `down` began, it had nothing to do.
        assert!(plan.is_empty() || !up.changed() && left == json!({}), "{call} {unkind:?}: {up:?} {plan:#?} {left}");
    }
}

/// It is not scheduled at all for as long as it takes others to take over, delete everything and begin anew.
#[tokio::test(start_paused = true)]
async fn a_holder_that_was_paused_starts_nothing_more() {
    for is_made_again in [false, true] {
        let bench = Bench::new(Delays::FAST).await;
        let ((one, line), (other, _)) = (process(&bench, None), process(&bench, None));
        line.begin(vec![(At::Named("CreateStream"), Act::StopBefore)]);
        let (up, down) = (Command::Up(experiment()), Command::Down(None));
        let (up_how, down_how) = (how(&up), how(&down));
        let mut paused = Box::pin(run(&bench, &one, &up, &up_how));
        assert!(line.or_stopped(&mut paused).await.is_none());
        let began = Instant::now();
        run(&bench, &other, &down, &down_how).await.expect("it takes over");
        assert!(began.elapsed() > Duration::from_secs(40), "{:?}", began.elapsed());
        if is_made_again {
            run(&bench, &process(&bench, None).0, &Command::Up(SMALL.into()), &up_how).await.expect("it begins anew");
        }
        let before = line.sent().len();
        line.go_on();
        let summary = paused.await.expect("it had begun");
        assert!(summary.stopped && summary.skipped > 5, "{summary:?}");
        let sent: Vec<String> = line.sent().split_off(before).into_iter().map(|sent| sent.what).collect();
        let creates =
            |what: &&String| what.contains("CreateDelivery") || what.starts_with("POST /2015-03-31/functions");
        assert_eq!(sent.iter().filter(creates).count(), 0, "{sent:#?}");
        bench.engine.advance(Duration::from_secs(120)).await;
        run(&bench, &process(&bench, None).0, &Command::Down(Some(experiment())), &down_how)
            .await
            .expect("it cleans up");
        bench.engine.advance(Duration::from_secs(120)).await;
        assert_eq!(common::left(&bench), json!({}), "{is_made_again}");
    }
}

/// An `up` that does not end by itself: its stream is not ACTIVE for a long time.
async fn slow(bench: &Bench, cx: &Cx) -> Done {
    run(bench, cx, &Command::Up(experiment()), &How::new("up")).await
}

#[tokio::test(start_paused = true)]
async fn a_newer_run_of_a_pull_request_stops_the_older_and_others_wait() {
    for (running, coming, is_stopped) in
        [(Some(1), Some(2), true), (Some(2), Some(2), false), (Some(1), None, false), (None, Some(2), false)]
    {
        let bench = Bench::new(Delays::AWS).await;
        let (one, other) = (process(&bench, running).0, process(&bench, coming).0);
        let next = async {
            sleep(Duration::from_secs(3)).await;
            slow(&bench, &other).await
        };
        let (first, second) = futures::join!(slow(&bench, &one), next);
        let (first, second) = (first.expect("it begins"), second.expect("it waits"));
        assert_eq!(first.stopped, is_stopped, "{running:?} {coming:?}: {first:?}");
        assert!(second.complete(), "{second:?}");
        assert!(bench.plan(&stack(&experiment())).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_run_gives_way_to_a_newer_one() {
    let bench = Bench::new(Delays::AWS).await;
    let (newer, older) = (process(&bench, Some(2)).0, process(&bench, Some(1)).0);
    let late = async {
        sleep(Duration::from_secs(3)).await;
        slow(&bench, &older).await
    };
    let (newer, older) = futures::join!(slow(&bench, &newer), late);
    assert!(newer.expect("it begins").complete());
    let older = older.expect("it looks");
    assert!(older.stopped && !older.changed(), "{older:?}");
    assert!(
        bench
            .warnings()
            .iter()
            .any(|text| text.contains("a newer run of the same pull request is at work: `up` by ana"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_ends_and_says_whose_run_it_waited_for() {
    let bench = Bench::new(Delays::AWS).await;
    let (one, other) = (process(&bench, None).0, process(&bench, None).0);
    let late = async {
        sleep(Duration::from_secs(3)).await;
        let (began, how) = (Instant::now(), How { lock_timeout: Duration::from_secs(5), ..How::new("up") });
        let done = run(&bench, &other, &Command::Up(experiment()), &how).await;
        (done, began.elapsed())
    };
    let (first, (second, took)) = futures::join!(slow(&bench, &one), late);
    assert!(first.expect("it begins").complete());
    let error = second.expect_err("it gives up").remove(0);
    let text = error.to_string();
    assert!(text.starts_with("waiting for `up` by ana on runner-3 since "), "{text}");
    assert!(
        text.ends_with("gave up after 5 s") && error.what_next().is_some_and(|hint| hint.contains("--lock-timeout"))
    );
    assert!(took < Duration::from_secs(12), "{took:?}");
    let told = bench.told();
    let told =
        told.iter().filter(|event| matches!(event, Event::Working { text } if text.starts_with("waiting for `up`")));
    assert_eq!(told.count(), 1, "it says once whom it waits for");
}

/// As `gc` deletes an environment that was listed as expired.
async fn collect(bench: &Bench, cx: &Cx) -> Option<Ended> {
    let what = What::Expired { scanned: None, never_expires: false };
    let ended = Box::pin(provision::run::down(cx, what, &How::new("gc"), async |_| true, &bench.events())).await;
    ended.unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// An environment that has expired, and a process of another run that brings it up with a change.
async fn expired() -> Bench {
    let mut bench = Bench::new(Delays::AWS).await;
    bench.cx.options.ttl_s = Some(60);
    bench.up(&stack(&experiment())).await;
    bench.cx.options.ttl_s = None;
    bench.engine.advance(Duration::from_secs(3_600)).await;
    story::forget(&mut bench);
    bench
}

#[tokio::test(start_paused = true)]
async fn a_gc_stops_an_up_that_leaves_the_environment_expired_and_spares_one_that_renews_it() {
    for ttl_s in [None, Some(3_600)] {
        let bench = expired().await;
        let (mut one, other) = (process(&bench, None).0, process(&bench, None).0);
        one.options.ttl_s = ttl_s;
        let late = async {
            sleep(Duration::from_secs(5)).await;
            collect(&bench, &other).await
        };
        let (how, command) = (How::new("up"), Command::Up(story::updated()));
        let (up, gc) = futures::join!(run(&bench, &one, &command, &how), late);
        let up = up.expect("it begins");
        bench.engine.advance(Duration::from_secs(120)).await;
        match ttl_s {
            None => {
                assert!(up.stopped && up.failed == 0, "{up:?}");
                assert!(matches!(&gc, Some(Ended::Done(_, summary)) if summary.complete()), "{gc:?}");
                assert_eq!(common::left(&bench), json!({}));
            }
            Some(_) => {
                assert!(up.complete(), "{up:?}");
                assert!(gc.is_none(), "{gc:?}");
                assert!(bench.plan(&stack(&story::updated())).await.is_empty());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_gcs_at_once_each_ends_well_and_nothing_is_left() {
    let bench = expired().await;
    let processes: Vec<Cx> = (0..4).map(|_| process(&bench, None).0).collect();
    let ended = futures::future::join_all(processes.iter().map(|cx| collect(&bench, cx))).await;
    let is_well = |ended: &Option<Ended>| match ended {
        None => true,
        Some(Ended::Done(_, summary)) => summary.complete() && !summary.renewed,
        Some(_) => false,
    };
    assert!(ended.iter().all(is_well), "{ended:#?} {:#?}", bench.failures());
    bench.engine.advance(Duration::from_secs(120)).await;
    assert_eq!(common::left(&bench), json!({}));
}

#[tokio::test(start_paused = true)]
async fn plan_and_status_say_whose_run_is_at_work() {
    let bench = Bench::new(Delays::AWS).await;
    let (one, other) = (process(&bench, None).0, process(&bench, None).0);
    let stack = stack(&experiment());
    let said = async |cx: &Cx| {
        let before = bench.warnings().len();
        Box::pin(decide_up(cx, &stack, Permits::default(), &bench.events())).await.expect("a plan");
        Box::pin(status::show(cx, &stack, &bench.events())).await.expect("a status");
        bench.warnings().split_off(before)
    };
    let late = async {
        sleep(Duration::from_secs(3)).await;
        said(&other).await
    };
    let (done, during) = futures::join!(slow(&bench, &one), late);
    assert!(done.expect("it begins").complete());
    let expected = "`up` by ana on runner-3 since ";
    assert!(during.len() == 2 && during.iter().all(|text| text.starts_with(expected)), "{during:?}");
    assert_eq!(said(&other).await, Vec::<String>::new());
}

/// A job that was killed while everything is CREATING, and its last step, which a runner gives five minutes.
#[tokio::test(start_paused = true)]
async fn the_down_after_a_killed_up_ends_within_five_minutes() {
    for (call, unkind) in (30..66).step_by(5).flat_map(|call| [(call, false), (call, true)]) {
        let bench = Bench::new(Delays::AWS).await;
        if unkind {
            bench.engine.set_consistency(format!("aws,seed={call}").parse().expect("words"));
        }
        let (killed, line) = process(&bench, None);
        line.begin(vec![(At::Number(call), Act::StopAfter)]);
        assert!(line.or_stopped(Box::pin(slow(&bench, &killed))).await.is_none(), "{call}");
        let began = Instant::now();
        let down = run(&bench, &process(&bench, None).0, &Command::Down(None), &How::new("down")).await;
        let (down, took) = (down.expect("it begins"), began.elapsed());
        assert!(down.complete(), "{call}: {down:?}: {:#?}", bench.failures());
        assert!(took < Duration::from_secs(300), "{call}: {took:?}");
        println!("{call} {unkind:?}: {took:?}");
        bench.engine.advance(Duration::from_secs(600)).await;
        assert_eq!(common::left(&bench), json!({}), "{call} {unkind}");
    }
}
