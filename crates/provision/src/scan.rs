//! `--scan`: what is ours, found by the services' own lists and tags, although a record is lost or does not tell the truth.
//! Each kind lists its own ([`crate::resource::Resource::list`]); whose things are is told here, from their tags alone. Finding
//! decides nothing: what is deleted is looked at and proven like everything else.

use std::collections::{BTreeMap, HashSet};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::cloud::Cx;
use crate::error::Result;
use crate::kinds::KINDS;
use crate::names::{Address, Name, Names};
use crate::resource::{Found, Scanned};

/// A stack and an environment of it.
pub type Whose = (String, Option<String>);

/// Lists the resources of every service. A list that is refused is an error, because the result would be incomplete.
pub async fn scan(cx: &Cx) -> Result<Scanned> {
    let mut lists: FuturesUnordered<BoxFuture<'_, Result<Scanned>>> =
        KINDS.iter().map(|kind| (kind.list)(cx)).collect();
    let mut all = Scanned::default();
    while let Some(scanned) = lists.next().await {
        let Scanned { found, unread } = scanned?;
        all.found.extend(found);
        all.unread.extend(unread);
    }
    // A bucket is found by its tags, which say its address, and by claims, which do not.
    let unnamed = |found: &Found| !found.tags.contains_key(&cx.names.tag_key("name"));
    all.found.sort_by(|a, b| (a.kind, &a.physical, unnamed(a)).cmp(&(b.kind, &b.physical, unnamed(b))));
    all.unread.sort();
    Ok(all)
}

/// The resources of an environment, and those that all environments of its stack share.
pub fn of(scanned: &Scanned, names: &Names) -> Vec<Name> {
    let env = names.tag_key("env");
    let mine =
        |found: &&Found| names.owns(&found.tags) || names.owns_for_stack(&found.tags) && !found.tags.contains_key(&env);
    named(scanned.found.iter().filter(mine), names)
}

/// All environments that something exists of. What environments share belongs to each of them, and to the one without a
/// name where there is none.
pub fn environments(scanned: &Scanned, names: &Names) -> BTreeMap<Whose, Vec<Name>> {
    let stack = |found: &Found| found.tags.get(&names.tag_key("stack")).cloned();
    let env = |found: &Found| found.tags.get(&names.tag_key("env")).cloned();
    let whole: HashSet<Whose> =
        scanned.found.iter().filter_map(|found| Some((stack(found)?, unnamed(env(found)?)))).collect();
    let shared = scanned.found.iter().filter_map(stack).filter(|stack| !whole.iter().any(|(other, _)| other == stack));
    let all: HashSet<Whose> = shared.map(|stack| (stack, None)).chain(whole.iter().cloned()).collect();
    let whose = |(stack, env): Whose| {
        let found = of(scanned, &Names { stack: stack.clone(), env: env.clone(), ..names.clone() });
        ((stack, env), found)
    };
    all.into_iter().map(whose).collect()
}

fn unnamed(env: String) -> Option<String> {
    Some(env).filter(|env| env != "-")
}

/// Under the addresses that their tags say; two that say the same are told apart.
fn named<'a>(found: impl Iterator<Item = &'a Found>, names: &Names) -> Vec<Name> {
    let (mut taken, mut things) = (HashSet::new(), HashSet::new());
    let mut named = vec![];
    for Found { kind, physical, tags } in found {
        if !things.insert((*kind, physical)) {
            continue;
        }
        let said = tags.get(&names.tag_key("name")).and_then(|name| name.strip_prefix(kind)?.strip_prefix('.'));
        let said = Address::new(kind, said.filter(|said| !said.contains('@')).unwrap_or("scanned"));
        let numbered = (1..).map(|number| said.former(number));
        let address = [said.clone()].into_iter().chain(numbered).find(|address| taken.insert(address.clone()));
        named.extend(address.map(|address| Name { address, physical: physical.clone() }));
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    fn found(kind: &'static str, physical: &str, stack: &str, env: Option<&str>, name: &str) -> Found {
        let tags = [("stack", Some(stack)), ("env", env), ("name", Some(name))];
        let tag = |(word, value): (&str, Option<&str>)| Some((names().tag_key(word), value?.to_owned()));
        Found { kind, physical: physical.into(), tags: tags.into_iter().filter_map(tag).collect() }
    }

    #[test]
    fn tags_say_whose_things_are_and_under_which_address() {
        let scanned = Scanned {
            found: vec![
                found("bucket", "lake", "demo", None, "bucket.lake"),
                found("bucket", "alone", "gone", None, "bucket.lake"),
                found("stream", "a", "demo", Some("-"), "stream.events"),
                found("stream", "b", "demo", Some("-"), "stream.events"),
                found("stream", "c", "demo", Some("pr-1"), "nonsense"),
                found("stream", "c", "demo", Some("pr-1"), "nonsense"),
                found("stream", "d", "demo-2", Some("-"), "stream.events"),
            ],
            unread: vec![],
        };
        let told: Vec<String> = environments(&scanned, &names())
            .into_iter()
            .map(|((stack, env), things)| {
                let things: Vec<_> = things.iter().map(|name| format!("{}={}", name.address, name.physical)).collect();
                format!("{stack} {}: {}", env.as_deref().unwrap_or("-"), things.join(" "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "demo -: bucket.lake=lake stream.events=a stream.events@1=b",
                "demo pr-1: bucket.lake=lake stream.scanned=c",
                "demo-2 -: stream.events=d",
                "gone -: bucket.lake=alone",
            ]
        );
    }
}
