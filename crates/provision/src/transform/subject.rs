//! Finds the function to run in a spec, and how its delivery streams invoke it. Pure.

use std::path::Path;

use crate::error::{Error, Result};
use crate::names::Names;
use crate::resource::delivery_stream::{DeliveryStream, Transform};
use crate::resource::function::Function;
use crate::spec::stack::{Managed, Stack};
use crate::transform::event::Source;

/// The default buffer of a delivery stream for a transform, in bytes.
const DEFAULT_BUFFER_BYTES: usize = 1 << 20;

/// A function and how it is used.
#[derive(Debug)]
pub struct Subject<'a> {
    pub logical: &'a str,
    pub function: &'a Managed<Function>,
    /// The source of the first delivery stream that uses it. Without one, an invented stream.
    pub source: Source,
    /// The stream that this one reads, by name.
    pub stream: Option<String>,
    /// Whether its delivery streams read streams. Both this and `direct` are true if nothing uses the function.
    pub from_streams: bool,
    /// Whether producers put records directly to its delivery streams.
    pub direct: bool,
    /// The largest buffer of its delivery streams, in bytes.
    pub buffer_bytes: usize,
}

#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// The spec; without it provision.yaml, or the only file in stacks/
    #[arg(value_name = "SPEC")]
    first: Option<String>,
    /// The function, as the spec or AWS names it; not needed where there is only one
    #[arg(value_name = "FUNCTION")]
    second: Option<String>,
}

impl Which {
    /// The spec and the function. One word alone is a spec if it looks like a file, else a function.
    pub fn spec_and_function(&self) -> (Option<&Path>, Option<&str>) {
        match (self.first.as_deref(), self.second.as_deref()) {
            (Some(only), None) if !looks_like_a_file(only) => (None, Some(only)),
            (spec, function) => (spec.map(Path::new), function),
        }
    }
}

fn looks_like_a_file(word: &str) -> bool {
    word.contains(['/', '.']) || Path::new(word).is_file()
}

/// Finds the function.
///
/// # Errors
/// There is none of that name, or there are several and no name is given, or the spec only refers to it.
pub fn find<'a>(stack: &'a Stack, wanted: Option<&str>, names: &Names) -> Result<Subject<'a>> {
    let known = || stack.functions.keys().cloned().collect::<Vec<_>>().join(", ");
    let found = match wanted {
        Some(wanted) => {
            stack.functions.iter().find(|(logical, entry)| *logical == wanted || entry.physical() == wanted)
        }
        None if stack.functions.len() == 1 => stack.functions.iter().next(),
        None if stack.functions.is_empty() => None,
        None => return Err(Error::msg("the spec has several functions").hint(format!("choose one: {}", known()))),
    };
    let Some((logical, entry)) = found else {
        let error = Error::msg(match wanted {
            Some(wanted) => format!("the spec has no function {wanted}"),
            None => "the spec has no function".to_owned(),
        });
        return Err(if stack.functions.is_empty() { error } else { error.hint(format!("it has {}", known())) });
    };
    let Some(function) = entry.managed() else {
        let why = format!("function {logical} is only referred to, so its code is not on this machine");
        return Err(Error::msg(why).hint("choose a function with code from crate:, zip: or dir:"));
    };
    let users: Vec<(&str, &DeliveryStream, &Transform)> = users(stack, logical).collect();
    let source = match users.first() {
        Some((name, delivery, _)) => source(stack, name, delivery, names),
        None => Source {
            delivery_stream_arn: names.delivery_stream_arn("example"),
            stream_arn: Some(names.stream_arn("example")),
            region: names.region.clone(),
        },
    };
    let stream = users.first().and_then(|(_, delivery, _)| stream_name(stack, delivery)).map(str::to_owned);
    let buffers = users.iter().map(|(_, _, transform)| transform.buffer_size_mib_100 as usize * (1 << 20) / 100);
    Ok(Subject {
        logical,
        function,
        source,
        stream,
        from_streams: users.is_empty() || users.iter().any(|(_, delivery, _)| delivery.source.is_some()),
        direct: users.is_empty() || users.iter().any(|(_, delivery, _)| delivery.source.is_none()),
        buffer_bytes: buffers.max().unwrap_or(DEFAULT_BUFFER_BYTES),
    })
}

