//! The content of a record and its encoding in tags. Pure; [`super`] reads and writes the log groups.

use std::collections::{BTreeMap, HashSet};

use crate::kinds;
use crate::names::{Address, Name, Names, Tags};
use crate::plan::Members;

/// Members on one log group: AWS takes 50 tags, and some are for other things.
const MEMBERS_PER_PAGE: usize = 42;
/// A tag's value has at most so many characters; a longer name goes on in further tags.
const VALUE_MAX: usize = 256;

/// A record as it was read.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The tags of the log group and its continuations; empty when there is no record. A continuation that is absent or not
    /// ours has no tags.
    pub(super) pages: Vec<Tags>,
    /// Whether a log group of somebody else has its name.
    pub taken: bool,
}

/// The data of a record other than its members. `None` leaves a value unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The hash of the users' tags, or what [`unsettled`] gives.
    pub tags: Option<&'a str>,
    /// The run that is about to create something.
    pub run: Option<&'a str>,
    pub owner: Option<&'a str>,
    /// Epoch seconds.
    pub expires: Option<i64>,
}

/// Stands for the hash of the users' tags while a run changes something: some may not be as they should. Begins with this, and epoch
/// seconds follow: when that run began.
const UNSETTLED: &str = "-";

pub fn unsettled(now: i64) -> String {
    format!("{UNSETTLED}{now}")
}

impl Record {
    pub fn exists(&self) -> bool {
        self.pages.iter().any(|page| !page.is_empty())
    }

    /// Its valid members.
    pub fn members(&self, names: &Names) -> Members {
        self.read(names).0
    }

    /// Warnings about invalid entries. Anybody who may tag a log group can write there.
    pub fn oddities(&self, names: &Names) -> Vec<String> {
        self.read(names).1
    }

    /// Whether it names a kind of resource that this version does not know. Then the record must not be deleted.
    pub fn has_unknown_kinds(&self, names: &Names) -> bool {
        let mut keys = self.pages.iter().flat_map(Tags::keys).filter_map(|key| key.strip_prefix(&member_prefix(names)));
        keys.any(|key| key.split_once('.').is_none_or(|(kind, _)| kinds::kind(kind).is_none()))
    }

    /// The hash of the users' tags when they were last applied to everything.
    pub fn tags_hash(&self, names: &Names) -> Option<&String> {
        self.said(names, "tags")
    }

    /// When the run began that has changed something and has not succeeded, in epoch seconds: it is under way, failed or was killed.
    pub fn unsettled_since(&self, names: &Names) -> Option<i64> {
        self.tags_hash(names)?.strip_prefix(UNSETTLED)?.parse().ok()
    }

    /// The last run that was about to create something.
    pub fn run(&self, names: &Names) -> Option<&String> {
        self.said(names, "run")
    }

    /// Epoch seconds. `None`: never.
    pub fn expires(&self, names: &Names) -> Option<i64> {
        self.said(names, "expires")?.parse().ok()
    }

    fn said(&self, names: &Names, word: &str) -> Option<&String> {
        self.pages.first()?.get(&names.tag_key(word))
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
            let member = said.split_once('.').and_then(|(kind, logical)| Some((kinds::kind(kind)?, logical)));
            match member {
                None => odd.push(format!("it names {said}, whose kind this version does not know; it is not deleted")),
                Some((kind, _)) if !(kind.is_name)(&physical) => {
                    odd.push(format!(
                        "it names {said} as {physical:?}, which is not a valid name of that kind; it is not deleted"
                    ));
                }
                Some((kind, logical)) => {
                    members.insert(Address::new(kind.name, logical), physical);
                }
            }
        }
        let said = self.said(names, "pages");
        let more = self.pages.len().saturating_sub(1);
        if let Some(said) = said.filter(|said| **said != more.to_string()) {
            odd.push(format!("it should have {said} continuation pages but has {more}"));
        }
        (members, odd)
    }

    /// The pages as they should be: each name where it stands already, or where there is room.
    pub(super) fn with(&self, names: &Names, add: &[Name], about: About<'_>) -> Vec<Tags> {
        let mut pages = self.pages.clone();
        if pages.is_empty() {
            pages.push(Tags::new());
        }
        for name in add.iter().cloned().chain(self.renamed(names, add)) {
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
        let About { tags, run, owner, expires } = about;
        let expires = expires.map(|at| at.to_string());
        let said = [("tags", tags), ("run", run), ("owner", owner), ("expires", expires.as_deref())];
        let said = said.into_iter().filter_map(|(word, value)| Some((names.tag_key(word), escape(value?))));
        pages[0].extend(said);
        pages[0].insert(names.tag_key("pages"), last.to_string());
        pages
    }

    /// A resource whose physical name changed exists until it is deleted, so it is kept under an address of its own.
    fn renamed(&self, names: &Names, add: &[Name]) -> Vec<Name> {
        let members = self.members(names);
        let former = add.iter().filter_map(|name| {
            let physical = members.get(&name.address).filter(|physical| **physical != name.physical)?;
            let free = |address: &Address| members.get(address).is_none_or(|kept| kept == physical);
            let address = (1..).map(|number| name.address.former(number)).find(free)?;
            Some(Name { address, physical: physical.clone() })
        });
        former.collect()
    }

    /// The keys that say these members, by page. A member is its address and its physical name together: under another
    /// address the same resource stays.
    pub(super) fn keys_of(&self, names: &Names, members: &[Name]) -> Vec<Vec<String>> {
        let recorded = self.members(names);
        let said = members.iter().filter(|name| recorded.get(&name.address) == Some(&name.physical));
        let keys: HashSet<String> = said.map(|name| member_key(names, &name.address)).collect();
        let whole = |key: &String| keys.contains(key.split(MORE).next().unwrap_or(key));
        self.pages.iter().map(|page| page.keys().filter(|key| whole(key)).cloned().collect()).collect()
    }
}

/// A short hash of all users' tags, so that a no-op need not read the tags of everything.
pub fn hash_tags<'a>(tags: impl Iterator<Item = (&'a Address, &'a Tags)>) -> String {
    let all: BTreeMap<String, &Tags> = tags.map(|(address, tags)| (address.to_string(), tags)).collect();
    crate::names::hash(&format!("{all:?}"))
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

pub(super) fn unescape(text: &str) -> String {
    // Every second part stands between two `=`: a code point in hexadecimal.
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.to_owned(),
        // Characters that a terminal takes for commands are left out: anybody may have written this.
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
mod tests;
