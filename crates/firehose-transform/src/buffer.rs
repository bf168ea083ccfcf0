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
        buffer.clear();
        if free.len() < KEPT {
            free.push(buffer);
        } else if let Some(last) = free.last_mut().filter(|last| last.capacity() < buffer.capacity()) {
            // The last is taken next. Text that a transform made must not push out the buffer that payloads have grown.
            *last = buffer;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_that_makes_its_own_text_leaves_payloads_their_buffer() {
        for _ in 0..3 * KEPT {
            let mut payload = take();
            payload.reserve(1000);
            give_back(Vec::with_capacity(10));
            give_back(payload);
            assert!(FREE.with_borrow(|free| free.last().is_some_and(|next| next.capacity() >= 1000)));
        }
    }
}