/// The source in the events of this delivery stream.
pub fn source(stack: &Stack, name: &str, delivery: &DeliveryStream, names: &Names) -> Source {
    let stream_arn = stream_name(stack, delivery).map(|stream| names.stream_arn(stream));
    Source { delivery_stream_arn: names.delivery_stream_arn(name), stream_arn, region: names.region.clone() }
}

fn stream_name<'a>(stack: &'a Stack, delivery: &DeliveryStream) -> Option<&'a str> {
    let source = delivery.source.as_ref()?;
    Some(stack.streams.get(&source.logical)?.physical())
}

fn users<'a>(stack: &'a Stack, function: &str) -> impl Iterator<Item = (&'a str, &'a DeliveryStream, &'a Transform)> {
    stack.deliveries.values().filter_map(move |entry| {
        let delivery = entry.managed()?;
        let transform = delivery.desired.transform.as_ref().filter(|used| used.function.logical == function)?;
        Some((delivery.physical.as_str(), &delivery.desired, transform))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, LoadOptions};

    const SPEC: &str = "version: 1
stack: s
target: { region: us-east-1 }
streams: { events: { name: events-here, shards: 1 } }
buckets: { lake: { name: lake-of-ours } }
functions:
  used: { name: used-here, code: { dir: a }, runtime: python3.13, handler: a.b }
  idle: { name: idle-here, code: { dir: a }, runtime: python3.13, handler: a.b }
  theirs: { existing: company-clean }
deliveries:
  one: { name: one-here, from: events, transform: { function: used, buffer_size: 0.5MiB }, bucket: lake, good: one/, bad: one-bad/ }
  two: { name: two-here, from: events, transform: { function: used, buffer_size: 3MiB }, bucket: lake, good: two/, bad: two-bad/ }
";

    fn stack() -> Stack {
        let loaded = spec::read(Path::new("s.yaml"), SPEC, &LoadOptions::default());
        loaded.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))).stack
    }

    fn names() -> Names {
        Names {
            stack: "s".into(),
            env: None,
            account: "000000000000".into(),
            region: "us-east-1".into(),
            tag_prefix: "provision".into(),
            iam_path: "/".into(),
        }
    }

    #[test]
    fn a_function_is_found_by_either_name_with_what_feeds_it() {
        let stack = stack();
        for name in ["used", "used-here"] {
            let found = find(&stack, Some(name), &names()).expect("it is there");
            assert_eq!(
                (found.logical, found.stream.as_deref(), found.buffer_bytes),
                ("used", Some("events-here"), 3 << 20)
            );
            assert_eq!((found.from_streams, found.direct), (true, false));
            assert_eq!(
                found.source.stream_arn.as_deref(),
                Some("arn:aws:kinesis:us-east-1:000000000000:stream/events-here")
            );
        }
        let idle = find(&stack, Some("idle"), &names()).expect("it is there");
        assert_eq!((idle.stream, idle.from_streams, idle.direct, idle.buffer_bytes), (None, true, true, 1 << 20));
    }

    #[test]
    fn a_function_that_cannot_be_meant_is_told_with_those_that_can() {
        let stack = stack();
        let table = [
            (None, "the spec has several functions", Some("choose one: idle, theirs, used")),
            (Some("usde"), "the spec has no function usde", Some("it has idle, theirs, used")),
            (Some("theirs"), "function theirs is only referred to", None),
        ];
        for (wanted, why, hint) in table {
            let error = find(&stack, wanted, &names()).expect_err("it cannot be meant");
            assert!(error.to_string().starts_with(why), "{error}");
            assert!(hint.is_none() || error.what_next() == hint, "{:?}", error.what_next());
        }
    }

    #[test]
    fn one_word_is_a_spec_or_a_function() {
        let table = [
            ((None, None), (None, None)),
            ((Some("square"), None), (None, Some("square"))),
            ((Some("stacks/a"), None), (Some("stacks/a"), None)),
            ((Some("a.yaml"), None), (Some("a.yaml"), None)),
            ((Some("a"), Some("square")), (Some("a"), Some("square"))),
        ];
        for ((first, second), (spec, function)) in table {
            let which = Which { first: first.map(str::to_owned), second: second.map(str::to_owned) };
            assert_eq!(which.spec_and_function(), (spec.map(Path::new), function));
        }
    }
}
