//! Lists and objects that are being written.

use serde::ser::{self, Serialize};
use serde_json::Error;

use super::super::text::append_escaped;
use super::{Result, Writer};

/// A list or an object that is open.
pub(in crate::values) struct Compound<'o> {
    out: &'o mut Vec<u8>,
    close: &'static [u8],
    first: bool,
    raw: bool,
}

impl<'o> Compound<'o> {
    #[inline]
    pub(super) fn new(out: &'o mut Vec<u8>, close: &'static [u8]) -> Compound<'o> {
        Compound { out, close, first: true, raw: false }
    }

    /// A RawValue, or a Number that keeps its text: the only field is the text to write.
    pub(super) fn raw(out: &'o mut Vec<u8>) -> Compound<'o> {
        Compound { out, close: b"", first: true, raw: true }
    }

    #[inline]
    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
    }

    #[inline]
    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Result {
        self.comma();
        value.serialize(Writer { out: self.out })
    }

    #[inline]
    fn field(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Result {
        if self.raw {
            return self.write_raw(value);
        }
        let opening: &[u8] = if std::mem::take(&mut self.first) { b"\"" } else { b",\"" };
        self.out.extend_from_slice(opening);
        append_escaped(self.out, key);
        self.out.extend_from_slice(b"\":");
        value.serialize(Writer { out: self.out })
    }

    /// Writes the text: serializes it as a string and reads that back.
    #[cold]
    fn write_raw(&mut self, text: &(impl Serialize + ?Sized)) -> Result {
        let text: String = serde_json::from_slice(&serde_json::to_vec(text)?)?;
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    #[inline]
    fn close(self) -> Result {
        self.out.extend_from_slice(self.close);
        Ok(())
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident,)*) => {
        $(
            impl ser::$trait for Compound<'_> {
                type Ok = ();
                type Error = Error;

                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                    self.element(value)
                }

                #[inline]
                fn end(self) -> Result {
                    self.close()
                }
            }
        )*
    };
}
elements! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! fields {
    ($($trait:ident)*) => {
        $(
            impl ser::$trait for Compound<'_> {
                type Ok = ();
                type Error = Error;

                #[inline]
                fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result {
                    self.field(key, value)
                }

                #[inline]
                fn end(self) -> Result {
                    self.close()
                }
            }
        )*
    };
}
fields! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.comma();
        let start = self.out.len();
        // Most keys are strings. serde_json knows how others are written.
        let written = key.serialize(Writer { out: self.out });
        if written.is_err() || self.out.get(start) != Some(&b'"') {
            self.out.truncate(start);
            let object = serde_json::to_vec(&Member(key))?;
            self.out.extend_from_slice(&object[1..object.len() - ":null}".len()]);
        }
        self.out.push(b':');
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(Writer { out: self.out })
    }

    #[inline]
    fn end(self) -> Result {
        self.close()
    }
}

/// An object with this key only.
struct Member<'k, K: ?Sized>(&'k K);

impl<K: Serialize + ?Sized> Serialize for Member<'_, K> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, ())])
    }
}
