//! Error messages quote what users sent. They are cut here, so that no answer repeats megabytes.

/// The longest message. The longest that AWS is known to write, ten violations of patterns and lists of values, fit.
const MOST_BYTES: usize = 8 << 10;

/// Bytes kept at the end of a message that is cut, where AWS's own words often are.
const TAIL: usize = 1 << 10;

/// A quoted value is cut here, so that the words after it stay.
const MOST_OF_A_VALUE: usize = 2 << 10;

/// The message, with its middle left out where it is too long.
pub fn message(text: String) -> String {
    cut(text, MOST_BYTES, TAIL)
}

/// A user's value as a message quotes it.
pub fn value(text: String) -> String {
    cut(text, MOST_OF_A_VALUE, 0)
}

fn cut(text: String, most: usize, tail: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let head_ends = text.floor_char_boundary(most - tail);
    let tail_begins = text.ceil_char_boundary(text.len() - tail);
    let left_out = tail_begins - head_ends;
    format!("{}... ({left_out} bytes left out) ...{}", &text[..head_ends], &text[tail_begins..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_keeps_its_beginning_and_its_end() {
        let long = format!("Stream {} under account 1 not found.", "é".repeat(MOST_BYTES));
        let cut = message(long);
        assert!(cut.len() < MOST_BYTES + 64, "{}", cut.len());
        assert!(cut.starts_with("Stream éé") && cut.ends_with("éé under account 1 not found."), "{cut}");
        assert!(cut.contains(" bytes left out) ..."), "{cut}");
        assert_eq!(message("short".into()), "short");
        assert_eq!(value("a".repeat(MOST_OF_A_VALUE)).len(), MOST_OF_A_VALUE);
        assert!(value("a".repeat(1 << 20)).len() < MOST_OF_A_VALUE + 64);
    }
}
