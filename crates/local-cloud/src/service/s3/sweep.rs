//! The midnights at which lifecycle rules are acted on. Nothing of them is kept: after a restart the last one comes again, and
//! finds nothing. A sweep goes through the keys of the buckets with rules, so many in each turn of the world.

use std::collections::BTreeSet;

use super::lifecycle::{self, Act, DAY_MS, Rule};
use super::{Object, State};
use crate::settings::Millis;

/// Keys looked at, or uploads given up, in one turn of the world, so that no call waits for more.
const AT_ONCE: usize = 1_000;

impl State {
    /// When something may expire next.
    pub fn due(&self) -> Option<Millis> {
        self.buckets.iter().any(|(_, bucket)| bucket.lifecycle().is_some()).then_some(self.swept + DAY_MS)
    }

    /// Lets expire what is due by now. What is more than one turn holds stays due.
    pub fn tick(&mut self, now: Millis) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        let buckets = self.buckets.iter().map(|(name, bucket)| (format!("{name}/"), bucket.rules().to_vec()));
        let mut buckets: Vec<(String, Vec<Rule>)> = buckets.filter(|(_, rules)| !rules.is_empty()).collect();
        // As their keys are.
        buckets.sort_by(|one, other| one.0.cmp(&other.0));
        let mut left = AT_ONCE;
        for (inside, rules) in &buckets {
            left = self.give_up_uploads(now, inside, rules, left);
            left = self.expire_keys(now, inside, rules, left);
        }
        if left > 0 {
            self.sweeping = String::new();
            self.swept = now / DAY_MS * DAY_MS;
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
        let after = &self.sweeping;
        let rows = self.objects.after(inside, after).map(|(row, _)| row).take(left);
        let older = self.history.after(inside, after).map(|(row, _)| row).take(left);
        let rows: BTreeSet<&str> = rows.chain(older).collect();
        let rows: Vec<String> = rows.into_iter().take(left).map(str::to_owned).collect();
        for row in &rows {
            let (bucket, key) = row.split_once('/').expect("a row begins with its bucket");
            let acts = lifecycle::of_key(rules, now, key, &self.versions_of(row).collect::<Vec<_>>());
            acts.iter().for_each(|act| self.expire(now, bucket, key, act));
        }
        let looked_at = rows.len();
        if let Some(last) = rows.into_iter().next_back() {
            self.sweeping = last;
        }
        left - looked_at
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
