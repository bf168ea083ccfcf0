//! GitHub Actions shows more of a run than its log: mistakes of a spec at their lines, plan and timing in the job's summary,
//! and outputs for later steps. The texts are pure; [`Github`] writes them.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use crate::event::{Event, Reporter, Summary};
use crate::exports::{self, Format};
use crate::names::{env_flag, plural};
use crate::plan::{Op, Plan};
use crate::report::human::took;
use crate::secret::masked;
use crate::spec::Diagnostics;

/// Passes events on, and tells GitHub.
pub struct Github<R> {
    inner: R,
    story: Story,
    summary: Option<PathBuf>,
    output: Option<PathBuf>,
}

impl<R> Github<R> {
    /// The reporter for GitHub Actions, if this process runs there.
    pub fn here(inner: R) -> Result<Github<R>, R> {
        let file = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        match is_here() {
            true => Ok(Github {
                inner,
                story: Story::default(),
                summary: file("GITHUB_STEP_SUMMARY"),
                output: file("GITHUB_OUTPUT"),
            }),
            false => Err(inner),
        }
    }
}

/// Annotates a spec's mistakes that are told on standard error, where GitHub reads that.
pub fn annotate(mistakes: &Diagnostics) {
    if is_here() {
        anstream::eprint!("{}", masked(&annotations("error", mistakes)));
    }
}

fn is_here() -> bool {
    std::env::var("GITHUB_ACTIONS").is_ok_and(|set| set == "true")
}

impl<R: Reporter> Reporter for Github<R> {
    fn tick(&mut self) {
        self.inner.tick();
    }

    fn end(&mut self) {
        self.inner.end();
    }

    fn make_room(&mut self) {
        self.inner.make_room();
    }

