//! Shared by several kinds: read absence out of an answer, and make sure of what was just created.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt::Debug;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::Resource;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Name, Names, Tags};
use crate::wait::{self, LAG_LIMIT, Polling};

/// The answer of a call, or an error that says what was being done, in AWS's words.
pub fn answer<T, E, R>(doing: impl Into<String>, sent: Result<T, SdkError<E, R>>) -> Result<T>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    sent.map_err(|error| Error::aws(doing, error))
}

/// How a create call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// We made it.
    Now,
    /// It was there: made by somebody else a moment ago, or by us in an attempt whose answer was lost.
    Already,
}

/// Creates what may be there already, or may still be going: then its end is waited for (`gone`), and it is made anew.
pub async fn create_when_free<R: Resource, F: Future<Output = Result<()>>>(
    cx: &Cx,
    name: &Name,
    create: impl Fn() -> F,
    gone: impl Future<Output = Result<()>>,
) -> Result<Created> {
    let attempt = async || match create().await {
        Ok(()) => Ok(Created::Now),
        Err(error) if error.says("ResourceInUseException", "already exists") => Ok(Created::Already),
        Err(error) => Err(error),
    };
    let mut created = attempt().await?;
    if created == Created::Already && R::observe(cx, name).await?.is_none() {
        gone.await?;
        created = attempt().await?;
    }
    // Whoever created it did so a moment ago: a read may not see it yet.
    cx.ledger.created(name);
    Ok(created)
}

pub fn deleted_meanwhile(name: &Name) -> Error {
    Error::new(format!("waiting for {name}"), "it was deleted in the meantime")
        .hint("another command deleted it; run this command again when that one has finished")
}

/// Makes sure of a thing that was just created: waits until it is `usable`, repairs its tags where the service dropped
/// some, sees that it is ours, and sets what the create call could not set. The tags are read back while it is waited for.
pub async fn settle_created<R: Resource>(
    desired: &R,
    cx: &Cx,
    name: &Name,
    tags: &Tags,
    created: Created,
    usable: impl Future<Output = Result<R::Live>>,
) -> Result<()> {
    let (live, mut carried) = match R::TAGS_COME_WITH_LIVE {
        true => {
            let live = usable.await?;
            let carried = R::tags(cx, name, Some(&live)).await?;
            (live, carried)
        }
        false => futures::try_join!(usable, R::tags(cx, name, None))?,
    };
    // Tags are seen later than what carries them: an answer without any says nothing about who made it.
    if created == Created::Already && carried.as_ref().is_some_and(Tags::is_empty) {
        let what = format!("the tags of {name} to be seen");
        let seen = wait::within(cx, &what, Polling::CALLS, LAG_LIMIT, || async {
            let live = if R::TAGS_COME_WITH_LIVE { R::observe(cx, name).await? } else { None };
            Ok(R::tags(cx, name, live.as_ref()).await?.filter(|tags| !tags.is_empty()))
        });
        carried = seen.await?.or(carried);
    }
    if let Some(carried) = carried {
        let owns = |tags| if R::SHARED_BY_ENVIRONMENTS { cx.names.owns_for_stack(tags) } else { cx.names.owns(tags) };
        if created == Created::Already && !owns(&carried) {
            let untagged = carried.is_empty() && R::is_used_untagged(&name.physical);
            return match R::USES_WHAT_IS_FOUND || untagged {
                true => Ok(()),
                false => Err(not_ours(name, &carried, &cx.names)),
            };
        }
        let missing = missing_tags(tags, &carried);
        if !missing.is_empty() {
            R::retag(cx, name, &live, &missing, &[]).await?;
        }
    }
    let diff = desired.diff(&live, name, &cx.names);
    if diff.is_empty() {
        return Ok(());
    }
    if let Some(change) = diff.changes.iter().find(|change| change.replaces.is_some()) {
        let why =
            format!("it was created in the meantime, with {} {} instead of {}", change.field, change.from, change.to);
        return Err(Error::new(format!("creating {name}"), why).hint("run the command again; it plans a replacement"));
    }
    desired.update(cx, name, &live, &diff).await
}

fn missing_tags(wanted: &Tags, carried: &Tags) -> Tags {
    wanted.iter().filter(|(key, value)| carried.get(*key) != Some(value)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// As the SDK takes them where a service has a map.
pub fn tag_map(tags: &Tags) -> HashMap<String, String> {
    tags.clone().into_iter().collect()
}

fn not_ours(name: &Name, carried: &Tags, names: &Names) -> Error {
    let stack = carried.get(&names.tag_key("stack"));
    let env = carried.get(&names.tag_key("env"));
    let whose = match (stack, env) {
        (Some(stack), Some(env)) => format!("it belongs to stack {stack}, environment {env}"),
        _ => "it has no provision tags".to_owned(),
    };
    Error::new(format!("creating {name}"), format!("{} appeared in the meantime, and {whose}", name.physical))
        .hint("choose another name, or take it over with --adopt")
}
