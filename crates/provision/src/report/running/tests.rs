use super::*;
use crate::names::{Address, Name};
use crate::plan::{Op, Plan, Step};
use crate::verify::Verified;

/// A clock that stands still, and seconds after its start.
struct Clock(Instant);

impl Clock {
    fn at(&self, seconds: u64) -> Instant {
        self.0 + Duration::from_secs(seconds)
    }
}

fn clock() -> Clock {
    Clock(Instant::now())
}

fn planned() -> Event {
    let step = |kind: &'static str, logical: &str, expected_wait_s: u32| Step {
        name: Name { address: Address::new(kind, logical), physical: logical.to_owned() },
        op: Op::Create,
        diff: Default::default(),
        also: vec![],
        tags: Default::default(),
        summary: vec![],
        expected_wait_s,
        after: vec![],
    };
    let steps = vec![step("stream", "events", 15), step("role", "delivery-raw", 0)];
    Event::Planned { plan: Plan { steps, ..Plan::default() }, command: "up" }
}

fn started(resource: &str) -> Event {
    Event::Started { resource: resource.into(), op: Op::Create }
}

fn waiting(resource: &str, on: &str) -> Event {
    Event::Waiting { resource: resource.into(), on: on.into() }
}

fn finished(resource: &str) -> Event {
    Event::Finished { resource: resource.into(), op: Op::Create, took_ms: 1, gone: None }
}

#[test]
fn each_running_step_is_a_line_with_its_time_and_what_it_waits_for() {
    let (clock, mut running) = (clock(), Running::default());
    running.heed(&planned(), clock.at(0));
    running.heed(&started("stream.events"), clock.at(0));
    running.heed(&started("role.delivery-raw"), clock.at(3));
    assert_eq!(running.lines(clock.at(0), 80), [""; 0], "short work is not shown");
    running.heed(&waiting("stream.events", "stream events to become ACTIVE (up to 15 min)"), clock.at(3));
    let expected = [
        "  . creating stream.events      12 s of about 15 s  for stream events to bec…",
        "  . creating role.delivery-raw  9 s",
    ];
    assert_eq!(running.lines(clock.at(12), 80), expected);
    assert!(running.lines(clock.at(12), 80).iter().all(|line| line.chars().count() < 80));
    assert_eq!(running.lines(clock.at(12), 40)[0].chars().count(), 37);
    assert!(
        running.lines(clock.at(100), 140)[0]
            .contains("1 m 40 s of about 15 s  for stream events to become ACTIVE (up to 15 min)")
    );
    running.heed(&finished("stream.events"), clock.at(13));
    assert_eq!(running.lines(clock.at(13), 80), ["  . creating role.delivery-raw  10 s"]);
    running.heed(&Event::Error { message: "no".into(), hint: None }, clock.at(13));
    assert_eq!(running.lines(clock.at(20), 80), [""; 0]);
}

#[test]
fn a_log_is_told_of_each_work_every_fifteen_seconds() {
    let (clock, mut running) = (clock(), Running::default());
    running.heed(&planned(), clock.at(0));
    running.heed(&started("stream.events"), clock.at(0));
    let wait = waiting("role.delivery-raw", "IAM");
    running.heed(&wait, clock.at(5));
    running.told(&wait, clock.at(5));
    let told: Vec<(u64, String)> =
        (0..=60).flat_map(|second| running.due(clock.at(second)).into_iter().map(move |line| (second, line))).collect();
    let seconds: Vec<u64> = told.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [15, 20, 30, 35, 45, 50, 60]);
    assert_eq!(told[0].1, "  . creating stream.events (15 s of about 15 s)");
    assert_eq!(told[1].1, "  . role.delivery-raw (15 s): IAM");
}

#[test]
fn work_that_tells_its_progress_goes_on_until_it_is_done() {
    let (clock, mut running) = (clock(), Running::default());
    let progress =
        |text: &str, elapsed_ms| Event::Progress { task: "building square".into(), text: text.into(), elapsed_ms };
    running.heed(&progress("Compiling serde v1.0.0", 2_000), clock.at(10));
    running.heed(&progress("Compiling\tsquare v0.1.0", 4_000), clock.at(12));
    assert_eq!(running.lines(clock.at(12), 80), ["  . building square  4 s  Compiling square v0.1.0"]);
    let wait = |text: &str| Event::Working { text: text.into() };
    running.heed(&wait("waiting for `up` by ana on laptop (up to 600 s)"), clock.at(12));
    assert_eq!(
        running.lines(clock.at(14), 80),
        [
            "  . building square  6 s  Compiling square v0.1.0",
            "  . waiting          2 s  for `up` by ana on laptop (up to 600 s)"
        ]
    );
    let found = "7 of 10 records found, the buffer of 60 s is not due yet; up to 300 s more";
    running.heed(&waiting("delivery.raw", found), clock.at(14));
    assert_eq!(running.lines(clock.at(15), 140)[2], format!("  . delivery.raw     1 s  {found}"));
    let result = Verified { delivery: "raw".into(), ..Verified::default() };
    running.heed(&Event::Verified { result: Box::new(result) }, clock.at(15));
    let (task, text) = ("building square".to_owned(), "built square".to_owned());
    running.heed(&Event::Done { task, text, took_ms: 5_000 }, clock.at(15));
    running.heed(&planned(), clock.at(15));
    assert_eq!(running.lines(clock.at(20), 80), [""; 0]);
}

#[test]
fn more_work_than_fits_is_counted() {
    let (clock, mut running) = (clock(), Running::default());
    (0..10).for_each(|number| running.heed(&started(&format!("stream.s{number}")), clock.at(0)));
    let lines = running.lines(clock.at(2), 80);
    assert_eq!((lines.len(), lines[8].as_str()), (9, "    and 2 more"));
}
