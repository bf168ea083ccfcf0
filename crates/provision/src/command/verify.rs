//! `verify`: the question this tool was born from, as one command. If several delivery streams read one stream, does each of
//! them get every record?

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::args::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::derive;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::Name;
use crate::plan::{self, Permits};
use crate::prefix::literal;
use crate::report::results::Results;
use crate::resource::Resource;
use crate::resource::delivery_stream::{Compression, DeliveryStream, shape::log_group};
use crate::resource::function::Function;
use crate::serving;
use crate::session::{self, Place, Session};
use crate::spec::stack::Stack;
use crate::survey::{self, For};
use crate::transform::{call, subject};
use crate::verify::account::{self, Account, Fate};
use crate::verify::fed::{self, Fed, Into, Tested};
use crate::verify::{Verified, expect, objects, send};

/// The time AWS may need in addition to the buffers: to read the stream, invoke the function and store objects.
const SLACK: Duration = Duration::from_secs(300);
/// The time limit for the emulator once its buffers are flushed.
const FLUSHED: Duration = Duration::from_secs(20);
/// The interval between listings while waiting for objects.
const POLL: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// How many records to send into each stream
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub records: u32,
    /// Wait at most this long, in seconds, instead of what the buffers allow
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Delete the objects that hold nothing but this run's records
    #[arg(long)]
    pub clean: bool,
    /// Also write the results to this file as JUnit XML, for CI systems
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

pub async fn run(args: VerifyArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let results = Results::into_file(args.junit.as_deref())?;
    let ended = reached(&args, &results.listen(events), interrupt).await;
    results.write("verify", &ended)?;
    ended
}

async fn reached(args: &VerifyArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let mut session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    session.recognise().await;
    session.announce(events);
    let mut waiter = interrupt.clone();
    let exit = tokio::select! {
        exit = verify(&session, args, events) => exit,
        () = waiter.wait() => Ok(interrupt.exit().unwrap_or(Exit::Interrupted)),
    };
    session.close(events).await;
    exit
}

/// Sends records, waits, reads them back and accounts for them. The session stays open.
pub async fn verify(session: &Session, args: &VerifyArgs, events: &Events) -> Result<Exit, Stop> {
    let stack = session.stack.as_ref().expect("`verify` was given a spec");
    refuse_unfinished(session, stack).await?;
    let run = uuid::Uuid::new_v4().as_fields().0 >> 1;
    let records = send::records(run, args.records as usize);
    let began = now(session).await?;
    let mut accounted = true;
    let fed = fed::fed(stack);
    if fed.is_empty() {
        return Err(Error::msg("the spec has no deliveries of its own to verify")
            .hint("add one to `deliveries`")
            .into());
    }
    for Fed { into, mut tested } in fed {
        for one in &mut tested {
            one.fates = fates(session, stack, one, &records, events).await?;
        }
        say(events, format!("sending {} records into {into}, run {run}", records.len()));
        match into {
            Into::Stream(name) => send::to_stream(&session.cx, name, &records).await?,
            Into::Delivery(name) => send::to_delivery_stream(&session.cx, name, &records).await?,
        }
        let results = settle(session, args, &tested, &records, began, events).await?;
        for (one, (account, found)) in tested.iter().zip(&results) {
            accounted &= account.balances();
            events.say(Event::Verified { result: verified(one, account, found) });
            if args.clean {
                clean(&session.cx, one, found, &records).await?;
            }
        }
    }
    let verdict = match accounted {
        true => "every delivery stream accounts for every record",
        false => "not every record is accounted for",
    };
    say(events, verdict.to_owned());
    Ok(if accounted { Exit::Done } else { Exit::Failed })
}

/// Refuses to run if the deployed resources differ from the spec, because the expected results are computed from the spec.
async fn refuse_unfinished(session: &Session, stack: &Stack) -> Result<(), Stop> {
    let cx = &session.cx;
    let survey = survey::survey(cx, derive::nodes(stack, &cx.names), For::Up).await?;
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, Permits::default());
    let Some(step) = plan.steps.first() else { return Ok(()) };
    let why = match survey.facts.iter().find(|fact| fact.name == step.name).is_some_and(|fact| fact.live) {
        true => format!("{} ({}) differs from the spec", step.name.address, step.name.physical),
        false => format!("{} ({}) does not exist", step.name.address, step.name.physical),
    };
    Err(Error::msg(why).hint("run `provision up` first").into())
}

