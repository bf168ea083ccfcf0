//! A text by lines: where a place is, and the part of the text around it. Each question costs the same, however long the text or
//! its lines are, so that a spec with thousands of mistakes is told in a moment.

use std::ops::Range;

use super::diagnostic::Span;

/// Characters are counted once up to each multiple of so many bytes.
const STEP: usize = 1024;
/// So many characters of a line are looked at on either side of a place: more than any terminal shows.
const MARGIN: usize = 512;
/// The most lines of one place: what a caret underlines is its beginning.
const MOST: usize = 20;

#[derive(Debug, Clone)]
pub(crate) struct Lines {
    text: String,
    /// Where each line begins, in bytes.
    starts: Vec<usize>,
    /// Characters before each multiple of `STEP`.
    characters: Vec<usize>,
}

/// The lines of a place, or as much of them as is worth showing.
pub(crate) struct Excerpt<'t> {
    pub text: &'t str,
    /// The place in `text`.
    pub span: Range<usize>,
    pub line: usize,
    pub column: usize,
    /// The column in `text`, which may begin in the middle of a line.
    pub shown_column: usize,
}

impl Lines {
    pub(crate) fn of(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut characters = vec![0];
        for chunk in text.as_bytes().chunks(STEP) {
            characters.push(characters[characters.len() - 1] + count(chunk));
        }
        Lines { text: text.to_owned(), starts: std::iter::once(0).chain(ends).collect(), characters }
    }

    /// Line and column of a place, both from 1; columns count characters.
    pub(crate) fn line_and_column(&self, at: Span) -> (usize, usize) {
        let start = self.within(at).start;
        let line = self.line(start);
        (line + 1, self.characters_before(start) - self.characters_before(self.starts[line]) + 1)
    }

    pub(crate) fn excerpt(&self, at: Span) -> Excerpt<'_> {
        let at = self.within(at);
        let first = self.line(at.start);
        let last = self.line(at.end.max(at.start + 1) - 1).min(first + MOST - 1);
        let line = self.starts[first]..self.starts.get(last + 1).copied().unwrap_or(self.text.len());
        let start = self.boundary(line.start.max(at.start.saturating_sub(MARGIN)));
        let end = self.boundary(line.end.min(at.start + MOST * MARGIN));
        let column = |from: usize| self.characters_before(at.start) - self.characters_before(from) + 1;
        Excerpt {
            text: &self.text[start..end],
            span: at.start - start..at.end.min(end) - start,
            line: first + 1,
            column: column(line.start),
            shown_column: column(start),
        }
    }

    fn within(&self, at: Span) -> Range<usize> {
        let start = at.start.min(self.text.len());
        start..at.end.clamp(start, self.text.len())
    }

    /// The line, from 0, in which this byte stands.
    fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte) - 1
    }

    fn characters_before(&self, byte: usize) -> usize {
        let whole = byte / STEP;
        let bytes = &self.text.as_bytes()[whole * STEP..byte];
        self.characters[whole] + count(bytes)
    }

    /// The place of a character, at or before this byte.
    fn boundary(&self, byte: usize) -> usize {
        (0..=byte).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default()
    }
}

/// Characters that begin in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_where_counting_from_the_beginning_finds_it(
            parts in proptest::collection::vec(("[aä☃\n]{0,40}", 1usize..60), 0..9),
            place in any::<proptest::sample::Index>(),
        ) {
            let text: String = parts.iter().map(|(part, times)| part.repeat(*times)).collect();
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let start = *place.get(&places);
            let before = &text[..start];
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            let lines = Lines::of(&text);
            let at = Span { start, end: start + 1 };
            prop_assert_eq!(lines.line_and_column(at), (before.matches('\n').count() + 1, column));
            let excerpt = lines.excerpt(at);
            prop_assert_eq!(&excerpt.text[excerpt.span.start..], &text[start..start + excerpt.text.len() - excerpt.span.start]);
            prop_assert!(excerpt.text.len() <= (MOST + 1) * MARGIN + 4);
        }
    }
}
