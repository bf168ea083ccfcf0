//! Options of a bucket of ours: encryption, versioning, TLS, access logs. Pure.
//!
//! An environment writes into the bucket what it asked for (a [`Setting`] beside its claim). So AWS is asked only for what the spec
//! wants, one who wants an option no more knows that it once did, and of several environments the last one takes it back.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bucket, Diff};
use crate::claims::{Claims, Setting, owner};
use crate::names::Names;

pub mod calls;
mod policy;

pub const ENCRYPTION: &str = "encryption";
pub const VERSIONING: &str = "versioning";
pub const TLS_ONLY: &str = "tls_only";
pub const ACCESS_LOGS: &str = "access_logs";
/// Before the name of a bucket whose access logs this one takes.
pub const LOGS_OF: &str = "logs_of/";

/// The value of a switch that is on.
const ON: &str = "true";

/// Values by option.
pub type Values = BTreeMap<String, String>;

/// The options of an existing bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Those that are set, of those that AWS was asked for; or why AWS does not tell.
    pub set: Result<Values, String>,
    /// Settings that this environment asked for.
    pub mine: BTreeSet<Setting>,
    /// Settings that other environments asked for, and which environments.
    pub others: BTreeMap<Setting, BTreeSet<String>>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Write down that this environment asks for it.
    Ask(Setting),
    Set(Setting),
    /// Back to what a new bucket has.
    Reset(String),
    /// This environment asks for it no more.
    Forget(Setting),
}

impl Options {
    /// The options of a new bucket.
    pub fn none() -> Options {
        Options { set: Ok(Values::new()), mine: BTreeSet::new(), others: BTreeMap::new() }
    }

    pub fn of(set: Result<Values, String>, claims: &Claims, names: &Names) -> Options {
        let owner = owner(names);
        let mut options = Options { set, ..Options::none() };
        for asked in &claims.settings {
            match asked.owner == owner {
                true => drop(options.mine.insert(asked.setting.clone())),
                false => {
                    let who = crate::claims::told(&asked.owner, names);
                    options.others.entry(asked.setting.clone()).or_default().insert(who);
                }
            }
        }
        options
    }

    fn value(&self, option: &str) -> Option<&str> {
        self.set.as_ref().ok()?.get(option).map(String::as_str)
    }

    /// The other environments that ask for this option, whatever its value.
    fn asked_by_others(&self, option: &str) -> Option<String> {
        let asked = self.others.iter().filter(|(setting, _)| setting.option == option);
        let who: BTreeSet<&str> = asked.flat_map(|(_, who)| who).map(String::as_str).collect();
        (!who.is_empty()).then(|| who.into_iter().collect::<Vec<_>>().join("; "))
    }

    /// Settings that this environment asked for and wants no more.
    fn unwanted(&self, wanted: &Values) -> Vec<&Setting> {
        self.mine.iter().filter(|setting| wanted.get(&setting.option) != Some(&setting.value)).collect()
    }
}

impl Bucket {
    /// The options that the spec sets.
    pub fn values(&self) -> Values {
        let on = |option: &str, on: bool| on.then(|| (option.to_owned(), ON.to_owned()));
        let logs = self
            .access_logs
            .as_ref()
            .map(|logs| (ACCESS_LOGS.to_owned(), format!("{}/{}", logs.bucket.physical(), logs.prefix)));
        let taken = self.logs_of.iter().map(|(source, prefix)| (format!("{LOGS_OF}{source}"), prefix.clone()));
        let key = self.encryption.clone().map(|key| (ENCRYPTION.to_owned(), key));
        let switches = [on(VERSIONING, self.versioning), on(TLS_ONLY, self.tls_only)];
        [key, logs].into_iter().chain(switches).flatten().chain(taken).collect()
    }
}

/// The value of an option that nobody sets.
fn unset(option: &str) -> &'static str {
    match option {
        ENCRYPTION => "sse-s3",
        VERSIONING | TLS_ONLY => "false",
        _ => "none",
    }
}

pub fn diff(wanted: &Values, live: &Options, diff: &mut Diff) {
    for (option, value) in wanted {
        let setting = Setting { option: option.clone(), value: value.clone() };
        let from = match live.value(option) {
            Some(is) if is == value && live.mine.contains(&setting) => continue,
            Some(is) if is == value => match live.asked_by_others(option) {
                Some(others) => format!("{is} (for {others})"),
                None => format!("{is} (not by this stack)"),
            },
            is => is.unwrap_or(unset(option)).to_owned(),
        };
        diff.push(option, from, value.clone(), None);
    }
    for setting in live.unwanted(wanted) {
        let Setting { option, value } = setting;
        if diff.has(option) {
            continue;
        }
        let to = match (wanted.get(option), live.asked_by_others(option)) {
            (Some(wanted), _) => wanted.clone(),
            (None, Some(others)) => format!("{value} (for {others})"),
            (None, None) => unset(option).to_owned(),
        };
        diff.push(option, value.clone(), to, None);
    }
}

