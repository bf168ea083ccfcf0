//! The environment's record: a CloudWatch log group whose tags say which resources are this environment's. Made before the
//! first of them and deleted after the last. A hint: widened before a create, narrowed after a delete; the members' own
//! tags are the truth. (The idea is Kubernetes' ApplySet, KEP-3659.)
//!
//! A log group, because it is regional, costs nothing, is listed by prefix, takes its tags in the call that makes it, and
//! that call is atomic: of two first `up`s one makes it. It carries 50 tags, so it is continued in `/1`, `/2`, ...

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::Client;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};
use crate::plan::Members;
use crate::resource;

pub mod environments;
pub mod journal;

/// Members on one log group: AWS takes 50 tags, and some are for other things.
const MEMBERS_PER_PAGE: usize = 42;

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The tags of the log group and its continuations; empty when there is no record.
    pages: Vec<Tags>,
}

impl Record {
    pub fn exists(&self) -> bool {
        !self.pages.is_empty()
    }

    pub fn members(&self, names: &Names) -> Members {
        let tags = self.pages.iter().flatten();
        tags.filter_map(|(key, value)| Some((member(names, key)?, unescape(value)))).collect()
    }

    /// The hash of the users' tags when they were last applied to everything.
    pub fn tags_hash(&self, names: &Names) -> Option<&String> {
        self.pages.first()?.get(&names.tag_key("tags"))
    }
}

/// Asks AWS. An absent record is empty.
pub async fn read(cx: &Cx) -> Result<Record> {
    let client = cx.logs();
    let Some(first) = page(&client, cx, 0).await? else { return Ok(Record::default()) };
    if !cx.names.owns(&first) {
        let doing = format!("reading the record of stack {}", cx.names.stack);
        return Err(Error::new(doing, format!("log group {} exists and is not ours", cx.names.record()))
            .hint("rename or delete that log group, or give the stack another name"));
    }
    let more: usize = first.get(&cx.names.tag_key("pages")).and_then(|n| n.parse().ok()).unwrap_or(0);
    let rest = futures::future::try_join_all((1..=more).map(|number| page(&client, cx, number))).await?;
    let mut pages = vec![first];
    pages.extend(rest.into_iter().map(Option::unwrap_or_default));
    Ok(Record { pages })
}

/// Writes down names before they are made, and whose they are, and until when. Gives the record as it is then.
pub async fn widen(cx: &Cx, record: &Record, add: &[Name], tags_hash: Option<&str>) -> Result<Record> {
    let client = cx.logs();
    let expires = cx.options.ttl_s.map(|ttl| (cx.calls.now() + ttl).to_string());
    let about = [("tags", tags_hash.map(str::to_owned)), ("owner", cx.options.owner.clone()), ("expires", expires)];
    let wanted = assign(&cx.names, record, add, &about);
    // Continuations first: the first page names how many there are.
    for (number, (want, had)) in wanted.iter().zip(had(record, wanted.len())).enumerate().rev() {
        match had {
            None => create_page(&client, cx, number, want).await?,
            Some(had) => {
                let set: Tags = want.iter().filter(|(k, v)| had.get(*k) != Some(v)).map(clone_pair).collect();
                tag(&client, cx, number, set).await?;
            }
        }
    }
    Ok(Record { pages: wanted })
}

/// Strikes out what is gone, under whichever address it is recorded by now.
pub async fn narrow(cx: &Cx, record: &Record, forget: &[Name]) -> Result<()> {
    let client = cx.logs();
    let gone = |address: &Address, physical: &str| {
        forget.iter().any(|name| name.address.current() == address.current() && name.physical == physical)
    };
    for (number, page) in record.pages.iter().enumerate() {
        let members = page.iter().filter_map(|(key, value)| Some((key, member(&cx.names, key)?, unescape(value))));
        let keys = members.filter(|(_, address, physical)| gone(address, physical));
        let keys: Vec<String> = keys.map(|(key, ..)| key.clone()).collect();
        if !keys.is_empty() {
            let untag = client.untag_resource().resource_arn(page_arn(cx, number)).set_tag_keys(Some(keys));
            untag.send().await.map_err(|e| Error::aws("narrowing the record", e))?;
        }
    }
    Ok(())
}

/// Deletes the record, its first page last. Absence is success.
pub async fn delete(cx: &Cx, record: &Record) -> Result<()> {
    let client = cx.logs();
    for number in (0..record.pages.len()).rev() {
        let gone = client.delete_log_group().log_group_name(page_name(&cx.names, number)).send().await;
        if let Err(error) = gone.map_err(|e| Error::aws("deleting the record", e))
            && error.code() != Some("ResourceNotFoundException")
        {
            return Err(error);
        }
    }
    Ok(())
}

/// A short hash of all users' tags, so that a no-op need not read the tags of everything.
pub fn hash_tags<'a>(tags: impl Iterator<Item = (&'a Address, &'a Tags)>) -> String {
    let all: BTreeMap<String, &Tags> = tags.map(|(address, tags)| (address.to_string(), tags)).collect();
    crate::names::hash(&format!("{all:?}"))
}

