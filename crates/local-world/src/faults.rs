//! Faults by rule: which calls go wrong, and how. Pure: the same rules and the same calls give the same faults.
//!
//! A rule is written `OPERATION=KIND[,rate=R][,count=N][,seed=S]`:
//!
//! ```text
//! kinesis:*=throttle,rate=0.2,seed=7     one call in five is told to slow down
//! firehose:CreateDeliveryStream=lost-reply,count=1
//! *=latency:200ms                        every call takes that much longer
//! iam:CreateRole=slow:5s                 services see the role five seconds later
//! s3:GetBucketTagging=AccessDenied        nobody may read the tags of a bucket
//! firehose>s3:PutObject=503,count=3      a delivery finds its bucket unavailable three times
//! ```
//!
//! The last is for the calls that Firehose makes itself, which no other rule touches: they can only be refused.

use std::str::FromStr;
use std::time::Duration;

use crate::glob::glob_ignoring_case;

mod refusal;

pub use refusal::Refusal;

/// Firehose stores an object.
pub const FIREHOSE_STORES: &str = "firehose>s3:PutObject";
/// Firehose invokes a function.
pub const FIREHOSE_INVOKES: &str = "firehose>lambda:Invoke";

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The service's own throttling error; nothing happens.
    Throttle,
    /// An internal error (500) or an unavailable service (503); nothing happens.
    Failure {
        /// 500 or 503.
        status: u16,
    },
    /// The caller may not do this, whatever the policies say; nothing happens.
    Denial,
    /// The call is held up before anything happens: wall time.
    Latency(Duration),
    /// It happens, and the connection ends without an answer.
    LostReply,
    /// The changes of the call settle that much later, in world time.
    Slow(Duration),
}

/// Which calls, how often, how.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// As written.
    pub text: String,
    operation: String,
    kind: Kind,
    /// The share of the calls it is for.
    rate: f64,
    /// How often at most.
    count: Option<u64>,
    seed: u64,
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write OPERATION=KIND[,rate=0.5][,count=3][,seed=7], for example 'kinesis:*=throttle,rate=0.2'")]
pub struct NoRule(String);

impl FromStr for Rule {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Rule, NoRule> {
        let (operation, rest) = text.split_once('=').ok_or_else(|| NoRule("a rule needs an =".into()))?;
        if operation != "*" && !operation.contains(':') {
            return Err(NoRule(format!("{operation:?} is neither * nor service:Operation")));
        }
        let mut words = rest.split(',');
        let kind = kind(words.next().unwrap_or_default())?;
        if is_own(operation) {
            check_own(operation, kind)?;
        }
        let mut rule =
            Rule { text: text.to_owned(), operation: operation.to_owned(), kind, rate: 1.0, count: None, seed: 0 };
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let wrong = || NoRule(format!("{word:?} cannot be read"));
            match name {
                "rate" => {
                    let rate = value.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
                    rule.rate = rate.ok_or_else(|| NoRule(format!("a rate is from 0 to 1, not {value:?}")))?;
                }
                "count" => rule.count = Some(value.parse().map_err(|_| wrong())?),
                "seed" => rule.seed = value.parse().map_err(|_| wrong())?,
                _ => return Err(wrong()),
            }
        }
        Ok(rule)
    }
}

impl Rule {
    /// Is it for the engine's own calls, and not for its clients'?
    pub fn is_own(&self) -> bool {
        is_own(&self.operation)
    }
}

fn is_own(operation: &str) -> bool {
    operation.contains('>')
}

/// A rule that could never strike is a mistake.
fn check_own(operation: &str, kind: Kind) -> Result<(), NoRule> {
    if ![FIREHOSE_STORES, FIREHOSE_INVOKES].iter().any(|own| glob_ignoring_case(operation, own)) {
        return Err(NoRule(format!("{operation:?} is neither {FIREHOSE_STORES} nor {FIREHOSE_INVOKES}")));
    }
    match kind {
        Kind::Throttle | Kind::Failure { .. } => Ok(()),
        Kind::Denial | Kind::Latency(_) | Kind::LostReply | Kind::Slow(_) => {
            Err(NoRule(format!("{operation} can be throttled or fail with 500 or 503, and nothing else")))
        }
    }
}

