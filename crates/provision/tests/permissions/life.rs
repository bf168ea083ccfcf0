//! The life of a stack: each scene begins in a world of its own, as root made it, and is played by somebody else. The futures are
//! boxed: unoptimised, one within the other, they are larger than a test's stack.

use provision::cloud::{Cx, Purge};
use provision::error::Error;
use provision::event::{Event, Events, Reporter, Summary};
use provision::plan::{Permits, Plan};
use provision::record::{environments, journal};
use provision::resource::Gone;
use provision::run;
use provision::spec::stack::Stack;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// The failures, in sentences.
pub type Played<T = ()> = Result<T, String>;

pub const PRUNE: Permits = Permits { prune: true, adopt: false, data_loss: true };

/// Keeps warnings, and what was kept and why.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>);

impl Reporter for Warnings {
    fn event(&mut self, event: &Event) {
        let told = match event {
            Event::Warned { text } | Event::Failed { error: text, .. } | Event::RecordFailed { error: text, .. } => {
                text
            }
            Event::Finished { resource, gone: Some(Gone::Kept(why)), .. } => {
                let kept = format!("{resource}: kept: {why}");
                return self.1.lock().expect("no test panics while it holds this").push(kept);
            }
            _ => return,
        };
        self.0.lock().expect("no test panics while it holds this").push(told.clone());
    }
}

impl Warnings {
    fn kept(&self) -> Vec<String> {
        self.1.lock().expect("no test panics while it holds this").clone()
    }

    fn told(&self) -> Played {
        let warned = self.0.lock().expect("no test panics while it holds this");
        if warned.is_empty() { Ok(()) } else { Err(warned.join("\n")) }
    }
}

fn told(errors: Vec<Error>) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn accepted(plan: &Plan) -> Played {
    let refusals: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.why.as_str()).collect();
    if refusals.is_empty() { Ok(()) } else { Err(refusals.join("\n")) }
}

/// Gives how many steps there are.
pub async fn plan(cx: &Cx, stack: &Stack) -> Played<usize> {
    let decided = Box::pin(run::decide_up(cx, stack, Permits::default(), &Events::to(Warnings::default()))).await;
    let (_, plan) = decided.map_err(told)?;
    accepted(&plan)?;
    Ok(plan.steps.len())
}

pub async fn up(cx: &Cx, stack: &Stack) -> Played<Summary> {
    let warnings = Warnings::default();
    let events = Events::to(warnings.clone());
    let (survey, plan) = Box::pin(run::decide_up(cx, stack, PRUNE, &events)).await.map_err(told)?;
    accepted(&plan)?;
    if plan.is_empty() {
        return Ok(Summary::default());
    }
    let applied = Box::pin(run::apply_up(cx, &survey, &plan, 50, watch::channel(false).1, &events)).await;
    let summary = applied.map_err(told)?;
    warnings.told()?;
    if summary.complete() { Ok(summary) } else { Err(format!("{summary:?}")) }
}

/// A call that is refused may stop nothing, and leave something unknown.
fn none_refused(cx: &Cx, before: usize) -> Played {
    let calls = cx.calls.made();
    let mut answers = calls[before..].iter().flat_map(|call| &call.answers);
    let denied = |code: &String| code.starts_with("AccessDenied");
    match answers.find(|answer| answer.status == Some(403) || answer.code.as_ref().is_some_and(denied)) {
        Some(answer) => Err(format!("a call is refused: {}", answer.message.as_deref().unwrap_or_default())),
        None => Ok(()),
    }
}

/// Gives what was kept, and why.
pub async fn down(cx: &Cx, stack: &Stack, purge: Purge) -> Played<Vec<String>> {
    let mut cx = cx.clone();
    cx.options.purge_data = purge;
    let warnings = Warnings::default();
    let events = Events::to(warnings.clone());
    let before = cx.calls.made().len();
    let (survey, plan) = Box::pin(run::decide_down(&cx, Some(stack), &events)).await.map_err(told)?;
    accepted(&plan)?;
    none_refused(&cx, before)?;
    let applied = Box::pin(run::apply_down(&cx, &survey, &plan, 50, watch::channel(false).1, &events)).await;
    let summary = applied.map_err(told)?;
    warnings.told()?;
    none_refused(&cx, before)?;
    if summary.complete() { Ok(warnings.kept()) } else { Err(format!("{summary:?}")) }
}

/// Runs `--scan`.
pub async fn scan(cx: &Cx) -> Played {
    let scanned = Box::pin(provision::scan::scan(cx)).await.map_err(|error| error.to_string())?;
    if scanned.unread.is_empty() && !scanned.found.is_empty() { Ok(()) } else { Err(scanned.unread.join("\n")) }
}

/// `list` and `history`.
pub async fn list(cx: &Cx) -> Played {
    let all = environments::all(cx).await.map_err(|error| error.to_string())?;
    let runs = journal::read(cx).await.map_err(|error| error.to_string())?;
    if all.len() == 1 && !runs.is_empty() { Ok(()) } else { Err(format!("{all:?} {runs:?}")) }
}
