//! `outputs`: prints names, ARNs and prefixes of a stack.

use std::path::PathBuf;

use crate::args::{TargetArgs, refuse_useless};
use crate::cloud::Options;
use crate::derive;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::exports::{self, Exported, Format};
use crate::outputs;
use crate::plan::{self, Op, Permits, Plan};
use crate::report::{self, Output, Printed};
use crate::session::{self, Session};
use crate::survey::{self, For};

#[derive(Debug, clap::Args)]
pub struct OutputsArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Output format [default: human]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// With --format raw: the value to print, as STREAM_EVENTS_ARN or stream.events.arn
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Do not look whether the resources exist: print the names that they have once they do
    #[arg(long)]
    pub planned: bool,
}

/// Returns the text for standard output, unformatted because other programs read it.
pub async fn run(args: OutputsArgs, output: Output, events: &Events) -> Result<(Printed, Exit), Stop> {
    refuse_useless(&[("--format", args.format.is_some() && output == Output::Json)], "--output json is one already")?;
    let format = args.format.unwrap_or_default();
    match (format, &args.name) {
        (Format::Raw, None) => return Err(Stop::Usage("--format raw needs --name NAME".into())),
        (Format::Raw, Some(_)) => {}
        (_, name) => refuse_useless(&[("--name", name.is_some())], "it is for --format raw")?,
    }
    let options = Options { confirms_late: !args.planned, ..Options::default() };
    let session = session::open(args.spec.as_deref(), &args.target, options, events).await?;
    session.cx.calls.refuse_changes();
    let absent = if args.planned { Ok(()) } else { refuse_absent(&session).await };
    let stack = session.stack.as_ref().expect("`outputs` was given a spec");
    let exported = Exported::new(outputs::outputs(stack, &session.cx.names), session.place.url());
    if exported.endpoint.is_none() && session.place.url().is_some() {
        report::warning("the endpoint has a secret in its URL, and is left out");
    }
    session.close(events).await;
    absent?;
    let text = text(&exported, format, args.name.as_deref())?;
    Ok((Printed { text, event: Event::Outputs { outputs: exported } }, Exit::Done))
}

fn text(exported: &Exported, format: Format, name: Option<&str>) -> Result<String> {
    match format {
        Format::Human => Ok(exported.outputs.human()),
        Format::Json => Ok(serde_json::to_string_pretty(exported).expect("our own outputs serialise") + "\n"),
        Format::Raw => {
            let name = name.unwrap_or_default();
            let known = || exported.variables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            let value = exports::raw(&exported.variables, name);
            value.map(|value| format!("{value}\n")).ok_or_else(|| {
                Error::msg(format!("there is no output {name}")).hint(format!("available outputs: {}", known()))
            })
        }
        Format::Dotenv | Format::Gitlab | Format::Github | Format::Shell => exports::text(&exported.variables, format)
            .map_err(|name| {
                let why = format!("the value of {name} has several lines, and this format takes one");
                Error::msg(why).hint("choose --format json or --format shell")
            }),
    }
}

/// Names of what is not there would send their reader astray.
async fn refuse_absent(session: &Session) -> Result<(), Vec<Error>> {
    let stack = session.stack.as_ref().expect("`outputs` was given a spec");
    let (cx, named) = (&session.cx, outputs::outputs(stack, &session.cx.names));
    let survey = survey::survey(cx, derive::nodes(stack, &cx.names), For::Up).await?;
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, Permits::default());
    let absent = absent(&plan, &named.resources.iter().map(|output| output.resource.as_str()).collect::<Vec<_>>());
    if absent.is_empty() {
        return Ok(());
    }
    let error =
        Error::msg(format!("these resources do not exist, or are not this environment's: {}", absent.join(", ")));
    Err(vec![error.hint("run `provision up` first, or pass --planned for the names that they will have")])
}

/// The missing ones among the resources at these addresses: `stream.events (trial-events)`.
fn absent(plan: &Plan, addresses: &[&str]) -> Vec<String> {
    let created = plan.steps.iter().filter(|step| step.op == Op::Create).map(|step| &step.name);
    let missing = created.chain(plan.refusals.iter().map(|refusal| &refusal.name));
    let named = missing.filter(|name| addresses.contains(&name.address.to_string().as_str()));
    named.map(|name| format!("{} ({})", name.address, name.physical)).collect()
}
