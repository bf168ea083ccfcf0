//! The log streams of delivery errors in a log group of somebody else's: Firehose creates none, and what it logs to one that does
//! not exist is lost. <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html>

use std::collections::BTreeSet;

use futures::future::try_join_all;

use super::{ABSENT, Shape};
use crate::cloud::Cx;
use crate::error::Result;
use crate::names::Name;
use crate::resource::log_group::create_log_stream;
use crate::send::{self, found};

/// A log group and a log stream in it.
pub type LogStream = (String, String);

/// Those that do not exist.
pub async fn missing(cx: &Cx, name: &Name, wanted: &[LogStream]) -> Result<Vec<String>> {
    let exists = async |(group, stream): &LogStream| -> Result<bool> {
        let call = cx.logs().describe_log_streams().log_group_name(group).log_stream_name_prefix(stream);
        let doing = format!("reading the log streams of {name}");
        let page = found(send::ask(cx, name, doing, || call.clone().send()).await, ABSENT)?;
        // Streams come in alphabetical order, and the name itself is the first of those that it begins.
        let first = page.and_then(|page| page.log_streams).unwrap_or_default().into_iter().next();
        Ok(first.is_some_and(|first| first.log_stream_name.as_deref() == Some(stream)))
    };
    let exist = try_join_all(wanted.iter().map(exists)).await?;
    let missing = wanted.iter().zip(exist).filter(|(_, exists)| !exists);
    Ok(missing.map(|((_, stream), _)| stream.clone()).collect())
}

pub async fn create(cx: &Cx, name: &Name, wanted: &[LogStream]) -> Result<()> {
    try_join_all(wanted.iter().map(|(group, stream)| create_log_stream(cx, name, group, stream))).await.map(drop)
}

/// Deletes the log streams that `before` logged to and `now` does not, if they are named after the delivery stream: another name
/// may be that of somebody else's log stream.
pub async fn remove_unused(cx: &Cx, name: &Name, before: Option<&Shape>, now: Option<&Shape>) -> Result<()> {
    let streams = |shape: Option<&Shape>| -> BTreeSet<LogStream> {
        shape.into_iter().flat_map(Shape::destinations).filter_map(|place| place.log.clone()).collect()
    };
    let own = format!("{}/", name.physical);
    let (before, now) = (streams(before), streams(now));
    for (group, stream) in before.difference(&now).filter(|(_, stream)| stream.starts_with(&own)) {
        let call = cx.logs().delete_log_stream().log_group_name(group).log_stream_name(stream);
        let doing = format!("deleting log stream {stream} of {name}");
        found(send::change(cx, name, doing, || call.clone().send()).await, ABSENT)?;
    }
    Ok(())
}
