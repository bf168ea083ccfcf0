//! The lines about running work that stand at the end of a terminal, below everything else, and are rewritten in place.

/// The lines that the terminal shows now.
#[derive(Debug, Default)]
pub struct Block {
    drawn: Vec<String>,
}

impl Block {
    pub fn is_drawn(&self) -> bool {
        !self.drawn.is_empty()
    }

    /// The text that removes it from the terminal. The cursor is at the end of its last line, and comes to the beginning of its first.
    pub fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn).len() {
            0 => String::new(),
            1 => "\r\x1b[J".to_owned(),
            lines => format!("\r\x1b[{}A\x1b[J", lines - 1),
        }
    }

    /// The text that shows these lines in its place. Nothing if they stand there already.
    pub fn draw(&mut self, lines: Vec<String>, styled: impl Fn(&str) -> String) -> String {
        if lines == self.drawn {
            return String::new();
        }
        let text: Vec<String> = lines.iter().map(|line| styled(line)).collect();
        let drawn = self.erase() + &text.join("\n");
        self.drawn = lines;
        drawn
    }
}
