//! Signals. After the first no more steps are started and the running ones are finished; there is nothing to unlock. The same
//! signal a second time ends the process at once. A SIGTERM after a SIGINT does not: runners of CI systems send both, 7.5 s
//! apart, and a command can use the time in between to finish.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation>

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;

/// Whether the command was interrupted, and by which signal.
#[derive(Clone)]
pub struct Interrupt {
    /// True once no more steps are to begin.
    pub stop: watch::Receiver<bool>,
    by: Arc<AtomicI32>,
}

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on.
    pub fn listen() -> std::io::Result<Interrupt> {
        let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (stop, receiver) = watch::channel(false);
        let by = Arc::new(AtomicI32::new(0));
        let noted = by.clone();
        tokio::spawn(async move {
            let mut came = vec![];
            loop {
                let exit = tokio::select! {
                    _ = int.recv() => Exit::Interrupted,
                    _ = term.recv() => Exit::Terminated,
                };
                if came.contains(&exit) {
                    std::process::exit(exit.code());
                }
                came.push(exit);
                if came.len() == 1 {
                    noted.store(exit.code(), Ordering::SeqCst);
                    anstream::eprintln!("\nfinishing the running steps, then stopping; press Ctrl-C again to quit now");
                    // A command that listens no more has nothing to stop.
                    let _ = stop.send(true);
                }
            }
        });
        Ok(Interrupt { stop: receiver, by })
    }

    /// The exit code of the signal that came, if one did.
    pub fn exit(&self) -> Option<Exit> {
        match self.by.load(Ordering::SeqCst) {
            0 => None,
            code if code == Exit::Terminated.code() => Some(Exit::Terminated),
            _ => Some(Exit::Interrupted),
        }
    }

    /// Ends when a signal comes.
    pub async fn wait(&mut self) {
        // A sender that is gone sends nothing more: then this waits for ever, which is right.
        if self.stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
