//! Which environments `list` shows and `gc` removes: [`pick`] and [`SelectArgs::takes`] are pure.

use crate::args::env_named;
use crate::exit::Stop;
use crate::record::environments::Environment;

#[derive(Debug, Clone, Default, clap::Args)]
pub struct SelectArgs {
    /// Only environments of this stack
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// Only this environment
    #[arg(long, value_name = "ENV", conflicts_with = "env_prefix")]
    pub env: Option<String>,
    /// Only environments whose names begin with this, for example pr-
    #[arg(long, value_name = "PREFIX")]
    pub env_prefix: Option<String>,
}

impl SelectArgs {
    /// Does it say which environments are meant, rather than all?
    pub fn narrows(&self) -> bool {
        self.stack.is_some() || self.env.is_some() || self.env_prefix.as_ref().is_some_and(|prefix| !prefix.is_empty())
    }

    /// With the name that `--env` means.
    pub fn resolved(&self) -> Result<SelectArgs, Stop> {
        let env = self.env.as_deref().map(env_named).transpose()?;
        Ok(SelectArgs { env, ..self.clone() })
    }

    pub fn takes(&self, environment: &Environment) -> bool {
        let env = environment.env.as_deref();
        self.stack.as_ref().is_none_or(|stack| *stack == environment.stack)
            && self.env.as_deref().is_none_or(|wanted| env == Some(wanted))
            && self.env_prefix.as_ref().is_none_or(|prefix| env.is_some_and(|env| env.starts_with(prefix)))
    }
}

/// The decision of `gc` about a selected environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Picked {
    /// The oldest first.
    pub remove: Vec<Environment>,
    /// Over too, and more than `--max` allows.
    pub left: Vec<Environment>,
    /// Without a record nobody knows until when they are wanted.
    pub unrecorded: Vec<Environment>,
}

/// Those that have expired, and with `older_than` (in seconds) those that never expire and were created longer ago. An expiry
/// time in the future is a promise, whatever the age.
pub fn pick(selected: Vec<Environment>, now: i64, older_than: Option<i64>, max: Option<usize>) -> Picked {
    let (recorded, unrecorded): (Vec<_>, Vec<_>) = selected.into_iter().partition(|environment| environment.recorded);
    let old = |environment: &Environment| older_than.is_some_and(|age| environment.created <= now - age);
    let over = |environment: &Environment| match environment.expires {
        Some(_) => environment.expired(now),
        None => old(environment),
    };
    let mut remove: Vec<Environment> = recorded.into_iter().filter(over).collect();
    remove.sort_by_key(|environment| environment.created);
    let left = remove.split_off(max.unwrap_or(usize::MAX).min(remove.len()));
    Picked { remove, left, unrecorded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(stack: &str, env: &str, created: i64, expires: Option<i64>) -> Environment {
        let env = Some(env.to_owned()).filter(|env| env != "-");
        Environment { stack: stack.into(), env, created, expires, recorded: true, ..Environment::default() }
    }

    fn named(environments: &[Environment]) -> Vec<&str> {
        environments.iter().map(|environment| environment.env.as_deref().unwrap_or("-")).collect()
    }

    #[test]
    fn environments_are_selected_by_stack_name_and_beginning() {
        let all = [
            environment("demo", "pr-1", 0, None),
            environment("demo", "pr-12", 0, None),
            environment("demo", "-", 0, None),
            environment("other", "pr-1", 0, None),
        ];
        let some = |text: &str| Some(text.to_owned());
        let none = SelectArgs::default();
        let table = [
            (none.clone(), "demo/pr-1 demo/pr-12 demo/- other/pr-1"),
            (SelectArgs { env: some("pr-1"), ..none.clone() }, "demo/pr-1 other/pr-1"),
            (SelectArgs { env_prefix: some("pr-1"), ..none.clone() }, "demo/pr-1 demo/pr-12 other/pr-1"),
            (SelectArgs { env_prefix: some(""), ..none.clone() }, "demo/pr-1 demo/pr-12 other/pr-1"),
            (SelectArgs { stack: some("demo"), ..none.clone() }, "demo/pr-1 demo/pr-12 demo/-"),
            (SelectArgs { stack: some("demo"), env: some("pr-1"), ..none.clone() }, "demo/pr-1"),
            (SelectArgs { stack: some("dem"), ..none }, ""),
        ];
        for (select, expected) in table {
            let taken = all.iter().filter(|environment| select.takes(environment));
            let taken = taken.map(|one| format!("{}/{}", one.stack, one.env.as_deref().unwrap_or("-")));
            assert_eq!(taken.collect::<Vec<_>>().join(" "), expected, "{select:?}");
        }
    }

    #[test]
    fn what_has_expired_goes_and_what_is_old_only_when_it_never_expires() {
        let all = || {
            vec![
                environment("demo", "expired", 90, Some(100)),
                environment("demo", "wanted", 10, Some(101)),
                environment("demo", "old", 40, None),
                environment("demo", "young", 41, None),
                Environment { recorded: false, ..environment("demo", "lost", 0, None) },
            ]
        };
        let picked = pick(all(), 100, None, None);
        assert_eq!((named(&picked.remove), named(&picked.unrecorded)), (vec!["expired"], vec!["lost"]));
        let picked = pick(all(), 100, Some(60), None);
        assert_eq!((named(&picked.remove), named(&picked.left)), (vec!["old", "expired"], vec![]));
        let picked = pick(all(), 100, Some(60), Some(1));
        assert_eq!((named(&picked.remove), named(&picked.left)), (vec!["old"], vec!["expired"]));
    }
}
