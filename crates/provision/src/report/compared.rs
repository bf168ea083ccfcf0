//! Two versions of a function compared, for people: as text and as Markdown.

use crate::names::plural;
use crate::report::human::{BOLD, CARE, DIM, GOOD};
use crate::transform::compared::{Change, Compared};
use crate::transform::invoked::Shown;

pub fn compared(result: &Compared) -> String {
    let Compared { function, against, records, same, changes } = result;
    let (style, sign) = if changes.is_empty() { (GOOD, '✓') } else { (CARE, '~') };
    let all = plural(*records, "record");
    let mut text = format!("  {style}{sign}{style:#} {function} against {against}: {same} of {all} answered alike\n");
    for Change { kind, records, examples } in changes {
        text.push_str(&format!("  {BOLD}{kind}{BOLD:#}: {}\n", plural(*records, "record")));
        for example in examples {
            text.push_str(&format!("      {DIM}record{DIM:#} {}\n", line(&example.record)));
            text.push_str(&format!("      - {}\n      + {}\n", line(&example.before), line(&example.after)));
        }
    }
    text
}

/// Markdown for a comment on a pull request.
pub fn markdown(result: &Compared) -> String {
    let Compared { function, against, records, same, changes } = result;
    let mut text = format!("### `{function}` against `{against}`\n\n");
    if changes.is_empty() {
        return text + &format!("All {} are answered alike.\n", plural(*records, "record"));
    }
    text.push_str(&format!(
        "{same} of {} are answered alike.\n\n| change | records |\n|---|---|\n",
        plural(*records, "record")
    ));
    for Change { kind, records, .. } in changes {
        text.push_str(&format!("| `{}` | {records} |\n", kind.replace('|', "\\|").replace('`', "'")));
    }
    for Change { kind, examples, .. } in changes {
        text.push_str(&format!("\n<details><summary>{}</summary>\n\n```diff\n", escaped(kind)));
        for example in examples {
            text.push_str(&format!(
                "  {}\n- {}\n+ {}\n",
                fenced(&example.record),
                fenced(&example.before),
                fenced(&example.after)
            ));
        }
        text.push_str("```\n\n</details>\n");
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A line that cannot end the fence it is in.
fn fenced(shown: &Shown) -> String {
    line(shown).replace("```", "'''")
}

/// One line, of bounded length.
fn line(shown: &Shown) -> String {
    let text = match shown {
        Shown::Text(text) => text.replace('\n', "\\n"),
        Shown::Base64(text) => format!("base64:{text}"),
    };
    super::replayed::short(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::compared::Example;

    #[test]
    fn markdown_groups_the_changes_and_stays_in_its_fence() {
        let shown = |text: &str| Shown::Text(text.into());
        let example = Example { record: shown("a\n```"), before: shown("{\"n\":1}"), after: shown("Dropped") };
        let change = Change { kind: "Ok -> Dropped".into(), records: 2, examples: vec![example] };
        let mut result =
            Compared { function: "f".into(), against: "main".into(), records: 3, same: 1, changes: vec![change] };
        let expected = "### `f` against `main`\n\n1 of 3 records are answered alike.\n\n| change | records |\n|---|---|\n| `Ok -> Dropped` | 2 \
                        |\n\n<details><summary>Ok -&gt; Dropped</summary>\n\n```diff\n  a\\n'''\n- {\"n\":1}\n+ Dropped\n```\n\n</details>\n";
        assert_eq!(markdown(&result), expected);
        result.changes.clear();
        assert_eq!(markdown(&result), "### `f` against `main`\n\nAll 3 records are answered alike.\n");
    }
}