fn kind(word: &str) -> Result<Kind, NoRule> {
    Ok(match word.split_once(':').unwrap_or((word, "")) {
        ("throttle", "") => Kind::Throttle,
        ("500", "") => Kind::Failure { status: 500 },
        ("503", "") => Kind::Failure { status: 503 },
        ("AccessDenied", "") => Kind::Denial,
        ("lost-reply", "") => Kind::LostReply,
        ("latency", time) => Kind::Latency(duration(time)?),
        ("slow", time) => Kind::Slow(duration(time)?),
        _ => {
            let kinds = "throttle, 500, 503, AccessDenied, latency:TIME, lost-reply, slow:TIME";
            return Err(NoRule(format!("{word:?} is none of {kinds}")));
        }
    })
}

/// `200ms` or `5s`.
pub fn duration(text: &str) -> Result<Duration, NoRule> {
    let (number, unit_ms) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or_default(), 1000),
    };
    let count: u32 = number.parse().map_err(|_| NoRule(format!("{text:?} is no time such as 200ms or 5s")))?;
    Ok(Duration::from_millis(u64::from(count) * unit_ms))
}

/// The faults of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fault {
    /// Held up this long first.
    pub latency: Duration,
    /// Refused: throttled, denied, or failed with a status.
    pub refusal: Option<Refusal>,
    /// Whether the answer is lost, after the call had its effect.
    pub lost_reply: bool,
    /// How much later than otherwise the changes of the call settle.
    pub slow: Duration,
}

/// The rules in force, and how often each matched a call.
#[derive(Debug, Clone, Default)]
pub struct Faults(Vec<Counted>);

#[derive(Debug, Clone)]
struct Counted {
    rule: Rule,
    /// Calls that the rule is for.
    matched: u64,
    /// Faults that the rule injected into those calls.
    injected: u64,
}

impl Faults {
    /// Rules in force, of which none has matched a call yet.
    pub fn new(rules: Vec<Rule>) -> Faults {
        Faults(rules.into_iter().map(|rule| Counted { rule, matched: 0, injected: 0 }).collect())
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules after these, each counted from here on.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(Counted { rule, matched: 0, injected: 0 });
    }

    /// Removes the rules that are written so. Gives whether there was one.
    pub fn remove(&mut self, text: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|counted| counted.rule.text != text);
        self.0.len() < before
    }

    /// Decides the faults of this call, `service:Operation`. Several rules may apply at once; the first refusal counts.
    pub fn decide(&mut self, operation: &str) -> Fault {
        let mut fault = Fault::default();
        let is_for = |rule: &Rule| rule.is_own() == is_own(operation) && glob_ignoring_case(&rule.operation, operation);
        for counted in self.0.iter_mut().filter(|counted| is_for(&counted.rule)) {
            let Counted { rule, matched, injected } = counted;
            let strikes = rule.count.is_none_or(|count| *injected < count) && share(rule.seed, *matched) < rule.rate;
            *matched += 1;
            if !strikes {
                continue;
            }
            *injected += 1;
            match rule.kind {
                Kind::Throttle => fault.refusal = fault.refusal.or(Some(Refusal::Throttled)),
                Kind::Failure { status } => fault.refusal = fault.refusal.or(Some(Refusal::Failed { status })),
                Kind::Denial => fault.refusal = fault.refusal.or(Some(Refusal::Denied)),
                Kind::Latency(time) => fault.latency += time,
                Kind::LostReply => fault.lost_reply = true,
                Kind::Slow(time) => fault.slow += time,
            }
        }
        fault
    }

    /// Each rule as written, the calls that it matched, and the faults that it injected.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.0.iter().map(|counted| (counted.rule.text.as_str(), counted.matched, counted.injected))
    }
}

