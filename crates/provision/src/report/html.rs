//! The results of `verify` as one page that needs nothing else: no script, no font and no address. Pure.

use std::fmt::Write;

use crate::error::Error;
use crate::event::Event;
use crate::names::plural;
use crate::report::verified;
use crate::verify::Verified;
use crate::verify::latency::Latency;
use crate::verify::told::{ErrorCount, ObjectTold, ShardAccount};

mod drawing;

const STYLE: &str = include_str!("html.css");
/// Objects and shards of which a page shows each.
const MOST_ROWS: usize = 500;

/// The page. `events` are those of the run, of which the target and the results are shown; an error stopped it.
pub fn page(events: &[Event], errors: &[Error]) -> String {
    let results = || {
        events.iter().filter_map(|event| if let Event::Verified { result } = event { Some(&**result) } else { None })
    };
    let accounted = errors.is_empty() && results().all(|result| result.accounted);
    let (class, sign, verdict) = match (accounted, results().next()) {
        (true, Some(_)) => ("good", "✓", "Every delivery stream accounts for every record"),
        (true, None) => ("soft", "–", "Nothing was verified"),
        (false, _) => ("bad", "✗", "Not every record is accounted for"),
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>provision verify</title>\n\
         <style>\n{}{STYLE}</style>\n</head>\n<body>\n<h1>provision verify</h1>\n",
        local_cloud::DRAWING_STYLE
    );
    events.iter().filter_map(target).for_each(|line| page.push_str(&line));
    writeln!(page, "<p class=\"{class}\"><b>{sign} {verdict}</b></p>").expect(TAKES_ALL);
    for error in errors {
        let hint = error.what_next().map(|hint| format!("<br>{}", escaped(hint))).unwrap_or_default();
        writeln!(page, "<section><p class=\"bad\"><b>{}</b>{hint}</p></section>", escaped(&error.to_string()))
            .expect(TAKES_ALL);
    }
    page.push_str(&drawing::pipelines(results()));
    results().for_each(|result| page.push_str(&section(result)));
    page.push_str("</body>\n</html>\n");
    page
}

const TAKES_ALL: &str = "a String takes all";

fn target(event: &Event) -> Option<String> {
    let Event::Target { stack, env, account, region, endpoint } = event else { return None };
    let env = env.as_ref().map(|env| format!(", environment {env}")).unwrap_or_default();
    let endpoint = endpoint.as_ref().map(|endpoint| format!(", {endpoint}")).unwrap_or_default();
    let text = format!("Stack {stack}{env}, account {account}, {region}{endpoint}");
    Some(format!("<p class=\"soft\">{}</p>\n", escaped(&text)))
}

fn section(result: &Verified) -> String {
    let (class, sign) = if result.accounted { ("good", "✓") } else { ("bad", "✗") };
    let account = escaped(&verified::account(result));
    let mut html = format!(
        "<section>\n<h2><span class=\"{class}\">{sign}</span> {}</h2>\n<p>{account}</p>\n<p class=\"soft\">from {}</p>\n",
        escaped(&result.delivery),
        escaped(&result.source)
    );
    if let Some(compared) = &result.compared_by {
        writeln!(html, "<p class=\"soft\">Outputs are compared by {}.</p>", escaped(compared)).expect(TAKES_ALL);
    }
    html.push_str(&counts(result));
    if let Some(hint) = &result.hint {
        writeln!(html, "<p class=\"bad\">{}</p>", escaped(hint)).expect(TAKES_ALL);
    }
    if !result.missing_numbers.is_empty() {
        let numbers = escaped(&result.missing_numbers.join(", "));
        writeln!(html, "<h3>Missing records, by number</h3>\n<p><code>{numbers}</code></p>").expect(TAKES_ALL);
    }
    html.push_str(&result.latency.as_ref().map(latency).unwrap_or_default());
    html.push_str(&errors(&result.errors));
    html.push_str(&shards(&result.shards));
    html.push_str(&objects(&result.object_details));
    html.push_str("</section>\n");
    html
}

fn counts(result: &Verified) -> String {
    let Verified { sent, delivered, dropped, failed, missing, duplicated, out_of_order, unknown, .. } = *result;
    let wrong = result.failed_unexpectedly;
    let counts = [
        (sent, "sent", false),
        (delivered, "delivered", false),
        (dropped, "dropped", false),
        (failed, "failed", wrong > 0),
        (missing, "missing", missing > 0),
        (duplicated, "duplicated", false),
        (out_of_order, "out of order", false),
        (unknown, "of others", false),
    ];
    let item = |(count, name, bad): (usize, &str, bool)| {
        let class = if bad { " class=\"bad\"" } else { "" };
        format!("<li{class}><b>{count}</b>{name}</li>\n")
    };
    format!("<ul class=\"counts\">\n{}</ul>\n", counts.map(item).concat())
}

