//! The environment's record: a CloudWatch log group whose tags say which resources are this environment's. A hint; the
//! members' own tags are the truth. (The idea is Kubernetes' ApplySet, KEP-3659.) Its rules stand in ARCHITECTURE.md.
//!
//! A log group, because it is regional, costs nothing, is listed by prefix, takes its tags in the call that makes it, and
//! that call is atomic: of two first `up`s one makes it. It carries 50 tags, so it is continued in `/1`, `/2`, ...

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Name, Names, Tags};
use crate::send::{self, About as Page, found};

pub mod environments;
pub mod journal;
pub mod lease;
mod members;

use members::unescape;
pub use members::{About, Record, hash_tags, unsettled};

/// No record has more pages, whatever it says: 8,400 members.
const MOST_PAGES: usize = 200;
/// AWS takes ten ListTagsForResource a second.
const PAGES_AT_ONCE: usize = 5;
/// The number of times that a record is read again after another `up` has just created it.
const ATTEMPTS: usize = 3;
/// The kind of records in the table of [`crate::transient`].
const KIND: &str = "record";
const ABSENT: &str = "ResourceNotFoundException";
const EXISTS: &str = "ResourceAlreadyExistsException";

/// Asks AWS. An absent record is empty.
pub async fn read(cx: &Cx) -> Result<Record> {
    let first = page(cx, 0).await?;
    if first.as_ref().is_some_and(|first| !cx.names.owns(first)) {
        return Ok(Record { taken: true, ..Record::default() });
    }
    let said = first.as_ref().and_then(|first| first.get(&cx.names.tag_key("pages"))?.parse().ok());
    let more: usize = match cx.options.scan {
        true => last_page(cx).await?,
        false => said.unwrap_or(0),
    };
    let mut pages = vec![first.unwrap_or_default()];
    let numbers: Vec<usize> = (1..=more.min(MOST_PAGES - 1)).collect();
    for numbers in numbers.chunks(PAGES_AT_ONCE) {
        let some = futures::future::try_join_all(numbers.iter().map(|number| page(cx, *number))).await?;
        let ours = |page: Option<Tags>| page.filter(|tags| cx.names.owns(tags)).unwrap_or_default();
        let some: Vec<Tags> = some.into_iter().map(ours).collect();
        if some.iter().all(Tags::is_empty) {
            break;
        }
        pages.extend(some);
    }
    while pages.last().is_some_and(Tags::is_empty) {
        pages.pop();
    }
    Ok(Record { pages, taken: false })
}

/// Refuses to continue if a log group of somebody else has the record's name: without a record nothing is created.
pub fn refuse_taken(record: &Record, names: &Names) -> Result<()> {
    if !record.taken {
        return Ok(());
    }
    let doing = format!("reading the record of stack {}", names.stack);
    Err(Error::new(doing, format!("log group {} exists and was not created by provision", names.record()))
        .hint("rename or delete that log group, or give the stack another name"))
}

/// Writes down names, before they are made, and what else it says. Gives the record as it is then. Another `up` may be making
/// the same record: then it is read, and added to.
pub async fn widen(cx: &Cx, record: &Record, add: &[Name], about: About<'_>) -> Result<Record> {
    let mut record = record.clone();
    let mut attempts = ATTEMPTS;
    loop {
        match write(cx, &record, add, about).await {
            Err(error) if error.code() == Some(EXISTS) && attempts > 0 => {
                attempts -= 1;
                record = read(cx).await?;
                refuse_taken(&record, &cx.names)?;
            }
            written => return written,
        }
    }
}