/// From 0 to below 1, as good as random, the same for the same seed and turn (splitmix64).
pub fn share(seed: u64, turn: u64) -> f64 {
    let mut z = seed.wrapping_add(turn.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(rules: &[&str]) -> Faults {
        Faults::new(rules.iter().map(|rule| rule.parse().expect(rule)).collect())
    }

    #[test]
    fn a_rule_strikes_its_operations_as_often_as_it_says() {
        let mut faults = faults(&["kinesis:put*=throttle,count=2", "*=latency:200ms", "iam:CreateRole=slow:5s"]);
        let latency = Duration::from_millis(200);
        let held_up = Fault { latency, ..Fault::default() };
        let throttled = Fault { refusal: Some(Refusal::Throttled), ..held_up };
        for (operation, expected) in [
            ("kinesis:PutRecord", throttled),
            ("kinesis:ListStreams", held_up),
            ("kinesis:PutRecords", throttled),
            ("kinesis:PutRecords", held_up),
            ("iam:CreateRole", Fault { slow: Duration::from_secs(5), ..held_up }),
        ] {
            assert_eq!(faults.decide(operation), expected, "{operation}");
        }
        let counts: Vec<_> = faults.counts().map(|(_, matched, injected)| (matched, injected)).collect();
        assert_eq!(counts, [(3, 2), (5, 5), (1, 1)]);
    }

    #[test]
    fn a_rate_is_kept_and_a_seed_repeats_it() {
        let run = |rule: &str| {
            let mut faults = faults(&[rule]);
            (0..10_000).map(|_| faults.decide("s3:PutObject").lost_reply).collect::<Vec<bool>>()
        };
        let (once, again, other) =
            (run("*=lost-reply,rate=0.3"), run("*=lost-reply,rate=0.3"), run("*=lost-reply,rate=0.3,seed=1"));
        let injected = once.iter().filter(|injected| **injected).count();
        assert!((2800..3200).contains(&injected), "{injected}");
        assert_eq!(once, again);
        assert_ne!(once, other);
        assert!(!run("*=lost-reply,rate=0").contains(&true));
        assert!(!run("*=lost-reply,rate=1").contains(&false));
    }

    #[test]
    fn the_first_refusal_counts() {
        let refusal = faults(&["s3:*=503", "*=500"]).decide("s3:GetObject").refusal;
        assert_eq!(refusal, Some(Refusal::Failed { status: 503 }));
    }

    #[test]
    fn the_engines_own_calls_have_rules_of_their_own() {
        let mut faults = faults(&["*=500", "firehose>s3:*=503,count=1"]);
        assert_eq!(faults.decide(FIREHOSE_STORES).refusal, Some(Refusal::Failed { status: 503 }));
        assert_eq!(faults.decide(FIREHOSE_STORES), Fault::default());
        assert_eq!(faults.decide(FIREHOSE_INVOKES), Fault::default());
        assert_eq!(faults.decide("s3:PutObject").refusal, Some(Refusal::Failed { status: 500 }));
    }

    #[test]
    fn what_is_no_rule_is_told_why() {
        for (text, why) in [
            ("throttle", "a rule needs an ="),
            ("PutRecord=throttle", "\"PutRecord\" is neither * nor service:Operation"),
            ("*=sometimes", "\"sometimes\" is none of throttle, 500, 503"),
            ("*=latency", "\"\" is no time"),
            ("*=slow:5m", "\"5m\" is no time"),
            ("*=500,rate=2", "a rate is from 0 to 1, not \"2\""),
            ("*=500,count=-1", "\"count=-1\" cannot be read"),
            ("*=500,often", "\"often\" cannot be read"),
            ("firehose>s3:GetObject=500", "\"firehose>s3:GetObject\" is neither firehose>s3:PutObject nor"),
            ("firehose>s3:PutObject=lost-reply", "firehose>s3:PutObject can be throttled or fail with 500 or 503"),
        ] {
            let error = text.parse::<Rule>().expect_err(text).to_string();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }
}
