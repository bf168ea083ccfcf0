//! The receipt of a deletion: what existed, and what became of it, as JSON or as JUnit's XML. It listens to the events of `down` or `gc`;
//! what still exists afterwards is listed again and told to it. The texts are pure.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::junit::{Case, Outcome, Suite};
use crate::change::Gone;
use crate::event::{Event, Events, Reporter};
use crate::names::{Name, env_flag};
use crate::plan::{Op, Plan};
use crate::secret::{masked, masked_json};

/// The version of the format. It changes when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// The receipts of all environments that a command deletes. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Receipt(Arc<Mutex<Vec<Environment>>>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Environment {
    stack: String,
    env: Option<String>,
    account: String,
    region: String,
    resources: Vec<Resource>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Resource {
    /// `stream.events`
    resource: String,
    /// Its name on AWS.
    name: String,
    state: State,
    /// Why it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip)]
    thing: (&'static str, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Gone,
    /// AWS has accepted the deletion.
    Deleting,
    /// It stays for others who use it.
    KeptForOthers,
    Stays,
    /// It was deleted, and exists again.
    Again,
}

impl Receipt {
    /// Passes events on, and listens.
    pub fn listening(&self, events: &Events) -> Events {
        Events::to(Listener { receipt: self.clone(), inner: events.clone() })
    }

    /// The resources of the last environment, to be listed again.
    pub fn names(&self) -> Vec<Name> {
        let name = |one: &Resource| {
            let (kind, logical) = one.resource.split_once('.').unwrap_or((&one.resource, ""));
            debug_assert_eq!(kind, one.thing.0);
            Name::new(one.thing.0, logical, &one.thing.1)
        };
        self.with(|all| all.last().map(|last| last.resources.iter().map(name).collect()).unwrap_or_default())
    }

    /// The resources that the last environment still has.
    pub fn listed(&self, live: &[Name]) {
        let live: HashSet<_> = live.iter().map(|name| (name.address.kind, name.physical.as_str())).collect();
        let is_live = |one: &Resource| live.contains(&(one.thing.0, one.thing.1.as_str()));
        self.with(|all| {
            for one in all.last_mut().into_iter().flat_map(|last| &mut last.resources) {
                match (one.state, is_live(one)) {
                    (State::Stays, false) => (one.state, one.why) = (State::Gone, None),
                    (State::Gone, true) => {
                        one.state = State::Again;
                        let why = "it was deleted and exists again: a late invocation or delivery may have made it";
                        one.why = Some(why.into());
                    }
                    _ => {}
                }
            }
        });
    }

    /// For a file of this name: JUnit's XML where it ends in `.xml`, and JSON otherwise.
    pub fn text(&self, file: &Path) -> String {
        match file.extension().is_some_and(|ending| ending == "xml") {
            true => masked(&self.suite().xml()).to_string(),
            false => self.json(),
        }
    }

    fn json(&self) -> String {
        #[derive(Serialize)]
        struct Document<'a> {
            v: u32,
            environments: &'a [Environment],
        }
        let document = |all: &mut Vec<Environment>| {
            serde_json::to_string_pretty(&Document { v: VERSION, environments: all }).expect("our own data serialises")
        };
        masked_json(&self.with(document)).to_string() + "\n"
    }

    /// A resource that stays and should not is a failure.
    fn suite(&self) -> Suite {
        let case = |environment: &Environment, one: &Resource| {
            let why = one.why.clone().unwrap_or_default();
            let result = match one.state {
                State::Gone => Outcome::Passed,
                State::Deleting => Outcome::Skipped { message: "AWS has accepted the deletion".into() },
                State::KeptForOthers => Outcome::Skipped { message: why },
                State::Stays | State::Again => Outcome::Failed { message: why.clone(), details: why },
            };
            let class = format!("{}{}", environment.stack, env_flag(environment.env.as_deref()));
            Case { class, name: format!("{} ({})", one.resource, one.name), result, took_ms: None }
        };
        let cases = self.with(|all| {
            let cases = all.iter().flat_map(|one| one.resources.iter().map(move |resource| case(one, resource)));
            cases.collect()
        });
        Suite { name: "deleted by provision".into(), cases }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Environment>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hear(&self, event: &Event) {
        self.with(|all| match event {
            Event::Target { stack, env, account, region, .. } => {
                let (stack, env) = (stack.clone(), env.clone());
                let (account, region) = (account.clone(), region.clone());
                all.push(Environment { stack, env, account, region, resources: vec![] });
            }
            // `with` brings up before it deletes.
            Event::Planned { command: "up", .. } => {}
            Event::Planned { plan, .. } => all.last_mut().into_iter().for_each(|last| last.resources = planned(plan)),
            Event::Finished { resource, gone: Some(gone), .. } => set(all, resource, became(gone)),
            Event::Failed { resource, op: Op::Delete, error, .. } => {
                set(all, resource, (State::Stays, Some(error.clone())))
            }
            Event::Skipped { resource, op: Op::Delete, because } => {
                set(all, resource, (State::Stays, Some(because.clone())));
            }
            _ => {}
        });
    }
}

/// Everything that exists, before anything is done about it.
fn planned(plan: &Plan) -> Vec<Resource> {
    let resource = |name: &Name, why: &str| Resource {
        resource: name.address.to_string(),
        name: name.physical.clone(),
        state: State::Stays,
        why: Some(why.to_owned()),
        thing: (name.address.kind, name.physical.clone()),
    };
    let steps = plan.steps.iter().map(|step| resource(&step.name, "its deletion was not begun"));
    let kept = plan.kept.iter().chain(&plan.unproven).map(|kept| resource(&kept.name, &kept.why));
    steps.chain(kept).collect()
}

fn became(gone: &Gone) -> (State, Option<String>) {
    match gone {
        Gone::Deleted | Gone::DeletedWith(_) => (State::Gone, None),
        Gone::Deleting => (State::Deleting, None),
        Gone::Left(why) => (State::KeptForOthers, Some(why.clone())),
        Gone::Kept(why) => (State::Stays, Some(why.clone())),
    }
}

fn set(all: &mut [Environment], resource: &str, (state, why): (State, Option<String>)) {
    let resources = all.last_mut().into_iter().flat_map(|last| &mut last.resources);
    for one in resources.filter(|one| one.resource == resource) {
        (one.state, one.why) = (state, why.clone());
    }
}

struct Listener {
    receipt: Receipt,
    inner: Events,
}

impl Reporter for Listener {
    fn event(&mut self, event: &Event) {
        self.receipt.hear(event);
        self.inner.say(event.clone());
    }
}
