//! Breaks long lines between words, so that they fit the terminal.

/// Columns in which the value of a line may begin; a value further right is not lined up with.
const VALUE_STARTS_BEFORE: usize = 40;

/// Breaks each line that is longer than `width` columns. What follows is lined up with the line's value, which is what stands
/// after two spaces or more; where it does not fit there, it is indented by two columns. A word is never broken, so that
/// names and ARNs can be copied.
pub fn wrapped(text: &str, width: usize) -> String {
    text.split('\n').map(|line| broken(line, width)).collect::<Vec<_>>().join("\n")
}

fn broken(line: &str, width: usize) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    if plain.chars().count() <= width {
        return line.to_owned();
    }
    let indent = plain.chars().take_while(|char| *char == ' ').count();
    let mut continues_at = value_starts(&plain, indent).unwrap_or(indent + 2);
    let (mut lines, mut column) = (String::new(), 0);
    for (index, word) in line.split(' ').enumerate() {
        let columns = anstream::adapter::strip_str(word).to_string().chars().count();
        let gap = usize::from(index > 0);
        if column <= indent || column + gap + columns <= width {
            lines.push_str(&" ".repeat(gap));
            lines.push_str(word);
            column += gap + columns;
            continue;
        }
        if continues_at + columns > width {
            continues_at = indent + 2;
        }
        lines.truncate(lines.trim_end_matches(' ').len());
        lines.push('\n');
        lines.push_str(&" ".repeat(continues_at));
        lines.push_str(word);
        column = continues_at + columns;
    }
    lines
}

/// The column after the first gap of two spaces or more.
fn value_starts(plain: &str, indent: usize) -> Option<usize> {
    let chars: Vec<char> = plain.chars().collect();
    let gap = chars.windows(2).skip(indent).position(|pair| pair == [' ', ' '])? + indent;
    let starts = gap + chars[gap..].iter().position(|char| *char != ' ')?;
    (starts <= VALUE_STARTS_BEFORE).then_some(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_line_up_with_their_value() {
        let table = [
            ("short", "short"),
            (
                "      policy    s3:GetObject, s3:PutObject",
                "      policy    s3:GetObject,\n                s3:PutObject",
            ),
            ("warning: one two three four five", "warning: one two three four\n  five"),
            (
                "  + prefix.raw    lake/data/kinesis/raw/bad/ by raw",
                "  + prefix.raw\n    lake/data/kinesis/raw/bad/\n    by raw",
            ),
            ("  an-arn-that-is-longer-than-the-line", "  an-arn-that-is-longer-than-the-line"),
        ];
        for (line, expected) in table {
            assert_eq!(wrapped(line, 30), expected);
        }
    }

    #[test]
    fn styles_take_no_columns() {
        let line = "\u{1b}[1mdone\u{1b}[0m in 3 s: 13 created";
        assert_eq!(wrapped(line, 24), line);
        assert_eq!(wrapped(&format!("{line}, 1 kept"), 24), format!("{line},\n  1 kept"));
    }
}
