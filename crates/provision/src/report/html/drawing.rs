//! The pipelines of a report, drawn as on the emulator's page: on the left what records were put into, and to the right of it its
//! delivery streams, each with function and bucket. Pure.

use crate::report::html::escaped;
use crate::verify::Verified;

/// A line of a card: its label, its value, and whether that is bad.
type Line = (&'static str, usize, bool);

/// The pipelines of these results, which are in the order of their sources.
pub fn pipelines<'a>(results: impl Iterator<Item = &'a Verified>) -> String {
    let results: Vec<&Verified> = results.collect();
    let group = |group: &[&Verified]| {
        let ways: String = group.iter().map(|result| way(result)).collect();
        let sent = group.iter().map(|result| result.sent).max().unwrap_or_default();
        let source = card("stream", "put into", &group[0].source, &[("sent", sent, false)]);
        format!("<div class=\"group\">\n{source}<ol class=\"ways\">\n{ways}</ol>\n</div>\n")
    };
    results.chunk_by(|a, b| a.source == b.source).map(group).collect()
}

fn way(result: &Verified) -> String {
    let Verified { delivered, dropped, failed, missing, .. } = *result;
    let counts = [
        ("delivered", delivered, false),
        ("failed", failed, result.failed_unexpectedly > 0),
        ("dropped", dropped, false),
        ("missing", missing, missing > 0),
    ];
    let bytes = result.object_details.iter().map(|object| object.bytes).sum::<u64>() as usize;
    let stored = [("objects", result.objects.len(), false), ("bytes", bytes, false)];
    let delivery = card("delivery", "delivery stream", &result.delivery, &counts);
    let function = result.function.as_ref().map(|name| card("function", "function", name, &[])).unwrap_or_default();
    let class = if result.function.is_some() { "way" } else { "way straight" };
    let bucket = card("bucket", "bucket", &result.bucket, &stored);
    format!("<li class=\"{class}\">\n{delivery}{function}{bucket}</li>\n")
}

fn card(class: &str, kind: &str, name: &str, lines: &[Line]) -> String {
    let line = |(label, value, bad): &Line| {
        let bad = if *bad { " class=\"bad\"" } else { "" };
        format!("<div{bad}><dt>{label}</dt><dd>{value}</dd></div>\n")
    };
    let lines: String = lines.iter().map(line).collect();
    let name = escaped(name);
    format!(
        "<article class=\"card {class}\">\n<span class=\"kind\">{kind}</span>\n<h3>{name}</h3>\n<dl>\n{lines}</dl>\n</article>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivery_streams_of_one_source_stand_beside_it() {
        let of = |source: &str, delivery: &str, function: Option<&str>| Verified {
            source: source.into(),
            delivery: delivery.into(),
            function: function.map(str::to_owned),
            missing: 2,
            ..Verified::default()
        };
        let results = [
            of("stream events", "raw", None),
            of("stream events", "squared", Some("square")),
            of("delivery stream direct", "direct", None),
        ];
        let html = pipelines(results.iter());
        let count = |text: &str| html.matches(text).count();
        assert_eq!((count("card stream"), count("card delivery"), count("card bucket")), (2, 3, 3), "{html}");
        assert_eq!((count("card function"), count("way straight")), (1, 2), "{html}");
        assert_eq!(count("<div class=\"bad\"><dt>missing</dt><dd>2</dd></div>"), 3, "{html}");
    }
}