fn latency(latency: &Latency) -> String {
    let Latency { p50_s, p90_s, p99_s, max_s, histogram } = latency;
    let most = histogram.iter().map(|bar| bar.records).max().unwrap_or(1).max(1);
    let mut bars = String::new();
    for bar in histogram {
        let label = format!("{} to {} s: {}", bar.from_s, bar.to_s, plural(bar.records, "record"));
        let height = bar.records as f64 * 100.0 / most as f64;
        let height = if bar.records > 0 { height.max(1.0) } else { 0.0 };
        writeln!(bars, "<i style=\"height:{height:.1}%\" title=\"{label}\"></i>").expect(TAKES_ALL);
    }
    let (from, to) = (histogram.first().map_or(0, |bar| bar.from_s), histogram.last().map_or(0, |bar| bar.to_s));
    format!(
        "<h3>Latency from put to visible in S3</h3>\n\
         <p>p50 {p50_s} s, p90 {p90_s} s, p99 {p99_s} s, max {max_s} s</p>\n\
         <div class=\"chart\" role=\"img\" aria-label=\"Histogram of the latency: p50 {p50_s} s, p99 {p99_s} s\">\n{bars}</div>\n\
         <div class=\"axis\"><span>{from} s</span><span>at most {most} records in a bar</span><span>{to} s</span></div>\n"
    )
}

fn errors(errors: &[ErrorCount]) -> String {
    let row = |error: &ErrorCount| {
        let told = [error.cause, error.remedy].into_iter().flatten().collect::<Vec<_>>().join("; ");
        vec![
            Cell::Number(error.records),
            Cell::Code(error.code.clone()),
            Cell::Text(error.message.clone()),
            Cell::Text(told),
        ]
    };
    table("Errors", &["records", "code", "message", "cause and remedy"], errors.iter().map(row).collect())
}

fn shards(shards: &[ShardAccount]) -> String {
    let row = |shard: &ShardAccount| {
        let counts = [shard.sent, shard.delivered, shard.dropped, shard.failed, shard.missing, shard.out_of_order];
        let mut row = vec![Cell::Code(shard.shard.clone())];
        row.extend(counts.map(Cell::Number));
        row
    };
    let heads = ["shard", "sent", "delivered", "dropped", "failed", "missing", "out of order"];
    table("Shards", &heads, shards.iter().map(row).collect())
}

fn objects(objects: &[ObjectTold]) -> String {
    let row = |object: &ObjectTold| {
        let stored = jiff::Timestamp::from_second(object.stored_s).map(|at| at.to_string()).unwrap_or_default();
        vec![
            Cell::Number(object.records),
            Cell::Number(object.bytes as usize),
            Cell::Text(stored),
            Cell::Code(object.key.clone()),
        ]
    };
    table("Objects", &["records", "bytes", "stored", "key"], objects.iter().map(row).collect())
}

enum Cell {
    Number(usize),
    Text(String),
    Code(String),
}

impl Cell {
    fn html(&self) -> String {
        match self {
            Cell::Number(number) => format!("<td class=\"n\">{number}</td>"),
            Cell::Text(text) => format!("<td class=\"text\">{}</td>", escaped(text)),
            Cell::Code(text) => format!("<td><code>{}</code></td>", escaped(text)),
        }
    }

    fn head(&self, name: &str) -> String {
        match self {
            Cell::Number(_) => format!("<th class=\"n\">{name}</th>"),
            Cell::Text(_) | Cell::Code(_) => format!("<th>{name}</th>"),
        }
    }
}

/// A table that is closed at first. Nothing without rows.
fn table(title: &str, heads: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let head: String = first.iter().zip(heads).map(|(cell, name)| cell.head(name)).collect();
    let row = |row: &Vec<Cell>| format!("<tr>{}</tr>\n", row.iter().map(Cell::html).collect::<String>());
    let body: String = rows.iter().take(MOST_ROWS).map(row).collect();
    let more = match rows.len().checked_sub(MOST_ROWS) {
        None | Some(0) => String::new(),
        Some(more) => format!("<p class=\"soft\">and {more} more</p>\n"),
    };
    let open = if rows.len() <= 10 { " open" } else { "" };
    format!(
        "<details{open}>\n<summary><b>{title}</b> ({})</summary>\n<div class=\"table\"><table>\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{body}</tbody>\n</table></div>\n{more}</details>\n",
        rows.len()
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::latency::Latencies;

    fn result() -> Verified {
        let mut latencies = Latencies::default();
        (0..100).for_each(|n| latencies.add(60 + n % 7));
        Verified {
            delivery: "raw".into(),
            source: "stream <events>".into(),
            sent: 100,
            delivered: 97,
            missing: 3,
            missing_numbers: vec!["4".into(), "7-8".into()],
            latency: latencies.told(),
            errors: vec![ErrorCount { records: 2, message: "<b>".into(), ..ErrorCount::new("Lambda.FunctionError") }],
            hint: Some("look & see".into()),
            ..Verified::default()
        }
    }

    #[test]
    fn a_page_shows_the_account_and_needs_nothing_from_elsewhere() {
        let html = page(&[Event::Verified { result: Box::new(result()) }], &[]);
        for text in [
            "3 of 100 records are missing",
            "4, 7-8",
            "look &amp; see",
            "&lt;b&gt;",
            "stream &lt;events&gt;",
            "p50 63 s",
        ] {
            assert!(html.contains(text), "{text} is not in {html}");
        }
        for outside in ["http:", "https:", "url(", "<script", "@import", "src="] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert_eq!(html.matches("<i style").count(), 10);
    }

    #[test]
    fn an_error_that_stopped_the_run_is_shown() {
        let html = page(&[], &[Error::msg("reading s3://lake").hint("wait")]);
        assert!(html.contains("reading s3://lake") && html.contains("wait") && html.contains("Not every"), "{html}");
    }
}
