//! What a kind lists of the account and region, with what tells whose it is.

use futures::stream::{StreamExt, iter};

use super::Resource;
use crate::cloud::Cx;
use crate::names::{Name, Tags};

/// So many things are asked for their tags at once.
const AT_ONCE: usize = 5;

/// A thing that exists, and what it says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: &'static str,
    pub physical: String,
    /// Its tags; for what has none, those that its claim stands for.
    pub tags: Tags,
}

/// What a list gave, of one kind or of all.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    pub found: Vec<Found>,
    /// What there is and could not be looked at, in sentences.
    pub unread: Vec<String>,
}

/// Reads the tags of what a kind has listed; what carries none of ours is left out.
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
