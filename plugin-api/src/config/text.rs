//! Schemas as JSON text, in constant context.
//!
//! Two passes over the same writer: the first, without room, only counts.

use super::float::{Digits, shortest_f32, shortest_f64};
use super::rate;
use super::schema::{Choice, Json, Kind, Property, Schema};

/// The dialect that every root schema names.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Bytes of [`schema`]'s text.
pub const fn schema_length(title: &str, schema: &Schema) -> usize {
    let mut writer = Writer::new(&mut []);
    writer.root(title, schema);
    writer.length
}

/// The text of a root schema; `N` is [`schema_length`]'s.
pub const fn schema<const N: usize>(title: &str, schema: &Schema) -> [u8; N] {
    let mut bytes = [0; N];
    let mut writer = Writer::new(&mut bytes);
    writer.root(title, schema);
    assert!(writer.length == N, "N is the length of the text");
    bytes
}

/// The bytes of [`schema`] as text.
pub const fn as_text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("the writer writes whole strings"),
    }
}

/// A constant value as text, at run time.
pub(super) fn json(value: &Json) -> String {
    let mut counter = Writer::new(&mut []);
    counter.json(value);
    let mut bytes = vec![0; counter.length];
    Writer::new(&mut bytes).json(value);
    String::from_utf8(bytes).expect("the writer writes whole strings")
}

/// Writes as much as there is room for and counts everything.
struct Writer<'a> {
    out: &'a mut [u8],
    length: usize,
}

impl<'a> Writer<'a> {
    const fn new(out: &'a mut [u8]) -> Self {
        Self { out, length: 0 }
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < self.out.len() {
            self.out[self.length] = byte;
        }
        self.length += 1;
    }

