//! Compares what was sent, what was expected and what was found. Pure.

use std::collections::HashMap;

/// The expected result of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Exactly these bytes are delivered.
    Delivered(Vec<u8>),
    /// The transform drops it.
    Dropped,
    /// The transform fails it: the record itself is under the error prefix.
    Failed,
    /// This, or failed together with its batch: another record may fail all that are transformed with it, and which those
    /// are is Firehose's to decide.
    WithItsBatch(Box<Fate>),
}

/// The counts for one delivery stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    pub sent: usize,
    pub delivered: usize,
    pub dropped: usize,
    /// Found under the error prefix.
    pub failed: usize,
    /// Failed records that should have been delivered or dropped. They are counted in `failed` too.
    pub failed_unexpectedly: usize,
    /// Found nowhere, although they should have been.
    pub missing: usize,
    /// Found more often than sent.
    pub duplicated: usize,
}

impl Account {
    /// Whether every record is accounted for as expected.
    pub fn balances(&self) -> bool {
        self.missing == 0 && self.failed_unexpectedly == 0
    }
}

/// Draws up the account. `fates[i]` is what must become of `sent[i]`; `good` are the bytes of the delivered objects, `bad`
/// the records found in error objects.
pub fn account(sent: &[Vec<u8>], fates: &[Fate], good: &[Vec<u8>], bad: &[Vec<u8>]) -> Account {
    let outputs: Vec<&[u8]> = fates.iter().filter_map(delivered).collect();
    let mut found = Found::of(&outputs, good);
    let mut failed: HashMap<&[u8], usize> = HashMap::new();
    for record in bad {
        *failed.entry(record).or_default() += 1;
    }
    let mut account = Account { sent: sent.len(), ..Account::default() };
    for (record, fate) in sent.iter().zip(fates) {
        let came_out = delivered(fate).is_some_and(|output| found.take(output));
        let came_back = !came_out && take(&mut failed, record);
        let (fate, may_fail) = match fate {
            Fate::WithItsBatch(alone) => (alone.as_ref(), true),
            alone => (alone, false),
        };
        match (fate, came_out, came_back) {
            (Fate::Delivered(_), true, _) => account.delivered += 1,
            (Fate::Failed, _, true) => account.failed += 1,
            (Fate::Delivered(_) | Fate::Dropped | Fate::WithItsBatch(_), _, true) => {
                account.failed += 1;
                account.failed_unexpectedly += usize::from(!may_fail);
            }
            (Fate::Dropped, _, false) => account.dropped += 1,
            (Fate::Delivered(_) | Fate::Failed | Fate::WithItsBatch(_), _, false) => account.missing += 1,
        }
    }
    // A delivery that is left over belongs to no record that is still to be accounted for: it came more than once.
    let sent_again = sent.iter().map(|record| failed.remove(record.as_slice()).unwrap_or(0)).sum::<usize>();
    account.duplicated = found.left() + sent_again;
    account
}

/// The expected output in an object, if any.
pub fn delivered(fate: &Fate) -> Option<&[u8]> {
    match fate {
        Fate::Delivered(output) => Some(output),
        Fate::WithItsBatch(alone) => delivered(alone),
        Fate::Dropped | Fate::Failed => None,
    }
}

fn take(counts: &mut HashMap<&[u8], usize>, key: &[u8]) -> bool {
    match counts.get_mut(key) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

/// How often each output is in the objects.
struct Found<'a> {
    counts: HashMap<&'a [u8], usize>,
}