/// In the order in which they are done: whoever is stopped on the way has asked for all that is set.
pub fn acts(wanted: &Values, live: &Options) -> Vec<Act> {
    let settings: Vec<Setting> =
        wanted.iter().map(|(option, value)| Setting { option: option.clone(), value: value.clone() }).collect();
    let unwanted = live.unwanted(wanted);
    let asked = settings.iter().filter(|setting| !live.mine.contains(setting)).cloned().map(Act::Ask);
    let set =
        settings.iter().filter(|setting| live.value(&setting.option) != Some(&setting.value)).cloned().map(Act::Set);
    let is_reset = |option: &str| !wanted.contains_key(option) && live.asked_by_others(option).is_none();
    let reset: BTreeSet<&str> =
        unwanted.iter().map(|setting| setting.option.as_str()).filter(|o| is_reset(o)).collect();
    let reset = reset.into_iter().map(|option| Act::Reset(option.to_owned()));
    let forgotten = unwanted.iter().map(|setting| Act::Forget((*setting).clone()));
    asked.chain(set).chain(reset).chain(forgotten).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(option, value)| (option.to_string(), value.to_string())).collect()
    }

    fn setting((option, value): &(&str, &str)) -> Setting {
        Setting { option: option.to_string(), value: value.to_string() }
    }

    type Pairs = &'static [(&'static str, &'static str)];

    #[test]
    fn an_option_is_set_while_somebody_asks_for_it_and_taken_back_by_the_last_one() {
        let (v, none): (Pairs, Pairs) = (&[(VERSIONING, "true")], &[]);
        let (one, two): (Pairs, Pairs) = (&[(ENCRYPTION, "k1")], &[(ENCRYPTION, "k2")]);
        // Wanted, set, asked for by this environment and by others; then the change that is told, and what is done.
        let table: &[(Pairs, Pairs, Pairs, Pairs, &str, &str)] = &[
            (none, none, none, none, "", ""),
            (none, none, none, v, "", ""),
            (v, none, none, none, "false -> true", "ask set"),
            (v, v, v, none, "", ""),
            (v, none, v, none, "false -> true", "set"),
            (v, v, none, v, "true (for pr-2) -> true", "ask"),
            (v, v, none, none, "true (not by this stack) -> true", "ask"),
            (none, none, v, none, "true -> false", "reset forget"),
            (none, none, v, v, "true -> true (for pr-2)", "forget"),
            (two, one, one, none, "k1 -> k2", "ask set forget"),
            (two, two, one, none, "k2 (not by this stack) -> k2", "ask forget"),
            // Stopped on the way from one key to the other.
            (two, two, &[(ENCRYPTION, "k1"), (ENCRYPTION, "k2")], none, "k1 -> k2", "forget"),
            (one, two, one, two, "k2 -> k1", "set"),
            (none, none, one, two, "k1 -> k1 (for pr-2)", "forget"),
        ];
        for (wanted, set, mine, others, told, done) in table {
            let live = Options {
                set: Ok(values(set)),
                mine: mine.iter().map(setting).collect(),
                others: others.iter().map(|one| (setting(one), BTreeSet::from(["pr-2".to_owned()]))).collect(),
            };
            let mut changes = Diff::default();
            diff(&values(wanted), &live, &mut changes);
            let said: Vec<_> =
                changes.changes.iter().map(|change| format!("{} -> {}", change.from, change.to)).collect();
            assert_eq!(said.join(", "), *told, "{wanted:?} {live:?}");
            let word = |act: &Act| match act {
                Act::Ask(_) => "ask",
                Act::Set(_) => "set",
                Act::Reset(_) => "reset",
                Act::Forget(_) => "forget",
            };
            let acted: Vec<_> = acts(&values(wanted), &live).iter().map(word).collect();
            assert_eq!(acted.join(" "), *done, "{wanted:?} {live:?}");
            assert_eq!(acted.is_empty(), changes.is_empty(), "nothing is done untold: {wanted:?} {live:?}");
        }
    }
}
