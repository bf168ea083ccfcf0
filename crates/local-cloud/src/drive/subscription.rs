//! An answer that goes on: asks the world for one event after another and hands each on when the one before was taken. It holds
//! no engine, so that the last clone ends it too.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Shared;
use crate::request::Token;
use crate::service::kinesis::subscribe::Next;
use crate::wire::encode::{self, Format};
use crate::wire::events;

/// The messages of a subscription, from the first to the last.
pub(super) fn start(shared: &Arc<Shared>, token: Token, format: Format) -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(1);
    let first = events::initial_response(format.content_type(), format.write(Bytes::from_static(b"{}")));
    sender.try_send(first).expect("there is room for one");
    tokio::spawn(run(Arc::downgrade(shared), token, format, sender));
    receiver
}

async fn run(engine: Weak<Shared>, token: Token, format: Format, sender: mpsc::Sender<Bytes>) {
    let Some(shared) = engine.upgrade() else { return };
    let kind = format.content_type();
    let (put, mut hung_up) = (Arc::clone(&shared.put), shared.hung_up.subscribe());
    drop(shared);
    loop {
        let Ok(room) = sender.reserve().await else { break };
        // Listened for before the world is asked, so that nothing is put unnoticed in between.
        let something_put = put.notified();
        let Some((next, wait)) = engine.upgrade().map(|shared| shared.next_event(token)) else { return };
        match next {
            Next::Event(json) => room.send(events::event("SubscribeToShardEvent", kind, format.write(json))),
            Next::End(error) => {
                if let Some(error) = error {
                    room.send(events::exception(&error, kind, format.write(encode::json_error(&error).body)));
                }
                return;
            }
            Next::Wait(_) => {
                drop(room);
                tokio::select! {
                    () = something_put => {}
                    () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                    () = sender.closed() => break,
                    // Gone with the engine, or told to.
                    _ = hung_up.wait_for(|hung_up| *hung_up) => break,
                }
            }
        }
    }
    if let Some(shared) = engine.upgrade() {
        shared.unsubscribe(token);
    }
}
