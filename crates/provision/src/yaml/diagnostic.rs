//! The mistakes in a spec, each with its place: all of them, not only the first.

use std::fmt;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::lines::{Excerpt, Lines};
use crate::secret::Secrets;

/// A place in the spec's text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong, or surprising.
#[derive(Debug, Clone)]
pub(crate) struct Mistake {
    severity: Severity,
    /// `None`: it has no place in the file.
    at: Option<Span>,
    what: String,
    expected: Option<String>,
    help: Option<String>,
}

impl Mistake {
    pub(crate) fn error(at: Span, what: impl Into<String>) -> Mistake {
        Mistake { severity: Severity::Error, at: Some(at), what: what.into(), expected: None, help: None }
    }

    pub(crate) fn warning(at: Span, what: impl Into<String>) -> Mistake {
        Mistake { severity: Severity::Warning, ..Mistake::error(at, what) }
    }

    /// A mistake that is not at a place in the file: the file cannot be read, a flag is wrong.
    pub(crate) fn outside(what: impl Into<String>) -> Mistake {
        Mistake { at: None, ..Mistake::error(Span::default(), what) }
    }

    /// The expectation at this place: shown at the caret.
    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Mistake {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help = Some(help.into());
        self
    }

    /// Suggests the candidate nearest to `word`, if one is near.
    pub(crate) fn nearest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Mistake {
        match nearest(word, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// Suggests the candidate nearest to `word`; with none near, names what there is.
    pub(crate) fn nearest_or_all(self, word: &str, candidates: &[&str]) -> Mistake {
        let mistake = self.nearest(word, candidates.iter().copied());
        match mistake.help.is_some() || candidates.is_empty() {
            true => mistake,
            false => mistake.help(format!("choices: {}", candidates.join(", "))),
        }
    }
}

fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let (best, edits) = candidates.into_iter().map(|c| (c, distance(c))).min_by_key(|(_, edits)| *edits)?;
    (edits <= 1 + best.len().max(word.len()) / 4).then_some(best)
}

/// How many mistakes are shown to people. The rest is counted: who has a thousand will correct some and look again.
const SHOWN: usize = 100;

/// All mistakes (or all warnings) of one spec.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    file: String,
    text: Box<Lines>,
    items: Vec<Mistake>,
    /// Not to be shown. (The texts of the mistakes are free of them.)
    secrets: Secrets,
}

impl Diagnostics {
    /// `items` are put into the order of the file. What several entries inherit is said once.
    pub(crate) fn new(file: &str, text: &str, mut items: Vec<Mistake>) -> Diagnostics {
        items.sort_by_key(|item| item.at.map_or(0, |at| at.start));
        items.dedup_by(|a, b| a.at.is_some() && a.at == b.at && a.what == b.what);
        Diagnostics { file: file.to_owned(), text: Box::new(Lines::of(text)), items, secrets: Secrets::default() }
    }

    /// The same, without these.
    pub(crate) fn without(mut self, secrets: &Secrets) -> Diagnostics {
        let mask = |text: &mut String| *text = secrets.mask(text).into_owned();
        for Mistake { what, expected, help, .. } in &mut self.items {
            [Some(what), expected.as_mut(), help.as_mut()].into_iter().flatten().for_each(mask);
        }
        Diagnostics { secrets: secrets.clone(), ..self }
    }

    pub fn none(file: &str) -> Diagnostics {
        Diagnostics::new(file, "", vec![])
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Mistakes and warnings apart, in this order.
    pub(crate) fn split(file: &str, text: &str, items: Vec<Mistake>) -> (Diagnostics, Diagnostics) {
        let (errors, warnings) = items.into_iter().partition(|item| item.severity == Severity::Error);
        (Diagnostics::new(file, text, errors), Diagnostics::new(file, text, warnings))
    }

    /// Each with file, line, column and the line itself with a caret; a blank line between two. Of very many the first.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let shown = self.items.iter().take(SHOWN);
        let mut rendered: Vec<String> = shown.map(|item| self.render_one(item, &renderer)).collect();
        if self.items.len() > SHOWN {
            let more = self.items.len() - SHOWN;
            rendered.push(format!("{}: {more} more; `provision validate --output json` names every one", self.file));
        }
        rendered.join("\n\n")
    }

    fn render_one(&self, item: &Mistake, renderer: &Renderer) -> String {
        let level = match item.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = match item.at {
            Some(_) => item.what.clone(),
            None => format!("{}: {}", self.file, item.what),
        };
        let mut group = annotate_snippets::Group::with_title(level.primary_title(title));
        let excerpt = item.at.map(|at| self.text.excerpt(at));
        // The text has variables, and no values of them, but for defaults.
        let text = excerpt.as_ref().map(|excerpt| self.secrets.cover(excerpt.text)).unwrap_or_default();
        if let Some(Excerpt { span, line, .. }) = &excerpt {
            let caret = AnnotationKind::Primary.span(span.clone()).label(item.expected.as_deref());
            group = group.element(Snippet::source(&*text).line_start(*line).path(&self.file).annotation(caret));
        }
        if let Some(help) = &item.help {
            group = group.element(Level::HELP.message(help));
        }
        let rendered = renderer.render(&[group]);
        match excerpt {
            // The renderer counts columns from where the line was cut.
            Some(Excerpt { line, column, shown_column, .. }) if column != shown_column => {
                let place = |column| format!("{}:{line}:{column}", self.file);
                rendered.replacen(&place(shown_column), &place(column), 1)
            }
            _ => rendered,
        }
    }
}

/// One mistake, for programs.
#[derive(serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Mistake"))]
struct Told<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    what: &'a str,
    expected: Option<&'a str>,
    help: Option<&'a str>,
}

impl Serialize for Diagnostics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.items.len()))?;
        for Mistake { at, what, expected, help, .. } in &self.items {
            let (line, column) = at.map(|at| self.text.line_and_column(at)).unzip();
            let (expected, help) = (expected.as_deref(), help.as_deref());
            list.serialize_element(&Told { file: &self.file, line, column, what, expected, help })?;
        }
        list.end()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Diagnostics {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Diagnostics".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <Vec<Told<'static>>>::json_schema(generator)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