async fn fates(
    session: &Session,
    stack: &Stack,
    tested: &Tested<'_>,
    records: &[Vec<u8>],
    events: &Events,
) -> Result<Vec<Fate>> {
    let delivery = tested.delivery;
    let unreadable = matches!(delivery.compression, Compression::Snappy | Compression::HadoopSnappy);
    if unreadable {
        return Err(Error::msg("verify cannot read Snappy objects, only plain, GZIP and ZIP")
            .hint("change the compression of this delivery"));
    }
    let Some(transform) = &delivery.transform else { return Ok(expect::untouched(records)) };
    let function = stack.functions.get(&transform.function.logical).and_then(|entry| entry.managed());
    let Some(function) = function else {
        let why = format!("function {} cannot be run here: its code is not in this spec", transform.function.id);
        return Err(Error::msg(why).hint("run verify with the spec that has the function's code"));
    };
    let mut desired: Function = function.desired.clone();
    let address = crate::names::Address::new(Function::KIND, transform.function.logical.clone());
    let name = Name { address, physical: function.physical.clone() };
    desired.prepare(&session.cx, &name).await?;
    let image = call::image(&desired, &name.physical, &session.cx.names)?;
    let source = subject::source(stack, tested.name, delivery, &session.cx.names);
    let expected = expect::transformed(image, &source, records).await;
    for why in expected.failures {
        let text = format!(
            "{name} fails whole batches: {why}; their records are expected under the error prefix of delivery {}",
            tested.logical
        );
        events.say(Event::Warned { text });
    }
    Ok(expected.fates)
}

type Found = Vec<objects::Object>;

