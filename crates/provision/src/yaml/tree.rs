//! YAML text to a tree that knows where each of its nodes stands. Nothing is typed yet: `1`, `"1"` and `${N}` are scalars
//! alike, so that a variable can stand for a number. Duplicate keys are collected; a syntax error ends the reading.

use std::collections::{HashMap, HashSet};

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span as Mark};

use super::diagnostic::{Mistake, Span};

/// So many nodes may the aliases of a spec stand for in all. The nodes written out are bounded by the size of the file.
const MAX_ALIASED: usize = 200_000;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The place of a mapping or a list in block style is that of the key that introduces it.
    pub at: Span,
    pub value: Value,
    /// Has `${env}` been replaced in it?
    pub varies: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Pair>),
    /// Already reported: whoever reads it says nothing more.
    Wrong,
}

#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub key: String,
    pub key_at: Span,
    pub value: Node,
}

/// The one document of `text`. Mistakes that do not keep the rest from being read go into `mistakes`.
pub(crate) fn parse(text: &str, mistakes: &mut Vec<Mistake>) -> Result<Node, Mistake> {
    let mut builder = Builder { anchors: HashMap::new(), aliased: 0, mistakes };
    let mut parser = Parser::new_from_str(text);
    let mut root = None;
    while let Some(next) = parser.next_event() {
        let (event, mark) = next.map_err(|e| syntax(text, &e))?;
        match event {
            Event::DocumentStart(..) if root.is_some() => {
                return Err(Mistake::error(span(&mark), "a second document")
                    .expected("a spec is one document: remove this and what follows"));
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
            node => root = Some(builder.node(text, &mut parser, node, mark)?),
        }
    }
    match root {
        Some(Node { value: Value::Null, .. }) | None => {
            Err(Mistake::outside("the spec is empty").help("`provision init` writes one to start from"))
        }
        Some(root) => Ok(root),
    }
}

type YamlParser<'t> = Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>;

struct Builder<'m> {
    anchors: HashMap<usize, Node>,
    /// Nodes that were copied for aliases.
    aliased: usize,
    mistakes: &'m mut Vec<Mistake>,
}

impl Builder<'_> {
    fn node<'t>(
        &mut self,
        text: &'t str,
        parser: &mut YamlParser<'t>,
        event: Event<'t>,
        mark: Mark,
    ) -> Result<Node, Mistake> {
        let at = span(&mark);
        let (value, anchor) = match event {
            Event::Scalar(scalar, style, anchor, _) => (scalar_value(&scalar, style), anchor),
            Event::SequenceStart(_, anchor, _) => (Value::List(self.list(text, parser)?), anchor),
            Event::MappingStart(_, anchor, _) => (Value::Map(self.map(text, parser)?), anchor),
            Event::Alias(id) => return self.alias(id, at),
            _ => return Err(Mistake::error(at, "this is not a value")),
        };
        let node = Node { at, value, varies: false };
        if anchor != 0 {
            self.count(node.size(), at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list<'t>(&mut self, text: &'t str, parser: &mut YamlParser<'t>) -> Result<Vec<Node>, Mistake> {
        let mut items = Vec::new();
        loop {
            match next(text, parser)? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, mark) => items.push(self.node(text, parser, event, mark)?),
            }
        }
    }

    fn map<'t>(&mut self, text: &'t str, parser: &mut YamlParser<'t>) -> Result<Vec<Pair>, Mistake> {
        let mut pairs: Vec<Pair> = Vec::new();
        let mut keys = HashSet::new();
        loop {
            let (key, key_at) = match next(text, parser)? {
                (Event::MappingEnd, _) => return Ok(pairs),
                (Event::Scalar(key, ..), mark) => (key.into_owned(), span(&mark)),
                (_, mark) => return Err(Mistake::error(span(&mark), "a key is a word").expected("a plain key")),
            };
            let value = self.value_of(text, parser, key_at)?;
            if !keys.insert(key.clone()) {
                let what = format!("the key `{key}` stands here twice");
                self.mistakes.push(Mistake::error(key_at, what).expected("once is enough: remove one"));
                continue;
            }
            pairs.push(Pair { key, key_at, value });
        }
    }

    fn value_of<'t>(&mut self, text: &'t str, parser: &mut YamlParser<'t>, key_at: Span) -> Result<Node, Mistake> {
        let (event, mark) = next(text, parser)?;
        let mut node = self.node(text, parser, event, mark)?;
        if !matches!(node.value, Value::Scalar(_)) {
            node.at = key_at;
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<Node, Mistake> {
        let known = self.anchors.get(&id).map(Node::size);
        let size = known.ok_or_else(|| Mistake::error(at, "an anchor that contains itself"))?;
        self.count(size, at)?;
        Ok(self.anchors[&id].clone())
    }

    fn count(&mut self, more: usize, at: Span) -> Result<(), Mistake> {
        self.aliased += more;
        if self.aliased <= MAX_ALIASED {
            return Ok(());
        }
        let what = format!("the anchors and aliases of the spec stand for more than {MAX_ALIASED} nodes");
        Err(Mistake::error(at, what).expected("fewer aliases of aliases"))
    }
}

impl Node {
    fn size(&self) -> usize {
        match &self.value {
            Value::Null | Value::Scalar(_) | Value::Wrong => 1,
            Value::List(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Map(pairs) => 1 + pairs.iter().map(|pair| pair.value.size()).sum::<usize>(),
        }
    }
}

fn next<'t>(text: &str, parser: &mut YamlParser<'t>) -> Result<(Event<'t>, Mark), Mistake> {
    match parser.next_event() {
        Some(next) => next.map_err(|e| syntax(text, &e)),
        None => Err(Mistake::error(Span { start: text.len(), end: text.len() }, "the spec ends in the middle")),
    }
}

fn scalar_value(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
        _ => Value::Scalar(text.to_owned()),
    }
}

fn syntax(text: &str, error: &serde_saphyr::granit_parser::ScanError) -> Mistake {
    let start = error.marker().byte_offset().unwrap_or(text.len());
    let at = Span { start, end: start + text[start..].chars().next().map_or(0, char::len_utf8) };
    let mistake = Mistake::error(at, format!("this is not YAML: {}", error.info()));
    match text[start..].starts_with('\t') || text[..start].ends_with('\t') {
        true => mistake.help("YAML indents with spaces, not with tabs"),
        false => mistake,
    }
}

fn span(mark: &Mark) -> Span {
    let range = mark.byte_range().unwrap_or_default();
    Span { start: range.start, end: range.end }
}
