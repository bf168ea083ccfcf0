//! `doctor`: finds what would make the first run fail. Makes no changing call.

use std::path::PathBuf;

use crate::args::TargetArgs;
use crate::cloud::{self, Calls, Cx, Options};
use crate::doctor::{Check, State, account, machine, permitted, room};
use crate::event::{self, Event, Events};
use crate::exit::{Exit, Stop};
use crate::names::{Names, plural};
use crate::permissions::{Purpose, needs, of_stack};
use crate::session::{self, Place};
use crate::spec::stack::Stack;

#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// The command whose permissions are asked for
    #[arg(long = "for", value_enum, default_value_t, conflicts_with = "local")]
    pub purpose: Purpose,
}

pub async fn run(args: DoctorArgs, events: &Events) -> Result<Exit, Stop> {
    let (stack, work_dir) = session::load(args.spec.as_deref(), &args.target.variables, events)?;
    let mut findings = Findings::new(events);
    findings.tell(machine::checks(&stack).await);
    match args.target.cloud.local {
        true => local(stack, work_dir, &args, events, &mut findings).await?,
        false => away(&args, &stack, events, &mut findings).await,
    }
    Ok(if findings.end() == 0 { Exit::Done } else { Exit::Failed })
}

/// The emulator needs no credentials and has no quotas.
async fn local(
    stack: Stack,
    work_dir: PathBuf,
    args: &DoctorArgs,
    events: &Events,
    findings: &mut Findings<'_>,
) -> Result<(), Stop> {
    let session = session::open_loaded(stack, work_dir, &args.target, Options::default(), events).await?;
    session.cx.calls.refuse_changes();
    findings.tell([Check::good("endpoint", session.place.describe().unwrap_or_default())]);
    let stack = session.stack.as_ref().expect("`doctor` was given a spec");
    findings.tell(room::buckets(&session.cx, stack).await);
    session.close(events).await;
    Ok(())
}

/// Checks AWS, or an endpoint in its place.
async fn away(args: &DoctorArgs, stack: &Stack, events: &Events, findings: &mut Findings<'_>) {
    let sdk = match cloud::connect(&args.target.cloud.target(), stack.target.region.as_deref()).await {
        Ok(sdk) => sdk,
        Err(error) => {
            let remedy = error.what_next().unwrap_or("check the flags and the AWS configuration files").to_owned();
            return findings.tell([Check::failed("settings", error.to_string(), remedy)]);
        }
    };
    let region = sdk.region().map(ToString::to_string).unwrap_or_default();
    let said = if stack.target.region.is_some() { ", as the spec says" } else { "" };
    findings.tell([Check::good("region", format!("{region}{said}"))]);
    findings.tell(endpoints(sdk.endpoint_url()));
    let calls = Calls::default();
    calls.refuse_changes();
    let caller = cloud::account(&sdk, &calls).await;
    let here = jiff::Timestamp::now().as_second();
    findings.tell([account::credentials(&sdk, &caller, here).await]);
    let Ok(caller) = caller else { return };
    findings.tell([account::account(&caller, stack.target.account.as_deref()), account::clock(here, calls.now())]);
    let stack = match stack.clone().at(&caller.account, &region) {
        Ok(stack) => &{ stack },
        Err(wrong) => {
            return findings.tell([Check::failed("spec", wrong.to_string(), "correct the spec".to_owned())]);
        }
    };
    let names = Names {
        stack: stack.name.clone(),
        env: stack.env.clone(),
        account: caller.account.clone(),
        region,
        tag_prefix: stack.tag_prefix.clone(),
        iam_path: stack.iam.path.clone(),
    };
    let needs = needs(&of_stack(stack, &names), &names, args.purpose);
    let cx = Cx::counting(sdk, names, calls);
    findings.tell(permitted::checks(&cx, &caller, &needs).await);
    findings.tell(room::buckets(&cx, stack).await);
    findings.tell(room::streams(&cx, stack).await);
    findings.tell(room::delivery_streams(&cx, stack).await);
    event::tell_calls(&cx, events);
}

/// The endpoint, and the environment variables that set one for a single service, which are easily forgotten.
fn endpoints(of_all: Option<&str>) -> Vec<Check> {
    let place = of_all.map_or(Place::Aws, |url| Place::Endpoint(url.to_owned()));
    let mut checks = vec![Check::good("endpoint", place.describe().unwrap_or_else(|| "AWS".into()))];
    let variables = std::env::vars().filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL_"));
    checks.extend(variables.map(|(name, url)| {
        let found = format!("{name} sends calls to {}", crate::secret::shown_url(&url));
        Check::care("endpoint", found, format!("unset {name} if that is not intended"))
    }));
    checks
}

/// Tells each check as it is made.
struct Findings<'a> {
    events: &'a Events,
    failed: usize,
    warned: usize,
    all: usize,
}

impl Findings<'_> {
    fn new(events: &Events) -> Findings<'_> {
        Findings { events, failed: 0, warned: 0, all: 0 }
    }

    fn tell(&mut self, checks: impl IntoIterator<Item = Check>) {
        for check in checks {
            self.all += 1;
            self.failed += usize::from(check.state == State::Failed);
            self.warned += usize::from(matches!(check.state, State::Care | State::Unchecked));
            self.events.say(Event::Checked { check });
        }
    }

    /// Gives how many checks failed.
    fn end(self) -> usize {
        let text = verdict(self.all, self.failed, self.warned);
        self.events.say(Event::Said { text });
        self.failed
    }
}

fn verdict(all: usize, failed: usize, warned: usize) -> String {
    let warnings = if warned > 0 { format!(", {}", plural(warned, "warning")) } else { String::new() };
    match (failed, warned) {
        (0, 0) => format!("all {all} checks passed"),
        (0, warned) => format!("{} of {all} checks passed{warnings}", all - warned),
        (failed, _) => format!("{failed} of {all} checks failed{warnings}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_no_check_that_passed() {
        let told = [verdict(3, 0, 0), verdict(3, 0, 1), verdict(3, 1, 0), verdict(4, 1, 2)];
        let expected = [
            "all 3 checks passed",
            "2 of 3 checks passed, 1 warning",
            "1 of 3 checks failed",
            "1 of 4 checks failed, 2 warnings",
        ];
        assert_eq!(told, expected);
    }
}
