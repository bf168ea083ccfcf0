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
/// A tag's value has at most so many characters; a longer name goes on in further tags.
const VALUE_MAX: usize = 256;
/// No record has more pages, whatever it says: 8,400 members.
const MOST_PAGES: usize = 200;
/// AWS takes ten ListTagsForResource a second.
const PAGES_AT_ONCE: usize = 5;

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The tags of the log group and its continuations; empty when there is no record. A continuation that is absent or not
    /// ours has no tags.
    pages: Vec<Tags>,
    /// Does somebody else's log group have its name?
    pub taken: bool,
}

impl Record {
    pub fn exists(&self) -> bool {
        !self.pages.is_empty()
    }

    /// What it names, as far as it makes sense.
    pub fn members(&self, names: &Names) -> Members {
        self.read(names).0
    }

    /// What it names and makes no sense, in sentences: whoever may tag a log group can write there.
    pub fn oddities(&self, names: &Names) -> Vec<String> {
        self.read(names).1
    }

    /// Does it name a kind of resource that this version does not know? Then the record is not ours to delete.
    pub fn has_unknown_kinds(&self, names: &Names) -> bool {
        let mut keys = self.pages.iter().flat_map(Tags::keys).filter_map(|key| key.strip_prefix(&member_prefix(names)));
        keys.any(|key| key.split_once('.').is_none_or(|(kind, _)| resource::kind(kind).is_none()))
    }

    /// A value with its further parts. Only a full part is followed by another: what a longer value left behind is not read.
    fn whole(&self, key: &str, first: &str) -> String {
        let (mut whole, mut part) = (String::new(), first);
        for number in 1.. {
            whole.push_str(part);
            let next = self.pages.iter().find_map(|page| page.get(&format!("{key}{MORE}{number}")));
            match next.filter(|_| part.len() == VALUE_MAX) {
                Some(next) => part = next,
                None => break,
            }
        }
        whole
    }

    fn read(&self, names: &Names) -> (Members, Vec<String>) {
        let (mut members, mut odd) = (Members::new(), vec![]);
        let prefix = member_prefix(names);
        for (key, value) in self.pages.iter().flatten() {
            let Some(said) = key.strip_prefix(&prefix).filter(|said| !said.contains(MORE)) else { continue };
            let physical = unescape(&self.whole(key, value));
            let member = said.split_once('.').and_then(|(kind, logical)| Some((resource::kind(kind)?, logical)));
            match member {
                None => odd.push(format!("it names {said}, of a kind that this version does not know: left alone")),
                Some((kind, _)) if !(kind.is_name)(&physical) => {
                    odd.push(format!("it names {said} as {physical:?}, which is no name of that kind: left alone"));
                }
                Some((kind, logical)) => {
                    members.insert(Address::new(kind.name, logical), physical);
                }
            }
        }
        let said = self.pages.first().and_then(|first| first.get(&names.tag_key("pages")));
        let more = self.pages.len().saturating_sub(1);
        if let Some(said) = said.filter(|said| **said != more.to_string()) {
            odd.push(format!("it says that it has {said} continuations, and has {more}"));
        }
        (members, odd)
    }

    /// The hash of the users' tags when they were last applied to everything.
    pub fn tags_hash(&self, names: &Names) -> Option<&String> {
        self.pages.first()?.get(&names.tag_key("tags"))
    }
}

/// Asks AWS. An absent record is empty.
pub async fn read(cx: &Cx) -> Result<Record> {
    let client = cx.logs();
    let Some(first) = page(client, cx, 0).await? else { return Ok(Record::default()) };
    if !cx.names.owns(&first) {
        return Ok(Record { taken: true, ..Record::default() });
    }
    let more: usize = first.get(&cx.names.tag_key("pages")).and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut pages = vec![first];
    let numbers: Vec<usize> = (1..=more.min(MOST_PAGES - 1)).collect();
    for numbers in numbers.chunks(PAGES_AT_ONCE) {
        let some = futures::future::try_join_all(numbers.iter().map(|number| page(client, cx, *number))).await?;
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

/// Where somebody else's log group has the name of the record, nothing can be remembered, and so nothing is made.
pub fn refuse_taken(record: &Record, names: &Names) -> Result<()> {
    if !record.taken {
        return Ok(());
    }
    let doing = format!("reading the record of stack {}", names.stack);
    Err(Error::new(doing, format!("log group {} exists and is not ours", names.record()))
        .hint("rename or delete that log group, or give the stack another name"))
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
            None => create_page(client, cx, number, want).await?,
            Some(had) => {
                let set: Tags = want.iter().filter(|(k, v)| had.get(*k) != Some(v)).map(clone_pair).collect();
                tag(client, cx, number, set).await?;
            }
        }
    }
    Ok(Record { pages: wanted, taken: false })
}

