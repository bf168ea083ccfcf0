//! The midnights at which lifecycle rules are acted on. Nothing of them is kept: after a restart the last one comes again, and
//! finds nothing.

use std::collections::BTreeSet;

use super::lifecycle::{self, Act, DAY_MS, Rule};
use super::{Object, State};
use crate::settings::Millis;

/// Keys and uploads in one turn of the world, so that no call waits for more.
const AT_ONCE: usize = 1_000;

impl State {
    /// When something may expire next.
    pub fn due(&self) -> Option<Millis> {
        self.buckets.iter().any(|(_, bucket)| bucket.lifecycle.is_some()).then_some(self.swept + DAY_MS)
    }

    /// Lets expire what is due by now. What is more than one turn holds stays due.
    pub fn tick(&mut self, now: Millis) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        let buckets: Vec<(String, Vec<Rule>)> =
            self.buckets.iter().map(|(name, bucket)| (name.to_owned(), bucket.rules())).collect();
        let mut left = AT_ONCE;
        for (bucket, rules) in buckets.iter().filter(|(_, rules)| !rules.is_empty()) {
            left = self.give_up_uploads(now, bucket, rules, left);
            left = self.expire_keys(now, bucket, rules, left);
        }
        if left > 0 {
            self.swept = now / DAY_MS * DAY_MS;
        }
    }

    /// `x-amz-expiration` of the newest version of a key, which is this object.
    pub fn expiration(&self, bucket: &str, key: &str, object: &Object) -> Option<String> {
        lifecycle::told(&self.buckets.get(bucket)?.rules(), key, object)
    }

    /// Gives how many more there may be in this turn.
    fn give_up_uploads(&mut self, now: Millis, bucket: &str, rules: &[Rule], left: usize) -> usize {
        let over =
            self.uploads(bucket).filter(|(_, upload)| lifecycle::gives_up(rules, now, &upload.key, upload.initiated));
        let ids: Vec<String> = over.map(|(id, _)| id.to_owned()).take(left).collect();
        ids.iter().for_each(|id| self.forget_upload(id));
        left - ids.len()
    }

    /// Likewise.
    fn expire_keys(&mut self, now: Millis, bucket: &str, rules: &[Rule], left: usize) -> usize {
        let inside = format!("{bucket}/");
        let rows = self.objects.with_prefix(&inside).map(|(row, _)| row);
        let rows: BTreeSet<&str> = rows.chain(self.history.with_prefix(&inside).map(|(row, _)| row)).collect();
        let acts = |row: &str| {
            let versions: Vec<_> = self.versions_of(row).collect();
            let key = &row[inside.len()..];
            (key.to_owned(), lifecycle::of_key(rules, now, key, &versions))
        };
        let over = rows.into_iter().map(acts).filter(|(_, acts)| !acts.is_empty());
        let over: Vec<(String, Vec<Act>)> = over.take(left).collect();
        for (key, acts) in &over {
            acts.iter().for_each(|act| self.expire(now, bucket, key, act));
        }
        left - over.len()
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
