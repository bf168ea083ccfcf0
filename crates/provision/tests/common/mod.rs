//! A whole stack on the engine in this process, through the real SDK, under a paused clock: nothing sleeps, no port is bound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local_cloud::{Delays, Engine, Settings};
use provision::cloud::{self, Cx};
use provision::event::{Event, Events, Reporter, Summary};
use provision::names::Names;
use provision::plan::{Permits, Plan};
use provision::record;
use provision::run::{self, Ended, How, What};
use provision::spec::{self, LoadOptions, stack::Stack};
use provision::survey::Survey;
use serde_json::{Map, Value};
use tokio::sync::watch;

pub mod line;
pub mod story;

use line::Line;

/// The time that every call takes, so that calls one after another can be told from calls at once.
pub const ROUND_TRIP: Duration = Duration::from_millis(50);

/// The part of an object's name after the delivery stream's.
pub const NAME_END: &str = "-1-2026-07-13-14-05-09-046b6c7f-0b7c-4a5e-9e3a-0123456789ab";

pub struct Bench {
    pub engine: Engine,
    pub cx: Cx,
    pub line: Line,
    events: Arc<Mutex<Vec<Event>>>,
    _dir: tempfile::TempDir,
}

impl Bench {
    pub async fn new(delays: Delays) -> Bench {
        Bench::with(Settings { delays, ..Settings::default() }).await
    }

    pub async fn with(settings: Settings) -> Bench {
        // The jitter of waits and retries: a test that fails fails again.
        fastrand::seed(0);
        let engine = Engine::start(settings).await.expect("an engine in memory starts");
        let dir = tempfile::tempdir().expect("a temporary folder");
        let line = Line::default();
        let http = line.clone().to(&engine);
        let names = Names {
            stack: "kinesis-test".into(),
            env: None,
            account: "000000000000".into(),
            region: "us-east-1".into(),
            tag_prefix: "provision".into(),
            iam_path: "/".into(),
        };
        let mut cx = Cx::new(cloud::within(http, "us-east-1"), names);
        cx.options.work_dir = dir.path().to_owned();
        Bench { engine, cx, line, events: Arc::default(), _dir: dir }
    }

    /// Forgets the calls so far.
    pub fn count_anew(&mut self) {
        self.cx.calls.forget();
    }

    pub fn events(&self) -> Events {
        Events::to(Kept(self.events.clone()))
    }

    pub async fn plan(&self, stack: &Stack) -> Plan {
        self.plan_with(stack, Permits::default()).await
    }

    pub async fn plan_with(&self, stack: &Stack, permits: Permits) -> Plan {
        self.decide(stack, permits).await.1
    }

