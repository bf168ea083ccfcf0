//! One saved plan that two runs apply at once. `tests/cli/saved_plan.rs` has the commands.

use crate::common::{Bench, experiment, left, stack};
use local_cloud::Delays;
use provision::plan::Permits;
use provision::saved_plan::{SavedPlan, Target};

#[tokio::test(start_paused = true)]
async fn of_two_runs_of_one_plan_one_does_it_and_the_other_nothing() {
    for before in [None, Some(experiment())] {
        let bench = Bench::new(Delays::FAST).await;
        if let Some(before) = before {
            bench.up(&stack(&before)).await;
        }
        let spec = stack(&experiment().replace("shards: 1", "shards: 2"));
        let target = || Target::new(&bench.cx.names, "AWS".into());
        let (survey, plan) = bench.decide(&spec, Permits::default()).await;
        let text = SavedPlan::new(target(), &spec, Permits::default(), &survey, &plan).text();
        let saved = SavedPlan::read(&text).expect("it was just written");
        saved.refuse_other(&target(), &spec).expect("it is the same");

        let runs = [bench.decide(&spec, saved.permits).await, bench.decide(&spec, saved.permits).await];
        for (survey, plan) in &runs {
            saved.refuse_moved(survey, plan).expect("nothing has changed");
        }
        let [one, other] = &runs;
        let (one, other) = futures::join!(bench.try_apply(&one.0, &one.1), bench.try_apply(&other.0, &other.1));
        let (done, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        assert!(done.is_ok_and(|summary| summary.complete()), "{:#?}", bench.failures());
        let error = refused.expect_err("the other had changed it").remove(0).to_string();
        assert!(error.contains("another run has changed this environment"), "{error}");
        assert!(bench.plan(&spec).await.is_empty());
        bench.down(None).await;
        bench.engine.advance(std::time::Duration::from_secs(120)).await;
        assert_eq!(left(&bench), serde_json::json!({}));
    }
}
