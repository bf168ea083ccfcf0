//! Signals. After the first no more steps are started and the running ones are finished; there is nothing to unlock. The same
//! signal a second time ends the process at once. A SIGTERM after a SIGINT does not: runners of CI systems send both, 7.5 s
//! apart, and a command can use the time in between to finish.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation>

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use futures::FutureExt;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;

/// SIGINT and SIGTERM as they come. When both wait to be read, SIGINT came first: that is how runners cancel a job.
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// A SIGTERM was read that is still to be returned.
    terminated: bool,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// The process can have no handler for signals.
    pub fn listen() -> io::Result<Signals> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Signals { interrupt, terminate, terminated: false })
    }

    /// The exit code of the next signal.
    pub async fn next(&mut self) -> Exit {
        if mem::take(&mut self.terminated) {
            return Exit::Terminated;
        }
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => return Exit::Interrupted,
            _ = self.terminate.recv() => {}
        }
        // Both may have come between the look for the one and that for the other.
        self.terminated = self.interrupt.recv().now_or_never().is_some();
        if self.terminated { Exit::Interrupted } else { Exit::Terminated }
    }
}

/// Whether the command was interrupted, and by which signal.
#[derive(Clone)]
pub struct Interrupt {
    /// True once no more steps are to begin.
    pub stop: watch::Receiver<bool>,
    by: Arc<AtomicI32>,
}

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on. `said` is printed at the first; `before` is called before that.
    pub fn listen(said: &'static str, before: impl Fn() + Send + 'static) -> io::Result<Interrupt> {
        let mut signals = Signals::listen()?;
        let (stop, receiver) = watch::channel(false);
        let by = Arc::new(AtomicI32::new(0));
        let noted = by.clone();
        tokio::spawn(async move {
            let mut came = vec![];
            loop {
                let exit = signals.next().await;
                before();
                if came.contains(&exit) {
                    std::process::exit(exit.code());
                }
                came.push(exit);
                if came.len() == 1 {
                    noted.store(exit.code(), Ordering::SeqCst);
                    anstream::eprintln!("\n{said}");
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

    /// Does the work, and leaves it where it is when a signal comes.
    pub async fn or<E>(&self, work: impl Future<Output = Result<Exit, E>>) -> Result<Exit, E> {
        self.unless(work).await.unwrap_or_else(Ok)
    }

    /// The same for work that gives something else.
    ///
    /// # Errors
    /// A signal came: the exit code.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, Exit> {
        let mut waiter = self.clone();
        tokio::select! {
            done = work => Ok(done),
            () = waiter.wait() => Err(self.exit().unwrap_or(Exit::Interrupted)),
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

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// Each test is a process of its own under nextest, so that signals reach nobody else.
    #[tokio::test]
    async fn of_two_signals_that_wait_the_interrupt_is_first() {
        let mut signals = Signals::listen().expect("handlers are set");
        // Another thread may run the handlers, and one of them much later than the other. Both signals wait when others have heard them.
        let [mut interrupt, mut terminate] =
            [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).expect("handlers are set"));
        for both in [[Signal::TERM, Signal::INT], [Signal::INT, Signal::TERM]] {
            for signal in both {
                kill_process(getpid(), signal).expect("it is our own process");
            }
            futures::join!(interrupt.recv(), terminate.recv());
            assert_eq!((signals.next().await, signals.next().await), (Exit::Interrupted, Exit::Terminated));
        }
    }
}