/// Strikes out what is gone, under whichever address it is recorded by now.
pub async fn narrow(cx: &Cx, record: &Record, forget: &[Name]) -> Result<()> {
    let client = cx.logs();
    let gone = |address: &Address, physical: &str| {
        forget.iter().any(|name| name.address.current() == address.current() && name.physical == physical)
    };
    let struck: std::collections::HashSet<String> = record
        .members(&cx.names)
        .into_iter()
        .filter(|(address, physical)| gone(address, physical))
        .map(|(address, _)| member_key(&cx.names, &address))
        .collect();
    for (number, page) in record.pages.iter().enumerate() {
        let keys: Vec<String> =
            page.keys().filter(|key| struck.contains(key.split(MORE).next().unwrap_or(key))).cloned().collect();
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
    for number in (0..record.pages.len()).rev().filter(|number| !record.pages[*number].is_empty()) {
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
        let members = |page: &Tags| page.keys().filter(|key| key.starts_with(&member_prefix(names))).count();
        let value = escape(&name.physical);
        // The escaped text is ASCII, so that it can be cut anywhere. A full part is followed by one that is not.
        for number in 0..=value.len() / VALUE_MAX {
            let part = &value[number * VALUE_MAX..value.len().min((number + 1) * VALUE_MAX)];
            let key = if number == 0 { key.clone() } else { format!("{key}{MORE}{number}") };
            let place = pages.iter().position(|page| page.contains_key(&key));
            let place = place.or_else(|| pages.iter().position(|page| members(page) < MEMBERS_PER_PAGE));
            let place = place.unwrap_or_else(|| {
                pages.push(Tags::new());
                pages.len() - 1
            });
            pages[place].insert(key, part.to_owned());
        }
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

fn member_prefix(names: &Names) -> String {
    names.tag_key("member/")
}

/// Between a member's key and the number of a further part of its value. No address has it.
const MORE: char = '+';

/// Tag values take letters, digits, spaces and `_.:/=+-@`. The rest, and `=` itself, becomes its code point in hexadecimal between two `=`.
fn escape(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:/+-@".contains(c);
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("={:x}=", u32::from(c)) }).collect()
}

fn unescape(text: &str) -> String {
    // Every second part stands between two `=`: a code point in hexadecimal.
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.to_owned(),
        // What a terminal would take for a command is left out: anybody may have written this.
        _ => u32::from_str_radix(part, 16)
            .ok()
            .and_then(char::from_u32)
            .filter(|c| !c.is_control())
            .map(String::from)
            .unwrap_or_default(),
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

    /// Tags as anybody may have changed them: `key=value` in each line, pages after an empty one.
    #[test]
    fn fuzz_record() {
        fuzz::over("record", |lines| {
            let text = String::from_utf8_lossy(lines);
            let pages = text.split("\n\n").map(|page| {
                let tags = page.lines().map(|line| line.replace(char::is_control, ""));
                tags.filter_map(|tag| tag.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())))
                    .collect()
            });
            let record = Record { pages: pages.collect(), taken: false };
            let (members, odd) = record.read(&names());
            assert!(members.len() <= record.pages.iter().map(Tags::len).sum());
            let told = members.into_values().chain(odd).collect::<String>();
            assert!(!told.contains(char::is_control), "{told:?}");
            let _ = (record.tags_hash(&names()), record.has_unknown_kinds(&names()));
            let text = text.replace(char::is_control, "");
            assert_eq!(unescape(&escape(&text)), text);
        });
    }

    #[test]
    fn a_name_too_long_for_a_tag_goes_on_in_further_tags() {
        let place = format!("lake/{}!{{timestamp:yyyy}}/ by raw", "long=".repeat(200));
        let name = Name::new("prefix", "raw-good", &place);
        let short = Name::new("stream", "events", "events");
        let pages = assign(&names(), &Record::default(), &[name.clone(), short], &[]);
        assert!(pages.iter().flat_map(Tags::values).all(|value| value.len() <= VALUE_MAX));
        let record = Record { pages, taken: false };
        assert_eq!(record.members(&names()).get(&name.address), Some(&place));
        assert_eq!(record.members(&names()).len(), 2);
        for length in [VALUE_MAX - 1, VALUE_MAX, VALUE_MAX + 1, 3] {
            let shorter = Name { physical: format!("lake/{} by raw", "a".repeat(length - 2)), ..name.clone() };
            let pages = assign(&names(), &record, std::slice::from_ref(&shorter), &[]);
            let members = Record { pages, taken: false }.members(&names());
            assert_eq!(members.get(&name.address), Some(&shorter.physical), "{length}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_in_a_line_each_and_is_no_member() {
        let tag = |key: &str, value: &str| (format!("provision/{key}"), value.to_owned());
        let pages = vec![Tags::from([
            tag("member/topic.news", "news"),
            tag("member/nonsense", "x"),
            tag("member/stream.a", "../../b"),
            tag("member/stream.b", ""),
            tag("member/bucket.c", "A"),
            tag("member/prefix.d", "lake/data/"),
            tag("member/stream.good", "good"),
            tag("pages", "99999"),
        ])];
        let record = Record { pages, taken: false };
        assert_eq!(record.members(&names()).into_values().collect::<Vec<_>>(), ["good"]);
        assert_eq!(record.oddities(&names()).len(), 7, "{:#?}", record.oddities(&names()));
        assert!(record.has_unknown_kinds(&names()));
        assert_eq!(unescape("a=1b=[31mb"), "a[31mb", "no escape sequences for a terminal");
    }

    #[test]
    fn members_beyond_one_log_group_are_continued_in_the_next() {
        let name = |i: usize| Name { address: Address::new("stream", format!("s{i}")), physical: format!("p{i}") };
        let add: Vec<Name> = (0..100).map(name).collect();
        let pages = assign(&names(), &Record::default(), &add, &[]);
        assert_eq!(pages.len(), 3);
        assert!(pages.iter().all(|page| page.len() <= 50));
        let record = Record { pages, taken: false };
        assert_eq!(record.members(&names()).len(), 100);
        let again = assign(&names(), &record, &add[..1], &[]);
        assert_eq!(again, record.pages, "a name that is written down stays where it is");
    }
}
