//! Finds the positions of everything in an event, in one pass over its bytes. Keys may come in any order; unknown ones are skipped.
//!
//! Nothing is decoded here, and only four positions of a record are kept: an event has up to some twelve thousand records, and
//! most of its bytes are metadata that few transforms ask for.

use crate::error::EventError;
use crate::scan::{Cursor, Inside, Malformed, is_plain};

/// The positions in one event. Reused for the next event, so that its lists grow once.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) invocation_id: Span,
    pub(crate) delivery_stream_arn: Span,
    pub(crate) source_stream_arn: Span,
    pub(crate) region: Span,
    pub(crate) slots: Vec<Slot>,
    /// Texts with escapes, unescaped, one after the other. Firehose has not sent such yet.
    unescaped: String,
}

/// The positions of one record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slot {
    pub(crate) id: Span,
    /// The inside of the string.
    pub(crate) data: Span,
    pub(crate) arrived_ms: u64,
    /// The whole object.
    pub(crate) kinesis: Span,
}

/// A range of the event's bytes. A range behind the event's end is one in `Index::unescaped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    /// Exclusive. Zero means absent, because no value ends at the event's start.
    end: u32,
}

/// An event with its index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    json: &'a [u8],
    pub(crate) index: &'a Index,
}

impl Index {
    /// Reads an event and forgets the one before.
    pub(crate) fn read<'a>(&'a mut self, json: &'a [u8]) -> Result<Event<'a>, EventError> {
        if u32::try_from(json.len()).is_err() {
            return Err(EventError::Malformed { at: 0, expected: "an event of less than four gigabytes" });
        }
        let (mut slots, mut unescaped) = (std::mem::take(&mut self.slots), std::mem::take(&mut self.unescaped));
        slots.clear();
        unescaped.clear();
        *self = Index { slots, unescaped, ..Index::default() };
        self.fill(json).map_err(|Malformed { at, expected }| EventError::Malformed { at, expected })?;
        Ok(Event { json, index: self })
    }

    fn fill(&mut self, json: &[u8]) -> Result<(), Malformed> {
        let mut cursor = Cursor::new(json);
        let mut has_records = false;
        members(&mut cursor, "an event, which is an object", |cursor, key| {
            match key {
                b"records" if has_records => return Err(cursor.malformed("one list of records, not two")),
                b"records" => {
                    has_records = true;
                    self.records(cursor)?;
                }
                b"invocationId" => self.invocation_id = self.text_or_nothing(cursor)?,
                b"deliveryStreamArn" => self.delivery_stream_arn = self.text_or_nothing(cursor)?,
                b"sourceKinesisStreamArn" => self.source_stream_arn = self.text_or_nothing(cursor)?,
                b"region" => self.region = self.text_or_nothing(cursor)?,
                _ => {
                    cursor.skip()?;
                }
            }
            Ok(())
        })?;
        match cursor.peek() {
            Some(_) => Err(cursor.malformed("nothing after the event")),
            None if !has_records => Err(cursor.malformed("an event with `records`")),
            None => Ok(()),
        }
    }

    fn records(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
        cursor.expect(b'[', "a list of records")?;
        if cursor.eat(b']') {
            return Ok(());
        }
        loop {
            let slot = match self.usual(cursor) {
                Some(slot) => slot,
                None => self.record(cursor)?,
            };
            self.slots.push(slot);
            if !cursor.eat(b',') {
                return cursor.expect(b']', "a comma or the end of the records");
            }
        }
    }