impl<'a> Found<'a> {
    /// Firehose joins records byte to byte, so the objects are searched for the outputs, the longest first at each place;
    /// bytes that belong to none (other runs, delimiters) are passed over.
    fn of(outputs: &[&'a [u8]], objects: &[Vec<u8>]) -> Found<'a> {
        let mut counts: HashMap<&[u8], usize> = outputs.iter().map(|output| (*output, 0)).collect();
        let shortest = counts.keys().map(|output| output.len()).filter(|len| *len > 0).min();
        let Some(shortest) = shortest else { return Found { counts } };
        let mut by_start: HashMap<&[u8], Vec<&'a [u8]>> = HashMap::new();
        for output in counts.keys().filter(|output| !output.is_empty()) {
            by_start.entry(&output[..shortest]).or_default().push(output);
        }
        for candidates in by_start.values_mut() {
            candidates.sort_by_key(|output| std::cmp::Reverse(output.len()));
        }
        for object in objects {
            let mut rest = object.as_slice();
            while rest.len() >= shortest {
                let candidates = by_start.get(&rest[..shortest]);
                let hit = candidates.and_then(|all| all.iter().find(|output| rest.starts_with(output)));
                if let Some(output) = hit {
                    *counts.get_mut(*output).expect("candidates come from the counts") += 1;
                }
                rest = &rest[hit.map_or(1, |output| output.len())..];
            }
        }
        Found { counts }
    }

    /// An output that is empty leaves no trace, so it counts as found.
    fn take(&mut self, output: &[u8]) -> bool {
        output.is_empty() || take(&mut self.counts, output)
    }

    fn left(&self) -> usize {
        self.counts.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    fn out(text: &str) -> Fate {
        Fate::Delivered(text.as_bytes().to_vec())
    }

    #[test]
    fn joined_records_are_told_apart_and_strangers_are_passed_over() {
        let sent = bytes(&["{1}", "{12}", "{3}"]);
        let fates = [out("{1}"), out("{12}"), out("{3}")];
        let account = account(&sent, &fates, &bytes(&["{12}{other}\n{1}", "{3}"]), &[]);
        assert_eq!(account, Account { sent: 3, delivered: 3, ..Account::default() });
        assert!(account.balances());
    }

    #[test]
    fn what_is_nowhere_is_missing_and_what_is_twice_is_duplicated() {
        let sent = bytes(&["{1}", "{2}"]);
        let account = account(&sent, &[out("{1}"), out("{2}")], &bytes(&["{1}{1}"]), &[]);
        assert_eq!(account, Account { sent: 2, delivered: 1, missing: 1, duplicated: 1, ..Account::default() });
        assert!(!account.balances());
    }

    #[test]
    fn a_record_that_should_fail_is_looked_for_under_the_error_prefix() {
        let sent = bytes(&["a", "b", "c"]);
        let fates = [Fate::Failed, Fate::Dropped, out("C")];
        let account = account(&sent, &fates, &bytes(&["C"]), &bytes(&["a"]));
        assert_eq!(account, Account { sent: 3, delivered: 1, dropped: 1, failed: 1, ..Account::default() });
        assert!(account.balances());
    }

    #[test]
    fn a_record_that_failed_though_it_should_not_have_does_not_balance() {
        let account = account(&bytes(&["c"]), &[out("C")], &[], &bytes(&["c"]));
        assert_eq!((account.failed, account.failed_unexpectedly, account.missing), (1, 1, 0));
        assert!(!account.balances());
    }

    #[test]
    fn a_record_that_may_fail_with_its_batch_balances_either_way_and_not_when_it_is_nowhere() {
        let fate = [Fate::WithItsBatch(Box::new(out("C")))];
        let failed = account(&bytes(&["c"]), &fate, &[], &bytes(&["c"]));
        assert!(failed.balances() && failed.failed == 1, "{failed:?}");
        let delivered = account(&bytes(&["c"]), &fate, &bytes(&["C"]), &[]);
        assert!(delivered.balances() && delivered.delivered == 1, "{delivered:?}");
        assert!(!account(&bytes(&["c"]), &fate, &[], &[]).balances());
    }

    #[test]
    fn equal_outputs_are_counted_as_often_as_they_were_sent() {
        let sent = bytes(&["1", "-1"]);
        let account = account(&sent, &[out("{1}"), out("{1}")], &bytes(&["{1}", "{1}{1}"]), &[]);
        assert_eq!((account.delivered, account.missing, account.duplicated), (2, 0, 1));
    }

    #[test]
    fn an_output_that_begins_another_is_not_taken_for_it() {
        let sent = bytes(&["x", "xy"]);
        let account = account(&sent, &[out("x"), out("xy")], &bytes(&["xyx"]), &[]);
        assert_eq!((account.delivered, account.missing, account.duplicated), (2, 0, 0));
    }
}
