//! The types that a setting may have, and how a default or bound of each becomes JSON.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::ConfigType;
use super::check::{Pointer, check_number};
use super::schema::{Json, Kind, Schema};

/// A constant carried by a type, so that generic code can read it at compile time.
pub trait Constant<T> {
    /// The constant.
    const VALUE: T;
}

/// A type whose defaults are written as one expression, which may name constants.
#[diagnostic::on_unimplemented(
    message = "a default of type `{Self}` cannot be written as one expression",
    label = "the default of this",
    note = "defaults are a number, a bool, a string or a variant of a #[config] enum, or `[..]`, `[x; n]`, `vec![..]`, `Some(..)` or `None` of those, or `Rate::linear(..)`; leave `default` away for the type's own"
)]
pub trait Scalar: ConfigType {
    /// What the expression evaluates to: the type itself, or `&'static str` for `String`.
    type Literal;
    /// The constant `C` as JSON.
    type Json<C: Constant<Self::Literal>>: Constant<Json>;

    /// The value that the expression means.
    fn from_literal(literal: Self::Literal) -> Self;
}

/// What can have a range: a number, or one that may be missing.
#[diagnostic::on_unimplemented(
    message = "`range` and `above` need a number, found `{Self}`",
    label = "has no range",
    note = "for other types check the value in the plugin and return an error"
)]
pub trait Number: ConfigType {
    /// What the ends of a range are: the type itself, or `f64` for [`Rate`](super::Rate).
    type Bound;
    /// The number itself.
    type Value: Scalar<Literal = Self::Bound>;
}

/// The bound `C` of a range as JSON.
pub const fn bound<T, C>() -> Json
where
    T: Number,
    C: Constant<T::Bound>,
{
    <<T::Value as Scalar>::Json<C> as Constant<Json>>::VALUE
}

/// A type whose defaults are written item by item: `Vec<T>`, `[T; N]`, `Option<T>`.
#[diagnostic::on_unimplemented(
    message = "a default of type `{Self}` is not written with `[..]`, `vec![..]`, `Some(..)` or `None`",
    label = "the default of this"
)]
pub trait Container: ConfigType {
    /// The type of an item.
    type Item: ConfigType;
}

/// The constant `C` of a built-in type `T` as JSON.
pub struct Of<T, C>(PhantomData<(T, C)>);

