//! A serde serializer for compact JSON.

mod compound;

use std::fmt::{self, Write};

use serde::ser::{self, Serialize};
use serde_json::Error;

use self::compound::Compound;
use super::is_special;
use super::text::{append_escaped, append_string};

type Result<T = ()> = std::result::Result<T, Error>;

pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Writer<'o> {
        Writer { out }
    }

    fn open(self, open: u8, close: &'static [u8]) -> Compound<'o> {
        self.out.push(open);
        Compound::new(self.out, close)
    }

    /// Starts the object around an enum's content.
    fn variant(&mut self, variant: &'static str) {
        self.out.push(b'{');
        append_string(self.out, variant);
        self.out.push(b':');
    }
}

macro_rules! by_serde_json {
    ($($method:ident: $type:ty,)*) => {
        $(
            #[inline]
            fn $method(self, value: $type) -> Result {
                serde_json::to_writer(self.out, &value)
            }
        )*
    };
}

macro_rules! variants {
    ($($method:ident $open:literal $close:literal,)*) => {
        $(
            fn $method(mut self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Compound<'o>> {
                self.variant(variant);
                Ok(self.open($open, $close))
            }
        )*
    };
}

impl<'o> ser::Serializer for Writer<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'o>;
    type SerializeTuple = Compound<'o>;
    type SerializeTupleStruct = Compound<'o>;
    type SerializeTupleVariant = Compound<'o>;
    type SerializeMap = Compound<'o>;
    type SerializeStruct = Compound<'o>;
    type SerializeStructVariant = Compound<'o>;

    by_serde_json! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char,
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result {
        append_string(self.out, text);
        Ok(())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result {
        self.out.push(b'"');
        write!(Escaped(self.out), "{value}").map_err(ser::Error::custom)?;
        self.out.push(b'"');
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result {
        self.collect_seq(bytes)
    }

    #[inline]
    fn serialize_none(self) -> Result {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        self.variant(variant);
        value.serialize(Writer { out: self.out })?;
        self.out.push(b'}');
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'o>> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'o>> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'o>> {
        Ok(self.open(b'[', b"]"))
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'o>> {
        Ok(self.open(b'{', b"}"))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'o>> {
        if is_special(name) {
            return Ok(Compound::raw(self.out));
        }
        Ok(self.open(b'{', b"}"))
    }

    variants! { serialize_tuple_variant b'[' b"]}", serialize_struct_variant b'{' b"}}", }
}

/// Text that is escaped while it is written.
struct Escaped<'o>(&'o mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        append_escaped(self.0, text);
        Ok(())
    }
}
