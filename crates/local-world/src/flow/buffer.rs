//! A buffer by size and age.

use super::pieces::Pieces;
use crate::time::Millis;

/// When a buffer is to be closed: at whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    pub size_bytes: usize,
    /// 0 closes it in the same turn.
    pub interval_ms: Millis,
}

/// Items, their size, and since when there is one.
#[derive(Debug)]
pub struct Buffer<T> {
    items: Pieces<T>,
    bytes: usize,
    opened: Millis,
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Buffer { items: Pieces::default(), bytes: 0, opened: 0 }
    }
}

impl<T> Buffer<T> {
    pub fn push(&mut self, item: T, bytes: usize, now: Millis) {
        self.open(bytes, now);
        self.items.push(item);
    }

    /// Several items, of that many bytes together.
    pub fn append(&mut self, items: Vec<T>, bytes: usize, now: Millis) {
        self.open(bytes, now);
        self.items.append(items);
    }

    fn open(&mut self, bytes: usize, now: Millis) {
        if self.items.is_empty() {
            self.opened = now;
        }
        self.bytes += bytes;
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// When it is to be closed; `None` when there is nothing in it.
    pub fn due(&self, hints: Hints) -> Option<Millis> {
        let due = if self.bytes >= hints.size_bytes { self.opened } else { self.opened + hints.interval_ms };
        (!self.items.is_empty()).then_some(due)
    }

    /// Takes all items out and leaves it empty.
    pub fn take(&mut self) -> Pieces<T> {
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINTS: Hints = Hints { size_bytes: 10, interval_ms: 60 };

    #[test]
    fn it_is_due_by_age_of_its_first_item_or_at_once_by_size() {
        // (sizes pushed at 100, 110, ...; due)
        let table: &[(&[usize], Option<Millis>)] =
            &[(&[], None), (&[0], Some(160)), (&[4, 5], Some(160)), (&[10], Some(100)), (&[4, 7], Some(100))];
        for (sizes, due) in table {
            let mut buffer = Buffer::default();
            for (i, size) in sizes.iter().enumerate() {
                buffer.push((), *size, 100 + 10 * i as Millis);
            }
            assert_eq!(buffer.due(HINTS), *due, "{sizes:?}");
        }
    }

    #[test]
    fn a_taken_buffer_begins_anew() {
        let mut buffer = Buffer::default();
        buffer.push('a', 12, 100);
        assert!(buffer.take().iter().eq(&['a']));
        assert_eq!(buffer.due(HINTS), None);
        buffer.push('b', 1, 500);
        assert_eq!(buffer.due(HINTS), Some(560));
    }
}
