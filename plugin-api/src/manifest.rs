//! The manifest of a plugin, joined at compile time so that nothing has to run to read it.

/// A piece of the manifest.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// JSON text, as it is.
    Raw(&'static str),
    /// A string to be quoted and escaped.
    Quoted(&'static str),
    /// An array of strings.
    List(&'static [&'static str]),
}

/// Writes parts into a buffer, or only counts when the buffer is empty.
struct Writer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Writer<N> {
    const fn byte(mut self, byte: u8) -> Self {
        if N > 0 {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
        self
    }

    const fn raw(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }

    const fn quoted(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        self = self.byte(b'"');
        let mut i = 0;
        while i < bytes.len() {
            assert!(
                bytes[i] >= 0x20,
                "names and descriptions are one line without control characters"
            );
            if bytes[i] == b'"' || bytes[i] == b'\\' {
                self = self.byte(b'\\');
            }
            self = self.byte(bytes[i]);
            i += 1;
        }
        self.byte(b'"')
    }

    const fn parts(mut self, parts: &[Part]) -> Self {
        let mut i = 0;
        while i < parts.len() {
            self = match parts[i] {
                Part::Raw(text) => self.raw(text),
                Part::Quoted(text) => self.quoted(text),
                Part::List(items) => {
                    self = self.byte(b'[');
                    let mut k = 0;
                    while k < items.len() {
                        if k > 0 {
                            self = self.byte(b',');
                        }
                        self = self.quoted(items[k]);
                        k += 1;
                    }
                    self.byte(b']')
                }
            };
            i += 1;
        }
        self
    }
}

/// Length in bytes of the joined parts.
pub const fn len(parts: &[Part]) -> usize {
    Writer::<0> { bytes: [], len: 0 }.parts(parts).len
}

/// The joined parts; `N` is their [`len`].
pub const fn join<const N: usize>(parts: &[Part]) -> [u8; N] {
    Writer::<N> {
        bytes: [0; N],
        len: 0,
    }
    .parts(parts)
    .bytes
}

/// How a plugin was compiled.
pub const PANIC: &str = if cfg!(panic = "unwind") {
    "unwind"
} else {
    "abort"
};
/// `debug` or `release`.
pub const PROFILE: &str = if cfg!(debug_assertions) {
    "debug"
} else {
    "release"
};
/// Draft number of the ABI, as text.
pub const DRAFT: &str = match crate::abi::ABI_DRAFT {
    1 => "1",
    _ => panic!("name the draft here"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_join_into_json() {
        const PARTS: &[Part] = &[
            Part::Raw("{\"a\":"),
            Part::Quoted("say \"hi\" \\ é"),
            Part::Raw(",\"b\":"),
            Part::List(&["x", "y"]),
            Part::Raw("}"),
        ];
        const TEXT: [u8; len(PARTS)] = join(PARTS);
        let value: serde_json::Value = serde_json::from_slice(&TEXT).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a": "say \"hi\" \\ é", "b": ["x", "y"]})
        );
    }
}
