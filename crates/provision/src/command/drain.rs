//! Waits until what the delivery streams have buffered is delivered, before they are deleted.

use std::time::Duration;

use tokio::time::Instant;

use super::passing::SLACK;
use super::{chosen, flush};
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::names::plural;
use crate::session::{Place, Session};
use crate::spec::stack::Stack;
use crate::verify::fed::{self, Fed, Tested};
use crate::verify::objects::Objects;

/// AWS does not tell what is buffered. When a buffer is due, Firehose stores it within seconds as a rule: a minute without an object
/// is taken for the end.
const QUIET: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_secs(5);
/// Between two flushes of an emulator, which retries a delivery that fails.
const RETRY: Duration = Duration::from_millis(500);
const RETRIES: usize = 20;

/// Waits. On the emulator the buffers are flushed.
///
/// # Errors
/// The emulator cannot deliver something: nothing is to be deleted then.
pub async fn drain(session: &Session, stack: &Stack, events: &Events) -> Result<()> {
    let session = &session.recognised().await;
    match &session.place {
        Place::Within(_) | Place::Serving(_) => flushed(session, stack, events).await,
        Place::Aws | Place::Mixed(_) | Place::Endpoint(_) => due(session, stack, events).await,
    }
}

async fn flushed(session: &Session, stack: &Stack, events: &Events) -> Result<()> {
    for (key, delivery) in chosen::managed(&stack.deliveries, &[])? {
        let name = &delivery.physical;
        let before = flush::buffered(session, name).await?;
        let mut left = before;
        for _ in 0..RETRIES {
            if left == 0 {
                break;
            }
            left = flush::deliver(session, name).await?;
            if left > 0 {
                tokio::time::sleep(RETRY).await;
            }
        }
        if left > 0 {
            let why = format!("delivery {key} still holds {}, because storing fails", plural(left, "record"));
            return Err(Error::msg(why).hint("`provision logs` shows why; without --drain they are lost"));
        }
        if before > 0 {
            events.say(Event::Said { text: format!("delivery {key} delivered {}", plural(before, "record")) });
        }
    }
    Ok(())
}

async fn due(session: &Session, stack: &Stack, events: &Events) -> Result<()> {
    let backups = fed::backups(stack);
    let fed: Vec<Fed> = fed::fed(stack).into_iter().map(|fed| fed.with(&backups)).collect();
    let tested: Vec<&Tested> = fed.iter().flat_map(|Fed { tested, .. }| tested).collect();
    let buffers = tested.iter().map(|one| one.buffered()).max().unwrap_or_default();
    let since_s = session.cx.calls.now();
    let mut objects: Vec<Objects> = tested.iter().map(|one| Objects::of(one.delivery, one.name, since_s)).collect();
    let text = format!("waiting {} s for the buffers, and then until nothing comes any more", buffers.as_secs());
    events.say(Event::Said { text });
    let due = Instant::now() + buffers;
    let mut newest = due;
    while Instant::now() < (newest.max(due) + QUIET).min(due + SLACK) {
        tokio::time::sleep(POLL).await;
        for objects in &mut objects {
            match objects.new_ones(&session.cx).await {
                Ok(new) if new.is_empty() => {}
                Ok(_) => newest = Instant::now(),
                // Nothing is delivered into a bucket that is gone.
                Err(error) if error.code() == Some("NoSuchBucket") => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
