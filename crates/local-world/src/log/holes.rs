//! Ordinals at which there is no record any more. There are none unless a disk was damaged.

use std::ops::Range;

/// In rising order; they do not touch.
#[derive(Debug, PartialEq, Eq)]
pub struct Holes(Vec<Range<u64>>);

impl Holes {
    pub const NONE: Holes = Holes(vec![]);

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many ordinals they are.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|hole| hole.end - hole.start).sum()
    }

    pub fn contains(&self, ordinal: u64) -> bool {
        self.end_of(ordinal).is_some()
    }

    /// Where the hole ends in which this ordinal is.
    pub fn end_of(&self, ordinal: u64) -> Option<u64> {
        self.0.iter().find(|hole| hole.contains(&ordinal)).map(|hole| hole.end)
    }

    /// How many ordinals before this one they are.
    pub fn before(&self, ordinal: u64) -> u64 {
        self.0.iter().map(|hole| hole.end.min(ordinal).saturating_sub(hole.start)).sum()
    }

    /// All other ordinals from this one on.
    pub fn ordinals_from(&self, ordinal: u64) -> impl Iterator<Item = u64> {
        let mut holes = self.0.iter().skip_while(move |hole| hole.end <= ordinal).peekable();
        let mut at = ordinal;
        std::iter::repeat_with(move || {
            if let Some(hole) = holes.next_if(|hole| hole.start <= at) {
                at = hole.end;
            }
            at += 1;
            at - 1
        })
    }

    /// One behind the others.
    pub fn push(&mut self, hole: Range<u64>) {
        match self.0.last_mut() {
            _ if hole.is_empty() => {}
            Some(last) if last.end == hole.start => last.end = hole.end,
            _ => self.0.push(hole),
        }
    }

    /// Forgets the holes before this ordinal.
    pub fn trim_to(&mut self, ordinal: u64) {
        self.0.retain_mut(|hole| {
            hole.start = hole.start.max(ordinal);
            !hole.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_go_around_holes() {
        let mut holes = Holes::NONE;
        [2..4, 4..5, 7..7, 8..9].into_iter().for_each(|hole| holes.push(hole));
        assert_eq!(holes.0, [2..5, 8..9]);
        let from = |ordinal| holes.ordinals_from(ordinal).take(5).collect::<Vec<_>>();
        assert_eq!((from(0), from(3), from(8)), (vec![0, 1, 5, 6, 7], vec![5, 6, 7, 9, 10], vec![9, 10, 11, 12, 13]));
        assert_eq!((holes.len(), holes.before(3), holes.before(100)), (4, 1, 4));
        assert_eq!((holes.contains(4), holes.contains(5)), (true, false));
        holes.trim_to(4);
        assert_eq!(holes.0, [4..5, 8..9]);
    }
}
