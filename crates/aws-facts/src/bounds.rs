//! The forms that bounds have: of numbers, and of names.

/// The least and the greatest number that AWS takes. It takes both. The constant that has it says the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The least number that is taken.
    pub min: u32,
    /// The greatest number that is taken.
    pub max: u32,
}

impl Bounds {
    /// Whether AWS takes this number.
    pub fn admit(self, number: u32) -> bool {
        (self.min..=self.max).contains(&number)
    }
}

/// Which names a kind of resource can have: one or more ASCII letters, digits and marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRule {
    /// The greatest number of characters.
    pub max: usize,
    /// The characters that are allowed beside letters and digits. `-` is last, so that it stands for itself in a pattern.
    pub marks: &'static str,
}

impl NameRule {
    /// Whether a resource can have this name.
    pub fn admits(&self, name: &str) -> bool {
        (1..=self.max).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || self.marks.contains(c))
    }

    /// A regular expression for the whole of a name of any length.
    pub fn pattern(&self) -> String {
        format!("[a-zA-Z0-9{}]+", self.marks)
    }

    /// A regular expression for the whole of a name.
    pub fn bounded_pattern(&self) -> String {
        format!("[a-zA-Z0-9{}]{{1,{}}}", self.marks, self.max)
    }

    /// A regular expression for a name or an ARN of a service, in any account and region. `before` and `after` are what is around the
    /// name in the ARN, such as `stream/` and nothing.
    pub fn pattern_with_arn(&self, service: &str, before: &str, after: &str) -> String {
        let name = self.bounded_pattern();
        format!("arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:{before}{name}{after}|{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: NameRule = NameRule { max: 5, marks: "_.-" };

    #[test]
    fn names_and_patterns_follow_from_the_rule() {
        for (name, good) in [("a.b-c", true), ("", false), ("abcdef", false), ("a/b", false), ("é", false)] {
            assert_eq!(RULE.admits(name), good, "{name}");
        }
        assert_eq!(RULE.pattern(), "[a-zA-Z0-9_.-]+");
        let expected = "arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[a-zA-Z0-9_.-]{1,5}|[a-zA-Z0-9_.-]{1,5}";
        assert_eq!(RULE.pattern_with_arn("kinesis", "stream/", ""), expected);
    }

    #[test]
    fn bounds_admit_both_ends() {
        let admitted = (0..6).filter(|number| Bounds { min: 2, max: 4 }.admit(*number));
        assert_eq!(admitted.collect::<Vec<_>>(), [2, 3, 4]);
    }
}
