//! Whether another step may start: the user may have interrupted the run, and another run may have or want its lease.

use std::fmt;

use tokio::sync::watch;

use crate::record::lease::{Held, Standing, Who};

/// The checks of a run before it starts a step.
pub struct Gate {
    interrupt: watch::Receiver<bool>,
    held: Option<Held>,
    renewals: Option<watch::Receiver<Standing>>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum May {
    Start,
    /// The lease has to be renewed first: this process was paused, or a call takes long.
    Wait,
    Stop(Why),
}

/// Why no more steps start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Interrupted,
    /// By this run.
    Asked(Box<Who>),
    Lost,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Interrupted => f.write_str("interrupted"),
            Why::Asked(who) => write!(f, "asked to stop by {who}"),
            Why::Lost => f.write_str("this run was paused, and another one took over its environment"),
        }
    }
}

impl Gate {
    /// `held`: the lease of the environment, where it has one.
    pub fn new(interrupt: watch::Receiver<bool>, held: Option<Held>) -> Gate {
        Gate { interrupt, renewals: held.as_ref().map(Held::hears), held }
    }

    pub fn may(&self) -> May {
        if *self.interrupt.borrow() {
            return May::Stop(Why::Interrupted);
        }
        let Some(held) = &self.held else { return May::Start };
        match held.standing() {
            Standing::Asked(who) => May::Stop(Why::Asked(who)),
            Standing::Lost => May::Stop(Why::Lost),
            Standing::Held if held.is_sure() => May::Start,
            Standing::Held => May::Wait,
        }
    }

    /// Ends when the answer may have changed.
    pub async fn changes(&mut self) {
        let Gate { interrupt, renewals, .. } = self;
        // A sender that is gone sends nothing more.
        let was = *interrupt.borrow();
        let interrupted = async {
            if was || interrupt.wait_for(|interrupted| *interrupted).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let renewed = async {
            let heard = match renewals {
                Some(renewals) => renewals.changed().await.is_ok(),
                None => false,
            };
            if !heard {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = interrupted => {}
            () = renewed => {}
        }
    }
}
