//! Conditions on the fields of an event: `$.level = "ERROR" && ($.ms > 10 || $.user IS NULL)`. And binds closer than or.

use std::borrow::Cow;

use regex_lite::Regex;
use serde_json::Value;

#[derive(Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    One(Selector, Test),
}

/// Where in an event: `$.a.b[0]`. A column's name says nothing: its condition is about the column.
pub type Selector = Vec<Step>;

#[derive(Debug, PartialEq)]
pub enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug)]
pub enum Test {
    Is(Value),
    NotExists,
    Equals(Text),
    Differs(Text),
    Compares(Comparison, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug)]
pub enum Text {
    /// `*` stands for anything; the pieces between.
    Pieces(Vec<String>),
    Expression(Regex),
}

impl Condition {
    /// Parses a condition on fields, which are selected by `$.name`.
    pub fn of_fields(text: &str) -> Option<Condition> {
        Condition::parse(text).filter(|condition| condition.selects(&|selector| !selector.is_empty()))
    }

    /// Parses a condition on one column, which has a name.
    pub fn of_column(text: &str) -> Option<Condition> {
        Condition::parse(text).filter(|condition| condition.selects(&|selector| selector.is_empty()))
    }

    fn parse(text: &str) -> Option<Condition> {
        let tokens = tokens(text)?;
        let mut rest = tokens.as_slice();
        any(&mut rest).filter(|_| rest.is_empty())
    }

    fn selects(&self, right: &dyn Fn(&[Step]) -> bool) -> bool {
        match self {
            Condition::All(inner) | Condition::Any(inner) => inner.iter().all(|one| one.selects(right)),
            Condition::One(selector, _) => right(selector),
        }
    }

    /// A field that is missing meets no comparison, not even `!=`.
    pub fn holds<'v>(&self, find: &dyn Fn(&[Step]) -> Option<Cow<'v, Value>>) -> bool {
        match self {
            Condition::All(all) => all.iter().all(|one| one.holds(find)),
            Condition::Any(any) => any.iter().any(|one| one.holds(find)),
            Condition::One(selector, test) => match (find(selector), test) {
                (found, Test::NotExists) => found.is_none(),
                (None, _) => false,
                (Some(found), Test::Is(value)) => *found == *value,
                (Some(found), Test::Equals(text)) => text.is(&found),
                (Some(found), Test::Differs(text)) => !text.is(&found),
                (Some(found), Test::Compares(comparison, number)) => {
                    number_of(&found).is_some_and(|found| comparison.holds(found, *number))
                }
            },
        }
    }
}

/// The value that stands there.
pub fn find<'v>(event: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(event, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

