//! A plan in a file, for `plan --out` and `up --plan`. Pure. The file has the plan for people and programs to read, and hashes of what the
//! plan was made from: an `up` makes its plan anew, and refuses if any of that differs. It has no secret, and no hash of one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::names::Names;
use crate::plan::{Facts, Permits, Plan};
use crate::secret::{masked, masked_json};
use crate::spec::{self, stack::Stack};
use crate::survey::Survey;

/// The version of the format. It changes when a field changes its meaning or goes away.
const FORMAT: u32 = 1;
/// Another version of this program may plan differently.
const PROVISION: &str = env!("CARGO_PKG_VERSION");

/// A plan, and what it was made for and from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    format: u32,
    provision: String,
    target: Target,
    /// The consents with which it was made.
    pub permits: Permits,
    /// A hash of the resolved spec, without values of secret variables.
    spec: String,
    /// The number of the lease: each run that changes the environment takes at least one. `None` where there is no record.
    lease: Option<u64>,
    /// A hash of what is wanted and what exists, for each resource.
    resources: BTreeMap<String, String>,
    /// As the event `planned` has it.
    plan: Value,
}

/// The environment that a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub stack: String,
    pub env: Option<String>,
    pub account: String,
    pub region: String,
    /// `AWS`, or the endpoint.
    pub place: String,
}

impl Target {
    pub fn new(names: &Names, place: String) -> Target {
        let Names { stack, env, account, region, .. } = names.clone();
        Target { stack, env, account, region, place }
    }
}

impl SavedPlan {
    pub fn new(target: Target, stack: &Stack, permits: Permits, survey: &Survey, plan: &Plan) -> SavedPlan {
        SavedPlan {
            format: FORMAT,
            provision: PROVISION.into(),
            target,
            permits,
            spec: spec_hash(stack),
            lease: survey.lease.as_ref().map(|lease| lease.number),
            resources: hashes(&survey.facts),
            plan: told(plan),
        }
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        masked_json(&serde_json::to_string_pretty(self).expect("plain data serialises")) + "\n"
    }

    /// # Errors
    /// `text` is no plan, or one of another version.
    pub fn read(text: &str) -> Result<SavedPlan> {
        let no_plan = |why: String| Error::msg(format!("it is not a plan that `provision plan --out` wrote: {why}"));
        let value: Value = serde_json::from_str(text).map_err(|error| no_plan(error.to_string()))?;
        let version = |found: String| anew(format!("it is a plan of {found}, and this is provision {PROVISION}"));
        match (value["format"].as_u64(), value["provision"].as_str()) {
            (Some(format), Some(provision)) if format != u64::from(FORMAT) || provision != PROVISION => {
                Err(version(format!("provision {provision} (format {format})")))
            }
            _ => serde_json::from_value(value).map_err(|error| no_plan(error.to_string())),
        }
    }

    /// Refuses a plan for another environment, or from another spec.
    pub fn refuse_other(&self, target: &Target, stack: &Stack) -> Result<()> {
        let (was, is) = (&self.target, target);
        let env = |target: &Target| target.env.clone().unwrap_or_else(|| "(none)".into());
        for (what, was, is) in [
            ("stack", was.stack.clone(), is.stack.clone()),
            ("environment", env(was), env(is)),
            ("account", was.account.clone(), is.account.clone()),
            ("region", was.region.clone(), is.region.clone()),
            ("target", was.place.clone(), is.place.clone()),
        ] {
            if was != is {
                return Err(Error::msg(format!("it is a plan for {what} {was}, and this is {is}"))
                    .hint("nothing was changed; use the flags that the plan was made with, or make a new plan"));
            }
        }
        match self.spec == spec_hash(stack) {
            true => Ok(()),
            false => Err(anew("the spec, or a variable in it, has changed since the plan was made".into())),
        }
    }

    /// Refuses if this run would not do exactly what the file says.
    pub fn refuse_moved(&self, survey: &Survey, plan: &Plan) -> Result<()> {
        let now = hashes(&survey.facts);
        let keys = self.resources.keys().chain(now.keys().filter(|key| !self.resources.contains_key(*key)));
        let differing: Vec<&str> =
            keys.filter(|key| self.resources.get(*key) != now.get(*key)).map(String::as_str).collect();
        if !differing.is_empty() {
            let differing = differing.join(", ");
            return Err(anew(format!("code or resources have changed since the plan was made: {differing}")));
        }
        if self.lease != survey.lease.as_ref().map(|lease| lease.number) {
            return Err(anew(
                "another run has changed this environment since the plan was made, or changes it now".into(),
            ));
        }
        match self.plan == told(plan) {
            true => Ok(()),
            false => Err(anew("the file was changed, or the record of the environment was".into())),
        }
    }
}

fn anew(why: String) -> Error {
    Error::msg(why).hint("nothing was changed; make a new plan with `provision plan --out`")
}

/// Without secrets, as everything that is printed.
fn told(plan: &Plan) -> Value {
    let text = serde_json::to_string(plan).expect("plain data serialises");
    serde_json::from_str(&masked_json(&text)).expect("a masked text is still a text")
}

fn spec_hash(stack: &Stack) -> String {
    hash(&spec::data(stack).to_string())
}

/// By address and physical name.
fn hashes(facts: &[Facts]) -> BTreeMap<String, String> {
    let key = |fact: &Facts| masked(&format!("{} ({})", fact.name.address, fact.name.physical));
    facts.iter().map(|fact| (key(fact), hash(&format!("{fact:?}")))).collect()
}

/// Secrets are masked first: somebody could try words until the hash fits.
fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(masked(&masked_json(text))))
}
