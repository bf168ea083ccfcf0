//! The midnights at which lifecycle rules are acted on. Nothing of them is kept: after a restart the last one comes again, and
//! finds nothing. A sweep goes through the keys of the buckets with rules, so many in each turn of the world.

use std::collections::BTreeSet;

use super::lifecycle::{self, Act, DAY_MS, Rule};
use super::{Object, State};
use crate::time::Millis;

/// Keys looked at, or uploads given up, in one turn of the world, so that no call waits for more.
const AT_ONCE: usize = 1_000;

/// How much of a sweep a turn may still do.
#[derive(Debug)]
pub struct Sweep {
    left: usize,
}

impl Default for Sweep {
    fn default() -> Sweep {
        Sweep { left: AT_ONCE }
    }
}

impl Sweep {
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }
}

/// The cost of looking at a key: with many rules it is that of many keys.
fn cost(rules: &[Rule]) -> usize {
    1 + rules.len() / 20
}

impl State {
    /// When something may expire next.
    pub fn due(&self) -> Option<Millis> {
        self.buckets.iter().any(|(_, bucket)| bucket.lifecycle().is_some()).then_some(self.swept + DAY_MS)
    }

    /// Lets expire what is due by now. What is more than one turn holds stays due.
    pub fn tick(&mut self, now: Millis, sweep: &mut Sweep) {
        if sweep.is_done() || self.due().is_none_or(|due| now < due) {
            return;
        }
        if self.sweeping.is_empty() {
            self.begun = now;
        }
        let buckets = self.buckets.iter().map(|(name, bucket)| (format!("{name}/"), bucket.rules().to_vec()));
        let mut buckets: Vec<(String, Vec<Rule>)> = buckets.filter(|(_, rules)| !rules.is_empty()).collect();
        // As their keys are.
        buckets.sort_by(|one, other| one.0.cmp(&other.0));
        let mut left = sweep.left;
        for (inside, rules) in &buckets {
            left = self.give_up_uploads(now, inside, rules, left);
            left = self.expire_keys(now, inside, rules, left);
        }
        sweep.left = left;
        if left > 0 {
            self.sweeping = String::new();
            // The first objects that this sweep looked at may have become due since.
            self.swept = self.begun / DAY_MS * DAY_MS;
        }
    }

    /// `x-amz-expiration` of the newest version of a key, which is this object.
    pub fn expiration(&self, bucket: &str, key: &str, object: &Object) -> Option<String> {
        lifecycle::told(self.buckets.get(bucket)?.rules(), key, object)
    }

    /// Gives how many more there may be in this turn.
    fn give_up_uploads(&mut self, now: Millis, inside: &str, rules: &[Rule], left: usize) -> usize {
        let bucket = inside.trim_end_matches('/');
        let over =
            self.uploads(bucket).filter(|(_, upload)| lifecycle::gives_up(rules, now, &upload.key, upload.initiated));
        let ids: Vec<String> = over.map(|(id, _)| id.to_owned()).take(left).collect();
        ids.iter().for_each(|id| self.forget_upload(id));
        left - ids.len()
    }

    /// Likewise. Keys before the last one that was looked at in this sweep are done with.
    fn expire_keys(&mut self, now: Millis, inside: &str, rules: &[Rule], left: usize) -> usize {
        let (after, at_once) = (&self.sweeping, left / cost(rules));
        let rows = self.objects.after(inside, after).map(|(row, _)| row).take(at_once);
        let older = self.history.after(inside, after).map(|(row, _)| row).take(at_once);
        let rows: BTreeSet<&str> = rows.chain(older).collect();
        let rows: Vec<String> = rows.into_iter().take(at_once).map(str::to_owned).collect();
        for row in &rows {
            let (bucket, key) = row.split_once('/').expect("a row begins with its bucket");
            let acts = lifecycle::of_key(rules, now, key, &self.versions_of(row).collect::<Vec<_>>());
            acts.iter().for_each(|act| self.expire(now, bucket, key, act));
        }
        let looked_at = rows.len();
        if let Some(last) = rows.into_iter().next_back() {
            self.sweeping = last;
        }
        // Where the turn could look at no more keys, there may be more.
        if looked_at == at_once { 0 } else { left - looked_at * cost(rules) }
    }

    fn expire(&mut self, now: Millis, bucket: &str, key: &str, act: &Act) {
        // The bucket is there, and so are the versions: that is where they were found.
        let _ = match act {
            Act::Delete => self.delete(now, bucket, key, None),
            Act::Remove(version) => {
                self.delete(now, bucket, key, Some(version.as_deref().unwrap_or(super::version::NULL)))
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::effect::Turn;
    use crate::service::s3::bucket::Tags;
    use crate::service::s3::object::{New, Precondition};
    use crate::settings::Settings;
    use crate::world::World;

    const NOW: Millis = 5 * DAY_MS + 10_000;

    #[test]
    fn a_turn_sweeps_as_much_as_it_may_and_the_next_goes_on() {
        for (rules, at_once) in [(1, 1000), (19, 1000), (1000, 19)] {
            let mut world = World::new(Settings::default());
            world.tick(&mut Turn::at(5 * DAY_MS - 1));
            world.s3.create_bucket(1, "us-east-1", "lake", None, Tags::new()).expect("a good name");
            for n in 0..2500 {
                let new = New::whole(Bytes::new(), &Default::default(), None, Default::default());
                world.s3.put(1, "lake", &format!("{n:04}"), new, Precondition::None).expect("the bucket is there");
            }
            let rule = |_| json!({ "id": "r", "status": "Enabled", "prefix": "", "expiration": { "days": 1 } });
            let document = (0..rules).map(rule).collect();
            world.s3.bucket_mut("lake").expect("it is there").set_lifecycle(Some(document));
            let left = |world: &World| world.s3.objects.len();
            for turn in 1..=2 {
                // Some time has passed, which is many moments at which the sweep is due.
                world.tick(&mut Turn::at(NOW));
                assert_eq!(left(&world), 2500 - turn * at_once, "{rules} rules, turn {turn}");
            }
            while world.due().is_some_and(|due| due <= NOW) {
                world.tick(&mut Turn::at(NOW));
            }
            assert_eq!(left(&world), 0, "{rules} rules");
        }
    }
}
