//! Who else reads a stream that is about to go: registered consumers, and other environments' delivery streams. Looking for
//! them is a courtesy: what may not be looked at is told, and stops nothing.

use std::future::ready;
use std::time::Duration;

use aws_sdk_firehose::config::Config;
use aws_smithy_types::retry::RetryConfig;
use futures::stream::{self, StreamExt};
use tokio::time::sleep;

use super::ABSENT;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Name, plural};
use crate::resource::shared::answer;
use crate::send::{self, About, found};

/// How long delivery streams of others are looked at, and no longer than Firehose lets us: it answers five DescribeDeliveryStream a
/// second to the whole account, there may be hundreds, and of twenty environments that go at once each has those of all others.
const PATIENCE: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 4;

/// The names of registered consumers.
pub async fn consumers(cx: &Cx, name: &Name) -> Result<Vec<String>> {
    let arn = cx.names.stream_arn(&name.physical);
    let mut pages = cx.kinesis().list_stream_consumers().stream_arn(arn).into_paginator().send();
    let mut consumers = vec![];
    while let Some(page) = pages.next().await {
        let page = found(answer(format!("listing the consumers of {name}"), page), ABSENT)?;
        consumers.extend(page.into_iter().flat_map(|page| page.consumers.unwrap_or_default()));
    }
    Ok(consumers.into_iter().map(|consumer| consumer.consumer_name).collect())
}

/// The names of all delivery streams in the region.
pub async fn delivery_streams(cx: &Cx) -> Result<Vec<String>> {
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

/// What is to be said of those of `others` that read the stream, and of those that could not be looked at.
pub async fn among(cx: &Cx, name: &Name, others: &[String]) -> Vec<String> {
    let arn = cx.names.stream_arn(&name.physical);
    let looks: Vec<_> = others.iter().map(|other| async move { (other, source(cx, other).await) }).collect();
    let looked = stream::iter(looks).buffered(AT_ONCE).take_until(sleep(PATIENCE));
    let looked: Vec<_> =
        looked.take_while(|(_, source)| ready(!source.as_ref().is_err_and(is_throttled))).collect().await;
    let mut found = vec![];
    let mut unseen = others.len() - looked.len();
    for (other, source) in looked {
        match source {
            Ok(source) if source.as_ref() == Some(&arn) => {
                found.push(format!("delivery stream {other} reads it too, and loses its source"));
            }
            Ok(_) => {}
            Err(_) => unseen += 1,
        }
    }
    if unseen > 0 {
        found.push(format!("{} could not be looked at, and may read it too", plural(unseen, "delivery stream")));
    }
    found
}

/// The ARN of the stream that a delivery stream reads. Asked once: whoever is throttled leaves the rate to those that need it.
async fn source(cx: &Cx, delivery_stream: &str) -> Result<Option<String>> {
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