    /// Reads a record exactly as Firehose writes it, with an id as long as the one before. `None` leaves it to `record`.
    #[inline]
    fn usual(&self, cursor: &mut Cursor<'_>) -> Option<Slot> {
        let mut ahead = Cursor { json: cursor.json, at: cursor.at };
        ahead.literal(br#"{"recordId":"#).then_some(())?;
        let id = ahead.plain_string(self.slots.last()?.id.range().len())?;
        ahead.literal(br#","approximateArrivalTimestamp":"#).then_some(())?;
        let arrived_ms = usual_milliseconds(&ahead.json[ahead.at..])?;
        ahead.at += USUAL_DIGITS;
        ahead.literal(br#","data":"#).then_some(())?;
        let data = ahead.long_string().ok()?;
        let kinesis = match ahead.literal(br#","kinesisRecordMetadata":"#) {
            true => span(ahead.flat_object()?),
            false => Span::default(),
        };
        ahead.literal(b"}").then_some(())?;
        cursor.at = ahead.at;
        Some(Slot { id: span(id), data: span(data), arrived_ms, kinesis })
    }

    fn record(&mut self, cursor: &mut Cursor<'_>) -> Result<Slot, Malformed> {
        let mut slot = Slot::default();
        cursor.expect(b'{', "a record, which is an object")?;
        if !cursor.eat(b'}') {
            loop {
                match Key::next(cursor)? {
                    Key::Id => slot.id = self.id(cursor)?,
                    Key::Data if cursor.peek() == Some(b'"') => slot.data = span(cursor.long_string()?),
                    Key::Data => slot.data = nothing(cursor)?,
                    Key::Arrival => slot.arrived_ms = milliseconds(cursor)?,
                    Key::Kinesis if cursor.peek() == Some(b'{') => {
                        slot.kinesis = span(cursor.flat_object().map_or_else(|| cursor.skip(), Ok)?);
                    }
                    Key::Kinesis => slot.kinesis = nothing(cursor)?,
                    Key::Other => {
                        cursor.skip()?;
                    }
                }
                if !cursor.eat(b',') {
                    cursor.expect(b'}', "a comma or the end of a record")?;
                    break;
                }
            }
        }
        if slot.id.is_nothing() {
            return Err(cursor.malformed("a record with a `recordId`"));
        }
        Ok(slot)
    }

    fn text_or_nothing(&mut self, cursor: &mut Cursor<'_>) -> Result<Span, Malformed> {
        if cursor.peek() == Some(b'"') { self.text(cursor) } else { nothing(cursor) }
    }

    /// Ids are mostly as long as the one before.
    #[inline]
    fn id(&mut self, cursor: &mut Cursor<'_>) -> Result<Span, Malformed> {
        let length = self.slots.last().map_or(0, |slot| slot.id.range().len());
        cursor.plain_string(length).map_or_else(|| self.text(cursor), |inside| Ok(span(inside)))
    }

    fn text(&mut self, cursor: &mut Cursor<'_>) -> Result<Span, Malformed> {
        let inside = cursor.long_string()?;
        if is_plain(&cursor.json[inside.start..inside.end]) {
            return Ok(span(inside));
        }
        self.unescape(cursor, inside)
    }

    #[cold]
    fn unescape(&mut self, cursor: &Cursor<'_>, inside: Inside) -> Result<Span, Malformed> {
        let quoted = &cursor.json[inside.start - 1..inside.end + 1];
        let text: String = serde_json::from_slice(quoted).map_err(|_| cursor.malformed("valid text"))?;
        let start = cursor.json.len() + self.unescaped.len();
        self.unescaped.push_str(&text);
        let end = cursor.json.len() + self.unescaped.len();
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Span { start, end }),
            _ => Err(cursor.malformed("an event of less than four gigabytes")),
        }
    }
}

impl<'a> Event<'a> {
    /// `None` if the event does not say.
    pub(crate) fn text(&self, span: Span) -> Option<Text<'a>> {
        if span.is_nothing() {
            return None;
        }
        let (range, end) = (span.range(), self.json.len());
        Some(match self.json.get(range.clone()) {
            Some(plain) => Text::Plain(plain),
            None => Text::Unescaped(&self.index.unescaped[range.start - end..range.end - end]),
        })
    }

    /// Like `text`, for values that are never unescaped.
    pub(crate) fn bytes(&self, span: Span) -> Option<&'a [u8]> {
        if span.is_nothing() { None } else { self.json.get(span.range()) }
    }
}

