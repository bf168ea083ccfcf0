//! A pool of buffers. Once they have grown, a record costs no allocation.

use std::cell::RefCell;

/// Enough for one record: its payload, its answer, and some for a transform that writes more than one.
const KEPT: usize = 4;
/// Larger buffers are freed, so that one huge record does not hold memory for ever.
const LARGEST: usize = 4 * 1024 * 1024;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer, with its old capacity if one was given back before.
pub(crate) fn take() -> Vec<u8> {
    FREE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

pub(crate) fn give_back(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > LARGEST {
        return;
    }
    FREE.with_borrow_mut(|free| {
        if free.len() < KEPT {
            buffer.clear();
            free.push(buffer);
        }
    });
}
