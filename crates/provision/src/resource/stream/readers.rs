//! Who else reads a stream that is about to go: registered consumers, and other environments' delivery streams. Looking for
//! them is a courtesy: what may not be looked at is told, and stops nothing.

use futures::stream::{self, StreamExt};

use super::ABSENT;
use crate::cloud::Cx;
use crate::error::Result;
use crate::names::{Name, plural};
use crate::resource::shared::answer;
use crate::send::{self, About, found};

/// Delivery streams of others that are looked at: Firehose answers five DescribeDeliveryStream a second.
const LOOKED_AT: usize = 100;
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
    let looks = others.iter().take(LOOKED_AT).map(|other| async move { (other, source(cx, other).await) });
    let looked: Vec<_> = stream::iter(looks.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let mut found = vec![];
    let mut unseen = others.len().saturating_sub(LOOKED_AT);
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

/// The ARN of the stream that a delivery stream reads.
async fn source(cx: &Cx, delivery_stream: &str) -> Result<Option<String>> {
    let call = cx.firehose().describe_delivery_stream().delivery_stream_name(delivery_stream);
    let (about, doing) =
        (About::new("delivery", delivery_stream), format!("reading delivery stream {delivery_stream}"));
    let described = found(send::ask(cx, about, doing, || call.clone().send()).await, ABSENT)?;
    let source = described.and_then(|described| described.delivery_stream_description?.source);
    Ok(source.and_then(|source| source.kinesis_stream_source_description?.kinesis_stream_arn))
}
