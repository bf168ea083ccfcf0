//! `cat`: shows the records in objects.

use std::path::PathBuf;

use crate::args::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::command::chosen;
use crate::command::showing::ShowArgs;
use crate::error::{Error, Result};
use crate::event::{Events, Seen};
use crate::exit::{Exit, Stop};
use crate::follow::delivered;
use crate::interrupt::Interrupt;
use crate::report::Output;
use crate::session::{self, Session};
use crate::verify::objects;

#[derive(Debug, Default, clap::Args)]
pub struct CatArgs {
    /// The spec, then objects: a key or a prefix in the spec's bucket, or s3://BUCKET/KEY. Without a spec provision.yaml, or the only
    /// file in stacks/
    #[arg(value_name = "SPEC] [OBJECT", required = true)]
    pub words: Vec<PathBuf>,
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub target: TargetArgs,
}

pub async fn run(args: CatArgs, output: Output, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let (spec, objects) = chosen::spec_and_words(&args.words);
    if objects.is_empty() {
        return Err(Stop::Usage("name an object or a prefix, such as data/ or s3://BUCKET/KEY".into()));
    }
    let mut session = session::open(spec.map(PathBuf::as_path), &args.target, Options::default(), events).await?;
    session.recognise().await;
    session.announce(events);
    let exit = interrupt.or(cat(&session, &args, objects, output, events)).await;
    session.close(events).await;
    Ok(exit?)
}

/// Shows the records of the objects.
pub async fn cat(
    session: &Session,
    args: &CatArgs,
    wanted: &[PathBuf],
    output: Output,
    events: &Events,
) -> Result<Exit> {
    let mut shown = args.show.showing(output, events)?;
    for wanted in wanted {
        let (bucket, found) = found(session, &wanted.to_string_lossy()).await?;
        for (key, stored_s) in found {
            let object = objects::fetch(&session.cx, &bucket, &key, stored_s).await?;
            let errors = objects::errors(&object.bytes);
            let records = delivered::records(&object, errors);
            if !shown.show(records.into_iter().map(Seen::from).collect()) {
                return Ok(Exit::Done);
            }
        }
    }
    Ok(Exit::Done)
}

/// The bucket, and the objects that a key, a prefix or an address names: their keys, and when they were stored.
///
/// # Errors
/// There are none.
pub async fn found(session: &Session, wanted: &str) -> Result<(String, Vec<(String, i64)>)> {
    let (bucket, key) = place(session, wanted)?;
    let found = listed(&session.cx, &bucket, &key).await?;
    match found.is_empty() {
        true => Err(Error::msg(format!("there is no object s3://{bucket}/{key}, and none under that prefix"))
            .hint("`provision tail --delivery` shows what was delivered, with its keys")),
        false => Ok((bucket, found)),
    }
}

/// The bucket, and a key or a prefix in it.
fn place(session: &Session, wanted: &str) -> Result<(String, String)> {
    if let Some(address) = wanted.strip_prefix("s3://") {
        let (bucket, key) = address.split_once('/').unwrap_or((address, ""));
        return Ok((bucket.to_owned(), key.to_owned()));
    }
    let mut buckets = chosen::stack(session).buckets.values();
    match (buckets.next(), buckets.next()) {
        (Some(only), None) => Ok((chosen::name_of(only.physical()).to_owned(), wanted.to_owned())),
        (None, _) => Err(Error::msg("the spec has no bucket").hint(format!("write s3://BUCKET/{wanted}"))),
        (Some(_), Some(_)) => {
            Err(Error::msg("the spec has several buckets").hint(format!("write s3://BUCKET/{wanted}")))
        }
    }
}

/// The object with this key, or else those under it as a prefix: their keys, and when they were stored. Empty objects mark prefixes.
async fn listed(cx: &Cx, bucket: &str, key: &str) -> Result<Vec<(String, i64)>> {
    let mut pages = cx.s3().list_objects_v2().bucket(bucket).prefix(key).into_paginator().send();
    let mut found = vec![];
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| Error::aws(format!("listing s3://{bucket}/{key}"), e))?;
        for object in page.contents.unwrap_or_default() {
            let Some(name) = object.key.filter(|_| object.size != Some(0)) else { continue };
            let stored_s = object.last_modified.map_or(0, |at| at.secs());
            if name == key {
                return Ok(vec![(name, stored_s)]);
            }
            if !name.ends_with(objects::MANIFEST_END) {
                found.push((name, stored_s));
            }
        }
    }
    Ok(found)
}
