//! The records that `verify` sends.

use std::io::{BufRead, BufReader};
use std::path::Path;

use bytes::Bytes;

use super::{Given, VerifyArgs};
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::resource::delivery_stream::DeliveryStream;
use crate::verify::fed::Tested;
use crate::verify::fit;
use crate::verify::input::{Made, Spool};
use crate::verify::pipeline::Pipeline;

/// The records of a file.
pub async fn given(args: &VerifyArgs) -> Result<Option<Spool>> {
    let Given::File(path) = &args.records else { return Ok(None) };
    let doing = || format!("reading records from {}", path.display());
    let reader: Box<dyn BufRead + Send> = match path == Path::new("-") {
        true => Box::new(BufReader::new(std::io::stdin())),
        false => Box::new(BufReader::new(std::fs::File::open(path).map_err(|e| Error::new(doing(), e))?)),
    };
    let lines = reader.split(b'\n').map(|line| {
        let mut line = line?;
        line.pop_if(|byte| *byte == b'\r');
        Ok::<_, std::io::Error>(Bytes::from(line))
    });
    let spool = Spool::of(lines).map_err(|e| Error::new(doing(), e))?;
    if spool.count() == 0 {
        return Err(Error::new(doing(), "it has no records").hint("write one record per line"));
    }
    Ok(Some(spool))
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
