//! Records that were put, for people.

use crate::event::Put;
use crate::names::plural;
use crate::producer::Produced;
use crate::report::human::{CARE, DIM, GOOD, took};

/// Shards that are told one by one.
const MOST_SHARDS: usize = 8;

pub fn put(put: &Put) -> String {
    let Put { into, produced } = put;
    let (style, sign) = if produced.failed == 0 { (GOOD, '✓') } else { (CARE, '!') };
    let Produced { records, bytes, took_ms, retried, .. } = produced;
    let mut text = format!(
        "  {style}{sign}{style:#} put {} ({}) into {into} in {}{}\n",
        plural(*records as usize, "record"),
        size(*bytes),
        took(*took_ms),
        speed(produced)
    );
    if produced.shards.len() > 1 {
        let shards = produced.shards.iter().take(MOST_SHARDS);
        let mut told: Vec<String> = shards.map(|(shard, count)| format!("{shard}: {count}")).collect();
        if produced.shards.len() > MOST_SHARDS {
            told.push(format!("{} more shards", produced.shards.len() - MOST_SHARDS));
        }
        text.push_str(&format!("      {DIM}{}{DIM:#}\n", told.join(", ")));
    }
    if *retried > 0 {
        text.push_str(&format!("      {DIM}{} refused at first and put again{DIM:#}\n", were(*retried)));
    }
    for (place, why) in &produced.failures {
        text.push_str(&format!("      {CARE}not put{CARE:#} {place}: {why}\n"));
    }
    let more = produced.failed - produced.failures.len() as u64;
    if more > 0 {
        text.push_str(&format!("      {CARE}not put{CARE:#} {}\n", plural(more as usize, "more record")));
    }
    text
}

fn were(count: u64) -> String {
    format!("{} {}", plural(count as usize, "record"), if count == 1 { "was" } else { "were" })
}

/// `12000 records (5000/s), 1.2 MiB (512.0 KiB/s)`
pub fn so_far(produced: &Produced) -> String {
    let (records, bytes) = (plural(produced.records as usize, "record"), size(produced.bytes));
    match rates(produced) {
        Some((each, amount)) => format!("{records} ({each:.0}/s), {bytes} ({}/s)", size(amount)),
        None => format!("{records}, {bytes}"),
    }
}

fn speed(produced: &Produced) -> String {
    let told = |(records, bytes)| format!(", {records:.0} records/s, {}/s", size(bytes));
    rates(produced).map(told).unwrap_or_default()
}

/// Records and bytes a second. A rate over a moment says nothing.
fn rates(produced: &Produced) -> Option<(f64, u64)> {
    let seconds = produced.took_ms as f64 / 1_000.0;
    (seconds >= 0.1).then(|| (produced.records as f64 / seconds, (produced.bytes as f64 / seconds) as u64))
}

/// `512 bytes`, `1.5 KiB`, `20.0 MiB`
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => plural(bytes as usize, "byte"),
        1_024..0x10_0000 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        0x10_0000..0x4000_0000 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_tells_what_was_put_and_what_was_not() {
        let produced = Produced {
            records: 3_000,
            bytes: 2 << 20,
            took_ms: 1_500,
            shards: [("shardId-000000000000".to_owned(), 1_000), ("shardId-000000000001".to_owned(), 2_000)].into(),
            retried: 1,
            failed: 22,
            failures: (0..20).map(|line| (format!("line {line}"), "it has 2000000 bytes".to_owned())).collect(),
        };
        let text = put(&Put { into: "stream events".into(), produced });
        let text = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  ! put 3000 records (2.0 MiB) into stream events in 1.5 s, 2000 records/s, 1.3 MiB/s");
        assert_eq!(lines[1], "      shardId-000000000000: 1000, shardId-000000000001: 2000");
        assert_eq!(lines[2], "      1 record was refused at first and put again");
        assert_eq!(lines[3], "      not put line 0: it has 2000000 bytes");
        assert_eq!(lines.last(), Some(&"      not put 2 more records"));
    }

    #[test]
    fn progress_tells_amounts_and_rates() {
        let produced = Produced { records: 3_000, bytes: 2 << 20, took_ms: 1_500, ..Produced::default() };
        assert_eq!(so_far(&produced), "3000 records (2000/s), 2.0 MiB (1.3 MiB/s)");
        assert_eq!(so_far(&Produced { took_ms: 99, ..produced }), "3000 records, 2.0 MiB");
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        assert_eq!(
            [1, 1_023, 1_536, 20 << 20, 3 << 30].map(size),
            ["1 byte", "1023 bytes", "1.5 KiB", "20.0 MiB", "3.0 GiB"]
        );
    }
}
