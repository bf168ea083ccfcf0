//! A large stack at AWS's rates and delays: what each command takes, against what the rates and delays add up to.

use std::time::Duration;

use crate::common::{Bench, left, stack};
use local_cloud::{Delays, Settings};
use provision::cloud::Call;
use tokio::time::Instant;

/// Each stream is read by one delivery stream.
const STREAMS: u64 = 100;
/// Longer than any deletion lasts.
const SETTLED: Duration = Duration::from_secs(60);

fn large() -> String {
    let streams: String = (0..STREAMS).map(|n| format!("  s{n}: {{name: s-{n}, shards: 1}}\n")).collect();
    let delivery = |n| format!("  d{n}: {{name: d-{n}, from: s{n}, bucket: lake, good: g/{n}/, bad: b/{n}/}}\n");
    let deliveries: String = (0..STREAMS).map(delivery).collect();
    format!(
        "version: 1\nstack: large\nbuckets: {{lake: {{name: large-lake}}}}\nstreams:\n{streams}deliveries:\n{deliveries}"
    )
}

/// The time that a command took by the world's clock, and its calls.
struct Took {
    time: Duration,
    calls: Vec<Call>,
}

impl Took {
    fn of(bench: &mut Bench, began: Instant) -> Took {
        let took = Took { time: began.elapsed(), calls: bench.cx.calls.made() };
        bench.count_anew();
        took
    }

    fn is_near(&self, command: &str, floor: Duration, most: f64) {
        let ratio = self.time.as_secs_f64() / floor.as_secs_f64();
        println!("{command}: {:?}, {ratio:.2} of the floor {floor:?}, {} calls", self.time, self.calls.len());
        assert!(ratio < most, "{command}: {ratio}");
    }

    /// No call was sent twice: none was throttled.
    fn is_smooth(&self) {
        let again: Vec<&Call> = self.calls.iter().filter(|call| call.answers.len() > 1).collect();
        assert!(again.is_empty(), "{again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_streams_and_delivery_streams_come_and_go_at_awss_rates() {
    let (delays, stack) = (Delays::AWS, stack(&large()));
    let mut bench = Bench::with(Settings { delays, limits: true, ..Settings::default() }).await;
    bench.cx.calls.keep_to_rates();
    // Firehose answers five calls a second, and five streams may be coming or going at once.
    let describes = Duration::from_millis(STREAMS * 200);
    let streams = Duration::from_millis(STREAMS / 5 * delays.stream);
    let last = Duration::from_millis(delays.delivery_stream);

    let began = Instant::now();
    bench.up(&stack).await;
    let up = Took::of(&mut bench, began);
    up.is_smooth();
    up.is_near("up", describes + streams + last, 1.2);

    let began = Instant::now();
    let plan = bench.plan(&stack).await;
    assert!(plan.is_empty() && plan.refusals.is_empty(), "{plan:#?}");
    let planned = Took::of(&mut bench, began);
    planned.is_smooth();
    planned.is_near("plan", describes, 1.1);

    let began = Instant::now();
    bench.down(Some(&stack)).await;
    let down = Took::of(&mut bench, began);
    down.is_near("down", describes + streams, 1.2);
    tokio::time::sleep(SETTLED).await;
    assert_eq!(left(&bench), serde_json::json!({}));
}