    fn event(&mut self, event: &Event) {
        self.inner.event(event);
        let Told { annotations, summary, outputs } = self.story.tell(event);
        anstream::eprint!("{}", masked(&annotations));
        for (file, text) in [(&self.summary, summary), (&self.output, outputs)] {
            let Some(file) = file.as_ref().filter(|_| !text.is_empty()) else { continue };
            let opened = OpenOptions::new().append(true).create(true).open(file);
            if let Err(error) = opened.and_then(|mut file| file.write_all(masked(&text).as_bytes())) {
                super::warning(&format!("writing {}: {error}", file.display()));
            }
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    annotations: String,
    summary: String,
    outputs: String,
}

/// The events so far.
#[derive(Debug, Default)]
struct Story {
    target: String,
    steps: Vec<(String, u64)>,
}

impl Story {
    fn tell(&mut self, event: &Event) -> Told {
        let mut told = Told::default();
        match event {
            Event::Target { stack, env, account, region, endpoint } => {
                let env = env_flag(env.as_deref());
                let place = endpoint.as_deref().unwrap_or("AWS");
                self.target = format!("`{stack}{env}` in account {account}, {region}, {place}");
            }
            Event::Planned { plan, command } => {
                self.steps.clear();
                told.summary = planned(plan, command, &self.target);
            }
            Event::Finished { resource, op, took_ms, .. } => {
                self.steps.push((format!("{} {resource}", op.done()), *took_ms));
            }
            Event::Failed { resource, op, took_ms, error, .. } => {
                self.steps.push((format!(":x: {} {resource}: {error}", op.verb()), *took_ms));
            }
            Event::Ended { summary } => told.summary = ended(summary, &self.steps),
            // Every value of an output fits into GitHub's format.
            Event::Outputs { outputs } => {
                told.outputs = exports::text(&outputs.variables, Format::Github).unwrap_or_default()
            }
            Event::Wrong { mistakes } => told.annotations = annotations("error", mistakes),
            Event::SpecWarned { warnings } => told.annotations = annotations("warning", warnings),
            Event::Validated { mistakes, warnings, .. } => {
                told.annotations = annotations("error", mistakes) + &annotations("warning", warnings);
            }
            _ => {}
        }
        told
    }
}

fn planned(plan: &Plan, command: &str, target: &str) -> String {
    let mut text = format!("### provision {command}\n\n{target}\n\n");
    let sign = |op: Op| match op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Replace => "**replace**",
        Op::Delete => "delete",
    };
    if !plan.steps.is_empty() {
        text.push_str("| | resource | name |\n|---|---|---|\n");
    }
    for step in &plan.steps {
        text.push_str(&row(&[sign(step.op), &step.name.address.to_string(), &format!("`{}`", step.name.physical)]));
    }
    for refusal in &plan.refusals {
        text.push_str(&format!("- :x: {}: {}\n", refusal.name.address, cell(&refusal.why)));
    }
    let count = plural(plan.steps.len(), "change");
    text + &format!("\n{count}, {} unchanged\n\n", plan.same.len() + plan.named.len() + plan.used.len())
}

fn ended(summary: &Summary, steps: &[(String, u64)]) -> String {
    let mut text = "| step | took |\n|---|---:|\n".to_owned();
    for (step, took_ms) in steps {
        text.push_str(&row(&[step, &took(*took_ms)]));
    }
    let outcome = match (summary.interrupted, summary.complete()) {
        (true, _) => "interrupted".to_owned(),
        (false, true) => "done".to_owned(),
        (false, false) => format!("failed: {} of the steps, and {} not begun", summary.failed, summary.skipped),
    };
    text + &format!("\n{outcome} in {}\n\n", took(summary.took_ms))
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// In a table's cell no line may end, and no bar may stand alone.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// One line each, as GitHub reads it.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message>
fn annotations(level: &str, diagnostics: &Diagnostics) -> String {
    let list = serde_json::to_value(diagnostics).expect("mistakes serialise");
    let one = |told: &serde_json::Value| {
        let text = |key: &str| told[key].as_str().map(str::to_owned);
        let number = |key: &str, name: &str| told[key].as_u64().map(|n| format!(",{name}={n}")).unwrap_or_default();
        let file = property(&text("file").unwrap_or_default());
        let place = format!("file={file}{}{}", number("line", "line"), number("column", "col"));
        let said: Vec<String> = ["what", "expected", "help"].iter().filter_map(|key| text(key)).collect();
        format!("::{level} {place}::{}\n", message(&said.join("; ")))
    };
    list.as_array().into_iter().flatten().map(one).collect()
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Diff;
    use crate::names::Name;
    use crate::plan::{Refusal, Step, TagChange};
    use crate::spec::{self, LoadOptions};

    fn step(op: Op, name: Name) -> Step {
        let (diff, tags) = (Diff::default(), TagChange::default());
        Step { name, op, diff, also: vec![], tags, summary: vec![], expected_wait_s: 0, after: vec![] }
    }

    #[test]
    fn plan_and_timing_are_a_summary_in_markdown() {
        let mut story = Story::default();
        let plan = Plan {
            steps: vec![
                step(Op::Create, Name::new("stream", "events", "demo-events")),
                step(Op::Replace, Name::new("delivery", "raw", "demo-raw")),
            ],
            same: vec![Name::new("bucket", "lake", "demo-lake")],
            ..Plan::default()
        };
        let target = Event::Target {
            stack: "demo".into(),
            env: Some("pr-1".into()),
            account: "111122223333".into(),
            region: "eu-west-1".into(),
            endpoint: None,
        };
        let failed = Event::Failed {
            resource: "delivery.raw".into(),
            op: Op::Replace,
            took_ms: 1_500,
            error: "a|b\nc".into(),
            hint: None,
            request_id: None,
        };
        let finished = Event::Finished { resource: "stream.events".into(), op: Op::Create, took_ms: 85, gone: None };
        let summary = Summary { created: 1, failed: 1, took_ms: 65_000, ..Summary::default() };
        let events = [target, Event::Planned { plan, command: "up" }, finished, failed, Event::Ended { summary }];
        let told: String = events.iter().map(|event| story.tell(event).summary).collect();
        let expected = "### provision up\n\n`demo --env pr-1` in account 111122223333, eu-west-1, AWS\n\n\
                        | | resource | name |\n|---|---|---|\n| create | stream.events | `demo-events` |\n\
                        | **replace** | delivery.raw | `demo-raw` |\n\n2 changes, 1 unchanged\n\n\
                        | step | took |\n|---|---:|\n| created stream.events | 85 ms |\n\
                        | :x: replacing delivery.raw: a\\|b c | 1.5 s |\n\n\
                        failed: 1 of the steps, and 0 not begun in 1 m 05 s\n\n";
        assert_eq!(told, expected);
        let refusal =
            Refusal { name: Name::new("stream", "events", "e"), why: "no".into(), hint: String::new(), consent: true };
        let plan = Plan { refusals: vec![refusal], ..Plan::default() };
        let told = story.tell(&Event::Planned { plan, command: "up" }).summary;
        assert!(told.contains("- :x: stream.events: no\n"), "{told}");
    }

    #[test]
    fn mistakes_are_annotations_at_their_lines() {
        let text = "version: 1\nstack: demo\nstreams:\n  events: { name: a, shard: 1 }\n";
        let wrong = spec::read("a,b.yaml".as_ref(), text, &LoadOptions::default()).expect_err("shard is a mistake");
        let told = annotations("error", &wrong);
        let first = told.lines().next().unwrap_or_default();
        assert!(first.starts_with("::error file=a%2Cb.yaml,line=4,col="), "{told}");
        assert!(told.contains("did you mean `shards`?"), "{told}");
        assert_eq!(message("50%\nmore"), "50%25%0Amore");
    }
}
