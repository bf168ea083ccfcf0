//! FilterLogEvents: a group's events, of all its streams or some, that contain the terms looked for.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::request::AwsError;
use crate::settings::Millis;

use super::event::Event;
use super::{Call, Outcome, group_name};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(alias = "logGroupIdentifier")]
    log_group_name: String,
    log_stream_names: Option<Vec<String>>,
    #[serde(default)]
    log_stream_name_prefix: String,
    start_time: Option<Millis>,
    end_time: Option<Millis>,
    #[serde(default)]
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<usize>,
}

/// The token is how many matching events were given before.
pub fn filter(call: &mut Call) -> Outcome {
    let input: Filter = call.input()?;
    let group = group_name(&input.log_group_name);
    call.group(group)?;
    let terms = terms(&input.filter_pattern)?;
    let prefix = call.stream_key(group, &input.log_stream_name_prefix);
    let among = |name: &str| input.log_stream_names.as_ref().is_none_or(|names| names.iter().any(|n| n == name));
    let streams = call.state.streams.with_prefix(&prefix).filter(|(_, stream)| among(&stream.log_stream_name));
    let mut found: Vec<(&str, usize, Event)> = vec![];
    for (key, stream) in streams {
        let events = call.state.events(key, call.now, input.start_time, input.end_time).into_iter().enumerate();
        let matching = events.filter(|(_, event)| met(&terms, event.message));
        found.extend(matching.map(|(index, event)| (stream.log_stream_name.as_str(), index, event)));
    }
    found.sort_by_key(|(_, _, event)| event.timestamp);
    let from: usize = input.next_token.and_then(|token| token.parse().ok()).unwrap_or(0).min(found.len());
    let to = (from + input.limit.unwrap_or(10_000)).min(found.len());
    let shown: Vec<Value> = found[from..to].iter().map(|(stream, index, event)| shown(stream, *index, event)).collect();
    let mut output = json!({ "events": shown, "searchedLogStreams": [] });
    if to < found.len() {
        output["nextToken"] = to.to_string().into();
    }
    Ok(output)
}

/// The event's id is the same in every answer: clients that follow a log tell by it what they have shown.
fn shown(stream: &str, index: usize, event: &Event) -> Value {
    let stream_hash = stream.bytes().fold(0u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    json!({
        "logStreamName": stream,
        "timestamp": event.timestamp,
        "ingestionTime": event.ingestion_time,
        "message": event.message,
        "eventId": format!("{:020}{index:024}{stream_hash:012}", event.timestamp),
    })
}

#[derive(Debug, PartialEq)]
struct Term {
    text: String,
    sign: Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Required,
    Excluded,
    /// `?word`: one of these is enough.
    Optional,
}

/// Every required term is there, no excluded one, and where there are optional terms, one of them.
fn met(terms: &[Term], message: &str) -> bool {
    let there =
        |sign: Sign| terms.iter().filter(move |term| term.sign == sign).map(|term| message.contains(&term.text));
    there(Sign::Required).all(|there| there)
        && !there(Sign::Excluded).any(|there| there)
        && (there(Sign::Optional).next().is_none() || there(Sign::Optional).any(|there| there))
}

/// `word`, `"a phrase"`, `-excluded` and `?optional`.
fn terms(pattern: &str) -> Result<Vec<Term>, AwsError> {
    if pattern.trim_start().starts_with(['{', '[', '%']) {
        let message = format!("Invalid filter pattern: this endpoint matches terms and phrases only, not {pattern}");
        return Err(AwsError::new("InvalidParameterException", message));
    }
    let mut terms = vec![];
    let mut rest = pattern.trim_start();
    while !rest.is_empty() {
        let (sign, unsigned) = match rest.as_bytes()[0] {
            b'-' => (Sign::Excluded, &rest[1..]),
            b'?' => (Sign::Optional, &rest[1..]),
            _ => (Sign::Required, rest),
        };
        let (text, after) = match unsigned.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => unsigned.split_once(' ').unwrap_or((unsigned, "")),
        };
        terms.push(Term { text: text.to_owned(), sign });
        rest = after.trim_start();
    }
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_must_be_met() {
        for (pattern, message, expected) in [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("ERROR timeout", "ERROR: no", false),
            ("\"two words\"", "has two words", true),
            ("\"two words\"", "words two", false),
            ("ERROR -\"no matter\"", "ERROR, no matter", false),
            ("?ERROR ?WARN", "a WARN here", true),
            ("?ERROR ?WARN", "all is well", false),
        ] {
            let met = met(&terms(pattern).unwrap(), message);
            assert_eq!(met, expected, "{pattern} in {message}");
        }
        assert_eq!(terms("{ $.a = 1 }").unwrap_err().code, "InvalidParameterException");
    }
}
