//! `verify`: the question this tool was born from, as one command. If several delivery streams read one stream, does each of
//! them get every record?

use futures::future::try_join_all;

use crate::args::refuse_useless;
use crate::cloud::Options;
use crate::command::invoke::warn_of_versions;
use crate::command::ready::{self, Ready};
use crate::derive;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::plan::{self, Permits};
use crate::producer::target::Target;
use crate::producer::{How, Produced};
use crate::report::produced::so_far;
use crate::report::results::Results;
use crate::serving;
use crate::session::{self, Place, Session};
use crate::source::key::{self, Keys};
use crate::spec::stack::Stack;
use crate::surroundings::Surroundings;
use crate::survey::{self, For};
use crate::verify::fed::{self, Fed};
use crate::verify::input::Input;
use crate::verify::objects::Objects;
use crate::verify::placed::Placed;
use crate::verify::send;

mod args;
mod input;
mod settle;
mod subject;

pub use args::{Given, VerifyArgs};
use settle::Sending;
use subject::Subject;

pub async fn run(args: VerifyArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let given = matches!(args.records, Given::File(_));
    refuse_useless(&[("--size", given && args.size.is_some())], "the records come from a file")?;
    let results = Results::into_files(args.junit.as_deref(), args.html.as_deref())?;
    let ended = reached(&args, &results.listen(events), interrupt).await;
    results.write("verify", &ended)?;
    ended
}

async fn reached(args: &VerifyArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let mut session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    session.recognise().await;
    session.announce(events);
    let exit = interrupt.or(verify(&session, args, events)).await;
    session.close(events).await;
    exit
}

/// Sends records, waits, reads them back and accounts for them. The session stays open.
pub async fn verify(session: &Session, args: &VerifyArgs, events: &Events) -> Result<Exit, Stop> {
    let stack = session.stack.as_ref().expect("`verify` was given a spec");
    refuse_unfinished(session, stack).await?;
    let run = uuid::Uuid::new_v4().as_fields().0 >> 1;
    let fed = fed::fed(stack);
    if fed.is_empty() {
        return Err(Error::msg("the spec has no deliveries of its own to verify")
            .hint("add one to `deliveries`")
            .into());
    }
    let ready = args.ready.unwrap_or(if session.place.is_local() { Ready::Active } else { Ready::Data });
    if ready == Ready::Data {
        ready::new_ones(session, &fed, events).await?;
    }
    let began_s = now(session).await?;
    let surroundings = match fed.iter().flat_map(|fed| &fed.tested).any(|one| one.delivery.transform.is_some()) {
        true => {
            warn_of_versions(stack, events).await;
            Some(Surroundings::open(session).await?)
        }
        false => None,
    };
    let given = input::given(args)?;
    let (backups, unreadable) =
        fed::backups(stack).into_iter().partition::<Vec<_>, _>(|backup| Objects::can_be_read(&backup.delivery));
    for backup in unreadable {
        let text = format!("the backup of delivery {} is not verified: verify cannot read Snappy objects", backup.of);
        events.say(Event::Warned { text });
    }
    let mut sendings = vec![];
    for Fed { into, samples, tested } in fed.into_iter().map(|fed| fed.with(&backups)) {
        let input = match (&given, samples) {
            (Some(given), _) => Input::Given(given.clone()),
            (None, Some(samples)) => Input::Given(input::sampled(session, args, samples).await?),
            (None, None) => Input::Made(input::made(args, run, &tested, events)?),
        };
        let key = samples.filter(|_| given.is_none()).and_then(|samples| samples.key.clone());
        let mut subjects = vec![];
        for one in tested {
            let subject = Subject::new(session, stack, one, surroundings.as_ref(), began_s, events).await?;
            subjects.push(subject.identified(&input, args.identity.as_deref()).await?);
        }
        say(events, format!("sending {} records into {into}, run {run}", input.count()));
        // The expected results are computed while the records are put.
        let expecting = try_join_all(subjects.into_iter().map(|subject| subject.expecting(&input, events)));
        let placed = put(session, args, &into, key.as_deref(), &input, began_s, events);
        let (subjects, placed) = futures::try_join!(expecting, placed)?;
        sendings.push(Sending { into, input, placed, subjects });
    }
    settle::settle(session, args, &mut sendings, events).await?;
    let mut accounted = true;
    for Sending { into, placed, subjects, .. } in &mut sendings {
        for subject in subjects {
            let verified = subject.verified(&session.cx, into, placed, began_s).await?;
            accounted &= verified.accounted;
            events.say(Event::Verified { result: Box::new(verified) });
            if args.clean {
                subject.clean(&session.cx).await?;
            }
        }
    }
    for subject in sendings.into_iter().flat_map(|sending| sending.subjects) {
        subject.close().await;
    }
    let verdict = match accounted {
        true => "every delivery stream accounts for every record",
        false => "not every record is accounted for",
    };
    say(events, verdict.to_owned());
    Ok(if accounted { Exit::Done } else { Exit::Failed })
}

/// Puts the records, and gives their places in the stream.
async fn put(
    session: &Session,
    args: &VerifyArgs,
    into: &Target,
    key: Option<&str>,
    input: &Input,
    began_s: i64,
    events: &Events,
) -> Result<Placed> {
    let keys = match (args.partition_keys, key) {
        (Some(keys), _) => Keys::Spread(keys.into()),
        (None, Some(key)) => Keys::Query(Box::new(key::query("key", key)?)),
        (None, None) => Keys::Given,
    };
    let how = How { keys, rate: args.rate, ..How::default() };
    let task = format!("putting into {into}");
    let progress = |produced: &Produced| {
        events.say(Event::Progress { task: task.clone(), text: so_far(produced), elapsed_ms: produced.took_ms });
    };
    let mut placed = Placed::new(began_s).map_err(|e| Error::new("keeping the places of the records", e))?;
    let produced = send::put(&session.cx, into, input, how, &mut placed, progress).await?;
    let text = format!("put {}", so_far(&produced));
    events.say(Event::Done { task, text, took_ms: produced.took_ms });
    Ok(placed)
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