fn clone_pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// The pages as they should be: each name where it stands already, or where there is room. `about` goes on the first.
fn assign(names: &Names, record: &Record, add: &[Name], about: &[(&str, Option<String>)]) -> Vec<Tags> {
    let mut pages = record.pages.clone();
    if pages.is_empty() {
        pages.push(Tags::new());
    }
    for name in add.iter().cloned().chain(renamed(names, record, add)) {
        let key = member_key(names, &name.address);
        let members = |page: &Tags| page.keys().filter(|key| key.starts_with(&names.tag_key("member/"))).count();
        let place = pages.iter().position(|page| page.contains_key(&key));
        let place = place.or_else(|| pages.iter().position(|page| members(page) < MEMBERS_PER_PAGE));
        let place = place.unwrap_or_else(|| {
            pages.push(Tags::new());
            pages.len() - 1
        });
        pages[place].insert(key, escape(&name.physical));
    }
    let last = pages.len() - 1;
    for page in &mut pages {
        page.extend(names.ownership(&Address::new("record", "members")));
    }
    pages[0].insert(names.tag_key("pages"), last.to_string());
    pages[0].insert(names.tag_key("version"), env!("CARGO_PKG_VERSION").into());
    let about = about.iter().filter_map(|(word, value)| Some((names.tag_key(word), escape(value.as_ref()?))));
    pages[0].extend(about);
    pages
}

/// What another physical name was recorded for is there until it is deleted: it is kept under an address of its own.
fn renamed(names: &Names, record: &Record, add: &[Name]) -> Vec<Name> {
    let members = record.members(names);
    let former = add.iter().filter_map(|name| {
        let physical = members.get(&name.address).filter(|physical| **physical != name.physical)?;
        let free = |address: &Address| members.get(address).is_none_or(|kept| kept == physical);
        let address = (1..).map(|number| name.address.former(number)).find(free)?;
        Some(Name { address, physical: physical.clone() })
    });
    former.collect()
}

fn had(record: &Record, len: usize) -> impl DoubleEndedIterator<Item = Option<&Tags>> + ExactSizeIterator {
    (0..len).map(|number| record.pages.get(number))
}

async fn page(client: &Client, cx: &Cx, number: usize) -> Result<Option<Tags>> {
    match client.list_tags_for_resource().resource_arn(page_arn(cx, number)).send().await {
        // No tags, no record: some emulators answer so for a group that is not there.
        Ok(answer) => Ok(answer.tags.filter(|tags| !tags.is_empty()).map(|tags| tags.into_iter().collect())),
        Err(error) => match Error::aws(format!("reading the record {}", page_name(&cx.names, number)), error) {
            absent if absent.code() == Some("ResourceNotFoundException") => Ok(None),
            error => Err(error),
        },
    }
}

async fn create_page(client: &Client, cx: &Cx, number: usize, tags: &Tags) -> Result<()> {
    let name = page_name(&cx.names, number);
    let create = client.create_log_group().log_group_name(&name).set_tags(Some(tags.clone().into_iter().collect()));
    match create.send().await.map_err(|e| Error::aws(format!("making the record {name}"), e)) {
        // The answer to an attempt of ours was lost; or another `up` wants the very same, and both may go on.
        Err(error) if error.code() == Some("ResourceAlreadyExistsException") => {
            if page(client, cx, number).await?.as_ref() == Some(tags) {
                return Ok(());
            }
            Err(error.hint("another `up` of this environment began at the same moment (run this again), or that log group is somebody else's"))
        }
        made => made.map(drop),
    }
}

async fn tag(client: &Client, cx: &Cx, number: usize, set: Tags) -> Result<()> {
    if set.is_empty() {
        return Ok(());
    }
    let tags = Some(set.into_iter().collect());
    let call = client.tag_resource().resource_arn(page_arn(cx, number)).set_tags(tags);
    call.send().await.map_err(|e| Error::aws("widening the record", e)).map(drop)
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

fn member_key(names: &Names, address: &Address) -> String {
    names.tag_key(&format!("member/{address}"))
}

/// The address in a tag's key, if it is that of a member.
fn member(names: &Names, key: &str) -> Option<Address> {
    let (kind, logical) = key.strip_prefix(&names.tag_key("member/"))?.split_once('.')?;
    Some(Address::new(resource::kind(kind)?.name, logical))
}

/// Tag values take letters, digits, spaces and `_.:/=+-@`. The rest, and `=` itself, becomes its code point in hexadecimal between two `=`.
fn escape(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:/+-@".contains(c);
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("={:x}=", u32::from(c)) }).collect()
}

fn unescape(text: &str) -> String {
    // Every second part stands between two `=`: a code point in hexadecimal.
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.to_owned(),
        _ => u32::from_str_radix(part, 16).ok().and_then(char::from_u32).map(String::from).unwrap_or_default(),
    };
    text.split('=').enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            stack: "demo".into(),
            env: None,
            account: "111122223333".into(),
            region: "us-east-1".into(),
            tag_prefix: "provision".into(),
            iam_path: "/".into(),
        }
    }

    #[test]
    fn any_physical_name_survives_the_tag() {
        for name in ["lake/data/raw/good/", "lake/ü=ß (1)/", "a=b", ""] {
            let kept = escape(name);
            assert!(kept.chars().all(|c| c.is_ascii_alphanumeric() || "_.:/=+-@".contains(c)), "{kept}");
            assert_eq!(unescape(&kept), name);
        }
    }

    #[test]
    fn members_beyond_one_log_group_are_continued_in_the_next() {
        let name = |i: usize| Name { address: Address::new("stream", format!("s{i}")), physical: format!("p{i}") };
        let add: Vec<Name> = (0..100).map(name).collect();
        let pages = assign(&names(), &Record::default(), &add, &[]);
        assert_eq!(pages.len(), 3);
        assert!(pages.iter().all(|page| page.len() <= 50));
        let record = Record { pages };
        assert_eq!(record.members(&names()).len(), 100);
        let again = assign(&names(), &record, &add[..1], &[]);
        assert_eq!(again, record.pages, "a name that is written down stays where it is");
    }
}
