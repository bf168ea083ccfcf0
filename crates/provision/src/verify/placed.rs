//! The shard, the sequence number and the time of each record that was put, in a file without a name.

use std::io;

use crate::verify::paged::Paged;

const ENTRY: usize = 32;

/// The place of one record in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its index among [`Placed::shards`]. `None` for a record that was put to a delivery stream.
    pub shard: Option<u16>,
    /// Orders the records of a shard.
    pub sequence: [u64; 3],
    /// When it was accepted, in epoch seconds of the endpoint's clock.
    pub put_s: i64,
}

pub struct Placed {
    entries: Paged<ENTRY>,
    shards: Vec<(String, usize)>,
    since_s: i64,
    accepted: usize,
    bytes: u64,
}

impl Placed {
    /// `since_s` is no later than the first record.
    pub fn new(since_s: i64) -> io::Result<Placed> {
        Ok(Placed { entries: Paged::new()?, shards: vec![], since_s, accepted: 0, bytes: 0 })
    }

    /// Takes note of a record that was accepted.
    pub fn accepted(&mut self, record: u32, at: Option<(&str, &str)>, put_s: i64, bytes: usize) -> io::Result<()> {
        let shard = at.map_or(0, |(shard, _)| self.shard(shard) + 1);
        let sequence = at.map_or([0; 3], |(_, sequence)| limbs(sequence));
        let mut entry = [0; ENTRY];
        for (limb, bytes) in sequence.iter().zip(entry.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&limb.to_le_bytes());
        }
        let after = u32::try_from(put_s - self.since_s + 1).unwrap_or(1);
        entry[24..28].copy_from_slice(&after.to_le_bytes());
        entry[28..30].copy_from_slice(&shard.to_le_bytes());
        self.accepted += 1;
        self.bytes += bytes as u64;
        self.entries.set(record.into(), &entry)
    }

    /// `None` for a record that was not accepted.
    pub fn of(&mut self, record: u32) -> io::Result<Option<Place>> {
        let entry = self.entries.get(record.into())?;
        let limb = |at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().expect("eight bytes"));
        let after = u32::from_le_bytes(entry[24..28].try_into().expect("four bytes"));
        let shard = u16::from_le_bytes([entry[28], entry[29]]);
        let place = Place {
            shard: shard.checked_sub(1),
            sequence: [limb(0), limb(8), limb(16)],
            put_s: self.since_s + i64::from(after) - 1,
        };
        Ok((after > 0).then_some(place))
    }

    /// The shards that took records, and how many each took.
    pub fn shards(&self) -> &[(String, usize)] {
        &self.shards
    }

    /// How many records were accepted.
    pub fn count(&self) -> usize {
        self.accepted
    }

    /// The bytes of their data.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn shard(&mut self, id: &str) -> u16 {
        let at = self.shards.iter().position(|(shard, _)| shard == id).unwrap_or_else(|| {
            self.shards.push((id.to_owned(), 0));
            self.shards.len() - 1
        });
        self.shards[at].1 += 1;
        at as u16
    }
}

/// A sequence number of at most 57 decimal digits, the most significant limb first.
fn limbs(sequence: &str) -> [u64; 3] {
    let mut limbs = [0_u64; 3];
    for digit in sequence.bytes().filter(u8::is_ascii_digit) {
        let mut carry = u128::from(digit - b'0');
        for limb in limbs.iter_mut().rev() {
            let sum = u128::from(*limb) * 10 + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
    }
    limbs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_at_its_place_and_sequence_numbers_are_ordered() {
        let mut placed = Placed::new(1_000).unwrap();
        let low = "49546986683135544286507457936321625675700192471156785154";
        let high = "49546986683135544286507457936321625675700192471156785155";
        placed.accepted(7, Some(("shardId-1", high)), 1_009, 5).unwrap();
        placed.accepted(3, Some(("shardId-0", low)), 1_000, 5).unwrap();
        placed.accepted(9, None, 1_001, 5).unwrap();
        let [seventh, third] = [7, 3].map(|record| placed.of(record).unwrap().unwrap());
        assert_eq!((seventh.shard, seventh.put_s, third.shard, third.put_s), (Some(0), 1_009, Some(1), 1_000));
        assert!(third.sequence < seventh.sequence);
        assert_eq!(placed.of(9).unwrap().unwrap().shard, None);
        assert_eq!([placed.of(8).unwrap(), placed.of(10).unwrap()], [None, None]);
        assert_eq!(placed.shards(), [("shardId-1".to_owned(), 1), ("shardId-0".to_owned(), 1)]);
        assert_eq!((placed.count(), placed.bytes()), (3, 15));
    }
}
