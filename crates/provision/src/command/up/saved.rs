//! `plan --out FILE` and `up --plan FILE`.

use std::path::Path;

use super::next::line;
use super::{How, agrees, outcome, refused};
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::plan::{Permits, Plan};
use crate::run;
use crate::saved_plan::{SavedPlan, Target};
use crate::session::{Place, Session};
use crate::spec::stack::Stack;
use crate::survey::Survey;

/// Writes a plan that nothing forbids.
pub fn write(
    file: &Path,
    session: &Session,
    stack: &Stack,
    permits: Permits,
    (survey, plan): (&Survey, &Plan),
    events: &Events,
) -> Result<()> {
    if !plan.refusals.is_empty() {
        let text = format!("{} was not written, because the plan is refused", file.display());
        events.say(Event::Warned { text });
        return Ok(());
    }
    let text = SavedPlan::new(target(session), stack, permits, survey, plan).text();
    std::fs::write(file, text).map_err(|error| Error::new(format!("writing {}", file.display()), error))?;
    let text = format!("next:\n  {} --plan {}", line("up", session, stack), file.display());
    events.say(Event::Next { text });
    Ok(())
}

/// Does what the file says, or nothing.
pub(super) async fn apply(
    file: &Path,
    session: &Session,
    how: &How,
    events: &Events,
    interrupt: &Interrupt,
) -> Result<Exit, Stop> {
    let reading = |error| Error::new(format!("reading the plan {}", file.display()), error);
    let about = |error: Error| {
        let told = Error::msg(format!("plan {}: {error}", file.display()));
        match error.what_next() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    };
    let stack = session.stack.as_ref().expect("`up` was given a spec");
    let saved = SavedPlan::read(&std::fs::read_to_string(file).map_err(reading)?).map_err(about)?;
    session.announce(events);
    saved.refuse_other(&target(session), stack).map_err(about)?;
    let (survey, plan) = run::decide_up(&session.cx, stack, saved.permits, events).await?;
    saved.refuse_moved(&survey, &plan).map_err(about)?;
    if !plan.refusals.is_empty() {
        return Err(Stop::Said(refused(&plan)));
    }
    if !agrees(&plan, how, events).await {
        return Err(Stop::Said(Exit::Consent));
    }
    let run::How { at_once, interrupt: stop, .. } = how.run.clone();
    let summary = run::apply_up(&session.cx, &survey, &plan, at_once, stop, events).await?;
    Ok(outcome(&summary, interrupt))
}

fn target(session: &Session) -> Target {
    let place = match &session.place {
        Place::Serving(_) | Place::Within(_) => "the built-in emulator".into(),
        place => place.describe().unwrap_or_else(|| "AWS".into()),
    };
    Target::new(&session.cx.names, place)
}
