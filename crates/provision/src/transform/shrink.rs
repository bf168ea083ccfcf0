//! Reduces a batch that breaks a transform to the smallest one that still breaks it in the same way.

use crate::transform::event::{Data, Record};

/// Whether what is left still breaks it; `None` when there is no time for more tries.
pub trait Tries {
    fn breaks(&mut self, records: &[Record]) -> impl Future<Output = Option<bool>>;
}

/// Leaves out records, and then bytes of those that are left, as long as what remains still breaks it.
pub async fn smallest(records: Vec<Record>, suspect: Option<usize>, tries: &mut impl Tries) -> Vec<Record> {
    let mut records = match suspect.and_then(|place| records.get(place).cloned()) {
        Some(alone) if tries.breaks(std::slice::from_ref(&alone)).await == Some(true) => vec![alone],
        _ => without(records, async |left| if left.is_empty() { Some(false) } else { tries.breaks(left).await }).await,
    };
    if records.len() <= FEW {
        for place in 0..records.len() {
            let Data::Bytes(data) = records[place].data.clone() else { continue };
            let with = |data: &[u8]| {
                let mut with = records.clone();
                with[place].data = Data::Bytes(data.to_vec().into());
                with
            };
            let left = without(data.to_vec(), async |left| tries.breaks(&with(left)).await).await;
            records = with(&left);
        }
    }
    records
}

/// If more records than this are needed, their number or size is the cause, not their content.
const FEW: usize = 4;

/// Leaves out halves, quarters, and so on down to single items.
async fn without<T: Clone>(mut items: Vec<T>, mut breaks: impl AsyncFnMut(&[T]) -> Option<bool>) -> Vec<T> {
    let mut size = items.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < items.len() {
            let end = items.len().min(at + size);
            let left = [&items[..at], &items[end..]].concat();
            match breaks(&left).await {
                None => return items,
                Some(true) => items = left,
                Some(false) => at = end,
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted<F> {
        left: usize,
        breaks: F,
    }

    impl<F: Fn(&[Record]) -> bool> Tries for Counted<F> {
        async fn breaks(&mut self, records: &[Record]) -> Option<bool> {
            self.left = self.left.checked_sub(1)?;
            Some((self.breaks)(records))
        }
    }

    fn records(payloads: &[&str]) -> Vec<Record> {
        payloads.iter().enumerate().map(|(number, data)| Record::numbered(number, data.to_string())).collect()
    }

    async fn shrunk(payloads: &[&str], left: usize, breaks: impl Fn(&[Record]) -> bool) -> (Vec<String>, usize) {
        let mut tries = Counted { left, breaks };
        let smallest = smallest(records(payloads), None, &mut tries).await;
        let text = |record: &Record| String::from_utf8_lossy(record.bytes()).into_owned();
        (smallest.iter().map(text).collect(), left - tries.left)
    }

    #[tokio::test]
    async fn one_bad_record_is_found_and_cut_to_what_is_bad_in_it() {
        let mut batch = vec!["{\"a\":1}"; 1_000];
        batch[617] = "{\"a\":1,\"b\":NaN,\"c\":3}";
        let nan =
            |records: &[Record]| records.iter().any(|record| record.bytes().windows(3).any(|text| text == b"NaN"));
        let (smallest, tries) = shrunk(&batch, 1_000, nan).await;
        assert_eq!(smallest, ["NaN"]);
        assert!(tries < 100, "{tries}");
    }

    #[tokio::test]
    async fn two_records_that_break_it_together_stay_together() {
        let pair =
            |records: &[Record]| ["x", "y"].iter().all(|part| records.iter().any(|r| r.bytes() == part.as_bytes()));
        assert_eq!(shrunk(&["a", "x", "b", "c", "y", "d"], 1_000, pair).await.0, ["x", "y"]);
    }

    #[tokio::test]
    async fn what_takes_many_records_keeps_as_many_and_their_data() {
        let many = |records: &[Record]| records.len() >= 40;
        let (smallest, _) = shrunk(&vec!["data"; 100], 1_000, many).await;
        assert_eq!((smallest.len(), smallest[0].as_str()), (40, "data"));
    }

    #[tokio::test]
    async fn when_there_is_no_time_left_the_smallest_so_far_counts() {
        let (smallest, tries) = shrunk(&["a"; 64], 3, |_| true).await;
        assert!(smallest.len() < 64 && tries == 3, "{smallest:?}");
    }

    #[tokio::test]
    async fn a_suspect_is_tried_first() {
        let mut tries = Counted { left: 1, breaks: |records: &[Record]| records[0].bytes() == b"x" };
        assert_eq!(smallest(records(&["a", "x"]), Some(1), &mut tries).await, records(&["a", "x"])[1..]);
    }
}
