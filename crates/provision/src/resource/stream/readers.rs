//! The other readers of a stream that is to be deleted: registered consumers, and other environments' delivery streams. Looking for
//! them is a courtesy: what may not be looked at is told, and stops nothing.

use std::future::ready;
use std::time::Duration;

use aws_sdk_firehose::config::Config;
use aws_smithy_types::retry::RetryConfig;
use futures::stream::{self, StreamExt};
use tokio::time::sleep;

use super::ABSENT;
use crate::cloud::Cx;
use crate::error::Error;
use crate::names::{Name, plural};
use crate::resource::shared::answer;
use crate::seen::Readers;
use crate::send::{self, About, found};

/// How long delivery streams of others are looked at, and no longer than Firehose lets us: it answers five DescribeDeliveryStream a
/// second to the whole account, there may be hundreds, and of twenty environments that go at once each has those of all others.
const PATIENCE: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 4;

/// The names of registered consumers.
pub async fn consumers(cx: &Cx, name: &Name) -> Result<Vec<String>, Error> {
    let arn = cx.names.stream_arn(&name.physical);
    let mut pages = cx.kinesis().list_stream_consumers().stream_arn(arn).into_paginator().send();
    let mut consumers = vec![];
    while let Some(page) = pages.next().await {
        let page = found(answer(format!("listing the consumers of {name}"), page), ABSENT)?;
        consumers.extend(page.into_iter().flat_map(|page| page.consumers.unwrap_or_default()));
    }
    Ok(consumers.into_iter().map(|consumer| consumer.consumer_name).collect())
}

/// Any of the region's delivery streams may read a stream. They are listed once for all streams of a survey.
pub async fn candidates(cx: &Cx) -> &Result<Vec<String>, String> {
    let list = || async { delivery_streams(cx).await.map_err(|error| error.to_string()) };
    cx.seen.delivery_streams.get_or_init(list).await
}

/// The names of all delivery streams in the region.
pub async fn delivery_streams(cx: &Cx) -> Result<Vec<String>, Error> {
    let client = cx.firehose();
    let mut names: Vec<String> = vec![];
    loop {
        let call =
            client.list_delivery_streams().limit(1000).set_exclusive_start_delivery_stream_name(names.last().cloned());
        let page =
            send::ask(cx, About::new("delivery", ""), "listing the delivery streams", || call.clone().send()).await?;
        let more = page.has_more_delivery_streams && !page.delivery_stream_names.is_empty();
        names.extend(page.delivery_stream_names);
        if !more {
            return Ok(names);
        }
    }
}

/// The delivery streams that are not among the `known` ones, by what they read. Looked at once for all streams.
pub async fn others<'s>(cx: &'s Cx, candidates: &[String], known: &[Name]) -> &'s Readers {
    let look = || async {
        let others: Vec<&String> = candidates.iter().filter(|other| !is_known(other, known)).collect();
        let looks: Vec<_> = others.iter().map(|other| async move { (other, source(cx, other).await) }).collect();
        let looked = stream::iter(looks).buffered(AT_ONCE).take_until(sleep(PATIENCE));
        let looked: Vec<_> =
            looked.take_while(|(_, source)| ready(!source.as_ref().is_err_and(is_throttled))).collect().await;
        let mut readers = Readers { unseen: others.len() - looked.len(), ..Readers::default() };
        for (other, source) in looked {
            match source {
                Ok(Some(stream)) => readers.of.entry(stream).or_default().push(other.to_string()),
                Ok(None) => {}
                Err(_) => readers.unseen += 1,
            }
        }
        readers
    };
    cx.seen.readers.get_or_init(look).await
}

/// Is this delivery stream one that this run looks after itself?
fn is_known(delivery_stream: &str, known: &[Name]) -> bool {
    known.iter().any(|name| name.address.kind == "delivery" && name.physical == delivery_stream)
}

/// Warnings about readers of the stream with this ARN, and about those that could not be read.
pub fn told(readers: &Readers, arn: &str) -> Vec<String> {
    let reading = readers.of.get(arn).into_iter().flatten();
    let mut told: Vec<String> =
        reading.map(|other| format!("delivery stream {other} also reads it and will lose its source")).collect();
    if readers.unseen > 0 {
        let unseen = plural(readers.unseen, "delivery stream");
        told.push(format!("{unseen} could not be read; they may read it too"));
    }
    told
}

/// The ARN of the stream that a delivery stream reads. Asked once: whoever is throttled leaves the rate to those that need it.
async fn source(cx: &Cx, delivery_stream: &str) -> Result<Option<String>, Error> {
    let call = cx.firehose().describe_delivery_stream().delivery_stream_name(delivery_stream).customize();
    let once = Config::builder().retry_config(RetryConfig::disabled());
    let described = call.config_override(once).send().await;
    let described = found(answer(format!("reading delivery stream {delivery_stream}"), described), ABSENT)?;
    let source = described.and_then(|described| described.delivery_stream_description?.source);
    Ok(source.and_then(|source| source.kinesis_stream_source_description?.kinesis_stream_arn))
}

fn is_throttled(error: &Error) -> bool {
    error.code() == Some("ThrottlingException")
}