    pub async fn decide(&self, stack: &Stack, permits: Permits) -> (Survey, Plan) {
        let decided = run::decide_up(&self.cx, stack, permits, &self.events()).await;
        decided.unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    pub async fn up(&self, stack: &Stack) -> Summary {
        self.up_with(stack, Permits::default()).await
    }

    /// Runs `up`; refusals and failures are told by a panic.
    pub async fn up_with(&self, stack: &Stack, permits: Permits) -> Summary {
        self.complete(up(&self.cx, stack, permits, &How::new("up"), &self.events()).await)
    }

    /// Does what was decided.
    pub async fn apply(&self, survey: &Survey, plan: &Plan) -> Summary {
        self.complete(self.try_apply(survey, plan).await)
    }

    /// Does what was decided, whatever comes of it.
    pub async fn try_apply(&self, survey: &Survey, plan: &Plan) -> Done {
        assert_eq!(plan.refusals, []);
        Box::pin(run::apply_up(&self.cx, survey, plan, 50, watch::channel(false).1, &self.events())).await
    }

    pub async fn down(&self, stack: Option<&Stack>) -> Summary {
        self.down_as(&self.cx, stack).await
    }

    /// `up` of another environment.
    pub async fn up_as(&self, cx: &Cx, stack: &Stack) -> Summary {
        self.complete(up(cx, stack, Permits::default(), &How::new("up"), &self.events()).await)
    }

    /// `down` of another environment.
    pub async fn down_as(&self, cx: &Cx, stack: Option<&Stack>) -> Summary {
        self.complete(down(cx, stack, &How::new("down"), &self.events()).await)
    }

    /// Runs `up`, whatever comes of it.
    pub async fn try_up(&self, stack: &Stack) -> Summary {
        let applied = up(&self.cx, stack, Permits::default(), &How::new("up"), &self.events()).await;
        applied.unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    pub async fn plan_down(&self, stack: Option<&Stack>) -> Plan {
        let decided = run::decide_down(&self.cx, stack, &self.events()).await;
        decided.unwrap_or_else(|errors| panic!("{errors:?}")).1
    }

    /// The addresses in the record.
    pub async fn members(&self) -> Vec<String> {
        let record = record::read(&self.cx).await.unwrap_or_else(|error| panic!("{error}"));
        record.members(&self.cx.names).keys().map(ToString::to_string).collect()
    }

    /// The record: `stream.events = name`, sorted.
    pub async fn named(&self) -> Vec<String> {
        let record = record::read(&self.cx).await.unwrap_or_else(|error| panic!("{error}"));
        let members = record.members(&self.cx.names).into_iter();
        let mut named: Vec<String> = members.map(|(address, physical)| format!("{address} = {physical}")).collect();
        named.sort();
        named
    }

    /// Puts an object into the example's bucket that a delivery stream of this name could have written.
    pub async fn put(&self, under: &str, delivery_stream: &str) {
        self.put_key(&format!("{under}{delivery_stream}{NAME_END}")).await;
    }

    pub async fn put_key(&self, key: &str) {
        let call = self.cx.s3().put_object().bucket("eq-sanhe-for-everything").key(key);
        call.send().await.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }

    fn complete(&self, applied: Done) -> Summary {
        let summary = applied.unwrap_or_else(|errors| panic!("{errors:?}"));
        assert!(summary.complete(), "{summary:?}: {:#?}", self.failures());
        summary
    }

    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        let events = self.events.lock().expect("no test panics while it holds this");
        let text = |event: &Event| if let Event::Warned { text } = event { Some(text.clone()) } else { None };
        events.iter().filter_map(text).collect()
    }

    /// Everything that was said so far.
    pub fn told(&self) -> Vec<Event> {
        self.events.lock().expect("no test panics while it holds this").clone()
    }

    /// The failures so far.
    pub fn failures(&self) -> Vec<Event> {
        let events = self.events.lock().expect("no test panics while it holds this");
        events
            .iter()
            .filter(|event| matches!(event, Event::Failed { .. } | Event::RecordFailed { .. }))
            .cloned()
            .collect()
    }
}

pub type Done = Result<Summary, Vec<provision::error::Error>>;

/// A whole `up` to which everybody agrees. Refusals are told by a panic.
pub async fn up(cx: &Cx, stack: &Stack, permits: Permits, how: &How, events: &Events) -> Done {
    // In a box, like the next one: together these futures are larger than a test's stack.
    ended(Box::pin(run::up(cx, stack, permits, how, async |_| true, events)).await.map(Some))
}

pub async fn down(cx: &Cx, stack: Option<&Stack>, how: &How, events: &Events) -> Done {
    ended(Box::pin(run::down(cx, What::Stack(stack), how, async |_| true, events)).await)
}

fn ended(ended: Result<Option<Ended>, Vec<provision::error::Error>>) -> Done {
    match ended? {
        Some(Ended::Done(_, summary)) => Ok(summary),
        Some(Ended::Stopped { by_another_run: stopped }) => {
            Ok(Summary { interrupted: true, stopped, ..Summary::default() })
        }
        other => panic!("{other:?}"),
    }
}

struct Kept(Arc<Mutex<Vec<Event>>>);

impl Reporter for Kept {
    fn event(&mut self, event: &Event) {
        self.0.lock().expect("no test panics while it holds this").push(event.clone());
    }
}

/// The repository's own stacks.
pub fn stacks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stacks")
}

/// The experiment's stack, with the Python transform: nothing has to be built for it.
pub fn experiment() -> String {
    let text = std::fs::read_to_string(stacks().join("kinesis-test.yaml")).expect("the example is there");
    let rust = "code: { crate: ../crates/handler }";
    assert!(text.contains(rust), "{text}");
    text.replace(rust, "code: { dir: python-transform }, runtime: python3.13, handler: transform.lambda_handler")
}

/// An environment of the experiment: its run, and its spec.
pub fn environment(bench: &Bench, env: &str) -> (Cx, String) {
    let text = experiment().replace("name: kinesis-test,", &format!("name: kinesis-test-{env},"));
    let text = text.replace("name: test-", &format!("name: {env}-test-"));
    let mut cx = bench.cx.clone();
    cx.names = Arc::new(Names { env: Some(env.into()), ..(*cx.names).clone() });
    (cx, text.replace("data/kinesis", &format!("{env}/data/kinesis")))
}

/// A spec, as if it stood among the examples.
pub fn stack(text: &str) -> Stack {
    let options = LoadOptions { variables: BTreeMap::new(), ..LoadOptions::default() };
    let loaded = spec::read(&stacks().join("test.yaml"), text, &options);
    loaded.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))).stack
}

/// All that the engine's world holds: buckets and their objects too.
pub fn left(bench: &Bench) -> Value {
    filled(bench.engine.dump()).unwrap_or_else(|| Value::Object(Map::new()))
}

fn filled(value: Value) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let members: Map<_, _> = members.into_iter().filter_map(|(key, held)| Some((key, filled(held)?))).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        Value::Array(list) => (!list.is_empty()).then_some(Value::Array(list)),
        held => Some(held),
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_with_an_object_is_left() {
    let bench = Bench::new(Delays::NONE).await;
    assert_eq!(left(&bench), serde_json::json!({}));
    bench.cx.s3().create_bucket().bucket("lake").send().await.expect("a bucket");
    assert_eq!(left(&bench), serde_json::json!({ "s3": { "lake": { "region": "us-east-1" } } }));
    bench.cx.s3().put_object().bucket("lake").key("a").body(b"1234".to_vec().into()).send().await.expect("an object");
    assert_eq!(left(&bench)["s3"]["lake"]["objects"], serde_json::json!({ "a": 4 }));
}
