//! The resources of a kind in the account and region, with the tags that say whose they are.

use futures::stream::{StreamExt, iter};

use super::Resource;
use crate::cloud::Cx;
use crate::names::{Name, Tags};

/// The number of resources whose tags are read at once.
const AT_ONCE: usize = 5;

/// An existing resource and its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: &'static str,
    pub physical: String,
    /// Its tags. For a kind without tags, those that its claim stands for.
    pub tags: Tags,
}

/// The result of listing one kind or all.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    pub found: Vec<Found>,
    /// Warnings about resources that exist but could not be read.
    pub unread: Vec<String>,
}

/// Reads the tags of listed resources and leaves out those without our tags.
pub async fn by_tags<R: Resource>(cx: &Cx, physical: Vec<String>) -> Scanned {
    let read = async |physical: String| {
        let name = Name::new(R::KIND, &physical, &physical);
        (R::tags(cx, &name, None).await, physical)
    };
    let mut reads = iter(physical.into_iter().map(read)).buffer_unordered(AT_ONCE);
    let mut scanned = Scanned::default();
    while let Some((tags, physical)) = reads.next().await {
        match tags {
            Ok(tags) => scanned.found.extend(
                tags.filter(|tags| tags.contains_key(&cx.names.tag_key("stack"))).map(|tags| Found {
                    kind: R::KIND,
                    physical,
                    tags,
                }),
            ),
            Err(error) => scanned.unread.push(error.to_string()),
        }
    }
    scanned
}