    const fn raw(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self.byte(bytes[i]);
            i += 1;
        }
    }

    /// A string with quotes and escapes (RFC 8259 §7).
    const fn string(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let bytes = text.as_bytes();
        self.byte(b'"');
        let mut i = 0;
        while i < bytes.len() {
            match bytes[i] {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                control @ ..0x20 => {
                    self.raw("\\u00");
                    self.byte(HEX[(control >> 4) as usize]);
                    self.byte(HEX[(control & 15) as usize]);
                }
                other => self.byte(other),
            }
            i += 1;
        }
        self.byte(b'"');
    }

    const fn integer(&mut self, value: i128) {
        let mut digits = [0; 39];
        let mut count = 0;
        let mut rest = value.unsigned_abs();
        loop {
            digits[count] = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.byte(b'-');
        }
        while count > 0 {
            count -= 1;
            self.byte(digits[count]);
        }
    }

    /// Plain for 1e-5 ≤ |x| < 1e16, else with an exponent.
    const fn float(&mut self, negative: bool, digits: &Digits) {
        if negative {
            self.byte(b'-');
        }
        let (count, point) = (digits.count as i32, digits.point);
        if point > 16 || point < -4 {
            self.digits(digits, 0, 1);
            if count > 1 {
                self.byte(b'.');
                self.digits(digits, 1, count);
            }
            self.byte(b'e');
            self.integer(point as i128 - 1);
        } else if point <= 0 {
            self.raw("0.");
            self.digits(digits, point, count);
        } else {
            self.digits(digits, 0, point);
            self.byte(b'.');
            self.digits(digits, point, if count > point { count } else { point + 1 });
        }
    }

    /// The digits from `from` up to `to`; zeros where there are none.
    const fn digits(&mut self, digits: &Digits, from: i32, to: i32) {
        let mut i = from;
        while i < to {
            let known = 0 <= i && i < digits.count as i32;
            self.byte(b'0' + if known { digits.digits[i as usize] } else { 0 });
            i += 1;
        }
    }

    const fn json(&mut self, value: &Json) {
        match *value {
            Json::Null => self.raw("null"),
            Json::Bool(true) => self.raw("true"),
            Json::Bool(false) => self.raw("false"),
            Json::Integer(x) => self.integer(x),
            Json::Float(x) => self.float(x.is_sign_negative(), &shortest_f64(x)),
            Json::Float32(x) => self.float(x.is_sign_negative(), &shortest_f32(x)),
            Json::String(text) => self.string(text),
            Json::Array(items) => {
                self.byte(b'[');
                let mut i = 0;
                while i < items.len() {
                    self.comma(i);
                    self.json(&items[i]);
                    i += 1;
                }
                self.byte(b']');
            }
            Json::Repeat(item, count) => {
                self.byte(b'[');
                let mut i = 0;
                while i < count {
                    self.comma(i);
                    self.json(item);
                    i += 1;
                }
                self.byte(b']');
            }
            Json::Object(members) => {
                self.byte(b'{');
                let mut i = 0;
                while i < members.len() {
                    self.comma(i);
                    self.string(members[i].0);
                    self.byte(b':');
                    self.json(&members[i].1);
                    i += 1;
                }
                self.byte(b'}');
            }
        }
    }

    const fn comma(&mut self, index: usize) {
        if index > 0 {
            self.byte(b',');
        }
    }

    const fn root(&mut self, title: &str, schema: &Schema) {
        self.raw("{\"$schema\":");
        self.string(DIALECT);
        self.raw(",\"title\":");
        self.string(title);
        self.byte(b',');
        self.members(schema);
        self.byte(b'}');
    }

    const fn schema(&mut self, schema: &Schema) {
        self.byte(b'{');
        self.members(schema);
        self.byte(b'}');
    }

    const fn members(&mut self, schema: &Schema) {
        if !schema.description.is_empty() {
            self.raw("\"description\":");
            self.string(schema.description);
            self.byte(b',');
        }
        if let Kind::Rate = schema.kind {
            self.rate(schema);
        } else {
            self.kind(&schema.kind, schema.nullable);
            self.value(",\"minimum\":", schema.minimum);
            self.value(",\"exclusiveMinimum\":", schema.exclusive_minimum);
            self.value(",\"maximum\":", schema.maximum);
            self.value(",\"exclusiveMaximum\":", schema.exclusive_maximum);
        }
        self.value(",\"default\":", schema.default);
    }

    const fn value(&mut self, key: &str, value: Option<Json>) {
        if let Some(value) = value {
            self.raw(key);
            self.json(&value);
        }
    }

    const fn kind(&mut self, kind: &Kind, nullable: bool) {
        self.raw("\"type\":");
        self.raw(if nullable { "[" } else { "" });
        self.raw(kind.type_name());
        self.raw(if nullable { ",\"null\"]" } else { "" });
        match kind {
            Kind::Boolean | Kind::String | Kind::Rate => {}
            Kind::Integer { format, .. } | Kind::Number { format } => {
                self.raw(",\"format\":");
                self.string(format);
            }
            Kind::Choice(choices) => self.choices(choices, nullable),
            Kind::Array { items, length } => {
                self.raw(",\"items\":");
                self.schema(items);
                if let Some(length) = length {
                    self.raw(",\"minItems\":");
                    self.integer(*length as i128);
                    self.raw(",\"maxItems\":");
                    self.integer(*length as i128);
                }
            }
            Kind::Map(values) => {
                self.raw(",\"additionalProperties\":");
                self.schema(values);
            }
            Kind::Object(properties) => self.properties(properties),
        }
    }

    /// The forms of a rate; its range stands in each of them.
    const fn rate(&mut self, schema: &Schema) {
        self.raw(if schema.nullable {
            "\"anyOf\":[{\"anyOf\":["
        } else {
            "\"anyOf\":["
        });
        self.schema(&rate::number(schema));
        self.raw(",{\"type\":\"object\"");
        self.properties(&rate::line(schema));
        self.raw(",\"required\":[");
        let mut i = 0;
        while i < rate::KEYS.len() {
            self.comma(i);
            self.string(rate::KEYS[i]);
            i += 1;
        }
        self.raw(if schema.nullable {
            "]}]},{\"type\":\"null\"}]"
        } else {
            "]}]"
        });
    }

    const fn choices(&mut self, choices: &[Choice], nullable: bool) {
        self.raw(",\"enum\":[");
        let mut i = 0;
        while i < choices.len() {
            self.comma(i);
            self.string(choices[i].name);
            i += 1;
        }
        self.raw(if nullable { ",null]" } else { "]" });
        self.raw(",\"enumDescriptions\":[");
        i = 0;
        while i < choices.len() {
            self.comma(i);
            self.string(choices[i].description);
            i += 1;
        }
        self.byte(b']');
    }

    const fn properties(&mut self, properties: &[Property]) {
        if !properties.is_empty() {
            self.raw(",\"properties\":{");
            let mut i = 0;
            while i < properties.len() {
                self.comma(i);
                self.string(properties[i].name);
                self.byte(b':');
                self.schema(&properties[i].schema);
                i += 1;
            }
            self.byte(b'}');
        }
        self.raw(",\"additionalProperties\":false");
    }
}

impl Kind {
    /// JSON Schema's `type`, quoted.
    const fn type_name(&self) -> &'static str {
        match self {
            Kind::Boolean => "\"boolean\"",
            Kind::Integer { .. } => "\"integer\"",
            // Each form of a rate has its own.
            Kind::Number { .. } | Kind::Rate => "\"number\"",
            Kind::String | Kind::Choice(_) => "\"string\"",
            Kind::Array { .. } => "\"array\"",
            Kind::Map(_) | Kind::Object(_) => "\"object\"",
        }
    }
}
