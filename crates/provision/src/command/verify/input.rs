//! The records that `verify` sends.

use super::{Given, VerifyArgs, now};
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::resource::delivery_stream::DeliveryStream;
use crate::session::Session;
use crate::source::samples::Samples;
use crate::source::{Records, Unread, input};
use crate::verify::fed::Tested;
use crate::verify::fit;
use crate::verify::input::{Made, Spool};
use crate::verify::pipeline::Pipeline;

/// The records of a file.
pub fn given(args: &VerifyArgs) -> Result<Option<Spool>> {
    let Given::File(path) = &args.records else { return Ok(None) };
    let records = input::open(std::slice::from_ref(path), input::Format::Auto)?;
    kept(records, &format!("reading records from {}", path.display())).map(Some)
}

/// As many of the spec's samples as are wanted.
pub async fn sampled(session: &Session, args: &VerifyArgs, samples: &Samples) -> Result<Spool> {
    let Given::Count(count) = args.records else { unreachable!("a file goes before samples") };
    let began_ms = now(session).await? * 1_000;
    kept(samples.first(count as usize, &session.cx.names.account, began_ms)?, "reading the spec's samples")
}

fn kept(records: Records, doing: &str) -> Result<Spool> {
    let spool = Spool::of(records.map(|record| record.map(|record| record.data).map_err(Stopped::Unread)));
    let spool = spool.map_err(|stopped| match stopped {
        Stopped::Unread(Unread { place, why }) => Error::new(doing, format!("{place}: {why}")),
        Stopped::Kept(error) => Error::new(doing, error),
    })?;
    match spool.count() {
        0 => Err(Error::new(doing, "there are no records").hint("write one record per line")),
        _ => Ok(spool),
    }
}

/// The reasons why records are not kept.
enum Stopped {
    Unread(Unread),
    Kept(std::io::Error),
}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Stopped {
        Stopped::Kept(error)
    }
}

/// Made-up records that all these delivery streams can use.
pub fn made(args: &VerifyArgs, run: u32, tested: &[Tested<'_>], events: &Events) -> Result<Made> {
    let Given::Count(count) = args.records else { unreachable!("a file gives its own records") };
    let as_logs = tested.iter().any(|one| one.delivery.processors.decompress.is_some());
    let mut made = Made { run, count, size: args.size.unwrap_or(0) as usize, as_logs, fields: vec![] };
    for one in tested {
        let Some(query) = query(one.delivery) else { continue };
        match fit::fields(query, &Pipeline::of(one.delivery)?) {
            Some(fields) => made.fields.extend(fields.into_iter().filter(|field| !as_logs && !field.path.is_empty())),
            None => events.say(Event::Warned {
                text: format!(
                    "no made-up record has the partition keys of delivery {}; records are expected under its error prefix unless \
                     its function adds the fields; give records that fit with --records FILE",
                    one.logical
                ),
            }),
        }
    }
    made.fields.sort_by(|a, b| a.path.cmp(&b.path));
    made.fields.dedup_by(|a, b| a.path == b.path);
    Ok(made)
}

fn query(delivery: &DeliveryStream) -> Option<&str> {
    delivery.processors.metadata_query.as_deref().filter(|_| delivery.partitioning.is_some())
}
