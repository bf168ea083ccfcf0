//! Decides whether the environment is deleted, and the exit code. Pure.

use crate::exit::{Exit, Stop};

/// How bringing the environment up ended.
#[derive(Debug)]
pub enum Brought {
    Up,
    /// Something may have been changed.
    Failed(Exit),
    /// Refused, or an error, before anything was changed.
    Stopped(Stop),
}

/// `interrupted`: the exit code of a signal that came meanwhile. It does not make an error a change.
pub fn brought(up: Result<Exit, Stop>, interrupted: Option<Exit>) -> Brought {
    match (up, interrupted) {
        (Err(stop), _) => Brought::Stopped(stop),
        // Another run has the environment now.
        (Ok(Exit::Stopped), _) => Brought::Stopped(Stop::Said(Exit::Stopped)),
        (Ok(Exit::Done), None) => Brought::Up,
        (Ok(up), interrupted) => Brought::Failed(interrupted.unwrap_or(up)),
    }
}

/// Is the environment to be removed? An interrupt is no failure of the command.
pub fn removes(brought: &Brought, ran: Option<Exit>, interrupted: bool, keep_on_failure: bool) -> bool {
    let keeps = keep_on_failure && !interrupted;
    match brought {
        Brought::Stopped(_) => false,
        Brought::Failed(_) => !keeps,
        Brought::Up => ran == Some(Exit::Done) || !keeps,
    }
}

/// That of `up` where it failed; else the command's; where that is 0, the removal's.
pub fn exit(brought: &Brought, ran: Option<Exit>, down: Option<Exit>) -> Exit {
    match (brought, ran) {
        (Brought::Failed(exit), _) => *exit,
        (Brought::Up | Brought::Stopped(_), Some(exit)) if exit != Exit::Done => exit,
        (Brought::Up | Brought::Stopped(_), _) => down.unwrap_or(Exit::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_goes_before_the_command_and_the_command_before_down() {
        use Exit::*;
        let code = Command(7);
        for (up, ran, interrupted, keep, removed, down, expected) in [
            (Done, Some(Done), false, false, true, Done, Done),
            (Done, Some(Done), false, true, true, Done, Done),
            (Done, Some(Done), false, false, true, Kept, Kept),
            (Done, Some(Done), false, false, true, FailedHalfWay, FailedHalfWay),
            (Done, Some(code), false, false, true, Done, code),
            (Done, Some(code), false, false, true, Failed, code),
            (Done, Some(code), false, true, false, Done, code),
            (Done, Some(Interrupted), true, true, true, Done, Interrupted),
            (Done, Some(Terminated), true, false, true, Failed, Terminated),
            (FailedHalfWay, None, false, false, true, Done, FailedHalfWay),
            (FailedHalfWay, None, false, true, false, Done, FailedHalfWay),
            (Interrupted, None, true, true, true, Done, Interrupted),
            (Failed, None, false, false, true, Done, Failed),
        ] {
            let brought = brought(Ok(up), None);
            let case = format!("{up:?} {ran:?} {interrupted} {keep}");
            assert_eq!(removes(&brought, ran, interrupted, keep), removed, "{case}");
            assert_eq!(exit(&brought, ran, removed.then_some(down)), expected, "{case}");
        }
        let asked_to_stop = brought(Ok(Exit::Stopped), None);
        assert!(!removes(&asked_to_stop, None, false, false), "the environment is another run's");
        let signal = Some(Interrupted);
        assert!(matches!(brought(Ok(Done), signal), Brought::Failed(Interrupted)));
        for stop in [Stop::Errors(vec![]), Stop::Said(Consent)] {
            assert!(!removes(&brought(Err(stop), signal), None, true, false), "nothing was changed");
        }
    }
}