/// A built-in scalar that is its own literal: its schema, its default, a value as JSON, its check.
macro_rules! scalar {
    ($type:ty, $shape:expr, $default:expr, |$value:ident| $json:expr, $check:expr) => {
        impl ConfigType for $type {
            const SHAPE: Schema = $shape;
            const DEFAULT: Json = $default;

            fn check(&self, schema: &Schema, at: &Pointer<'_>) -> Result<(), String> {
                let check: fn(Json, &Schema, &Pointer<'_>) -> Result<(), String> = $check;
                let $value = *self;
                check($json, schema, at)
            }
        }

        impl Scalar for $type {
            type Literal = $type;
            type Json<C: Constant<$type>> = Of<$type, C>;

            fn from_literal(literal: $type) -> Self {
                literal
            }
        }

        impl<C: Constant<$type>> Constant<Json> for Of<$type, C> {
            const VALUE: Json = {
                let $value = C::VALUE;
                $json
            };
        }
    };
}

/// Integers. The limits in the schema are those that schemars writes; `format` stands for the others.
macro_rules! integers {
    ($($type:ty: $format:literal, $minimum:expr, $maximum:expr;)*) => { $(
        scalar!(
            $type,
            Schema {
                minimum: $minimum,
                maximum: $maximum,
                ..Schema::of(Kind::Integer {
                    format: $format,
                    least: <$type>::MIN as i128,
                    greatest: <$type>::MAX as i128,
                })
            },
            Json::Integer(0),
            |x| Json::Integer(x as i128),
            check_number
        );
        impl Number for $type {
            type Bound = $type;
            type Value = $type;
        }
    )* };
}

const fn limit(value: i128) -> Option<Json> {
    Some(Json::Integer(value))
}

integers! {
    i8: "int8", limit(i8::MIN as i128), limit(i8::MAX as i128);
    i16: "int16", limit(i16::MIN as i128), limit(i16::MAX as i128);
    i32: "int32", None, None;
    i64: "int64", None, None;
    isize: "int", None, None;
    u8: "uint8", limit(0), limit(u8::MAX as i128);
    u16: "uint16", limit(0), limit(u16::MAX as i128);
    u32: "uint32", limit(0), None;
    u64: "uint64", limit(0), None;
    usize: "uint", limit(0), None;
}

scalar!(
    f32,
    Schema::of(Kind::Number { format: "float" }),
    Json::Float32(0.0),
    |x| Json::Float32(x),
    check_number
);
impl Number for f32 {
    type Bound = f32;
    type Value = f32;
}

scalar!(
    f64,
    Schema::of(Kind::Number { format: "double" }),
    Json::Float(0.0),
    |x| Json::Float(x),
    check_number
);
impl Number for f64 {
    type Bound = f64;
    type Value = f64;
}

scalar!(
    bool,
    Schema::of(Kind::Boolean),
    Json::Bool(false),
    |x| Json::Bool(x),
    |_, _, _| Ok(())
);

impl ConfigType for String {
    const SHAPE: Schema = Schema::of(Kind::String);
    const DEFAULT: Json = Json::String("");

    fn check(&self, _: &Schema, _: &Pointer<'_>) -> Result<(), String> {
        Ok(())
    }
}

impl Scalar for String {
    type Literal = &'static str;
    type Json<C: Constant<&'static str>> = Of<String, C>;

    fn from_literal(literal: &'static str) -> Self {
        literal.to_owned()
    }
}

impl<C: Constant<&'static str>> Constant<Json> for Of<String, C> {
    const VALUE: Json = Json::String(C::VALUE);
}

impl<T: ConfigType> ConfigType for Option<T> {
    const SHAPE: Schema = Schema {
        nullable: true,
        ..T::SHAPE
    };
    const DEFAULT: Json = Json::Null;

    fn check(&self, schema: &Schema, at: &Pointer<'_>) -> Result<(), String> {
        self.as_ref()
            .map_or(Ok(()), |value| value.check(schema, at))
    }
}

impl<T: ConfigType> Container for Option<T> {
    type Item = T;
}

impl<T: Number> Number for Option<T> {
    type Bound = T::Bound;
    type Value = T::Value;
}

impl<T: ConfigType> ConfigType for Vec<T> {
    const SHAPE: Schema = Schema::of(Kind::Array {
        items: &T::SHAPE,
        length: None,
    });
    const DEFAULT: Json = Json::Array(&[]);

    fn check(&self, _: &Schema, at: &Pointer<'_>) -> Result<(), String> {
        check_items(self, at)
    }
}

impl<T: ConfigType> Container for Vec<T> {
    type Item = T;
}

impl<T: ConfigType, const N: usize> ConfigType for [T; N] {
    const SHAPE: Schema = Schema::of(Kind::Array {
        items: &T::SHAPE,
        length: Some(N),
    });
    const DEFAULT: Json = Json::Repeat(&T::DEFAULT, N);

    fn check(&self, _: &Schema, at: &Pointer<'_>) -> Result<(), String> {
        check_items(self, at)
    }
}

impl<T: ConfigType, const N: usize> Container for [T; N] {
    type Item = T;
}

fn check_items<T: ConfigType>(items: &[T], at: &Pointer<'_>) -> Result<(), String> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(i, item)| item.check(&T::SHAPE, &at.index(i)))
}

impl<T: ConfigType> ConfigType for BTreeMap<String, T> {
    const SHAPE: Schema = Schema::of(Kind::Map(&T::SHAPE));
    const DEFAULT: Json = Json::Object(&[]);

    fn check(&self, _: &Schema, at: &Pointer<'_>) -> Result<(), String> {
        self.iter()
            .try_for_each(|(key, value)| value.check(&T::SHAPE, &at.key(key)))
    }
}
