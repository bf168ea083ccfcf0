//! `logs`: the logs of functions and delivery streams in one order of time.

use std::path::PathBuf;
use std::time::Duration;

use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::command::chosen;
use crate::command::showing::at;
use crate::command::up::seconds;
use crate::command::verify::now;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::firehose_errors;
use crate::follow::logs::{Logged, Logs, Source};
use crate::interrupt::Interrupt;
use crate::names::Name;
use crate::report::{self, Output, Printed};
use crate::resource::delivery_stream::shape;
use crate::resource::function;
use crate::resource::log_group::LogRef;
use crate::session::{self, Session};
use crate::spec::stack::Stack;

#[derive(Debug, Default, clap::Args)]
pub struct LogsArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    /// Only this function; may be repeated
    #[arg(long, value_name = "FUNCTION")]
    pub function: Vec<String>,
    /// Only this delivery; may be repeated
    #[arg(long, value_name = "DELIVERY")]
    pub delivery: Vec<String>,
    /// Begin so long ago
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = seconds)]
    pub since: i64,
    /// Go on with what comes
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Between two looks while following.
const POLL: Duration = Duration::from_secs(2);

pub async fn run(args: LogsArgs, output: Output, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    session.announce(events);
    let exit = interrupt.or(logs(&session, &args, output, events)).await;
    session.close(events).await;
    // Following has no other end than a signal.
    exit.map(|exit| if args.follow { Exit::Done } else { exit }).map_err(Stop::from)
}

/// Shows the log events.
pub async fn logs(session: &Session, args: &LogsArgs, output: Output, events: &Events) -> Result<Exit> {
    let sources = sources(chosen::stack(session), &args.function, &args.delivery)?;
    let width = sources.iter().map(|source| source.of.len()).max().unwrap_or_default();
    let mut logs = Logs::new(sources, (now(session).await? - args.since) * 1_000);
    let mut shown = false;
    loop {
        for Logged { of, at_ms, message } in logs.new_ones(&session.cx).await? {
            shown = true;
            let (time, error) = (at(at_ms), firehose_error(&message));
            let told = error.as_ref().map_or(&message, |error| &error.0);
            let text = report::fitted(&format!("{time}  {of:width$}  {told}\n")).into_owned();
            let explained = error.and_then(|(_, explained)| explained);
            report::print(
                Printed { text, event: Event::Logged { of, at: time, message, explained: explained.clone() } },
                output,
                events,
            );
            if let (Output::Human, Some(explained)) = (output, explained) {
                let text = format!("{:24}  {:width$}  -> {explained}\n", "", "");
                report::print(Printed::said(report::fitted(&text).into_owned()), output, events);
            }
        }
        if !args.follow {
            break;
        }
        tokio::time::sleep(POLL).await;
    }
    if !shown {
        events.say(Event::Said { text: format!("no log event in the last {} s", args.since) });
    }
    Ok(Exit::Done)
}

/// The log groups of these functions and deliveries; without any, of all.
///
/// # Errors
/// One is not in the spec, or it keeps no log.
fn sources(stack: &Stack, functions: &[String], deliveries: &[String]) -> Result<Vec<Source>> {
    let all = functions.is_empty() && deliveries.is_empty();
    let mut sources = vec![];
    if all || !functions.is_empty() {
        for (key, entry) in chosen::managed(&stack.functions, functions)? {
            let group = function::log_group(&entry.desired.log, &Name::new("function", key, &entry.physical));
            sources.push(Source { of: format!("function.{key}"), group, streams: None });
        }
    }
    if all || !deliveries.is_empty() {
        for (key, entry) in chosen::managed(&stack.deliveries, deliveries)? {
            let Some(log) = &entry.desired.log else {
                if all {
                    continue;
                }
                return Err(Error::msg(format!("delivery {key} logs no errors"))
                    .hint("remove `logs: false` from it and run `up`"));
            };
            let group = shape::log_group(&log.group, &entry.physical);
            // In a group that several share, the streams of each begin with its name.
            let shared = !matches!(log.group, LogRef::Derived { name: None, .. });
            let streams = shared.then(|| log.stream.split('/').next().unwrap_or_default().to_owned());
            sources.push(Source { of: format!("delivery.{key}"), group, streams });
        }
    }
    Ok(sources)
}

/// An error of Firehose in short, and its cause and remedy where they are known.
fn firehose_error(message: &str) -> Option<(String, Option<String>)> {
    let firehose_errors::Logged { code, message } = firehose_errors::Logged::read(message)?;
    let explained = firehose_errors::find(&code).map(ToString::to_string);
    Some((format!("{code}: {message}"), explained))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_firehose_is_told_in_short_with_its_remedy() {
        let logged =
            r#"{"deliveryStreamARN":"a","errorCode":"Lambda.FunctionTimedOut","message":"too slow","processor":"p"}"#;
        let (short, explained) = firehose_error(logged).expect("an error");
        assert_eq!(short, "Lambda.FunctionTimedOut: too slow");
        assert!(explained.expect("it is known").contains("raise the function's timeout"));
        let unknown = firehose_error(r#"{"errorCode":"New.Code","message":"why"}"#);
        assert_eq!(unknown, Some(("New.Code: why".into(), None)));
        assert_eq!(firehose_error("START RequestId"), None);
    }
}
