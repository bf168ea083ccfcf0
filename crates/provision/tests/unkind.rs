//! AWS answers late, and refuses with "try again". Every anomaly that the engine knows is survived by every command, alone and
//! together with all others.

use std::time::Duration;

use crate::common::{Bench, experiment, stack};
use local_cloud::{Delays, Settings};

/// Longer than any anomaly lasts: then reads tell the truth.
const SETTLED: Duration = Duration::from_secs(900);

/// The experiment with something of every kind that an update changes.
fn changed() -> String {
    experiment()
        .replace("shards: 1, retention: 24h", "shards: 2, retention: 48h, metrics: [IncomingBytes]")
        .replace("{ name: eq-sanhe-for-everything }", "{ name: eq-sanhe-for-everything, expire: 7d }")
        .replace("memory: 256MiB", "memory: 512MiB, alias: live, description: changed")
        .replace("tags: { team: data }", "tags: { team: platform, more: tags }")
        .replace(
            "    good: data/kinesis-test/raw/good/",
            "    buffer: { size: 2MiB }\n    good: data/kinesis-test/raw/good/",
        )
}

/// `up`, a changing `up`, the way back, `down`, and `up` at once after it.
async fn lives(consistency: &str) {
    let settings = Settings {
        delays: Delays::AWS,
        consistency: consistency.parse().unwrap_or_else(|error| panic!("{error}")),
        ..Settings::default()
    };
    let bench = Bench::with(settings).await;
    for text in [experiment(), changed(), experiment()] {
        let stack = stack(&text);
        bench.up(&stack).await;
        tokio::time::sleep(SETTLED).await;
        let plan = bench.plan(&stack).await;
        assert!(plan.is_empty() && plan.refusals.is_empty(), "{consistency}: {plan:#?}");
    }
    bench.down(None).await;
    bench.up(&stack(&experiment())).await;
    tokio::time::sleep(SETTLED).await;
    bench.down(None).await;
    tokio::time::sleep(SETTLED).await;
    assert!(bench.members().await.is_empty(), "{consistency}");
    let nodes = bench.plan(&stack(&experiment())).await;
    assert!(nodes.same.is_empty() && nodes.refusals.is_empty(), "{consistency}: {nodes:#?}");
}

#[tokio::test(start_paused = true)]
async fn each_anomaly_alone_is_survived() {
    for row in local_cloud::anomalies::rows() {
        lives(row.name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_anomalies_together_are_survived() {
    for seed in 0..2 {
        lives(&format!("aws,seed={seed}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn anomalies_that_come_now_and_then_are_survived() {
    for seed in 0..3 {
        lives(&format!("aws,rate=0.3,seed={seed}")).await;
    }
}