/// Makes a record that did not exist, and writes into it as [`widen`] does. `None`: another run has just made it.
pub async fn make(cx: &Cx, record: &Record, add: &[Name], about: About<'_>) -> Result<Option<Record>> {
    let mut pages = record.with(&cx.names, add, about);
    pages.truncate(1);
    match create_page(cx, 0, &pages[0]).await {
        Ok(()) => widen(cx, &Record { pages, taken: false }, add, about).await.map(Some),
        Err(error) if error.code() == Some(EXISTS) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A page is made after the one that says that it exists, so that none is ever unheard of. A member's name is written over last: what
/// stood there may be kept under another address, on a page that is still to be written.
async fn write(cx: &Cx, record: &Record, add: &[Name], about: About<'_>) -> Result<Record> {
    let pages = record.with(&cx.names, add, about);
    let (members, mut overwritten) = (cx.names.tag_key("member/"), vec![]);
    for (number, page) in pages.iter().enumerate() {
        match record.pages.get(number).filter(|had| !had.is_empty()) {
            None => create_page(cx, number, page).await?,
            Some(had) => {
                let set = page.iter().filter(|(k, v)| had.get(*k) != Some(v)).map(clone_pair);
                let is_over = |key: &str| pages.len() > 1 && had.contains_key(key) && key.starts_with(&members);
                let (over, set): (Tags, Tags) = set.partition(|(key, _)| is_over(key));
                tag(cx, number, set).await?;
                overwritten.push((number, over));
            }
        }
    }
    for (number, over) in overwritten {
        tag(cx, number, over).await?;
    }
    Ok(Record { pages, taken: false })
}

/// Removes members.
pub async fn narrow(cx: &Cx, record: &Record, gone: &[Name]) -> Result<()> {
    for (number, keys) in record.keys_of(&cx.names, gone).into_iter().enumerate().filter(|(_, keys)| !keys.is_empty()) {
        let call = cx.logs().untag_resource().resource_arn(page_arn(cx, number)).set_tag_keys(Some(keys));
        send::change(cx, of(cx, number), "removing entries from the record", || call.clone().send()).await?;
    }
    Ok(())
}

/// Deletes the record, its first page last. Absence is success.
pub async fn delete(cx: &Cx, record: &Record) -> Result<()> {
    for number in (0..record.pages.len()).rev().filter(|number| !record.pages[*number].is_empty()) {
        let call = cx.logs().delete_log_group().log_group_name(page_name(&cx.names, number));
        send::delete(cx, of(cx, number), "deleting the record", ABSENT, || call.clone().send()).await?;
    }
    Ok(())
}

/// Whether this error means that the record does not exist, or no longer exists.
pub fn is_gone(error: &Error) -> bool {
    error.code() == Some(ABSENT)
}

fn clone_pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// The highest number of a continuation, whatever the first page says.
async fn last_page(cx: &Cx) -> Result<usize> {
    let before = format!("{}/", cx.names.record());
    let mut groups = cx.logs().describe_log_groups().log_group_name_prefix(&before).into_paginator().items().send();
    let mut last = 0;
    while let Some(group) = groups.next().await {
        let group = group.map_err(|error| Error::aws("listing the record's log groups", error))?;
        let number = group.log_group_name.as_deref().and_then(|name| name.strip_prefix(&before)?.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last)
}

async fn page(cx: &Cx, number: usize) -> Result<Option<Tags>> {
    let call = cx.logs().list_tags_for_resource().resource_arn(page_arn(cx, number));
    let doing = format!("reading the record {}", page_name(&cx.names, number));
    let answer = found(send::ask(cx, of(cx, number), doing, || call.clone().send()).await, ABSENT)?;
    // No tags, no record: some emulators answer so for a group that is not there.
    let tags = answer.and_then(|answer| answer.tags).filter(|tags| !tags.is_empty());
    Ok(tags.map(|tags| tags.into_iter().collect()))
}

async fn create_page(cx: &Cx, number: usize, tags: &Tags) -> Result<()> {
    let name = page_name(&cx.names, number);
    let call = cx.logs().create_log_group().log_group_name(&name).set_tags(Some(tags.clone().into_iter().collect()));
    let create = send::create(cx, of(cx, number), format!("creating the record {name}"), || call.clone().send());
    match create.await {
        // The answer to an attempt of ours was lost; or another `up` wants the very same, and both may go on.
        Err(error) if error.code() == Some(EXISTS) => {
            // Since a moment ago: a read may not see it yet.
            cx.ledger.created(of(cx, number));
            match page(cx, number).await?.as_ref() == Some(tags) {
                true => Ok(()),
                false => {
                    Err(error.hint("the log group is not the record of this stack, or another `up` started at the same time; run the command again"))
                }
            }
        }
        made => made.map(drop),
    }
}

async fn tag(cx: &Cx, number: usize, set: Tags) -> Result<()> {
    if set.is_empty() {
        return Ok(());
    }
    let call = cx.logs().tag_resource().resource_arn(page_arn(cx, number)).set_tags(Some(set.into_iter().collect()));
    send::change(cx, of(cx, number), "adding entries to the record", || call.clone().send()).await
}

/// The subject of a call about a page.
fn of(cx: &Cx, number: usize) -> Page {
    Page::new(KIND, &page_name(&cx.names, number))
}

fn page_name(names: &Names, number: usize) -> String {
    match number {
        0 => names.record(),
        _ => format!("{}/{number}", names.record()),
    }
}

fn page_arn(cx: &Cx, number: usize) -> String {
    cx.names.log_group_arn(&page_name(&cx.names, number))
}
