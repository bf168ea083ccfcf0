//! How names and prefixes differ by environment: a pure rule of the spec.

use super::words::EnvName;
use crate::names::shorten;
use crate::yaml::collection::Map;
use crate::yaml::diagnostic::Mistake;
use crate::yaml::interpolate::{Unfilled, fill, unfilled};
use crate::yaml::scalar::Text;
use crate::yaml::shape::{At, Scalar, record};

record! {
    /// How names and prefixes differ by environment.
    Rule {
        /// Pattern of the names of streams, functions and delivery streams. Bucket names stay as written.
        names: Text<1, 256> = "${name}-${env}";
        /// Pattern of the prefixes that deliveries write to.
        prefixes: Text<1, 1024> = "${env}/${prefix}";
    }
}

/// The environment of this run, if any, and its rule.
pub(crate) struct Environment {
    pub name: String,
    pub rule: Rule,
}

/// The environment named `env`: its rule is the one of the pattern without `*`, then the first that fits, then
/// the default one.
pub(crate) fn environment(env: &str, rules: &Map<Rule>, mistakes: &mut Vec<Mistake>) -> Environment {
    let name = EnvName::parse(env).map(|name| name.0).unwrap_or_else(|what| {
        mistakes.push(Mistake::outside(format!("--env: {what}")).help(EnvName::expected()));
        env.to_owned()
    });
    let exact = rules.pairs.iter().find(|(pattern, _)| pattern.value == env);
    let found = exact.or_else(|| rules.pairs.iter().find(|(pattern, _)| fits(&pattern.value, env)));
    Environment { name, rule: found.map(|(_, rule)| rule.value.clone()).unwrap_or_default() }
}

/// Reports what no environment could be named by.
pub(crate) fn check_rules(rules: &Map<Rule>, mistakes: &mut Vec<Mistake>) {
    for (_, rule) in &rules.pairs {
        check("names", "name", rule.value.names.as_ref(), mistakes);
        check("prefixes", "prefix", rule.value.prefixes.as_ref(), mistakes);
    }
}

/// A rule names `own` (`name` or `prefix`), may name `env`, and nothing else.
fn check<const MIN: usize, const MAX: usize>(
    key: &str,
    own: &str,
    rule: Option<&At<Text<MIN, MAX>>>,
    mistakes: &mut Vec<Mistake>,
) {
    let Some(rule) = rule else { return };
    let known = |name: &str| (name == own || name == "env").then(String::new);
    match fill(&rule.value.0, &known) {
        Err(Unfilled::Unset(name)) => {
            let mistake = Mistake::error(rule.at, format!("`${{{name}}}` is not known here"));
            mistakes.push(mistake.expected(format!("only `${{{own}}}` and `${{env}}` are")));
        }
        Err(why) => mistakes.push(unfilled(rule.at, why)),
        Ok((_, used)) if !used.iter().any(|(name, _)| name == own) => {
            let what = format!("`{key}` without `${{{own}}}` would give all the same");
            mistakes.push(Mistake::error(rule.at, what).expected(format!("`${{{own}}}` must stand in it")));
        }
        Ok(_) => {}
    }
}

/// Does `name` match `pattern`, in which `*` stands for anything?
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(i, _)| i).chain([rest.len()]);
            ends.any(|i| fits(tail, &rest[i..]))
        }),
    }
}

impl Environment {
    /// The physical name, at most `max` characters long. What has `${env}` in it already is taken as written.
    pub(crate) fn name(&self, name: &At<String>, max: usize, mistakes: &mut Vec<Mistake>) -> String {
        let rule = self.rule.names();
        shorten(&self.apply("name", &rule.0, name, mistakes), max)
    }

    /// The prefix in this environment.
    pub(crate) fn prefix(&self, prefix: &At<String>, mistakes: &mut Vec<Mistake>) -> String {
        let rule = self.rule.prefixes();
        self.apply("prefix", &rule.0, prefix, mistakes)
    }

    fn apply(&self, own: &str, rule: &str, written: &At<String>, mistakes: &mut Vec<Mistake>) -> String {
        if written.varies {
            return written.value.clone();
        }
        let lookup = |name: &str| match name {
            "env" => Some(self.name.clone()),
            name => (name == own).then(|| written.value.clone()),
        };
        // A rule that cannot be filled in was reported by `check_rules`.
        let Ok((filled, used)) = fill(rule, &lookup) else { return written.value.clone() };
        if !used.iter().any(|(name, _)| name == "env") {
            let what = format!("this {own} would be the same in every environment");
            let help = format!("write ${{env}} into it, or into the rule for `{}` in `environments`", self.name);
            mistakes.push(Mistake::error(written.at, what).expected("does not vary").help(help));
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, want) in [
            ("*", "", true),
            ("pr-*", "pr-42", true),
            ("pr-*", "apr-42", false),
            ("*-eu", "a-eu-eu", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "ac", false),
            ("prod", "prod2", false),
        ] {
            assert_eq!(fits(pattern, name), want, "{pattern} {name}");
        }
    }
}