/// A text of the event, such as a record's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// ASCII without escapes, as in the event.
    Plain(&'a [u8]),
    Unescaped(&'a str),
}

impl<'a> Text<'a> {
    pub(crate) fn as_str(self) -> &'a str {
        match self {
            Text::Plain(ascii) => std::str::from_utf8(ascii).unwrap_or_default(),
            Text::Unescaped(text) => text,
        }
    }
}

impl Span {
    fn is_nothing(self) -> bool {
        self.end == 0
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Both ends fit into 32 bits, because the event's length was checked first.
fn span(inside: Inside) -> Span {
    Span { start: inside.start as u32, end: inside.end as u32 }
}

/// Skips a value of another type than expected, such as null. It counts as absent.
fn nothing(cursor: &mut Cursor<'_>) -> Result<Span, Malformed> {
    cursor.skip().map(|_| Span::default())
}

/// A key of a record.
#[derive(Clone, Copy)]
enum Key {
    Id,
    Data,
    Arrival,
    Kinesis,
    Other,
}

impl Key {
    /// Reads a key with its colon. Tries Firehose's spelling first, in any order of keys, and then any that JSON allows.
    #[inline]
    fn next(cursor: &mut Cursor<'_>) -> Result<Key, Malformed> {
        match cursor.json.get(cursor.at + 1) {
            Some(b'r') if cursor.literal(br#""recordId":"#) => return Ok(Key::Id),
            Some(b'a') if cursor.literal(br#""approximateArrivalTimestamp":"#) => return Ok(Key::Arrival),
            Some(b'd') if cursor.literal(br#""data":"#) => return Ok(Key::Data),
            Some(b'k') if cursor.literal(br#""kinesisRecordMetadata":"#) => return Ok(Key::Kinesis),
            _ => {}
        }
        let key = cursor.string()?;
        cursor.expect(b':', "a colon")?;
        Ok(match &cursor.json[key.start..key.end] {
            b"recordId" => Key::Id,
            b"approximateArrivalTimestamp" => Key::Arrival,
            b"data" => Key::Data,
            b"kinesisRecordMetadata" => Key::Kinesis,
            _ => Key::Other,
        })
    }
}

/// Zero if the value is not a whole number.
#[inline]
fn milliseconds(cursor: &mut Cursor<'_>) -> Result<u64, Malformed> {
    cursor.peek();
    let digits = &cursor.json[cursor.at..];
    if let (Some(milliseconds), Some(b',' | b'}')) = (usual_milliseconds(digits), digits.get(USUAL_DIGITS)) {
        cursor.at += USUAL_DIGITS;
        return Ok(milliseconds);
    }
    let mut milliseconds = 0_u64;
    for (count, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' if count < 19 => milliseconds = milliseconds * 10 + u64::from(byte - b'0'),
            b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t' if count > 0 => {
                cursor.at += count;
                return Ok(milliseconds);
            }
            _ => break,
        }
    }
    cursor.skip().map(|_| 0)
}

/// Digits of a time from 2001 to 2286.
const USUAL_DIGITS: usize = 13;

#[inline]
fn usual_milliseconds(bytes: &[u8]) -> Option<u64> {
    let digits = bytes.first_chunk::<USUAL_DIGITS>()?.map(|byte| byte.wrapping_sub(b'0'));
    let milliseconds = digits.iter().fold(0, |all, digit| all * 10 + u64::from(*digit));
    digits.iter().all(|digit| *digit < 10).then_some(milliseconds)
}

/// Reads an object. `member` reads or skips the value of each key.
#[inline]
fn members<'a>(
    cursor: &mut Cursor<'a>,
    expected: &'static str,
    mut member: impl FnMut(&mut Cursor<'a>, &'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    cursor.expect(b'{', expected)?;
    if cursor.eat(b'}') {
        return Ok(());
    }
    loop {
        let key = cursor.string()?;
        cursor.expect(b':', "a colon")?;
        member(cursor, &cursor.json[key.start..key.end])?;
        if !cursor.eat(b',') {
            return cursor.expect(b'}', "a comma or the end of an object");
        }
    }
}
