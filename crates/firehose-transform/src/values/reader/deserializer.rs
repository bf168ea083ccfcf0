//! `Reader` as a serde deserializer.

use serde::de::{self, Visitor};

use super::compound::{UnitVariant, Variant};
use super::{Reader, Unusual};
use crate::values::{is_special, keeps_text};

macro_rules! each {
    ($($method:ident)* => |$reader:ident, $visitor:ident| $body:expr) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>($reader, $visitor: V) -> Result<V::Value, Unusual> {
                $body
            }
        )*
    };
}
pub(super) use each;

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.peek() {
            Some(b'"') => self.visit_string(visitor),
            Some(b'-' | b'0'..=b'9') => {
                self.visit_number(visitor, |text| if keeps_text() { None } else { text.parse().ok() })
            }
            Some(b'{') => self.visit_object(visitor),
            Some(b'[') => self.visit_list(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            _ => self.deserialize_bool(visitor),
        }
    }

    each! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f64 => |self, visitor| self.visit_number(visitor, |text| text.parse().ok())
    }
    each! { deserialize_f32 => |self, visitor| self.visit_number(visitor, |text| text.parse::<f32>().ok().map(f64::from)) }
    each! {
        deserialize_str deserialize_string deserialize_char deserialize_identifier => |self, visitor| self.visit_string(visitor)
    }
    each! { deserialize_i128 deserialize_u128 deserialize_bytes deserialize_byte_buf => |self, _visitor| self.give_up() }
    each! { deserialize_seq => |self, visitor| self.visit_list(visitor) }
    each! { deserialize_map => |self, visitor| self.visit_object(visitor) }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.peek() {
            Some(b't') => self.literal("true").and_then(|()| visitor.visit_bool(true)),
            _ => self.literal("false").and_then(|()| visitor.visit_bool(false)),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.peek() {
            Some(b'n') => self.literal("null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.literal("null").and_then(|()| visitor.visit_unit())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unusual> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Unusual> {
        if is_special(name) { self.give_up() } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unusual> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        self.visit_list(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        if is_special(name) { self.give_up() } else { self.visit_object(visitor) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        match self.peek() {
            Some(b'"') => visitor.visit_enum(UnitVariant(self)),
            _ => {
                self.expect(b'{')?;
                let value = self.nested(|reader| visitor.visit_enum(Variant(reader)))?;
                self.expect(b'}')?;
                Ok(value)
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.skip()?;
        visitor.visit_unit()
    }
}
