//! A signal while a command runs. Runners of CI systems send SIGINT, SIGTERM 7.5 s later, and kill the job 2.5 s after that: by then
//! the command has written its record and given back its lease, so that the `down` in the job's last step begins at once. That
//! step has five minutes, while AWS is still creating what the command began. `tests/cli/with.rs` sends signals to the binary.

use std::time::Duration;

use crate::common::story::{self, Command};
use crate::common::{self, Bench, Done, experiment, stack};
use local_cloud::Delays;
use provision::plan::Permits;
use provision::run::How;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Between SIGINT and SIGTERM.
const TERMINATED: Duration = Duration::from_millis(7_500);
/// Between SIGINT and the end of the job.
const KILLED: Duration = Duration::from_secs(10);
/// The time that a runner gives to steps that always run.
const LAST_STEPS: Duration = Duration::from_secs(300);

/// Runs a command, and interrupts it after some time. Gives how long it ran on.
async fn interrupted(bench: &Bench, command: &Command, after: Duration) -> (Done, Duration) {
    let (signal, interrupt) = watch::channel(false);
    let how = How { interrupt, ..How::new(if matches!(command, Command::Up(_)) { "up" } else { "down" }) };
    let run = async {
        let done = match command {
            Command::Up(text) => common::up(&bench.cx, &stack(text), Permits::default(), &how, &bench.events()).await,
            Command::Down(text) => {
                common::down(&bench.cx, text.as_deref().map(stack).as_ref(), &how, &bench.events()).await
            }
        };
        (done, Instant::now())
    };
    let send = async {
        sleep(after).await;
        signal.send_replace(true);
        Instant::now()
    };
    let ((done, ended), sent) = futures::join!(run, send);
    (done, ended.saturating_duration_since(sent))
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_command_ends_in_time_and_the_next_down_leaves_nothing() {
    let (mut cut, mut tried) = (0, 0);
    for (tenths, unkind) in (2..500).step_by(61).flat_map(|tenths| [(tenths, false), (tenths, true)]) {
        for command in [Command::Up(experiment()), Command::Down(None)] {
            let mut bench = Bench::new(Delays::AWS).await;
            if matches!(command, Command::Down(_)) {
                bench.up(&stack(&experiment())).await;
                story::forget(&mut bench);
            }
            if unkind {
                bench.engine.set_consistency(format!("aws,seed={tenths}").parse().expect("words"));
            }
            let case = format!("{command:.10?} after {tenths} tenths, {unkind}");
            let (done, took) = interrupted(&bench, &command, Duration::from_millis(tenths * 100)).await;
            let done = done.unwrap_or_else(|errors| panic!("{case}: {errors:?}"));
            // Calls that AWS aborts are made again, which costs seconds.
            assert!(took < if unkind { KILLED } else { TERMINATED }, "{case}: {took:?}");
            assert!(done.complete() || done.interrupted && done.failed == 0, "{case}: {done:?}");
            (cut, tried) = (cut + usize::from(done.interrupted), tried + 1);

            story::forget(&mut bench);
            let began = Instant::now();
            let down = bench.down(None).await;
            assert!(began.elapsed() < LAST_STEPS, "{case}: {down:?} in {:?}", began.elapsed());
            bench.engine.advance(Duration::from_secs(600)).await;
            assert_eq!(common::left(&bench), json!({}), "{case}");
        }
    }
    assert!(cut * 4 > tried, "{cut} of {tried} were interrupted");
}

/// It does not wait for a holder that is gone.
#[tokio::test(start_paused = true)]
async fn an_interrupted_command_gives_its_lease_back() {
    let mut bench = Bench::new(Delays::AWS).await;
    let (done, _) = interrupted(&bench, &Command::Up(experiment()), Duration::from_secs(15)).await;
    assert!(done.is_ok_and(|summary| summary.interrupted && summary.skipped > 0));
    story::forget(&mut bench);
    let began = Instant::now();
    bench.up(&stack(&experiment())).await;
    // Ten seconds for what is not visible yet, and thirty for the delivery streams.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

/// A wait ends at once, and nothing was begun.
#[tokio::test(start_paused = true)]
async fn a_signal_ends_a_wait_for_another_run() {
    let mut bench = Bench::new(Delays::AWS).await;
    let first = bench.cx.clone();
    story::forget(&mut bench);
    let waits = async {
        sleep(Duration::from_secs(2)).await;
        interrupted(&bench, &Command::Up(experiment()), Duration::from_secs(3)).await
    };
    let stack = stack(&experiment());
    let (first, (waiting, took)) = futures::join!(bench.up_as(&first, &stack), waits);
    assert!(first.complete());
    assert!(waiting.is_ok_and(|summary| summary.interrupted && !summary.changed()));
    assert!(took < Duration::from_secs(1), "{took:?}");
}
