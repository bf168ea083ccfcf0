//! A queue of any length in which no call pays for the length: nothing moves when it grows, and what is taken from the front is
//! given back piece by piece.

use std::collections::VecDeque;

/// Items of a piece that is full.
const PIECE: usize = 512;

/// Items by the order they came in. All pieces but the first and the last are full.
#[derive(Debug, PartialEq, Eq)]
pub struct Queue<T> {
    pieces: VecDeque<Vec<T>>,
    len: usize,
}

impl<T> Queue<T> {
    pub const EMPTY: Queue<T> = Queue { pieces: VecDeque::new(), len: 0 };

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn push(&mut self, item: T) {
        match self.pieces.back_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(item),
            None => {
                // A queue that has filled a piece will fill another. Growing one step by step would leave holes in the heap.
                let mut piece = Vec::with_capacity(if self.pieces.is_empty() { 1 } else { PIECE });
                piece.push(item);
                self.pieces.push_back(piece);
            }
        }
        self.len += 1;
    }

    pub fn get(&self, index: usize) -> Option<&T> {
        let (piece, within) = self.place(index);
        self.pieces.get(piece)?.get(within)
    }

    /// All from an index on.
    pub fn from(&self, index: usize) -> impl Iterator<Item = &T> {
        let (first, within) = self.place(index);
        let pieces = self.pieces.range(first.min(self.pieces.len())..);
        pieces.enumerate().flat_map(move |(n, piece)| piece.iter().skip(if n == 0 { within } else { 0 }))
    }

    /// The index of the first item of which this is not so, where it is so of all before and of none behind.
    pub fn partition_point(&self, mut so: impl FnMut(&T) -> bool) -> usize {
        let whole = self.pieces.partition_point(|piece| piece.last().is_none_or(&mut so));
        let before: usize = self.pieces.range(..whole).map(Vec::len).sum();
        before + self.pieces.get(whole).map_or(0, |piece| piece.partition_point(so))
    }

    /// Drops that many from the front, or all.
    pub fn drop_front(&mut self, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while let Some(piece) = self.pieces.front_mut().filter(|_| left > 0) {
            if piece.len() <= left {
                left -= piece.len();
                self.pieces.pop_front();
            } else {
                piece.drain(..left);
                left = 0;
            }
        }
        // The list of pieces itself: what a burst took is given back; one that loses as much as it gains keeps its room.
        if self.pieces.len() < self.pieces.capacity() / 4 {
            self.pieces.shrink_to(self.pieces.len() * 2);
        }
    }

    /// The piece that an index is in, and the place in it.
    fn place(&self, index: usize) -> (usize, usize) {
        let first = self.pieces.front().map_or(0, Vec::len);
        match index.checked_sub(first) {
            None => (0, index),
            Some(behind) => (1 + behind / PIECE, behind % PIECE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_queue(steps in proptest::collection::vec((0usize..1_500, 0usize..1_500), 1..8), at in 0usize..4_000) {
            let (mut queue, mut plain, mut next) = (Queue::EMPTY, VecDeque::new(), 0);
            for (pushed, dropped) in steps {
                (next..next + pushed).for_each(|n| { queue.push(n); plain.push_back(n); });
                next += pushed;
                queue.drop_front(dropped);
                plain.drain(..dropped.min(plain.len()));
                prop_assert_eq!(queue.len(), plain.len());
                prop_assert_eq!(queue.get(at), plain.get(at));
                prop_assert!(queue.from(at).eq(plain.iter().skip(at)));
                prop_assert_eq!(queue.partition_point(|n| *n < at), plain.partition_point(|n| *n < at));
            }
        }
    }
}