/// A column is text, also where it is a number.
fn number_of(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

impl Comparison {
    fn holds(self, found: f64, number: f64) -> bool {
        match self {
            Comparison::Equal => found == number,
            Comparison::Unequal => found != number,
            Comparison::Less => found < number,
            Comparison::AtMost => found <= number,
            Comparison::Greater => found > number,
            Comparison::AtLeast => found >= number,
        }
    }
}

impl Text {
    fn parse(text: &str) -> Option<Text> {
        match text.strip_prefix('%') {
            Some(rest) => Some(Text::Expression(super::expression(rest.strip_suffix('%')?)?)),
            None => Some(Text::Pieces(text.split('*').map(str::to_owned).collect())),
        }
    }

    fn is(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        match self {
            Text::Expression(expression) => expression.is_match(&text),
            Text::Pieces(pieces) => fits(pieces, &text),
        }
    }
}

fn fits(pieces: &[String], text: &str) -> bool {
    let [first, inner @ .., last] = pieces else { return pieces.iter().any(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    inner.iter().all(|piece| match rest.split_once(piece.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[derive(Debug, PartialEq)]
enum Token {
    /// Quoted or not.
    Word(String, bool),
    /// `(`, `)`, `&&`, `||` and comparisons.
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 10] = ["&&", "||", "!=", "<=", ">=", "=", "<", ">", "(", ")"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = vec![];
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let length = if let Some(quoted) = rest.strip_prefix('"') {
            let (word, _) = quoted.split_once('"')?;
            tokens.push(Token::Word(word.to_owned(), true));
            word.len() + "\"\"".len()
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else {
            // An expression may have signs in it.
            let end = match rest.strip_prefix('%') {
                Some(expression) => expression.find('%')? + "%%".len(),
                None => rest.find(|c: char| c.is_whitespace() || "=!<>&|()\"".contains(c)).unwrap_or(rest.len()),
            };
            tokens.push(Token::Word(rest[..end].to_owned(), false));
            end
        };
        if length == 0 {
            return None;
        }
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

fn any(rest: &mut &[Token]) -> Option<Condition> {
    let mut any = vec![all(rest)?];
    while eat(rest, "||") {
        any.push(all(rest)?);
    }
    Some(Condition::Any(any))
}

fn all(rest: &mut &[Token]) -> Option<Condition> {
    let mut all = vec![one(rest)?];
    while eat(rest, "&&") {
        all.push(one(rest)?);
    }
    Some(Condition::All(all))
}

fn one(rest: &mut &[Token]) -> Option<Condition> {
    if eat(rest, "(") {
        let inside = any(rest)?;
        return eat(rest, ")").then_some(inside);
    }
    let selector = selector(&word(rest)?.0)?;
    Some(Condition::One(selector, test(rest)?))
}

fn test(rest: &mut &[Token]) -> Option<Test> {
    if let Some((keyword, false)) = word(rest) {
        return match (keyword.as_str(), word(rest)?.0.as_str()) {
            ("IS", "NULL") => Some(Test::Is(Value::Null)),
            ("IS", "TRUE") => Some(Test::Is(true.into())),
            ("IS", "FALSE") => Some(Test::Is(false.into())),
            ("NOT", "EXISTS") => Some(Test::NotExists),
            _ => None,
        };
    }
    let comparison = match rest.split_off_first()? {
        Token::Sign("=") => Comparison::Equal,
        Token::Sign("!=") => Comparison::Unequal,
        Token::Sign("<") => Comparison::Less,
        Token::Sign("<=") => Comparison::AtMost,
        Token::Sign(">") => Comparison::Greater,
        Token::Sign(">=") => Comparison::AtLeast,
        Token::Sign(_) | Token::Word(..) => return None,
    };
    let (value, quoted) = word(rest)?;
    match (comparison, value.parse().ok().filter(|_| !quoted)) {
        (comparison, Some(number)) => Some(Test::Compares(comparison, number)),
        (Comparison::Equal, None) => Text::parse(&value).map(Test::Equals),
        (Comparison::Unequal, None) => Text::parse(&value).map(Test::Differs),
        (Comparison::Less | Comparison::AtMost | Comparison::Greater | Comparison::AtLeast, None) => None,
    }
}

fn eat(rest: &mut &[Token], sign: &str) -> bool {
    let is = matches!(rest.first(), Some(Token::Sign(found)) if *found == sign);
    if is {
        *rest = &rest[1..];
    }
    is
}

fn word(rest: &mut &[Token]) -> Option<(String, bool)> {
    let Some(Token::Word(word, quoted)) = rest.first() else { return None };
    *rest = &rest[1..];
    Some((word.clone(), *quoted))
}

/// `$.a.b[0]`, or a column's name.
fn selector(text: &str) -> Option<Selector> {
    let Some(mut rest) = text.strip_prefix('$') else {
        return text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).then(Vec::new);
    };
    let mut steps = vec![];
    while !rest.is_empty() {
        if let Some(indexed) = rest.strip_prefix('[') {
            let (index, after) = indexed.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            rest = after;
        } else {
            let named = rest.strip_prefix('.')?;
            let end = named.find(['.', '[']).unwrap_or(named.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(named[..end].to_owned()));
            rest = &named[end..];
        }
    }
    (!steps.is_empty()).then_some(steps)
}
