use super::*;
use crate::record::Record;
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_written_is_read_and_what_is_cut_off_is_not(
        id in 0u64.., first in 0u64..1 << 40, arrivals in proptest::collection::vec(0u64..1 << 41, 1..5), cut in 1usize..20
    ) {
        let numbering = Numbering { created_s: 1_700_000_000, shard: 77 };
        let records: Vec<Compact> = (first..).zip(&arrivals).map(|(ordinal, arrival)| Record {
            sequence: numbering.sequence(ordinal, *arrival),
            partition_key: "ключ".into(),
            data: vec![7; (ordinal % 300) as usize].into(),
            arrival: *arrival,
        }.into()).collect();
        let start = Place { segment: 3, offset: 70 };
        let mut file = vec![];
        let mut frames = Frames { out: &mut file, start };
        frames.name(id, "a/b");
        frames.append(id, first, numbering, &records);
        frames.trim(id, first);
        frames.remove(id);
        frames.lose(id, first);

        let (mut frames, mut ends, mut read_back) = (vec![], vec![0], vec![]);
        while let Some((frame, length)) = next(&file[ends[ends.len() - 1]..], start.behind(ends[ends.len() - 1])) {
            ends.push(ends[ends.len() - 1] + length);
            match frame {
                Frame::Append { records, numbering: read, .. } => {
                    prop_assert_eq!(read, numbering);
                    read_back.extend(records);
                }
                other => frames.push(other),
            }
        }
        prop_assert_eq!(ends.pop(), Some(file.len()));
        prop_assert_eq!(read_back, records);
        let others =
            [Frame::Name { id, name: "a/b".into() }, Frame::Trim { id, first }, Frame::Remove { id }, Frame::Lose { id, next: first }];
        prop_assert_eq!(frames, others);

        // Elsewhere it is no frame, cut off or with a flipped bit neither; and the next one is found behind it.
        prop_assert_eq!(next(&file, start.behind(1)), None);
        let (at, end) = (ends[ends.len() - 1], file.len());
        prop_assert_eq!(next(&file[at..end - 1], start.behind(at)), None);
        let flipped = cut % ends[1];
        file[flipped] ^= 1 << (cut % 8);
        prop_assert_eq!(next(&file, start), None);
        prop_assert_eq!(skipped(&file, start), ends[1]);
    }
}

#[test]
fn a_key_that_no_log_keeps_is_damage() {
    for (key, kept) in [(LONGEST_KEY, true), (LONGEST_KEY + 1, false)] {
        let mut records = vec![];
        [0, 0, 0, key as u64, 0].into_iter().for_each(|value| number(&mut records, value));
        records.resize(records.len() + key, b'k');
        assert_eq!(read_records(&records, 0).is_some(), kept, "{key}");
    }
}

/// The head is made to fit, so that what is behind it is reached.
#[test]
fn fuzz_journal() {
    let start = Place { segment: 3, offset: 70 };
    fuzz::over("journal", |body| {
        let _ = next(body, start);
        let mut file = vec![];
        Frames { out: &mut file, start }.wrap(|out| out.extend_from_slice(body));
        let Some((frame, length)) = next(&file, start) else { return };
        assert_eq!(length, file.len());
        assert_eq!(next(&file[..length - 1], start), None);
        if let Frame::Append { records, .. } = frame {
            let read = records.iter().map(|record| record.bytes().len()).sum::<usize>();
            assert!(read <= body.len());
        }
    });
}