/// Waits until every record is accounted for, or until the limit.
async fn settle(
    session: &Session,
    args: &VerifyArgs,
    tested: &[Tested<'_>],
    records: &[Vec<u8>],
    began: i64,
    events: &Events,
) -> Result<Vec<(Account, Found)>> {
    let expected = tested.iter().map(|one| buffered(one.delivery)).max().unwrap_or_default() + SLACK;
    let limit = patience(session.place.is_local(), args.timeout, expected);
    let names: Vec<String> = tested.iter().map(|one| one.name.to_owned()).collect();
    let started = Instant::now();
    match &session.place {
        // An emulator of our own: advance its clock until the buffers are due.
        Place::Within(engine) => {
            say(
                events,
                format!(
                    "advancing the emulator's clock by {} s, so that the buffers are delivered",
                    expected.as_secs()
                ),
            );
            engine.advance(expected).await;
        }
        // A shared emulator: flush only these delivery streams.
        Place::Serving(url) => {
            say(events, "flushing the buffers of these delivery streams".to_owned());
            serving::flush(url, &session.cx.names.region, &names).await?;
        }
        Place::Aws | Place::Mixed(_) | Place::Endpoint(_) => {
            say(events, format!("waiting up to {} s for the buffers (and AWS) to deliver", limit.as_secs()));
        }
    }
    let mut told = vec![];
    loop {
        let results = accounts(&session.cx, tested, records, began).await?;
        let done = results.iter().all(|(account, _)| account.missing == 0);
        if done || started.elapsed() >= limit {
            return Ok(results);
        }
        let found: Vec<_> =
            tested.iter().zip(&results).map(|(one, (account, _))| progress(one.logical, account)).collect();
        if !session.place.is_local() && found != told {
            for (resource, on) in found.iter().flatten().cloned() {
                events.say(Event::Waiting { resource, on });
            }
            told = found;
        }
        let pause = if session.place.is_local() { Duration::from_millis(100) } else { POLL };
        tokio::time::sleep(pause).await;
    }
}

/// The records that are still awaited.
fn progress(logical: &str, account: &Account) -> Option<(String, String)> {
    let Account { sent, missing, .. } = *account;
    (missing > 0).then(|| (format!("delivery.{logical}"), format!("{missing} of {sent} records")))
}

/// How long records are waited for: as told, else what a flushed engine of ours takes at most, or the buffers and AWS do.
fn patience(flushed: bool, timeout_s: Option<u64>, buffers: Duration) -> Duration {
    match (timeout_s, flushed) {
        (Some(seconds), _) => Duration::from_secs(seconds),
        (None, true) => FLUSHED,
        (None, false) => buffers,
    }
}

fn buffered(delivery: &DeliveryStream) -> Duration {
    let transform = delivery.transform.as_ref().map_or(0, |transform| transform.buffer_interval_s);
    Duration::from_secs(u64::from(delivery.buffer.interval_s) + u64::from(transform))
}

async fn accounts(cx: &Cx, tested: &[Tested<'_>], records: &[Vec<u8>], began: i64) -> Result<Vec<(Account, Found)>> {
    let read = tested.iter().map(async |one| {
        let bucket = one.delivery.bucket.id.rsplit(':').next().unwrap_or_default();
        let good = literal(&one.delivery.good);
        let bad = one.delivery.bad.as_deref().map(literal);
        let found = objects::since(cx, bucket, good, began).await?;
        let errors = match bad {
            Some(bad) => objects::since(cx, bucket, bad, began).await?,
            None => vec![],
        };
        let failed: Vec<Vec<u8>> = errors.iter().chain(&found).flat_map(objects::failed).collect();
        let of_errors: std::collections::BTreeSet<&str> = errors.iter().map(|object| object.key.as_str()).collect();
        let delivered: Vec<Vec<u8>> = found
            .iter()
            .filter(|object| !of_errors.contains(object.key.as_str()))
            .map(|object| object.bytes.clone())
            .collect();
        let account = account::account(records, &one.fates, &delivered, &failed);
        Ok((account, found.into_iter().chain(errors).collect()))
    });
    futures::future::try_join_all(read).await
}

fn verified(one: &Tested<'_>, account: &Account, found: &Found) -> Verified {
    let time = |object: Option<&objects::Object>| {
        object.and_then(|object| object.stored.fmt(aws_sdk_s3::primitives::DateTimeFormat::DateTime).ok())
    };
    let Account { sent, delivered, dropped, failed, missing, duplicated, .. } = *account;
    Verified {
        delivery: one.logical.to_owned(),
        sent,
        delivered,
        dropped,
        failed,
        missing,
        duplicated,
        objects: found.iter().map(|object| object.key.clone()).collect(),
        first: time(found.iter().min_by_key(|object| object.stored)),
        last: time(found.iter().max_by_key(|object| object.stored)),
        accounted: account.balances(),
        hint: (missing > 0).then(|| hint(one)),
    }
}

/// AWS reports why it could not deliver only in the log of the delivery stream, which must be turned on.
fn hint(one: &Tested<'_>) -> String {
    match &one.delivery.log {
        Some(log) => format!("Firehose logs the reason to log group {}", log_group(&log.group, one.name)),
        None => format!(
            "add `logs: true` to delivery {} and run `up` and `verify` again; Firehose then logs the reason",
            one.logical
        ),
    }
}

/// Deletes the objects that contain only records of this run.
async fn clean(cx: &Cx, one: &Tested<'_>, found: &Found, records: &[Vec<u8>]) -> Result<()> {
    let bucket = one.delivery.bucket.id.rsplit(':').next().unwrap_or_default();
    let outputs: BTreeMap<&[u8], ()> = one
        .fates
        .iter()
        .filter_map(|fate| Some((account::delivered(fate)?, ())))
        .chain(records.iter().map(|record| (record.as_slice(), ())))
        .collect();
    for object in found.iter().filter(|object| only_ours(object, &outputs)) {
        let delete = cx.s3().delete_object().bucket(bucket).key(&object.key).send().await;
        delete.map_err(|e| Error::aws(format!("deleting s3://{bucket}/{}", object.key), e))?;
    }
    Ok(())
}

fn only_ours(object: &objects::Object, outputs: &BTreeMap<&[u8], ()>) -> bool {
    let failed = objects::failed(object);
    if !failed.is_empty() {
        return failed.iter().all(|record| outputs.contains_key(record.as_slice()));
    }
    // Outputs are distinct and none begins another here, so the greatest one not above the rest is the only candidate.
    let mut rest = object.bytes.as_slice();
    while !rest.is_empty() {
        match outputs.range::<[u8], _>((Bound::Unbounded, Bound::Included(rest))).next_back() {
            Some((output, ())) if !output.is_empty() && rest.starts_with(output) => rest = &rest[output.len()..],
            _ => return false,
        }
    }
    true
}

/// The current time of the target, in epoch seconds. The emulator's clock may have been advanced.
pub async fn now(session: &Session) -> Result<i64> {
    match &session.place {
        Place::Within(engine) => Ok((engine.now() / 1000) as i64),
        Place::Serving(url) => serving::now_ms(url).await.map(|ms| ms / 1000),
        // Two minutes early: clocks differ a little, and objects of other runs do no harm.
        Place::Aws | Place::Mixed(_) | Place::Endpoint(_) => Ok(session.cx.calls.now() - 120),
    }
}

fn say(events: &Events, text: String) {
    events.say(Event::Said { text });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, LoadOptions};

    #[test]
    fn a_timeout_goes_before_what_the_buffers_allow() {
        let told = |flushed, timeout_s| patience(flushed, timeout_s, Duration::from_secs(360)).as_secs();
        assert_eq!([told(false, None), told(true, None), told(false, Some(9)), told(true, Some(9))], [360, 20, 9, 9]);
    }

    #[test]
    fn who_misses_records_is_told_where_firehose_says_why() {
        let text = "version: 1\nstack: demo\nbuckets: { lake: { name: demo-lake } }\ndeliveries:\n  \
                    dumb: { name: d-1, bucket: lake, good: a/, bad: b/ }\n  \
                    telling: { name: d-2, bucket: lake, good: c/, bad: d/, logs: true }\n";
        let loaded = spec::read("demo.yaml".as_ref(), text, &LoadOptions::default());
        let stack = loaded.unwrap_or_else(|wrong| panic!("{wrong}")).stack;
        let hints: Vec<String> = fed::fed(&stack).iter().flat_map(|fed| fed.tested.iter().map(hint)).collect();
        let expected = [
            "add `logs: true` to delivery dumb and run `up` and `verify` again; Firehose then logs the reason",
            "Firehose logs the reason to log group /aws/kinesisfirehose/d-2",
        ];
        assert_eq!(hints, expected);
    }
}
