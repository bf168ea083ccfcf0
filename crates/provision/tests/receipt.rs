//! The receipt of a `down`: what existed, and what became of it, after listing it again.

use std::path::Path;

use crate::common::{self, Bench, experiment, stack};
use local_cloud::Delays;
use provision::event::Event;
use provision::report::receipt::Receipt;
use provision::run::{self, How};

#[tokio::test(start_paused = true)]
async fn a_receipt_says_what_is_gone_what_stays_and_what_is_there_again() {
    let bench = Bench::new(Delays::AWS).await;
    bench.up(&stack(&experiment())).await;
    bench.put_key("data/others").await;
    bench.engine.inject("iam:DeleteRole=AccessDenied,count=1".parse().expect("a rule"));
    let receipt = Receipt::default();
    let events = receipt.listening(&bench.events());
    let names = (*bench.cx.names).clone();
    let (stack, env, account, region) = (names.stack, names.env, names.account, names.region);
    events.say(Event::Target { stack, env, account, region, endpoint: None });
    common::down(&bench.cx, None, &How::new("down"), &events).await.expect("it begins");
    // A function was invoked once more, and Lambda made its log group.
    bench
        .cx
        .logs()
        .create_log_group()
        .log_group_name("/aws/lambda/test-delivery2")
        .send()
        .await
        .expect("it was deleted");
    let live = run::still_there(&bench.cx, &receipt.names()).await.unwrap_or_else(|errors| panic!("{errors:?}"));
    receipt.listed(&live);
    insta::assert_snapshot!("receipt_json", receipt.text(Path::new("receipt.json")));
    insta::assert_snapshot!("receipt_junit", receipt.text(Path::new("receipt.xml")));
}
