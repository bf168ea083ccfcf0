//! Collects a function's output as the lines of its log, within bounds.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The most that is kept of a line, in bytes: with what CloudWatch Logs adds to each event, 256 KiB.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_InputLogEvent.html>
pub const MAX_LINE_BYTES: usize = 262_144 - EVENT_BYTES;
/// The most that is kept of one invocation, each line counted with [`EVENT_BYTES`]. A bound of ours: AWS has none.
pub const MAX_INVOCATION_BYTES: usize = 4 << 20;
/// Bytes that CloudWatch Logs counts for an event besides its text.
pub const EVENT_BYTES: usize = 26;

/// The lines since they were last taken.
#[derive(Debug, Default)]
pub struct Written {
    lines: Vec<String>,
    kept_bytes: usize,
    cut_lines: u64,
    cut_bytes: u64,
}

impl Written {
    /// Keeps the line, or counts it. `cut` bytes of it were not kept.
    fn line(&mut self, bytes: &[u8], cut: u64) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches('\r');
        let end = text.floor_char_boundary(MAX_LINE_BYTES);
        let cut = cut + (text.len() - end) as u64;
        if self.kept_bytes + end + EVENT_BYTES > MAX_INVOCATION_BYTES {
            self.cut_lines += 1;
            self.cut_bytes += end as u64 + cut;
            return;
        }
        self.kept_bytes += end + EVENT_BYTES;
        self.lines.push(text[..end].to_owned());
        if cut > 0 {
            self.say(format!(
                "[the built-in emulator keeps {MAX_LINE_BYTES} bytes of a line: {cut} bytes of this one were cut]"
            ));
        }
    }

    /// A line of the engine's own, which is kept whatever was written.
    pub fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    /// All lines, and one that tells how much more there was.
    pub fn take(&mut self) -> Vec<String> {
        let Written { mut lines, cut_lines, cut_bytes, .. } = std::mem::take(self);
        if cut_lines > 0 {
            lines.push(format!(
                "[the built-in emulator keeps {MAX_INVOCATION_BYTES} bytes of what an invocation writes: {cut_lines} more lines of \
                 {cut_bytes} bytes were cut]"
            ));
        }
        lines
    }
}

/// A line that has not ended.
#[derive(Debug, Default)]
struct Begun {
    bytes: Vec<u8>,
    cut: u64,
}

impl Begun {
    fn take_in(&mut self, bytes: &[u8], into: &RefCell<Written>) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n");
            let ended = text.is_some();
            let text = text.unwrap_or(part);
            // A carriage return at its end is not counted.
            let room = (MAX_LINE_BYTES + 1).saturating_sub(self.bytes.len()).min(text.len());
            self.bytes.extend_from_slice(&text[..room]);
            self.cut += (text.len() - room) as u64;
            if ended {
                self.end(into);
            }
        }
    }

    fn end(&mut self, into: &RefCell<Written>) {
        into.borrow_mut().line(&self.bytes, self.cut);
        self.bytes.clear();
        self.bytes.shrink_to(4096);
        self.cut = 0;
    }
}

/// Every line of the pipe, as it comes.
pub fn collect(pipe: Option<impl AsyncRead + Unpin + 'static>, into: Rc<RefCell<Written>>) {
    let Some(mut pipe) = pipe else { return };
    tokio::task::spawn_local(async move {
        // As much as a pipe holds.
        let mut read = vec![0; 64 << 10];
        let mut begun = Begun::default();
        while let Ok(count @ 1..) = pipe.read(&mut read).await {
            begun.take_in(&read[..count], &into);
        }
        if !begun.bytes.is_empty() {
            begun.end(&into);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parts: &[&[u8]]) -> Vec<String> {
        let (into, mut begun) = (RefCell::default(), Begun::default());
        parts.iter().for_each(|part| begun.take_in(part, &into));
        begun.take_in(b"\n", &into);
        into.take().take()
    }

    #[test]
    fn lines_come_whole_whatever_they_are_read_in() {
        assert_eq!(written(&[b"a\r\nb", b"c\n\n\xff", b"d"]), ["a", "bc", "", "\u{fffd}d"]);
    }

    #[test]
    fn a_line_is_kept_up_to_an_events_size_and_the_rest_counted() {
        let most = vec![b'x'; MAX_LINE_BYTES];
        assert_eq!(written(&[&most]).len(), 1);
        let lines = written(&[&most, b"yz", b"z"]);
        assert_eq!(lines[0].len(), MAX_LINE_BYTES);
        assert_eq!(lines[1..], ["[the built-in emulator keeps 262118 bytes of a line: 3 bytes of this one were cut]"]);
        // Each byte that is not UTF-8 becomes three bytes.
        let lines = written(&[&[0xff; MAX_LINE_BYTES]]);
        assert_eq!((lines.len(), lines[0].len()), (2, MAX_LINE_BYTES / 3 * 3));
    }

    #[test]
    fn an_invocation_is_kept_up_to_a_bound_and_the_rest_counted() {
        let (into, mut begun) = (RefCell::<Written>::default(), Begun::default());
        let most = MAX_INVOCATION_BYTES / (EVENT_BYTES + 1);
        (0..most + 5).for_each(|_| begun.take_in(b"x\n", &into));
        let lines = into.borrow_mut().take();
        assert_eq!(lines.len(), most + 1);
        assert!(
            lines[most].ends_with("of what an invocation writes: 5 more lines of 5 bytes were cut]"),
            "{}",
            lines[most]
        );
        begun.take_in(b"next\n", &into);
        assert_eq!(into.take().take(), ["next"], "each invocation has a bound of its own");
    }
}
