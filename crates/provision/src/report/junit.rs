//! JUnit's XML, which CI systems show as test results. Pure.
//!
//! There is no official format. This is the part that Jenkins, GitLab, GitHub's actions and CircleCI all read:
//! <https://github.com/testmoapp/junitxml>.

use std::fmt::Write;

/// A list of cases under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    pub name: String,
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The subject of the test: CI systems group cases by it.
    pub class: String,
    pub name: String,
    pub result: Outcome,
    /// `None` where it was not measured.
    pub took_ms: Option<u64>,
}

/// How a case ended. A message is one line; details may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed { message: String, details: String },
    Skipped { message: String },
}

impl Suite {
    /// The whole document. Masking secrets is left to the caller.
    pub fn xml(&self) -> String {
        let count = |is: fn(&Outcome) -> bool| self.cases.iter().filter(|case| is(&case.result)).count();
        let failures = count(|result| matches!(result, Outcome::Failed { .. }));
        let skipped = count(|result| matches!(result, Outcome::Skipped { .. }));
        let name = escaped(&self.name);
        let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", self.cases.len());
        let time = time(Some(self.cases.iter().filter_map(|case| case.took_ms).sum()));
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{name}\" {counts}{time}>\n  \
             <testsuite name=\"{name}\" {counts} skipped=\"{skipped}\"{time}>\n"
        );
        self.cases.iter().for_each(|case| case.write(&mut xml));
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
}

impl Case {
    fn write(&self, xml: &mut String) {
        let Case { class, name, result, took_ms } = self;
        let head =
            format!("    <testcase classname=\"{}\" name=\"{}\"{}", escaped(class), escaped(name), time(*took_ms));
        let inner = match result {
            Outcome::Passed => {
                xml.push_str(&format!("{head}/>\n"));
                return;
            }
            Outcome::Failed { message, details } => {
                format!("<failure message=\"{}\">{}</failure>", escaped(message), escaped(details))
            }
            Outcome::Skipped { message } => format!("<skipped message=\"{}\"/>", escaped(message)),
        };
        xml.push_str(&format!("{head}>\n      {inner}\n    </testcase>\n"));
    }
}

/// In seconds.
fn time(took_ms: Option<u64>) -> String {
    took_ms.map(|ms| format!(" time=\"{}.{:03}\"", ms / 1000, ms % 1000)).unwrap_or_default()
}

/// For an attribute or an element. A character that XML 1.0 cannot hold becomes U+FFFD.
/// <https://www.w3.org/TR/xml/#charsets>
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // An attribute would turn them into spaces.
            '\n' | '\t' | '\r' => write!(escaped, "&#{};", u32::from(c)).expect("a String takes all"),
            '\u{0}'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_counts_its_cases_and_holds_any_text() {
        let case = |name: &str, result, took_ms| Case { class: "raw".into(), name: name.into(), result, took_ms };
        let failed = Outcome::Failed { message: "1 < 2 & \"3\"".into(), details: "first\nsecond\u{1b}[31m".into() };
        let suite = Suite {
            name: "verify kinesis-test".into(),
            cases: vec![
                case("accounted", Outcome::Passed, Some(1_050)),
                case("ordered", failed, None),
                case("late", Outcome::Skipped { message: "not asked".into() }, None),
            ],
        };
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="verify kinesis-test" tests="3" failures="1" errors="0" time="1.050">
  <testsuite name="verify kinesis-test" tests="3" failures="1" errors="0" skipped="1" time="1.050">
    <testcase classname="raw" name="accounted" time="1.050"/>
    <testcase classname="raw" name="ordered">
      <failure message="1 &lt; 2 &amp; &quot;3&quot;">first&#10;second�[31m</failure>
    </testcase>
    <testcase classname="raw" name="late">
      <skipped message="not asked"/>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(suite.xml(), expected);
    }
}
